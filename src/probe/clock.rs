//! Where the time goes: what each part of a run took, for `--timings`.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The parts of one run, in the order in which they ended. Parts that run side by side overlap.
#[derive(Debug, Default)]
pub struct Clock(Mutex<Vec<(&'static str, Duration)>>);

impl Clock {
    /// Does something and remembers how long it took.
    pub fn time<T>(&self, part: &'static str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((part, start.elapsed()));
        result
    }

    /// One line for each part, e.g. `   12.3 ms  driver`.
    #[must_use]
    pub fn lines(&self) -> String {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |(part, taken): &(&str, Duration)| format!("{:>9.1} ms  {part}", taken.as_secs_f64() * 1000.0);
        parts.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_line() {
        let clock = Clock::default();
        assert_eq!(clock.time("driver", || 7), 7);
        clock.time("python", || std::thread::sleep(Duration::from_millis(2)));
        let lines = clock.lines();
        let parts: Vec<_> = lines.lines().filter_map(|line| line.split_once(" ms  ")).collect();
        assert_eq!(parts.iter().map(|(_, part)| *part).collect::<Vec<_>>(), ["driver", "python"]);
        assert!(parts[1].0.trim().parse::<f64>().is_ok_and(|taken| taken >= 2.0), "{lines}");
    }
}
