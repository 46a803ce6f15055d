//! Is nvcc of the CUDA release that torch is built for?

use super::observed;
use crate::check::{Context, looked};
use crate::finding::{Evidence, Finding, Outcome, Remedy, rule};
use crate::rules::machine;
use crate::step::Step;
use crate::text;
use crate::version::CudaVersion;

rule! {
    /// nvcc is from another minor CUDA release than torch.
    ///
    /// Extensions still compile, with a warning. Known from nvcc and torch's build.
    pub NVCC_OTHER = "toolchain/nvcc": Toolchain, Info, since "0.1.0", judged on [Toolkits, Builds];
}

rule! {
    /// nvcc is from another major CUDA release than torch.
    ///
    /// torch refuses to compile extensions: `The detected CUDA version mismatches the version that was used to compile
    /// PyTorch`. Known from nvcc and torch's build. Install the toolkit of torch's CUDA, or another variant of torch.
    pub NVCC_OTHER_MAJOR = "toolchain/nvcc": Toolchain, Warn, since "0.1.0", judged on [Toolkits, Builds];
}

/// An nvcc of another CUDA major than torch's.
pub fn check(context: &Context<'_>, builders: &[String]) -> Option<Finding> {
    let nvcc = context.facts.toolchain.nvcc.value()?;
    let cuda = nvcc.cuda?;
    let torch = context.stack.get("torch")?;
    let needed = torch.cuda()??;
    (needed.major != cuda.major).then(|| {
        NVCC_OTHER
            .found(&[], title(cuda, &torch.title(), needed))
            .message(format!("Only compiling fails, e.g. of {}: torch refuses another major.", text::list(builders)))
            .evidence([observed("nvcc", cuda.to_string(), &format!("CUDA {}.x", needed.major), &nvcc.path)])
            .remedies([remedy(context, needed)])
    })
}

/// Compares nvcc, where a report tells of it, with torch's CUDA.
pub fn told(context: &Context<'_>) -> Outcome {
    let Some(nvcc) = context.facts.pasted.as_ref().and_then(|pasted| pasted.nvcc) else {
        return Outcome::NotApplicable("no CUDA toolkit is known".to_owned());
    };
    let Some(torch) = context.stack.get("torch") else {
        return Outcome::NotApplicable("torch is not installed".to_owned());
    };
    let Some(Some(cuda)) = torch.cuda() else {
        return Outcome::Skipped("the CUDA version that torch was built for".to_owned());
    };
    if nvcc.major == cuda.major {
        return Outcome::Pass;
    }
    looked(vec![
        NVCC_OTHER_MAJOR
            .found(&[], title(nvcc, &torch.title(), cuda))
            .message(
                "Only compiling extensions fails: `The detected CUDA version mismatches the version that was used to \
                 compile PyTorch`.",
            )
            .packages(["torch"])
            .evidence([
                Evidence::host("nvcc", nvcc.to_string()).required(format!("CUDA {}.x", cuda.major)),
                Evidence::binary("torch build", format!("{}, CUDA {cuda}", torch.distribution.full_version()))
                    .cited(torch.cuda_place()),
            ])
            .remedies([remedy(context, cuda)]),
    ])
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
    use super::told;
    use super::{NVCC_OTHER, NVCC_OTHER_MAJOR};
    use crate::check::cases::{Case, value};
    use crate::check::made::{distribution, found};
    use crate::facts::Nvcc;
    use crate::facts::{Facts, Origin, Pasted, Reading};
    use crate::finding::Outcome;
    use crate::version::CudaVersion;

    #[test]
    fn a_report_with_an_nvcc_of_another_major() {
        let with = |nvcc: CudaVersion| {
            let mut facts = Facts::unknown(Origin::Report);
            let mut torch = distribution("torch", "2.9.0+cu128", &[]);
            torch.build.cuda = Reading::metadata(CudaVersion::new(12, 8), "torch/version.py");
            facts.distributions = vec![torch];
            facts.pasted = Some(Pasted { nvcc: Some(nvcc), ..Pasted::default() });
            found(&facts, |context| match told(context) {
                Outcome::Findings(found) => found,
                _ => Vec::new(),
            })
        };
        let title = "nvcc is from CUDA 11.8, but torch 2.9.0+cu128 was built for CUDA 12.8";
        assert_eq!(with(CudaVersion::new(11, 8)), [format!("toolchain/nvcc: {title}")]);
        assert_eq!(with(CudaVersion::new(12, 2)), [""; 0]);
    }

    #[test]
    fn an_nvcc_of_another_major_on_a_machine_and_in_a_report() {
        let title = "toolchain/nvcc: nvcc is from CUDA 11.8, but torch 2.9.0+cu128 was built for CUDA 12.8";
        let host = |cuda: &str| {
            let nvcc = Nvcc { path: "/usr/bin/nvcc".to_owned(), cuda: Some(value(cuda)), newest_gcc: None };
            let case = Case::host().torch("2.9.0+cu128", "12.8").installed("flash-attn", "2.8.3");
            case.with(|facts| facts.toolchain.nvcc = Reading::host(nvcc, "the test")).found(&NVCC_OTHER)
        };
        assert_eq!(host("11.8"), [title]);
        assert_eq!(host("12.2"), [""; 0]);
        let report = |cuda: &str| {
            let case = Case::report().torch("2.9.0+cu128", "12.8").told(|pasted| pasted.nvcc = Some(value(cuda)));
            case.found(&NVCC_OTHER_MAJOR)
        };
        assert_eq!(report("11.8"), [title]);
        assert_eq!(report("12.2"), [""; 0]);
    }
}
