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
