//! Follows the imports of the installed packages in their files.
//!
//! Finds modules as Python does, folder by folder of its path, and reads those that are reached, ahead of the walk on a thread
//! of its own for each core: a module that was read names those that come next.

mod wants;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

pub use super::finder::Place;

use super::finder::Finder;
use crate::facts::{Distribution, Imports, PythonImplementation, Reading};
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

/// As much text is followed of what is not of the stack before the rest is left, and as much of what lies below packages, in
/// bytes: by who follows, not by who reads ahead, so that it is the same each time.
const BUDGET: u64 = 12 << 20;
/// No module is longer.
const LONGEST: u64 = 8 << 20;
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
    let Some(Walked { evidence, parts, left }) = walked else {
        return Reading::unreadable("following the imports stopped: a bug, please report it");
    };
    let imports = Imports { wants: wants::wants(place, &evidence, &parts), left };
    Reading::binary(imports, "the modules of the installed packages")
}

/// Does something when it goes, also where a thread panics: nobody waits for what will not come.
struct AtEnd<F: Fn()>(F);

impl<F: Fn()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

struct Walked {
    /// What stops, and the module whose import it stops.
    evidence: Vec<(Evidence, Option<String>)>,
    /// Those modules that lie below a package.
    parts: HashSet<String>,
    /// Packages that were not followed.
    left: Vec<String>,
}

/// A module whose import is followed.
struct Root {
    module: String,
    /// It is of the stack.
    of_stack: bool,
}

/// Follows all packages, then the modules directly below those that came through: `statsmodels.api`.
fn follow(files: &Files<'_>, roots: &[Root]) -> Walked {
    let mut walk = Walk::new(files);
    let (mut left, mut whole, mut is_beside) = (Vec::new(), Vec::new(), false);
    for Root { module, of_stack } in roots.iter().filter(|it| !files.is_by_names(&it.module)) {
        if !of_stack && !std::mem::replace(&mut is_beside, true) {
            files.begin();
        }
        if !of_stack && files.is_spent() {
            left.push(module.clone());
            continue;
        }
        files.expect(module);
        if walk.import(module) {
            whole.push(module);
        }
    }
    let mut parts = HashSet::new();
    let scripts: HashSet<String> = files.place.distributions.iter().flat_map(|it| files.finder.scripts(it)).collect();
    files.begin();
    for part in whole.into_iter().flat_map(|it| files.finder.below(it, &scripts)) {
        if files.is_spent() {
            break;
        }
        files.expect(&part);
        walk.import_part(&part);
        parts.insert(part);
    }
    Walked { evidence: walk.end(), parts, left }
}

/// The packages whose import is followed: those of the stack, then those that nothing needs, then what else was asked for by name.
fn roots(place: Place<'_>, finder: &Finder<'_>, scope: Scope) -> Vec<Root> {
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
    let rank = |it: &Distribution| match ((scope.is_part)(&it.name), needed.contains(&it.name)) {
        (true, _) => Some(0),
        (false, false) => Some(1),
        (false, true) => is_top(it).then_some(2),
    };
    for of_rank in 0..=2 {
        let its = place.distributions.iter().filter(|it| rank(it) == Some(of_rank));
        let mut names: Vec<String> = its.flat_map(|it| finder.tops(it)).collect();
        names.sort();
        let new = names.into_iter().filter(|name| seen.insert(name.clone()));
        roots.extend(new.map(|module| Root { module, of_stack: of_rank == 0 }));
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
    /// What comes now has its own budget.
    fn begin(&self) {
        self.followed.store(0, Ordering::Relaxed);
    }

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

    fn spells(&self, extension: &str, name: &str) -> bool {
        self.finder.spells(extension, name)
    }

    fn python(&self) -> (i64, i64, i64) {
        let micro = self.version.micro.unwrap_or(99);
        (i64::from(self.version.major), i64::from(self.version.minor), i64::from(micro))
    }
}
