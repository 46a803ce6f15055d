//! Does a pasted report say one thing in two ways?

use crate::check::Context;
use crate::facts::Contradiction;
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::step::Step;

rule! {
    /// A report names a fact in two ways.
    ///
    /// Two parts of a pasted report give different versions, so it mixes two environments or two moments. Known from
    /// the lines of the report. Judge one environment by itself: run `gpudoc check` in it, or post the output of one
    /// command.
    pub CONTRADICTION = "pairing/contradiction-{fact}": Pairing, Warn, since "0.1.0", judged on [Report], by findings;
}

/// One finding for each thing that a report says in two ways; the checks went by the stronger of both.
pub fn findings(context: &Context<'_>) -> Vec<Finding> {
    let contradictions = context.facts.pasted.iter().flat_map(|pasted| &pasted.contradictions);
    contradictions.map(finding).collect()
}

fn finding(contradiction: &Contradiction) -> Finding {
    let Contradiction { what, used, other } = contradiction;
    let said = |(value, place): &(String, String), role: &str| {
        Evidence::metadata(what.clone(), format!("{value} ({role})")).cited(place.clone())
    };
    CONTRADICTION
        .found(&[&what.to_lowercase()], format!("the report shows two versions of {what}: {} and {}", used.0, other.0))
        .message(
            "Two environments are mixed in it, or one changed in between: a list that was taken with another \
             interpreter than the failing one says nothing about the failure. The checks went by the first.",
        )
        .packages([what.to_lowercase()])
        .evidence([said(used, "used"), said(other, "not used")])
        .remedies([Remedy::new(
            "Take the report again with the interpreter that fails",
            Step::fixed("python -m torch.utils.collect_env && python -m pip list"),
        )])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn a_report_names_torch_in_two_ways() {
        let said = |version: &str, place: &str| (version.to_owned(), place.to_owned());
        let (used, other) = (said("2.6.0", "line 3"), said("2.5.1", "line 40"));
        let contradiction = Contradiction { what: "torch".to_owned(), used, other };
        let of = |contradictions| {
            Case::report()
                .with(|facts| facts.pasted.get_or_insert_default().contradictions = contradictions)
                .found(&CONTRADICTION)
        };
        assert_eq!(
            of(vec![contradiction]),
            ["pairing/contradiction-torch: the report shows two versions of torch: 2.6.0 and 2.5.1"]
        );
        assert!(of(Vec::new()).is_empty());
    }
}
