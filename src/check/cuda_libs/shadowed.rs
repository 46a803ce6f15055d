//! Does the loader's path put other copies of libraries in front of the wheels' own?

use std::collections::BTreeMap;

use super::{NAMED, some};
use crate::check::Context;
use crate::check::abi::owner_of;
use crate::facts::Link;
use crate::finding::{Change, Evidence, Finding, Remedy, rule};
use crate::step::Step;

rule! {
    /// The loader's path puts other copies of CUDA libraries in front of the wheels' own.
    ///
    /// What is found first is used: a system copy of another release can lack symbols that torch needs. Known from
    /// LD_LIBRARY_PATH or LD_PRELOAD and the folders that they name. Unset the variable for this program, or take the
    /// folder out of it.
    pub SHADOWED = "cuda-libs/shadowed": CudaLibs, Warn, since "0.1.0", judged on [Loader, Environment], by check;
}

/// Libraries that come from LD_LIBRARY_PATH although a wheel brings its own.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let mut links: BTreeMap<&str, &Link> = BTreeMap::new();
    for installed in &context.stack.installed {
        for library in installed.distribution.libraries.value().into_iter().flatten() {
            for link in library.links.iter().filter(|link| link.instead_of.is_some()) {
                links.entry(&link.soname).or_insert(link);
            }
        }
    }
    let first = *links.values().next()?;
    let names: Vec<&str> = links.keys().copied().collect();
    let mut packages: Vec<String> =
        links.values().filter_map(|link| owner_of(context, link.instead_of.as_deref()?).map(str::to_owned)).collect();
    packages.sort();
    packages.dedup();
    let variable = first.found_by.clone();
    let evidence = links.values().take(NAMED).map(|link| {
        Evidence::host(link.soname.clone(), link.path.clone().unwrap_or_default())
            .required(link.instead_of.clone())
            .cited(link.found_by.clone())
    });
    Some(
        SHADOWED
            .found(&[], format!("{variable} puts other copies of {} in front of the wheels' own", some(&names)))
            .message(
                "The packages were tested with the libraries that their wheels require. Another version of one of \
                 them ends in missing symbols, `CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH`, or works by luck.",
            )
            .packages(packages)
            .evidence(evidence)
            .remedies([Remedy {
                change: Some(Change::Unset(variable.clone())),
                ..Remedy::new(format!("Take the CUDA folders out of {variable}"), Step::unset(&variable))
            }]),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::made::{distribution, found};
    use crate::facts::{Facts, Library, Link, Origin, Reading};

    #[test]
    fn a_copy_on_the_path_is_taken_instead_of_the_wheels_own() {
        let with = |instead_of: Option<&str>| {
            let mut facts = Facts::unknown(Origin::Host);
            let link = Link {
                soname: "libcudnn.so.9".to_owned(),
                path: Some("/opt/cudnn/libcudnn.so.9".to_owned()),
                found_by: "LD_LIBRARY_PATH".to_owned(),
                instead_of: instead_of.map(str::to_owned),
            };
            let library = Library { path: "torch/lib/libtorch.so".to_owned(), links: vec![link], ..Library::default() };
            let mut torch = distribution("torch", "2.9.0+cu128", &[]);
            torch.libraries = Reading::binary(vec![library], "the test");
            facts.distributions = vec![torch];
            found(&facts, check)
        };
        let title = "LD_LIBRARY_PATH puts other copies of libcudnn.so.9 in front of the wheels' own";
        assert_eq!(with(Some("/v/nvidia/cudnn/lib/libcudnn.so.9")), [format!("cuda-libs/shadowed: {title}")]);
        assert_eq!(with(None), [""; 0], "no wheel has one");
    }
}
