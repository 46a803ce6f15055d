//! Can CUDA see a GPU at all, and does something hide one?

use super::visible::{self, Stop};
use super::{Context, cuda_answer, device_nodes, looked};
use crate::facts::{Origin, Reading};
use crate::finding::{Change, Evidence, Finding, Outcome, Remedy, Severity, rule};
use crate::step::Step;

rule! {
    /// A GPU is on the PCI bus, but no NVIDIA driver is loaded.
    ///
    /// Known from /sys/bus/pci and the kernel's modules. Install and load the driver on the host.
    pub NO_DRIVER = "gpu-visibility/no-driver": GpuVisibility, Fail, since "0.1.0", judged on [Gpus, Driver];
}

rule! {
    /// No GPU is visible where the report was taken.
    ///
    /// Neither driver nor device was found, as in a container started without GPUs. Known from the report. Start the
    /// container with its GPUs, or install the driver on the host.
    pub NONE = "gpu-visibility/none": GpuVisibility, Fail, since "0.1.0", judged on [Report];
}

rule! {
    /// CUDA_VISIBLE_DEVICES hides GPUs.
    ///
    /// An index or UUID that is not there ends the list: CUDA ignores everything after it. Known from the variable and
    /// the GPUs. Unset it, or name devices that exist.
    pub CUDA_VISIBLE_DEVICES = "gpu-visibility/cuda-visible-devices": GpuVisibility, Fail, since "0.1.0", judged on [Environment, Gpus];
}

const VARIABLE: &str = "CUDA_VISIBLE_DEVICES";

/// Looks for GPUs without a driver, for what hides them, and at CUDA's own answer where it was asked.
pub fn check(context: &Context<'_>) -> Outcome {
    let outcome = seen_by_driver(context);
    let Some(answer) = cuda_answer::compare(context) else { return outcome };
    let mut findings = match outcome {
        Outcome::Findings(findings) => findings,
        _ => Vec::new(),
    };
    findings.push(answer);
    Outcome::Findings(findings)
}

fn seen_by_driver(context: &Context<'_>) -> Outcome {
    let facts = context.facts;
    let gpus = match &facts.gpus {
        Reading::Known { value, .. } if !value.is_empty() => value,
        Reading::Known { .. } | Reading::Absent { .. } if blind(context) => return looked(vec![none_visible(context)]),
        Reading::Known { .. } | Reading::Absent { .. } => {
            if let Some(finding) = device_nodes::kept_out(context) {
                return looked(vec![finding]);
            }
            return Outcome::NotApplicable("no NVIDIA GPU was found on this machine".to_owned());
        }
        Reading::Unreadable { error } => return Outcome::Skipped(format!("the list of GPUs: {error}")),
        Reading::Unknown if blind(context) && context.facts.driver.version.is_absent() => {
            return looked(vec![none_visible(context)]);
        }
        Reading::Unknown if hides_any(context) => return looked(hidden(context, 0).into_iter().collect()),
        Reading::Unknown => {
            let why = match facts.origin {
                Origin::Host => "the list of GPUs",
                Origin::Root => "the list of GPUs, which an image does not hold",
                Origin::Report => "the list of GPUs, which the report does not mention",
            };
            return Outcome::Skipped(why.to_owned());
        }
    };
    let mut findings = Vec::new();
    let tegra = facts.system.kernel.value().is_some_and(|kernel| kernel.contains("tegra"));
    if let Reading::Absent { looked } = &facts.driver.version
        && !tegra
    {
        let names: Vec<_> = gpus.iter().map(crate::facts::Gpu::label).collect();
        findings.push(
            NO_DRIVER
                .found(&[], format!("{} is on the PCI bus, but no NVIDIA driver is loaded", crate::text::list(&names)))
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
        );
    }
    findings.extend(device_nodes::check(context));
    findings.extend(hidden(context, gpus.len()));
    looked(findings)
}

/// A report in which torch, or somebody, says that CUDA is not available.
fn blind(context: &Context<'_>) -> bool {
    let pasted = context.facts.pasted.as_ref();
    let cpu_build = context.stack.torch_cuda() == Some(None);
    pasted.is_some_and(|pasted| pasted.cuda_available == Some(false) || pasted.docker_without_gpus.is_some())
        && !cpu_build
}

