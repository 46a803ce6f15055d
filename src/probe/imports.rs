//! Follows the imports of the installed packages in their files.
//!
//! Finds modules as Python does, folder by folder of its path, and reads those that are reached, ahead of the walk on a thread
//! of its own for each core: a module that was read names those that come next.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

pub use super::finder::Place;

use super::finder::Finder;
use crate::facts::{Distribution, Imports, PythonImplementation, Reading, Want, Wanted};
use crate::imports::{Evidence, Found, Modules, Prepared, Walk};
use crate::python::metadata::requirement_name;
use crate::version::PythonVersion;

/// Which imports are followed.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// Whether a distribution is of the stack, by its normalised name; the caller asks the rules.
    pub is_part: fn(&str) -> bool,
    /// Whether only the names of its modules are asked for, since it is large; by its normalised name too.
    pub is_large: fn(&str) -> bool,
    /// All distributions, and all they hold.
    pub all: bool,
}

/// As much text is followed before what is not of the stack is left, in bytes: by who follows, not by who reads ahead, so that
/// it is the same each time.
const BUDGET: u64 = 12 << 20;
/// No module is longer.
const LONGEST: u64 = 8 << 20;
/// More findings are not told.
const MOST: usize = 60;
/// Blocks nest, and so do the calls that follow them.
const STACK: usize = 256 << 20;

/// Follows them; unknown where the interpreter is not known well enough.
#[must_use]
pub fn probe(place: Place<'_>, scope: Scope) -> Reading<Imports> {
    let Some(version) = place.python.version.value().copied() else { return Reading::Unknown };
    if place.python.implementation != PythonImplementation::CPython || place.python.path.is_empty() {
        return Reading::Unknown;
    }
    let finder = Finder::new(place, version);
    let roots = roots(place, &finder, scope);
    let by_names = if scope.all { HashSet::new() } else { by_names(place, &finder, scope) };
    let budget = if scope.all { u64::MAX } else { BUDGET };
    let files = Files {
        place,
        finder: &finder,
        version,
        by_names,
        budget,
        followed: AtomicU64::new(0),
        state: Mutex::default(),
        woken: Condvar::new(),
    };
    let cores = thread::available_parallelism().map_or(1, usize::from).min(8);
    let walked = thread::scope(|scope_| {
        for _ in 1..cores.max(2) {
            let ahead = thread::Builder::new().stack_size(STACK);
            if ahead.spawn_scoped(scope_, || files.read_ahead()).is_err() {
                break;
            }
        }
        let walk = thread::Builder::new().stack_size(STACK).spawn_scoped(scope_, || {
            let _end = AtEnd(|| files.end());
            follow(&files, &roots)
        });
        match walk {
            Ok(walk) => walk.join().ok(),
            Err(_) => {
                files.end();
                None
            }
        }
    });
    let Some((walked, left)) = walked else {
        return Reading::unreadable("following the imports stopped: a bug, please report it");
    };
    let owners = Owners { place, records: Mutex::default() };
    let wants = wants(&walked.0, &owners);
    let imports = Imports { modules: walked.1, unknown: walked.2, wants, left };
    Reading::binary(imports, "the modules of the installed packages")
}

/// Does something when it goes, also where a thread panics: nobody waits for what will not come.
struct AtEnd<F: Fn()>(F);

impl<F: Fn()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

type Walked = (Vec<(Evidence, Option<String>)>, usize, usize);

fn follow(files: &Files<'_>, roots: &[(String, bool)]) -> (Walked, Vec<String>) {
    let mut walk = Walk::new(files);
    let mut left = Vec::new();
    for (root, is_part) in roots {
        if files.is_by_names(root) {
            continue;
        }
        if !is_part && files.is_spent() {
            left.push(root.clone());
            continue;
        }
        files.expect(root);
        walk.import(root);
    }
    let walked = walk.end();
    ((walked.evidence, walked.modules, walked.unknown), left)
}

