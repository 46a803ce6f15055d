//! Was a package compiled for NumPy 1 beside an installed NumPy 2?

use crate::check::{Context, Installed, Installer};
use crate::facts::{Library, TORCH};
use crate::finding::{Change, Evidence, Finding, Remedy, Severity, rule};
use crate::pep::Version;
use crate::rules::model::Release;
use crate::rules::requirement::{is_about, parse, satisfied, specifiers};

rule! {
    /// A package was compiled for NumPy 1, and NumPy 2 is installed.
    ///
    /// Modules compiled against NumPy 1 stop with `numpy.core.multiarray failed to import` or `numpy.dtype size
    /// changed` under NumPy 2. Known from the compiled modules, or from the release's date and its own wheels in the
    /// rules. Install a release built for NumPy 2, or `numpy<2` if nothing else needs NumPy 2.
    pub NUMPY_1 = "abi/{package}": Abi, Warn, since "0.1.0", judged on [Libraries, Distributions];
}

/// Modules compiled with NumPy 1's headers beside NumPy 2.
pub fn finding(context: &Context<'_>, installed: &Installed<'_>, libraries: &[&Library]) -> Option<Finding> {
    // The C interface that numpy 2 broke is numpy's own: libraries say which one they were built for (`libraries.numpy`).
    let numpy = context.stack.get("numpy")?;
    let is_two = numpy
        .distribution
        .full_version()
        .split('.')
        .next()
        .is_some_and(|major| major.parse::<u32>().is_ok_and(|major| major >= 2));
    let first = libraries.iter().find(|library| is_two && library.numpy == Some(1))?;
    // torch goes on without: tensors and arrays are no longer converted.
    let severity = if installed.name() == TORCH { Severity::Warn } else { Severity::Fail };
    Some(
        NUMPY_1
            .found(
                &[installed.name()],
                format!("{} is compiled for NumPy 1, and {} is installed", installed.title(), numpy.title()),
            )
            .severity(severity)
            .message(
                "NumPy 2 changed its C API: `A module that was compiled using NumPy 1.x cannot be run in NumPy 2`, or \
                 `_ARRAY_API not found`.",
            )
            .packages([installed.name(), "numpy"])
            .evidence([Evidence::binary(
                first.path.clone(),
                "asks for `numpy.core._multiarray_umath` only, as NumPy 1's headers do",
            )
            .required("NumPy 2's headers, which run with both".to_owned())
            .cited(installed.distribution.location.clone())])
            .remedies(remedies(context, installed)),
    )
}

/// NumPy 1, or a newer release of the package where others need NumPy 2; of torch its own releases are for the solver to choose.
fn remedies(context: &Context<'_>, installed: &Installed<'_>) -> Vec<Remedy> {
    let of = |summary: String, line: String, change: Option<Change>| Remedy {
        steps: Installer::of(context.facts).install(&[], std::slice::from_ref(&line)).into_iter().collect(),
        requirements: vec![line],
        change,
        ..Remedy::new(summary, [])
    };
    let name = installed.name();
    let back = of(format!("Install NumPy 1, or a newer {name}"), "numpy<2".to_owned(), None);
    let newer = installed.version.as_ref().filter(|_| context.db.package(name).is_none()).map(|version| {
        let line = format!("{name}>{}", version.clone().without_local());
        of(format!("Install a newer {name}, built for NumPy 2"), line.clone(), Some(Change::Install(vec![line])))
    });
    match newer {
        Some(newer) if needs_numpy_2(context, name) => vec![newer],
        newer => [Some(back), newer].into_iter().flatten().collect(),
    }
}

/// Whether something else that is installed asks for NumPy 2, or no NumPy 1 was built for this Python.
fn needs_numpy_2(context: &Context<'_>, but: &str) -> bool {
    let ones: Vec<_> = context.db.package("numpy").into_iter().flat_map(|package| &package.releases).collect();
    let ones: Vec<_> = ones.into_iter().filter(|it| it.version.release().first() == Some(&1)).collect();
    let for_python = |release: &&Release| {
        let python =
            context.target.python.map(|python| Version::new([u64::from(python.major), u64::from(python.minor)]));
        let has_wheel = release.builds.iter().any(|build| {
            build.python.is_empty()
                || context.target.python.is_none_or(|own| build.python.iter().any(|tag| tag.accepts(own, false)))
        });
        let allowed =
            release.requires_python.as_ref().zip(python).is_none_or(|(range, python)| range.contains(&python));
        has_wheel && allowed
    };
    let mut fit: Vec<_> = ones.into_iter().filter(for_python).collect();
    for other in context.stack.installed.iter().filter(|other| other.name() != but) {
        let lines =
            other.requires().into_iter().flatten().filter(|line| is_about(line, "numpy") && !line.contains("extra"));
        for range in lines.filter_map(|line| specifiers(&parse(line).ok()?)) {
            fit.retain(|release| satisfied(&range, &release.version));
        }
    }
    fit.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn modules_for_numpy_1_do_not_load_beside_numpy_2() {
        let of = |numpy| {
            let library = Library { path: "oldext/_C.so".to_owned(), numpy: Some(1), ..Library::default() };
            Case::host().installed("numpy", numpy).files("oldext", "1.0", vec![library]).found(&NUMPY_1)
        };
        assert_eq!(of("2.0.0"), ["abi/oldext: oldext 1.0 is compiled for NumPy 1, and numpy 2.0.0 is installed"]);
        assert!(of("1.26.4").is_empty());
    }
}
