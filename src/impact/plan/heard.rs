//! What only a message tells of, and nobody's plan mends: its own commands go along where they touch other packages.

use super::super::is_heard;
use super::{Draft, is_certain};
use crate::finding::{Change, Finding, Severity};
use crate::rules::requirement::{name_of, normalise, parse};
use crate::step::Step;
use crate::text::lower_first;

impl Draft<'_> {
    /// Adds the first remedies of messages that prove their cause, where these are calls of an installer about packages that the
    /// plan leaves alone: there is one plan for all that a text tells. A plan that changes nothing is left to the remedies.
    pub(super) fn heard(&mut self, findings: &[Finding]) {
        if self.changes.is_empty() {
            return;
        }
        let told = findings.iter().filter(|it| {
            it.severity == Severity::Fail && is_heard(&it.id, self.db, self.workload) && is_certain(it, self.db)
        });
        for finding in told {
            let Some(remedy) = finding.remedies.first().filter(|it| !it.steps.is_empty()) else { continue };
            let Some(calls) = remedy.steps.iter().map(Call::of).collect::<Option<Vec<_>>>() else { continue };
            let touched = |name: &str| {
                self.requirements.iter().any(|line| normalise(name_of(line)) == name) || removes(&self.changes, name)
            };
            let names = || calls.iter().flat_map(|call| &call.lines).map(|line| normalise(name_of(line)));
            if names().next().is_none() || names().any(|name| touched(&name)) {
                continue;
            }
            for call in calls {
                if call.installs {
                    self.changes.push(Change::Install(call.lines.clone()));
                    self.requirements.extend(call.lines);
                } else {
                    let removed =
                        |line: &String| Change::Remove { name: normalise(line), location: self.place_of(line) };
                    let removed: Vec<Change> = call.lines.iter().map(removed).collect();
                    self.changes.extend(removed);
                }
            }
            self.known = false;
            self.parts.push(lower_first(&remedy.summary));
            self.steps.extend(remedy.steps.iter().cloned());
            self.by_setting.insert(finding.id.clone());
        }
    }

    /// Where a distribution lies; nowhere that is known for what a report does not list.
    fn place_of(&self, name: &str) -> String {
        self.facts.distribution(&normalise(name)).map_or_else(String::new, |it| it.location.clone())
    }
}

/// Whether a change that is planned removes a package.
fn removes(changes: &[Change], name: &str) -> bool {
    changes.iter().any(|change| match change {
        Change::Remove { name: own, .. } => own == name,
        Change::All(changes) => removes(changes, name),
        _ => false,
    })
}

/// A call of an installer.
struct Call {
    installs: bool,
    /// What it names, e.g. `numpy<2`.
    lines: Vec<String>,
}

impl Call {
    /// Reads `pip install "numpy<2"`, `uv pip uninstall onnxruntime`; none for what is no such call, or has options with a value.
    fn of(step: &Step) -> Option<Self> {
        const PLAIN: [&str; 6] =
            ["-y", "--force-reinstall", "--no-deps", "--no-cache-dir", "--upgrade", "--no-build-isolation"];
        if !matches!(step, Step::Run { .. }) {
            return None;
        }
        let words = step.words();
        let pip = words.iter().position(|word| word == "pip")?;
        let verb = words.get(pip + 1)?;
        let rest = words.get(pip + 2..)?;
        let lines: Vec<String> = rest.iter().filter(|word| !PLAIN.contains(&word.as_str())).cloned().collect();
        let read = lines.iter().all(|line| parse(line).is_ok());
        let installs = verb == "install";
        ((installs || verb == "uninstall") && read).then_some(Self { installs, lines })
    }
}
