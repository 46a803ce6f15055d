//! From what is asked for to a request, and from its solution to an answer.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{anyhow, bail};

use super::asked::{Inputs, Settled};
use crate::emit::{self, Overridden};
use crate::facts::Facts;
use crate::pep::Version;
use crate::rules::requirement::{normalise, parse};
use crate::rules::role::is_runtime_wheel;
use crate::rules::schema::KnownHow;
use crate::rules::{RuleDb, Target};
use crate::solve::{
    AskedRequirement, Change, INSTALLED, Prefer, Proof, Request, Resolution, installed_outsiders, solve, unknown_names,
};
use crate::text;

/// What the user brings along: addresses and paths, neither pinned nor judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Names where they are known, else the lines.
    pub names: Vec<String>,
    /// As written, e.g. `./lib`.
    pub lines: Vec<String>,
}

impl Taken {
    /// Of what is asked for, and the note that says so.
    #[must_use]
    pub fn of(settled: &Settled) -> (Self, Option<String>) {
        let respected = &settled.respected;
        let names = respected.iter().map(|one| one.name.clone().unwrap_or_else(|| one.text.clone())).collect();
        let taken = Self { names, lines: respected.iter().map(|one| one.text.clone()).collect() };
        let shown: Vec<_> = respected.iter().map(|one| format!("{} ({})", one.text, one.place)).collect();
        let note = format!("taken as they are, and not judged: {}", text::list(&shown));
        (taken, (!shown.is_empty()).then_some(note))
    }
}

/// How to choose, beside what is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Which of several solutions.
    pub prefer: Prefer,
    /// Installed packages that must stay as they are.
    pub keep: Vec<String>,
    /// The environment that was looked at is the one to install into.
    pub here: bool,
}

/// The request: what is asked for, and where installed packages are preferred also everything that is installed and covered.
///
/// # Errors
///
/// When a wish is about installed packages, and there are none, or not these.
pub fn request(
    wishes: &Wishes,
    asked: Settled,
    targets: &[Target],
    facts: Option<&Facts>,
    db: &RuleDb,
) -> anyhow::Result<Request> {
    let Settled { mut requirements, constraints, .. } = asked;
    let distributions = facts.into_iter().flat_map(Facts::active_distributions);
    let versions =
        distributions.filter_map(|distribution| Some((normalise(&distribution.name), distribution.build_version()?)));
    let installed: BTreeMap<String, Version> = versions.collect();
    let by_name = facts.into_iter().flat_map(Facts::active_distributions).filter(|distribution| distribution.requested);
    let requested = by_name.map(|distribution| normalise(&distribution.name)).collect();
    let here = facts.filter(|_| wishes.here);
    let outsiders = here.map(|facts| installed_outsiders(facts, db)).unwrap_or_default();
    if wishes.prefer == Prefer::Installed {
        if facts.is_none() {
            bail!("`--prefer installed` is about this machine or a snapshot (`--from`), not about declared targets");
        }
        let covered = installed.keys().filter(|name| db.package(name).is_some() && !is_runtime_wheel(name));
        for name in covered.chain(outsiders.keys()) {
            let requirement = parse(name).map_err(|error| anyhow!("`{name}`: {error}"))?;
            requirements.push(AskedRequirement::new(requirement, INSTALLED));
        }
    }
    let keep: Vec<String> = wishes.keep.iter().map(|name| normalise(name)).collect();
    for name in &keep {
        if !installed.contains_key(name) {
            bail!("`--keep {name}`: it is not installed");
        }
        if db.package(name).is_none() {
            bail!("`--keep {name}`: the rules do not cover it, so nothing here would change it");
        }
    }
    let mut targets = targets.iter().cloned();
    let target = targets.next().unwrap_or_default();
    Ok(Request {
        target,
        beside: targets.collect(),
        requirements,
        constraints,
        installed,
        requested,
        outsiders,
        keep,
        prefer: wishes.prefer,
        ..Request::default()
    })
}

