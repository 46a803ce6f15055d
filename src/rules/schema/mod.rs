//! The files of `rules/`, as they are written: a file here for each, with its rows and what must be true of them.
//!
//! Those of `platform/` have a folder, whose `mod.rs` lists them.

pub mod advisory;
mod beside;
pub mod fault;
mod guard;
mod import;
mod library;
mod line;
mod module;
mod old_release;
mod package;
pub mod page;
mod parsed;
pub mod platform;
mod prebuilt;
pub mod python_tag;
mod range;
mod role;
pub mod short;
mod source_build;
pub mod symptoms;
mod torch_abi;
pub mod write;

pub use self::advisory::{Advisory, AdvisoryExample, AdvisoryRemedy, Condition, Import, Level, WORKLOADS};
pub use self::beside::{Beside, CondaName};
pub use self::guard::{AssemblerRow, GuardRow, Stop};
pub use self::library::CudaLibrary;
pub use self::line::Line;
pub use self::module::ModuleRow;
pub use self::old_release::OldRelease;
pub use self::package::{
    BuildRow, BuiltForRow, CodeRow, CudaAgreement, ExtraRow, Headline, KnownHow, LibraryChoiceRow, LibraryPick,
    PackageFile, PartnerRow, ReleaseAgreement, ReleaseRow, SourceRow, SpecialAgreement, Walk,
};
pub use self::page::{OpenedWheel, Page, Table};
pub use self::platform::*;
pub use self::prebuilt::{CpuOnly, Prebuilt};
pub use self::range::Range;
pub use self::role::{Role, RoleRow, Roles};
pub use self::source_build::SourceBuild;
pub use self::symptoms::{Symptom, SymptomCause, SymptomTable};
pub use self::torch_abi::TorchExtension;
