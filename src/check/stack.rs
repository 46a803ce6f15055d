use crate::pep::Version;

use crate::facts::{Distribution, Facts, Metadata, Origin, Reading, Source, TORCH};
use crate::parallel::in_parallel;
use crate::rules::complete;
use crate::rules::model::{Build, Package, Release};
use crate::rules::requirement::{applies, is_about, markers, parse};
use crate::rules::role::is_nvidias;
use crate::rules::{RuleDb, Target};
use crate::version::CudaVersion;

/// The platform of a report that names none.
const ASSUMED: &str = "linux_x86_64";

/// The installed distributions that import finds, each with its row in the rules.
pub struct Stack<'a> {
    /// In the order of the path.
    pub installed: Vec<Installed<'a>>,
}

/// One installed distribution.
pub struct Installed<'a> {
    /// What was observed.
    pub distribution: &'a Distribution,
    /// Its full version, e.g. 2.7.1+cu126; none where it does not parse.
    pub version: Option<Version>,
    /// The package in the rules.
    pub package: Option<&'a Package>,
    /// The release and build in the rules.
    pub row: Option<(&'a Release, &'a Build)>,
    /// The CUDA of that row; none where the files here need the libraries of another one: somebody built it otherwise.
    pub row_cuda: Option<CudaVersion>,
    /// PyPI's build for this platform, and that is a CPU build.
    pub plain_cpu: bool,
    /// What it requires by the rules, and where that is from, where nobody read its own metadata.
    pub by_rule: Option<(Metadata, String)>,
}

impl Installed<'_> {
    /// The normalised name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.distribution.name
    }

    /// Name and build, e.g. `torch 2.7.1+cu126`.
    #[must_use]
    pub fn title(&self) -> String {
        match self.distribution.full_version() {
            "?" => self.distribution.name.clone(),
            version => format!("{} {version}", self.distribution.name),
        }
    }

    /// The CUDA runtime it was built for: from its files, else its local label, else its row. `Some(None)` is a CPU build.
    #[must_use]
    pub fn cuda(&self) -> Option<Option<CudaVersion>> {
        match &self.distribution.build.cuda {
            Reading::Known { value, .. } => return Some(Some(*value)),
            Reading::Absent { .. } => return Some(None),
            _ => {}
        }
        if let Some(local) = self.distribution.local() {
            if let Some(cuda) = CudaVersion::from_variant(local) {
                return Some(Some(cuda));
            }
            if local == "cpu" {
                return Some(None);
            }
        }
        if self.plain_cpu {
            return Some(None);
        }
        self.row_cuda.map(Some)
    }

    /// What it declares, else what the rules know of its release; none where neither is known.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.distribution.metadata.value().or(self.by_rule.as_ref().map(|(metadata, _)| metadata))
    }

    /// The `Requires-Dist` lines of that.
    #[must_use]
    pub fn requires(&self) -> Option<&[String]> {
        self.metadata().map(|metadata| metadata.requires.as_slice())
    }

    /// The row that tells what it requires; none where it says so itself.
    #[must_use]
    pub fn required_by_rule(&self) -> Option<&str> {
        match (self.distribution.metadata.source(), &self.by_rule) {
            (Some(Source::Rule(place)), _) | (None, Some((_, place))) => Some(place),
            _ => None,
        }
    }

    /// Where the CUDA version was read.
    #[must_use]
    pub fn cuda_place(&self) -> String {
        let build = &self.distribution.build;
        let by_rule = || self.package?.built_for(self.version.as_ref()?).map(|row| row.source.clone());
        let of_rule =
            matches!(build.cuda, Reading::Unknown | Reading::Unreadable { .. }) && self.distribution.local().is_none();
        if let Some(source) = of_rule.then(by_rule).flatten() {
            return source;
        }
        let source = build.cuda.source().or(build.version.source()).or(self.distribution.version.source());
        source.map_or_else(|| "the rules".to_owned(), |source| source.place().to_owned())
    }
}

