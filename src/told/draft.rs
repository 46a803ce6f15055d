//! Collects what the readers found, and makes facts of it: the strongest statement counts, and what disagrees is told.

use std::collections::{BTreeMap, BTreeSet};

use super::said::{Rank, Said, Statements, differ};
use super::token::is_version;
use crate::facts::{
    Candidate, CodeGroup, Gpu, Installing, LibCuda, Library, Link, Nowhere, Reading, Unmet, Unresolved, Xid,
};
use crate::python::wheel::normalise_name;
use crate::version::{CodeTarget, ComputeCapability, CudaVersion, DriverVersion, GlibcVersion, PythonVersion};

/// GPUs as one source lists them.
#[derive(Debug, Clone)]
pub(super) struct GpuList {
    pub(super) rank: Rank,
    pub(super) place: String,
    pub(super) gpus: Vec<Gpu>,
}

/// What was found so far.
#[derive(Default)]
pub struct Draft {
    pub os: Statements<String>,
    pub arch: Statements<String>,
    pub distro: Statements<String>,
    pub kernel: Statements<String>,
    pub glibc: Statements<GlibcVersion>,
    pub container: Statements<String>,
    pub wsl: Statements<u32>,
    pub shm: Statements<u64>,
    pub xids: Vec<Xid>,
    pub driver: Statements<DriverVersion>,
    /// The branch alone, e.g. 535.
    pub driver_branch: Statements<u32>,
    pub driver_cuda: Statements<CudaVersion>,
    pub nvml: Statements<String>,
    pub nvml_error: Option<String>,
    pub python: Statements<PythonVersion>,
    pub torch_cuda: Statements<Option<CudaVersion>>,
    pub environment: BTreeMap<String, String>,
    /// A tool looked for a GPU or a driver and found none: where.
    pub no_gpu: Option<String>,
    pub no_driver: Option<String>,
    pub libcuda: Option<LibCuda>,
    pub plain_libcuda: Reading<String>,
    /// What torch said of CUDA: one yes counts more than any no.
    pub available: Reading<bool>,
    /// The driver package that is installed.
    pub driver_package: Reading<DriverVersion>,
    /// The CUDA of the nvcc that comes first.
    pub nvcc: Reading<CudaVersion>,
    /// How wide Python's pointers are.
    pub bits: Reading<u32>,
    /// A command that starts a container without GPUs.
    pub without_gpus: Reading<String>,
    pub whole_list: Reading<bool>,
    pub vendor: Reading<String>,
    pub installing: Installing,
    pub(super) lists: Vec<GpuList>,
    gpus_told: usize,
    pub(super) capabilities: Vec<(Option<String>, ComputeCapability, String)>,
    pub(super) packages: BTreeMap<String, Statements<String>>,
    pub(super) libraries: BTreeMap<String, Vec<Library>>,
    pub(super) built_for: BTreeMap<String, (String, String)>,
    /// Tags of the wheels that somebody names, by distribution.
    pub(super) wheel_tags: BTreeMap<String, Vec<String>>,
    pub(super) locations: BTreeMap<String, String>,
    /// Whether an environment of conda was seen, and what conda installed in it.
    pub(super) conda: Option<BTreeSet<String>>,
    /// Further copies of a distribution, behind the one that is imported.
    pub(super) copies: BTreeMap<String, Vec<(String, String)>>,
    /// The driver version of the cuda-compat libcuda in use, and of a package that is only installed.
    pub compat: Statements<DriverVersion>,
    pub compat_package: Statements<DriverVersion>,
    /// Lines that tell of something else than this environment.
    aside: BTreeSet<usize>,
    /// Every line that a reader understood.
    pub(super) lines: BTreeSet<usize>,
    /// The first line and the last of each reader, in order.
    pub(super) seen: Vec<(&'static str, usize, usize)>,
}

/// Readers of single lines: what stands between two of theirs is not read for that.
pub(super) const OF_LINES: [&str; 4] = [MESSAGES, WORDS, SOURCE, VENDOR];
/// Words of another vendor.
pub const VENDOR: &str = "another vendor's stack";
/// Known messages, and sentences that state a fact.
pub const MESSAGES: &str = "error messages";
/// Lines of programs.
pub const SOURCE: &str = "lines of a program";
/// What people say.
pub const WORDS: &str = "people's words";

/// Distributions that one text may name.
const MOST_PACKAGES: usize = 1500;
/// Requirements that it may say were not found.
const MOST_NOWHERE: usize = 40;
/// GPUs that one text may name.
const MOST_GPUS: usize = 64;
/// How often it may name one.
const MOST_TOLD: usize = 2000;

impl Draft {
    /// Notes that a reader understood a line.
    pub fn saw(&mut self, reader: &'static str, line: usize) {
        // What a program states is no people's word.
        if !self.lines.insert(line) && reader == WORDS {
            return;
        }
        match self.seen.iter_mut().find(|(name, ..)| *name == reader) {
            Some((_, first, last)) => {
                *first = line.min(*first);
                *last = line.max(*last);
            }
            None => self.seen.push((reader, line, line)),
        }
    }

