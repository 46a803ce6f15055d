//! A stand-in for `libnvidia-ml.so.1` that answers from a file, so that the tests go through the real nvml-wrapper.
//!
//! Built by `tests/it/nvml.rs` with `rustc --crate-type cdylib`; it is no part of the crate. The file named by
//! `GPUDOC_NVML_ANSWERS` holds lines `key = value`:
//!
//! ```text
//! driver = 570.133.20        nvml = 12.570.133.20        cuda = 12080        count = 2
//! 0.name = NVIDIA H100       0.capability = 9 0          0.memory = 85520809984   0.mig = 1
//! 0.device = 233010de        0.bus = 00000000:C1:00.0        0.uuid = GPU-8932f937-d72c-4106-c12f-20bd9faed9f6
//! error nvmlInit_v2 = 18     error 1.nvmlDeviceGetName = 15
//! ```
//!
//! A function without an answer returns NVML_ERROR_NOT_SUPPORTED. With `--cfg old_library` the functions that came with
//! later drivers are not there at all.

use std::ffi::{c_char, c_int, c_uint, c_ulonglong, c_void};

const NOT_SUPPORTED: c_uint = 3;

fn answer(key: &str) -> Option<String> {
    let text = std::fs::read_to_string(std::env::var_os("GPUDOC_NVML_ANSWERS")?).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    lines.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_owned())
}

fn error(key: &str) -> Option<c_uint> {
    answer(&format!("error {key}"))?.parse().ok()
}

/// Writes an answer, or returns the error that the file asks for.
fn reply(function: &str, device: Option<usize>, key: &str, write: impl FnOnce(&str) -> Option<()>) -> c_uint {
    let prefixed = |name: &str| device.map_or(name.to_owned(), |index| format!("{index}.{name}"));
    if let Some(code) = error(&prefixed(function)) {
        return code;
    }
    match answer(&prefixed(key)).and_then(|value| write(&value)) {
        Some(()) => 0,
        None => NOT_SUPPORTED,
    }
}

/// Devices are their index plus one, so that none is null.
fn index(device: *mut c_void) -> Option<usize> {
    (device as usize).checked_sub(1)
}

unsafe fn copy(text: &str, into: *mut c_char, length: usize) -> Option<()> {
    let bytes = &text.as_bytes()[..text.len().min(length - 1)];
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), into, bytes.len());
        *into.add(bytes.len()) = 0;
    }
    Some(())
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlInit_v2() -> c_uint {
    error("nvmlInit_v2").unwrap_or(0)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlShutdown() -> c_uint {
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetDriverVersion(text: *mut c_char, length: c_uint) -> c_uint {
    reply("nvmlSystemGetDriverVersion", None, "driver", |value| unsafe { copy(value, text, length as usize) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetNVMLVersion(text: *mut c_char, length: c_uint) -> c_uint {
    reply("nvmlSystemGetNVMLVersion", None, "nvml", |value| unsafe { copy(value, text, length as usize) })
}

#[cfg(not(old_library))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: *mut c_int) -> c_uint {
    reply("nvmlSystemGetCudaDriverVersion_v2", None, "cuda", |value| unsafe {
        *version = value.parse().ok()?;
        Some(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetCount_v2(count: *mut c_uint) -> c_uint {
    reply("nvmlDeviceGetCount_v2", None, "count", |value| unsafe {
        *count = value.parse().ok()?;
        Some(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, device: *mut *mut c_void) -> c_uint {
    let code = error(&format!("{index}.nvmlDeviceGetHandleByIndex_v2")).unwrap_or(0);
    if code == 0 {
        unsafe { *device = (index as usize + 1) as *mut c_void };
    }
    code
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetUUID(device: *mut c_void, text: *mut c_char, length: c_uint) -> c_uint {
    reply("nvmlDeviceGetUUID", index(device), "uuid", |value| unsafe { copy(value, text, length as usize) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetName(device: *mut c_void, text: *mut c_char, length: c_uint) -> c_uint {
    reply("nvmlDeviceGetName", index(device), "name", |value| unsafe { copy(value, text, length as usize) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetCudaComputeCapability(
    device: *mut c_void,
    major: *mut c_int,
    minor: *mut c_int,
) -> c_uint {
    reply("nvmlDeviceGetCudaComputeCapability", index(device), "capability", |value| unsafe {
        let (first, second) = value.split_once(' ')?;
        (*major, *minor) = (first.parse().ok()?, second.parse().ok()?);
        Some(())
    })
}

/// `nvmlMemory_v2_t` of nvml.h.
#[repr(C)]
pub struct Memory {
    version: c_uint,
    total: c_ulonglong,
    reserved: c_ulonglong,
    free: c_ulonglong,
    used: c_ulonglong,
}

#[cfg(not(old_library))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMemoryInfo_v2(device: *mut c_void, memory: *mut Memory) -> c_uint {
    reply("nvmlDeviceGetMemoryInfo_v2", index(device), "memory", |value| unsafe {
        (*memory).total = value.parse().ok()?;
        Some(())
    })
}

#[cfg(not(old_library))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMigMode(
    device: *mut c_void,
    current: *mut c_uint,
    pending: *mut c_uint,
) -> c_uint {
    reply("nvmlDeviceGetMigMode", index(device), "mig", |value| unsafe {
        *current = value.parse().ok()?;
        *pending = *current;
        Some(())
    })
}

/// `nvmlPciInfo_t` of nvml.h.
#[repr(C)]
pub struct PciInfo {
    bus_id_legacy: [c_char; 16],
    domain: c_uint,
    bus: c_uint,
    device: c_uint,
    pci_device_id: c_uint,
    pci_sub_system_id: c_uint,
    bus_id: [c_char; 32],
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetPciInfo_v3(device: *mut c_void, info: *mut PciInfo) -> c_uint {
    let code = reply("nvmlDeviceGetPciInfo_v3", index(device), "device", |value| unsafe {
        (*info).pci_device_id = c_uint::from_str_radix(value, 16).ok()?;
        Some(())
    });
    if code != 0 {
        return code;
    }
    reply("nvmlDeviceGetPciInfo_v3", index(device), "bus", |value| unsafe {
        copy(value, (&raw mut (*info).bus_id).cast(), 32)
    })
}
