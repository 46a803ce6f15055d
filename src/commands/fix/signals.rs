//! Being asked to stop while something has to be brought to an end first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::exit::Exit;

/// From now on a signal to stop is only remembered.
#[derive(Debug, Clone, Default)]
pub struct Signals(Arc<AtomicUsize>);

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// When the operating system does not let it.
    pub fn listen() -> std::io::Result<Self> {
        let signals = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&signals.0), number)?;
        }
        Ok(signals)
    }

    /// How to end, where somebody asked to stop.
    #[must_use]
    pub fn asked(&self) -> Option<Exit> {
        match i32::try_from(self.0.load(Ordering::Relaxed)).unwrap_or_default() {
            0 => None,
            SIGINT => Some(Exit::Interrupted),
            SIGHUP => Some(Exit::HungUp),
            _ => Some(Exit::Terminated),
        }
    }
}
