//! Are glibc and libstdc++ of this system new enough for the installed libraries?

use crate::check::abi::loaded_libraries;
use crate::check::{Context, Installed};
use crate::facts::Library;
use crate::finding::{Evidence, Finding, rule};
use crate::version::GlibcVersion;

rule! {
    /// A package needs a newer system library than this host has.
    ///
    /// Loading it ends in `version … not found`. Known from the version symbols that the files need and the library
    /// that the loader finds. Install a build for older systems, or update the library.
    pub LIBRARY_OLD = "python/{package}": Python, Fail, since "0.1.0", judged on [Libraries, System];
}

/// Compares the symbol versions that libraries need with those of the host's glibc and libstdc++.
pub fn findings(context: &Context<'_>) -> Vec<Finding> {
    let of = |installed| Some(of_one(context, installed, &loaded_libraries(context, installed)?));
    context.stack.installed.iter().filter_map(of).flatten().collect()
}

fn of_one(context: &Context<'_>, installed: &Installed<'_>, libraries: &[&Library]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let glibc = context.facts.system.glibc.value();
    let libstdcxx = context.facts.loader.libstdcxx.value();
    let highest = |family: &str| {
        let versions = libraries.iter().flat_map(|library| {
            let of_family = library.versions.iter().filter_map(move |version| version.strip_prefix(family));
            of_family.map(move |version| (numbers(version), version, *library))
        });
        versions.max_by(|one, other| one.0.cmp(&other.0))
    };
    if let (Some((_, needs, library)), Some(has)) = (highest("GLIBC_"), glibc)
        && needs.parse::<GlibcVersion>().is_ok_and(|needs| needs > *has)
    {
        let place = context.facts.system.glibc.source().map(|source| source.place().to_owned());
        findings.push(too_old(
            installed,
            library,
            "glibc",
            "libc.so.6",
            &format!("GLIBC_{needs}"),
            &has.to_string(),
            place,
        ));
    }
    if let (Some((needed, needs, library)), Some(has)) = (highest("GLIBCXX_"), libstdcxx)
        && has.strip_prefix("GLIBCXX_").is_some_and(|has| needed > numbers(has))
    {
        let place = context.facts.loader.libstdcxx.source().map(|source| source.place().to_owned());
        findings.push(too_old(
            installed,
            library,
            "libstdc++",
            "libstdc++.so.6",
            &format!("GLIBCXX_{needs}"),
            has,
            place,
        ));
    }
    findings
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|number| number.parse().ok()).collect()
}

fn too_old(
    installed: &Installed<'_>,
    library: &Library,
    what: &str,
    soname: &str,
    needs: &str,
    has: &str,
    place: Option<String>,
) -> Finding {
    LIBRARY_OLD
        .found(&[installed.name()], format!("{} needs {needs}, and this host's {what} has {has}", installed.title()))
        .message(format!(
            "The loader refuses the library: `version `{needs}' not found (required by {})`. It was compiled on a \
             newer system; a build for this one, or a newer image, is needed.",
            library.path
        ))
        .packages([installed.name()])
        .evidence([
            Evidence::binary(library.path.clone(), format!("needs {needs}"))
                .cited(installed.distribution.location.clone()),
            Evidence::host(soname.to_owned(), has.to_owned()).required(needs.to_owned()).cited(place),
        ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, read};

    #[test]
    fn a_library_needs_the_glibc_of_its_symbols() {
        let of = |glibc| {
            let versions = ["GLIBC_2.34", "GLIBC_2.9"].map(str::to_owned).to_vec();
            let library = Library { path: "newext/_C.so".to_owned(), versions, ..Library::default() };
            let host = Case::host().with(|facts| facts.system.glibc = read(glibc));
            host.files("newext", "1.0", vec![library]).found(&LIBRARY_OLD)
        };
        assert_eq!(of("2.31"), ["python/newext: newext 1.0 needs GLIBC_2.34, and this host's glibc has 2.31"]);
        assert!(of("2.34").is_empty());
    }
}
