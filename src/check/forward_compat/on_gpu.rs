//! Is a cuda-compat library in use on a GPU that does not support it, by the CUDA that the driver is said to offer?

use crate::check::Context;
use crate::check::driver::update;
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::rules::schema::{CompatSupport, CudaStop};
use crate::step::Step;

rule! {
    /// A report shows a cuda-compat library on a GPU that does not support it.
    ///
    /// The report names a newer CUDA than the driver has by itself, so a cuda-compat library answers. Known from the
    /// words of the report and NVIDIA's matrix in the rules. Update the driver, or use a build for an older CUDA.
    pub ON_GPU = "forward-compat/gpu": ForwardCompat, Warn, since "0.1.0", judged on [Driver, Gpus, Report];
}

/// A report that names a newer CUDA for the driver than it has of itself: the libcuda of a cuda-compat package answers. Such
/// packages are for Linux. Of a CUDA without a toolkit, such as 12.7, the rules do not say which driver has it.
pub fn finding(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    // Which libcuda answers is known where its file was read.
    if facts.loader.libcuda.value().is_some_and(|library| library.version.value().is_some()) {
        return None;
    }
    let (driver, cuda) = (facts.driver.version.value()?, facts.driver.cuda.value()?);
    let own = context.db.native_cuda(driver)?;
    let is_beyond = context.db.toolkits().iter().any(|row| own < row.version && row.version <= *cuda);
    if !is_beyond || facts.system.os.value().is_some_and(|os| os != "linux") {
        return None;
    }
    let (gpu, citation) = context.target.gpus.iter().find_map(|gpu| {
        let (support, citation) = context.db.compat_support(gpu.class?)?;
        (support == CompatSupport::No).then_some((gpu, citation))
    })?;
    let newer = context.db.toolkits().iter().find(|row| row.version >= *cuda).map(|row| row.linux_driver.clone());
    let place = facts.driver.cuda.source().map(|source| source.place().to_owned());
    Some(
        ON_GPU
            .found(
                &[],
                format!(
                    "{} does not support cuda-compat, which CUDA {cuda} on driver {driver} needs (error {})",
                    gpu.label,
                    context.db.tables().cuda_errors.number(CudaStop::CompatNotOnDevice)
                ),
            )
            .message(format!(
                "The driver alone supports CUDA up to {own}. Forward compatibility exists for data-centre GPUs only."
            ))
            .packages(["cuda-compat", "nvidia-driver"])
            .gpus(gpu.index)
            .evidence([
                Evidence::host("driver", format!("{driver}, said to offer CUDA {cuda}"))
                    .required(format!("CUDA {own}"))
                    .cited(place),
                Evidence::rule("forward compatibility", "not for this GPU").cited(citation),
            ])
            .remedies([
                newer.map_or_else(|| Remedy::new("Update the driver", []), |needs| update(context, &needs)),
                Remedy::new("Take the compat folder off the loader's path", Step::fixed("ldconfig -p | grep libcuda")),
            ]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, read};

    #[test]
    fn a_report_shows_more_cuda_than_the_driver_has() {
        let of = |gpu, capability, cuda| {
            let report = Case::report().gpu(gpu, capability).driver("535.54.03");
            report.with(|facts| facts.driver.cuda = read(cuda)).found(&ON_GPU)
        };
        assert_eq!(
            of("NVIDIA GeForce RTX 4090", "8.9", "12.4"),
            ["forward-compat/gpu: GPU 0 NVIDIA GeForce RTX 4090 does not support cuda-compat, which CUDA 12.4 \
              on driver 535.54.03 needs (error 804)"]
        );
        assert!(of("NVIDIA GeForce RTX 4090", "8.9", "12.2").is_empty(), "its own");
        assert!(of("NVIDIA H100 80GB HBM3", "9.0", "12.4").is_empty());
    }
}
