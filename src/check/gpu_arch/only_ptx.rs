//! Has a build only PTX for this GPU, which the driver is too old to compile?

use super::verdict::Judged;
use crate::check::{Context, Installed};
use crate::finding::{Evidence, Finding, rule};
use crate::rules::driver::DriverGap;
use crate::rules::schema::CudaStop;
use crate::version::DriverVersion;

rule! {
    /// A build has only PTX for this GPU, and the driver is too old to compile it.
    ///
    /// The driver compiles PTX at load, if its CUDA is not older than the toolkit that wrote it; otherwise `the
    /// provided PTX was compiled with an unsupported toolchain` (error 222). Known from the fat binaries and the
    /// driver. Update the driver, or install a build with machine code for the GPU.
    pub ONLY_PTX = "gpu-arch/{package}": GpuArch, Fail, since "0.1.0", judged on [Libraries, Gpus, Driver];
}

/// Says which driver the PTX needs, on one GPU of the target.
pub fn finding(
    context: &Context<'_>,
    installed: &Installed<'_>,
    judged: &Judged,
    gpu: usize,
    gap: &DriverGap,
    driver: &DriverVersion,
) -> Finding {
    let gpu = &context.target.gpus[gpu];
    let mut evidence = judged.evidence.clone();
    evidence.push(driver_evidence(context, gap.needs.to_string()));
    ONLY_PTX
        .found(
            &[installed.name()],
            format!("{} has only PTX for {}, and driver {driver} is too old for it", installed.title(), gpu.label),
        )
        .message(format!(
            "PTX is compiled by the driver when it is loaded, and this PTX comes from CUDA {}: driver {} or newer \
             understands it. CUDA reports an unsupported PTX version (error {}).",
            gap.cuda,
            gap.needs,
            context.db.tables().cuda_errors.number(CudaStop::UnsupportedPtx)
        ))
        .packages([installed.name()])
        .gpus(gpu.index)
        .evidence(evidence)
}

fn driver_evidence(context: &Context<'_>, needs: String) -> Evidence {
    Evidence::host("driver", context.target.user_mode_driver().map(ToString::to_string).unwrap_or_default())
        .required(format!("{needs} or newer"))
        .cited(context.facts.driver.version.source().map(|source| source.place().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, code, value};
    use crate::facts::Library;

    #[test]
    fn the_driver_has_to_know_the_ptx_of_the_toolkit() {
        let of = |driver| {
            let library = code("gpuext/_C.so", &[(1, "compute_80")]);
            let library = Library { for_cuda: Some(value("12.8")), ..library };
            let torch =
                Case::host().gpu("NVIDIA H100 80GB HBM3", "9.0").driver(driver).installed("torch", "2.8.0+cu128");
            torch.files("gpuext", "1.0", vec![library]).found(&ONLY_PTX)
        };
        assert_eq!(
            of("550.54.15"),
            ["gpu-arch/gpuext: gpuext 1.0 has only PTX for GPU 0 NVIDIA H100 80GB HBM3, and driver \
              550.54.15 is too old for it"]
        );
        assert!(of("570.86.15").is_empty());
    }
}
