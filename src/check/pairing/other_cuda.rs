//! Are two packages that share a process built for different CUDAs?

use super::by_rule;
use crate::check::Installed;
use crate::finding::{Evidence, Finding, rule};
use crate::pep::Version;
use crate::rules::Target;
use crate::rules::model::{Build, Package, Partner};
use crate::rules::partner::agrees;
use crate::rules::schema::CudaAgreement;
use crate::version::CudaVersion;

rule! {
    /// Two packages that share a process are built for different CUDAs.
    ///
    /// They load two CUDA runtimes, or refuse to start. Known from the labels, version files and libraries of both.
    /// Install both for one CUDA, from one index.
    pub OTHER_CUDA = "pairing/{package}": Pairing, Fail, since "0.1.0", judged on [Builds];
}

/// Says for which CUDA both were built, and what the rules say of their agreement.
pub fn finding(
    installed: &Installed<'_>,
    own: Option<CudaVersion>,
    partner: &Installed<'_>,
    theirs: Option<CudaVersion>,
    (rule, agreement): (&Partner, CudaAgreement),
) -> Finding {
    let required = match (agreement, theirs) {
        (CudaAgreement::SameMajor, Some(cuda)) => format!("CUDA {}.x", cuda.major),
        (_, theirs) => variant(theirs),
    };
    OTHER_CUDA
        .found(
            &[installed.name()],
            format!(
                "{} is built for {}, but {} for {}",
                installed.title(),
                variant(own),
                partner.title(),
                variant(theirs)
            ),
        )
        .message(match (own, theirs) {
            (None, _) => format!("{} holds no GPU code: what it computes on a GPU's tensors fails.", installed.name()),
            (_, None) => {
                format!("Its compiled parts need CUDA libraries that a CPU build of {} lacks.", partner.name())
            }
            _ => format!("{}.", rule.otherwise),
        })
        .packages([installed.name(), partner.name()])
        .evidence([
            Evidence::binary(
                format!("{} build", installed.name()),
                format!("{}, {}", installed.distribution.full_version(), variant(own)),
            )
            .required(required)
            .cited(installed.cuda_place()),
            Evidence::binary(
                format!("{} build", partner.name()),
                format!("{}, {}", partner.distribution.full_version(), variant(theirs)),
            )
            .cited(partner.cuda_place()),
            by_rule(rule),
        ])
}

fn variant(cuda: Option<CudaVersion>) -> String {
    cuda.map_or_else(|| "the CPU".to_owned(), |cuda| format!("CUDA {cuda}"))
}

/// Which releases of a package were built for its partner's CUDA, as far as the rules know: `vllm is built for CUDA 13 from 0.20.0 on`.
pub fn published_for(
    package: &Package,
    agreement: CudaAgreement,
    theirs: CudaVersion,
    target: &Target,
    installed: &Version,
) -> Option<String> {
    let here = |build: &&Build| target.platform.as_deref().is_none_or(|platform| build.is_for(platform));
    let mut fitting = package.releases.iter().filter(|release| !release.yanked).filter(|release| {
        release
            .builds
            .iter()
            .filter(here)
            .any(|build| build.cuda.is_some() && agrees(agreement, build.cuda, Some(theirs)))
    });
    let cuda = match agreement {
        CudaAgreement::Same => theirs.to_string(),
        CudaAgreement::SameMajor => theirs.major.to_string(),
    };
    let name = &package.name;
    let (Some(first), last) = (fitting.next(), fitting.next_back()) else {
        return Some(format!("No {name} that the rules know is built for CUDA {cuda}"));
    };
    let (first, last) = (&first.version, &last.unwrap_or(first).version);
    match installed {
        own if own < first => Some(format!("{name} is built for CUDA {cuda} from {first} on")),
        own if own > last => Some(format!("{name} was built for CUDA {cuda} up to {last}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn vllm_and_torch_share_one_cuda() {
        let of = |torch| Case::host().installed("torch", torch).installed("vllm", "0.12.0").found(&OTHER_CUDA);
        assert_eq!(
            of("2.9.0+cu130"),
            ["pairing/vllm: vllm 0.12.0 is built for CUDA 12.9, but torch 2.9.0+cu130 for CUDA 13.0"]
        );
        assert!(of("2.9.0+cu129").is_empty());
    }
}
