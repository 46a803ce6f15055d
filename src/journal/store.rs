//! The journal on disk: there in whole or not at all, and with each stage written before what it announces begins.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::difference::changed_names;
use super::entry::Entry;
use super::keep::{Writes, keep};
use super::listing::{list, list_also, roots_of};
use super::restore::{Restored, restore};
use super::scope::Sort;
use super::{FOLDER, JournalError, at};

/// The name and version of the format.
const SCHEMA: &str = "gpudoc.journal/1";

/// How far it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// All is put aside; nothing was changed.
    Prepared,
    /// A command runs, by its number from 0; or ran, when gpudoc was killed.
    Running(usize),
    /// All commands ran, and it was better: kept.
    Done,
    /// The files are back.
    Restored,
}

/// What it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The plan's sentence, e.g. `Install torch 2.7.1+cu128`.
    pub summary: String,
    /// Its commands.
    pub commands: Vec<Vec<String>>,
    /// The day, e.g. `2026-11-30`.
    pub day: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct State {
    schema: String,
    stage: Stage,
    sort: Sort,
    about: About,
}

/// The journal of an environment.
#[derive(Debug)]
pub struct Journal {
    prefix: PathBuf,
    state: State,
}

impl Journal {
    /// Puts all aside that an installer may change; the journal before this one goes.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or there is no room; nothing was changed then, and nothing is left.
    pub fn prepare(
        prefix: &Path,
        sort: Sort,
        writes: Writes,
        about: About,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Self, JournalError> {
        let home = prefix.join(FOLDER);
        let draft = home.join("journal.new");
        remove_all(&draft)?;
        let made = (|| {
            let files = draft.join("files");
            fs::create_dir_all(&files).map_err(at("create", &files))?;
            let entries = keep(prefix, &files, &list(prefix, sort)?, writes, stop)?;
            let manifest = draft.join("manifest");
            write_whole(&manifest, &packed(&entries, &manifest)?)?;
            let state = State { schema: SCHEMA.to_owned(), stage: Stage::Prepared, sort, about };
            write_state(&draft, &state)?;
            // The copies too, not only their names: the power may fail while the installer runs.
            sync_all(&draft)?;
            Ok(state)
        })();
        let state = match made {
            Ok(state) => state,
            Err(error) => {
                let _ = remove_all(&draft);
                return Err(error);
            }
        };
        let (journal, old) = (home.join("journal"), home.join("journal.old"));
        remove_all(&old)?;
        if journal.exists() {
            fs::rename(&journal, &old).map_err(at("rename", &journal))?;
        }
        fs::rename(&draft, &journal).map_err(at("rename", &draft))?;
        sync_folder(&home)?;
        remove_all(&old)?;
        Ok(Self { prefix: prefix.to_owned(), state })
    }

    /// The last journal of an environment; none where there is none. What a killed program left half made is removed.
    ///
    /// # Errors
    ///
    /// When there is one that cannot be read.
    pub fn last(prefix: &Path) -> Result<Option<Self>, JournalError> {
        let home = prefix.join(FOLDER);
        let (journal, old) = (home.join("journal"), home.join("journal.old"));
        remove_all(&home.join("journal.new"))?;
        if !journal.exists() && old.exists() {
            fs::rename(&old, &journal).map_err(at("rename", &old))?;
        }
        remove_all(&old)?;
        let path = journal.join("state.json");
        let text = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(at("read", &path))?,
        };
        let damaged = |error: String| JournalError::Damaged { path: path.clone(), error };
        let state: State = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if state.schema != SCHEMA {
            return Err(damaged(format!("it is {}, not {SCHEMA}", state.schema)));
        }
        Ok(Some(Self { prefix: prefix.to_owned(), state }))
    }

