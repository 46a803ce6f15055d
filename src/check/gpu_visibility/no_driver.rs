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
            .remedies([Remedy::new(
                "Install NVIDIA's driver on the host and load it",
                Step::fixed("sudo modprobe nvidia"),
            )]),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::made::found;
    use crate::facts::{Facts, Gpu, Origin, Reading};

    #[test]
    fn a_gpu_on_the_bus_without_its_module() {
        let with = |version, kernel: &str| {
            let mut facts = Facts::unknown(Origin::Host);
            facts.driver.version = version;
            facts.system.kernel = Reading::host(kernel.to_owned(), "the test");
            found(&facts, |context| check(context, &[Gpu::default()]))
        };
        let title = "gpu-visibility/no-driver: GPU 0 is on the PCI bus, but no NVIDIA driver is loaded";
        assert_eq!(with(Reading::absent("/proc/driver/nvidia"), "6.8.0"), [title]);
        assert_eq!(with(Reading::absent("/proc/driver/nvidia"), "5.15.148-tegra"), [""; 0], "a Jetson");
        assert_eq!(with(Reading::host("580.65.06".parse().expect("a version"), "NVML"), "6.8.0"), [""; 0]);
    }
}
