//! What is there twice in one folder, and is installed anew.

use super::{Draft, serious};
use crate::check::{self, registry};
use crate::facts::Distribution;
use crate::finding::{Change, Finding};
use crate::impact::outlook::{Fate, Outlook};
use crate::rules::requirement::name_of;
use crate::step::Step;

impl Draft<'_> {
    /// Both copies go before what is installed in the place of a package that is there twice: an installer removes the one that it
    /// sees.
    pub(super) fn doubles(&mut self, findings: &[Finding]) {
        let is_installed = |name: &str| self.requirements.iter().any(|line| name_of(line) == name);
        let twice: Vec<Twice> = self.twice(findings).into_iter().filter(|it| is_installed(&it.name)).collect();
        for Twice { name, removal, change } in twice {
            self.steps.splice(0..0, removal);
            self.changes.insert(0, change);
            self.parts.insert(0, format!("remove both copies of {name}"));
            self.after = None;
        }
    }

    /// The same before another set, which installs anew what it would have left as it is.
    pub(super) fn doubles_before(&self, findings: &[Finding], outlook: &mut Outlook) -> Vec<String> {
        let mut removed = Vec::new();
        for Twice { name, removal, change } in self.twice(findings) {
            if !outlook.full.iter().any(|line| name_of(line) == name) {
                let row = outlook.rows.iter().find(|row| row.name == name && row.fate != Fate::Remove);
                let pin =
                    row.and_then(|row| row.after.as_ref().or(row.before.as_ref())).map(|it| format!("{name}=={it}"));
                let Some(pin) = pin else { continue };
                outlook.steps.extend(check::Installer::of(self.facts).install(&[], std::slice::from_ref(&pin)));
                outlook.pins.push(pin.clone());
                outlook.full.push(pin);
            }
            outlook.steps.splice(0..0, removal);
            outlook.change = Change::All(vec![change, outlook.change.clone()]);
            removed.push(format!("remove both copies of {name}"));
        }
        removed
    }

    /// What is there twice in one folder, by the findings that say so.
    fn twice(&self, findings: &[Finding]) -> Vec<Twice> {
        let twice = findings.iter().filter(|it| serious(it) && it.id.is(&registry::TWICE));
        let removed = |name: &str| {
            let copies: Vec<&Distribution> = self.facts.distributions.iter().filter(|it| it.name == name).collect();
            let one_place = copies.windows(2).all(|pair| pair[0].location == pair[1].location);
            let location = copies.first().filter(|_| one_place)?.location.clone();
            let remove = check::Installer::of(self.facts).uninstall(&[name]);
            Some(Twice {
                name: name.to_owned(),
                removal: remove.into_iter().cycle().take(copies.len()).collect(),
                change: Change::Remove { name: name.to_owned(), location },
            })
        };
        twice.filter_map(|it| removed(it.id.subject()?)).collect()
    }
}

/// A package that is there twice in one folder.
struct Twice {
    name: String,
    /// The command that removes one copy, once for each.
    removal: Vec<Step>,
    change: Change,
}
