//! What is wished of an installed stack: that each package stays as it is. [`super::nearest`] says what dropping a wish costs.

use std::collections::BTreeSet;

use pubgrub::VersionSet;

use super::ask::{Keeps, NumberedRequirement};
use super::node::TORCH;
use super::request::INSTALLED;
use super::universe::{Family, Universe};
use super::versions::{UNLISTED, Versions};
use crate::pep::Version;
use crate::rules::model::Fall;

impl Universe<'_> {
    /// The wishes for all that is installed, and for the CUDA of the family. `requested`: names of what was installed by name.
    pub fn all_wishes(&mut self, requested: &BTreeSet<String>) -> Vec<NumberedRequirement> {
        let mut wishes: Vec<_> = (0..self.width).flat_map(|package| self.as_it_is(package, INSTALLED)).collect();
        for ask in &mut wishes {
            let package = self.packages[ask.package].package;
            if let Some(Keeps::Release { requested: by_name, headline }) = &mut ask.keeps {
                (*by_name, *headline) = (requested.contains(&package.name), package.headline);
            }
        }
        self.family = self.installed_family();
        wishes.extend(self.same_cuda());
        wishes
    }

    /// The wishes that a package keeps its installed release, and of that its build, and does not go back; none where it is not
    /// installed, or in a release that the rules do not know and nothing here may be.
    pub fn as_it_is(&self, package: usize, origin: &str) -> Vec<NumberedRequirement> {
        let candidates = &self.packages[package];
        let Some(version) = self.installed.get(candidates.name) else { return Vec::new() };
        let ask = |text: String, keeps, releases, builds| {
            let specifiers = text.strip_prefix(candidates.name).and_then(|text| text.parse().ok()).unwrap_or_default();
            let origins = [origin.to_owned()].into();
            NumberedRequirement {
                origins,
                keeps: Some(keeps),
                specifiers,
                ..NumberedRequirement::new(package, text, releases, builds)
            }
        };
        let release = Keeps::Release { requested: false, headline: None };
        let text = format!("{}=={version}", candidates.name);
        if self.unlisted(package).is_some_and(|unlisted| unlisted == version) {
            return vec![ask(text, release, Versions::singleton(UNLISTED), None)];
        }
        let public = version.clone().without_local();
        let those = |fits: &dyn Fn(&Version) -> bool| {
            Versions::of(candidates.releases().filter(|number| fits(&candidates.release(*number).version)))
        };
        let same = those(&|other| *other == public);
        let builds =
            candidates.builds.iter().zip(1..).filter(|(candidate, _)| candidates.is_installed(candidate, version));
        let builds = Versions::of(builds.map(|(_, number)| number));
        let mut wishes = vec![ask(format!("{}=={public}", candidates.name), release, same.clone(), None)];
        if candidates.package.headline.is_some() {
            let near = those(&|other| candidates.package.fall(&public, other) < Fall::Far);
            wishes.push(ask(text.clone(), Keeps::Reach, near, None));
        }
        wishes.push(ask(
            format!("{}>={public}", candidates.name),
            Keeps::Forward,
            those(&|other| *other >= public),
            None,
        ));
        if !builds.is_empty() {
            wishes.push(ask(text, Keeps::Build, same, Some(builds)));
        }
        wishes
    }

    /// The CUDA of the installed torch, by the rules' row of it or by its label.
    fn installed_family(&self) -> Option<Family> {
        let torch = &self.packages[self.find(0, TORCH)?];
        let version = self.installed.get(TORCH)?;
        let known = torch.builds.iter().find(|candidate| torch.is_installed(candidate, version));
        if let Some(candidate) = known {
            return Some(Family(candidate.build.cuda));
        }
        let label = version.local().first()?.to_string();
        let mut builds =
            torch.builds.iter().filter(|candidate| candidate.build.local.as_deref() == Some(label.as_str()));
        builds.next().map(|candidate| Family(candidate.build.cuda))
    }

    /// The wish that torch keeps its CUDA: torch is what the others of the family are built for, so it is they that follow. A CPU
    /// build says nothing of what is wanted.
    fn same_cuda(&self) -> Option<NumberedRequirement> {
        let cuda = self.family?.0?;
        let package = self.find(0, TORCH)?;
        let torch = &self.packages[package];
        let alike = || torch.builds.iter().zip(1..).filter(|(candidate, _)| candidate.build.cuda == Some(cuda));
        let releases: BTreeSet<_> = alike().map(|(candidate, _)| candidate.release + 1).collect();
        let builds = Versions::of(alike().map(|(_, number)| number));
        let text = format!("{TORCH} for CUDA {cuda}");
        let keeps = Some(Keeps::Family);
        Some(NumberedRequirement {
            origins: [INSTALLED.to_owned()].into(),
            keeps,
            ..NumberedRequirement::new(package, text, Versions::of(releases), Some(builds))
        })
    }
}
