//! Is nvcc of the CUDA release that torch is built for?

use super::observed;
use crate::check::{Context, Installed};
use crate::facts::{Origin, Source, TORCH};
use crate::finding::{Evidence, Finding, Outcome, Remedy, Severity, rule};
use crate::rules::machine;
use crate::step::Step;
use crate::text;
use crate::version::CudaVersion;

rule! {
    /// nvcc is from another major CUDA release than torch.
    ///
    /// torch refuses to compile extensions: `The detected CUDA version mismatches the version that was used to compile
    /// PyTorch`; what is installed runs. Of another minor release it warns only. Known from nvcc and torch's build. Install the
    /// toolkit of torch's CUDA, or another variant of torch.
    pub NVCC_OTHER = "toolchain/nvcc": Toolchain, Warn, since "0.1.0", judged on [Toolkits, Builds];
}

/// Why nvcc is compared with nothing.
pub fn not_judged(context: &Context<'_>) -> Option<Outcome> {
    let torch = context.stack.get(TORCH);
    match (context.facts.toolchain.nvcc.value(), torch.map(Installed::cuda)) {
        (None, _) => Some(Outcome::NotApplicable("no CUDA toolkit is known".to_owned())),
        (_, None) => Some(Outcome::NotApplicable("torch is not installed".to_owned())),
        (_, Some(None | Some(None))) => Some(Outcome::Skipped("the CUDA version that torch was built for".to_owned())),
        _ => None,
    }
}

/// An nvcc of another CUDA major than torch's. `builders` are the installed packages that are known to be compiled; where none
/// is, somebody is about to compile something: that is worth a warning.
pub fn check(context: &Context<'_>, builders: &[String]) -> Option<Finding> {
    let reading = &context.facts.toolchain.nvcc;
    let nvcc = reading.value()?;
    let cuda = nvcc.cuda?;
    let torch = context.stack.get(TORCH)?;
    let needed = torch.cuda()??;
    if needed.major == cuda.major {
        return None;
    }
    let mut torch_build =
        Evidence::binary("torch build", format!("{}, CUDA {needed}", torch.distribution.full_version()));
    torch_build = torch_build.cited(torch.cuda_place());
    let place = match reading.source() {
        Some(Source::Report(place)) => place,
        _ => &nvcc.path,
    };
    let message = if builders.is_empty() {
        "Only compiling extensions fails: `The detected CUDA version mismatches the version that was used to compile \
         PyTorch`."
            .to_owned()
    } else {
        format!("Only compiling fails, e.g. of {}: torch refuses another major.", text::list(builders))
    };
    Some(
        NVCC_OTHER
            .found(&[], title(cuda, &torch.title(), needed))
            .severity(if context.facts.origin == Origin::Report { Severity::Warn } else { Severity::Info })
            .message(message)
            .packages([TORCH])
            .evidence([observed("nvcc", cuda.to_string(), &format!("CUDA {}.x", needed.major), place), torch_build])
            .remedies([remedy(context, needed)]),
    )
}

fn title(nvcc: CudaVersion, torch: &str, cuda: CudaVersion) -> String {
    format!("nvcc is from CUDA {nvcc}, but {torch} was built for CUDA {cuda}")
}

/// The toolkit of torch's CUDA, installed where it is known how, and named to whoever compiles.
fn remedy(context: &Context<'_>, cuda: CudaVersion) -> Remedy {
    let words = format!("To compile, install the CUDA {cuda} toolkit and point CUDA_HOME at it");
    match machine::toolkit(cuda, context.facts, context.db) {
        Some(toolkit) => Remedy::new(words, toolkit.steps.into_iter().chain(Step::set("CUDA_HOME", toolkit.home))),
        None => Remedy::new(
            format!("{words}: download it from https://developer.nvidia.com/cuda-toolkit-archive first"),
            Step::set("CUDA_HOME", format!("/usr/local/cuda-{cuda}")),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::NVCC_OTHER;
    use crate::check::cases::{Case, value};
    use crate::facts::{Nvcc, Reading};

    #[test]
    fn an_nvcc_of_another_major_on_a_machine_and_in_a_report() {
        let title = "toolchain/nvcc: nvcc is from CUDA 11.8, but torch 2.9.0+cu128 was built for CUDA 12.8";
        let with = |case: Case, cuda: &str| {
            let nvcc = Nvcc { path: "/usr/bin/nvcc".to_owned(), cuda: Some(value(cuda)), newest_gcc: None };
            let case = case.torch("2.9.0+cu128", "12.8");
            case.with(|facts| facts.toolchain.nvcc = Reading::host(nvcc, "the test")).found(&NVCC_OTHER)
        };
        assert_eq!(with(Case::host().installed("flash-attn", "2.8.3"), "11.8"), [title]);
        assert_eq!(with(Case::host().installed("flash-attn", "2.8.3"), "12.2"), [""; 0]);
        assert_eq!(with(Case::host(), "11.8"), [""; 0], "nothing there is compiled");
        assert_eq!(with(Case::report(), "11.8"), [title]);
        assert_eq!(with(Case::report(), "12.2"), [""; 0]);
    }
}
