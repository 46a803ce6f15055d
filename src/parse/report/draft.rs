//! Collects what the readers found, and makes facts of it: the strongest statement counts, and what disagrees is told.

use std::collections::{BTreeMap, BTreeSet};

use super::clean::Clean;
use crate::facts::{
    Candidate, CodeGroup, Contradiction, Distribution, Facts, Gpu, LibCuda, Library, Link, Nvml, Origin, Pasted,
    Python, PythonImplementation, Reading, Unmet, Unresolved, Xid,
};
use crate::parse::wheel::normalise_name;
use crate::version::{CodeTarget, ComputeCapability, CudaVersion, DriverVersion, GlibcVersion, PythonVersion};

/// How sure a statement is, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The running program, or the driver, said it.
    Running,
    /// A list of what is installed, from whatever interpreter.
    Listed,
    /// Somebody's words.
    Told,
    /// A command that was to install it, or has removed it.
    Asked,
}

/// One value with its rank and place.
#[derive(Debug, Clone, PartialEq)]
struct Said<T> {
    value: T,
    rank: Rank,
    place: String,
}

/// All that was said of one thing.
#[derive(Debug, Clone)]
pub struct Statements<T>(Vec<Said<T>>);

impl<T> Default for Statements<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Statements<String> {
    /// Takes out what another statement says in more words: `Ubuntu 24.04` beside `Ubuntu 24.04.2 LTS`.
    fn without_parts(mut self) -> Self {
        let all: Vec<String> = self.0.iter().map(|said| said.value.clone()).collect();
        self.0.retain(|said| !all.iter().any(|other| other != &said.value && other.starts_with(&said.value)));
        self
    }
}

impl<T: PartialEq + Clone> Statements<T> {
    /// Adds one, unless it was said before.
    pub fn add(&mut self, value: T, rank: Rank, place: impl Into<String>) {
        // Enough to find a contradiction; hostile texts repeat themselves.
        if self.0.len() < 64 && !self.0.iter().any(|said| said.value == value && said.rank <= rank) {
            self.0.push(Said { value, rank, place: place.into() });
        }
    }

    /// The strongest; of equally strong ones the first. People's words that disagree with each other tell nothing.
    fn best(&self) -> Option<&Said<T>> {
        let best = self.0.iter().min_by_key(|said| said.rank)?;
        let disputed =
            best.rank >= Rank::Told && self.0.iter().any(|said| said.rank == best.rank && said.value != best.value);
        (!disputed).then_some(best)
    }

    fn reading(&self) -> Reading<T> {
        self.best().map_or(Reading::Unknown, |said| Reading::host(said.value.clone(), said.place.clone()))
    }

    /// The best and another one that programs stated too.
    fn dispute(&self) -> Option<(&Said<T>, &Said<T>)> {
        let best = self.best()?;
        let other = self.0.iter().find(|said| said.rank <= Rank::Listed && said.value != best.value)?;
        Some((best, other))
    }
}

/// GPUs as one source lists them.
#[derive(Debug, Clone)]
struct GpuList {
    rank: Rank,
    place: String,
    gpus: Vec<Gpu>,
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
    pub pasted: Pasted,
    lists: Vec<GpuList>,
    gpus_told: usize,
    capabilities: Vec<(Option<String>, ComputeCapability, String)>,
    packages: BTreeMap<String, Statements<String>>,
    libraries: BTreeMap<String, Vec<Library>>,
    built_for: BTreeMap<String, (String, String)>,
    locations: BTreeMap<String, String>,
    /// Further copies of a distribution, behind the one that is imported.
    copies: BTreeMap<String, Vec<(String, String)>>,
    /// The driver version of the cuda-compat libcuda in use, and of a package that is only installed.
    pub compat: Statements<DriverVersion>,
    pub compat_package: Statements<DriverVersion>,
    /// Lines that tell of something else than this environment.
    aside: BTreeSet<usize>,
    /// Every line that a reader understood.
    lines: BTreeSet<usize>,
    /// The first line and the last of each reader, in order.
    seen: Vec<(&'static str, usize, usize)>,
}

/// Readers of single lines: what stands between two of theirs is not read for that.
const OF_LINES: [&str; 4] = [MESSAGES, WORDS, SOURCE, VENDOR];
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

