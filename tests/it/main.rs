//! The integration tests: one binary, a module per subject.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[cfg(unix)]
mod loader;
#[cfg(target_os = "linux")]
mod nvml;
