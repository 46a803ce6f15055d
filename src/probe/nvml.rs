//! The driver and its GPUs, asked through NVIDIA's management library.
//!
//! NVML is what `nvidia-smi` itself asks, and it answers without starting CUDA on any GPU. The library is loaded at run
//! time; its refusals are facts about the machine, recorded with its own words.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml as Library};

use super::gpu_state;
use crate::facts::{ConfidentialComputing, Gpu, Nvml, Reading};
use crate::machine::pci::LocatedGpu;
use crate::parallel::in_parallel;
use crate::version::{ComputeCapability, CudaVersion, DriverVersion};

/// The name under which values of this source are recorded.
pub const PLACE: &str = "NVML";

/// Names a library to load in place of the usual ones, e.g. `GPUDOC_NVML=/opt/nvidia/lib/libnvidia-ml.so.1`.
pub const VARIABLE: &str = "GPUDOC_NVML";

const SONAME: &str = "libnvidia-ml.so.1";

/// Folders tried after the loader's own search, in this order.
const FOLDERS: [&str; 9] = [
    // Debian, Ubuntu, and the NVIDIA container toolkit in their images.
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    // RHEL, Fedora, SUSE.
    "/usr/lib64",
    // Windows Subsystem for Linux.
    "/usr/lib/wsl/lib",
    // GKE, CoreOS, old nvidia-docker.
    "/usr/local/nvidia/lib64",
    "/usr/local/nvidia/lib",
    // The GPU operator's driver container.
    "/run/nvidia/driver/usr/lib/x86_64-linux-gnu",
    "/run/nvidia/driver/usr/lib/aarch64-linux-gnu",
    "/run/nvidia/driver/usr/lib64",
];

/// Which library to ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NvmlLibrary {
    /// The loader's, else the first of the usual places that has one.
    #[default]
    Search,
    /// This file and no other; see [`VARIABLE`].
    Path(PathBuf),
    /// None: a recorded machine has no driver to ask.
    Skip,
}

/// What NVML answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NvmlFacts {
    /// The library that answered. Absent where no library was found; its own error where it did not initialise.
    pub library: Reading<Nvml>,
    /// The version of the loaded kernel module.
    pub driver: Reading<DriverVersion>,
    /// The newest CUDA of the `libcuda.so.1` that NVML finds by the loader.
    pub cuda: Reading<CudaVersion>,
    /// Confidential computing.
    pub confidential: Reading<ConfidentialComputing>,
    /// All devices in NVML's order; one that does not answer is there with unreadable fields. Unknown without NVML.
    pub gpus: Reading<Vec<LocatedGpu>>,
    /// The UUIDs of the GPUs and of their MIG instances, each with the GPU's index. They never leave the probe.
    pub ids: Vec<(u32, String)>,
}

/// Asks NVML.
#[must_use]
pub fn probe(library: &NvmlLibrary) -> NvmlFacts {
    match library {
        NvmlLibrary::Skip => NvmlFacts::default(),
        NvmlLibrary::Path(path) => match load(path.as_os_str()) {
            Ok(nvml) => ask(&nvml, &path.to_string_lossy()),
            Err(Refusal::NotFound(_)) => refused(Reading::absent(path.to_string_lossy())),
            Err(refusal) => refused(Reading::unreadable(refusal.words())),
        },
        NvmlLibrary::Search => search(),
    }
}

/// Why there is no NVML to ask.
enum Refusal {
    /// No such file.
    NotFound(String),
    /// A file that the loader does not take, e.g. "wrong ELF class".
    NotLoaded(String),
    /// NVML's own error.
    Nvml(NvmlError),
}

impl Refusal {
    fn words(&self) -> String {
        match self {
            Self::NotFound(words) | Self::NotLoaded(words) => words.clone(),
            Self::Nvml(error) => words(error),
        }
    }
}

fn load(path: &OsStr) -> Result<Library, Refusal> {
    Library::builder().lib_path(path).init().map_err(|error| match error {
        NvmlError::LibloadingError(error) => {
            let words = error.to_string();
            // The loader says the same of a missing dependency; then the library's own file exists.
            let missing = words.contains("No such file") && !Path::new(path).exists();
            if missing { Refusal::NotFound(words) } else { Refusal::NotLoaded(words) }
        }
        error => Refusal::Nvml(error),
    })
}

