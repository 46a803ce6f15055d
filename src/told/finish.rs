//! Makes facts of what the readers found: the strongest statement counts, and what disagrees is told.

use std::collections::BTreeSet;

use super::clean::Clean;
use super::draft::{Draft, GpuList, OF_LINES};
use super::field::READER;
use super::said::{Rank, Said, Statements, differ, public};
use crate::facts::{
    Contradiction, Distribution, Facts, Gpu, LibCuda, Nvcc, Nvml, Origin, Part, Pasted, Python, PythonImplementation,
    Reading, Source,
};
use crate::python::wheel::normalise_name;
use crate::version::DriverVersion;

/// A copy that import does not find.
fn other_copy(name: &str, version: &str, place: &str) -> Distribution {
    let mut made = Distribution { name: name.to_owned(), ..Distribution::default() };
    made.version = Reading::told(public(version).to_owned(), place);
    if version.contains('+') {
        made.build.version = Reading::told(version.to_owned(), place);
    }
    made
}

/// Whether one name is the other with a CUDA: `cupy-cuda11x` and `cudf-cu12` are, `jax-cuda12-plugin` is another distribution.
fn names_its_cuda(name: &str, other: &str) -> bool {
    let cuda = other.strip_prefix(name).and_then(|rest| rest.strip_prefix("-cu"));
    let major = cuda.map(|cuda| cuda.trim_start_matches("da").trim_end_matches('x'));
    major.is_some_and(|major| !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit()))
}

fn squeeze(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', ' '], "").replace("nvidia", "").replace("geforce", "")
}

/// Lines that say nothing to any reader, of which the first are shown.
const UNREAD: usize = 2;
/// How much of such a line is shown, in characters.
const SHOWN: usize = 70;

impl Draft {
    /// The facts.
    pub fn finish(mut self, text: &Clean<'_>) -> Facts {
        // What was asked of an installer that gave up is not there for that.
        if !self.installing.candidates.is_empty() {
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
            system.xid = Reading::told(std::mem::take(&mut self.xids), "the report");
        }
        system.environment = std::mem::take(&mut self.environment);
        facts.driver.version = self.driver.reading().or(self.branch());
        facts.driver.cuda = self.driver_cuda.reading();
        facts.driver.package = std::mem::take(&mut self.driver_package);
        facts.visibility.available = std::mem::take(&mut self.available);
        facts.visibility.without_gpus = std::mem::take(&mut self.without_gpus);
        facts.loader.plain_libcuda = std::mem::take(&mut self.plain_libcuda);
        facts.toolchain.nvcc = std::mem::take(&mut self.nvcc).map(|cuda| Nvcc {
            path: "nvcc".to_owned(),
            cuda: Some(cuda),
            newest_gcc: None,
        });
        facts.whole_list = std::mem::take(&mut self.whole_list);
        facts.vendor = std::mem::take(&mut self.vendor);
        if let Some(said) = self.nvml.best() {
            let nvml = Nvml { library: said.place.clone(), version: said.value.clone() };
            facts.driver.nvml = Reading::told(nvml, said.place.clone());
        }
        if let Some(error) = self.nvml_error.take() {
            facts.driver.nvml = Reading::unreadable(error);
        }
        if let Some(library) = self.libcuda.take() {
            facts.loader.libcuda = Reading::told(library, "ldconfig -p");
        }
        self.compat(&mut facts);
        facts.gpus = self.gpus();
        if facts.driver.version.is_unknown()
            && let Some(place) = &self.no_driver
        {
            facts.driver.version = Reading::absent(place.clone());
        }
        if let Some(python) = self.interpreter() {
            facts.python = python;
        }
        self.outlived();
        facts.installing = std::mem::take(&mut self.installing);
        let contradictions = self.contradictions();
        self.under_their_full_names();
        facts.distributions = self.distributions();
        let seen = self.seen.iter().map(|(name, first, last)| match first == last {
            true => format!("{name}, line {first}"),
            false => format!("{name}, lines {first} to {last}"),
        });
        let recognised = seen.collect();
        let unread: Vec<usize> = text.log.numbers().filter(|number| !self.has_read(*number)).collect();
        let lines = text.lines.iter().filter(|line| unread.contains(&line.number));
        let first = lines.take(UNREAD).map(|line| told(&line.text)).collect();
        facts.pasted = Some(Pasted { recognised, not_read: unread.len(), unread: first, contradictions });
        facts
    }

    /// The interpreter, where the report says its version or that it is of 64 bits.
    fn interpreter(&mut self) -> Option<Reading<Python>> {
        let version = self.python.reading();
        let place = version.source().or(self.bits.source())?.place().to_owned();
        let python = Python {
            executable: Reading::Unknown,
            prefix: "the report's environment".to_owned(),
            base_prefix: Reading::Unknown,
            version,
            implementation: PythonImplementation::default(),
            free_threaded: false,
            bits: std::mem::take(&mut self.bits),
            chosen_by: place.clone(),
            path: Vec::new(),
            management: crate::facts::Management { conda: self.conda.is_some(), ..crate::facts::Management::default() },
            place: crate::facts::Place::default(),
        };
        Some(Reading::told(python, place))
    }

    /// A program says its module's name: `CuPy Version` beside a list with `cupy-cuda11x` is no second distribution.
    fn under_their_full_names(&mut self) {
        let versions = |said: &Statements<String>| said.0.iter().map(|it| it.value.clone()).collect::<BTreeSet<_>>();
        let by_program =
            |said: &Statements<String>| !said.0.is_empty() && said.0.iter().all(|it| it.place.starts_with(READER));
        let told: Vec<String> =
            self.packages.iter().filter(|(_, said)| by_program(said)).map(|(name, _)| name.clone()).collect();
        for name in told {
            let own = versions(&self.packages[&name]);
            let is_it = |other: &String| names_its_cuda(&name, other) && versions(&self.packages[other]) == own;
            if self.packages.keys().any(is_it) {
                self.packages.remove(&name);
            }
        }
    }

