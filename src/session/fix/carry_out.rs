//! The commands of a plan, run one after the other on an environment or on a copy of it, judged, and kept or taken back.

use super::{Judged, Outcome};
use crate::exit::Exit;
use crate::finding::Plan;
use crate::fix::calls::Call;

/// Where the commands of a plan run: an environment with its way back, or a copy of it.
pub trait Place {
    /// Before anything is done; false where somebody says no.
    ///
    /// # Errors
    ///
    /// When nobody can be asked, or somebody else changes the environment.
    fn begin(&mut self) -> anyhow::Result<bool>;

    /// Puts aside what the commands may change, or makes the copy; false where somebody asked to stop meanwhile.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or written. Nothing is changed then.
    fn prepare(&mut self) -> anyhow::Result<bool>;

    /// Runs a command, the first one with 0.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    fn run(&mut self, at: usize, call: &Call) -> anyhow::Result<Ran>;

    /// Checks what is there now.
    ///
    /// # Errors
    ///
    /// When it is no environment any more.
    fn check(&mut self) -> anyhow::Result<Judged>;

    /// Says what it came to, and whether it is kept.
    ///
    /// # Errors
    ///
    /// When it cannot be printed.
    fn tell(&mut self, outcome: &Outcome, kept: bool) -> anyhow::Result<()>;

    /// Takes everything back.
    ///
    /// # Errors
    ///
    /// When not all files are back.
    fn take_back(&mut self, why: Why) -> anyhow::Result<()>;

    /// Leaves it as it is now.
    ///
    /// # Errors
    ///
    /// When that cannot be written down.
    fn keep(&mut self) -> anyhow::Result<()>;

    /// How to end, where somebody asked to stop.
    fn stop(&self) -> Option<Exit>;
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// Well.
    Well,
    /// Badly, which was said.
    Badly,
    /// Since somebody asked to stop.
    Stopped,
}

/// Why everything is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A command failed.
    Failed,
    /// Somebody asked to stop.
    Stopped,
    /// Something could not be done at all: the error is told.
    Error,
    /// What is there now is no better.
    NoBetter,
}

/// What carrying a plan out came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// No command of the plan is for gpudoc to run.
    Nothing,
    /// Somebody said no.
    Declined,
    /// Somebody asked to stop: nothing is changed.
    Stopped(Exit),
    /// A command failed: nothing is changed.
    Failed,
    /// It was no better: nothing is changed.
    NoBetter,
    /// It is better; whether nothing fails any more.
    Better {
        /// Nothing fails any more.
        sound: bool,
    },
}

impl Ended {
    /// The exit code of it: 0 where nothing fails any more.
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Self::Stopped(exit) => exit,
            Self::Better { sound } => Exit::ok_if(sound),
            Self::Nothing | Self::Declined | Self::Failed | Self::NoBetter => Exit::Failed,
        }
    }
}