fn search() -> NvmlFacts {
    let mut refusal = match load(OsStr::new(SONAME)) {
        Ok(nvml) => {
            let path = mapped_library(SONAME).unwrap_or_else(|| SONAME.to_owned());
            return ask(&nvml, &path);
        }
        Err(Refusal::NotFound(_)) => None,
        Err(refusal) => Some(refusal),
    };
    for folder in FOLDERS {
        // NVML spoke: another copy of it would say no better.
        if matches!(refusal, Some(Refusal::Nvml(_))) {
            break;
        }
        let path = Path::new(folder).join(SONAME);
        if !path.exists() {
            continue;
        }
        match load(path.as_os_str()) {
            Ok(nvml) => return ask(&nvml, &path.to_string_lossy()),
            Err(error @ Refusal::Nvml(_)) => refusal = Some(error),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    match refusal {
        Some(refusal) => refused(Reading::unreadable(refusal.words())),
        None => refused(Reading::absent(format!("{SONAME} by the loader, {}", FOLDERS.join(", ")))),
    }
}

fn refused(library: Reading<Nvml>) -> NvmlFacts {
    NvmlFacts { library, ..NvmlFacts::default() }
}

/// The file that this process mapped under a name, e.g. `/usr/lib64/libnvidia-ml.so.570.133.20`.
fn mapped_library(soname: &str) -> Option<String> {
    let stem = soname.trim_end_matches(".1");
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps.lines().filter_map(|line| Some(&line[line.find('/')?..])).find(|path| {
        let name = path.rsplit('/').next().unwrap_or_default();
        name.starts_with(stem)
    })?;
    Some(path.to_owned())
}

fn ask(nvml: &Library, path: &str) -> NvmlFacts {
    let version = nvml.sys_nvml_version().unwrap_or_default();
    let (gpus, ids) = match nvml.device_count() {
        Ok(count) => {
            // Each GPU takes milliseconds to answer, and does not wait for the others.
            let answers = in_parallel(&(0..count).collect::<Vec<_>>(), 1, |index| device(nvml, *index));
            let (gpus, ids): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
            (Reading::host(gpus, PLACE), ids.into_iter().flatten().collect())
        }
        Err(error) => (Reading::unreadable(words(&error)), Vec::new()),
    };
    NvmlFacts {
        library: Reading::host(Nvml { library: path.to_owned(), version }, PLACE),
        driver: parsed(nvml.sys_driver_version()),
        cuda: match nvml.sys_cuda_driver_version() {
            Ok(number) => match CudaVersion::from_driver_int(number) {
                Some(version) => Reading::host(version, PLACE),
                None => Reading::unreadable(format!("{PLACE} says CUDA {number}")),
            },
            Err(error) => Reading::unreadable(words(&error)),
        },
        confidential: match gpu_state::confidential(nvml) {
            Some(state) => Reading::host(state, PLACE),
            None => Reading::Unknown,
        },
        gpus,
        ids,
    }
}

/// What `CUDA_VISIBLE_DEVICES` may call a GPU: its UUID, and in MIG mode those of its instances.
fn ids(device: &Device<'_>, index: u32) -> Vec<(u32, String)> {
    let mut found: Vec<_> = device.uuid().into_iter().collect();
    if device.mig_mode().is_ok_and(|mode| mode.current == 1) {
        let instances = 0..device.mig_device_count().unwrap_or(0);
        found.extend(instances.filter_map(|instance| device.mig_device_by_index(instance).ok()?.uuid().ok()));
    }
    found.into_iter().map(|uuid| (index, uuid)).collect()
}

fn device(nvml: &Library, index: u32) -> (LocatedGpu, Vec<(u32, String)>) {
    let device = match nvml.device_by_index(index) {
        Ok(device) => device,
        Err(error) => {
            let words = words(&error);
            let gpu = Gpu {
                index,
                name: Reading::unreadable(words.clone()),
                compute_capability: Reading::unreadable(words.clone()),
                memory_bytes: Reading::unreadable(words.clone()),
                mig: Reading::unreadable(words.clone()),
                pci_device: Reading::unreadable(words),
                state: Reading::Unknown,
            };
            return (LocatedGpu { address: None, gpu }, Vec::new());
        }
    };
    let pci = device.pci_info();
    let address = pci.as_ref().ok().and_then(|pci| pci.bus_id.parse().ok());
    let gpu = Gpu {
        index,
        name: read(device.name()),
        compute_capability: match device.cuda_compute_capability() {
            Ok(found) => match (u32::try_from(found.major), u32::try_from(found.minor)) {
                (Ok(major), Ok(minor)) => Reading::host(ComputeCapability::new(major, minor), PLACE),
                _ => Reading::unreadable(format!("{PLACE} says {}.{}", found.major, found.minor)),
            },
            Err(error) => Reading::unreadable(words(&error)),
        },
        memory_bytes: read(device.memory_info().map(|memory| memory.total)),
        mig: match device.mig_mode() {
            Err(NvmlError::NotSupported) => Reading::absent(format!("{PLACE}: {}", words(&NvmlError::NotSupported))),
            // NVML_DEVICE_MIG_ENABLE is 1.
            mode => read(mode.map(|mode| mode.current == 1)),
        },
        // NVML gives device and vendor in one number, 0x233010de.
        pci_device: read(pci.map(|pci| pci.pci_device_id >> 16)),
        state: Reading::host(gpu_state::ask(nvml, &device), PLACE),
    };
    (LocatedGpu { address, gpu }, ids(&device, index))
}

fn read<T>(answer: Result<T, NvmlError>) -> Reading<T> {
    match answer {
        Ok(value) => Reading::host(value, PLACE),
        Err(error) => Reading::unreadable(words(&error)),
    }
}

fn parsed(answer: Result<String, NvmlError>) -> Reading<DriverVersion> {
    match answer.map(|text| text.parse()) {
        Ok(Ok(version)) => Reading::host(version, PLACE),
        Ok(Err(error)) => Reading::unreadable(format!("{PLACE}: {error}")),
        Err(error) => Reading::unreadable(words(&error)),
    }
}

/// The error in the words of `nvmlErrorString`, which nvidia-smi prints, and its number in nvml.h, e.g.
/// `Driver/library version mismatch (NVML error 18)`.
fn words(error: &NvmlError) -> String {
    let (words, number) = match error {
        NvmlError::Uninitialized => ("Uninitialized", 1),
        NvmlError::InvalidArg => ("Invalid Argument", 2),
        NvmlError::NotSupported => ("Not Supported", 3),
        NvmlError::NoPermission => ("Insufficient Permissions", 4),
        NvmlError::NotFound => ("Not Found", 6),
        NvmlError::InsufficientPower => ("Insufficient External Power", 8),
        NvmlError::DriverNotLoaded => ("Driver Not Loaded", 9),
        NvmlError::Timeout => ("Timeout", 10),
        NvmlError::IrqIssue => ("Interrupt Request Issue", 11),
        NvmlError::LibraryNotFound => ("NVML Shared Library Not Found", 12),
        NvmlError::FunctionNotFound => ("Function Not Found", 13),
        NvmlError::CorruptedInfoROM => ("Corrupted infoROM", 14),
        NvmlError::GpuLost => ("GPU is lost", 15),
        NvmlError::ResetRequired => ("GPU requires reset", 16),
        NvmlError::OperatingSystem => ("GPU access blocked by the operating system", 17),
        NvmlError::LibRmVersionMismatch => ("Driver/library version mismatch", 18),
        NvmlError::InUse => ("In use by another client", 19),
        NvmlError::InsufficientMemory => ("Insufficient Memory", 20),
        NvmlError::Unknown => ("Unknown Error", 999),
        NvmlError::UnexpectedVariant(number) => ("Unexpected error", *number),
        NvmlError::FailedToLoadSymbol(reason) => return format!("the NVML library lacks a function: {reason}"),
        other => return other.to_string(),
    };
    format!("{words} (NVML error {number})")
}
