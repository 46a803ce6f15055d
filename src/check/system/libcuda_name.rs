//! Does the loader know the driver by its plain name, libcuda.so, too?

use crate::check::Context;
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::step::Step;

rule! {
    /// The loader knows libcuda.so.1 but not libcuda.so.
    ///
    /// Triton and others link or open the short name. Known from the loader's cache. Add the link, or name its folder
    /// in the loader's configuration.
    pub LIBCUDA_NAME = "system/libcuda-name": System, Warn, since "0.1.0", judged on [Loader, System], by check;
}

/// The loader knows libcuda.so.1 only.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    let library = facts.loader.libcuda.value()?;
    if !facts.loader.plain_libcuda.is_absent() {
        return None;
    }
    let wsl = facts.system.wsl.value().is_some();
    let folder = library.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(
        LIBCUDA_NAME
            .found(&[], format!("ldconfig knows libcuda.so.1 but not libcuda.so{}", if wsl { " (WSL)" } else { "" }))
            .message(
                "Programs that open or link the plain name (Triton 2, Numba, TensorFlow) do not find the driver. In \
                 WSL the files of /usr/lib/wsl/lib are copies instead of links, so that ldconfig keeps only one name.",
            )
            .packages(["libcuda"])
            .evidence([Evidence::host("libcuda.so.1", library.path.clone())
                .required("libcuda.so too".to_owned())
                .cited("ldconfig -p".to_owned())])
            .remedies([Remedy::new(
                "Name the folder in LD_LIBRARY_PATH, or add the link and run ldconfig",
                Step::prepend("LD_LIBRARY_PATH", folder),
            )])
            .references(["https://github.com/microsoft/WSL/issues/8587"]),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::made::found;
    use crate::facts::{Facts, LibCuda, Origin, Reading};

    #[test]
    fn a_report_whose_loader_knows_one_name_only() {
        let with = |plain: Reading<String>| {
            let mut facts = Facts::unknown(Origin::Report);
            let libcuda = LibCuda {
                path: "/usr/lib/wsl/lib/libcuda.so.1".to_owned(),
                found_by: "ld.so.cache".to_owned(),
                version: Reading::Unknown,
                compat: false,
                stub: false,
            };
            facts.loader.libcuda = Reading::host(libcuda, "the test");
            facts.loader.plain_libcuda = plain;
            found(&facts, check)
        };
        assert_eq!(
            with(Reading::absent("ldconfig -p")),
            ["system/libcuda-name: ldconfig knows libcuda.so.1 but not libcuda.so"]
        );
        assert_eq!(with(Reading::told("/usr/lib/libcuda.so".to_owned(), "ldconfig -p")), [""; 0]);
    }
}