    /// How far it went.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.state.stage
    }

    /// What it is about.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.state.about
    }

    /// Where it lies.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.prefix.join(FOLDER).join("journal")
    }

    /// Writes down a stage before what it announces.
    ///
    /// # Errors
    ///
    /// When it cannot be written: then it must not begin.
    pub fn reach(&mut self, stage: Stage) -> Result<(), JournalError> {
        self.state.stage = stage;
        write_state(&self.folder(), &self.state)
    }

    /// Remembers what the environment is after the commands, to tell later what was changed since.
    ///
    /// # Errors
    ///
    /// When a folder cannot be read, or the list not be written.
    pub fn finish(&mut self) -> Result<(), JournalError> {
        let after = self.folder().join("after");
        write_whole(&after, &packed(&self.entries_now()?, &after)?)?;
        self.reach(Stage::Done)
    }

    /// The names of what was changed in the environment since [`Self::finish`], e.g. `numpy`; empty where that was not reached.
    ///
    /// # Errors
    ///
    /// When a folder cannot be read.
    pub fn changed_since(&self) -> Result<Vec<String>, JournalError> {
        if self.stage() != Stage::Done {
            return Ok(Vec::new());
        }
        Ok(changed_names(&read_entries(&self.folder().join("after"))?, &self.entries_now()?))
    }

    /// Takes the environment back to what it was.
    ///
    /// # Errors
    ///
    /// When a path cannot be written; it can be done again then.
    pub fn restore(&mut self) -> Result<Restored, JournalError> {
        let files = self.folder().join("files");
        let restored = restore(&self.prefix, self.state.sort, &files, &self.entries()?)?;
        if restored.lost.is_empty() {
            // What was put back has to be on the disk before its copy goes.
            sync_all(&self.prefix)?;
            self.reach(Stage::Restored)?;
            self.forget()?;
        }
        Ok(restored)
    }

    /// Removes the copies.
    ///
    /// # Errors
    ///
    /// When a file cannot be removed.
    pub fn forget(&self) -> Result<(), JournalError> {
        remove_all(&self.folder().join("files"))
    }

    fn entries(&self) -> Result<Vec<Entry>, JournalError> {
        read_entries(&self.folder().join("manifest"))
    }

    fn entries_now(&self) -> Result<Vec<Entry>, JournalError> {
        list_also(&self.prefix, self.state.sort, &roots_of(&self.entries()?))
    }
}

fn packed(entries: &[Entry], path: &Path) -> Result<Vec<u8>, JournalError> {
    let damaged = |error: postcard::Error| JournalError::Damaged { path: path.to_owned(), error: error.to_string() };
    postcard::to_stdvec(entries).map_err(damaged)
}

fn read_entries(path: &Path) -> Result<Vec<Entry>, JournalError> {
    let bytes = fs::read(path).map_err(at("read", path))?;
    let damaged = |error: postcard::Error| JournalError::Damaged { path: path.to_owned(), error: error.to_string() };
    postcard::from_bytes(&bytes).map_err(damaged)
}

fn write_state(folder: &Path, state: &State) -> Result<(), JournalError> {
    let path = folder.join("state.json");
    let text = serde_json::to_vec_pretty(state);
    write_whole(&path, &text.map_err(|error| at("write", &path)(error.into()))?)
}

/// Writes a file so that after a loss of power it is the old one or the new one.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
    let draft = path.with_extension("part");
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&draft, path)).map_err(at("write", path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at("write", folder))
}

/// Everything that was written to the file system of a folder.
fn sync_all(folder: &Path) -> Result<(), JournalError> {
    #[cfg(target_os = "linux")]
    {
        let open = File::open(folder).map_err(at("open", folder))?;
        rustix::fs::syncfs(&open).map_err(|error| at("write", folder)(error.into()))
    }
    #[cfg(not(target_os = "linux"))]
    sync_folder(folder)
}

fn remove_all(folder: &Path) -> Result<(), JournalError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at("remove", folder)(error)),
        _ => Ok(()),
    }
}
