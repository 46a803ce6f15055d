//! What an index declares of packages outside the rules, weighed against what the solver takes: whichever release contradicts
//! the rest gives way to the one before it, as with an installer.

use std::collections::BTreeMap;

use anyhow::anyhow;
use reqwest::Url;

use super::online::{self, Answers};
use crate::pep::Version;
use crate::rules::requirement::{self, applies, markers, parse};
use crate::rules::role::is_runtime_wheel;
use crate::rules::{RuleDb, Target};
use crate::solve::{AskedRequirement, Outsider, Pin, Request, Resolution, led_to, solve};

/// A release of a covered package, e.g. `vllm`, `0.19.1`.
type Release = (String, Version);

/// Older releases that are tried at most, where the newest do not fit.
const MOST_STEPS_BACK: usize = 40;

/// What weighing ended with.
#[derive(Debug, Default)]
pub struct Weighed {
    /// What the index could not tell, in words.
    pub notes: Vec<String>,
    /// Why there is no answer, where the index has no release for a line of the user: `the index has no release of flax …`.
    pub refused: Option<String>,
}

/// Asks the index what packages outside the rules declare, those that the user names first, then those that the answer's own
/// pins require. Where the newest release of one contradicts the rest, the one before it is asked for, and so on; where none
/// helps, the newest stand.
///
/// # Errors
///
/// When the index cannot be reached.
pub fn ask(request: &mut Request, index: &Url, db: &RuleDb) -> anyhow::Result<Weighed> {
    let mut weighed = of_the_user(request, index, db)?;
    if weighed.refused.is_none() {
        of_the_pins(request, index, db, &mut weighed.notes)?;
    }
    Ok(weighed)
}

fn of_the_user(request: &mut Request, index: &Url, db: &RuleDb) -> anyhow::Result<Weighed> {
    let own = request.outsiders.clone();
    let mut ceilings: Vec<AskedRequirement> = Vec::new();
    let mut newest = None;
    let mut weighed = Weighed::default();
    loop {
        let asked: Vec<AskedRequirement> = request.requirements.iter().chain(&ceilings).cloned().collect();
        let Answers { outsiders: found, without, notes } = online::outsiders(&asked, &own, &request.target, index, db)?;
        let missing = ceilings.iter().any(|ceiling| !found.contains_key(ceiling.requirement.name.as_ref()));
        if newest.is_none() {
            let lacks = |asked: &&AskedRequirement| without.contains(asked.requirement.name.as_ref());
            weighed.refused = request.requirements.iter().find(lacks).map(|asked| {
                let python = request.target.python.as_ref().map(|python| format!(" for Python {python}"));
                let line = &asked.requirement;
                format!("The index has no release that is `{line}` ({}){}", asked.origin, python.unwrap_or_default())
            });
            if weighed.refused.is_some() {
                return Ok(weighed);
            }
            weighed.notes = notes;
            newest = Some(found.clone());
        }
        request.outsiders = found;
        let blamed = match solve(request, db) {
            Ok(_) if !missing => return Ok(weighed),
            Err(proof) if !missing => proof.installed.into_iter().find(|name| is_of_index(request.outsiders.get(name))),
            _ => None,
        };
        let Some(name) = blamed.filter(|_| ceilings.len() < MOST_STEPS_BACK) else { break };
        let version = request.outsiders.get(&name).map(|outsider| outsider.version.to_string()).unwrap_or_default();
        ceilings.push(line(&format!("{name}<{version}"))?);
    }
    request.outsiders = newest.unwrap_or_default();
    Ok(weighed)
}

/// What the pins of an answer require of packages outside the rules, and those of covered ones: it holds as long as the pins do.
/// A pin that nothing on the index goes with is not taken.
fn of_the_pins(request: &mut Request, index: &Url, db: &RuleDb, notes: &mut Vec<String>) -> anyhow::Result<()> {
    let own = request.constraints.clone();
    let mut barred: Vec<AskedRequirement> = Vec::new();
    let mut wanted: BTreeMap<Release, Vec<AskedRequirement>> = BTreeMap::new();
    for _ in 0..MOST_STEPS_BACK {
        let in_the_way = if let Ok(resolution) = solve(request, db) {
            let lines = required(&resolution, &request.target, db);
            let asked: Vec<AskedRequirement> =
                request.requirements.iter().chain(lines.iter().map(|(_, asked)| asked)).cloned().collect();
            let answers = online::outsiders(&asked, &request.outsiders, &request.target, index, db)?;
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
                    notes.extend(answers.notes.into_iter().filter(|note| !notes.contains(note)).collect::<Vec<_>>());
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
        notes.push("what the pins need of packages outside the rules does not go together, and is not held".to_owned());
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

fn is_of_index(outsider: Option<&Outsider>) -> bool {
    outsider.is_some_and(|outsider| outsider.known_from == online::INDEX)
}

fn line(text: &str) -> anyhow::Result<AskedRequirement> {
    let requirement = parse(text).map_err(|error| anyhow!("`{text}`: {error}"))?;
    Ok(AskedRequirement::new(requirement, online::INDEX))
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
