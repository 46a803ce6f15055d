//! How old are the rules? What came out since is not in them.

use crate::text;

/// From so many days on it is mentioned.
const MENTIONED: u64 = 30;
/// And from so many on warned of: torch has a release every two months.
const WARNED: u64 = 90;

/// The age of rules on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Age {
    /// The day of their newest row, e.g. `2026-11-21`.
    pub day: String,
    /// How many days ago that was; none where either day is not known.
    pub days: Option<u64>,
}

impl Age {
    /// Compares the day of the newest row with today, e.g. `2026-11-21` and `2026-12-24`.
    #[must_use]
    pub fn on(newest: &str, today: &str) -> Self {
        let days = text::days(today).zip(text::days(newest)).map(|(today, newest)| today.saturating_sub(newest));
        Self { day: newest.to_owned(), days }
    }

    /// What a report says of it at its end; none for rules that are new.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let days = self.days.filter(|days| *days > MENTIONED)?;
        let warning = if days > WARNED { "warning: " } else { "" };
        Some(format!("{warning}the rules are {days} days old; `gpudoc rules update` gets newer ones"))
    }

    /// Why rules are too old for a limit in days; none where they are not.
    #[must_use]
    pub fn beyond(&self, limit: u64) -> Option<String> {
        match self.days {
            Some(days) if days <= limit => None,
            Some(days) => {
                Some(format!("`--max-rules-age {limit}`: the newest row is of {}, {days} days ago", self.day))
            }
            None => Some(format!("`--max-rules-age {limit}`: how old the rules are is not known")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_mentioned_after_a_month_and_warned_of_after_a_quarter() {
        let notice = |today| Age::on("2026-11-21", today).notice();
        assert_eq!(notice("2026-12-21"), None, "30 days");
        let text = "the rules are 31 days old; `gpudoc rules update` gets newer ones";
        assert_eq!(notice("2026-12-22").as_deref(), Some(text));
        assert!(notice("2027-02-20").is_some_and(|text| text.starts_with("warning: the rules are 91 days old")));
        assert_eq!(notice("2026-11-01"), None, "a clock that is wrong");
    }

    #[test]
    fn a_limit_is_what_somebody_asked_for() {
        let age = Age::on("2026-11-21", "2026-12-24");
        assert_eq!(age.beyond(33), None);
        let text = "`--max-rules-age 32`: the newest row is of 2026-11-21, 33 days ago";
        assert_eq!(age.beyond(32).as_deref(), Some(text));
        assert!(Age::on("2026-11-21", "").beyond(32).is_some(), "not known is not new");
    }
}
