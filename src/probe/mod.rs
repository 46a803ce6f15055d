//! This machine, or a folder that holds one, to [`Facts`].
//!
//! The edge of the program: here files, processes and NVIDIA's library are touched, and nothing is decided. Each part
//! can be asked alone, and a part that fails leaves its reason in its readings and does not cost the others:
//!
//! - [`nvml`], [`kernel`], [`smi`]: the driver and the GPUs, merged by [`gpus`],
//! - [`visibility`]: what stands between those GPUs and CUDA; [`cuda_init`] asks CUDA itself,
//! - [`loader`]: which `libcuda.so.1` a process started now would get,
//! - [`system`]: operating system, container, shared memory, environment variables,
//! - [`python`]: the interpreter, with [`python_path`] its folders, [`site_packages`] what is installed in them and
//!   [`build_stamp`] what those files say of their build; the caller passes it to [`probe`] as a function.
//!
//! Nothing of the inspected environment is imported, run or written. With a folder (`--root`) only its files are read.

#![expect(clippy::disallowed_methods, reason = "the edge that reads files, environment, clock and processes")]

pub mod build_stamp;
mod child;
pub mod clock;
pub mod cuda_init;
pub mod file_at;
mod finder;
mod gpu_state;
pub mod gpus;
pub mod imports;
pub mod interpreter;
pub mod kernel;
pub mod kernel_log;
pub mod limits;
pub mod link;
pub mod loader;
mod modules;
pub mod nvml;
mod object_files;
pub mod objects;
mod place;
pub mod python;
mod python_library;
pub mod python_path;
pub mod root;
pub mod scan;
pub mod site_packages;
pub mod smi;
pub mod system;
pub mod toolchain;
pub mod verify;
pub mod visibility;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use clock::Clock;
use loader::LibrarySearch;
use nvml::{NvmlFacts, NvmlLibrary};
use root::RootFs;

use crate::facts::{Distribution, Driver, Facts, Gpu, Loader, Origin, Python, Reading, System, Visibility};
use crate::machine::nvidia_smi::{PLACE as SMI_PLACE, SmiReport};

/// What to inspect.
#[derive(Debug, Clone)]
pub struct Request {
    /// The file system: this machine's or a folder's.
    pub root: RootFs,
    /// The environment of the machine, from [`system::environment`].
    pub environment: BTreeMap<String, String>,
    /// The working directory, for relative entries of `LD_LIBRARY_PATH`.
    pub current_dir: Option<String>,
    /// Which NVML to ask.
    pub nvml: NvmlLibrary,
    /// How long nvidia-smi may take, none not to run it.
    pub smi_limit: Option<Duration>,
    /// How long CUDA may take to start in a process of its own, none not to start it.
    pub cuda_limit: Option<Duration>,
    /// Whether a library's name is that of a part of CUDA, e.g. `libcudnn.so.9`; the caller asks the rules.
    pub is_cuda_library: fn(&str) -> bool,
    /// Whether a distribution is one of the wheels with NVIDIA's libraries, e.g. `nvidia-cudnn-cu12`; the caller asks the rules.
    pub is_nvidias: fn(&str) -> bool,
    /// Which imports are followed; none follows none.
    pub imports: Option<imports::Scope>,
    /// Whether a variable is recorded, e.g. `CUDA_VISIBLE_DEVICES`; the caller asks the rules. No other leaves the machine.
    pub is_recorded: fn(&str) -> bool,
    /// Read the installed libraries too.
    pub libraries: bool,
    /// Compare every installed file with its hash in RECORD, which takes seconds.
    pub deep: bool,
    /// Remembers what each part took.
    pub clock: Arc<Clock>,
}

impl Request {
    /// Inspects this machine, with the environment and working directory of this process.
    #[must_use]
    pub fn host() -> Self {
        let process = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
        let nvml = std::env::var_os(nvml::VARIABLE).filter(|path| !path.is_empty());
        Self {
            root: RootFs::host(),
            environment: process.collect(),
            current_dir: std::env::current_dir().ok().and_then(|path| path.into_os_string().into_string().ok()),
            nvml: nvml.map_or(NvmlLibrary::Search, |path| NvmlLibrary::Path(path.into())),
            smi_limit: Some(smi::TIME_LIMIT),
            cuda_limit: None,
            is_cuda_library: |_| false,
            is_nvidias: |_| false,
            imports: None,
            is_recorded: |_| false,
            libraries: true,
            deep: false,
            clock: Arc::default(),
        }
    }