/// The modules whose import is followed: those of the stack, then those of what was asked for by name or is needed by nothing.
fn roots(place: Place<'_>, finder: &Finder<'_>, scope: Scope) -> Vec<(String, bool)> {
    let needed: BTreeSet<String> = place
        .distributions
        .iter()
        .filter_map(|it| it.metadata.value())
        .flat_map(|it| &it.requires)
        .filter(|line| !line.contains("extra"))
        .map(|line| requirement_name(line))
        .collect();
    let is_top = |it: &Distribution| scope.all || it.requested || !needed.contains(&it.name);
    let mut seen = BTreeSet::new();
    let mut roots = Vec::new();
    for of_stack in [true, false] {
        let mut names = Vec::new();
        for it in place.distributions {
            let is_part = (scope.is_part)(&it.name);
            if is_part == of_stack && (is_part || is_top(it)) {
                names.extend(finder.tops(it));
            }
        }
        names.sort();
        roots.extend(names.into_iter().filter(|name| seen.insert(name.clone())).map(|name| (name, of_stack)));
    }
    roots
}

/// The top modules of large packages, whose inside is not followed.
fn by_names(place: Place<'_>, finder: &Finder<'_>, scope: Scope) -> HashSet<String> {
    let large = place.distributions.iter().filter(|it| (scope.is_large)(&it.name));
    large.flat_map(|it| finder.tops(it)).collect()
}

/// Modules as they are read, by several threads.
struct Files<'a> {
    place: Place<'a>,
    finder: &'a Finder<'a>,
    version: PythonVersion,
    by_names: HashSet<String>,
    budget: u64,
    /// How much of it was followed.
    followed: AtomicU64,
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    read: HashMap<String, Slot>,
    /// Names of modules that are likely to come next, the next one last.
    next: Vec<String>,
    ended: bool,
}

#[derive(Clone)]
enum Slot {
    Busy,
    Done(Option<Arc<Prepared>>),
}

impl Files<'_> {
    fn is_spent(&self) -> bool {
        self.followed.load(Ordering::Relaxed) > self.budget
    }

    fn is_by_names(&self, module: &str) -> bool {
        self.by_names.contains(module.split('.').next().unwrap_or_default())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expect(&self, name: &str) {
        self.lock().next.push(name.to_owned());
        self.woken.notify_one();
    }

    fn end(&self) {
        self.lock().ended = true;
        self.woken.notify_all();
    }

    fn read_ahead(&self) {
        loop {
            let mut state = self.lock();
            let name = loop {
                if state.ended {
                    return;
                }
                match state.next.pop() {
                    Some(name) => break name,
                    None => state = self.woken.wait(state).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(state);
            // Its parents run first.
            let ends = name.match_indices('.').map(|(at, _)| at).chain([name.len()]);
            for end in ends {
                match self.find(&name[..end]) {
                    Found::Text { path, package } if !self.is_by_names(&name) => {
                        drop(self.load(&path, &name[..end], package, true));
                    }
                    Found::Namespace => {}
                    _ => break,
                }
            }
        }
    }

    /// Reads a module once; whoever comes while another thread does waits, unless it reads ahead.
    fn load(&self, path: &str, name: &str, package: bool, ahead: bool) -> Option<Arc<Prepared>> {
        let mut state = self.lock();
        loop {
            match state.read.get(path) {
                Some(Slot::Done(module)) => return module.clone(),
                Some(Slot::Busy) if ahead => return None,
                Some(Slot::Busy) => state = self.woken.wait(state).unwrap_or_else(PoisonError::into_inner),
                None => break,
            }
        }
        state.read.insert(path.to_owned(), Slot::Busy);
        drop(state);
        let _freed = AtEnd(|| {
            if let Some(slot @ Slot::Busy) = self.lock().read.get_mut(path) {
                *slot = Slot::Done(None);
            }
            self.woken.notify_all();
        });
        let bytes = self.place.root.read(path, LONGEST).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let module = Prepared::read(&text, name).map(Arc::new);
        let mut next = module.as_ref().map(|it| it.imports(name, package)).unwrap_or_default();
        next.reverse();
        let mut state = self.lock();
        state.next.extend(next);
        state.read.insert(path.to_owned(), Slot::Done(module.clone()));
        module
    }
}

impl Modules for Files<'_> {
    fn find(&self, name: &str) -> Found {
        match self.finder.find(name) {
            Found::Text { path, .. } if self.is_by_names(name) => Found::Names(path),
            found => found,
        }
    }

    fn read(&self, path: &str, name: &str) -> Option<Arc<Prepared>> {
        let package = path.ends_with("/__init__.py");
        // Nothing that a module of the library imports is followed.
        if name.is_empty() {
            let bytes = self.place.root.read(path, LONGEST).ok()?;
            return Prepared::read(&String::from_utf8_lossy(&bytes), "").map(Arc::new);
        }
        let module = self.load(path, name, package, false);
        let bytes = module.as_ref().map_or(0, |it| it.module.text.len() as u64);
        self.followed.fetch_add(bytes, Ordering::Relaxed);
        module
    }

    fn version(&self, distribution: &str) -> Option<Option<String>> {
        let name = requirement_name(distribution);
        match self.place.distributions.iter().find(|it| it.name == name) {
            Some(it) => it.version.value().map(|it| Some(it.clone())),
            None => Some(None),
        }
    }

    fn variable(&self, name: &str) -> Option<Option<String>> {
        self.place.root.is_host().then(|| self.place.environment.get(name).cloned())
    }

    fn python(&self) -> (i64, i64, i64) {
        let micro = self.version.micro.unwrap_or(99);
        (i64::from(self.version.major), i64::from(self.version.minor), i64::from(micro))
    }
}

/// Which distribution a file belongs to.
struct Owners<'a> {
    place: Place<'a>,
    records: Mutex<HashMap<usize, String>>,
}

