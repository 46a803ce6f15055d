//! Has a package that brings a library for each CUDA one for torch's?

use crate::check::Context;
use crate::facts::TORCH;
use crate::finding::{Basis, Evidence, Finding, rule};
use crate::rules::partner::{loaded_code, pick_library};
use crate::text;

rule! {
    /// A package has no library for the CUDA that torch uses.
    ///
    /// bitsandbytes and its like ship one library for each CUDA and load the one that matches torch. Known from the
    /// files of the package. Install a release that ships a library for this CUDA.
    pub NO_LIBRARY = "cuda-libs/{package}": CudaLibs, Fail, since "0.1.0", judged on [Libraries, Builds], by check;
}

/// Packages that choose one of several libraries by torch's CUDA, and have none for it.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let choosing: Vec<_> = context
        .stack
        .installed
        .iter()
        .filter_map(|installed| {
            let (package, version) = (installed.package?, installed.version.as_ref()?);
            let (pick, source) = context.db.library_pick(package, version)?;
            Some((installed, package, version, pick, source))
        })
        .collect();
    let mut findings = Vec::new();
    let Some(torch) = context.stack.get(TORCH) else { return findings };
    let Some(Some(cuda)) = torch.cuda() else { return findings };
    for (installed, package, version, pick, source) in choosing {
        // What lies in the folder is stronger than the row.
        let shipped = &installed.distribution.build.cuda_libraries;
        let (missing, basis, citation) = if shipped.is_empty() {
            let Some((_, build)) = installed.row else { continue };
            match loaded_code(package, version, build, Some(cuda), context.db) {
                Ok(_) => continue,
                Err(shipped) => (shipped, Basis::Rule, build.source.citation()),
            }
        } else if pick_library(pick, cuda, shipped).is_some() {
            continue;
        } else {
            (shipped.clone(), Basis::Binary, installed.distribution.location.clone())
        };
        let words: Vec<_> = missing.iter().map(ToString::to_string).collect();
        findings.push(
            NO_LIBRARY
                .found(
                    &[installed.name()],
                    format!("{} ships no library for CUDA {cuda}, which {} uses", installed.title(), torch.title()),
                )
                .message(format!(
                    "It has libraries for CUDA {}, and loads the one that fits torch's CUDA. Without one its GPU \
                     functions fail when they are called, or at import.",
                    text::list(&words)
                ))
                .packages([installed.name(), TORCH])
                .evidence([
                    Evidence::of(basis, format!("{} libraries", installed.name()), format!("CUDA {}", words.join(" ")))
                        .required(cuda.to_string())
                        .cited(citation),
                    Evidence::rule("choice of library", "by torch's CUDA version").cited(source),
                ]),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::made::{distribution, found};
    use crate::facts::{Facts, Origin, Reading};
    use crate::version::CudaVersion;

    /// bitsandbytes 0.49 takes the library of torch's very CUDA release.
    #[test]
    fn a_package_without_a_library_for_torchs_cuda() {
        let with = |shipped: &[CudaVersion]| {
            let mut facts = Facts::unknown(Origin::Host);
            let mut torch = distribution("torch", "2.9.0+cu128", &[]);
            torch.build.cuda = Reading::metadata(CudaVersion::new(12, 8), "torch/version.py");
            let mut package = distribution("bitsandbytes", "0.49.0", &[]);
            package.build.cuda_libraries = shipped.to_vec();
            facts.distributions = vec![torch, package];
            found(&facts, check)
        };
        let (older, own) = (CudaVersion::new(12, 6), CudaVersion::new(12, 8));
        let title = "bitsandbytes 0.49.0 ships no library for CUDA 12.8, which torch 2.9.0+cu128 uses";
        assert_eq!(with(&[older]), [format!("cuda-libs/bitsandbytes: {title}")]);
        assert_eq!(with(&[older, own]), [""; 0]);
    }
}
