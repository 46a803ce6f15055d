//! What the rules tell of error messages: which are known, which occur in a text, and whether one stopped something.

use super::db::RuleDb;
use crate::rules::judge::symptom::Heard;
use crate::rules::schema::{Level, Symptom};

impl RuleDb {
    /// The error messages that are known.
    #[must_use]
    pub fn symptoms(&self) -> &[Symptom] {
        &self.packed.symptoms
    }

    /// The message of an id, e.g. `pip-conflict`.
    #[must_use]
    pub fn symptom(&self, id: &str) -> Option<&Symptom> {
        self.symptoms().iter().find(|symptom| symptom.id == id)
    }

    /// The known error messages that occur in a text, and those that advisories quote.
    #[must_use]
    pub fn heard_in(&self, text: &str) -> Heard<'_> {
        if text.is_empty() {
            return Heard::default();
        }
        self.matcher.find(&self.packed.symptoms, &self.quotes(), text)
    }

    /// Gets ready for [`Self::heard_in`], to be done while a text is still being read.
    pub fn prepare_to_hear(&self) {
        self.matcher.build(&self.packed.symptoms, &self.quotes());
    }

    /// The messages that advisories quote.
    fn quotes(&self) -> Vec<&str> {
        self.advisories().flat_map(|advisory| advisory.symptoms.iter().map(String::as_str)).collect()
    }

    /// Whether a message tells of something that failed: by its row, or by the line in which it stands.
    #[must_use]
    pub fn failed(&self, symptom: &Symptom, line: &str) -> bool {
        let by_row = symptom.severity == Level::Warn && !symptom.goes_on;
        by_row || symptom.severity != Level::Info && self.stops(line)
    }

    /// Whether a line tells of something that stopped: an exception of Python's, a compiler that gave up, a library that the loader
    /// refused. What went wrong is certain then, whatever it comes from.
    #[must_use]
    pub fn stops(&self, line: &str) -> bool {
        let exception = line.match_indices("Error: ").any(|(at, _)| {
            line.get(..at).and_then(|before| before.chars().last()).is_some_and(|letter| letter.is_ascii_alphabetic())
        });
        exception || self.packed.stops.iter().any(|words| line.contains(words.as_str()))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_exception_stops_and_a_warning_does_not() {
        let db = crate::rules::store::embedded();
        assert!(db.stops("libcudnn.so.9: cannot open shared object file") && db.stops("a.so: undefined symbol: f"));
        assert!(!db.stops("libcudnn.so.9: opened") && !db.stops("no symbol"));
        assert!(db.stops("RuntimeError: No CUDA GPUs are available"));
        assert!(!db.stops("UserWarning: Failed to load image Python extension"));
        assert!(!db.stops("NCCL WARN Error: no more memory"));
    }
}
