//! An environment as it is in the end: what later commands ask for again counts instead of what was asked for before.

use crate::lint::project::{Environment, From, IndexAt, Line, Project, Setting, Step};
use crate::pep::MarkerEnvironment;
use crate::rules::model::Build;
use crate::rules::requirement::{markers, satisfied, specifiers};
use crate::rules::schema::SourceBuild;
use crate::rules::{RuleDb, Target};
use crate::solve::{AskedRequirement, FromIndex, Request};
use crate::version::{CudaVersion, PythonVersion};

/// An environment with what it is judged by.
pub struct View<'p> {
    pub project: &'p Project,
    pub environment: &'p Environment,
    pub targets: &'p [Target],
    pub db: &'p RuleDb,
    /// Those that count in the end.
    pub lines: Vec<&'p Line>,
}

/// Markers are judged for this Python where a target says none.
const PYTHON: (u32, u32) = (3, 12);

/// The index of an installer that is told of none.
pub const PYPI: &str = "pypi";

/// PyPI's file of a variant is on the variant's own index too.
pub fn on_pypi(build: &Build) -> bool {
    build.index == PYPI
}

/// The package on which all turns.
pub use crate::facts::TORCH;

impl<'p> View<'p> {
    pub fn new(project: &'p Project, environment: &'p Environment, targets: &'p [Target], db: &'p RuleDb) -> Self {
        let all = &environment.lines;
        let counts = |at: &usize| {
            let line = &all[*at];
            let again = all[at + 1..].iter().any(|later| {
                later.name == line.name
                    && later.step != line.step
                    && !later.constraint
                    && is_limited(later)
                    && replaces(environment, line, later, db)
            });
            (line.constraint || !again) && !line.elsewhere && is_judged(line, db)
        };
        let lines = (0..all.len()).filter(counts).map(|at| &all[at]).collect();
        Self { project, environment, targets, db, lines }
    }

    /// Whether the rules know any of the packages.
    pub fn is_covered(&self) -> bool {
        self.lines.iter().any(|line| self.db.package(&line.name).is_some())
    }

