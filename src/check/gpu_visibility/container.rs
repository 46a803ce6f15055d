//! Was the container given a GPU?

use super::device_nodes;
use crate::check::Context;
use crate::finding::{Finding, Severity, rule};

rule! {
    /// This container was started without GPUs.
    ///
    /// `NVIDIA_VISIBLE_DEVICES` is empty, `void` or `none`, so the NVIDIA runtime gave it no device. Known from the
    /// variable and from /dev. Start the container with `--gpus all` (Docker) or `--device nvidia.com/gpu=all` (CDI).
    pub CONTAINER = "gpu-visibility/container": GpuVisibility, Warn, since "0.1.0", judged on [Environment, System];
}

/// A container whose variable says that it gets no GPU, and none is there, although torch wants one.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    let kind = facts.system.container.value()?;
    let value = facts.system.environment.get("NVIDIA_VISIBLE_DEVICES")?;
    context.stack.torch_cuda().flatten()?;
    if !matches!(value.as_str(), "" | "void" | "none") {
        return None;
    }
    let title = format!("`NVIDIA_VISIBLE_DEVICES={value}`: this container ({kind}) was started without GPUs");
    Some(device_nodes::finding(&CONTAINER, context, Severity::Warn, title, "GPUs", "none"))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::made::{distribution, found};
    use crate::facts::{Facts, Origin, Reading};
    use crate::version::CudaVersion;

    #[test]
    fn a_container_whose_variable_gives_it_no_gpu() {
        let with = |value: &str, container: Reading<String>| {
            let mut facts = Facts::unknown(Origin::Host);
            let mut torch = distribution("torch", "2.9.0+cu128", &[]);
            torch.build.cuda = Reading::metadata(CudaVersion::new(12, 8), "torch/version.py");
            facts.distributions = vec![torch];
            facts.system.container = container;
            facts.system.environment.insert("NVIDIA_VISIBLE_DEVICES".to_owned(), value.to_owned());
            found(&facts, check)
        };
        let docker = || Reading::host("docker".to_owned(), "/.dockerenv");
        let title = "`NVIDIA_VISIBLE_DEVICES=void`: this container (docker) was started without GPUs";
        assert_eq!(with("void", docker()), [format!("gpu-visibility/container: {title}")]);
        assert_eq!(with("all", docker()), [""; 0]);
        assert_eq!(with("void", Reading::absent("/.dockerenv")), [""; 0], "no container");
    }
}
