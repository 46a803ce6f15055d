//! What an index declares of packages outside the rules, weighed against what the solver takes: whichever release contradicts
//! the rest gives way to the one before it, as with an installer.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;

use crate::pep::Version;
use crate::rules::requirement::{self, applies, markers, parse};
use crate::rules::role::is_runtime_wheel;
use crate::rules::{RuleDb, Target};
use crate::solve::{AskedRequirement, Outsider, Pin, Request, Resolution, led_to, possible, solve};

/// Who says what a release of an index declares.
pub const INDEX: &str = "index";

/// What an index says of packages outside the rules.
#[derive(Debug, Default)]
pub struct Answers {
    /// By normalised name, the release that an installer would take.
    pub outsiders: BTreeMap<String, Outsider>,
    /// Names of which no release fits what is asked of it, this Python and this platform.
    pub without: BTreeSet<String>,
    /// What could not be asked, in words.
    pub notes: Vec<String>,
}

/// Asks an index what requirements lead to, beside what is known of packages already.
pub type Index<'i> = dyn Fn(&[AskedRequirement], &BTreeMap<String, Outsider>, &Target) -> anyhow::Result<Answers> + 'i;

/// A release of a covered package, e.g. `vllm`, `0.19.1`.
type Release = (String, Version);

/// Older releases that are tried at most, where the newest do not fit.
const MOST_STEPS_BACK: usize = 40;

/// What weighing ended with.
#[derive(Debug, Default)]
pub struct Weighed<'db> {
    /// What the index could not tell, in words.
    pub notes: Vec<String>,
    /// Why there is no answer, where the index has no release for a line of the user: `the index has no release of flax …`.
    pub refused: Option<String>,
    /// What the request as it is then comes to, where it was solved for this.
    pub solved: Option<Resolution<'db>>,
}

/// Asks the index what packages outside the rules declare, those that the user names first, then those that the answer's own
/// pins require. Where the newest release of one contradicts the rest, the one before it is asked for, and so on; where none
/// helps, the newest stand.
///
/// # Errors
///
/// When the index cannot be reached.
pub fn ask<'db>(request: &mut Request, index: &Index<'_>, db: &'db RuleDb) -> anyhow::Result<Weighed<'db>> {
    let mut weighed = of_the_user(request, index, db)?;
    if weighed.refused.is_none() {
        of_the_pins(request, index, db, &mut weighed)?;
    }
    Ok(weighed)
}

fn of_the_user<'db>(request: &mut Request, index: &Index<'_>, db: &'db RuleDb) -> anyhow::Result<Weighed<'db>> {
    let own = request.outsiders.clone();
    let Answers { outsiders: newest, without, notes } = index(&request.requirements, &own, &request.target)?;
    let mut weighed = Weighed { notes, ..Weighed::default() };
    let lacks = |asked: &&AskedRequirement| without.contains(asked.requirement.name.as_ref());
    if let Some(asked) = request.requirements.iter().find(lacks) {
        let python = request.target.python.as_ref().map(|python| format!(" for Python {python}")).unwrap_or_default();
        let (line, origin) = (&asked.requirement, &asked.origin);
        let refused = format!("The index has no release that is `{line}` ({origin}){python}");
        return Ok(Weighed { refused: Some(refused), ..Weighed::default() });
    }
    let mut ceilings: Vec<AskedRequirement> = Vec::new();
    request.outsiders.clone_from(&newest);
    loop {
        let is_there = |it: &AskedRequirement| request.outsiders.contains_key(it.requirement.name.as_ref());
        let missing = !ceilings.iter().all(is_there);
        let blamed = match solve(request, db) {
            Ok(resolution) if !missing => {
                weighed.solved = Some(resolution);
                return Ok(weighed);
            }
            Err(proof) if !missing => proof.installed.into_iter().find_map(|name| {
                let outsider = request.outsiders.get(&name).filter(|outsider| outsider.known_from == INDEX)?;
                Some(format!("{name}<{}", outsider.version))
            }),
            _ => None,
        };
        let Some(older) = blamed.filter(|_| ceilings.len() < MOST_STEPS_BACK) else { break };
        ceilings.push(line(&older)?);
        let asked: Vec<AskedRequirement> = request.requirements.iter().chain(&ceilings).cloned().collect();
        request.outsiders = index(&asked, &own, &request.target)?.outsiders;
    }
    request.outsiders = newest;
    Ok(weighed)
}