    /// Inspects a folder that holds another machine: its files only, no driver is asked and nothing is run.
    #[must_use]
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        let root = RootFs::at(folder);
        let environment = system::environment(&root, &BTreeMap::new());
        Self {
            root,
            environment,
            current_dir: None,
            nvml: NvmlLibrary::Skip,
            smi_limit: None,
            cuda_limit: None,
            is_cuda_library: |_| false,
            is_nvidias: |_| false,
            imports: None,
            is_recorded: |_| false,
            libraries: true,
            deep: false,
            clock: Arc::default(),
        }
    }
}

/// What the Python part finds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PythonFacts {
    /// The interpreter and its path.
    pub python: Reading<Python>,
    /// Installed distributions in the order of the path.
    pub distributions: Vec<Distribution>,
}

/// Inspects everything, the parts side by side.
#[must_use]
pub fn probe(request: &Request, python: impl FnOnce(&Request) -> PythonFacts + Send) -> Facts {
    let mut facts = Facts::unknown(if request.root.is_host() { Origin::Host } else { Origin::Root });
    // The installed libraries take longest and wait for Python and system only, not for the driver.
    thread::scope(|scope| {
        let host = scope.spawn(|| request.clock.time("driver and GPUs", || driver_and_visibility(request)));
        let cuda = request
            .cuda_limit
            .map(|limit| scope.spawn(move || request.clock.time("CUDA's own start", || cuda_init::ask(limit))));
        let python = scope.spawn(|| request.clock.time("Python and its distributions", || python(request)));
        let system = scope.spawn(|| {
            request.clock.time("system", || system::probe(&request.root, &request.environment, request.is_recorded))
        });
        match system.join() {
            Ok(system) => facts.system = system,
            Err(_) => facts.system = System { os: Reading::unreadable(stopped("system")), ..System::default() },
        }
        match python.join() {
            Ok(found) => (facts.python, facts.distributions) = (found.python, found.distributions),
            Err(_) => facts.python = Reading::unreadable(stopped("Python")),
        }
        if request.root.is_host() {
            request.clock.time("toolchain and disks", || {
                let python = facts.python.value();
                facts.toolchain = toolchain::probe(&request.root, &request.environment, python);
                let prefix = python.map(|python| python.prefix.as_str());
                facts.system.disks = limits::disks(&request.root, &request.environment, prefix);
            });
        } else {
            // An image is built elsewhere: what it lacks to compile with says nothing. Triton's assembler it brings along.
            facts.toolchain.ptxas = toolchain::named_ptxas(&request.root, &request.environment);
        }
        with_libraries(request, &mut facts, host);
        if let Some(cuda) = cuda {
            facts.visibility.cuda = cuda.join().unwrap_or_else(|_| Reading::unreadable(stopped("CUDA")));
        }
    });
    facts
}

/// A part that panics is a bug; the others still report, and the facts say which part is missing.
fn stopped(part: &str) -> String {
    format!("gpudoc's {part} probe stopped: a bug, please report it")
}