impl<'a> Stack<'a> {
    /// Looks up every distribution.
    #[must_use]
    pub fn new(facts: &'a Facts, db: &'a RuleDb, target: &Target) -> Self {
        let platform = target.platform.as_deref().unwrap_or_default();
        let distributions: Vec<&Distribution> = facts.active_distributions().collect();
        // The rules of a package are decoded when they are first asked for.
        let installed = in_parallel(&distributions, 24, |&distribution| {
            let version = distribution.build_version();
            // What is published under another name too has the rows of the release that it is made of.
            let other = db.package(&distribution.name).is_none().then(|| db.published_as(&distribution.name)).flatten();
            let release = |version: &Version| Version::new(version.release().iter().copied());
            let other = other.and_then(|name| db.build(name, &release(version.as_ref()?), ASSUMED));
            let row = version.as_ref().and_then(|version| {
                let row = db.build(&distribution.name, version, platform).or(other);
                // A report may not name its platform, and the code of a CUDA variant is the same on all.
                let labelled = version.is_local() || platform.is_empty();
                row.or_else(|| {
                    db.build(&distribution.name, version, ASSUMED)
                        .filter(|_| facts.origin == Origin::Report && labelled)
                })
            });
            let plain = facts.origin == Origin::Report && distribution.local().is_none() && version.is_some();
            let os = target.platform.as_deref().and_then(|platform| platform.split('_').next());
            let by_os = os.or(facts.system.os.value().map(String::as_str));
            let plain_cpu = plain
                && (by_os.is_some_and(|os| db.is_cpu_only(&distribution.name, os))
                    || distribution.name == TORCH && row.is_some_and(|(_, build)| build.cuda.is_none()));
            let unread = matches!(distribution.metadata, Reading::Unknown | Reading::Unreadable { .. });
            let assumed = (facts.origin == Origin::Report).then_some(ASSUMED);
            let platforms: Vec<&str> = target.platform.as_deref().into_iter().chain(assumed).collect();
            let by_rule = unread.then(|| complete::by_rule(distribution, &platforms, db)).flatten();
            let row_cuda =
                row.and_then(|(_, build)| build.cuda).filter(|cuda| !needs_another(distribution, cuda.major, db));
            let package = db.package(&distribution.name).or_else(|| db.package(db.published_as(&distribution.name)?));
            Installed { distribution, version, package, row, row_cuda, plain_cpu, by_rule }
        });
        Self { installed }
    }

    /// Those that need a distribution on a target, by a line that may apply there without an extra. What is made for one CUDA names
    /// its wheels in an extra, and nobody notes which extras were asked for.
    #[must_use]
    pub fn needed_by(&self, name: &str, target: &Target, db: &RuleDb) -> Vec<&Installed<'a>> {
        let environment = markers(target);
        let needs = |installed: &&Installed<'a>| {
            let of_cuda = || db.cuda_name(installed.name()).is_some();
            let may_apply = |line: &String| match (&environment, parse(line)) {
                (Some(environment), Ok(requirement)) => applies(&requirement, environment, &[]) || of_cuda(),
                _ => !line.contains("extra") || of_cuda(),
            };
            let lines = installed.requires().unwrap_or_default();
            installed.name() != name && lines.iter().filter(|line| is_about(line, name)).any(may_apply)
        };
        self.installed.iter().filter(needs).collect()
    }

    /// A distribution by normalised name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Installed<'a>> {
        self.installed.iter().find(|installed| installed.distribution.name == name)
    }

    /// torch's CUDA runtime: none where torch is not installed or its build is unknown, `Some(None)` for a CPU build.
    #[must_use]
    pub fn torch_cuda(&self) -> Option<Option<CudaVersion>> {
        self.get(TORCH)?.cuda()
    }

    /// Whether a distribution belongs to the GPU stack: one that the rules cover with GPU builds, or a part of CUDA.
    #[must_use]
    pub fn is_gpu(name: &str, db: &RuleDb) -> bool {
        is_nvidias(name)
            || db.package(name).is_some_and(|package| {
                package.releases.iter().flat_map(|release| &release.builds).any(Build::is_for_gpu)
            })
    }
}

/// Whether the files of a distribution need a CUDA library that only another CUDA major has, e.g. `libcudart.so.13` beside 12.
fn needs_another(distribution: &Distribution, major: u32, db: &RuleDb) -> bool {
    let libraries = distribution.libraries.value().into_iter().flatten();
    libraries.flat_map(|library| &library.links).any(|link| {
        let shipped: Vec<_> = db.libraries_with(&link.soname, None).iter().filter_map(|(_, row)| row.cuda).collect();
        !shipped.is_empty() && !shipped.contains(&major)
    })
}
