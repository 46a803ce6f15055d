//! Does this code run on that GPU?
//!
//! Machine code (SASS) runs on its own major compute capability, from its minor upwards; `a` code on exactly one
//! compute capability, `f` code on later members of its family; Jetson parts and others do not share it. PTX runs on any
//! later compute capability, compiled by the driver at load. Source: the `machine-code` row of `rules/platform/cuda.toml`.

use std::fmt;

use super::role;
use crate::facts::CodeGroup;
use crate::rules::RuleDb;
use crate::rules::store::model::Code;
use crate::version::{CodeTarget, ComputeCapability, CudaVersion, Reach};

/// Whether a library is one of NVIDIA's own (`libcudart`, `libcublas`, `libnvrtc`, `libnccl`, `libnppig`), in one of its
/// distributions or brought along in another: those hold their code in other forms too, and are not judged by their
/// containers. cuFFT of CUDA 12.6 shows one, for sm_52, and runs on every GPU since.
#[must_use]
pub fn is_nvidias(distribution: &str, path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    role::is_nvidias(distribution)
        || ["libcu", "libnv", "libnccl", "libnpp"].iter().any(|start| file.starts_with(start))
}

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
    // PTX that only a part of the containers has, where others have machine code for this GPU, is not all that there is.
    let native = code.special.iter().any(|(target, _)| !target.ptx && image_runs(*target, gpu, cuda, db));
    let in_part = |target: &CodeTarget| native && !code.whole && code.special.iter().any(|(other, _)| other == target);
    if let Some(target) = code.ptx.iter().filter(usable).filter(|target| !in_part(target)).max() {
        return Runs::ThroughPtx(*target);
    }
    let usable = code.special.iter().filter(|(target, _)| image_runs(*target, gpu, cuda, db));
    match (usable.map(|(_, count)| *count).max(), code.containers) {
        (Some(count), Some(all)) if !code.whole || count.saturating_mul(2) >= all => Runs::Partly(count, all),
        _ => Runs::No,
    }
}

/// How many containers of a library are usable on a GPU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// All of them.
    pub containers: u32,
    /// With machine code for it.
    pub native: u32,
    /// With nothing but PTX that the driver can compile for it.
    pub through_ptx: u32,
    /// Made for other GPUs on purpose: not usable, and with no code but for exact compute capabilities or families
    /// (`sm_90a`), such as FlashAttention 3. A library has others beside them for the rest.
    pub specific: u32,
}

impl Share {
    /// Counts the containers of a library, compiled by a toolkit of `cuda`.
    #[must_use]
    pub fn of(code: &[CodeGroup], gpu: ComputeCapability, cuda: Option<CudaVersion>, db: &RuleDb) -> Self {
        let mut share = Self::default();
        for group in code {
            let usable =
                |ptx: bool| group.targets.iter().any(|target| target.ptx == ptx && image_runs(*target, gpu, cuda, db));
            share.containers += group.containers;
            if usable(false) {
                share.native += group.containers;
            } else if usable(true) {
                share.through_ptx += group.containers;
            } else if group.targets.iter().all(|target| target.reach != Reach::Forward) {
                share.specific += group.containers;
            }
        }
        share
    }

    /// Those that run there, one way or the other.
    #[must_use]
    pub fn usable(self) -> u32 {
        self.native + self.through_ptx
    }

    /// The usable ones make up at least half of those that are not for other GPUs on purpose.
    #[must_use]
    pub fn is_most(self) -> bool {
        self.usable() > 0 && self.usable().saturating_mul(2) >= self.containers - self.specific
    }

    /// What it comes to.
    #[must_use]
    pub fn way(self) -> Way {
        match (self.native, self.usable()) {
            (_, 0) if self.specific == self.containers => Way::OtherGpus,
            (_, 0) => Way::No,
            (0, _) => Way::ThroughPtx,
            (_, usable) if usable + self.specific == self.containers => Way::Native,
            _ => Way::Partly,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            containers: self.containers + other.containers,
            native: self.native + other.native,
            through_ptx: self.through_ptx + other.through_ptx,
            specific: self.specific + other.specific,
        }
    }
}

impl fmt::Display for Share {
    /// `378 of 378 containers`, `0 of 12 containers`, `6 of 6 containers through PTX`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.containers == 1 { "container" } else { "containers" };
        write!(f, "{} of {} {word}", self.usable(), self.containers)?;
        match (self.native, self.through_ptx) {
            (_, 0) => Ok(()),
            (0, _) => f.write_str(" through PTX"),
            (_, ptx) => write!(f, ", {ptx} of them through PTX"),
        }
    }
}

/// How device code runs on a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// All of it by machine code, apart from what is for other GPUs on purpose.
    Native,
    /// By PTX alone, which the driver compiles at load if it understands it.
    ThroughPtx,
    /// A part of it.
    Partly,
    /// It is for other GPUs on purpose.
    OtherGpus,
    /// Not at all.
    No,
}

impl Way {
    /// The word in JSON, e.g. `native`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::ThroughPtx => "ptx",
            Self::Partly => "partly",
            Self::OtherGpus => "other-gpus",
            Self::No => "no",
        }
    }
}

