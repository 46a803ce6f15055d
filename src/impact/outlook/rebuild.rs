//! Which of the installed distributions a change makes unusable until they are built again, and how.

use super::super::TORCH;
use super::view::View;
use crate::check::rebuild::{Bench, own_source};
use crate::facts::{Distribution, Origin};
use crate::pep::Version;
use crate::rules::RuleDb;
use crate::rules::requirement::{self, normalise};
use crate::rules::target::arch_list;
use crate::solve::Pin;
use crate::step::{self, Step};
use crate::version::CudaVersion;

/// How to compile a distribution again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuild {
    /// The variable that names the GPUs and its value, e.g. `TORCH_CUDA_ARCH_LIST`, `12.0`.
    pub variable: Option<(String, String)>,
    /// The CUDA toolkit whose nvcc is needed; none for code without CUDA.
    pub toolkit: Option<CudaVersion>,
    /// The commands, the one that compiles last; none where the version that is installed is no version.
    pub steps: Vec<Step>,
}

/// Whether a pin has no wheel and a plain install compiles it against torch: that comes after torch, with flags of its own.
pub(super) fn is_compiled(pin: &Pin<'_>, db: &RuleDb) -> bool {
    pin.build.is_source() && db.compiles_against_torch(pin.name)
}

impl View<'_, '_> {
    /// Why a distribution is compiled against the torch that goes.
    pub fn why_rebuilt(&self, distribution: &Distribution) -> Option<String> {
        if distribution.name == TORCH {
            return None;
        }
        let links_torch = |soname: &str| soname.starts_with("libtorch") || soname.starts_with("libc10");
        let linked = distribution
            .libraries
            .value()
            .into_iter()
            .flatten()
            .find(|library| library.links.iter().any(|link| links_torch(&link.soname)));
        let torch = self.facts.distribution(TORCH)?.full_version();
        if self.db.source_build(&distribution.name).is_some() && !self.has_wheels(distribution) {
            return Some(format!("its code is compiled against torch {torch} where it is installed"));
        }
        // Published wheels were judged by their own rows.
        let covered = self.db.package(&distribution.name).is_some() && self.has_wheels(distribution);
        let library = linked.filter(|_| !covered)?;
        Some(format!("`{}` is compiled against torch {torch}", library.path))
    }

    /// Whether the rules know wheels of it: then what is installed is one of those, unless it came from elsewhere.
    fn has_wheels(&self, distribution: &Distribution) -> bool {
        let Some(package) = self.db.package(&distribution.name) else { return false };
        let elsewhere = distribution.direct_url.value().is_some() || distribution.editable;
        let mut builds = package.releases.iter().flat_map(|release| &release.builds);
        !elsewhere && builds.any(|build| build.platform != crate::rules::model::ANY)
    }

    /// How to compile what is installed once more.
    pub fn rebuild(&self, distribution: &Distribution) -> Rebuild {
        let name = distribution.name.as_str();
        let is_own = self.facts.origin == Origin::Report && self.db.source_build(name).is_none();
        if is_own && self.db.package(name).is_none() {
            // No index has what somebody compiled from a folder.
            let steps = own_source(distribution, &arch_list(self.target.capabilities()), self.facts);
            let toolkit = self.torch.and_then(|pin| pin.build.cuda);
            return Rebuild { toolkit, steps: steps.into_iter().collect(), variable: None };
        }
        let wanted = match distribution.direct_url.value() {
            Some(url) => Some(format!("{name} @ {url}")),
            None => {
                let known = step::pin(name, distribution.full_version());
                known.or_else(|| self.db.source_build(name).and_then(|_| step::requirement(name)))
            }
        };
        self.compiled(name, wanted, distribution.stated_version().as_ref())
    }

    /// How to compile what is chosen; none for what is no source that is compiled against torch.
    pub(super) fn compile(&self, pin: &Pin<'_>) -> Option<Rebuild> {
        is_compiled(pin, self.db)
            .then(|| self.compiled(pin.name, step::pin(pin.name, &pin.version()), Some(&pin.release.version)))
    }

    fn compiled(&self, name: &str, wanted: Option<String>, version: Option<&Version>) -> Rebuild {
        let row = self.db.source_build(name);
        let toolkit = self.torch.and_then(|pin| pin.build.cuda).filter(|_| row.is_none_or(|row| row.cuda));
        let bench = Bench { facts: self.facts, db: self.db, target: self.target, cuda: toolkit };
        let steps = wanted.and_then(|wanted| bench.steps(name, &wanted)).unwrap_or_default();
        Rebuild { toolkit, steps, variable: bench.gpus(row, version) }
    }

    /// What a distribution declares of packages that change, and the new ones meet.
    pub fn declared(&self, distribution: &Distribution) -> Vec<String> {
        let version = distribution.build_version();
        let row = version.as_ref().and_then(|version| self.row_of(&distribution.name, version));
        let mut lines: Vec<&String> =
            row.map_or_else(Vec::new, |(release, build)| release.requires.iter().chain(&build.requires).collect());
        if lines.is_empty() {
            lines =
                distribution.metadata.value().map(|metadata| metadata.requires.iter().collect()).unwrap_or_default();
        }
        let environment = requirement::markers(self.target);
        let mut declared: Vec<String> = lines
            .into_iter()
            .filter_map(|line| requirement::parse(line).ok())
            .filter(|wanted| environment.as_ref().is_none_or(|env| requirement::applies(wanted, env, &[])))
            .filter(|wanted| self.changed.iter().any(|pin| pin.name == normalise(wanted.name.as_ref())))
            .map(|mut wanted| {
                wanted.marker = Default::default();
                format!("`{}`", wanted.to_string().replace(' ', ""))
            })
            .collect();
        declared.dedup();
        declared
    }
}

impl View<'_, '_> {
    /// Whether enough is known of a distribution to say that a change does not touch it.
    pub(super) fn is_known(&self, distribution: &Distribution) -> bool {
        // Published wheels bring all that they are linked with, or declare it: `manylinux` promises so.
        let published =
            |tag: &String| tag.ends_with("-none-any") || tag.contains("manylinux") || tag.contains("musllinux");
        self.db.package(&distribution.name).is_some()
            || distribution.libraries.value().is_some()
            || distribution.name == "pip"
            || (!distribution.wheel_tags.is_empty() && distribution.wheel_tags.iter().all(published))
    }
}
