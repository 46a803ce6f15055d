//! A module that is imported and is not there.

use super::{holder, subject, told};
use crate::check::requirement::install;
use crate::check::{Context, Installed};
use crate::facts::Want;
use crate::finding::{Finding, Remedy, rule};

rule! {
    /// An installed package imports a module that is not there.
    ///
    /// The other package's release does not have it: it was moved, renamed or added later, and nobody declared that. Known by
    /// following in the files what the import runs. It fails where that is certain, and is a warning where a condition
    /// decides. Install another release of the one or of the other.
    pub MISSING_MODULE = "import/{package}/{wanted}": Import, Fail, since "0.1.0", judged on [Python, Distributions];
}

/// The finding.
pub fn finding(context: &Context<'_>, want: &Want, importer: &Installed<'_>, owner: Option<&Installed<'_>>) -> Finding {
    let subject = subject(want);
    let (title, observed) = match owner {
        Some(owner) => (
            format!("{} imports `{subject}`, which {} does not have", importer.title(), owner.title()),
            format!("{} has no such module", owner.title()),
        ),
        None => (
            format!("{} imports `{subject}`, which is not there", importer.title()),
            format!("neither {} nor an installed package has it", holder(context, None)),
        ),
    };
    let finding = told(context, &MISSING_MODULE, want, (importer, owner), (&subject, title, observed));
    if owner.is_some() || !finding.remedies.is_empty() {
        return finding;
    }
    let top = want.module.split('.').next().unwrap_or_default();
    let package = context.db.distribution_of_module(top).filter(|name| context.stack.get(name).is_none());
    finding.remedies(package.map(|name| Remedy {
        requirements: vec![name.clone()],
        ..Remedy::new(format!("Install `{name}`"), install(context, &name))
    }))
}

#[cfg(test)]
mod tests {
    use super::super::made::case;
    use super::MISSING_MODULE;

    #[test]
    fn a_module_that_the_other_release_does_not_have() {
        assert_eq!(
            case(|_| ()).found(&MISSING_MODULE),
            ["import/peft/transformers.modeling_layers: peft 0.18.0 imports `transformers.modeling_layers`, which \
              transformers 4.46.3 does not have"]
        );
        // What no package's RECORD lists is somebody's own work.
        assert_eq!(case(|want| want.importer = None).found(&MISSING_MODULE), [""; 0]);
    }
}
