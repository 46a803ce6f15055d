//! Is a build known to go with what a machine and an environment have?
//!
//! The same rules as the solver asks, of one build beside what stays where it is: [`obstacles`] for the build by itself, what it
//! requires, its kernels and its symbols beside the installed torch. What is not known is no yes: a build that needs glibc 2.28 does not
//! fit a machine of which nobody knows the glibc.

use super::obstacle::{code_obstacles, obstacles};
use super::partner::loaded_code;
use super::requirement::{markers, name_of, normalise, parse, satisfied, specifiers};
use super::role::is_runtime_wheel;
use super::target::Target;
use super::torch_abi::{misfit, row};
use crate::pep::{MarkerEnvironment, Version};
use crate::rules::RuleDb;
use crate::rules::schema::KnownHow;
use crate::rules::store::model::{ANY, Build, Package, Release};

/// What stands in an environment under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There<'a> {
    /// This version, with its local label, e.g. 2.7.1+cu126.
    Version(&'a Version),
    /// Nothing: an installer brings what is asked for.
    Nothing,
    /// Something, or perhaps something.
    Unknown,
}

/// An environment that stays as it is.
pub struct Surroundings<'a> {
    /// The machine.
    pub target: &'a Target,
    /// Whether all GPUs are known that it has, with their compute capabilities; also where it has none.
    pub gpus_known: bool,
    /// What stands there under a normalised name.
    pub there: &'a dyn Fn(&str) -> There<'a>,
    /// The torch there: its release and its build.
    pub torch: Option<(&'a Release, &'a Build)>,
}

impl Surroundings<'_> {
    /// Whether a release has a build that fits; none where that is not known.
    #[must_use]
    pub fn fits(&self, package: &Package, release: &Release, db: &RuleDb) -> Option<bool> {
        let environment = markers(self.target);
        let judged = release.builds.iter().map(|build| {
            if !obstacles(package, release, build, self.target, db).is_empty() {
                return Some(false);
            }
            let known = self.is_decided(build) && release.requires_known(build) != KnownHow::Unknown;
            all([
                known.then_some(true),
                self.are_met(release, build, environment.as_ref()),
                self.loads(package, release, build, db),
            ])
        });
        any(judged)
    }

    /// Whether all is known that [`obstacles`] asks of the machine on account of a build.
    fn is_decided(&self, build: &Build) -> bool {
        let target = self.target;
        (build.platform == ANY || target.platform.is_some())
            && target.python.is_some()
            && (!build.python.is_empty() || build.is_source())
            && (build.glibc.is_none() || target.glibc.is_some())
            && (build.cuda.is_none() || target.cpu_only || target.user_mode_driver().is_some())
            && (build.code.is_empty() || target.cpu_only || self.gpus_known)
    }

    /// Whether what a build requires is there, or will be brought.
    fn are_met(&self, release: &Release, build: &Build, environment: Option<&MarkerEnvironment>) -> Option<bool> {
        let teller = release.told_by(build).filter(|_| !build.is_opened());
        let told = teller.into_iter().flat_map(|teller| &teller.requires);
        let told = told.filter(|line| !is_runtime_wheel(name_of(line)));
        all(release.requires.iter().chain(&build.requires).chain(told).map(|line| {
            let requirement = parse(line).ok()?;
            let range = specifiers(&requirement)?;
            let met = match (self.there)(&normalise(name_of(line))) {
                There::Nothing => Some(true),
                There::Version(version) => Some(satisfied(&range, version)),
                There::Unknown => range.is_empty().then_some(true),
            };
            match requirement.marker.evaluate_optional_environment(environment, &[]) {
                false => Some(true),
                // Without an environment a marker tells only where it never holds.
                true if environment.is_some() || requirement.marker.is_true() => met,
                true => met.filter(|met| *met),
            }
        }))
    }

    /// Whether its compiled code loads beside the torch that is there, and runs on the GPUs.
    fn loads(&self, package: &Package, release: &Release, build: &Build, db: &RuleDb) -> Option<bool> {
        let links = match (row(package, release, build, db), self.torch) {
            (None, _) => Some(true),
            (Some(abi), Some((torch, own))) => Some(misfit(&abi, &torch.version, own, db).is_none()),
            (Some(_), None) => None,
        };
        let by_cuda = build.code.iter().any(|code| code.for_cuda.is_some());
        let runs = match self.torch {
            _ if !by_cuda => Some(true),
            Some((_, own)) => Some(loaded_code(package, &release.version, build, own.cuda, db).is_ok_and(|code| {
                let cuda = code.iter().find_map(|code| code.for_cuda).or(build.cuda);
                code_obstacles(&code, cuda, self.target, db).is_empty()
            })),
            None => None,
        };
        all([links, runs])
    }
}

/// No where one is no, else not known where one is not.
fn all(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut answers = answers.into_iter();
    answers
        .try_fold(Some(true), |all, answer| match answer {
            Some(false) => Err(()),
            answer => Ok(all.and(answer)),
        })
        .unwrap_or(Some(false))
}

/// Yes where one is yes, else not known where one is not.
fn any(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    all(answers.into_iter().map(|answer| answer.map(|it| !it))).map(|none| !none)
}

#[cfg(test)]
mod tests {
    use super::{all, any};

    #[test]
    fn what_is_not_known_is_no_yes_and_no_no() {
        let (yes, no, open) = (Some(true), Some(false), None);
        assert_eq!([all([yes, open]), all([open, no]), all([yes, yes]), all([])], [open, no, yes, yes]);
        assert_eq!([any([no, open]), any([open, yes]), any([no, no]), any([])], [open, yes, no, no]);
    }
}
