//! Does `pip install torch` bring a CPU build on this platform?

use crate::check::Context;
use crate::facts::TORCH;
use crate::finding::{Evidence, Finding, rule};
use crate::rules::model::Release;

rule! {
    /// `pip install torch` brings a CPU build on this platform.
    ///
    /// The default index has no CUDA build of these releases for Linux on aarch64. Known from the published wheels in
    /// the rules. Name PyTorch's own index for a CUDA release.
    pub PLAIN_INSTALL = "cpu-build/torch": CpuBuild, Warn, since "0.1.0", judged on [System, Report];
}

/// `pip install torch` on a platform for which PyPI had no CUDA build.
pub fn finding(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    let arch = facts.system.arch.value()?;
    if !facts.installing.plain.value()?.iter().any(|name| name == TORCH) || arch != "aarch64" {
        return None;
    }
    let torch = context.db.package(TORCH)?;
    let platform = "linux_aarch64";
    let from_pypi = |release: &&Release| {
        release.builds.iter().any(|build| build.platform == platform && build.index == "pypi" && build.cuda.is_none())
    };
    let last = torch.releases.iter().rev().find(from_pypi)?;
    let citation = last.builds.iter().find(|build| build.platform == platform).map(|build| build.source.citation());
    Some(
        PLAIN_INSTALL
            .found(&[], format!("`pip install torch` on aarch64 brings a CPU build up to torch {}", last.version))
            .message(
                "PyPI's wheels of these releases for Linux on aarch64 hold no CUDA code; the CUDA builds are on \
                 PyTorch's own indexes.",
            )
            .packages([TORCH])
            .evidence([Evidence::rule("machine type", arch.clone())
                .required("a build for CUDA".to_owned())
                .cited(citation)]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, read};
    use crate::facts::Reading;

    #[test]
    fn pypi_had_no_cuda_build_for_arm() {
        let of = |arch| {
            let report = Case::report().with(|facts| facts.system.arch = read(arch));
            let plain = Reading::told(vec!["torch".to_owned()], "line 1");
            report.with(|facts| facts.installing.plain = plain).found(&PLAIN_INSTALL)
        };
        let found = of("aarch64");
        assert_eq!(found.len(), 1, "{found:?}");
        let title = "cpu-build/torch: `pip install torch` on aarch64 brings a CPU build up to torch 2.";
        assert!(found[0].starts_with(title), "{found:?}");
        assert!(of("x86_64").is_empty());
    }
}
