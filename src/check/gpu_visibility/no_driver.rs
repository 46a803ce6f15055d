//! Is the driver loaded for the GPUs on the PCI bus?

use crate::check::Context;
use crate::facts::{Gpu, Reading};
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::step::Step;
use crate::text;

rule! {
    /// A GPU is on the PCI bus, but no NVIDIA driver is loaded.
    ///
    /// Known from /sys/bus/pci and the kernel's modules. Install and load the driver on the host.
    pub NO_DRIVER = "gpu-visibility/no-driver": GpuVisibility, Fail, since "0.1.0", judged on [Gpus, Driver];
}

/// GPUs on the bus, and no kernel module. A Jetson's driver has none of that name.
pub fn check(context: &Context<'_>, gpus: &[Gpu]) -> Option<Finding> {
    let Reading::Absent { looked } = &context.facts.driver.version else { return None };
    if context.facts.system.kernel.value().is_some_and(|kernel| kernel.contains("tegra")) {
        return None;
    }
    let names: Vec<_> = gpus.iter().map(Gpu::label).collect();
    Some(
        NO_DRIVER
            .found(&[], format!("{} is on the PCI bus, but no NVIDIA driver is loaded", text::list(&names)))
            .message("Without the kernel module CUDA finds no device, and `torch.cuda.is_available()` is False.")
            .packages(["nvidia-driver"])
            .gpus(gpus.iter().map(|gpu| gpu.index))
            .evidence([Evidence::host("kernel module", "not loaded")
                .required("nvidia".to_owned())
                .cited(looked.clone())])
            .remedies([Remedy {
                summary: "Install NVIDIA's driver on the host and load it".to_owned(),
                requirements: Vec::new(),
                steps: Step::fixed("sudo modprobe nvidia"),
                change: None,
                verified: false,
            }]),
    )
}
