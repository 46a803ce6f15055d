use std::collections::BTreeSet;

use crate::facts::{Facts, Part, Reading, Source};
use crate::rules::RuleDb;
use crate::rules::schema::GpuClass;
use crate::version::{ComputeCapability, CudaVersion, DriverVersion, GlibcVersion, PythonVersion};

/// What must be satisfied: GPUs, driver, Python, platform, glibc. From facts, or from arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// What a fleet calls it, e.g. `train`.
    pub name: Option<String>,
    /// One entry per GPU; empty on a machine without one, or where none is known.
    pub gpus: Vec<TargetGpu>,
    /// The kernel driver.
    pub driver: Option<DriverVersion>,
    /// The user-mode driver of a cuda-compat package in front of the installed one.
    pub compat: Option<DriverVersion>,
    /// The interpreter.
    pub python: Option<PythonVersion>,
    /// The interpreter has no global lock.
    pub free_threaded: bool,
    /// `linux_x86_64` or `linux_aarch64`.
    pub platform: Option<String>,
    /// The C library.
    pub glibc: Option<GlibcVersion>,
    /// Only builds for this CUDA runtime, `--cuda`.
    pub cuda: Option<CudaVersion>,
    /// Only CPU builds, `--cuda cpu`, whatever GPUs there are.
    pub cpu_only: bool,
}

/// One GPU of a target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TargetGpu {
    /// For sentences: `GPU 0 NVIDIA GeForce RTX 5090`, `RTX 5090`.
    pub label: String,
    /// The product: `NVIDIA GeForce RTX 5090`, or what the argument said.
    pub name: String,
    /// The driver's index; none for a GPU named by an argument.
    pub index: Option<u32>,
    /// E.g. `12.0`.
    pub capability: ComputeCapability,
    /// E.g. `geforce`; unknown where only a compute capability was given.
    pub class: Option<GpuClass>,
    /// The bytes of memory that it has; several where its name does not say which, none where nobody knows.
    pub memory: Vec<u64>,
}

impl Target {
    /// What the facts of an environment demand. GPUs of unknown compute capability are left out. What is known in part demands all
    /// that it may be: of a driver's branch the first, of a GPU each compute capability.
    #[must_use]
    pub fn from_facts(facts: &Facts, db: &RuleDb) -> Self {
        let gpus = facts.gpus.value().map(Vec::as_slice).unwrap_or_default();
        let gpus = gpus.iter().flat_map(|gpu| {
            let name = gpu.name.value();
            let class = name.and_then(|name| db.gpu_by_name(name)).and_then(|model| model.class);
            let by_part = || name.and_then(|name| db.class_of_part(name));
            let by_id = || gpu.pci_device.value().and_then(|id| db.gpu_by_pci(*id)).and_then(|model| model.class);
            let class = class.or_else(by_id).or_else(by_part);
            let told = &gpu.compute_capability;
            let capabilities = told.value().into_iter().chain(told.part().into_iter().flat_map(Part::among));
            capabilities.map(move |capability| TargetGpu {
                label: gpu.label(),
                name: gpu.name.value().cloned().unwrap_or_else(|| "unnamed".to_owned()),
                index: Some(gpu.index),
                capability: *capability,
                class,
                // A MIG instance has a part of what is reported.
                memory: gpu
                    .memory_bytes
                    .value()
                    .filter(|_| gpu.mig.value() != Some(&true))
                    .into_iter()
                    .copied()
                    .collect(),
            })
        });
        let gpus: Vec<TargetGpu> = gpus.collect();
        // Jetson's drivers have numbers of their own (`540.4.0`, `580.00`), to be compared with no other's.
        let is_jetson = gpus.iter().any(|gpu| gpu.class == Some(GpuClass::JetsonTegra));
        let driver = &facts.driver.version;
        let driver = driver.value().or(driver.part().and_then(|part| part.among().first()));
        let driver = driver.filter(|_| !is_jetson).cloned();
        let compat = facts.loader.libcuda.value().filter(|library| library.compat && !library.stub);
        let python = facts.python.value();
        Self {
            name: None,
            gpus,
            compat: compat.and_then(|library| library.version.value().cloned()),
            driver,
            python: python.and_then(|python| python.version.value().copied()),
            free_threaded: python.is_some_and(|python| python.free_threaded),
            platform: platform(facts),
            glibc: facts.system.glibc.value().copied(),
            cuda: None,
            cpu_only: false,
        }
    }

    /// The compute capabilities of its GPUs, each once, oldest first.
    #[must_use]
    pub fn capabilities(&self) -> BTreeSet<ComputeCapability> {
        self.gpus.iter().map(|gpu| gpu.capability).collect()
    }

    /// The same as [`Self::from_facts`], on the usual platform where the facts do not say which.
    #[must_use]
    pub fn to_plan_for(facts: &Facts, db: &RuleDb) -> Self {
        let target = Self::from_facts(facts, db);
        Self { platform: target.platform.clone().or_else(|| Self::usual_platform(facts)), ..target }
    }

