//! Does the loader find the libraries that the installed ones need?

use crate::rules::role::is_nvidias;
use std::collections::{BTreeMap, BTreeSet};

use super::some;
use crate::check::gpu_arch::chosen_libraries;
use crate::check::{Context, Installed, soname};
use crate::facts::{Changed, Library, Link, TORCH};
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};

rule! {
    /// The loader does not find a library that a package needs.
    ///
    /// Importing it ends in `cannot open shared object file`. Known from the NEEDED entries of the installed files,
    /// RPATH, LD_LIBRARY_PATH and the loader's cache. Install the wheel that ships the library, in the version that the
    /// name asks for.
    pub NOT_FOUND = "cuda-libs/{package}": CudaLibs, Warn, since "0.1.0", judged on [Libraries, Loader], by check;
}

/// CUDA libraries that the loader does not find.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let closure = torch_closure(context);
    let torch = context.stack.torch_cuda().flatten();
    let mut findings = Vec::new();
    for installed in &context.stack.installed {
        let distribution = installed.distribution;
        let Some(libraries) = distribution.libraries.value() else { continue };
        let libraries = chosen_libraries(context, installed, libraries.iter().collect(), torch);
        let mut sonames: BTreeMap<&str, (&Library, Severity)> = BTreeMap::new();
        for library in libraries {
            let place = format!("{}/{}", distribution.location, library.path);
            let with_torch = closure.contains(place.as_str());
            // What NVIDIA's wheels hold beyond that is opened by those who have what it needs.
            if is_nvidias(installed.name()) && !with_torch {
                continue;
            }
            let severity = match library.module {
                _ if installed.name() == TORCH || with_torch || library.for_cuda.is_some() => Severity::Fail,
                true => Severity::Warn,
                false => Severity::Info,
            };
            for link in library.links.iter().filter(|link| link.path.is_none()) {
                let entry = sonames.entry(&link.soname).or_insert((library, severity));
                entry.1 = entry.1.min(severity);
            }
        }
        let Some((first, (library, _))) = sonames.first_key_value() else { continue };
        let severity = sonames.values().map(|(_, severity)| *severity).min().unwrap_or(Severity::Info);
        let names: Vec<&str> = sonames.keys().copied().collect();
        let error = format!("`{first}: cannot open shared object file: No such file or directory`");
        let message = match severity {
            Severity::Fail => format!("Its import fails with {error}."),
            Severity::Warn => format!("What imports `{}` fails with {error}.", library.path),
            Severity::Info => {
                format!("Only what uses `{}` fails; the rest of the package works without.", library.path)
            }
        };
        let remedy = soname::remedy(context, Some(installed), &names).unwrap_or_else(|| {
            let summary = format!("Install what ships {first}, and name its folder in LD_LIBRARY_PATH");
            Remedy::new(summary, [])
        });
        let mut packages = vec![installed.name()];
        packages.extend(context.stack.installed.iter().filter(|other| has_lost(other, &names)).map(Installed::name));
        findings.push(
            NOT_FOUND
                .found(
                    &[installed.name()],
                    format!("{} needs {}, which the loader does not find", installed.title(), some(&names)),
                )
                .severity(severity)
                .message(message)
                .packages(packages)
                .evidence([Evidence::binary(library.path.clone(), format!("needs {}", some(&names)))
                    .required("in its RPATH or RUNPATH, LD_LIBRARY_PATH, ld.so.cache or a default folder".to_owned())
                    .cited(distribution.location.clone())])
                .remedies([remedy]),
        );
    }
    findings
}

/// Whether a distribution's own copy of one of some libraries is gone.
fn has_lost(installed: &Installed<'_>, sonames: &[&str]) -> bool {
    installed.distribution.changed.iter().any(|file| {
        file.how == Changed::Missing && file.path.rsplit('/').next().is_some_and(|name| sonames.contains(&name))
    })
}

/// Files that are loaded with `import torch`: what its libraries get, and what those get.
fn torch_closure<'a>(context: &'a Context<'_>) -> BTreeSet<&'a str> {
    let mut links: BTreeMap<String, &[Link]> = BTreeMap::new();
    let mut queue: Vec<String> = Vec::new();
    for installed in &context.stack.installed {
        let distribution = installed.distribution;
        for library in distribution.libraries.value().into_iter().flatten() {
            let place = format!("{}/{}", distribution.location, library.path);
            if distribution.name == TORCH {
                queue.push(place.clone());
            }
            links.insert(place, &library.links);
        }
    }
    let mut closure = BTreeSet::new();
    while let Some(place) = queue.pop() {
        for path in links.get(&place).into_iter().copied().flatten().filter_map(|link| link.path.as_deref()) {
            if closure.insert(path) {
                queue.push(path.to_owned());
            }
        }
    }
    closure
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::made::{distribution, found};
    use crate::facts::{Facts, Library, Link, Origin, Reading};

    #[test]
    fn a_library_that_gets_no_file_is_named() {
        let with = |path: Option<&str>| {
            let mut facts = Facts::unknown(Origin::Host);
            let link =
                Link { soname: "libcusparseLt.so.0".to_owned(), path: path.map(str::to_owned), ..Link::default() };
            let library = Library { path: "torch/lib/libtorch.so".to_owned(), links: vec![link], ..Library::default() };
            let mut torch = distribution("torch", "2.9.0+cu128", &[]);
            torch.libraries = Reading::binary(vec![library], "the test");
            facts.distributions = vec![torch];
            found(&facts, check)
        };
        let title = "torch 2.9.0+cu128 needs libcusparseLt.so.0, which the loader does not find";
        assert_eq!(with(None), [format!("cuda-libs/torch: {title}")]);
        assert_eq!(with(Some("/v/nvidia/cusparselt/lib/libcusparseLt.so.0")), [""; 0]);
    }
}