    /// The lines that apply on a target.
    pub fn applying(&self, target: &Target) -> impl Iterator<Item = &'p Line> {
        let environment = marker_environment(target);
        let lines: Vec<_> = self.lines.clone();
        lines.into_iter().filter(move |line| {
            let marker = &line.requirement.marker;
            marker.is_true() || environment.as_ref().is_none_or(|environment| marker.evaluate(environment, &[]))
        })
    }

    /// File and line, e.g. `req.in:3`.
    pub fn origin(&self, line: &Line) -> String {
        format!("{}:{}", self.project.path(line.at.file), line.at.place.line)
    }

    /// What is asked of the solver on a target; `other` stands for the index that lines name.
    pub fn request(&self, target: &Target, other: Option<&str>) -> Request {
        self.request_by(target, None, &|at| {
            other.map_or_else(|| self.db.index_at(&at.url), |other| Some(other.to_owned()))
        })
    }

    /// The same, where what no index is named for comes from PyPI.
    pub fn request_as_installed(&self, target: &Target) -> Request {
        let mut request = self.request_by(target, Some(PYPI), &|at| self.db.index_at(&at.url));
        // What they bring comes from there too.
        if let Some(first) = self.lines.first().filter(|_| self.lines.iter().all(|line| line.source == From::Unnamed)) {
            request.from_index = vec![FromIndex { package: None, index: PYPI.to_owned(), origin: self.origin(first) }];
        }
        request
    }

    /// Whether a file leaves it to who installs where its packages come from.
    pub fn names_no_index(&self) -> bool {
        self.lines.iter().any(|line| line.source == From::Unnamed)
    }

    /// The same with the name of the index that stands for each one that lines name, and with that of those who name none;
    /// none for any.
    pub fn request_by(
        &self,
        target: &Target,
        unnamed: Option<&str>,
        name: &dyn Fn(&IndexAt) -> Option<String>,
    ) -> Request {
        let mut request = Request { target: target.clone(), ..Request::default() };
        for line in self.applying(target).filter(|line| self.db.package(&line.name).is_some()) {
            let asked = AskedRequirement::new(line.requirement.clone(), self.origin(line));
            if line.constraint { &mut request.constraints } else { &mut request.requirements }.push(asked);
            if let Some((index, origin)) = self.index_of(line, unnamed, name)
                && !request.from_index.iter().any(|known| known.package.as_ref() == Some(&line.name))
            {
                request.from_index.push(FromIndex { package: Some(line.name.clone()), index, origin });
            }
        }
        request
    }

    /// The index that a package must come from, by its name, and where it is named.
    fn index_of(
        &self,
        line: &Line,
        unnamed: Option<&str>,
        name: &dyn Fn(&IndexAt) -> Option<String>,
    ) -> Option<(String, String)> {
        let (index, origin) = match &line.source {
            From::Unknown => return None,
            From::Unnamed => (unnamed?.to_owned(), self.origin(line)),
            From::Pypi => (PYPI.to_owned(), self.origin(line)),
            From::Main(at) | From::Extra(at) => {
                (name(at)?, format!("{}:{}", self.project.path(at.at.file), at.at.place.line))
            }
        };
        // An index that does not have the package at all is not where it comes from.
        let package = self.db.package(&line.name)?;
        package.releases.iter().flat_map(|release| &release.builds).any(|build| build.index == index).then_some(())?;
        Some((index, origin))
    }

    /// The index of the line of torch, or of any line, if it is one for a CUDA release.
    pub fn cuda_index(&self) -> Option<(&'p IndexAt, CudaVersion, String)> {
        let torch_first = self.lines.iter().filter(|line| line.name == TORCH).chain(&self.lines);
        let mut found = torch_first.filter_map(|line| match &line.source {
            From::Main(at) | From::Extra(at) => {
                let name = self.db.index_at(&at.url)?;
                Some((at, CudaVersion::from_variant(&name)?, name))
            }
            _ => None,
        });
        found.next()
    }

    /// Whether CPU builds are asked for: by their index, or by a label such as `+cpu`.
    pub fn wants_cpu(&self) -> bool {
        self.lines.iter().any(|line| {
            let index = match &line.source {
                From::Main(at) | From::Extra(at) => self.db.index_at(&at.url),
                _ => None,
            };
            index.as_deref() == Some("cpu") || line.text.contains("+cpu")
        })
    }

    /// The value of a variable in the end.
    pub fn setting(&self, name: &str) -> Option<&'p Setting> {
        self.environment.settings.iter().rfind(|one| one.name == name)
    }

    /// The toolkit of the base image, with its version and what the image is for, e.g. `devel`.
    pub fn toolkit(&self) -> Option<Toolkit<'p>> {
        self.environment.images.iter().find_map(|image| Toolkit::of(image, self.db))
    }

    /// The commands in their order, with their numbers and the lines that each installs.
    pub fn steps(&self) -> impl Iterator<Item = (usize, &'p Step, Vec<&'p Line>)> {
        let all = self.environment;
        all.steps
            .iter()
            .enumerate()
            .map(|(number, step)| (number, step, all.lines.iter().filter(|line| line.step == Some(number)).collect()))
    }

    /// How a line is compiled against torch when it is installed; none where it is a wheel, or its compiled part is not asked for.
    pub fn source_build(&self, line: &Line) -> Option<&'p SourceBuild> {
        let build = self.db.source_build(&line.name)?;
        let asked_for = build.only_with.as_deref().is_none_or(|with| {
            let name = with.split('=').next().unwrap_or(with);
            self.environment.settings.iter().any(|one| one.name == name)
        });
        (asked_for && (line.elsewhere || is_sdist_only(line, self.db))).then_some(build)
    }

    /// A line that compiles CUDA code here.
    pub fn compiles(&self) -> Option<&'p Line> {
        self.environment.lines.iter().find(|line| self.source_build(line).is_some_and(|build| build.cuda))
    }
}

