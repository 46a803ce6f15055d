//! Extras that findings ask for of what is installed: they are installed for the release that is there.
//!
//! `tensorflow[and-cuda]` beside TensorFlow 2.15.1 is `tensorflow[and-cuda]==2.15.1`; without the version an installer may take
//! the newest.

use super::{Draft, is_certain, serious};
use crate::facts::Facts;
use crate::finding::{Change, Finding};
use crate::pep::Requirement;
use crate::rules::requirement::{self, markers, normalise, satisfied, specifiers, surely_applies};
use crate::rules::{RuleDb, Target};

/// One extra as an installer is asked for it, and what that brings.
struct AskedExtra {
    /// E.g. `tensorflow[and-cuda]==2.15.1`.
    line: String,
    /// E.g. `nvidia-cudnn-cu12==8.9.4.25`.
    brings: Vec<String>,
}

impl Draft<'_> {
    /// Installs the extras that findings ask for, where the rules know them of the release that stays.
    pub(super) fn extras(&mut self, findings: &[Finding]) {
        for finding in findings.iter().filter(|it| serious(it) && is_certain(it, self.db)) {
            let now = self.now();
            let lines = finding.remedies.iter().map(|remedy| &remedy.requirements).find(|lines| !lines.is_empty());
            let asked = lines.into_iter().flatten().map(|line| asked(line, &now, self.db));
            let Some(asked) = asked.collect::<Option<Vec<AskedExtra>>>().filter(|asked| !asked.is_empty()) else {
                continue;
            };
            let brings: Vec<String> = asked.iter().flat_map(|it| it.brings.clone()).collect();
            let changes: Vec<Change> = self.changes.iter().cloned().chain([Change::Install(brings.clone())]).collect();
            let (before, then) = (self.ids_after(&self.changes), self.ids_after(&changes));
            if then.contains(&finding.id) || !then.is_subset(&before) {
                continue;
            }
            let lines: Vec<String> = asked.into_iter().map(|it| it.line).collect();
            self.also_install(lines, brings, Some(then));
        }
    }
}

/// A line with an extra, for the installed release; none where it names no extra, or one that this release has not, or where what
/// it asks for is there already.
fn asked(line: &str, now: &Facts, db: &RuleDb) -> Option<AskedExtra> {
    let wanted = requirement::parse(line).ok().filter(|wanted| !wanted.extras.is_empty())?;
    let name = normalise(wanted.name.as_ref());
    let version = now.distribution(&name)?.stated_version()?.without_local();
    let release = db.package(&name)?.releases.iter().find(|release| release.version == version)?;
    if !satisfied(&specifiers(&wanted)?, &version) {
        return None;
    }
    let known = release.extras()?;
    let environment = markers(&Target::to_plan_for(now, db));
    let active = |line: &Requirement| surely_applies(line, environment.as_ref(), &[]);
    let mut lines: Vec<Requirement> = Vec::new();
    for extra in &wanted.extras {
        let parsed = known.get(extra.as_ref())?.requires.iter().filter_map(|line| requirement::parse(line).ok());
        lines.extend(parsed.filter(active));
    }
    let missing = lines.iter().filter(|line| now.distribution(line.name.as_ref()).is_none());
    let brings = missing.map(|line| {
        let range = specifiers(line).map(|range| range.to_string().replace(' ', "")).unwrap_or_default();
        format!("{}{range}", normalise(line.name.as_ref()))
    });
    let brings: Vec<String> = brings.collect();
    let extras: Vec<&str> = wanted.extras.iter().map(AsRef::as_ref).collect();
    (!brings.is_empty()).then(|| AskedExtra { line: format!("{name}[{}]=={version}", extras.join(",")), brings })
}
