//! Is this the Python that a package requires?

use std::str::FromStr;

use super::{basis, declared_in, severity};
use crate::check::{Context, Installed, Installer};
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::pep::VersionSpecifiers;
use crate::rules::obstacle::python_version;
use crate::version::PythonVersion;

rule! {
    /// A package requires another Python.
    ///
    /// Known from its Requires-Python. Install a release for this Python, or use the Python it asks for.
    pub PYTHON = "requirement/{package}/python": Requirement, Warn, since "0.1.0", judged on [Distributions, Python];
}

/// A Requires-Python that this one does not meet.
pub fn check(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let python = context.target.python?;
    let text = installed.metadata()?.requires_python.as_ref()?;
    let requires = VersionSpecifiers::from_str(text).ok()?;
    // Without its micro number a Python is judged by what any of its releases would satisfy.
    let fits = match python.micro {
        Some(_) => requires.contains(&python_version(python)),
        None => {
            (0..=50).any(|micro| requires.contains(&python_version(PythonVersion { micro: Some(micro), ..python })))
        }
    };
    if fits {
        return None;
    }
    // An installer takes a release for this Python by itself, once the one that is there will not do.
    let newer = |minor| requires.contains(&python_version(PythonVersion { minor, micro: Some(0), ..python }));
    let side = if (python.minor + 1..=50).any(newer) { "<" } else { ">" };
    let other = installed.version.as_ref().filter(|_| context.db.package(installed.name()).is_none());
    let other = other.map(|version| format!("{}{side}{}", installed.name(), version.clone().without_local()));
    let other = other.and_then(|line| {
        let step = Installer::of(context.facts).install(&[], std::slice::from_ref(&line))?;
        let summary = format!("Install a release of {} for Python {}.{}", installed.name(), python.major, python.minor);
        Some(Remedy { requirements: vec![line], ..Remedy::new(summary, [step]) })
    });
    Some(
        PYTHON
            .found(&[installed.name()], format!("{} requires Python {text}, but this is {python}", installed.title()))
            .severity(severity(context, &[installed.name()]))
            .message("The environment was made or copied with another Python, or the check was overridden.")
            .packages([installed.name()])
            .evidence([Evidence::of(basis(installed), "Python", python.to_string())
                .required(text.clone())
                .cited(declared_in(installed))])
            .remedies(other),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::cases::Case;
    use crate::check::made::found;
    use crate::facts::{Metadata, Reading};

    #[test]
    fn a_package_for_newer_pythons() {
        let with = |version: &str| {
            let case = Case::host().python(version).distribution("some", "1.0", |own| {
                let metadata = Metadata { requires_python: Some(">=3.11".to_owned()), ..Metadata::default() };
                own.metadata = Reading::metadata(metadata, "METADATA");
            });
            found(&case.facts, |context| {
                context.stack.installed.iter().filter_map(|one| check(context, one)).collect::<Vec<_>>()
            })
        };
        let title = "some 1.0 requires Python >=3.11, but this is 3.10.4";
        assert_eq!(with("3.10.4"), [format!("requirement/some/python: {title}")]);
        assert_eq!(with("3.11.0"), [""; 0]);
    }
}
