//! The files of `rules/`, as they are written: a file here for each, with its rows and what must be true of them.
//!
//! A new table of `platform/` is a file here with `impl Table`, and a line in `pack::Tables`.

pub mod advisory;
mod beside;
mod cuda;
mod cuda_errors;
mod cuda_names;
mod driver;
mod environment;
mod forward_compat;
mod gpus;
mod guard;
mod images;
mod indexes;
mod library;
mod line;
mod machine;
mod module;
mod needs;
mod old_release;
mod package;
pub mod page;
mod parsed;
mod prebuilt;
mod range;
mod role;
mod screen;
mod source_build;
pub mod symptoms;
mod torch_abi;
mod torch_symbols;
mod workload;
mod xid;

pub use self::advisory::{Advisory, AdvisoryExample, AdvisoryRemedy, Condition, Level, WORKLOADS};
pub use self::beside::{Beside, CondaName};
pub use self::cuda::{CudaTable, FirstFor, MachineCode, ToolkitRelease};
pub use self::cuda_errors::{CudaErrorRow, CudaErrorTable, CudaStop};
pub use self::cuda_names::{CudaNameTable, CudaTwins};
pub use self::driver::{ArchLifetime, DriverFamily, DriverInstall, DriverTable, WslDriver};
pub use self::environment::{EnvironmentTable, VariableRow};
pub use self::forward_compat::{CompatHardware, CompatPackage, CompatSupport, ForwardCompatTable};
pub use self::gpus::{GpuClass, GpuPattern, GpuProduct, GpuTable, PciBlock, SeriesRow, VendorRow};
pub use self::guard::{AssemblerRow, GuardRow, Stop};
pub use self::images::{
    BuildTools, CompilerRow, DriverCheck, ImageRow, ImageTable, PythonImage, RepositoryKey, UbuntuRelease,
};
pub use self::indexes::{IndexRow, IndexTable, WindowsIndex};
pub use self::library::CudaLibrary;
pub use self::line::Line;
pub use self::machine::{ContainerToolkit, JetsonIndex, MachineTable, MachineTask, Matter, Place, ToolkitInstall};
pub use self::module::ModuleRow;
pub use self::needs::{MemlockRow, NeedsTable, NinjaRow, PtxasRow, TorchOnDisk};
pub use self::old_release::OldRelease;
pub use self::package::{
    BuildRow, BuiltForRow, CodeRow, CudaAgreement, ExtraRow, Headline, KnownHow, LibraryChoiceRow, LibraryPick,
    PackageFile, PartnerRow, ReleaseAgreement, ReleaseRow, SourceRow, SpecialAgreement, Walk,
};
pub use self::page::{OpenedWheel, Page, Table};
pub use self::prebuilt::{CpuOnly, Prebuilt};
pub use self::range::Range;
pub use self::role::{Role, RoleRow, Roles};
pub use self::screen::{AskFor, ScreenTable};
pub use self::source_build::SourceBuild;
pub use self::symptoms::{Symptom, SymptomCause, SymptomTable};
pub use self::torch_abi::TorchExtension;
pub use self::torch_symbols::{BuildHistory, TorchRelease, TorchSymbolTable};
pub use self::workload::{VeryLargeRow, WeightsRow, WorkloadMemory, WorkloadTable};
pub use self::xid::{XidAction, XidCause, XidError, XidTable};
