//! What was said of one thing, in how sure a way, and which of it counts.

use crate::facts::Reading;

/// How sure a statement is, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The running program, or the driver, said it.
    Running,
    /// A list of what is installed, from whatever interpreter.
    Listed,
    /// Somebody's words.
    Told,
    /// A command that was to install it, or has removed it.
    Asked,
    /// Somebody's words of another machine, or of what was there before.
    Aside,
}

/// One value with its rank and place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said<T> {
    pub(super) value: T,
    pub(super) rank: Rank,
    pub(super) place: String,
}

/// All that was said of one thing.
#[derive(Debug, Clone)]
pub struct Statements<T>(pub Vec<Said<T>>);

impl<T> Default for Statements<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Statements<String> {
    /// Takes out what another statement says in more words: `Ubuntu 24.04` beside `Ubuntu 24.04.2 LTS`.
    pub(super) fn without_parts(mut self) -> Self {
        let all: Vec<String> = self.0.iter().map(|said| said.value.clone()).collect();
        self.0.retain(|said| !all.iter().any(|other| other != &said.value && other.starts_with(&said.value)));
        self
    }
}

impl<T: PartialEq + Clone> Statements<T> {
    /// Adds one, unless it was said before.
    pub fn add(&mut self, value: T, rank: Rank, place: impl Into<String>) {
        // Enough to find a contradiction; hostile texts repeat themselves.
        if self.0.len() < 64 && !self.0.iter().any(|said| said.value == value && said.rank <= rank) {
            self.0.push(Said { value, rank, place: place.into() });
        }
    }

    /// The strongest; of equally strong ones the first. People's words that disagree with each other tell nothing.
    pub(super) fn best(&self) -> Option<&Said<T>> {
        let best = self.0.iter().min_by_key(|said| said.rank)?;
        let disputed =
            best.rank >= Rank::Told && self.0.iter().any(|said| said.rank == best.rank && said.value != best.value);
        (!disputed).then_some(best)
    }

    pub(super) fn reading(&self) -> Reading<T> {
        self.best().map_or(Reading::Unknown, |said| Reading::told(said.value.clone(), said.place.clone()))
    }

    /// The best and another one that programs stated too.
    pub(super) fn dispute(&self) -> Option<(&Said<T>, &Said<T>)> {
        let best = self.best()?;
        let other = self.0.iter().find(|said| said.rank <= Rank::Listed && said.value != best.value)?;
        Some((best, other))
    }
}

/// Whether two versions of one distribution cannot be the same build.
pub(super) fn differ(one: &str, other: &str) -> bool {
    // Most do in a byte before any label, and need not be taken apart.
    let first = one.bytes().zip(other.bytes()).find(|(one, other)| one != other || *one == b'+');
    if first.is_some_and(|(one, other)| one != b'+' && other != b'+') {
        return true;
    }
    public(one) != public(other)
        || matches!((one.split_once('+'), other.split_once('+')), (Some((_, one)), Some((_, other))) if one != other)
}

pub fn public(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}