/// Carries the commands of a plan out. `before` is what the place was like.
///
/// # Errors
///
/// What the place cannot do; everything is taken back then.
pub fn carry_out(before: &Judged, plan: &Plan, calls: &[Call], place: &mut dyn Place) -> anyhow::Result<Ended> {
    if calls.is_empty() {
        return Ok(Ended::Nothing);
    }
    if !place.begin()? {
        return Ok(Ended::Declined);
    }
    let stopped = |place: &dyn Place| Ended::Stopped(place.stop().unwrap_or(Exit::Failed));
    if !place.prepare()? {
        return Ok(stopped(place));
    }
    for (at, call) in calls.iter().enumerate() {
        match place.run(at, call) {
            Ok(Ran::Well) => {}
            Ok(Ran::Badly) => {
                place.take_back(Why::Failed)?;
                return Ok(Ended::Failed);
            }
            Ok(Ran::Stopped) => {
                place.take_back(Why::Stopped)?;
                return Ok(stopped(place));
            }
            Err(error) => {
                place.take_back(Why::Error)?;
                return Err(error);
            }
        }
    }
    let after = match place.check() {
        Ok(after) => after,
        Err(error) => {
            place.take_back(Why::Error)?;
            return Err(error);
        }
    };
    let outcome = Outcome::of(before, &after, plan, calls);
    let kept = outcome.better && place.stop().is_none();
    place.tell(&outcome, kept)?;
    if kept {
        place.keep()?;
        return Ok(Ended::Better { sound: outcome.sound });
    }
    place.take_back(Why::NoBetter)?;
    Ok(place.stop().map_or(Ended::NoBetter, Ended::Stopped))
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;
    use crate::fix::aim::Installer;
    use crate::session::fix::tests::{plan, with_torch};

    /// A place that writes down what is done to it.
    struct Made {
        done: Vec<String>,
        agrees: bool,
        prepares: bool,
        /// How each command ends; none where it cannot be started.
        runs: Vec<Option<Ran>>,
        /// The torch that is there afterwards; none where nothing can be checked.
        after: Option<&'static str>,
        /// What after which somebody asks to stop.
        stops_after: &'static str,
    }

    impl Default for Made {
        fn default() -> Self {
            let runs = vec![Some(Ran::Well), Some(Ran::Well)];
            Self {
                done: Vec::new(),
                agrees: true,
                prepares: true,
                runs,
                after: Some("2.7.1+cu128"),
                stops_after: "nothing",
            }
        }
    }

    impl Place for Made {
        fn begin(&mut self) -> anyhow::Result<bool> {
            self.done.push("begin".to_owned());
            Ok(self.agrees)
        }
        fn prepare(&mut self) -> anyhow::Result<bool> {
            self.done.push("prepare".to_owned());
            Ok(self.prepares)
        }
        fn run(&mut self, at: usize, call: &Call) -> anyhow::Result<Ran> {
            self.done.push(format!("run {at} {}", call.argv.join(" ")));
            self.runs.get(at).copied().flatten().ok_or_else(|| anyhow::anyhow!("no such program"))
        }
        fn check(&mut self) -> anyhow::Result<Judged> {
            self.done.push("check".to_owned());
            self.after.map_or_else(|| bail!("no environment"), |version| Ok(with_torch(version)))
        }
        fn tell(&mut self, outcome: &Outcome, kept: bool) -> anyhow::Result<()> {
            let better = if outcome.better { "better" } else { "no better" };
            self.done.push(format!("tell {better}, {}", if kept { "kept" } else { "restored" }));
            Ok(())
        }
        fn take_back(&mut self, why: Why) -> anyhow::Result<()> {
            self.done.push(format!("take back: {why:?}"));
            Ok(())
        }
        fn keep(&mut self) -> anyhow::Result<()> {
            self.done.push("keep".to_owned());
            Ok(())
        }
        fn stop(&self) -> Option<Exit> {
            let asked = self.done.iter().any(|done| done.starts_with(self.stops_after));
            asked.then_some(Exit::Interrupted)
        }
    }

    /// Carries a plan for a torch that runs on the GPU out, in two commands; what was done, in order, and how it ended.
    fn carried(mut place: Made) -> (String, Result<Ended, String>) {
        let call = |word: &str| Call {
            argv: vec!["pip".to_owned(), word.to_owned()],
            variables: Vec::new(),
            installer: Installer::Pip,
        };
        let calls = [call("first"), call("second")];
        let before = with_torch("2.7.1+cu126");
        let ended = carry_out(&before, &plan("torch==2.7.1+cu128"), &calls, &mut place);
        (place.done.join("; "), ended.map_err(|error| error.to_string()))
    }

    const BEGUN: &str = "begin; prepare; run 0 pip first";
    const RUN: &str = "begin; prepare; run 0 pip first; run 1 pip second; check";

    #[test]
    fn what_is_better_is_kept_and_what_is_not_is_taken_back() {
        let (done, ended) = carried(Made::default());
        assert_eq!(done, format!("{RUN}; tell better, kept; keep"));
        assert!(matches!(ended, Ok(Ended::Better { .. })), "{ended:?}");
        let (done, ended) = carried(Made { after: Some("2.7.1+cu126"), ..Made::default() });
        assert_eq!(done, format!("{RUN}; tell no better, restored; take back: NoBetter"));
        assert_eq!(ended, Ok(Ended::NoBetter));
    }

    #[test]
    fn what_fails_on_the_way_is_taken_back_and_nothing_more_is_run() {
        let (done, ended) = carried(Made { runs: vec![Some(Ran::Badly)], ..Made::default() });
        assert_eq!((done, ended), (format!("{BEGUN}; take back: Failed"), Ok(Ended::Failed)));
        let (done, ended) = carried(Made { runs: vec![None], ..Made::default() });
        assert_eq!((done, ended), (format!("{BEGUN}; take back: Error"), Err("no such program".to_owned())));
        let (done, ended) = carried(Made { after: None, ..Made::default() });
        assert_eq!((done, ended), (format!("{RUN}; take back: Error"), Err("no environment".to_owned())));
    }

    #[test]
    fn whoever_says_no_or_stops_finds_everything_as_it_was() {
        let (done, ended) = carried(Made { agrees: false, ..Made::default() });
        assert_eq!((done.as_str(), ended), ("begin", Ok(Ended::Declined)));
        let stopped = Ok(Ended::Stopped(Exit::Interrupted));
        let (done, ended) = carried(Made { prepares: false, stops_after: "prepare", ..Made::default() });
        assert_eq!((done.as_str(), ended), ("begin; prepare", stopped.clone()));
        let (done, ended) = carried(Made { runs: vec![Some(Ran::Stopped)], stops_after: "run 0", ..Made::default() });
        assert_eq!((done, ended), (format!("{BEGUN}; take back: Stopped"), stopped.clone()));
        // Also at the last moment, and though it is better.
        let (done, ended) = carried(Made { stops_after: "check", ..Made::default() });
        assert_eq!((done, ended), (format!("{RUN}; tell better, restored; take back: NoBetter"), stopped));
    }

    #[test]
    fn a_plan_without_a_command_for_gpudoc_begins_nothing() {
        let mut place = Made::default();
        let ended = carry_out(&with_torch("2.7.1+cu126"), &plan("torch"), &[], &mut place);
        assert_eq!((ended.map_err(|error| error.to_string()), place.done.len()), (Ok(Ended::Nothing), 0));
        let codes = [Ended::Nothing, Ended::Declined, Ended::Better { sound: false }, Ended::Better { sound: true }];
        assert_eq!(codes.map(|ended| ended.exit() as u8), [1, 1, 1, 0]);
    }
}