/// A report of an environment for CUDA in which neither driver nor GPU was found.
fn none_visible(context: &Context<'_>) -> Finding {
    let facts = context.facts;
    let looked = match &facts.gpus {
        Reading::Absent { looked } => looked.clone(),
        _ => "the report".to_owned(),
    };
    let docker = facts.pasted.as_ref().and_then(|pasted| pasted.docker_without_gpus.clone());
    let wsl = facts.system.wsl.value().is_some();
    let mut evidence = vec![
        Evidence::host("GPUs", "none found, and CUDA is not available")
            .required("a driver and its device files in this container or machine".to_owned())
            .cited(looked),
    ];
    evidence.extend(
        docker.map(|command| Evidence::host("docker", format!("`{command}`")).required("--gpus all".to_owned())),
    );
    let remedy = if wsl {
        (
            "Install a Windows driver with WSL support, and let the loader find /usr/lib/wsl/lib",
            "ls -l /usr/lib/wsl/lib/libcuda.so.1",
        )
    } else {
        (
            "Start the container with `--gpus all`, or install the driver; a scheduler (Ray, SLURM) must give the process a GPU",
            "docker run --gpus all …",
        )
    };
    NONE.found(&[], format!("no GPU is visible where this report was taken{}: neither driver nor device was found", if wsl { " (WSL)" } else { "" })).severity(if context.stack.torch_cuda().flatten().is_some() { Severity::Fail } else { Severity::Warn }).message("`torch.cuda.is_available()` is False there. A container that was started without GPUs looks like this, and so does \
                  a machine without a driver.").packages(["container-runtime"]).evidence(evidence).remedies([Remedy {
            summary: remedy.0.to_owned(),
            requirements: Vec::new(),
            steps: Step::fixed(remedy.1),
            change: None,
            verified: false,
        }])
}

/// Whether the variable hides every GPU, however many there are.
fn hides_any(context: &Context<'_>) -> bool {
    let value = context.facts.system.environment.get(VARIABLE);
    value.is_some_and(|value| visible::seen(value, usize::MAX, None).count() == 0)
}

/// `CUDA_VISIBLE_DEVICES` hides what follows the first entry that names no GPU, and everything where it is empty. `count`
/// is 0 where nobody knows how many GPUs there are.
fn hidden(context: &Context<'_>, count: usize) -> Option<Finding> {
    let value = context.facts.system.environment.get(VARIABLE)?;
    let seen = visible::seen(value, count, context.facts.visibility.named.value().map(Vec::as_slice));
    let (stop, after) = seen.stop.clone()?;
    let all_hidden = seen.count() == 0;
    let title = match &stop {
        _ if value.trim().is_empty() => "`CUDA_VISIBLE_DEVICES` is empty, which hides every GPU from CUDA".to_owned(),
        Stop::Repeated(entry) => format!("`CUDA_VISIBLE_DEVICES={value}` names `{entry}` twice, and hides every GPU"),
        _ if all_hidden => format!("`CUDA_VISIBLE_DEVICES={value}` hides every GPU from CUDA"),
        stop if after => format!("`CUDA_VISIBLE_DEVICES={value}` hides what follows {}", stop.why()),
        stop => format!("`CUDA_VISIBLE_DEVICES={value}` ends with {}", stop.why()),
    };
    let machine = crate::text::count(count, "GPU", "GPUs");
    let visible = if seen.count() == 1 { "1 is visible".to_owned() } else { format!("{} are visible", seen.count()) };
    let rule = match &stop {
        Stop::Repeated(_) => "CUDA takes no list that names a device twice",
        _ => "CUDA reads the entries from the left and stops at the first that is not valid",
    };
    Some(
        CUDA_VISIBLE_DEVICES
            .found(&[], title)
            .severity(if all_hidden { Severity::Fail } else { Severity::Warn })
            .message(match count {
                0 => format!("{rule}."),
                _ => format!("{rule}. This machine has {machine}, so {visible}."),
            })
            .evidence([Evidence::host(
                VARIABLE.to_owned(),
                if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") },
            )
            .required(match count {
                0 | 1 => "index 0, or the GPU's UUID".to_owned(),
                count => format!("indices from 0 to {}, or UUIDs, each once", count - 1),
            })
            .cited("environment".to_owned())])
            .remedies([Remedy {
                summary: "Unset the variable, or name GPUs that exist".to_owned(),
                requirements: Vec::new(),
                steps: Step::fixed("unset CUDA_VISIBLE_DEVICES"),
                change: Some(Change::Unset(VARIABLE.to_owned())),
                verified: false,
            }])
            .references([visible::GUIDE.to_owned()]),
    )
}