    /// The platform, or the one that is meant where nobody says: Linux, on x86-64, which Windows is on too. None on another system
    /// whose machine type is not known.
    #[must_use]
    pub fn usual_platform(facts: &Facts) -> Option<String> {
        let os = facts.system.os.value().map_or("linux", String::as_str);
        let arch =
            facts.system.arch.value().map(String::as_str).or(matches!(os, "linux" | "windows").then_some("x86_64"))?;
        Some(format!("{os}_{arch}"))
    }

    /// What is known of it in one line, e.g. `RTX 5090 (compute capability 12.0), driver 570.133.20, Python 3.11`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut words = Vec::new();
        for gpu in &self.gpus {
            let capability = format!("compute capability {}", gpu.capability);
            let alike = self.gpus.iter().filter(|other| other.label == gpu.label).count();
            let number = if alike > 1 { format!("{alike}x ") } else { String::new() };
            let word = if gpu.label == capability {
                format!("{number}{capability}")
            } else {
                format!("{number}{} ({capability})", gpu.label)
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        if self.gpus.is_empty() {
            words.push("no GPU".to_owned());
        }
        words.extend(self.driver.as_ref().map(|driver| format!("driver {driver}")));
        words.extend(self.compat.as_ref().map(|driver| format!("cuda-compat {driver}")));
        words.extend(self.cuda.map(|cuda| format!("CUDA {cuda}")));
        words.extend(self.cpu_only.then(|| "CPU builds".to_owned()));
        let kind = if self.free_threaded { "free-threaded Python" } else { "Python" };
        words.extend(self.python.map(|python| format!("{kind} {python}")));
        words.extend(self.platform.clone());
        words.extend(self.glibc.map(|glibc| format!("glibc {glibc}")));
        words.join(", ")
    }

    /// The driver whose CUDA a process gets: the compat library's where one is in front, else the kernel's.
    #[must_use]
    pub fn user_mode_driver(&self) -> Option<&DriverVersion> {
        self.compat.as_ref().or(self.driver.as_ref())
    }
}

/// Names GPUs in a sentence, those of one product together: `GPU 0 NVIDIA A10 and GPUs 1 to 7 NVIDIA L4`.
#[must_use]
pub fn gpu_words(gpus: &[&TargetGpu]) -> String {
    let mut groups: Vec<Vec<&TargetGpu>> = Vec::new();
    for gpu in gpus {
        match groups
            .iter_mut()
            .find(|group| group[0].name == gpu.name && group[0].index.is_some() == gpu.index.is_some())
        {
            Some(group) => group.push(gpu),
            None => groups.push(vec![gpu]),
        }
    }
    let words = groups.iter().map(|group| {
        let indices: Vec<_> = group.iter().filter_map(|gpu| gpu.index).collect();
        match indices.as_slice() {
            [] if group.len() > 1 => format!("{} {}", group.len(), group[0].name),
            [] | [_] => group[0].label.clone(),
            [first, .., last] if *last as usize - *first as usize == indices.len() - 1 => {
                format!("GPUs {first} to {last} {}", group[0].name)
            }
            _ => {
                let indices: Vec<_> = indices.iter().map(ToString::to_string).collect();
                format!("GPUs {} {}", crate::text::list(&indices), group[0].name)
            }
        }
    });
    crate::text::list(&words.collect::<Vec<_>>())
}

/// Compute capabilities as `torch.utils.cpp_extension` reads them, e.g. `9.0;12.0`.
#[must_use]
pub fn arch_list(gpus: impl IntoIterator<Item = ComputeCapability>) -> String {
    gpus.into_iter().map(|gpu| gpu.to_string()).collect::<Vec<_>>().join(";")
}

/// The platform in the rules' words, e.g. `linux_x86_64`. No Windows machine with an NVIDIA GPU is of another type.
fn platform(facts: &Facts) -> Option<String> {
    let os = facts.system.os.value()?;
    let usual = || (os == "windows").then_some("x86_64");
    let arch = facts.system.arch.value().map(String::as_str).or_else(usual)?;
    Some(format!("{os}_{arch}"))
}

/// Fills in compute capabilities that the probe could not read, from the PCI id or the product name.
pub fn complete_gpus(facts: &mut Facts, db: &RuleDb) {
    let Reading::Known { value: gpus, .. } = &mut facts.gpus else { return };
    for gpu in gpus.iter_mut().filter(|gpu| gpu.compute_capability.value().is_none()) {
        let by_id = gpu.pci_device.value().and_then(|id| db.gpu_by_pci(*id));
        let by_name = || gpu.name.value().and_then(|name| db.gpu_by_name(name));
        if let Some(model) = by_id.or_else(by_name) {
            gpu.compute_capability = Reading::Known { value: model.capability, source: Source::Rule(model.citation) };
        } else if let Some(name) = gpu.name.value() {
            let models = db.gpus_of_part(name);
            let citation = models.first().map(|model| model.citation.clone()).unwrap_or_default();
            let part = Part::new(name.as_str(), models.into_iter().map(|model| model.capability));
            let source = Source::Rule(citation);
            gpu.compute_capability = match part {
                Some(part) => match *part.among() {
                    [value] => Reading::Known { value, source },
                    _ => Reading::Partly { part, source },
                },
                None => continue,
            };
        }
    }
}
