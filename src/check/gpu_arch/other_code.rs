//! Does an installed build hold other GPU code than the published wheel?

use super::by_files::all_targets;
use super::code::InstalledCode;
use crate::check::Installed;
use crate::finding::{Evidence, Finding, rule};
use crate::rules::model::RowSource;
use crate::version::CodeTarget;

rule! {
    /// An installed build holds other GPU code than the published wheel.
    ///
    /// It was built elsewhere or changed. Known by comparing the installed files with the rules. What is installed is
    /// what counts here.
    pub OTHER_CODE = "gpu-arch/{package}": GpuArch, Info, since "0.1.0", judged on [Libraries, Builds];
}

/// Where the files of a published build hold other code than the wheel that the rules were read from.
pub fn finding(installed: &Installed<'_>, code: &InstalledCode<'_>) -> Option<Finding> {
    let (InstalledCode::Files(libraries), Some((_, build))) = (code, installed.row) else { return None };
    let RowSource::Wheel { .. } = &build.source else { return None };
    let read = build.code.iter().filter(|code| {
        let shipped = libraries.iter().any(|library| library.for_cuda == code.for_cuda);
        code.for_cuda.is_none() || shipped
    });
    let mut row: Vec<CodeTarget> = read
        .flat_map(|code| {
            code.sass.iter().chain(&code.ptx).copied().chain(code.special.iter().map(|(target, _)| *target))
        })
        .collect();
    row.sort_unstable();
    row.dedup();
    let files = all_targets(libraries.iter().flat_map(|library| &library.code));
    if row.is_empty() || row == files {
        return None;
    }
    let words = |targets: &[CodeTarget]| targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    Some(
        OTHER_CODE
            .found(&[installed.name()], format!("{} holds other GPU code than the published wheel", installed.title()))
            .message(
                "It was built from source, or its files were changed. The files decide; what the rules say of this \
                 build was not used.",
            )
            .packages([installed.name()])
            .evidence([Evidence::binary("targets", words(&files))
                .required(format!("{} in the wheel", words(&row)))
                .cited(build.source.citation())]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, code};

    #[test]
    fn the_files_are_compared_with_the_wheel_of_the_same_version() {
        let of = |targets: &str| {
            let library = code("torch/lib/libtorch_cuda.so", &[(1, targets)]);
            Case::host().gpu("NVIDIA L4", "8.9").files("torch", "2.7.1+cu126", vec![library]).found(&OTHER_CODE)
        };
        assert_eq!(of("sm_89"), ["gpu-arch/torch: torch 2.7.1+cu126 holds other GPU code than the published wheel"]);
        assert!(of("sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_89 sm_90 sm_90a").is_empty());
    }
}
