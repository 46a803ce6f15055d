//! A stand-in for `libcuda.so.1`: with `--cfg mismatch` CUDA ends with error 803, with `--cfg crash` it crashes.
//!
//! Built by `tests/it/visibility.rs` with `rustc --crate-type cdylib`; it is no part of the crate.

use std::ffi::{c_char, c_int, c_uint};

#[unsafe(no_mangle)]
pub extern "C" fn cuInit(_: c_uint) -> c_uint {
    #[cfg(crash)]
    std::process::abort();
    803
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceGetCount(_: *mut c_int) -> c_uint {
    3
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorName(error: c_uint, text: *mut *const c_char) -> c_uint {
    if error != 803 {
        return 1;
    }
    unsafe { *text = c"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH".as_ptr() };
    0
}
