//! Can the metadata of a distribution be read?

use super::severity;
use crate::check::{Context, Installed, again};
use crate::facts::{Distribution, Reading};
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::rules::schema::Stop;
use crate::step::Step;

rule! {
    /// The metadata of a distribution cannot be read.
    ///
    /// Installers cannot judge or remove it. Known from its dist-info folder. Install it again.
    pub METADATA = "requirement/{package}/metadata": Requirement, Fail, since "0.1.0", judged on [Distributions];
}

/// A distribution whose metadata is damaged: what it requires cannot be told, and installers trip over it.
pub fn check(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let distribution = installed.distribution;
    let error = match (&distribution.metadata, &distribution.version) {
        (Reading::Unreadable { error }, _) | (_, Reading::Unreadable { error }) => error,
        (Reading::Absent { looked }, _) => looked,
        _ => return None,
    };
    Some(
        METADATA
            .found(&[installed.name()], format!("the metadata of {} cannot be read", installed.name()))
            .severity(if is_guarded(context, installed.name()) {
                Severity::Fail
            } else {
                severity(context, &[installed.name()]).max(Severity::Warn)
            })
            .message("What it requires is not known, and installers may refuse to upgrade or remove it.")
            .packages([installed.name()])
            .evidence([Evidence::metadata("metadata", error.clone())
                .cited(format!("{}/{}", distribution.location, distribution.metadata_dir))])
            .remedies([again::remedy(context, installed).map(|again| without_it(again, distribution)).unwrap_or_else(
                || {
                    Remedy::new(
                        format!("Remove `{}` and install {} again", distribution.metadata_dir, installed.name()),
                        [],
                    )
                },
            )]),
    )
}

/// A folder that no installer can read goes before anything is installed in its place.
fn without_it(mut again: Remedy, distribution: &Distribution) -> Remedy {
    let folder = format!("{}/{}", distribution.location, distribution.metadata_dir);
    again.steps.splice(0..0, Step::run(["rm", "-r", folder.as_str()]));
    again
}

/// Whether an installed package asks for the version of another when it is imported.
fn is_guarded(context: &Context<'_>, name: &str) -> bool {
    let stops = |it: &Installed<'_>| Some(context.db.guard(it.name(), it.version.as_ref()?, name)?.0);
    context.stack.installed.iter().filter_map(stops).any(|stop| !matches!(stop, Stop::Missing))
}

#[cfg(test)]
mod tests {
    use super::{METADATA, Reading};
    use crate::check::cases::Case;
    use crate::facts::Metadata;

    #[test]
    fn metadata_that_nobody_can_read() {
        let with = |metadata: Reading<Metadata>| {
            let case = Case::host().python("3.12").distribution("some", "1.0", |own| own.metadata = metadata);
            case.found(&METADATA)
        };
        let title = "the metadata of some cannot be read";
        assert_eq!(with(Reading::unreadable("no text")), [format!("requirement/some/metadata: {title}")]);
        assert_eq!(with(Reading::metadata(Metadata::default(), "METADATA")), [""; 0]);
    }
}
