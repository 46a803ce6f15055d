//! Is anything installed that is newer than the rules?

use crate::check::{Context, Installed};
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::step::Step;

rule! {
    /// An installed release is newer than the rules.
    ///
    /// What its files show is judged; what only the rules could tell is not known. Known from the newest release in the
    /// rules. Run `gpudoc rules update`.
    pub NEWER = "rules/newer": Advisory, Info, since "0.1.0", judged on [Distributions];
}

/// Names the installed releases that came out after the newest that the rules know of their package.
pub fn findings(context: &Context<'_>) -> Option<Finding> {
    let newer: Vec<(&Installed<'_>, String)> = context.stack.installed.iter().filter_map(of).collect();
    let (first, _) = newer.first()?;
    let more = match newer.len() - 1 {
        0 => String::new(),
        1 => ", and so is one other release".to_owned(),
        more => format!(", and so are {more} other releases"),
    };
    let mut packages: Vec<String> = newer.iter().map(|(installed, _)| installed.name().to_owned()).collect();
    packages.sort();
    Some(
        NEWER
            .found(&[], format!("{} is newer than the rules{more}", first.title()))
            .message("What its files and metadata say is judged; what only the rules would tell is not known.")
            .packages(packages)
            .evidence(newer.iter().map(|(installed, last)| {
                Evidence::rule(installed.name().to_owned(), installed.distribution.full_version().to_owned())
                    .required(format!("{last} or older, to be known"))
                    .cited(format!("the rules of {}", context.db.newest()))
            }))
            .remedies([Remedy::new("Get newer rules", Step::fixed("gpudoc rules update"))]),
    )
}

/// A release beyond the last of its package, and that last one.
fn of<'a>(installed: &'a Installed<'a>) -> Option<(&'a Installed<'a>, String)> {
    let version = installed.version.as_ref()?;
    let last = &installed.package?.releases.last()?.version;
    (version.clone().without_local() > *last).then(|| (installed, last.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;
    use crate::rules::embedded;

    #[test]
    fn a_release_from_after_the_rules_is_named() {
        let last = &embedded().package("torch").expect("torch").releases.last().expect("a release").version;
        let of = |version: &str| Case::host().installed("torch", version).found(&NEWER);
        assert_eq!(of("99.0+cu999"), ["rules/newer: torch 99.0+cu999 is newer than the rules"]);
        assert!(of(&last.to_string()).is_empty());
    }
}
