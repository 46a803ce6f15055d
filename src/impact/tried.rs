//! The facts as a change would leave them, or as they would be on another machine. Nothing is installed for that.

use std::str::FromStr;

use super::{imports, libraries};
use crate::facts::{
    Changed, Distribution, DistributionBuild, Facts, Gpu, LibCuda, Library, Metadata, Origin, Reading, Source, TORCH,
};
use crate::finding::Change;
use crate::pep::{Version, VersionSpecifiers, pinned};
use crate::rules::model::{Build, Package, Release};
use crate::rules::obstacle::{Obstacle, obstacles};
use crate::rules::requirement::{self, applies, markers, normalise, satisfied, specifiers};
use crate::rules::role::is_runtime_wheel;
use crate::rules::{RuleDb, Target};
use crate::solve::admits_below;
use crate::version::DriverVersion;

/// Where the values of another machine come from.
const ASKED: &str = "as asked";
/// Where the values of tried-out facts come from.
const TRIED: &str = "as the change would leave it";

/// What is known of a distribution after it was compiled anew beside what is there: nothing of its files, and its label was of the
/// build that goes.
pub(super) fn compile(distribution: &mut Distribution) {
    distribution.libraries = Reading::Unknown;
    distribution.wheel_tags.clear();
    distribution.build = DistributionBuild::default();
    if let Reading::Known { value, .. } = &mut distribution.version
        && let Some(public) = value.find('+')
    {
        value.truncate(public);
    }
}

/// The facts as a change would leave them.
#[must_use]
pub fn apply(facts: &Facts, change: &Change, db: &RuleDb) -> Facts {
    let before = facts;
    let mut facts = facts.clone();
    // CUDA answered for the machine as it is.
    facts.visibility.cuda = Reading::Unknown;
    match change {
        Change::All(changes) => facts = changes.iter().fold(facts, |facts, change| apply(&facts, change, db)),
        Change::Install(pins) => {
            for pin in pins {
                install(&mut facts, pin, db);
            }
        }
        Change::Driver(version) => driver(&mut facts, version),
        Change::Compat(version) => compat(&mut facts, version),
        Change::NoCompat => {
            let own = facts.loader.others.iter().find(|library| !library.compat && !library.stub).cloned();
            facts.loader.libcuda = own.map_or(Reading::Unknown, |library| Reading::host(library, TRIED));
        }
        Change::Unset(name) => unset(&mut facts, name),
        Change::Again { name, location } => again(&mut facts, name, location, db),
        Change::Compile { name, location } => {
            let here = |it: &&mut Distribution| it.name == *name && it.location == *location;
            facts.distributions.iter_mut().filter(here).for_each(compile);
        }
        Change::Remove { name, location } => {
            facts.distributions.retain(|distribution| distribution.name != *name || distribution.location != *location);
            for library in libraries::all(&mut facts) {
                library.also_of.retain(|other| other != name);
            }
            place(&mut facts, |place| place.in_front.retain(|it| it.name != *name || it.path != *location));
        }
        Change::OffPath(path) => {
            facts.distributions.retain(|distribution| distribution.location != *path);
            let below =
                |it: &str| it.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            place(&mut facts, |place| place.in_front.retain(|it| !below(&it.path)));
        }
        Change::Forget { location, metadata_dir, instead } => {
            forget(&mut facts, location, metadata_dir, instead.as_deref());
        }
        Change::Renew => renew(&mut facts),
        Change::Scripts => place(&mut facts, |place| place.scripts = None),
    }
    imports::settle(before, &mut facts, db);
    facts
}

/// A cuda-compat library in front of the driver's own.
fn compat(facts: &mut Facts, version: &DriverVersion) {
    let library = LibCuda {
        path: format!("{TRIED}/libcuda.so.1"),
        found_by: "LD_LIBRARY_PATH".to_owned(),
        version: Reading::host(version.clone(), TRIED),
        compat: true,
        stub: false,
    };
    facts.loader.libcuda = Reading::host(library, TRIED);
}

/// A variable that is gone, with what it did to Python and to libraries.
fn unset(facts: &mut Facts, name: &str) {
    facts.system.environment.remove(name);
    place(facts, |place| place.home = place.home.take().filter(|_| name != "PYTHONHOME"));
    for distribution in &mut facts.distributions {
        if let Reading::Known { value: libraries, .. } = &mut distribution.libraries {
            libraries.iter_mut().for_each(|library| without(library, name));
        }
    }
}

/// The same release once more: its files are as its RECORD says.
fn again(facts: &mut Facts, name: &str, location: &str, db: &RuleDb) {
    let here = |it: &&mut Distribution| it.name == name && it.location == location;
    let mut back = Vec::new();
    for distribution in facts.distributions.iter_mut().filter(here) {
        let missing = distribution.changed.drain(..).filter(|file| file.how == Changed::Missing);
        back.extend(missing.map(|file| format!("{location}/{}", file.path)));
        distribution.wheel_tags.clear();
        (distribution.source_gone, distribution.record) = (None, None);
        if matches!(distribution.version, Reading::Unreadable { .. }) {
            (distribution.version, distribution.metadata) = (Reading::Unknown, Reading::Unknown);
        }
        if let Reading::Known { value: libraries, .. } = &mut distribution.libraries {
            libraries.iter_mut().for_each(|library| library.damage = None);
        }
    }
    libraries::found_again(facts, &back);
    libraries::no_longer_lacking(facts, name, db);
}

