//! Has a release that somebody asks for no wheel for this Python?

use crate::check::{Context, Installed};
use crate::facts::ASKED;
use crate::finding::{Evidence, Finding, Remedy, rule};

rule! {
    /// A package has no wheel for this Python.
    ///
    /// pip then takes an older release or tries to compile. Known from the published wheels in the rules. Use a Python
    /// that the release supports.
    pub NO_WHEEL = "python/{package}": Python, Warn, since "0.1.0", judged on [Python, Distributions];
}

/// A release that somebody asks for and that has no wheel for this Python.
pub fn finding(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let source = installed.distribution.version.source()?;
    let python = context.target.python.filter(|_| source.place().starts_with(ASKED))?;
    let (release, build) = installed.row?;
    let mut tags = release.builds.iter().flat_map(|build| &build.python).peekable();
    tags.peek()?;
    if tags.any(|tag| tag.accepts(python, context.target.free_threaded)) {
        return None;
    }
    let mut wheels: Vec<String> =
        release.builds.iter().flat_map(|build| &build.python).map(ToString::to_string).collect();
    wheels.sort();
    wheels.dedup();
    Some(
        NO_WHEEL
            .found(
                &[installed.name()],
                format!("{} has no wheel for Python {}.{}", installed.title(), python.major, python.minor),
            )
            .message("pip and uv find no version that satisfies the requirement on this Python.")
            .packages([installed.name(), "python"])
            .evidence([Evidence::rule("python", python.to_string())
                .required(wheels.join(" "))
                .cited(build.source.citation())])
            .remedies([Remedy::new(
                format!(
                    "Make the environment with a Python that it has wheels for, or take another {}",
                    installed.name()
                ),
                [],
            )]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;
    use crate::facts::Reading;

    #[test]
    fn pip_is_asked_for_a_torch_that_this_python_has_no_wheel_of() {
        let of = |python| {
            let asked = |own: &mut crate::facts::Distribution| {
                own.version = Reading::metadata("2.2.0".to_owned(), format!("{ASKED} pip"));
            };
            Case::report().python(python).distribution("torch", "2.2.0", asked).found(&NO_WHEEL)
        };
        assert_eq!(of("3.13"), ["python/torch: torch 2.2.0 has no wheel for Python 3.13"]);
        assert!(of("3.11").is_empty());
    }
}
