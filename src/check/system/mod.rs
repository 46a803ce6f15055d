//! Does the machine itself stand in the way: the state of its GPUs, errors in the kernel's log, shared and locked memory,
//! disks, WSL, a Jetson that needs wheels of its own?
//!
//! What NVML tells of each GPU is compared with what NVIDIA's guides say of it. GPUs in the same state share a finding.

pub mod compute_mode;
pub mod confidential_computing;
pub mod disk;
pub mod fabric;
pub mod gpu_memory;
pub mod gpu_memory_errors;
pub mod jetson;
pub mod libcuda_name;
pub mod memlock;
pub mod nvlink;
pub mod persistence;
pub mod shm;
pub mod slow_gpu;
pub mod vendor;
pub mod workload;
pub mod wsl;
pub mod xid;

use super::gpu_visibility::mig;
use super::{Context, looked};
use crate::facts::Origin;
use crate::finding::{Finding, Outcome};

/// Looks at what a report tells of the machine, and on a machine itself at its GPUs, its kernel's log and its shared memory.
pub fn check(context: &Context<'_>) -> Outcome {
    let facts = context.facts;
    let mut findings: Vec<Finding> = of_gpus(context);
    findings.extend(xid::check(context));
    let told = facts.gpus.value().is_some_and(|gpus| gpus.iter().any(|gpu| gpu.state.value().is_some()));
    let cuda = context.stack.torch_cuda().flatten().is_some();
    let limits = facts.origin == Origin::Host && cuda;
    let shm = limits && facts.system.shm_bytes.value().is_some();
    if limits {
        findings.extend(memlock::check(context));
        findings.extend(disk::check(context));
    }
    let report = facts.origin == Origin::Report;
    if report || shm {
        findings.extend(shm::check(context));
    }
    findings.extend(wsl::check(context));
    findings.extend(jetson::check(context));
    findings.extend(libcuda_name::check(context));
    if findings.is_empty()
        && !(report || shm || told || xid::was_read(context) || limits && !facts.system.disks.is_empty())
    {
        let why = "only a pasted report, or a machine with a GPU or with torch for CUDA, is judged by these";
        return Outcome::NotApplicable(why.to_owned());
    }
    looked(findings)
}

/// Judges every GPU whose state is known.
fn of_gpus(context: &Context<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = fabric::check(context).into_iter().collect();
    findings.extend(confidential_computing::check(context));
    findings.extend(mig::check(context));
    findings.extend(compute_mode::check(context));
    findings.extend(gpu_memory_errors::check(context));
    findings.extend(slow_gpu::check(context));
    findings.extend(gpu_memory::check(context));
    findings.extend(nvlink::check(context));
    findings.extend(persistence::check(context));
    findings
}
