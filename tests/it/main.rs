//! The integration tests: one binary, a module per command or property.

#![expect(clippy::disallowed_methods, reason = "tests read files and start programs")]

mod advisories;
mod agree;
mod check;
mod claims;
mod diff;
mod emit;
mod families;
mod fix;
mod fleet;
mod gpu_state;
mod harvest;
mod help;
mod hostile;
mod hostile_commands;
mod hosts;
mod impact;
mod incidents;
mod inputs;
mod kinds;
mod layers;
mod link;
mod lint;
mod literals;
mod loader;
mod nvml;
mod objects;
mod package_index;
mod pasted;
mod plans;
mod readme;
mod registry;
mod remedies;
mod reports;
mod resolve;
mod rules;
mod screen;
mod snapshots;
mod symptoms;
mod toolchain;
mod update;
mod verdicts;
mod verify;
mod visibility;
mod xid;