    /// Notes that a line tells of something else than this environment: no reader after this one takes it for words.
    pub fn set_aside(&mut self, line: usize) {
        self.aside.insert(line);
    }

    /// Whether a line was set aside.
    pub fn is_aside(&self, line: usize) -> bool {
        self.aside.contains(&line)
    }

    /// An installed distribution, e.g. `torch` `2.7.1+cu126`.
    pub fn package(&mut self, name: &str, version: &str, rank: Rank, place: impl Into<String>) {
        if !is_version(version) || self.packages.len() >= MOST_PACKAGES {
            return;
        }
        let said = self.packages.entry(normalise_name(name)).or_default();
        // The same said with its label is no other version.
        let same = |other: &&mut Said<String>| other.rank == rank && !differ(&other.value, version);
        match said.0.iter_mut().find(same) {
            Some(other) if version.contains('+') && !other.value.contains('+') => version.clone_into(&mut other.value),
            Some(_) => {}
            None => said.add(version.to_owned(), rank, place),
        }
    }

    /// A line of conda's list: the distribution is conda's own, or pip's in an environment of conda.
    pub fn of_conda(&mut self, name: &str, own: bool) {
        let names = self.conda.get_or_insert_default();
        if own && names.len() < MOST_PACKAGES {
            names.insert(normalise_name(name));
        }
    }

    /// A distribution that is there in a version that nobody tells.
    pub fn present(&mut self, name: &str) {
        if self.packages.len() < MOST_PACKAGES {
            self.packages.entry(normalise_name(name)).or_default();
        }
    }

    /// A second copy of a distribution, behind the one that is imported.
    pub fn copy(&mut self, name: &str, version: &str, place: impl Into<String>) {
        let copies = self.copies.entry(normalise_name(name)).or_default();
        if is_version(version) && copies.len() < 8 && !copies.iter().any(|(other, _)| other == version) {
            copies.push((version.to_owned(), place.into()));
        }
    }

    /// What `torch.cuda.is_available()` said.
    pub fn available(&mut self, yes: bool, place: impl Into<String>) {
        if yes || self.available.is_unknown() {
            self.available = Reading::told(yes, place);
        }
    }

    /// The CUDA of nvcc, as a program that needs it says; the first counts.
    pub fn nvcc(&mut self, cuda: CudaVersion, place: impl Into<String>) {
        if self.nvcc.is_unknown() {
            self.nvcc = Reading::told(cuda, place);
        }
    }

    /// A statement of an installer's proof.
    pub fn candidate(&mut self, candidate: Candidate) {
        let same = |other: &Candidate| Candidate { place: candidate.place.clone(), ..other.clone() } == candidate;
        if self.installing.candidates.len() < 200 && !self.installing.candidates.iter().any(same) {
            self.installing.candidates.push(candidate);
        }
    }

    /// A requirement of which an installer found no release; pip says it twice.
    pub fn nowhere(&mut self, nowhere: Nowhere) {
        let known = &mut self.installing.nowhere;
        let at = known.iter().position(|other| other.requirement == nowhere.requirement);
        if let Some(other) = at.and_then(|at| known.get_mut(at)) {
            other.requires_python = other.requires_python.take().or(nowhere.requires_python);
        } else if known.len() < MOST_NOWHERE {
            known.push(nowhere);
        }
    }

    /// A distribution that somebody compiled, with code for GPUs: such code is linked with torch.
    pub fn extension(&mut self, name: &str) {
        const LIBRARY: &str = "libtorch.so";
        let torch = Link { soname: LIBRARY.to_owned(), path: Some(LIBRARY.to_owned()), ..Link::default() };
        self.library(name, "its CUDA extension", |library| library.links = vec![torch]);
    }

    /// The folder from which a distribution is imported.
    pub fn location(&mut self, name: &str, folder: &str) {
        self.locations.entry(normalise_name(name)).or_insert_with(|| folder.to_owned());
    }