    /// Whether a reader understood a line, or read on over it: not every line of a report says something about GPUs.
    fn has_read(&self, line: usize) -> bool {
        let whole = self.seen.iter().filter(|(reader, ..)| !OF_LINES.contains(reader));
        self.lines.contains(&line) || whole.into_iter().any(|(_, first, last)| (*first..=*last).contains(&line))
    }

    /// A report that names the driver version of its cuda-compat package names the libcuda in use.
    fn compat(&self, facts: &mut Facts) {
        let Some(said) = self.compat.best().or(self.compat_package.best()) else { return };
        let version = Reading::told(said.value.clone(), said.place.clone());
        match &mut facts.loader.libcuda {
            Reading::Known { value, .. } if value.compat && value.version.value().is_none() => value.version = version,
            Reading::Unknown if self.compat.best().is_some() => {
                let found_by = said.place.clone();
                let library = LibCuda { path: "libcuda.so.1".to_owned(), found_by, version, compat: true, stub: false };
                facts.loader.libcuda = Reading::told(library, said.place.clone());
            }
            _ => {}
        }
    }

    /// Some driver of a branch.
    fn branch(&self) -> Reading<DriverVersion> {
        let part = self.driver_branch.best().and_then(|said| {
            let part = Part::new(said.value.to_string(), DriverVersion::ends_of(said.value))?;
            Some(Reading::Partly { part, source: Source::Report(said.place.clone()) })
        });
        part.unwrap_or_default()
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
                gpu.compute_capability = Reading::told(*capability, place.clone());
            }
        }
        // A nameless capability belongs to the only GPU there is.
        if let ([gpu], [(None, capability, place)]) = (gpus.as_mut_slice(), self.capabilities.as_slice())
            && gpu.compute_capability.value().is_none()
            && gpu.name.value().is_none()
        {
            gpu.compute_capability = Reading::told(*capability, place.clone());
        }
        gpus.sort_by_key(|gpu| gpu.index);
        Reading::told(gpus, place)
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
                    name: name.as_ref().map_or(Reading::Unknown, |name| Reading::told(name.clone(), place.clone())),
                    compute_capability: Reading::told(*capability, place.clone()),
                    ..Gpu::default()
                });
            }
        }
        match (gpus.is_empty(), &self.no_gpu) {
            (false, _) => Reading::told(gpus, "an error message"),
            (true, Some(place)) => Reading::absent(place.clone()),
            (true, None) => Reading::Unknown,
        }
    }

    /// Forgets what an installer complained of, and a list further down has otherwise: it was put right since.
    fn outlived(&mut self) {
        let line = |place: &str| place.rsplit_once("line ").and_then(|(_, number)| number.parse::<usize>().ok());
        let mut over: Vec<(String, String, String)> = Vec::new();
        for unmet in &self.installing.unmet {
            let (Some(found), Some(at)) = (&unmet.found, line(&unmet.place)) else { continue };
            let end = unmet.requirement.find(|letter: char| "<>=!~ ;[(".contains(letter));
            let name = normalise_name(end.map_or(unmet.requirement.as_str(), |end| &unmet.requirement[..end]));
            let later = |said: &Said<String>| {
                said.rank == Rank::Listed
                    && !said.place.starts_with("pip, ")
                    && line(&said.place).is_some_and(|other| other > at)
                    && differ(&said.value, found)
            };
            if self.packages.get(&name).is_some_and(|said| said.0.iter().any(later)) {
                over.push((name, found.clone(), unmet.place.clone()));
            }
        }
        for (name, found, place) in over {
            self.installing.unmet.retain(|it| it.place != place);
            if let Some(said) = self.packages.get_mut(&name) {
                said.0.retain(|it| it.place != place || differ(&it.value, &found));
            }
        }
    }

    fn contradictions(&self) -> Vec<Contradiction> {
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
        found
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
                    made.version = Reading::told(public(&best.value).to_owned(), best.place.clone());
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
                        made.build.version = Reading::told(full.value.clone(), full.place.clone());
                    }
                }
                if name == "torch"
                    && let Some(cuda) = self.torch_cuda.best()
                {
                    made.build.cuda = match cuda.value {
                        Some(version) => Reading::told(version, cuda.place.clone()),
                        None => Reading::absent(cuda.place.clone()),
                    };
                }
                if let Some((torch, place)) = self.built_for.get(&name) {
                    made.build.torch = Reading::told(torch.clone(), place.clone());
                }
                // A wheel that somebody names; of what is listed nobody knows from which it came.
                if let Some([tag]) = self.wheel_tags.get(&name).map(Vec::as_slice)
                    && best.is_none_or(|best| best.rank > Rank::Listed)
                {
                    made.wheel_tags = vec![tag.clone()];
                }
                if self.conda.as_ref().is_some_and(|names| names.contains(&name)) {
                    made.installer = Reading::told("conda".to_owned(), "conda list");
                }
                if let Some(folder) = self.locations.get(&name) {
                    made.location.clone_from(folder);
                }
                if let Some(libraries) = self.libraries.remove(&name) {
                    made.libraries = Reading::told(libraries, "an error message");
                }
                let others =
                    copies.get(&name).into_iter().flatten().map(|(version, place)| other_copy(&name, version, place));
                std::iter::once(made).chain(others.collect::<Vec<_>>())
            })
            .collect()
    }
}

/// The beginning of a line, without what could steer a terminal.
fn told(line: &str) -> String {
    let shown = crate::text::shown(line);
    match shown.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown.into_owned(),
    }
}