/// A metadata folder that is removed; what it belongs to is then there in the version `instead`, or not at all.
fn forget(facts: &mut Facts, location: &str, metadata_dir: &str, instead: Option<&str>) {
    let is_it = |it: &Distribution| it.location == location && it.metadata_dir == metadata_dir;
    let Some(version) = instead else { return facts.distributions.retain(|it| !is_it(it)) };
    for distribution in facts.distributions.iter_mut().filter(|it| is_it(it)) {
        distribution.version = Reading::metadata(version.to_owned(), TRIED);
        distribution.metadata_dir = TRIED.to_owned();
        (distribution.build, distribution.record) = (DistributionBuild::default(), None);
    }
}

/// The environment made again around its packages.
fn renew(facts: &mut Facts) {
    place(facts, |place| {
        (place.without_cfg, place.packages_of) = (None, None);
    });
    if let Reading::Known { value: python, .. } = &mut facts.python {
        let executable = format!("{}/bin/python", python.prefix);
        python.executable = Reading::host(executable, TRIED);
    }
}

/// Changes what is out of order around the interpreter.
fn place(facts: &mut Facts, change: impl FnOnce(&mut crate::facts::Place)) {
    if let Reading::Known { value: python, .. } = &mut facts.python {
        change(&mut python.place);
    }
}

/// The facts of an environment as if it were on another machine: its GPUs, driver, Python and C library.
#[must_use]
pub fn on_target(facts: &Facts, target: &Target) -> Facts {
    let mut facts = facts.clone();
    let now = facts.clone();
    let own: Vec<_> = now.gpus.value().into_iter().flatten().filter_map(|gpu| gpu.compute_capability.value()).collect();
    if !target.gpus.is_empty() && own != target.gpus.iter().map(|gpu| &gpu.capability).collect::<Vec<_>>() {
        let gpus = target.gpus.iter().zip(0..).map(|(gpu, index)| Gpu {
            index,
            name: Reading::host(gpu.name.clone(), ASKED),
            compute_capability: Reading::host(gpu.capability, ASKED),
            ..Gpu::default()
        });
        facts.gpus = Reading::host(gpus.collect(), ASKED);
        // What was seen of this machine's driver says nothing of another's.
        (facts.driver, facts.loader.libcuda) = (crate::facts::Driver::default(), Reading::Unknown);
    }
    if let Some(version) = target.driver.as_ref().filter(|version| now.driver.version.value() != Some(*version)) {
        driver(&mut facts, version);
    }
    if let (Reading::Known { value: python, .. }, Some(version)) = (&mut facts.python, target.python)
        && python.version.value().is_none_or(|own| (own.major, own.minor) != (version.major, version.minor))
    {
        python.version = Reading::host(version, ASKED);
    }
    if let Some(glibc) = target.glibc {
        facts.system.glibc = Reading::host(glibc, ASKED);
    }
    facts
}

/// What a library gets without a variable that put another file in front: the wheel's own copy.
fn without(library: &mut Library, variable: &str) {
    for link in library.links.iter_mut().filter(|link| link.found_by == variable && link.instead_of.is_some()) {
        let soname = Some(&link.soname);
        library.unresolved.retain(|unresolved| unresolved.from.as_ref() != soname);
        link.path = link.instead_of.take();
        link.found_by = "RUNPATH".to_owned();
    }
}

/// Another driver: its kernel module and all libraries that came with the old one.
fn driver(facts: &mut Facts, version: &DriverVersion) {
    facts.driver.version = Reading::host(version.clone(), TRIED);
    facts.driver.nvml = Reading::Unknown;
    facts.driver.cuda = Reading::Unknown;
    if let Reading::Known { value: library, .. } = &mut facts.loader.libcuda
        && !library.compat
    {
        library.version = Reading::host(version.clone(), TRIED);
    }
}