/// What takes longest and waits for Python and system only: the installed libraries and what is imported, meanwhile the driver
/// answers, and the loader is asked with it.
fn with_libraries(
    request: &Request,
    facts: &mut Facts,
    host: ScopedJoinHandle<'_, (Driver, Reading<Vec<Gpu>>, Visibility)>,
) {
    let arch = facts.system.arch.value().cloned().unwrap_or_default();
    let search = LibrarySearch::new(&request.root, &arch, &request.environment, request.current_dir.as_deref());
    let python = facts.python.value();
    // Modules say nothing of libraries, and are followed while those are read.
    let installed = request.imports.map(|_| facts.distributions.clone()).unwrap_or_default();
    let distributions = &mut facts.distributions;
    let (loader, read, imports) = thread::scope(|scope| {
        let imports = request.imports.zip(python).map(|(wanted, python)| {
            let installed = &installed;
            scope.spawn(move || {
                let (root, environment) = (&request.root, &request.environment);
                let current_dir = request.current_dir.as_deref();
                let place = imports::Place { root, python, distributions: installed, environment, current_dir };
                request.clock.time("imports", || imports::probe(place, wanted))
            })
        });
        let objects = scope.spawn(|| {
            if request.libraries {
                request.clock.time("installed libraries", || {
                    let known =
                        objects::Named { is_cuda_library: request.is_cuda_library, is_nvidias: request.is_nvidias };
                    objects::probe(&request.root, &search, known, python, distributions);
                });
            }
            if request.deep {
                request.clock.time("hashes of installed files", || verify::verify(&request.root, distributions));
            }
        });
        match host.join() {
            Ok((driver, gpus, visibility)) => {
                (facts.driver, facts.gpus, facts.visibility) = (driver, gpus, visibility);
            }
            Err(_) => facts.gpus = Reading::unreadable(stopped("driver")),
        }
        let (search, kernel) = (&search, facts.driver.version.value());
        let loader = scope.spawn(move || {
            let base = python.and_then(|python| python.base_prefix.value()).map(String::as_str);
            request.clock.time("loader", || Loader {
                libstdcxx: loader::libstdcxx(search, base),
                ..loader::probe(search, kernel)
            })
        });
        (loader.join(), objects.join(), imports.map(ScopedJoinHandle::join))
    });
    facts.imports = match imports {
        Some(Ok(imports)) => imports,
        Some(Err(_)) => Reading::unreadable(stopped("import")),
        None => Reading::Unknown,
    };
    if read.is_err() {
        let unreadable = || Reading::unreadable(stopped("library"));
        facts.distributions.iter_mut().for_each(|distribution| distribution.libraries = unreadable());
    }
    facts.loader =
        loader.unwrap_or_else(|_| Loader { libcuda: Reading::unreadable(stopped("loader")), ..Loader::default() });
}

/// Asks NVML, the kernel and, where NVML could not be loaded, nvidia-smi.
#[must_use]
pub fn driver_and_gpus(request: &Request) -> (Driver, Reading<Vec<Gpu>>) {
    let (driver, gpus, _) = driver_and_visibility(request);
    (driver, gpus)
}

/// The same, with what CUDA may see of those GPUs.
#[must_use]
pub fn driver_and_visibility(request: &Request) -> (Driver, Reading<Vec<Gpu>>, Visibility) {
    let nvml = nvml::probe(&request.nvml);
    let kernel = kernel::probe(&request.root);
    let smi = match (&nvml.library, request.smi_limit) {
        (Reading::Absent { .. } | Reading::Unreadable { .. }, Some(limit)) => {
            smi::probe(&request.environment, limit).unwrap_or_default()
        }
        _ => SmiReport::default(),
    };
    let visibility = visibility::probe(&request.root, &request.environment, &nvml.ids);
    let (driver, gpus) = combine(nvml, kernel, smi);
    (driver, gpus, visibility)
}

/// Puts the answers together: NVML, kernel files, PCI ids, nvidia-smi.
fn combine(nvml: NvmlFacts, kernel: kernel::Kernel, smi: SmiReport) -> (Driver, Reading<Vec<Gpu>>) {
    let by_nvml = nvml.gpus.value().map_or(&[][..], Vec::as_slice);
    let observers = [by_nvml, &kernel.driven, &kernel.on_bus, &kernel.on_board, &smi.gpus];
    let places = [nvml::PLACE, "/proc/driver/nvidia/gpus", "/sys/bus/pci/devices", kernel::BOARD, SMI_PLACE];
    let gpus = match gpus::merge(&observers) {
        Some((gpus, first)) => Reading::host(gpus, places[first]),
        // NVML's own refusal says more than "none seen"; without kernel files nobody looked at all.
        None => match (&nvml.gpus, &nvml.library, &kernel.version) {
            (Reading::Unreadable { error }, ..) => Reading::unreadable(error.clone()),
            (_, Reading::Unreadable { error }, version) if version.value().is_some() => {
                Reading::unreadable(error.clone())
            }
            (_, Reading::Unknown, Reading::Unknown) => Reading::Unknown,
            (_, Reading::Unknown, _) => Reading::absent(places[1..3].join(", ")),
            _ => Reading::absent(places[..3].join(", ")),
        },
    };
    let by_smi = |version| Reading::host(version, SMI_PLACE);
    let driver = Driver {
        version: nvml.driver.or(kernel.version).or(smi.driver.map_or(Reading::Unknown, by_smi)),
        cuda: nvml.cuda.or(smi.cuda.map_or(Reading::Unknown, |version| Reading::host(version, SMI_PLACE))),
        module: kernel.module,
        package: Reading::Unknown,
        nvml: nvml.library,
        confidential: nvml.confidential,
    };
    (driver, gpus)
}
