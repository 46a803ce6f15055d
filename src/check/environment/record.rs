//! Is the RECORD in a metadata folder that of its release?

use crate::check::{Context, Installed, Installer};
use crate::facts::Stray;
use crate::finding::{Change, Evidence, Finding, Remedy, rule};
use crate::step::{self, Step};

rule! {
    /// A metadata folder holds the RECORD of another release.
    ///
    /// It was renamed or written over: what it says is not what is installed, and no installer can remove it. Known
    /// from RECORD. Remove the folder and install the release again.
    pub METADATA = "environment/{package}/metadata": Environment, Fail, since "0.1.0", judged on [Distributions];
}

/// A metadata folder with the RECORD of another release.
pub fn check(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let distribution = installed.distribution;
    let Some(Stray::Of(other)) = &distribution.record else { return None };
    let version = other.strip_suffix(".dist-info")?.rsplit_once('-')?.1;
    let folder = format!("{}/{}", distribution.location, distribution.metadata_dir);
    let again = Installer::of(context.facts).again(&[step::pin(installed.name(), version)?]);
    let steps = again.into_iter().flat_map(|again| Step::run(["rm", "-r", folder.as_str()]).into_iter().chain([again]));
    Some(
        METADATA
            .found(&[installed.name()], format!("`{}` holds the RECORD of `{other}`", distribution.metadata_dir))
            .message(format!(
                "The folder was renamed or written over: what says {} {} is not what is installed, and no installer \
                 can remove it.",
                installed.name(),
                distribution.full_version()
            ))
            .packages([installed.name()])
            .evidence([Evidence::metadata("RECORD", other.clone())
                .required(distribution.metadata_dir.clone())
                .cited(format!("{folder}/RECORD"))])
            .remedies([Remedy {
                change: Some(Change::Forget {
                    location: distribution.location.clone(),
                    metadata_dir: distribution.metadata_dir.clone(),
                    instead: Some(version.to_owned()),
                }),
                ..Remedy::new(format!("Remove the folder, and install {} {version} again", installed.name()), steps)
            }]),
    )
}

#[cfg(test)]
mod tests {
    use super::Stray;
    use crate::check::environment::made::told;

    #[test]
    fn a_folder_that_was_renamed() {
        insta::assert_snapshot!(told(|_, all| {
            all[0].metadata_dir = "peft-0.18.0.dist-info".to_owned();
            all[0].record = Some(Stray::Of("peft-0.17.1.dist-info".to_owned()));
        }), @"
        Fail environment/peft/metadata: `peft-0.18.0.dist-info` holds the RECORD of `peft-0.17.1.dist-info`
        rm -r /peft-0.18.0.dist-info
        /v/bin/python -m pip install --force-reinstall --no-deps peft==0.17.1
        ");
    }

    #[test]
    fn a_record_that_lies_elsewhere_is_another_matter() {
        let own = told(|_, all| all[0].metadata_dir = "peft-0.18.0.dist-info".to_owned());
        assert_eq!(own, "");
    }
}