    /// A distribution's library: what an error said of it.
    pub fn library(&mut self, name: &str, path: &str, change: impl FnOnce(&mut Library)) {
        let libraries = self.libraries.entry(normalise_name(name)).or_default();
        let at = libraries.iter().position(|library| library.path == path).unwrap_or_else(|| {
            libraries.push(Library { path: path.to_owned(), module: true, ..Library::default() });
            libraries.len() - 1
        });
        if let Some(library) = libraries.get_mut(at) {
            change(library);
        }
    }

    /// A symbol that a library lacks.
    pub fn unresolved(&mut self, name: &str, path: &str, symbol: &str, from: Option<&str>) {
        self.library(name, path, |library| {
            let unresolved = Unresolved { symbol: symbol.to_owned(), from: from.map(str::to_owned) };
            if !library.unresolved.contains(&unresolved) && library.unresolved.len() < 64 {
                library.unresolved.push(unresolved);
            }
        });
    }

    /// A library that the loader did not find.
    pub fn missing(&mut self, name: &str, path: &str, soname: &str) {
        self.library(name, path, |library| {
            let known = library.links.iter().any(|link| link.soname == soname);
            if !known && library.links.len() < 64 {
                library.links.push(Link { soname: soname.to_owned(), ..Link::default() });
            }
        });
    }

    /// The targets that a distribution's code was compiled for, as it says itself.
    pub fn code(&mut self, name: &str, place: &str, mut targets: Vec<CodeTarget>) {
        targets.sort_unstable();
        targets.dedup();
        self.packages.entry(name.to_owned()).or_default();
        self.library(name, place, |library| library.code = vec![CodeGroup { containers: 1, targets }]);
    }

    /// The tags of a wheel, e.g. `cp310-cp310-linux_x86_64`.
    pub fn wheel(&mut self, name: &str, tags: &str) {
        let known = self.wheel_tags.entry(normalise_name(name)).or_default();
        if known.len() < 2 && !known.iter().any(|other| other == tags) {
            known.push(tags.to_owned());
        }
    }

    /// The torch that an extension was built against.
    pub fn built_for(&mut self, name: &str, torch: &str, place: impl Into<String>) {
        self.packages.entry(name.to_owned()).or_default();
        self.built_for.entry(name.to_owned()).or_insert_with(|| (torch.to_owned(), place.into()));
    }

    /// GPUs as one source lists them; called again for the same place it continues the list.
    pub fn gpu(&mut self, gpu: Gpu, rank: Rank, place: &str) {
        self.gpus_told += 1;
        if self.gpus_told > MOST_TOLD {
            return;
        }
        let source = place.split(',').next().unwrap_or_default();
        let list = self.lists.iter_mut().find(|list| list.rank == rank && list.place.starts_with(source));
        let Some(list) = list else {
            self.lists.push(GpuList { rank, place: place.to_owned(), gpus: vec![gpu] });
            return;
        };
        let room = list.gpus.len() < MOST_GPUS;
        match list.gpus.iter_mut().find(|other| other.index == gpu.index) {
            Some(other) => {
                let capability = std::mem::take(&mut other.compute_capability).or(gpu.compute_capability);
                other.compute_capability = capability;
                other.name = std::mem::take(&mut other.name).or(gpu.name);
            }
            None if room => list.gpus.push(gpu),
            None => {}
        }
    }

    /// A GPU's compute capability, by its name where that is told.
    pub fn capability(&mut self, name: Option<&str>, capability: ComputeCapability, place: impl Into<String>) {
        if self.capabilities.len() < MOST_GPUS {
            self.capabilities.push((name.map(str::to_owned), capability, place.into()));
        }
    }

    /// An installer's complaint.
    pub fn unmet(&mut self, unmet: Unmet) {
        if self.installing.unmet.len() < 200 && !self.installing.unmet.contains(&unmet) {
            self.installing.unmet.push(unmet);
        }
    }

    /// Whether all GPUs that count were named.
    pub fn is_full(&self) -> bool {
        self.gpus_told >= MOST_TOLD
    }

    /// Whether a program listed GPUs.
    pub fn has_gpus(&self) -> bool {
        self.lists.iter().any(|list| list.rank <= Rank::Listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_differ_by_what_both_say() {
        for (one, other, expected) in [
            ("2.7.1", "2.7.1", false),
            ("2.7.1", "2.7.1+cu126", false),
            ("2.7.1+cu126", "2.7.1+cu128", true),
            ("2.7.1", "2.7.0", true),
            ("2.7.1", "2.7.10", true),
            ("2.7.10+cu126", "2.7.1", true),
            ("2.7.1+cu126", "2.7.10+cu126", true),
        ] {
            assert_eq!((differ(one, other), differ(other, one)), (expected, expected), "{one} {other}");
        }
    }
}
