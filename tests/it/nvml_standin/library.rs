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
//! 0.persistence = 0          0.compute_mode = 2          0.used = 85000000000      0.slowed = 8
//! 0.uncorrected = 3          0.144 = 1                   0.145 = 0 (fields: rows pending, failed)
//! 0.links = 110 (the state of each)                      0.fabric = 2 0 (state, status)
//! 0.processes = 7:81604378624 9:1048576                  process 7 = /home/alice/venv/bin/python3 train.py
//! 0.instances = yes          100.memory = 10468982784    101.memory = 20937965568 (of GPU 0)
//! confidential = 1 0 (enabled, ready)
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
        let key = index(device).map(|index| format!("{index}.used"));
        (*memory).used = key.and_then(|key| answer(&key)?.parse().ok()).unwrap_or(0);
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

fn number(function: &str, device: *mut c_void, key: &str, into: *mut c_uint) -> c_uint {
    reply(function, index(device), key, |value| unsafe {
        *into = value.parse().ok()?;
        Some(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetPersistenceMode(device: *mut c_void, mode: *mut c_uint) -> c_uint {
    number("nvmlDeviceGetPersistenceMode", device, "persistence", mode)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetComputeMode(device: *mut c_void, mode: *mut c_uint) -> c_uint {
    number("nvmlDeviceGetComputeMode", device, "compute_mode", mode)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetVirtualizationMode(device: *mut c_void, mode: *mut c_uint) -> c_uint {
    number("nvmlDeviceGetVirtualizationMode", device, "virtualization", mode)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetTotalEccErrors(
    device: *mut c_void,
    kind: c_uint,
    counter: c_uint,
    count: *mut c_ulonglong,
) -> c_uint {
    // Uncorrected, volatile.
    if (kind, counter) != (1, 0) {
        return NOT_SUPPORTED;
    }
    reply("nvmlDeviceGetTotalEccErrors", index(device), "uncorrected", |value| unsafe {
        *count = value.parse().ok()?;
        Some(())
    })
}

/// `nvmlFieldValue_t` of nvml.h.
#[repr(C)]
pub struct FieldValue {
    field: c_uint,
    scope: c_uint,
    timestamp: i64,
    latency: i64,
    kind: c_uint,
    code: c_uint,
    value: c_ulonglong,
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetFieldValues(
    device: *mut c_void,
    count: c_int,
    values: *mut FieldValue,
) -> c_uint {
    for at in 0..count as usize {
        let value = unsafe { &mut *values.add(at) };
        let key = format!("{}", value.field);
        // NVML_VALUE_TYPE_UNSIGNED_INT.
        value.kind = 1;
        value.code = reply("nvmlDeviceGetFieldValues", index(device), &key, |text| {
            value.value = text.parse().ok()?;
            Some(())
        });
    }
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetCurrentClocksThrottleReasons(
    device: *mut c_void,
    reasons: *mut c_ulonglong,
) -> c_uint {
    reply("nvmlDeviceGetCurrentClocksThrottleReasons", index(device), "slowed", |value| unsafe {
        *reasons = value.parse().ok()?;
        Some(())
    })
}

/// `nvmlProcessInfo_t` of nvml.h.
#[repr(C)]
pub struct Process {
    pid: c_uint,
    memory: c_ulonglong,
    gpu_instance: c_uint,
    compute_instance: c_uint,
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    device: *mut c_void,
    count: *mut c_uint,
    processes: *mut Process,
) -> c_uint {
    const INSUFFICIENT_SIZE: c_uint = 7;
    let mut all = 0;
    let code = reply("nvmlDeviceGetComputeRunningProcesses_v3", index(device), "processes", |value| unsafe {
        for (at, process) in value.split(' ').enumerate() {
            let (pid, memory) = process.split_once(':')?;
            let (pid, memory) = (pid.parse().ok()?, memory.parse().ok()?);
            if at < *count as usize {
                let process = Process { pid, memory, gpu_instance: c_uint::MAX, compute_instance: c_uint::MAX };
                processes.add(at).write(process);
            }
            all += 1;
        }
        Some(())
    });
    let room = unsafe { *count };
    unsafe { *count = all };
    if code == 0 && all > room { INSUFFICIENT_SIZE } else { code }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetProcessName(pid: c_uint, text: *mut c_char, length: c_uint) -> c_uint {
    reply("nvmlSystemGetProcessName", None, &format!("process {pid}"), |value| unsafe {
        copy(value, text, length as usize)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetNvLinkState(device: *mut c_void, link: c_uint, state: *mut c_uint) -> c_uint {
    reply("nvmlDeviceGetNvLinkState", index(device), "links", |value| unsafe {
        *state = value.chars().nth(link as usize)?.to_digit(2)?;
        Some(())
    })
}

/// `nvmlGpuFabricInfo_v2_t` of nvml.h.
#[repr(C)]
pub struct FabricInfo {
    version: c_uint,
    cluster: [u8; 16],
    status: c_uint,
    clique: c_uint,
    state: u8,
    health: c_uint,
}

#[cfg(not(old_library))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetGpuFabricInfoV(device: *mut c_void, info: *mut FabricInfo) -> c_uint {
    const VERSION_MISMATCH: c_uint = 25;
    if unsafe { (*info).version } != size_of::<FabricInfo>() as c_uint | 2 << 24 {
        return VERSION_MISMATCH;
    }
    reply("nvmlDeviceGetGpuFabricInfoV", index(device), "fabric", |value| unsafe {
        let (state, status) = value.split_once(' ')?;
        ((*info).state, (*info).status) = (state.parse().ok()?, status.parse().ok()?);
        Some(())
    })
}

#[cfg(not(old_library))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetConfComputeState(state: *mut [c_uint; 3]) -> c_uint {
    reply("nvmlSystemGetConfComputeState", None, "confidential", |value| unsafe {
        (*state)[1] = value.split_once(' ')?.0.parse().ok()?;
        Some(())
    })
}

#[cfg(not(old_library))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetConfComputeGpusReadyState(ready: *mut c_uint) -> c_uint {
    reply("nvmlSystemGetConfComputeGpusReadyState", None, "confidential", |value| unsafe {
        *ready = value.split_once(' ')?.1.parse().ok()?;
        Some(())
    })
}

#[cfg(not(old_library))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMaxMigDeviceCount(device: *mut c_void, count: *mut c_uint) -> c_uint {
    reply("nvmlDeviceGetMaxMigDeviceCount", index(device), "instances", |_| unsafe {
        // As many as there may be, not as there are.
        *count = 7;
        Some(())
    })
}

/// An instance is a device with a number beyond those of GPUs, e.g. 101 for the second of GPU 0.
#[cfg(not(old_library))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMigDeviceHandleByIndex(
    device: *mut c_void,
    instance: c_uint,
    handle: *mut *mut c_void,
) -> c_uint {
    const NOT_FOUND: c_uint = 6;
    let Some(index) = index(device) else { return NOT_FOUND };
    let there = answer(&format!("{}.memory", 100 * (index + 1) + instance as usize)).is_some();
    if there {
        unsafe { *handle = (100 * (index + 1) + instance as usize + 1) as *mut c_void };
    }
    if there { 0 } else { NOT_FOUND }
}
