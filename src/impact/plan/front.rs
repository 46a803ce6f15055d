//! What is dealt with before anything is installed: what stands in front of the environment's packages, and metadata of nothing.
//!
//! An installer changes the environment, and a copy in front of it would go on being imported.

use crate::check::{self, in_front, registry};
use crate::facts::{Facts, InFront, Place, PutBy};
use crate::finding::{Change, Finding, Id, Remedy};
use crate::rules::requirement::{name_of, normalise};
use crate::rules::{RuleDb, Workload};
use crate::step::Step;
use crate::text::{list, lower_first};

use super::super::{apply, serious, serious_ids};
use super::{ranges::bounded, twins};

/// What was taken away, and how things stand then.
pub(super) struct Front {
    pub facts: Facts,
    pub findings: Vec<Finding>,
    pub parts: Vec<String>,
    pub steps: Vec<Step>,
    pub changes: Vec<Change>,
    /// What is installed under another name.
    pub requirements: Vec<String>,
    /// Nothing of that has requirements that nobody read.
    pub known: bool,
    /// Findings that only a message tells of, and that this answers.
    pub answered: Vec<Id>,
}

impl Front {
    /// Takes away, one by one, what ends a finding and makes none.
    pub fn of(facts: &Facts, db: &RuleDb, workload: &Workload, findings: &[Finding]) -> Self {
        let mut front = Self {
            facts: facts.clone(),
            findings: findings.to_vec(),
            parts: Vec::new(),
            steps: Vec::new(),
            changes: Vec::new(),
            requirements: Vec::new(),
            known: true,
            answered: Vec::new(),
        };
        for remedy in candidates(facts, findings) {
            front.take(remedy, &[], db, workload);
        }
        for remedy in beside_anchors(facts, db, workload, findings) {
            let requirements = remedy.requirements.clone();
            if front.take(remedy, &[], db, workload) {
                front.requirements.extend(requirements);
                front.known = false;
            }
        }
        let twins = twins::older(&front.facts, db, &front.findings);
        let twins = twins.or_else(|| twins::of_torch(&front.facts, db, &front.findings));
        if let Some(twins) = twins.or_else(|| twins::of_the_toolkit(&front.facts, db, &front.findings)) {
            let requirements = twins.remedy.requirements.clone();
            if front.take(twins.remedy, &twins.answers, db, workload) {
                front.requirements.extend(requirements);
                front.known &= twins.known;
                front.answered.extend(twins.answers);
            }
        }
        front
    }

    /// Takes a remedy over where it ends a finding, or answers one that only a message tells of, and makes none.
    fn take(&mut self, remedy: Remedy, answers: &[Id], db: &RuleDb, workload: &Workload) -> bool {
        let Some(change) = &remedy.change else { return false };
        let after = apply(&self.facts, change, db);
        let found = check::findings(&check::run(&after, db, workload));
        let (now, then) = (serious_ids(&self.findings), serious_ids(&found));
        let helps = then.is_subset(&now) && (then.len() < now.len() || !answers.is_empty());
        if helps {
            (self.facts, self.findings) = (after, found);
            self.parts.push(lower_first(&remedy.summary));
            self.changes.push(change.clone());
            self.steps.extend(remedy.steps);
        }
        helps
    }
}

/// What findings offer as a second way that moves no package which the rules cover, where their first moves what people install for
/// its own sake: `huggingface-hub<0.26` before a newer diffusers.
fn beside_anchors(facts: &Facts, db: &RuleDb, workload: &Workload, findings: &[Finding]) -> Vec<Remedy> {
    let name = |line: &String| normalise(name_of(line));
    let is_anchor = |name: &String| db.package(name).is_some_and(|package| package.headline.is_some());
    let is_free = |name: &String| db.package(name).is_none() && facts.distribution(name).is_some();
    let mut found = Vec::new();
    for finding in findings.iter().filter(|it| serious(it) && it.id.is(&registry::ADVISORY)) {
        let all = |remedy: &&Remedy, is: &dyn Fn(&String) -> bool| {
            !remedy.requirements.is_empty() && remedy.requirements.iter().map(name).all(|name| is(&name))
        };
        let mut remedies = finding.remedies.iter();
        let free =
            remedies.next().filter(|first| all(first, &is_anchor)).and_then(|_| remedies.find(|it| all(it, &is_free)));
        let Some(free) = free.filter(|_| finding.packages.iter().all(|name| is_free(name) || is_anchor(name))) else {
            continue;
        };
        // What moves has no say in what it may be.
        let mut others = facts.clone();
        others.distributions.retain(|it| !free.requirements.iter().any(|line| name(line) == it.name));
        let lines =
            free.requirements.iter().map(|line| bounded(line, &others, db, workload)).collect::<Option<Vec<_>>>();
        let Some(lines) = lines else { continue };
        found.push(Remedy {
            requirements: lines.clone(),
            change: Some(Change::Install(lines.clone())),
            ..Remedy::new(format!("Install {}", list(&lines)), check::Installer::of(facts).install(&[], &lines))
        });
    }
    found
}

