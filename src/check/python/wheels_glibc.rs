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
                format!("Loading one ends in ``version `GLIBC_{needs}' not found``. It must be compiled here.");
            finding.evidence[0].observed = format!("glibc {needs}");
            finding.evidence[0].required = Some(format!("glibc {has}"));
            Some(finding)
        })
        .collect()
}