/// How the libraries of one distribution run on a GPU, together. `whole`: it works as a whole or not at all.
///
/// Not by the sum: torch 2.9.0+cu128 has kernels for Pascal in 107 of 505 containers, all of them in
/// `libtorch_cuda_linalg.so`, and runs nothing there; vllm has libraries for Hopper alone, and runs without them.
#[must_use]
pub fn together(shares: &[Share], whole: bool) -> (Way, Share) {
    let sum = shares.iter().fold(Share::default(), |sum, share| sum.plus(*share));
    let lost = |share: &&Share| share.containers.saturating_mul(2) >= sum.containers && !share.is_most();
    let way = match sum.way() {
        Way::Native | Way::ThroughPtx | Way::Partly if whole && shares.iter().any(|share| lost(&share)) => Way::No,
        Way::ThroughPtx if sum.usable() + sum.specific < sum.containers => Way::Partly,
        way => way,
    };
    (way, sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::store::embedded;

    fn runs(target: &str, gpu: &str) -> bool {
        let (target, gpu) = (target.parse().expect("a target"), gpu.parse().expect("a compute capability"));
        image_runs(target, gpu, Some(CudaVersion::new(12, 8)), embedded())
    }

    #[test]
    fn machine_code_runs_on_its_major_from_its_minor_upwards() {
        assert!(runs("sm_86", "8.9"));
        assert!(!runs("sm_89", "8.6"));
        assert!(!runs("sm_90", "10.0"));
        assert!(runs("sm_60", "6.1"));
        assert!(runs("sm_120", "12.1"));
        assert!(!runs("sm_100", "12.0"));
    }

    #[test]
    fn specific_code_runs_where_it_was_compiled_for() {
        assert!(runs("sm_90a", "9.0"));
        assert!(!runs("sm_100a", "10.3"));
        assert!(runs("sm_100f", "10.3"));
        assert!(!runs("sm_103f", "10.0"));
        assert!(!runs("sm_100f", "12.0"));
    }

    #[test]
    fn ptx_runs_on_what_is_newer() {
        assert!(runs("compute_80", "12.0"));
        assert!(!runs("compute_90", "8.9"));
        assert!(!runs("compute_90a", "9.0"));
    }

    /// vllm 0.12.0, abridged: FlashAttention's containers have PTX, and others machine code for 10.0.
    #[test]
    fn ptx_in_a_part_is_not_all_where_others_have_machine_code() {
        let special = |name: &str, count: u32| (name.parse().expect("a target"), count);
        let mut code = Code {
            for_cuda: None,
            whole: false,
            optional: false,
            containers: Some(418),
            sass: vec!["sm_80".parse().expect("a target")],
            ptx: vec!["compute_80".parse().expect("a target")],
            special: vec![special("sm_80", 134), special("compute_80", 95), special("sm_100", 36)],
        };
        let on =
            |code: &Code| code_runs(code, ComputeCapability::new(10, 0), Some(CudaVersion::new(12, 9)), embedded());
        assert_eq!(on(&code), Runs::Partly(95, 418));
        code.special.pop();
        assert_eq!(on(&code), Runs::ThroughPtx("compute_80".parse().expect("a target")));
    }

    #[test]
    fn jetson_parts_are_islands_until_one_toolkit() {
        assert!(!runs("sm_80", "8.7"));
        assert!(!runs("sm_87", "8.9"));
        let (code, orin) = ("sm_80".parse().expect("a target"), ComputeCapability::new(8, 7));
        assert!(image_runs(code, orin, Some(CudaVersion::new(13, 2)), embedded()));
        assert!(runs("sm_101", "11.0"), "Thor was renamed");
    }

    #[test]
    fn a_few_special_images_do_not_make_a_library_native() {
        let target = |text: &str| text.parse().expect("a target");
        // libtorch_cuda.so of torch 2.7.1+cu126: 378 containers, sm_90a in 3 of them.
        let code = Code {
            for_cuda: None,
            whole: false,
            optional: false,
            containers: Some(378),
            sass: vec![target("sm_80"), target("sm_86")],
            ptx: Vec::new(),
            special: vec![(target("sm_90a"), 3)],
        };
        assert_eq!(code_runs(&code, ComputeCapability::new(8, 9), None, embedded()), Runs::Native(target("sm_86")));
        assert_eq!(code_runs(&code, ComputeCapability::new(9, 0), None, embedded()), Runs::Partly(3, 378));
        assert_eq!(code_runs(&code, ComputeCapability::new(12, 0), None, embedded()), Runs::No);
        let whole = Code { whole: true, ..code };
        assert_eq!(code_runs(&whole, ComputeCapability::new(9, 0), None, embedded()), Runs::No);
    }

    #[test]
    fn pascal_has_nothing_in_torch_2_9_for_cuda_12_8_and_turing_nearly_all_in_2_11() {
        let db = embedded();
        let runs = |version: &str, gpu: ComputeCapability| {
            let (_, build) = db.build("torch", &version.parse().expect("a version"), "linux_x86_64").expect("a row");
            code_runs(&build.code[0], gpu, build.cuda, db)
        };
        assert_eq!(runs("2.9.0+cu128", ComputeCapability::new(6, 1)), Runs::No);
        assert!(matches!(runs("2.9.0+cu128", ComputeCapability::new(7, 5)), Runs::Native(_)));
        assert!(!matches!(runs("2.11.0+cu130", ComputeCapability::new(7, 5)), Runs::No));
        assert_eq!(runs("2.11.0+cu130", ComputeCapability::new(7, 0)), Runs::No);
    }
}