/// What may be taken away: what findings say, and the copies in front of what they are about.
fn candidates(facts: &Facts, findings: &[Finding]) -> Vec<Remedy> {
    let serious = || findings.iter().filter(|finding| serious(finding));
    let told = serious()
        .flat_map(|finding| &finding.remedies)
        .filter(|remedy| !remedy.steps.is_empty() && remedy.change.as_ref().is_some_and(takes_away));
    let mut candidates: Vec<Remedy> = told.cloned().collect();
    let place = facts.python.value().map(|python| &python.place);
    let is_named = |name: &String| serious().any(|finding| finding.packages.contains(name));
    let in_front = place.into_iter().flat_map(|place| &place.in_front).filter(|it| is_named(&it.name));
    candidates.extend(in_front.filter_map(|it| in_front::remedy(facts, it)));
    candidates.extend(place.and_then(|place| all_of_user_site(facts, place, &is_named)));
    let mut seen: Vec<Change> = Vec::new();
    candidates.retain(|remedy| {
        let change = remedy.change.clone();
        let new = change.as_ref().is_some_and(|change| !seen.contains(change));
        seen.extend(change);
        new
    });
    candidates
}

/// All that the user's own folder puts in front, where findings are about one of them: what is there was made for each other.
fn all_of_user_site(facts: &Facts, place: &Place, is_named: &dyn Fn(&String) -> bool) -> Option<Remedy> {
    let of_user: Vec<&InFront> = place.in_front.iter().filter(|it| it.by == PutBy::UserSite).collect();
    let path = &of_user.iter().find(|it| is_named(&it.name))?.path;
    let names: Vec<&str> = of_user.iter().filter(|it| it.path == *path).map(|it| it.name.as_str()).collect();
    (names.len() > 1).then(|| in_front::out_of_user_site(facts, &names, path)).flatten()
}

