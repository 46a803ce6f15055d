//! Are the driver's files in /dev there, and may this user open them?

use crate::check::Context;
use crate::facts::Reading;
use crate::finding::{Evidence, Finding, Remedy, Rule, Severity, rule};
use crate::step::Step;

rule! {
    /// The device files of the GPU are missing or may not be opened.
    ///
    /// CUDA reaches the GPU through /dev/nvidia0, /dev/nvidiactl and /dev/nvidia-uvm. Known from the files and their
    /// permissions. Load the kernel modules, or give the container its devices.
    pub DEVICE_NODES = "gpu-visibility/device-nodes": GpuVisibility, Fail, since "0.1.0", judged on [System, Gpus];
}

/// Read on 2026-11-21.
const LOST_DEVICES: &str = "https://github.com/NVIDIA/nvidia-container-toolkit/issues/48";

/// Judges the device files where a driver is loaded.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    let driver = facts.driver.version.value()?;
    let tegra = facts.system.kernel.value().is_some_and(|kernel| kernel.contains("tegra"));
    if tegra || facts.system.wsl.value().is_some() {
        return None;
    }
    let nodes = match &facts.visibility.nodes {
        Reading::Known { value, .. } => value.as_slice(),
        Reading::Absent { .. } => &[],
        Reading::Unreadable { .. } | Reading::Unknown | Reading::Partly { .. } => return None,
    };
    // NVML opens them: where it answered they are there, wherever its sandbox keeps them.
    let answered = facts.driver.nvml.value().is_some();
    let container = facts.system.container.value().is_some();
    let has = |name: &str| nodes.iter().any(|node| node.path == name);
    let gpu =
        nodes.iter().any(|node| node.path.strip_prefix("/dev/nvidia").is_some_and(|rest| rest.parse::<u32>().is_ok()));
    let there = has("/dev/nvidiactl") && gpu;
    if !answered && !there {
        let missing = if gpu { "/dev/nvidiactl" } else { "/dev/nvidia0" };
        let title = if container {
            format!("driver {driver} is loaded, but this container was given no GPU: there is no {missing}")
        } else {
            format!("driver {driver} is loaded, but there is no {missing}")
        };
        return Some(finding(&DEVICE_NODES, context, Severity::Fail, title, missing, "missing"));
    }
    if let Some(node) = nodes.iter().find(|node| node.outside_cgroup) {
        let title = format!("this container may no longer use {}", node.path);
        let mut finding =
            finding(&DEVICE_NODES, context, Severity::Fail, title, &node.path, "refused by the container's cgroup");
        "It lost the device while it ran, mostly because systemd reloaded its units on the host; NVML then says \
         `Unknown Error`."
            .clone_into(&mut finding.message);
        finding.remedies = vec![Remedy::new(
            "Start the container anew; that it keeps its GPUs, request them by CDI or name each with `--device`",
            Step::fixed("docker restart <container>"),
        )];
        finding.references = vec![LOST_DEVICES.to_owned()];
        return Some(finding);
    }
    if let Some(node) = nodes.iter().find(|node| !node.usable) {
        let title = format!("this user may not read and write {}", node.path);
        let mut finding = finding(&DEVICE_NODES, context, Severity::Fail, title, &node.path, "no permission");
        finding.remedies = vec![Remedy::new(
            "Add the user to the group of the device files, often `video`",
            Step::run(["ls", "-l", &node.path]).into_iter().chain(Step::fixed("sudo usermod -aG video $USER")),
        )];
        return Some(finding);
    }
    // On a plain machine the first program that starts CUDA makes it.
    if container && !nodes.is_empty() && !has("/dev/nvidia-uvm") {
        let title = "this container has no /dev/nvidia-uvm, without which CUDA does not start".to_owned();
        return Some(finding(&DEVICE_NODES, context, Severity::Warn, title, "/dev/nvidia-uvm", "missing"));
    }
    None
}

/// What is wrong with one of them, or with all.
pub fn finding(
    rule: &'static Rule,
    context: &Context<'_>,
    severity: Severity,
    title: String,
    fact: &str,
    observed: &str,
) -> Finding {
    let facts = context.facts;
    let container = facts.system.container.value().is_some();
    let mut evidence = vec![
        Evidence::host(fact.to_owned(), observed.to_owned())
            .required("readable and writable".to_owned())
            .cited("/dev".to_owned()),
    ];
    evidence.extend(facts.system.environment.get("NVIDIA_VISIBLE_DEVICES").map(|value| {
        Evidence::host("NVIDIA_VISIBLE_DEVICES", format!("`{value}`"))
            .required("`all`, or GPUs by index or UUID; `void`, `none` and empty give none".to_owned())
            .cited("environment".to_owned())
    }));
    let row = context.db.variable("NVIDIA_VISIBLE_DEVICES").filter(|_| container);
    let page = row.and_then(|row| context.db.variable_page(row));
    rule.found(&[], title)
        .severity(severity)
        .message("CUDA reaches the GPU through these files: without them `torch.cuda.is_available()` is False.")
        .packages(["container-runtime"])
        .evidence(evidence)
        .remedies([if container {
            Remedy::new(
                "Start the container with GPUs, through NVIDIA's container toolkit",
                Step::fixed("docker run --gpus all …"),
            )
        } else {
            Remedy::new("Let the driver make its device files", Step::fixed("sudo nvidia-modprobe -c 0 -u"))
        }])
        .references(page.map(|page| page.page.clone()))
}

#[cfg(test)]
mod tests {
    use super::{DEVICE_NODES, Reading};
    use crate::check::cases::Case;
    use crate::facts::DeviceNode;

    #[test]
    fn the_file_of_the_gpu_is_missing_or_there() {
        let with = |paths: &[&str]| {
            let node = |path: &&str| DeviceNode { path: (*path).to_owned(), usable: true, outside_cgroup: false };
            let nodes = Reading::host(paths.iter().map(node).collect(), "the test");
            let case = Case::host().gpu("NVIDIA H100 80GB HBM3", "9.0").driver("570.86.15");
            case.with(|facts| facts.visibility.nodes = nodes).found(&DEVICE_NODES)
        };
        let title = "driver 570.86.15 is loaded, but there is no /dev/nvidia0";
        assert_eq!(with(&["/dev/nvidiactl"]), [format!("gpu-visibility/device-nodes: {title}")]);
        assert_eq!(with(&["/dev/nvidiactl", "/dev/nvidia0"]), [""; 0]);
    }
}
