//! What is there twice in one folder, and is installed anew.

use super::{Draft, serious};
use crate::check::{self, registry};
use crate::facts::Distribution;
use crate::finding::{Change, Finding};
use crate::rules::requirement::name_of;

impl Draft<'_> {
    /// Both copies go before what is installed in the place of a package that is there twice: an installer removes the one that it
    /// sees.
    pub(super) fn doubles(&mut self, findings: &[Finding]) {
        let twice = findings.iter().filter(|it| serious(it) && it.id.is(&registry::TWICE));
        let names: Vec<String> = twice.filter_map(|it| it.id.subject()).map(str::to_owned).collect();
        for name in names {
            let copies: Vec<&Distribution> = self.facts.distributions.iter().filter(|it| it.name == name).collect();
            let one_place = copies.windows(2).all(|pair| pair[0].location == pair[1].location);
            if !one_place || !self.requirements.iter().any(|line| name_of(line) == name) {
                continue;
            }
            let location = copies.first().map(|it| it.location.clone()).unwrap_or_default();
            let remove = check::Installer::of(self.facts).uninstall(&[&name]);
            self.steps.splice(0..0, remove.into_iter().cycle().take(copies.len()));
            self.changes.insert(0, Change::Remove { name: name.clone(), location });
            self.parts.insert(0, format!("remove both copies of {name}"));
            self.after = None;
        }
    }
}
