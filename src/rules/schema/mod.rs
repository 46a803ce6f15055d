//! The files of `rules/`, as they are written: a file here for each, with its rows and what must be true of them.
//!
//! A new table of `platform/` is a file here with `impl Table`, and a line in `pack::Tables`.

pub mod advisory;
mod cuda;
mod cuda_names;
mod driver;
mod forward_compat;
mod gpus;
mod images;
mod indexes;
mod libraries;
mod machine;
mod modules;
mod needs;
mod old_releases;
mod package;
pub mod page;
mod prebuilt;
mod screen;
mod source_builds;
pub mod symptoms;
mod torch_abi;
mod torch_symbols;
mod workload;
mod xid;

pub use self::advisory::{RawAdvisory, RawCondition, RawExample, RawRemedy, RawSeverity, WORKLOADS};
pub use self::cuda::{RawCuda, RawFirstFor, RawMachineCode, RawToolkit};
pub use self::cuda_names::{RawCudaNames, RawCudaTwins};
pub use self::driver::{RawDriver, RawFamily, RawInstall, RawLifetime, RawWsl};
pub use self::forward_compat::{CompatSupport, RawCompatHardware, RawCompatPackage, RawForwardCompat};
pub use self::gpus::{GpuClass, RawGpuPattern, RawGpuProduct, RawGpus, RawPciBlock, RawVendor};
pub use self::images::{
    RawBuildTools, RawCompiler, RawDriverCheck, RawImage, RawImages, RawPythonImage, RawRepositoryKey, RawUbuntu,
};
pub use self::indexes::{RawIndex, RawIndexes, RawWindows};
pub use self::libraries::{RawLibraries, RawLibrary};
pub use self::machine::{Matter, Place, RawConda, RawJetson, RawMachine, RawTask, RawToolkitInstall};
pub use self::modules::{RawModule, RawModules};
pub use self::needs::{RawAssembler, RawDisk, RawGuard, RawMemlock, RawNeeds, RawNinja, RawPtxas, Stop};
pub use self::old_releases::{RawOldRelease, RawOldReleases};
pub use self::package::{
    CudaAgreement, Headline, KnownHow, LibraryPick, RawBuild, RawBuiltFor, RawCode, RawExtra, RawLibraryChoice,
    RawPackage, RawPartner, RawRelease, RawSource, RawSpecial, ReleaseAgreement,
};
pub use self::page::{RawPage, RawWheel, Table};
pub use self::prebuilt::{RawCpuOnly, RawPrebuilt, RawPrebuilts};
pub use self::screen::RawScreen;
pub use self::source_builds::{RawHistory, RawSourceBuild, RawSourceBuilds, RawTorchRelease};
pub use self::symptoms::{RawCause, RawSymptom, RawSymptoms};
pub use self::torch_abi::{RawExtension, RawTorchAbi};
pub use self::torch_symbols::RawTorchSymbols;
pub use self::workload::{RawMemory, RawVeryLarge, RawWeights, RawWorkload};
pub use self::xid::{RawXid, RawXidAction, RawXids, XidCause};
