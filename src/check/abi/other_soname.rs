//! Does an extension get another version of a CUDA library than it needs?

use std::collections::BTreeMap;

use super::owner_of;
use super::symbols::in_words;
use crate::check::{Context, Installed, Installer, again};
use crate::facts::Library;
use crate::finding::{Change, Evidence, Finding, Remedy, rule};
use crate::rules::companion;
use crate::step::Step;
use crate::text;

rule! {
    /// An extension needs another major version of a library than the one it gets.
    ///
    /// The loader finds no file of that soname, e.g. `libcudart.so.11.0` beside CUDA 12. Known from the NEEDED entries
    /// of the extension and the libraries in the environment. Install the build for the CUDA that is here.
    pub OTHER_SONAME = "abi/{package}": Abi, Fail, since "0.1.0", judged on [Libraries, Loader];
}

/// Symbols of CUDA libraries: another version of them is in front.
pub fn findings(context: &Context<'_>, installed: &Installed<'_>, libraries: &[&Library]) -> Vec<Finding> {
    let mut by_soname: BTreeMap<&str, (&Library, Vec<&str>)> = BTreeMap::new();
    for library in libraries {
        for unresolved in &library.unresolved {
            if let Some(from) = &unresolved.from {
                by_soname.entry(from).or_insert_with(|| (library, Vec::new())).1.push(&unresolved.symbol);
            }
        }
    }
    let mut findings = Vec::new();
    for (soname, (library, symbols)) in by_soname {
        let link = library.links.iter().find(|link| link.soname == soname);
        let path = link.and_then(|link| link.path.as_deref()).unwrap_or(soname);
        let by_variable = link.is_some_and(|link| link.found_by == "LD_LIBRARY_PATH");
        let owner = owner_of(context, path);
        let mut packages = vec![installed.name().to_owned()];
        packages.extend(owner.filter(|owner| *owner != installed.name()).map(str::to_owned));
        let unset = by_variable.then(|| Remedy {
            change: Some(Change::Unset("LD_LIBRARY_PATH".to_owned())),
            ..Remedy::new(
                "Take LD_LIBRARY_PATH away, so that the libraries of the wheels are found",
                Step::fixed("unset LD_LIBRARY_PATH"),
            )
        });
        let owner = owner.and_then(|name| context.stack.get(name)).filter(|owner| owner.name() != installed.name());
        let remedy = unset.or_else(|| owner.and_then(|owner| of_the_same_cuda(context, installed, owner, path)));
        findings.push(
            OTHER_SONAME
                .found(
                    &[installed.name()],
                    format!("{} needs another {soname} than the one it gets", installed.title()),
                )
                .message(format!(
                    "{path} does not export {} that it needs, so that its import fails with `undefined symbol: {}`.{}",
                    text::count(symbols.len(), "symbol", "symbols"),
                    symbols.first().copied().unwrap_or_default(),
                    if by_variable { " The loader takes that file because of LD_LIBRARY_PATH." } else { "" }
                ))
                .packages(packages)
                .evidence([
                    Evidence::binary(library.path.clone(), format!("needs {}", in_words(&symbols)))
                        .required(format!("exported by {soname}"))
                        .cited(installed.distribution.location.clone()),
                    Evidence::binary(soname.to_owned(), path.to_owned())
                        .required(link.and_then(|link| link.instead_of.clone()))
                        .cited(link.map(|link| link.found_by.clone())),
                ])
                .remedies(remedy),
        );
    }
    findings
}

/// The wheel whose library is got, as it goes with the one that needs it: once more where its files are not its own, else the
/// release for the same CUDA.
fn of_the_same_cuda(
    context: &Context<'_>,
    installed: &Installed<'_>,
    owner: &Installed<'_>,
    path: &str,
) -> Option<Remedy> {
    if owner.distribution.changed.iter().any(|file| path.ends_with(&file.path)) {
        return again::remedy(context, owner);
    }
    let pin = companion::of(context.db, installed.name(), installed.version.as_ref()?, owner.name())?;
    let pin = format!("{}=={pin}", owner.name());
    let step = Installer::of(context.facts).install(&[], std::slice::from_ref(&pin))?;
    Some(Remedy {
        requirements: vec![pin.clone()],
        change: Some(Change::Install(vec![pin.clone()])),
        ..Remedy::new(format!("Install {pin}, which is of the same CUDA as {}", installed.title()), [step])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;
    use crate::facts::Unresolved;

    #[test]
    fn a_symbol_that_the_library_in_front_lacks() {
        let of = |from: Option<&str>| {
            let unresolved = vec![Unresolved { symbol: "cublasLtCreate".to_owned(), from: from.map(str::to_owned) }];
            let library = Library { path: "gpuext/_C.so".to_owned(), unresolved, ..Library::default() };
            Case::host().files("gpuext", "1.0", vec![library]).found(&OTHER_SONAME)
        };
        assert_eq!(
            of(Some("libcublasLt.so.12")),
            ["abi/gpuext: gpuext 1.0 needs another libcublasLt.so.12 than the one it gets"]
        );
        assert!(of(None).is_empty(), "torch's");
    }
}