/// The CUDA toolkit in a base image.
pub struct Toolkit<'p> {
    pub image: &'p crate::lint::project::Image,
    pub cuda: CudaVersion,
    /// The bytes of its version in the image's name, e.g. those of `12.4.1`.
    pub version: std::ops::Range<usize>,
    /// It holds the compiler.
    pub devel: bool,
}

impl<'p> Toolkit<'p> {
    /// Reads `nvidia/cuda:12.4.1-devel-ubuntu22.04` and `pytorch/pytorch:2.6.0-cuda12.4-cudnn9-devel`.
    fn of(image: &'p crate::lint::project::Image, db: &RuleDb) -> Option<Self> {
        let name = image.name.text();
        let (repository, tag) = name.rsplit_once(':')?;
        let start = name.len() - tag.len();
        let ours = repository == db.tables().images.repository
            || repository.ends_with(&format!("/{}", db.tables().images.repository));
        let at = if ours { 0 } else { tag.find("cuda")? + "cuda".len() };
        let number = tag.get(at..)?;
        let number = number.trim_start_matches(['-', ':']);
        let at = tag.len() - number.len();
        let length = number.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(number.len());
        let written = number.get(..length)?;
        let mut parts = written.split('.');
        let cuda = CudaVersion::new(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let version = start + at..start + at + length;
        Some(Self { image, cuda, version, devel: tag.contains("devel") })
    }
}

/// Whether a command puts another build in the place of what an earlier one installed: an installer keeps what satisfies the
/// later line, unless it is told to install anew.
fn replaces(environment: &Environment, line: &Line, later: &Line, db: &RuleDb) -> bool {
    let anew = ["--force-reinstall", "--reinstall", "--ignore-installed", "-I", "--upgrade", "-U"];
    let step = later.step.and_then(|step| environment.steps.get(step));
    if step.is_none_or(|step| anew.iter().any(|flag| step.has(flag))) {
        return true;
    }
    let ranges = (specifiers(&line.requirement), specifiers(&later.requirement));
    let (Some(package), (Some(one), Some(other))) = (db.package(&line.name), ranges) else { return true };
    !package.releases.iter().any(|release| satisfied(&one, &release.version) && satisfied(&other, &release.version))
}

/// Whether a line limits the versions.
fn is_limited(line: &Line) -> bool {
    specifiers(&line.requirement).is_none_or(|all| !all.is_empty())
}

/// Whether the rules can say anything of a line: of a release that they have not heard of they say nothing.
fn is_judged(line: &Line, db: &RuleDb) -> bool {
    let (Some(package), Some(range)) = (db.package(&line.name), specifiers(&line.requirement)) else { return false };
    range.is_empty()
        || package.releases.iter().any(|release| {
            satisfied(&range, &release.version)
                || release
                    .builds
                    .iter()
                    .any(|build| release.build_version(build).is_some_and(|full| satisfied(&range, &full)))
        })
}

/// Whether nothing but a source distribution is published of what a line admits. Of packages that the rules do not have, and
/// of places that they do not know (`--find-links`), nobody says so.
fn is_sdist_only(line: &Line, db: &RuleDb) -> bool {
    let known = match &line.source {
        From::Unknown | From::Unnamed => false,
        From::Pypi => true,
        From::Main(at) | From::Extra(at) => db.index_at(&at.url).is_some(),
    };
    let Some(package) = db.package(&line.name).filter(|_| known) else { return false };
    let Some(range) = specifiers(&line.requirement) else { return false };
    let mut admitted = package.releases.iter().filter(|release| satisfied(&range, &release.version)).peekable();
    admitted.peek().is_some() && admitted.all(|release| release.builds.iter().all(Build::is_source))
}

/// The values of markers on a target.
pub fn marker_environment(target: &Target) -> Option<MarkerEnvironment> {
    let python = target.python.or_else(|| format!("{}.{}", PYTHON.0, PYTHON.1).parse::<PythonVersion>().ok());
    let platform = target.platform.clone().or_else(|| Some("linux_x86_64".to_owned()));
    markers(&Target { python, platform, ..Target::default() })
}
