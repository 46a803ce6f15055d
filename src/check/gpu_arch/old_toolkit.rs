//! Was a build compiled with a CUDA that makes no code for this GPU?

use crate::check::{Context, Installed};
use crate::facts::TORCH;
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::rules::target::gpu_words;
use crate::version::CudaVersion;

rule! {
    /// A build was compiled with a CUDA that makes no code for this GPU.
    ///
    /// The toolkit is older than the GPU's generation. Known from the CUDA of the build and the toolkits in the rules.
    /// Install a build for a newer CUDA.
    pub OLD_TOOLKIT = "gpu-arch/{package}": GpuArch, Warn, since "0.1.0", judged on [Builds, Gpus];
}

/// The CUDA runtime of conda packages for CUDA 11 and older.
const CONDA_TOOLKIT: &str = "cudatoolkit";

/// A torch of which nobody knows the code, but whose toolkit compiles none that this GPU runs. What goes with torch is of
/// the same toolkit, and would only say it again.
pub fn finding(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    too_old_for(context, installed, installed.cuda()?.filter(|_| installed.name() == TORCH)?)
}

/// conda's CUDA runtime, where a report does not tell the torch that is for it.
pub fn of_conda(context: &Context<'_>) -> Option<Finding> {
    if context.stack.get(TORCH).is_some() {
        return None;
    }
    let toolkit = context.stack.installed.iter().find(|installed| installed.name() == CONDA_TOOLKIT)?;
    let full = toolkit.distribution.full_version();
    let cuda = full.splitn(3, '.').take(2).collect::<Vec<_>>().join(".").parse().ok()?;
    too_old_for(context, toolkit, cuda)
}

fn too_old_for(context: &Context<'_>, installed: &Installed<'_>, cuda: CudaVersion) -> Option<Finding> {
    let firsts = context.target.gpus.iter().filter_map(|gpu| {
        let (first, citation) = context.db.first_toolkit_for(gpu.capability)?;
        (cuda < first).then_some((gpu, first, citation))
    });
    let firsts: Vec<_> = firsts.collect();
    let (gpu, first, citation) = firsts.first()?;
    let gpus: Vec<_> = firsts.iter().map(|(gpu, ..)| *gpu).collect();
    let words = gpu_words(&gpus);
    let (name, title) = (installed.name(), installed.title());
    Some(
        OLD_TOOLKIT
            .found(&[name], format!("{title} is compiled with CUDA {cuda}, which makes no machine code for {words}"))
            .message(format!(
                "Compute capability {} needs a build with CUDA {first} or newer. What this build holds as PTX the \
                 driver may compile when it is loaded; the rest ends in `no kernel image is available`.",
                gpu.capability
            ))
            .packages([name])
            .gpus(gpus.iter().filter_map(|gpu| gpu.index))
            .evidence([Evidence::rule(format!("{name} build"), format!("CUDA {cuda}"))
                .required(format!("CUDA {first} or newer, for sm_{}", gpu.capability.sm()))
                .cited(citation.clone())])
            .remedies([Remedy::new(format!("Install a build of {name} for CUDA {first} or newer"), [])]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn cuda_10_1_makes_code_for_turing_and_not_for_ampere() {
        // Nobody knows the targets of this build.
        let of =
            |gpu, capability| Case::host().gpu(gpu, capability).installed("torch", "1.5.0+cu101").found(&OLD_TOOLKIT);
        assert_eq!(
            of("NVIDIA GeForce RTX 3090", "8.6"),
            ["gpu-arch/torch: torch 1.5.0+cu101 is compiled with CUDA 10.1, which makes no machine \
              code for GPU 0 NVIDIA GeForce RTX 3090"]
        );
        assert!(of("Tesla T4", "7.5").is_empty());
    }
}