/// Refuses what cannot be solved as it stands.
///
/// # Errors
///
/// When nothing is asked for, or a name is a slip for one that the rules know.
pub fn sensible(request: &Request, taken: &Taken, db: &RuleDb) -> anyhow::Result<()> {
    if request.requirements.is_empty() && taken.lines.is_empty() {
        bail!("nothing to resolve: name packages, or give a file with `-r`");
    }
    if let Some(slip) = unknown_names(request, db).into_iter().next() {
        bail!("unknown package `{}` ({}); did you mean `{}`?", slip.name, slip.origin, slip.meant);
    }
    Ok(())
}

/// Says so where a project does not support a target's Python.
#[must_use]
pub fn unsupported(inputs: &Inputs, targets: &[Target]) -> Vec<String> {
    let mut notes = Vec::new();
    for python in targets.iter().filter_map(|target| target.python).collect::<BTreeSet<_>>() {
        let Ok(version) = python.to_string().parse() else { continue };
        for (range, place) in inputs.requires_python.iter().filter(|(range, _)| !range.contains(&version)) {
            notes.push(format!("{place}: the project needs Python {range}, not {python}"));
        }
    }
    notes
}

/// What solving came to.
#[derive(Debug)]
pub enum Solved<'db> {
    /// A set, and the pins that were broken for it.
    Set(Resolution<'db>, Vec<Overridden>),
    /// Nothing that was asked for is judged, so nothing is solved: why, and the names.
    Uncovered(String, Vec<String>),
    /// There is none.
    None(Box<Proof>),
}

/// Solves a request, where it is not solved yet, and where allowed again without the pins that alone are in the way.
#[must_use]
pub fn solved<'db>(
    (request, known): (&Request, Option<Resolution<'db>>),
    taken: &Taken,
    may_override: bool,
    db: &'db RuleDb,
) -> Solved<'db> {
    let known = known.map_or_else(|| with_overrides(request, may_override, db), |known| (Ok(known), Vec::new()));
    let (mut resolution, overridden) = match known {
        (Ok(resolution), overridden) => (resolution, overridden),
        (Err(proof), _) => return Solved::None(proof),
    };
    if resolution.pins.is_empty() && resolution.unlisted.is_empty() && taken.lines.is_empty() {
        let named = request.requirements.iter().map(|asked| asked.requirement.name.to_string());
        let names = text::list(&named.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
        let why = format!("the rules cover nothing of what is asked for: {names}");
        return Solved::Uncovered(why, resolution.unchecked);
    }
    // Whoever brings a package along gets no other version of it.
    resolution.pins.retain(|pin| !taken.names.iter().any(|name| name == pin.name));
    resolution.unchecked.extend_from_slice(&taken.names);
    resolution.unchecked.sort();
    resolution.unchecked.dedup();
    Solved::Set(resolution, overridden)
}

fn with_overrides<'db>(
    request: &Request,
    may_override: bool,
    db: &'db RuleDb,
) -> (Result<Resolution<'db>, Box<Proof>>, Vec<Overridden>) {
    let proof = match solve(request, db) {
        Err(proof) if may_override => proof,
        solved => return (solved, Vec::new()),
    };
    let found = proof.actions.iter().find_map(|action| match action.changes.as_slice() {
        [Change::Override { package, asked, pinned_by, pin }] => Some((package, asked, pinned_by, pin)),
        _ => None,
    });
    let Some((package, asked, pinned_by, pin)) = found else { return (Err(proof), Vec::new()) };
    let mut loose = request.clone();
    loose.overrides.push(package.clone());
    let solved = solve(&loose, db);
    let chosen = solved.as_ref().ok().and_then(|resolution| resolution.pins.iter().find(|pin| pin.name == package));
    let asked = chosen.map_or(asked.clone(), |pin| format!("{package}=={}", pin.version()));
    let (package, pinned_by, pin) = (package.clone(), pinned_by.clone(), pin.clone());
    (solved, vec![Overridden { package, asked, pinned_by, pin }])
}

/// So many packages outside the rules are named.
const NAMED: usize = 5;

