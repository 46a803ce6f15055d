//! Is this the Python that a package requires?

use std::str::FromStr;

use pep440_rs::VersionSpecifiers;

use super::{basis, declared_in, severity};
use crate::check::{Context, Installed};
use crate::finding::{Evidence, Finding, rule};
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
    Some(
        PYTHON
            .found(&[installed.name()], format!("{} requires Python {text}, but this is {python}", installed.title()))
            .severity(severity(context, &[installed.name()]))
            .message("The environment was made or copied with another Python, or the check was overridden.")
            .packages([installed.name()])
            .evidence([Evidence::of(basis(installed), "Python", python.to_string())
                .required(text.clone())
                .cited(declared_in(installed))]),
    )
}
