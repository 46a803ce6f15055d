use serde::{Deserialize, Serialize};

/// What a fact may be where only a part of it is told: `driver 535` is some driver of that branch, `torch 2.5` one of two
/// releases, `compute capability 7.x` one of three.
///
/// What holds of every member holds of the fact, and what holds of some only is not known: [`Self::judge`]. Of a range the
/// members are its two ends, so that only questions of older or newer may be asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw<T>")]
#[serde(bound(deserialize = "T: Deserialize<'de> + PartialEq"))]
pub struct Part<T> {
    /// As it was said, e.g. `535`, `2.5+cu124`.
    said: String,
    /// What it may be, each once; never none.
    among: Vec<T>,
}

/// As a snapshot has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw<T> {
    said: String,
    among: Vec<T>,
}

impl<T: PartialEq> TryFrom<Raw<T>> for Part<T> {
    type Error = String;

    fn try_from(raw: Raw<T>) -> Result<Self, String> {
        Self::new(raw.said, raw.among).ok_or_else(|| "a fact in part that may be nothing".to_owned())
    }
}

impl<T: PartialEq> Part<T> {
    /// One of some values; none where there are none. What is there twice is kept once.
    #[must_use]
    pub fn new(said: impl Into<String>, among: impl IntoIterator<Item = T>) -> Option<Self> {
        let mut members: Vec<T> = Vec::new();
        for member in among {
            if !members.contains(&member) {
                members.push(member);
            }
        }
        (!members.is_empty()).then(|| Self { said: said.into(), among: members })
    }
}

impl<T> Part<T> {
    /// As it was said, e.g. `535`.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }

    /// What it may be; at least one.
    #[must_use]
    pub fn among(&self) -> &[T] {
        &self.among
    }

    /// The same of something that goes with each value.
    #[must_use]
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Part<U> {
        Part { said: self.said, among: self.among.into_iter().map(change).collect() }
    }

    /// Whether something holds: of all members, of none, or (none) not known, because it holds of some or is not known of one.
    pub fn judge(&self, mut holds: impl FnMut(&T) -> Option<bool>) -> Option<bool> {
        let mut answers = self.among.iter().map(&mut holds);
        let first = answers.next()??;
        answers.all(|answer| answer == Some(first)).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_holds_of_every_release_holds_of_their_line() {
        let torch = Part::new("2.5", ["2.5.0", "2.5.1", "2.5.0"]).expect("two members");
        assert_eq!((torch.said(), torch.among()), ("2.5", ["2.5.0", "2.5.1"].as_slice()));
        assert_eq!(torch.judge(|version| Some(version.starts_with("2.5"))), Some(true));
        assert_eq!(torch.judge(|version| Some(version.starts_with("2.6"))), Some(false));
        assert_eq!(torch.judge(|version| Some(*version == "2.5.1")), None);
        assert_eq!(Part::<u32>::new("nothing", []), None);
    }

    #[test]
    fn a_snapshot_with_no_members_is_refused() {
        let text = r#"{"said":"535","among":[535,536]}"#;
        let part: Part<u32> = serde_json::from_str(text).expect("two members");
        assert_eq!(serde_json::to_string(&part).expect("it serialises"), text);
        assert!(serde_json::from_str::<Part<u32>>(r#"{"said":"535","among":[]}"#).is_err());
    }

    proptest! {
        /// Said of each member one by one, the answer is the same; and who knows more of the fact never gets another answer.
        #[test]
        fn an_answer_is_that_of_every_member(answers in prop::collection::vec(prop::option::of(any::<bool>()), 1..6), gone: prop::sample::Index) {
            let part = Part::new("some", 0..answers.len()).expect("there is one");
            let judged = part.judge(|member| answers[*member]);
            let expected = match () {
                () if answers.iter().all(|answer| *answer == Some(true)) => Some(true),
                () if answers.iter().all(|answer| *answer == Some(false)) => Some(false),
                () => None,
            };
            prop_assert_eq!(judged, expected);
            let gone = gone.index(answers.len());
            if let (Some(known), Some(less)) = (judged, Part::new("some", (0..answers.len()).filter(|it| *it != gone))) {
                prop_assert_eq!(less.judge(|member| answers[*member]), Some(known));
            }
        }
    }
}