/// What the user should know of a solution, a line each; `written` is the file that it is in, `for_uv` that uv is to read it.
#[must_use]
pub fn summary(resolution: &Resolution<'_>, written: Option<&str>, for_uv: bool, db: &RuleDb) -> Vec<String> {
    let count = text::count(resolution.pins.len(), "package", "packages");
    let mut lines = vec![match written {
        Some(file) => format!("solved: {count}, written to `{file}`"),
        None => format!("solved: {count}"),
    }];
    let mut note = |what: &str, names: &[String]| {
        if !names.is_empty() {
            lines.push(format!("note: {what}: {}", text::list(names)));
        }
    };
    note("not covered by the rules, and neither pinned nor judged", &resolution.unchecked);
    note("in a version that the rules do not know, taken as it is and not judged", &resolution.unlisted);
    let unread = resolution.pins.iter().filter(|pin| pin.requires_known() == KnownHow::Unknown);
    let unread: Vec<_> = unread.map(|pin| format!("{} {}", pin.name, pin.release.version)).collect();
    note("nobody read what these require, so nothing is promised of it", &unread);
    let (shown, more) = resolution.outsiders.split_at(resolution.outsiders.len().min(NAMED));
    let mut names = shown.to_vec();
    names.extend((!more.is_empty()).then(|| format!("{} more", more.len())));
    note("not pinned, but the pins keep to what these declare", &names);
    if for_uv && !emit::indexes(resolution, db).is_empty() {
        let hint = "hint: with uv add `--index-strategy unsafe-best-match`, for it takes each package from one index";
        lines.push(hint.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Origin;
    use crate::rules::embedded;

    fn settled(lines: &[&str]) -> Settled {
        let mut inputs = Inputs::default();
        lines.iter().for_each(|line| inputs.add(line).expect("a requirement"));
        inputs.settle(embedded())
    }

    fn request_for(lines: &[&str]) -> Request {
        let target = Target { platform: Some("linux_x86_64".to_owned()), ..Target::default() };
        request(&Wishes::default(), settled(lines), &[target], None, embedded()).expect("no wishes")
    }

    #[test]
    fn a_solution_is_told_with_what_it_does_not_judge() {
        let request = request_for(&["torch==2.7.1", "some-unheard-of-package"]);
        let solved = solved((&request, None), &Taken::default(), false, embedded());
        let Solved::Set(resolution, overridden) = solved else { panic!("it is solved: {solved:?}") };
        assert!(overridden.is_empty() && resolution.pins.iter().any(|pin| pin.name == "torch"));
        let lines = summary(&resolution, Some("c.txt"), false, embedded());
        assert_eq!(lines[0], format!("solved: {} packages, written to `c.txt`", resolution.pins.len()));
        assert_eq!(lines[1], "note: not covered by the rules, and neither pinned nor judged: some-unheard-of-package");
    }

    #[test]
    fn what_contradicts_itself_or_is_not_covered_is_not_solved() {
        let of = |lines: &[&str]| solved((&request_for(lines), None), &Taken::default(), false, embedded());
        assert!(matches!(of(&["torch==2.7.1", "torch==2.6.0"]), Solved::None(_)));
        let Solved::Uncovered(why, _) = of(&["some-unheard-of-package"]) else { panic!("nothing of it is covered") };
        assert_eq!(why, "the rules cover nothing of what is asked for: some-unheard-of-package");
    }

    #[test]
    fn wishes_about_what_is_not_there_are_refused() {
        let wish = |wishes: Wishes, facts: Option<&Facts>| {
            let made = request(&wishes, settled(&["torch"]), &[Target::default()], facts, embedded());
            made.map(|_| ()).map_err(|error| error.to_string())
        };
        let installed = Wishes { prefer: Prefer::Installed, ..Wishes::default() };
        assert!(wish(installed.clone(), None).is_err());
        assert_eq!(wish(installed, Some(&Facts::unknown(Origin::Host))), Ok(()));
        let keep = Wishes { keep: vec!["Triton".to_owned()], ..Wishes::default() };
        assert_eq!(wish(keep, None), Err("`--keep triton`: it is not installed".to_owned()));
        let nothing = sensible(&request_for(&[]), &Taken::default(), embedded()).expect_err("nothing is asked for");
        assert!(nothing.to_string().starts_with("nothing to resolve"));
        let slip = sensible(&request_for(&["torchvison"]), &Taken::default(), embedded()).expect_err("a slip");
        assert!(slip.to_string().ends_with("did you mean `torchvision`?"), "{slip}");
    }
}
