//! Does the machine itself stand in the way: the state of its GPUs, errors in the kernel's log, shared and locked memory,
//! disks, WSL, a Jetson that needs wheels of its own?
//!
//! What NVML tells of each GPU is compared with what NVIDIA's guides say of it. GPUs in the same state share a finding.

modules!(check::system);

use super::gpu_visibility::mig;
use super::{Context, looked};
use crate::facts::Origin;
use crate::finding::Outcome;

/// What the rules share: all of them judge by themselves, but that of MIG, which stands with what hides a GPU.
pub fn check(context: &Context<'_>) -> Outcome {
    let findings = mig::check(context);
    let facts = context.facts;
    let told = facts.gpus.value().is_some_and(|gpus| gpus.iter().any(|gpu| gpu.state.value().is_some()));
    let limits = runs_torch(context) && (facts.system.shm_bytes.value().is_some() || !facts.system.disks.is_empty());
    if findings.is_empty() && !(facts.origin == Origin::Report || told || limits || xid::was_read(context)) {
        let why = "only a pasted report, or a machine with a GPU or with torch for CUDA, is judged by these";
        return Outcome::NotApplicable(why.to_owned());
    }
    looked(findings)
}

/// Whether this is the machine on which a torch for CUDA runs: there its limits and disks matter.
fn runs_torch(context: &Context<'_>) -> bool {
    context.facts.origin == Origin::Host && context.stack.torch_cuda().flatten().is_some()
}