/// Installs `name==version+local` and, as an installer would, what it requires.
fn install(facts: &mut Facts, pin: &str, db: &RuleDb) {
    libraries::no_longer_lacking(facts, requirement::name_of(pin), db);
    let Some((name, full)) = pin.split_once("==") else {
        // A range of what the rules do not cover: which version that will be is not known.
        slot_version(facts, requirement::name_of(pin), None);
        return;
    };
    let Ok(version) = Version::from_str(full) else {
        // `==26.8.*`
        slot_version(facts, name, None);
        return;
    };
    let target = Target::to_plan_for(facts, db);
    let Some((release, builds)) = db.builds(name, &version, target.platform.as_deref().unwrap_or_default()) else {
        if db.package(name).is_none() || is_runtime_wheel(name) {
            slot_version(facts, name, Some(full.to_owned()));
        }
        return;
    };
    let installs = |build: &&&Build| {
        let accepts = |python| build.python.iter().any(|tag| tag.accepts(python, target.free_threaded));
        build.python.is_empty() || target.python.is_none_or(accepts)
    };
    let Some(build) = builds.iter().find(installs).or(builds.first()).copied() else { return };
    let requires: Vec<_> = release.requires.iter().chain(&build.requires).cloned().collect();
    let made = DistributionBuild {
        version: Reading::binary(full.to_owned(), TRIED),
        cuda: match build.cuda {
            Some(cuda) => Reading::binary(cuda, TRIED),
            None => Reading::absent(TRIED),
        },
        ..DistributionBuild::default()
    };
    let metadata = Metadata {
        requires: requires.clone(),
        requires_python: release.requires_python.as_ref().map(ToString::to_string),
        extras: Vec::new(),
    };
    let known = Source::Metadata(TRIED.to_owned());
    let wheel_tags = build.wheel_tags();
    let slot = slot(facts, name);
    slot.wheel_tags = wheel_tags;
    slot.version = Reading::Known { value: release.version.to_string(), source: known.clone() };
    slot.build = made;
    slot.libraries = Reading::Unknown;
    slot.metadata = Reading::Known { value: metadata, source: known };
    slot.direct_url = Reading::Unknown;
    if name == TORCH {
        // What other libraries lacked, the new one may export; where the rules do not know, the doubt stays.
        for library in libraries::all(facts) {
            library.unresolved.retain(|unresolved| {
                unresolved.from.is_some() || db.torch_exports(&unresolved.symbol, &release.version) != Some(true)
            });
        }
    }
    bring(facts, requires, &target, db);
}

/// Brings what a release requires, as an installer does, and what that requires.
fn bring(facts: &mut Facts, requires: Vec<String>, target: &Target, db: &RuleDb) {
    let Some(environment) = markers(target) else { return };
    let mut waiting = requires;
    while let Some(line) = waiting.pop() {
        let Ok(wanted) = requirement::parse(&line) else { continue };
        let other = normalise(wanted.name.as_ref());
        let (Some(range), true) = (specifiers(&wanted), applies(&wanted, &environment, &[])) else { continue };
        // Covered packages are pinned by the solver itself, but for one that is not there and whose older releases, which the rules
        // do not know, would do as well: an installer brings it, and which release that is depends on all the others.
        let is_left = |package: &Package| {
            let older = package.releases.first().is_some_and(|first| admits_below(&range, &first.version));
            package.partial && older && facts.origin != Origin::Report && facts.distribution(&other).is_none()
        };
        if let Some(package) = db.package(&other).filter(|_| !is_runtime_wheel(&other)) {
            if is_left(package) {
                slot_version(facts, &other, None);
            }
            continue;
        }
        let met = facts
            .distribution(&other)
            .is_some_and(|found| found.stated_version().is_none_or(|version| satisfied(&range, &version)));
        if !met {
            let version = pinned(&range).cloned();
            // Of what is not pinned an installer takes the newest.
            let version = version.or_else(|| newest(db.package(&other)?, &range, target, db));
            slot_version(facts, &other, version.as_ref().map(ToString::to_string));
            let platform = target.platform.as_deref().unwrap_or_default();
            if let Some((release, builds)) = version.and_then(|version| db.builds(&other, &version, platform)) {
                waiting
                    .extend(release.requires.iter().chain(builds.first().iter().flat_map(|it| &it.requires)).cloned());
            }
        }
    }
}

/// What an installer takes of a range: the newest release that has a build for the platform and the Python.
fn newest(package: &Package, range: &VersionSpecifiers, target: &Target, db: &RuleDb) -> Option<Version> {
    let installs = |obstacle: &Obstacle| {
        !matches!(obstacle, Obstacle::Platform { .. } | Obstacle::RequiresPython { .. } | Obstacle::PythonTag { .. })
    };
    let fits = |release: &&Release| {
        let mut builds = release.builds.iter();
        !release.yanked
            && !release.version.any_prerelease()
            && satisfied(range, &release.version)
            && builds.any(|build| obstacles(package, release, build, target, db).iter().all(installs))
    };
    package.releases.iter().filter(fits).map(|release| &release.version).max().cloned()
}

/// An uncovered distribution at a version, or at one that is not known but satisfies.
fn slot_version(facts: &mut Facts, name: &str, version: Option<String>) {
    let slot = slot(facts, name);
    slot.version = version.map_or(Reading::Unknown, |version| Reading::metadata(version, TRIED));
    slot.build = DistributionBuild::default();
    slot.libraries = Reading::Unknown;
    slot.metadata = Reading::Unknown;
    slot.wheel_tags.clear();
}

/// The distribution of a name that import finds, made if there is none.
fn slot<'a>(facts: &'a mut Facts, name: &str) -> &'a mut Distribution {
    let at = facts.distributions.iter().position(|distribution| distribution.name == name).unwrap_or_else(|| {
        let made = Distribution { name: name.to_owned(), location: TRIED.to_owned(), ..Distribution::default() };
        facts.distributions.push(made);
        facts.distributions.len() - 1
    });
    &mut facts.distributions[at]
}
