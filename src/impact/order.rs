//! In which order is what changes installed and taken out, so that an index that does not answer leaves all as it was?
//!
//! An installer fetches everything before it changes anything. So the installation comes first, and what it makes needless is
//! taken out only where it succeeded. NVIDIA's wheels of two CUDA majors may hold files of the same names
//! (`nvidia-cudnn-cu12`, `nvidia-cudnn-cu13`): what came first is then written once more, from the installer's cache.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Installer;
use crate::facts::{Distribution, Facts};
use crate::pep::Version;
use crate::rules::RuleDb;
use crate::rules::machine::conda_specs;
use crate::rules::requirement::{self, name_of, normalise};
use crate::solve::{Pin, Resolution};
use crate::step::Step;

/// The steps that install pins into the environment and take out what they make needless.
pub(super) fn steps(facts: &Facts, pins: &[&Pin<'_>], gone: &[&Distribution], db: &RuleDb) -> Vec<Step> {
    let installer = Installer::of(facts);
    let (specs, pins) = by_conda(facts, pins, db);
    let pins = pins.as_slice();
    let words: Vec<_> = pins.iter().map(|pin| wanted(pin)).collect();
    let indexes: BTreeSet<_> = pins.iter().map(|pin| pin.index()).filter(|index| *index != "pypi").collect();
    let urls: Vec<String> = indexes.into_iter().filter_map(|index| db.index_url(index)).collect();
    // Taken for met by an installer; what it requires comes with the installation after it.
    let swapped: Vec<_> = pins.iter().filter(|pin| is_taken_for_met(facts, pin)).map(|pin| wanted(pin)).collect();
    let installed = installer.install_from(&words, &urls);
    let first = [installer.by_conda(&specs), installer.again(&swapped)];
    let names: Vec<&str> = gone.iter().map(|it| it.name.as_str()).collect();
    // What takes the place of files that are taken out nobody read: it comes with a second installation, after that.
    let unread = gone.iter().any(|it| base(&it.name).is_some())
        && pins.iter().any(|pin| pin.build.cuda.is_some() && !pin.build.is_opened());
    let gone_step = installer.uninstall(&names).into_iter();
    let last: Vec<Step> = if unread {
        let bare = |step: &Step| step.clone().and("--no-deps").filter(|_| !installer.is_projects());
        installed.iter().filter_map(bare).chain(gone_step).chain(installed.clone()).collect()
    } else {
        installed.into_iter().chain(gone_step).chain(installer.again(&overwritten(pins, gone))).collect()
    };
    let steps = first.into_iter().flatten().chain(last).enumerate();
    steps.map(|(at, step)| if at == 0 { step } else { step.then() }).collect()
}

/// What conda is to install in the place of what it installed, as it is asked for that, and the other pins. A name that it may
/// write otherwise is left to pip, as is everything where torch is pip's.
pub(super) fn by_conda<'p, 'db>(facts: &Facts, pins: &[&'p Pin<'db>], db: &RuleDb) -> (Vec<String>, Vec<&'p Pin<'db>>) {
    let installer = Installer::of(facts);
    let (mut specs, mut others) = (Vec::new(), Vec::new());
    for pin in pins {
        let owned =
            installer.is_condas(pin.name).then(|| conda_specs(pin.name, &pin.release.version, pin.build.cuda, db));
        match owned.flatten() {
            Some(own) => specs.extend(own),
            None => others.push(*pin),
        }
    }
    (specs, others)
}

/// Asks for CUDA builds by their label where an installer would take what is there for them: `torch==2.8.0` is met by
/// 2.8.0+cu129. PyTorch's variant indexes serve what PyPI has, too. The others of the family come from there with it.
pub(super) fn label(facts: &Facts, installed: &BTreeMap<String, Version>, resolution: &mut Resolution<'_>) {
    let cuda = |pin: &Pin<'_>| pin.build.local.clone().filter(|_| pin.build.cuda.is_some());
    let changed = resolution.pins.iter().filter(|pin| !stays(pin, installed));
    let labels: BTreeSet<String> = changed.filter(|pin| is_taken_for_met(facts, pin)).filter_map(cuda).collect();
    for pin in &mut resolution.pins {
        pin.labelled |= cuda(pin).is_some_and(|label| labels.contains(&label));
    }
}

/// Whether a pin is what is installed; of PyPI's builds installed metadata names no label.
pub(super) fn stays(pin: &Pin<'_>, installed: &BTreeMap<String, Version>) -> bool {
    let Some(version) = installed.get(pin.name) else { return false };
    let full = pin.release.build_version(pin.build);
    full.as_ref() == Some(version) || (pin.build.index == "pypi" && *version == pin.release.version)
}

/// Whether another build of the same release is there, with a label that the wanted one lacks.
fn is_taken_for_met(facts: &Facts, pin: &Pin<'_>) -> bool {
    let there = facts.distribution(pin.name).and_then(Distribution::stated_version);
    pin.on_pypi() && there.is_some_and(|version| version.without_local() == pin.release.version)
}

fn wanted(pin: &Pin<'_>) -> String {
    format!("{}=={}", pin.name, pin.version())
}

/// What new builds require and shares its files with something that is taken out: the same name for another CUDA.
fn overwritten(pins: &[&Pin<'_>], gone: &[&Distribution]) -> Vec<String> {
    let lines = pins.iter().flat_map(|pin| pin.release.requires.iter().chain(&pin.build.requires));
    let shares = |line: &&String| {
        let name = normalise(name_of(line));
        base(&name).is_some_and(|own| gone.iter().any(|it| it.name != name && base(&it.name) == Some(own)))
    };
    let pin = |line: &String| {
        let wanted = requirement::parse(line).ok()?;
        Some(format!("{}{}", wanted.name, requirement::specifiers(&wanted)?))
    };
    lines.filter(shares).filter_map(pin).collect::<BTreeSet<_>>().into_iter().collect()
}

/// `nvidia-cudnn` of `nvidia-cudnn-cu13`; none of a name without a CUDA major.
fn base(name: &str) -> Option<&str> {
    let (base, cuda) = name.rsplit_once("-cu")?;
    (!cuda.is_empty() && cuda.bytes().all(|byte| byte.is_ascii_digit())).then_some(base)
}
