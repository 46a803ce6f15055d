//! Does a package that a report names need a newer glibc?

use crate::check::Context;
use crate::finding::{Evidence, Finding, rule};
use crate::rules::role::is_nvidias;

rule! {
    /// A package needs a newer glibc than this system has.
    ///
    /// Known from the wheel's platform tag and the system's C library. Take a release with a wheel for older systems,
    /// or a newer base image.
    pub GLIBC = "python/{package}": Python, Warn, since "0.1.0", judged on [Distributions, System];
}

/// By the rules' rows, since a report shows no wheel's tags: builds whose wheels ask for a newer glibc than there is.
pub fn findings(context: &Context<'_>) -> Vec<Finding> {
    let Some(has) = context.target.glibc else { return Vec::new() };
    let mut findings = Vec::new();
    for installed in &context.stack.installed {
        let Some(needs) = installed.row.and_then(|(_, build)| build.glibc).filter(|needs| *needs > has) else {
            continue;
        };
        if is_nvidias(installed.name()) {
            continue;
        }
        let citation = installed.row.map(|(_, build)| build.source.citation());
        findings.push(
            GLIBC
                .found(
                    &[installed.name()],
                    format!("{} needs glibc {needs}, and this system has {has}", installed.title()),
                )
                .message(
                    "Its wheels are made for newer systems: pip does not offer them here, and by force they do not \
                     load.",
                )
                .packages([installed.name()])
                .evidence([Evidence::rule("glibc", has.to_string())
                    .required(format!("{needs} or newer"))
                    .cited(citation)]),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, read};

    #[test]
    fn manylinux_2_28_is_too_new_for_centos_7() {
        let of = |glibc| {
            let report = Case::report().installed("torch", "2.7.1+cu126");
            report.with(|facts| facts.system.glibc = read(glibc)).found(&GLIBC)
        };
        assert_eq!(of("2.17"), ["python/torch: torch 2.7.1+cu126 needs glibc 2.28, and this system has 2.17"]);
        assert!(of("2.28").is_empty());
    }
}