    /// A statement of an installer's proof.
    pub fn candidate(&mut self, candidate: Candidate) {
        let same = |other: &Candidate| Candidate { place: candidate.place.clone(), ..other.clone() } == candidate;
        if self.pasted.candidates.len() < 200 && !self.pasted.candidates.iter().any(same) {
            self.pasted.candidates.push(candidate);
        }
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
        if self.pasted.unmet.len() < 200 && !self.pasted.unmet.contains(&unmet) {
            self.pasted.unmet.push(unmet);
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

    /// The facts.
    pub fn finish(mut self, text: &Clean<'_>) -> Facts {
        // What was asked of an installer that gave up is not there for that.
        if !self.pasted.candidates.is_empty() {
            self.packages.retain(|_, said| said.0.is_empty() || said.0.iter().any(|said| said.rank < Rank::Asked));
        }
        let mut facts = Facts::unknown(Origin::Report);
        let system = &mut facts.system;
        system.os = self.os.reading();
        system.arch = self.arch.reading();
        system.distro = std::mem::take(&mut self.distro).without_parts().reading();
        system.kernel = self.kernel.reading();
        system.glibc = self.glibc.reading();
        system.container = self.container.reading();
        system.wsl = self.wsl.reading();
        system.shm_bytes = self.shm.reading();
        if !self.xids.is_empty() {
            system.xid = Reading::host(std::mem::take(&mut self.xids), "the report");
        }
        system.environment = std::mem::take(&mut self.environment);
        facts.driver.version = self.driver.reading();
        facts.driver.cuda = self.driver_cuda.reading();
        if let Some(said) = self.nvml.best() {
            let nvml = Nvml { library: said.place.clone(), version: said.value.clone() };
            facts.driver.nvml = Reading::host(nvml, said.place.clone());
        }
        if let Some(error) = self.nvml_error.take() {
            facts.driver.nvml = Reading::unreadable(error);
        }
        if let Some(library) = self.libcuda.take() {
            facts.loader.libcuda = Reading::host(library, "ldconfig -p");
        }
        self.compat(&mut facts);
        facts.gpus = self.gpus();
        if facts.driver.version.is_unknown()
            && let Some(place) = &self.no_driver
        {
            facts.driver.version = Reading::absent(place.clone());
        }
        if let Some(said) = self.python.best() {
            let python = Python {
                executable: Reading::Unknown,
                prefix: "the report's environment".to_owned(),
                base_prefix: Reading::Unknown,
                version: Reading::host(said.value, said.place.clone()),
                implementation: PythonImplementation::default(),
                free_threaded: false,
                chosen_by: said.place.clone(),
                path: Vec::new(),
                management: crate::facts::Management::default(),
                place: crate::facts::Place::default(),
            };
            facts.python = Reading::host(python, said.place.clone());
        }
        self.contradictions();
        facts.distributions = self.distributions();
        let seen = self.seen.iter().map(|(name, first, last)| match first == last {
            true => format!("{name}, line {first}"),
            false => format!("{name}, lines {first} to {last}"),
        });
        self.pasted.recognised = seen.collect();
        self.pasted.not_read = text.log.numbers().filter(|number| !self.has_read(*number)).count();
        facts.pasted = Some(self.pasted);
        facts
    }

    /// Whether a reader understood a line, or read on over it: not every line of a report says something about GPUs.
    fn has_read(&self, line: usize) -> bool {
        let whole = self.seen.iter().filter(|(reader, ..)| !OF_LINES.contains(reader));
        self.lines.contains(&line) || whole.into_iter().any(|(_, first, last)| (*first..=*last).contains(&line))
    }

    /// A report that names the driver version of its cuda-compat package names the libcuda in use.
    fn compat(&self, facts: &mut Facts) {
        let Some(said) = self.compat.best().or(self.compat_package.best()) else { return };
        let version = Reading::host(said.value.clone(), said.place.clone());
        match &mut facts.loader.libcuda {
            Reading::Known { value, .. } if value.compat && value.version.value().is_none() => value.version = version,
            Reading::Unknown if self.compat.best().is_some() => {
                let found_by = said.place.clone();
                let library = LibCuda { path: "libcuda.so.1".to_owned(), found_by, version, compat: true, stub: false };
                facts.loader.libcuda = Reading::host(library, said.place.clone());
            }
            _ => {}
        }
    }

    fn gpus(&mut self) -> Reading<Vec<Gpu>> {
        let named = |list: &GpuList| list.gpus.iter().filter(|gpu| gpu.name.value().is_some()).count();
        let best = self.lists.iter().min_by_key(|list| (list.rank, std::cmp::Reverse(named(list))));
        // Words that name several products do not say which of them is here.
        let ambiguous = best.is_some_and(|list| {
            let mut names: Vec<_> =
                list.gpus.iter().filter_map(|gpu| gpu.name.value()).map(|name| squeeze(name)).collect();
            names.sort();
            names.dedup();
            list.rank >= Rank::Told && names.len() > 1
        });
        // A warning that names a GPU counts more than people's words.
        let warned = self.capabilities.iter().any(|(name, ..)| name.is_some());
        let Some(list) = best.filter(|list| !(ambiguous || warned && list.rank >= Rank::Told)) else {
            return self.gpus_by_capability();
        };
        let mut gpus = list.gpus.clone();
        if list.rank >= Rank::Told {
            // Words repeat one product; they do not count cards.
            gpus.truncate(1);
            gpus.iter_mut().for_each(|gpu| gpu.index = 0);
        }
        let place = list.place.clone();
        for gpu in gpus.iter_mut().filter(|gpu| gpu.compute_capability.value().is_none()) {
            let name = gpu.name.value().map(|name| squeeze(name));
            let told = self.capabilities.iter().find(|(other, ..)| match (&name, other) {
                (Some(name), Some(other)) => name.contains(&squeeze(other)) || squeeze(other).contains(name.as_str()),
                _ => false,
            });
            if let Some((_, capability, place)) = told {
                gpu.compute_capability = Reading::host(*capability, place.clone());
            }
        }
        // A nameless capability belongs to the only GPU there is.
        if let ([gpu], [(None, capability, place)]) = (gpus.as_mut_slice(), self.capabilities.as_slice())
            && gpu.compute_capability.value().is_none()
            && gpu.name.value().is_none()
        {
            gpu.compute_capability = Reading::host(*capability, place.clone());
        }
        gpus.sort_by_key(|gpu| gpu.index);
        Reading::host(gpus, place)
    }

    /// From sentences that name a GPU or its compute capability, where nothing lists GPUs.
    fn gpus_by_capability(&self) -> Reading<Vec<Gpu>> {
        let mut gpus: Vec<Gpu> = Vec::new();
        let any_named = self.capabilities.iter().any(|(name, ..)| name.is_some());
        for (name, capability, place) in &self.capabilities {
            if any_named && name.is_none() {
                continue;
            }
            let known = gpus
                .iter()
                .any(|gpu| gpu.name.value() == name.as_ref() && gpu.compute_capability.value() == Some(capability));
            if !known {
                gpus.push(Gpu {
                    index: u32::try_from(gpus.len()).unwrap_or(0),
                    name: name.as_ref().map_or(Reading::Unknown, |name| Reading::host(name.clone(), place.clone())),
                    compute_capability: Reading::host(*capability, place.clone()),
                    ..Gpu::default()
                });
            }
        }
        match (gpus.is_empty(), &self.no_gpu) {
            (false, _) => Reading::host(gpus, "an error message"),
            (true, Some(place)) => Reading::absent(place.clone()),
            (true, None) => Reading::Unknown,
        }
    }

    fn contradictions(&mut self) {
        let mut found = Vec::new();
        let mut add = |what: &str, used: (String, String), other: (String, String)| {
            found.push(Contradiction { what: what.to_owned(), used, other });
        };
        if let Some((used, other)) = self.driver.dispute() {
            add("driver", (used.value.to_string(), used.place.clone()), (other.value.to_string(), other.place.clone()));
        }
        if let Some((used, other)) = self.python.dispute()
            && (used.value.major, used.value.minor) != (other.value.major, other.value.minor)
        {
            add("Python", (used.value.to_string(), used.place.clone()), (other.value.to_string(), other.place.clone()));
        }
        for (name, statements) in &self.packages {
            let Some(best) = statements.best() else { continue };
            let other = statements.0.iter().find(|said| {
                said.rank <= Rank::Listed && best.rank <= Rank::Listed && differ(&said.value, &best.value)
            });
            if let Some(other) = other {
                add(name, (best.value.clone(), best.place.clone()), (other.value.clone(), other.place.clone()));
            }
        }
        self.pasted.contradictions = found;
    }

    fn distributions(&mut self) -> Vec<Distribution> {
        let mut names: Vec<String> = self.packages.keys().chain(self.libraries.keys()).cloned().collect();
        names.sort();
        names.dedup();
        let empty = Statements::default();
        let copies = std::mem::take(&mut self.copies);
        names
            .into_iter()
            .flat_map(|name| {
                let statements = self.packages.get(&name).unwrap_or(&empty);
                let best = statements.best();
                let mut made = Distribution { name: name.clone(), ..Distribution::default() };
                if let Some(best) = best {
                    made.version = Reading::metadata(public(&best.value).to_owned(), best.place.clone());
                    // Lists print the version of the metadata; the program that runs knows its local label.
                    let full = statements
                        .0
                        .iter()
                        .filter(|said| !differ(&said.value, &best.value))
                        .find(|said| said.value.contains('+'))
                        .unwrap_or(best);
                    let disputed_told = full.rank >= Rank::Told && best.rank < Rank::Told;
                    let full = if disputed_told { best } else { full };
                    if full.value.contains('+') || full.rank == Rank::Running {
                        made.build.version = Reading::binary(full.value.clone(), full.place.clone());
                    }
                }
                if name == "torch"
                    && let Some(cuda) = self.torch_cuda.best()
                {
                    made.build.cuda = match cuda.value {
                        Some(version) => Reading::binary(version, cuda.place.clone()),
                        None => Reading::absent(cuda.place.clone()),
                    };
                }
                if let Some((torch, place)) = self.built_for.get(&name) {
                    made.build.torch = Reading::binary(torch.clone(), place.clone());
                }
                if let Some(folder) = self.locations.get(&name) {
                    made.location.clone_from(folder);
                }
                if let Some(libraries) = self.libraries.remove(&name) {
                    made.libraries = Reading::binary(libraries, "an error message");
                }
                let others =
                    copies.get(&name).into_iter().flatten().map(|(version, place)| other_copy(&name, version, place));
                std::iter::once(made).chain(others.collect::<Vec<_>>())
            })
            .collect()
    }
}

/// A copy that import does not find.
fn other_copy(name: &str, version: &str, place: &str) -> Distribution {
    let mut made = Distribution { name: name.to_owned(), ..Distribution::default() };
    made.version = Reading::metadata(public(version).to_owned(), place);
    if version.contains('+') {
        made.build.version = Reading::binary(version.to_owned(), place);
    }
    made
}

/// Whether two versions of one distribution cannot be the same build.
fn differ(one: &str, other: &str) -> bool {
    // Most do in a byte before any label, and need not be taken apart.
    let first = one.bytes().zip(other.bytes()).find(|(one, other)| one != other || *one == b'+');
    if first.is_some_and(|(one, other)| one != b'+' && other != b'+') {
        return true;
    }
    public(one) != public(other)
        || matches!((one.split_once('+'), other.split_once('+')), (Some((_, one)), Some((_, other))) if one != other)
}

fn public(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}

fn squeeze(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', ' '], "").replace("nvidia", "").replace("geforce", "")
}

/// Whether a word is a version: `2.7.1+cu126`, `0.0.26.post1`, `2.6.0.dev20241112+cu121`, not `2.x`.
pub fn is_version(word: &str) -> bool {
    let mut parts = word.splitn(2, '.');
    let (Some(first), Some(rest)) = (parts.next(), parts.next()) else { return false };
    let number = |text: &str| !text.is_empty() && text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    word.len() <= 64
        && number(first)
        && rest.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-_!".contains(&byte))
        && !rest.ends_with('.')
        // The tag of an image, `pytorch:23.09-py3`.
        && !rest.contains("-py")
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
