//! CUDA's own answer: does it start, and how many devices does it count?
//!
//! Starting CUDA takes a second, memory on every GPU, and hangs or crashes where a driver is in trouble. So it happens only
//! where it is asked for, and in a process of its own: [`ask`] starts gpudoc again as [`COMMAND`], which calls [`start`].

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::process::Command;
use std::time::{Duration, Instant};

use libloading::{Library, Symbol};

use super::child;
use crate::facts::{CudaAnswer, Reading};

/// The name under which the answer is recorded.
pub const PLACE: &str = "cuInit";

/// gpudoc's own command that starts CUDA and writes what it answered.
pub const COMMAND: &str = "cuda-init";

/// How long CUDA may take; a machine of eight GPUs without persistence needs some seconds.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Starts gpudoc again and reads its answer.
#[must_use]
pub fn ask(limit: Duration) -> Reading<CudaAnswer> {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return Reading::unreadable(format!("gpudoc does not find itself: {error}")),
    };
    match child::run(Command::new(program).arg(COMMAND), Instant::now() + limit) {
        Ok(Some((answer, _))) => serde_json::from_str(&answer).unwrap_or_else(|_| {
            Reading::unreadable("the process that started CUDA ended without an answer: it crashed in the driver")
        }),
        Ok(None) => Reading::unreadable(format!("CUDA did not start within {} s", limit.as_secs())),
        Err(error) => Reading::unreadable(format!("gpudoc could not be started again: {error}")),
    }
}

/// Starts CUDA in this process.
#[must_use]
#[expect(unsafe_code, reason = "the functions of libcuda are foreign; they are called as cuda.h declares them")]
pub fn start() -> Reading<CudaAnswer> {
    // SAFETY: loading the driver's library runs its initialisers, as any program that uses CUDA does.
    let library = match unsafe { Library::new("libcuda.so.1") } {
        Ok(library) => library,
        Err(error) => return Reading::unreadable(error.to_string()),
    };
    // SAFETY: `CUresult cuInit(unsigned int)` and `CUresult cuDeviceGetCount(int *)`.
    let answer = unsafe {
        let init: Result<Symbol<'_, unsafe extern "C" fn(c_uint) -> c_uint>, _> = library.get(b"cuInit\0");
        let count: Result<Symbol<'_, unsafe extern "C" fn(*mut c_int) -> c_uint>, _> =
            library.get(b"cuDeviceGetCount\0");
        match (init, count) {
            (Ok(init), Ok(count)) => {
                let mut devices: c_int = 0;
                let error = match init(0) {
                    0 => count(&raw mut devices),
                    error => error,
                };
                CudaAnswer {
                    error,
                    name: (error != 0).then(|| name(&library, error)).flatten(),
                    devices: (error == 0).then(|| u32::try_from(devices).unwrap_or(0)),
                }
            }
            (Err(error), _) | (_, Err(error)) => return Reading::unreadable(error.to_string()),
        }
    };
    Reading::host(answer, PLACE)
}

/// An error's name in the library's own words.
#[expect(unsafe_code, reason = "the functions of libcuda are foreign; they are called as cuda.h declares them")]
fn name(library: &Library, error: c_uint) -> Option<String> {
    let mut text: *const c_char = std::ptr::null();
    // SAFETY: `CUresult cuGetErrorName(CUresult, const char **)`; it gives a constant text, or null for what it does not know.
    unsafe {
        let name: Symbol<'_, unsafe extern "C" fn(c_uint, *mut *const c_char) -> c_uint> =
            library.get(b"cuGetErrorName\0").ok()?;
        if name(error, &raw mut text) != 0 || text.is_null() {
            return None;
        }
        Some(CStr::from_ptr(text).to_string_lossy().into_owned())
    }
}
