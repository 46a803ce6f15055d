//! What a command decides, one file each: functions that take what was read, or closures and traits that read, and return one
//! value. They touch no file, process, clock or terminal, so that their tests need none; `commands/` reads, calls, and prints.

pub mod about;
pub mod asked;
pub mod check;
pub mod explain;
pub mod fix;
pub mod impact;
pub mod lint;
pub mod on_gpu;
pub mod paste;
pub mod resolve;
pub mod targets;
#[cfg(test)]
mod unread;
pub mod weigh;