/// Whether a change only takes away what hides or belies what is installed.
fn takes_away(change: &Change) -> bool {
    match change {
        Change::All(changes) => !changes.is_empty() && changes.iter().all(takes_away),
        change => matches!(change, Change::OffPath(_) | Change::Forget { .. }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Distribution, Management, Metadata, Origin, Python, PythonImplementation, Reading, Stray};
    use crate::rules::embedded;
    use crate::step::{Shell, print};

    const SITE: &str = "/v/lib/python3.11/site-packages";

    fn facts(distributions: &[(&str, &str, &str, &[&str])], in_front: Vec<InFront>) -> Facts {
        let mut facts = Facts::unknown(Origin::Host);
        facts.system.os = Reading::host("linux".to_owned(), "the test");
        facts.system.arch = Reading::host("x86_64".to_owned(), "the test");
        let python = Python {
            executable: Reading::host("/v/bin/python3".to_owned(), "the test"),
            prefix: "/v".to_owned(),
            base_prefix: Reading::Unknown,
            version: Reading::host("3.11.9".parse().expect("a version"), "the test"),
            implementation: PythonImplementation::CPython,
            free_threaded: false,
            bits: Reading::Unknown,
            chosen_by: "the test".to_owned(),
            path: Vec::new(),
            management: Management::default(),
            place: Place { in_front, ..Place::default() },
        };
        facts.python = Reading::host(python, "the test");
        facts.distributions = distributions
            .iter()
            .chain([&("pip", "25.0", SITE, &[][..])])
            .map(|(name, version, location, requires)| Distribution {
                name: (*name).to_owned(),
                version: Reading::metadata((*version).to_owned(), "METADATA"),
                location: (*location).to_owned(),
                metadata_dir: format!("{name}-{version}.dist-info"),
                metadata: Reading::metadata(
                    Metadata { requires: requires.iter().map(|it| (*it).to_owned()).collect(), ..Metadata::default() },
                    "METADATA",
                ),
                ..Distribution::default()
            })
            .collect();
        facts
    }

    /// The plan's commands, and whether it is verified.
    fn planned(facts: &Facts) -> (Vec<String>, bool) {
        let workload = Workload::default();
        let findings = check::findings(&check::run(facts, embedded(), &workload));
        let (_, plan) = crate::impact::with_remedies(facts, embedded(), &workload, findings);
        plan.map(|plan| (print(&plan.steps, Shell::Sh), plan.verified)).unwrap_or_default()
    }

    const NEEDS: &[&str] = &["tokenizers<=0.23.0,>=0.22.0"];

    #[test]
    fn a_copy_in_front_goes_before_anything_is_installed() {
        let two = |by: PutBy, folder: &str| {
            let copies: [(&str, &str, &str, &[&str]); 3] = [
                ("tokenizers", "0.20.3", folder, &[]),
                ("tokenizers", "0.22.2", SITE, &[]),
                ("transformers", "4.57.1", SITE, NEEDS),
            ];
            facts(&copies, vec![InFront { name: "tokenizers".to_owned(), path: folder.to_owned(), by }])
        };
        let mut by_variable = two(PutBy::Pythonpath, "/opt/lib");
        let mut set = |value: &str| {
            by_variable.system.environment.insert("PYTHONPATH".to_owned(), value.to_owned());
            planned(&by_variable)
        };
        assert_eq!(set("/opt/lib"), (vec!["unset PYTHONPATH".to_owned()], true));
        assert_eq!(set("/src:/opt/lib/"), (vec!["export PYTHONPATH=/src".to_owned()], true));
        let user = "/home/a/.local/lib/python3.11/site-packages";
        let removed = vec!["/v/bin/python3 -m pip uninstall -y tokenizers".to_owned()];
        assert_eq!(planned(&two(PutBy::UserSite, user)), (removed, true));
        // pip in a virtual environment leaves what is outside it.
        let mut venv = two(PutBy::UserSite, user);
        if let Reading::Known { value: python, .. } = &mut venv.python {
            python.base_prefix = Reading::host("/usr".to_owned(), "the test");
        }
        assert_eq!(planned(&venv), (vec!["export PYTHONNOUSERSITE=1".to_owned()], true));
    }

    /// The user's requests fits the user's urllib3, and neither what is behind them.
    #[test]
    fn what_the_users_folder_holds_goes_together() {
        let user = "/home/a/.local/lib/python3.11/site-packages";
        let copies: [(&str, &str, &str, &[&str]); 4] = [
            ("requests", "2.17.3", user, &["chardet<3.1"]),
            ("urllib3", "1.21.1", user, &[]),
            ("requests", "2.32.0", SITE, &["urllib3>=1.26"]),
            ("urllib3", "2.5.0", SITE, &[]),
        ];
        let by_user = |name: &str| InFront { name: name.to_owned(), path: user.to_owned(), by: PutBy::UserSite };
        let facts = facts(&copies, vec![by_user("requests"), by_user("urllib3")]);
        let removed = "/v/bin/python3 -m pip uninstall -y requests urllib3".to_owned();
        assert_eq!(planned(&facts), (vec![removed], true));
    }

    #[test]
    fn metadata_that_no_installer_can_replace_goes_first() {
        let mut facts =
            facts(&[("tokenizers", "0.20.3", SITE, &[]), ("transformers", "4.57.1", SITE, NEEDS)], Vec::new());
        let install = "/v/bin/python3 -m pip install huggingface-hub==0.36.2 tokenizers==0.22.2".to_owned();
        assert_eq!(planned(&facts).0, std::slice::from_ref(&install));
        let tokenizers = facts.distributions.iter_mut().find(|it| it.name == "tokenizers").expect("it");
        tokenizers.record = Some(Stray::Missing);
        let remove = format!("rm -rf {SITE}/tokenizers-0.20.3.dist-info {SITE}/tokenizers");
        assert_eq!(planned(&facts).0, [remove, install]);
        let tokenizers = facts.distributions.iter_mut().find(|it| it.name == "tokenizers").expect("it");
        tokenizers.record = Some(Stray::Of("tokenizers-0.22.2.dist-info".to_owned()));
        let again = "/v/bin/python3 -m pip install --force-reinstall --no-deps tokenizers==0.22.2".to_owned();
        assert_eq!(planned(&facts).0, [format!("rm -r {SITE}/tokenizers-0.20.3.dist-info"), again]);
    }

    #[test]
    fn what_only_a_row_asks_for_is_not_added() {
        // The row of peft asks for torch and accelerate; this one says it does without them.
        let of = |peft: &'static [&'static str]| {
            let installed: [(&str, &str, &str, &[&str]); 3] = [
                ("peft", "0.18.0", SITE, peft),
                ("tokenizers", "0.20.3", SITE, &[]),
                ("transformers", "4.57.1", SITE, NEEDS),
            ];
            planned(&facts(&installed, Vec::new())).0.join("\n")
        };
        assert!(!of(&["transformers"]).contains("torch"), "{}", of(&["transformers"]));
        assert!(of(&["transformers", "torch>=1.13"]).contains("torch=="));
    }

    /// diffusers 0.22 imports a name that huggingface-hub 0.26 no longer has: the one is what people install for its own sake.
    #[test]
    fn what_nobody_installs_for_its_own_sake_moves_first() {
        let with = |hub_of: &'static [&'static str]| {
            let installed: [(&str, &str, &str, &[&str]); 3] = [
                ("diffusers", "0.22.1", SITE, &["huggingface-hub>=0.13.2"]),
                ("huggingface-hub", "0.27.1", SITE, &[]),
                ("hub-user", "1.0", SITE, hub_of),
            ];
            planned(&facts(&installed, Vec::new())).0
        };
        let hub = "/v/bin/python3 -m pip install huggingface-hub==0.25.2".to_owned();
        assert_eq!(with(&[]), [hub]);
        // Somebody who stays needs the new one.
        let other = with(&["huggingface-hub>=0.27"]).join("\n");
        assert!(!other.contains("huggingface-hub"), "{other}");
    }
}
