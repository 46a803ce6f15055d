//! The integration tests: one binary, a module per command or property.

#![expect(clippy::disallowed_methods, reason = "tests read files and start programs")]

mod hosts;
#[cfg(unix)]
mod loader;
#[cfg(target_os = "linux")]
mod nvml;
