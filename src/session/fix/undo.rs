//! What `gpudoc fix --apply` did last to an environment, taken back.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::exit::Exit;

/// What is remembered of an environment.
pub trait Memory {
    /// Whether a plan was ever applied there.
    fn exists(&self) -> bool;

    /// Looks the last one up, which nobody else may change from then on.
    ///
    /// # Errors
    ///
    /// When somebody else changes the environment, or what is remembered is damaged.
    fn last(&mut self) -> anyhow::Result<Last>;

    /// Forgets what was taken back.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    fn forget(&mut self) -> anyhow::Result<()>;

    /// The distributions that somebody changed since.
    ///
    /// # Errors
    ///
    /// When the environment cannot be read.
    fn changed_since(&mut self) -> anyhow::Result<Vec<String>>;

    /// Whether these are to be taken back as well.
    ///
    /// # Errors
    ///
    /// When nobody can be asked.
    fn agrees(&mut self, since: &[String]) -> anyhow::Result<bool>;

    /// Takes the environment back.
    ///
    /// # Errors
    ///
    /// When not all files are back.
    fn restore(&mut self) -> anyhow::Result<()>;
}

/// What was done last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// Nothing was changed.
    Nothing,
    /// A plan was applied, or begun.
    Applied,
    /// It was taken back already.
    TakenBack,
}

/// What taking it back came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// No plan was ever applied there.
    Never,
    /// Nothing was changed.
    Nothing,
    /// It was taken back already.
    Already,
    /// Somebody said no.
    Declined,
    /// It is as it was before.
    Restored,
}

impl Undone {
    /// The exit code of it.
    #[must_use]
    pub fn exit(self) -> Exit {
        Exit::ok_if(self != Self::Declined)
    }
}

/// Takes back what was done last. What was changed since goes with it, if whoever is asked agrees.
///
/// # Errors
///
/// What the memory cannot do.
pub fn undo(memory: &mut dyn Memory) -> anyhow::Result<Undone> {
    if !memory.exists() {
        return Ok(Undone::Never);
    }
    match memory.last()? {
        Last::Nothing => return Ok(Undone::Nothing),
        Last::TakenBack => {
            memory.forget()?;
            return Ok(Undone::Already);
        }
        Last::Applied => {}
    }
    let since = memory.changed_since()?;
    if !since.is_empty() && !memory.agrees(&since)? {
        return Ok(Undone::Declined);
    }
    memory.restore()?;
    Ok(Undone::Restored)
}

/// Refuses to apply a plan over one that was cut short.
///
/// # Errors
///
/// When it was; the error says what to do first.
pub fn may_begin(cut_short: bool) -> anyhow::Result<()> {
    if cut_short {
        bail!("the last `gpudoc fix --apply` was cut short: take it back first with `gpudoc fix --undo`");
    }
    Ok(())
}

/// The environment whose memory is meant, without looking for a Python: an installer that was stopped may have taken it away.
/// `python` is the environment that somebody names, or its Python; `active` those that the shell is in.
#[must_use]
pub fn remembered(
    python: Option<&Path>,
    active: impl IntoIterator<Item = PathBuf>,
    has_memory: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let named = match python {
        Some(path) => vec![path.to_owned(), path.join("../..")],
        None => active.into_iter().collect(),
    };
    named.into_iter().find(|path| has_memory(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A memory that writes down what is asked of it.
    struct Made {
        last: Option<Last>,
        since: &'static [&'static str],
        agrees: bool,
        done: Vec<&'static str>,
    }

    impl Memory for Made {
        fn exists(&self) -> bool {
            self.last.is_some()
        }
        fn last(&mut self) -> anyhow::Result<Last> {
            self.last.ok_or_else(|| anyhow::anyhow!("nobody asks"))
        }
        fn forget(&mut self) -> anyhow::Result<()> {
            self.done.push("forget");
            Ok(())
        }
        fn changed_since(&mut self) -> anyhow::Result<Vec<String>> {
            Ok(self.since.iter().map(|&name| name.to_owned()).collect())
        }
        fn agrees(&mut self, since: &[String]) -> anyhow::Result<bool> {
            assert_eq!(since, self.since);
            self.done.push("ask");
            Ok(self.agrees)
        }
        fn restore(&mut self) -> anyhow::Result<()> {
            self.done.push("restore");
            Ok(())
        }
    }

    #[test]
    fn each_past_ends_in_its_way() {
        for (last, since, agrees, ended, done) in [
            (None, &[][..], true, Undone::Never, ""),
            (Some(Last::Nothing), &[], true, Undone::Nothing, ""),
            (Some(Last::TakenBack), &["numpy"], true, Undone::Already, "forget"),
            (Some(Last::Applied), &[], false, Undone::Restored, "restore"),
            (Some(Last::Applied), &["numpy"], true, Undone::Restored, "ask restore"),
            (Some(Last::Applied), &["numpy"], false, Undone::Declined, "ask"),
        ] {
            let mut memory = Made { last, since, agrees, done: Vec::new() };
            let undone = undo(&mut memory).expect("nothing fails here");
            assert_eq!((undone, memory.done.join(" ").as_str()), (ended, done), "{last:?} {since:?}");
            assert_eq!(undone.exit() as u8, u8::from(ended == Undone::Declined));
        }
        assert!(may_begin(false).is_ok() && may_begin(true).is_err());
    }

    #[test]
    fn an_environment_is_found_by_its_folder_by_its_python_and_by_the_shell() {
        let found = |python: Option<&str>, memory: &str| {
            let active = [PathBuf::from("/none"), PathBuf::from("/venv")];
            remembered(python.map(Path::new), active, |path| path == Path::new(memory))
        };
        assert_eq!(found(None, "/venv"), Some(PathBuf::from("/venv")));
        assert_eq!(found(Some("/venv"), "/venv"), Some(PathBuf::from("/venv")));
        assert_eq!(found(Some("/venv/bin/python"), "/venv/bin/python/../.."), Some("/venv/bin/python/../..".into()));
        assert_eq!(found(Some("/other"), "/venv"), None, "the one that is named, not the one of the shell");
    }
}
