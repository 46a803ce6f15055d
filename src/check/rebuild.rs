//! What is compiled once more on this machine, with all that the build has to be told: the torch that is there, the GPUs, the
//! toolkit.

use super::{Context, Installed, Installer};
use crate::facts::{Distribution, Facts};
use crate::pep::{Version, read_pin};
use crate::rules::schema::SourceBuild;
use crate::rules::target::arch_list;
use crate::rules::{RuleDb, Target, machine};
use crate::step::{self, Step};
use crate::version::CudaVersion;

/// Options of an installation that compiles, against the torch that is there, what is installed already.
const REBUILD: [&str; 4] = ["--no-build-isolation", "--no-cache-dir", "--no-deps", "--force-reinstall"];
/// The variable that most builds take the GPUs from.
pub const ARCH_LIST: &str = "TORCH_CUDA_ARCH_LIST";

/// Where something is compiled, and for what.
#[derive(Clone, Copy)]
pub struct Bench<'a> {
    /// The environment.
    pub facts: &'a Facts,
    /// The rules.
    pub db: &'a RuleDb,
    /// The GPUs.
    pub target: &'a Target,
    /// The CUDA of the torch that it is compiled against; none where that is not known, or is none.
    pub cuda: Option<CudaVersion>,
}

impl Bench<'_> {
    /// The steps that compile a distribution: `wanted` is a pin, or its name with a URL. None where that is not of PEP 508.
    #[must_use]
    pub fn steps(&self, name: &str, wanted: &str) -> Option<Vec<Step>> {
        let row = self.db.source_build(name);
        let mut options = REBUILD.to_vec();
        let repository = row.filter(|_| !wanted.contains(" @ ")).and_then(SourceBuild::repository);
        let wanted = &repository.map_or_else(|| wanted.to_owned(), |url| format!("{name} @ {url}"));
        options.retain(|option| !(row.is_some_and(|row| row.isolation) && *option == "--no-build-isolation"));
        if !wanted.contains(" @ ") {
            options.extend(["--no-binary", name]);
        }
        let mut build = Installer::of(self.facts).install(&options, &[wanted.to_owned()])?;
        let version = read_pin(wanted).map(|(_, version)| version);
        if let Some((variable, value)) = self.gpus(row, version.as_ref()) {
            build = build.with(&variable, &value)?;
        }
        let Some(cuda) = self.cuda.filter(|_| row.is_none_or(|row| row.cuda)) else { return Some(vec![build]) };
        let toolchain = &self.facts.toolchain;
        let fits = |nvcc: &&crate::facts::Nvcc| nvcc.cuda.is_some_and(|own| own.major == cuda.major);
        let nvcc = toolchain.nvcc.value().into_iter().chain(toolchain.path_nvcc.value()).find(fits);
        if let Some(home) = nvcc.and_then(|nvcc| nvcc.path.strip_suffix("/bin/nvcc")) {
            return Some(vec![build.with("CUDA_HOME", home)?]);
        }
        let is_known = toolchain.nvcc.is_absent() || toolchain.nvcc.value().is_some_and(|nvcc| nvcc.cuda.is_some());
        let Some(toolkit) = is_known.then(|| machine::toolkit(cuda, self.facts, self.db)).flatten() else {
            return Some(vec![build]);
        };
        let build = build.with("CUDA_HOME", &toolkit.home)?;
        Some(toolkit.steps.into_iter().chain([build]).collect())
    }

    /// The variable that names the GPUs to the build of a release, with its value; none where it has none, or no GPU is known.
    #[must_use]
    pub fn gpus(&self, row: Option<&SourceBuild>, version: Option<&Version>) -> Option<(String, String)> {
        let name = row.map_or(Some(ARCH_LIST), |row| row.arch_variable.as_deref().filter(|_| row.cuda))?;
        let value = if name == ARCH_LIST {
            Some(arch_list(self.target.capabilities())).filter(|list| !list.is_empty())
        } else {
            // Variables of a package's own take values of their own.
            row?.arch_list(version, &self.target.capabilities().into_iter().collect::<Vec<_>>())
        };
        Some((name.to_owned(), value?))
    }
}

/// The step that compiles what somebody compiled once more, for some GPUs, e.g. `9.0;12.0`: from where it came, else from a folder that
/// its owner knows.
#[must_use]
pub fn own_source(distribution: &Distribution, gpus: &str, facts: &Facts) -> Option<Step> {
    let name = distribution.name.as_str();
    let url = distribution.direct_url.value();
    let known = url.and_then(|url| step::requirement(&format!("{name} @ {url}")));
    let source = known.unwrap_or_else(|| format!("/path/to/{name}"));
    let words = Installer::of(facts).words("install").into_iter().chain(REBUILD.map(str::to_owned)).chain([source]);
    Step::run(words).and_then(|step| step.with(ARCH_LIST, gpus))
}

/// The same where ready wheels do not fit: the setup takes none.
#[must_use]
pub fn forced(context: &Context<'_>, installed: &Installed<'_>) -> Option<Vec<Step>> {
    let mut steps = of(context, installed)?;
    let force = context.db.source_build(installed.name()).and_then(|row| row.force.as_ref()?.split_once('='));
    if let Some((variable, value)) = force {
        let build = steps.pop()?.with(variable, value)?;
        steps.push(build);
    }
    Some(steps)
}

/// The steps that compile what is installed once more, against the torch that is there: the version that is there where that is
/// known, else the newest.
#[must_use]
pub fn of(context: &Context<'_>, installed: &Installed<'_>) -> Option<Vec<Step>> {
    let pin = match installed.distribution.version.value() {
        Some(version) => step::pin(installed.name(), version)?,
        None => step::requirement(installed.name())?,
    };
    let cuda = context.stack.torch_cuda().flatten();
    let bench = Bench { facts: context.facts, db: context.db, target: &context.target, cuda };
    bench.steps(installed.name(), &pin)
}