impl Owners<'_> {
    fn of(&self, file: &str) -> Option<String> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, it) in self.place.distributions.iter().enumerate() {
            let Some(below) = file.strip_prefix(it.location.as_str()).and_then(|it| it.strip_prefix('/')) else {
                continue;
            };
            let record = records.entry(at).or_insert_with(|| {
                let path = format!("{}/{}/RECORD", it.location, it.metadata_dir);
                let text = self.place.root.read(&path, 32 << 20).unwrap_or_default();
                format!("\n{}", String::from_utf8_lossy(&text))
            });
            if record.contains(&format!("\n{below},")) {
                return Some(it.name.clone());
            }
        }
        // Installed in development mode: by the name of its folder.
        let stem = file.strip_suffix(".py").unwrap_or(file);
        let parts: Vec<String> = stem.split('/').map(requirement_name).collect();
        let is_it = |it: &&Distribution| it.editable && parts.contains(&it.name);
        self.place.distributions.iter().find(is_it).map(|it| it.name.clone())
    }
}

/// What was found, each thing once.
fn wants(evidence: &[(Evidence, Option<String>)], owners: &Owners<'_>) -> Vec<Want> {
    let mut by_evidence: BTreeMap<&Evidence, BTreeSet<String>> = BTreeMap::new();
    for (it, stops) in evidence {
        by_evidence.entry(it).or_default().extend(stops.clone());
    }
    let want = |(it, stops): (&Evidence, BTreeSet<String>)| Want {
        importer: owners.of(&it.file),
        file: it.file.clone(),
        line: it.line,
        wanted: it.wanted,
        module: it.module.clone(),
        name: it.name.clone(),
        owner: it.owner.as_deref().and_then(|it| owners.of(it)),
        stops: stops.into_iter().collect(),
    };
    let mut wants: Vec<Want> = by_evidence.into_iter().take(MOST).map(want).collect();
    // What stops an import for certain is not told again as what may.
    let certain: Vec<(Wanted, String, String)> = wants
        .iter()
        .filter(|it| !it.stops.is_empty())
        .map(|it| (it.wanted, it.module.clone(), it.name.clone()))
        .collect();
    wants.retain(|it| !it.stops.is_empty() || !certain.contains(&(it.wanted, it.module.clone(), it.name.clone())));
    wants
}
