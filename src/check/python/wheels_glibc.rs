//! Do the wheels that a project publishes need a newer glibc?

use crate::check::{Context, prebuilt};
use crate::finding::{Finding, rule};

rule! {
    /// The published wheels of a package need a newer glibc.
    ///
    /// Loading one ends in ``version `GLIBC_…' not found``. Known from the wheels that the rules list. Compile it here.
    pub WHEELS_GLIBC = "python/{package}": Python, Warn, since "0.1.0", judged on [Builds, System];
}

/// The published wheels ask for a newer glibc.
pub fn findings(context: &Context<'_>) -> Vec<Finding> {
    let Some(has) = context.target.glibc else { return Vec::new() };
    prebuilt::rows(context)
        .filter_map(|(installed, row)| {
            let needs = row.glibc.filter(|needs| *needs > has)?;
            let mut finding = prebuilt::base(context, installed, row, &WHEELS_GLIBC);
            finding.title =
                format!("the wheels of {} need glibc {needs}, and this system has {has}", installed.title());
            finding.message =
                format!("Loading one fails with ``version `GLIBC_{needs}' not found``. It must be compiled here.");
            finding.evidence[0].observed = format!("glibc {needs}");
            finding.evidence[0].required = Some(format!("glibc {has}"));
            Some(finding)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, read};

    #[test]
    fn flash_attn_2_8_3_is_published_for_ubuntu_22_04() {
        let of = |glibc| {
            let report = Case::report().installed("flash-attn", "2.8.3");
            report.with(|facts| facts.system.glibc = read(glibc)).found(&WHEELS_GLIBC)
        };
        assert_eq!(
            of("2.31"),
            ["python/flash-attn: the wheels of flash-attn 2.8.3 need glibc 2.32, and this system has 2.31"]
        );
        assert!(of("2.35").is_empty());
    }
}
