//! What an index declares of packages outside the rules, weighed against what the solver takes: whichever release contradicts
//! the rest gives way to the one before it, as with an installer.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;
use reqwest::Url;

use super::online::{self, Answers};
use crate::rules::RuleDb;
use crate::rules::requirement::{self, applies, is_runtime_wheel, markers, normalise, parse};
use crate::solve::{Asked, Outsider, Request, Resolution, solve};

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
    let weighed = of_the_user(request, index, db)?;
    if weighed.refused.is_none() {
        of_the_pins(request, index, db)?;
    }
    Ok(weighed)
}

fn of_the_user(request: &mut Request, index: &Url, db: &RuleDb) -> anyhow::Result<Weighed> {
    let own = request.outsiders.clone();
    let mut ceilings: Vec<Asked> = Vec::new();
    let mut newest = None;
    let mut weighed = Weighed::default();
    loop {
        let asked: Vec<Asked> = request.requirements.iter().chain(&ceilings).cloned().collect();
        let Answers { outsiders: found, without, notes } = online::outsiders(&asked, &own, &request.target, index, db)?;
        let missing = ceilings.iter().any(|ceiling| !found.contains_key(ceiling.requirement.name.as_ref()));
        if newest.is_none() {
            let lacks = |asked: &&Asked| without.contains(asked.requirement.name.as_ref());
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
fn of_the_pins(request: &mut Request, index: &Url, db: &RuleDb) -> anyhow::Result<()> {
    let own = request.constraints.clone();
    let mut barred: Vec<Asked> = Vec::new();
    let mut wanted: BTreeMap<String, Vec<Asked>> = BTreeMap::new();
    for _ in 0..MOST_STEPS_BACK {
        let Ok(resolution) = solve(request, db) else {
            // Of the releases whose wishes are in the way the one that nobody named gives way.
            let named = |name: &String| request.requirements.iter().any(|it| it.requirement.name.as_ref() == name);
            let Some(pin) = wanted.keys().find(|pin| !named(&pin.split("==").next().unwrap_or_default().to_owned()))
            else {
                break;
            };
            barred.push(line(&pin.replace("==", "!="))?);
            wanted.clear();
            request.constraints = own.iter().chain(&barred).cloned().collect();
            continue;
        };
        let lines = required(&resolution, request, db);
        let asked: Vec<Asked> =
            request.requirements.iter().chain(lines.iter().map(|(_, asked)| asked)).cloned().collect();
        let answers = online::outsiders(&asked, &request.outsiders, &request.target, index, db)?;
        if let Some((pin, _)) =
            lines.iter().find(|(_, asked)| answers.without.contains(asked.requirement.name.as_ref()))
        {
            barred.push(line(&pin.replace("==", "!="))?);
            request.constraints = own.iter().chain(&barred).cloned().collect();
            continue;
        }
        let mut now: BTreeMap<String, Vec<Asked>> = BTreeMap::new();
        for (pin, asked) in &lines {
            now.entry(pin.clone()).or_default().extend(reached(asked, &answers.outsiders, request, db));
        }
        now.retain(|_, asks| !asks.is_empty());
        let is_held = |asked: &Asked| {
            let pin = resolution.pins.iter().find(|pin| pin.name == asked.requirement.name.as_ref());
            let range = requirement::specifiers(&asked.requirement);
            pin.zip(range).is_none_or(|(pin, range)| requirement::satisfied(&range, &pin.release.version))
        };
        if now.values().flatten().all(is_held) {
            return Ok(());
        }
        request.constraints = own.iter().chain(&barred).chain(now.values().flatten()).cloned().collect();
        wanted = now;
    }
    request.constraints = own;
    Ok(())
}

fn is_of_index(outsider: Option<&Outsider>) -> bool {
    outsider.is_some_and(|outsider| outsider.known_from == online::INDEX)
}

fn line(text: &str) -> anyhow::Result<Asked> {
    let requirement = parse(text).map_err(|error| anyhow!("`{text}`: {error}"))?;
    Ok(Asked::new(requirement, online::INDEX))
}

/// What pins require of packages outside the rules on this target, each with the pin, e.g. `vllm==0.19.1`.
fn required(resolution: &Resolution<'_>, request: &Request, db: &RuleDb) -> Vec<(String, Asked)> {
    let environment = markers(&request.target);
    let of_pin = |pin: &crate::solve::Pin<'_>| {
        let (name, version) = (pin.name.to_owned(), pin.release.version.to_string());
        let lines = pin.release.requires.iter().chain(&pin.build.requires);
        let parsed = lines.filter_map(|line| parse(line).ok()).collect::<Vec<_>>();
        parsed.into_iter().map(move |requirement| {
            let asked = Asked { requirement, origin: format!("{name} {version}"), on_behalf_of: Some(name.clone()) };
            (format!("{name}=={version}"), asked)
        })
    };
    let is_outside = |asked: &Asked| {
        let name = asked.requirement.name.as_ref();
        let active = environment.as_ref().is_some_and(|it| applies(&asked.requirement, it, &[]));
        active && db.package(name).is_none() && !is_runtime_wheel(name)
    };
    resolution.pins.iter().flat_map(of_pin).filter(|(_, asked)| is_outside(asked)).collect()
}

/// The requirements on covered packages that a line about one outside the rules leads to.
fn reached(asked: &Asked, outsiders: &BTreeMap<String, Outsider>, request: &Request, db: &RuleDb) -> Vec<Asked> {
    let environment = markers(&request.target);
    let (mut found, mut seen, mut waiting) = (Vec::new(), BTreeSet::new(), vec![asked.requirement.clone()]);
    while let Some(next) = waiting.pop() {
        let name = normalise(next.name.as_ref());
        let Some(outsider) = outsiders.get(&name).filter(|_| seen.insert(name.clone())) else { continue };
        for text in &outsider.requires {
            let Ok(mut wanted) = parse(text) else { continue };
            wanted.marker = wanted.marker.simplify_extras(&next.extras);
            if !environment.as_ref().is_some_and(|it| applies(&wanted, it, &[])) {
                continue;
            }
            if db.package(wanted.name.as_ref()).is_some() {
                let origin = format!("{name} {} ({})", outsider.version, outsider.known_from);
                found.push(Asked { requirement: wanted, origin, on_behalf_of: Some(name.clone()) });
            } else {
                waiting.push(wanted);
            }
        }
    }
    found
}
