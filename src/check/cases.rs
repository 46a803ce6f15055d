//! Machines and reports for the tests of rules: what one rule finds there when every check has looked.

use std::fmt::Debug;
use std::str::FromStr;

use crate::facts::{
    CodeGroup, Distribution, Facts, Gpu, GpuState, LibCuda, Library, Management, Origin, Pasted, Place, Python,
    PythonImplementation, Reading,
};
use crate::finding::{Finding, Rule};
use crate::rules::{Workload, embedded};

/// Facts under construction; what nobody adds is unknown.
pub struct Case {
    pub facts: Facts,
}

/// A value that a test writes as text, e.g. `570.86.15`.
pub fn read<T: FromStr<Err: Debug>>(text: &str) -> Reading<T> {
    Reading::host(value(text), "the test")
}

/// The same without where it was read.
pub fn value<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("the test writes it correctly")
}

impl Case {
    /// Linux on x86-64.
    pub fn host() -> Self {
        let mut facts = Facts::unknown(Origin::Host);
        facts.system.os = read("linux");
        facts.system.arch = read("x86_64");
        Self { facts }
    }

    /// A pasted report that names no platform.
    pub fn report() -> Self {
        Self { facts: Facts { pasted: Some(Pasted::default()), ..Facts::unknown(Origin::Report) } }
    }

    /// Other facts.
    pub fn with(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(&mut self.facts);
        self
    }

    /// One GPU of a compute capability, e.g. `NVIDIA H100 80GB HBM3` and `9.0`.
    pub fn gpu(self, name: &str, capability: &str) -> Self {
        let gpu = Gpu { name: read(name), compute_capability: read(capability), ..Gpu::default() };
        self.with(|facts| facts.gpus = Reading::host(vec![gpu], "the test"))
    }

    /// One H100 of 80 GiB of which NVML told the state; nothing is wrong with it but what is changed here.
    pub fn h100(self, change: impl FnOnce(&mut Gpu, &mut GpuState)) -> Self {
        let (name, compute_capability) = (read("NVIDIA H100 80GB HBM3"), read("9.0"));
        let memory_bytes = Reading::host(80 << 30, "NVML");
        let mut gpu = Gpu { name, compute_capability, memory_bytes, ..Gpu::default() };
        let mut state = GpuState::default();
        change(&mut gpu, &mut state);
        gpu.state = Reading::host(state, "NVML");
        self.with(|facts| facts.gpus = Reading::host(vec![gpu], "NVML"))
    }

    /// The kernel driver, e.g. `570.86.15`.
    pub fn driver(self, version: &str) -> Self {
        self.with(|facts| facts.driver.version = read(version))
    }

    /// A cuda-compat libcuda in front of the driver's own.
    pub fn compat(self, version: &str) -> Self {
        let path = "/usr/local/cuda/compat/libcuda.so.1".to_owned();
        let found_by = "LD_LIBRARY_PATH".to_owned();
        let library = LibCuda { path, found_by, version: read(version), compat: true, stub: false };
        self.with(|facts| facts.loader.libcuda = Reading::host(library, "the test"))
    }

    /// The interpreter, e.g. `3.12`.
    pub fn python(self, version: &str) -> Self {
        let python = Python {
            executable: Reading::Unknown,
            prefix: "/work/venv".to_owned(),
            base_prefix: Reading::Unknown,
            version: read(version),
            implementation: PythonImplementation::CPython,
            free_threaded: false,
            bits: Reading::Unknown,
            chosen_by: "the test".to_owned(),
            path: Vec::new(),
            management: Management::default(),
            place: Place::default(),
        };
        self.with(|facts| facts.python = Reading::host(python, "the test"))
    }

    /// An installed distribution whose files nobody read.
    pub fn installed(self, name: &str, version: &str) -> Self {
        self.distribution(name, version, |_| {})
    }

    /// The same with its files.
    pub fn files(self, name: &str, version: &str, libraries: Vec<Library>) -> Self {
        self.distribution(name, version, |own| own.libraries = Reading::binary(libraries, "the test"))
    }

    /// An installed distribution of which more is known.
    pub fn distribution(self, name: &str, version: &str, change: impl FnOnce(&mut Distribution)) -> Self {
        let version = Reading::metadata(version.to_owned(), "the test");
        let mut own = Distribution { name: name.to_owned(), version, ..Distribution::default() };
        change(&mut own);
        self.with(|facts| facts.distributions.push(own))
    }

    /// torch as its own `version.py` has it, e.g. `2.9.0+cu128` and `12.8`.
    pub fn torch(self, version: &str, cuda: &str) -> Self {
        self.distribution("torch", version, |own| own.build.cuda = read(cuda))
    }

    /// What one rule finds, with the id: `gpu-arch/torch: torch 2.6.0+cu124 has no kernel …`.
    pub fn found(&self, rule: &Rule) -> Vec<String> {
        self.findings(rule).iter().map(|finding| format!("{}: {}", finding.id, finding.title)).collect()
    }

    /// The same whole.
    pub fn findings(&self, rule: &Rule) -> Vec<Finding> {
        let checked = super::run(&self.facts, embedded(), &Workload::default());
        super::findings(&checked).into_iter().filter(|finding| finding.id.is(rule)).collect()
    }
}

/// A library with code for GPUs, by the number of containers: `(9, "sm_80 compute_80")`.
pub fn code(path: &str, groups: &[(u32, &str)]) -> Library {
    let group = |(containers, targets): &(u32, &str)| CodeGroup {
        containers: *containers,
        targets: targets.split(' ').map(value).collect(),
    };
    Library { path: path.to_owned(), code: groups.iter().map(group).collect(), ..Library::default() }
}
