//! Does this code run on that GPU?
//!
//! Machine code (SASS) runs on its own major compute capability, from its minor upwards; `a` code on exactly one
//! compute capability, `f` code on later members of its family; Jetson parts and others do not share it. PTX runs on any
//! later compute capability, compiled by the driver at load. Source: the `machine-code` row of `rules/platform/cuda.toml`.

use super::RuleDb;
use super::model::Code;
use crate::version::{CodeTarget, ComputeCapability, CudaVersion, Reach};

/// How a library runs on a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// Nearly all of its kernels have machine code for it.
    Native(CodeTarget),
    /// Nearly all have PTX, which the driver compiles at load, if it understands it.
    ThroughPtx(CodeTarget),
    /// A part of its containers is usable, `.0` of `.1`.
    Partly(u32, u32),
    /// None is usable.
    No,
}

/// Whether an image for `target`, compiled by a toolkit of `cuda`, can run on `gpu` at all.
#[must_use]
pub fn image_runs(target: CodeTarget, gpu: ComputeCapability, cuda: Option<CudaVersion>, db: &RuleDb) -> bool {
    let rule = db.machine_code();
    let code =
        rule.renamed.iter().find(|[old, _]| *old == target.capability).map_or(target.capability, |[_, new]| *new);
    let gpu = rule.renamed.iter().find(|[old, _]| *old == gpu).map_or(gpu, |[_, new]| *new);
    if target.ptx {
        return target.reach == Reach::Forward && code <= gpu;
    }
    let tegra = |capability: ComputeCapability| rule.tegra.contains(&capability);
    let shared = cuda.is_some_and(|cuda| cuda >= rule.tegra_shares_from) && tegra(gpu);
    if tegra(code) != tegra(gpu) && !shared {
        return false;
    }
    match target.reach {
        Reach::Exact => code == gpu,
        Reach::Forward | Reach::Family => code.major == gpu.major && code.minor <= gpu.minor,
    }
}

/// How device code that is loaded together runs on a GPU: by the targets of nearly all containers, else by the share that
/// the special ones add.
#[must_use]
pub fn code_runs(code: &Code, gpu: ComputeCapability, cuda: Option<CudaVersion>, db: &RuleDb) -> Runs {
    let usable = |target: &&CodeTarget| image_runs(**target, gpu, cuda, db);
    if let Some(target) = code.sass.iter().filter(usable).max() {
        return Runs::Native(*target);
    }
    if let Some(target) = code.ptx.iter().filter(usable).max() {
        return Runs::ThroughPtx(*target);
    }
    let usable = code.special.iter().filter(|(target, _)| image_runs(*target, gpu, cuda, db));
    match (usable.map(|(_, count)| *count).max(), code.containers) {
        (Some(count), Some(all)) => Runs::Partly(count, all),
        _ => Runs::No,
    }
}