/// What the pins of an answer require of packages outside the rules, and those of covered ones: it holds as long as the pins do.
/// A pin that nothing on the index goes with is not taken.
fn of_the_pins<'db>(
    request: &mut Request,
    index: &Index<'_>,
    db: &'db RuleDb,
    weighed: &mut Weighed<'db>,
) -> anyhow::Result<()> {
    let own = request.constraints.clone();
    let mut barred: Vec<AskedRequirement> = Vec::new();
    let mut wanted: BTreeMap<Release, Vec<AskedRequirement>> = BTreeMap::new();
    for _ in 0..MOST_STEPS_BACK {
        let solved = weighed.solved.take().or_else(|| possible(request, db));
        let in_the_way = if let Some(resolution) = solved {
            let lines = required(&resolution, &request.target, db);
            let asked: Vec<AskedRequirement> =
                request.requirements.iter().chain(lines.iter().map(|(_, asked)| asked)).cloned().collect();
            let answers = index(&asked, &request.outsiders, &request.target)?;
            let without =
                |(_, asked): &&(Release, AskedRequirement)| answers.without.contains(asked.requirement.name.as_ref());
            if let Some((pin, _)) = lines.iter().find(without) {
                Some(pin.clone())
            } else {
                wanted.clear();
                for (pin, asked) in &lines {
                    let asks = led_to(asked, &answers.outsiders, &request.target, db);
                    wanted.entry(pin.clone()).or_default().extend(asks);
                }
                wanted.retain(|_, asks| !asks.is_empty());
                if wanted.values().flatten().all(|asked| is_held(asked, &resolution)) {
                    let notes = &mut weighed.notes;
                    notes.extend(answers.notes.into_iter().filter(|note| !notes.contains(note)).collect::<Vec<_>>());
                    weighed.solved = Some(resolution);
                    return Ok(());
                }
                None
            }
        } else {
            // Of the releases whose wishes are in the way one that nobody named gives way.
            let named = |name: &str| request.requirements.iter().any(|it| it.requirement.name.as_ref() == name);
            let Some((pin, _)) = wanted.iter().find(|((name, _), _)| !named(name)) else { break };
            Some(pin.clone())
        };
        if let Some((name, version)) = in_the_way {
            barred.push(line(&format!("{name}!={version}"))?);
            wanted.clear();
        }
        request.constraints = own.iter().chain(&barred).chain(wanted.values().flatten()).cloned().collect();
    }
    if request.constraints.len() > own.len() {
        weighed
            .notes
            .push("what the pins need of packages outside the rules does not go together, and is not held".to_owned());
    }
    request.constraints = own;
    Ok(())
}

/// Whether the pins of an answer are what is asked of one of them.
fn is_held(asked: &AskedRequirement, resolution: &Resolution<'_>) -> bool {
    let pin = resolution.pins.iter().find(|pin| pin.name == asked.requirement.name.as_ref());
    let range = requirement::specifiers(&asked.requirement);
    pin.zip(range).is_none_or(|(pin, range)| requirement::satisfied(&range, &pin.release.version))
}

fn line(text: &str) -> anyhow::Result<AskedRequirement> {
    let requirement = parse(text).map_err(|error| anyhow!("`{text}`: {error}"))?;
    Ok(AskedRequirement::new(requirement, INDEX))
}

/// What pins require of packages outside the rules on a target, each with the release that does.
fn required(resolution: &Resolution<'_>, target: &Target, db: &RuleDb) -> Vec<(Release, AskedRequirement)> {
    let environment = markers(target);
    let of_pin = |pin: &Pin<'_>| {
        let (name, version) = (pin.name.to_owned(), pin.release.version.clone());
        let lines = pin.release.requires.iter().chain(&pin.build.requires);
        let parsed: Vec<_> = lines.filter_map(|line| parse(line).ok()).collect();
        parsed.into_iter().map(move |requirement| {
            let asked =
                AskedRequirement { requirement, origin: format!("{name} {version}"), on_behalf_of: Some(name.clone()) };
            ((name.clone(), version.clone()), asked)
        })
    };
    let is_outside = |asked: &AskedRequirement| {
        let name = asked.requirement.name.as_ref();
        let active = environment.as_ref().is_some_and(|it| applies(&asked.requirement, it, &[]));
        active && db.package(name).is_none() && !is_runtime_wheel(name)
    };
    resolution.pins.iter().flat_map(of_pin).filter(|(_, asked)| is_outside(asked)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::embedded;

    /// An index with two releases of one package, of which the newer one goes with no torch that there is.
    fn index(asked: &[AskedRequirement], _: &BTreeMap<String, Outsider>, _: &Target) -> anyhow::Result<Answers> {
        let mut answers = Answers::default();
        let own: Vec<_> = asked.iter().filter(|it| it.requirement.name.as_ref() == "some-trainer").collect();
        if own.is_empty() {
            return Ok(answers);
        }
        let fits = |version: &Version| {
            own.iter().all(|asked| {
                requirement::specifiers(&asked.requirement).is_none_or(|range| requirement::satisfied(&range, version))
            })
        };
        let releases = [("2.0", "torch>=99"), ("1.0", "torch>=2.6")];
        let found = releases.into_iter().find(|(version, _)| fits(&version.parse().expect("a version")));
        match found {
            Some((version, line)) => {
                let version = version.parse()?;
                let outsider = Outsider { version, known_from: INDEX.to_owned(), requires: vec![line.to_owned()] };
                answers.outsiders.insert("some-trainer".to_owned(), outsider);
            }
            None => {
                answers.without.insert("some-trainer".to_owned());
            }
        }
        Ok(answers)
    }

    fn weighed(text: &str) -> (Request, Weighed<'static>) {
        let target = Target { platform: Some("linux_x86_64".to_owned()), ..Target::default() };
        let mut request = Request { target, requirements: vec![line(text).expect("a line")], ..Request::default() };
        let weighed = ask(&mut request, &index, embedded()).expect("it is in memory");
        (request, weighed)
    }

    #[test]
    fn a_release_that_contradicts_the_rest_gives_way_to_the_one_before() {
        let (request, weighed) = weighed("some-trainer");
        assert_eq!(weighed.refused, None);
        assert_eq!(request.outsiders["some-trainer"].version.to_string(), "1.0");
        assert_eq!(weighed.solved, solve(&request, embedded()).ok(), "what it was solved to is the answer");
    }

    #[test]
    fn what_the_index_does_not_have_is_refused() {
        let (_, weighed) = weighed("some-trainer>=3");
        let why = weighed.refused.expect("there is no such release");
        assert!(why.starts_with("The index has no release that is `some-trainer>=3`"), "{why}");
    }
}
