//! Is there the ninja with which torch builds extensions?

use super::observed;
use crate::check::{Context, Installer};
use crate::facts::Reading;
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};

rule! {
    /// ninja is missing.
    ///
    /// torch builds extensions with it. Known from PATH and the environment. Install `ninja`.
    pub NINJA = "toolchain/ninja": Toolchain, Warn, since "0.1.0", judged on [Toolkits, Distributions];
}

/// torch's builds of extensions start the program of that name.
pub fn check(context: &Context<'_>, severity: Severity) -> Option<Finding> {
    let Reading::Absent { looked } = &context.facts.toolchain.ninja else { return None };
    let mut evidence = vec![observed("ninja", "not found".to_owned(), "on PATH", looked)];
    evidence.push(
        Evidence::rule("torch.utils.cpp_extension", "runs `ninja`").cited(context.db.tables().needs.ninja_citation()),
    );
    Some(
        NINJA
            .found(&[], "there is no `ninja`, with which torch builds extensions")
            .severity(severity)
            .message(
                "`torch.utils.cpp_extension.load` stops with `Ninja is required to load C++ extensions`; a setup.py \
                 compiles one file after the other.",
            )
            .evidence(evidence)
            .remedies([Remedy::new(
                "Install ninja into the environment".to_owned(),
                Installer::of(context.facts).install(&[], &["ninja".to_owned()]),
            )]),
    )
}

#[cfg(test)]
mod tests {
    use super::{NINJA, Reading};
    use crate::check::cases::Case;

    #[test]
    fn a_machine_that_builds_extensions_without_ninja() {
        let with = |ninja: Reading<String>| {
            let case = Case::host().installed("flash-attn", "2.8.3").with(|facts| facts.toolchain.ninja = ninja);
            case.found(&NINJA)
        };
        let title = "toolchain/ninja: there is no `ninja`, with which torch builds extensions";
        assert_eq!(with(Reading::absent("PATH")), [title]);
        assert_eq!(with(Reading::host("/usr/bin/ninja".to_owned(), "PATH")), [""; 0]);
    }
}
