//! Is the folder of a development installation there?

use crate::check::{Context, Installed, Installer, again};
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::step;

rule! {
    /// A development installation's folder is gone.
    ///
    /// Only that folder holds the package's code. Known from direct_url.json and the `.pth` file. Put the folder back,
    /// or install the release from its index.
    pub SOURCE = "environment/{package}/source": Environment, Fail, since "0.1.0", judged on [Distributions];
}

/// A development installation whose folder is no longer there.
pub fn check(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let distribution = installed.distribution;
    let folder = distribution.source_gone.as_ref()?;
    let step = || {
        let pin = step::pin(installed.name(), distribution.version.value()?)?;
        Installer::of(context.facts).again(&[pin])
    };
    let version = distribution.full_version();
    Some(
        SOURCE
            .found(
                &[installed.name()],
                format!("{} is installed from `{folder}`, which is not there", installed.title()),
            )
            .message("It is a development installation: only that folder holds its code, and it was moved or removed.")
            .packages([installed.name()])
            .evidence([Evidence::metadata(format!("{} direct_url.json", installed.name()), folder.clone())
                .cited(format!("{}/direct_url.json", distribution.metadata_dir))])
            .remedies([Remedy {
                change: again::change(context, installed),
                ..Remedy::new(
                    format!("Put the folder back, or install {} {version} from its index", installed.name()),
                    step(),
                )
            }]),
    )
}

#[cfg(test)]
mod tests {
    use crate::check::environment::made::told;

    #[test]
    fn a_source_that_is_gone() {
        insta::assert_snapshot!(told(|_, all| all[0].source_gone = Some("/src/peft".to_owned())), @"
        Fail environment/peft/source: peft 0.18.0 is installed from `/src/peft`, which is not there
        /v/bin/python -m pip install --force-reinstall --no-deps peft==0.18.0
        ");
    }

    #[test]
    fn a_source_that_is_there_is_well() {
        assert_eq!(told(|_, all| all[0].editable = true), "");
    }
}
