//! Does a package need another release of its partner?

use super::by_rule;
use crate::check::{Context, Installed, Installer};
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::rules::model::{Agreement, Partner, Release};
use crate::rules::partner::wanted_by;
use crate::rules::role::is_runtime_wheel;

rule! {
    /// A package needs another release of its partner.
    ///
    /// Some pairs are bound without a declaration: torchvision and torch, jaxlib and its plugin. Known from the partner
    /// rows of the rules, each read from wheels. Install the releases that belong together.
    pub OTHER_PARTNER = "pairing/{package}": Pairing, Fail, since "0.1.0", judged on [Distributions, Builds];
}

/// A partner of a release that does not go with this one.
pub fn finding(
    context: &Context<'_>,
    installed: &Installed<'_>,
    partner: &Installed<'_>,
    (rule, row): (&Partner, Option<&Release>),
) -> Finding {
    let (own, theirs) = (installed.distribution.full_version(), partner.distribution.full_version());
    let wanted = match &rule.agreement {
        Agreement::Extra(extra) => {
            let ranges = wanted_by(row, extra, &rule.with);
            ranges.iter().map(|range| range.to_string().replace(' ', "")).collect::<Vec<_>>().join(",")
        }
        _ => own.to_owned(),
    };
    let named = |of: &Installed<'_>, required: Option<&str>| {
        Evidence::metadata(of.name().to_owned(), of.distribution.full_version().to_owned())
            .required(required.map(str::to_owned))
            .cited(of.distribution.version.source().map(|source| source.place().to_owned()))
    };
    // NVIDIA's wheels the solver leaves to what needs them.
    let remedy = Some(format!("{}{wanted}", partner.name())).filter(|_| is_runtime_wheel(partner.name())).map(|line| {
        let steps = Installer::of(context.facts).install(&[], std::slice::from_ref(&line));
        Remedy { requirements: vec![line.clone()], ..Remedy::new(format!("Install {line}"), steps) }
    });
    OTHER_PARTNER
        .found(
            &[partner.name()],
            format!("{} needs {} {wanted}, but {theirs} is installed", installed.title(), partner.name()),
        )
        .message(format!("{}.", rule.otherwise))
        .packages([partner.name(), installed.name()])
        .evidence([named(partner, Some(&wanted)), named(installed, None), by_rule(rule)])
        .remedies(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn the_plugin_is_of_the_release_of_jaxlib() {
        let of = |plugin| {
            Case::host().installed("jaxlib", "0.6.0").installed("jax-cuda12-plugin", plugin).found(&OTHER_PARTNER)
        };
        assert_eq!(
            of("0.5.3"),
            ["pairing/jax-cuda12-plugin: jaxlib 0.6.0 needs jax-cuda12-plugin 0.6.0, but 0.5.3 is installed"]
        );
        assert!(of("0.6.0").is_empty());
    }
}
