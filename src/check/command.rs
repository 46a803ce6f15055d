//! The commands of remedies, for this environment: its installer, its Python, and a version wherever one follows from what is
//! installed; for this system: its Python's headers, `sudo` where it is needed, no `grep` on Windows.
//!
//! Rules write `pip install triton`. Beside a torch that pins it that is `triton==3.3.1`; what is installed again keeps its
//! version. Where nothing here tells a version the name stays as it is written.

use crate::pep::{Version, is_line, read_pin};

use super::{Context, Installer};
use crate::facts::{Facts, Origin, Reading, TORCH};
use crate::finding::Finding;
use crate::rules::fit::{Surroundings, There};
use crate::rules::model::{Package, Release};
use crate::rules::requirement::{is_about, name_of, normalise, parse, satisfied, specifiers};
use crate::rules::role::is_runtime_wheel;
use crate::rules::schema::Headline;
use crate::rules::symptom::Heard;
use crate::rules::{RuleDb, Target, Workload};
use crate::step::{Step, Word};
use crate::version::CudaVersion;

/// How rules call pip.
const PIP: [&[&str]; 2] = [&["pip"], &["python", "-m", "pip"]];
/// Options of pip whose next word is no package.
const WITH_VALUE: [&str; 9] =
    ["--index-url", "--extra-index-url", "-i", "--find-links", "-f", "-r", "-c", "--no-binary", "--only-binary"];

/// Writes the commands of all findings for the environment that they are about.
#[must_use]
pub fn fit(facts: &Facts, db: &RuleDb, mut findings: Vec<Finding>) -> Vec<Finding> {
    let mut steps = findings.iter().flat_map(|finding| &finding.remedies).flat_map(|remedy| &remedy.steps);
    if steps.any(|step| of_pip(step).is_some()) {
        let (workload, heard) = (Workload::default(), Heard::default());
        let context = Context::new(facts, db, &workload, &heard);
        let remedies = findings.iter_mut().flat_map(|finding| &mut finding.remedies);
        for step in remedies.flat_map(|remedy| &mut remedy.steps) {
            if let Some(fitted) = fitted(&context, step) {
                *step = fitted;
            }
        }
    }
    if facts.system.is_windows() {
        for remedy in findings.iter_mut().flat_map(|finding| &mut finding.remedies) {
            remedy.steps.retain(|step| !step.words().iter().any(|word| SYSTEM_INSTALLERS.contains(&word.as_str())));
        }
    }
    for step in findings.iter_mut().flat_map(|finding| &mut finding.remedies).flat_map(|remedy| &mut remedy.steps) {
        if let Some(other) = of_system(facts, step) {
            *step = other;
        }
    }
    for remedy in findings.iter_mut().flat_map(|finding| &mut finding.remedies) {
        if let Some(words) = remedy.steps.iter().find_map(|step| without_wheel(facts, db, step)) {
            remedy.steps.clear();
            remedy.summary = format!("{}: {words}", remedy.summary);
        }
    }
    let installer = Installer::of(facts);
    for remedy in findings.iter_mut().flat_map(|finding| &mut finding.remedies) {
        remedy.steps = installer.prepared(std::mem::take(&mut remedy.steps));
    }
    findings
}

/// Why pip would find no wheel for a pin that a step installs, where all builds of that release need a newer C library; none else.
fn without_wheel(facts: &Facts, db: &RuleDb, step: &Step) -> Option<String> {
    let has = *facts.system.glibc.value()?;
    let Step::Run { argv, .. } = step.own() else { return None };
    let words = argv.iter().map(Word::as_str).skip_while(|word| *word != "install");
    words.filter_map(|word| read_pin(word)).find_map(|(name, version)| {
        let release = db.release(&normalise(name), &version)?;
        let wheels = release.builds.iter().filter(|build| build.platform.starts_with("linux"));
        let needs = wheels.map(|build| build.glibc).min().flatten().filter(|needs| *needs > has)?;
        Some(format!(
            "the wheels of {name} {version} need glibc {needs}, and this system has {has}; use a newer system or \
             container image, or compile it here"
        ))
    })
}

/// A step as this system takes it; none where it does as it is.
fn of_system(facts: &Facts, step: &Step) -> Option<Step> {
    match step {
        Step::Script(text) if facts.system.is_windows() => without_grep(text.as_str()),
        Step::Run { argv, .. } if argv.first().is_some_and(|word| SYSTEM_INSTALLERS.contains(&word.as_str())) => {
            let version = facts.python.value().and_then(|python| python.version.value());
            let named = |word: &Word| match (word.as_str(), version) {
                // Headers are of one Python: of that which runs, and not of the system's own.
                (word @ "python3-dev", Some(version)) => {
                    word.replacen('3', &format!("{}.{}", version.major, version.minor), 1)
                }
                (word, _) => word.to_owned(),
            };
            // In a container one is root, and there may be no `sudo`.
            let sudo = facts.system.container.value().is_none().then(|| "sudo".to_owned());
            Step::run(sudo.into_iter().chain(argv.iter().map(named)))
        }
        _ => None,
    }
}

/// Installers that ask for root.
const SYSTEM_INSTALLERS: [&str; 6] = ["apt-get", "apt", "dnf", "yum", "zypper", "pacman"];

/// `pip list` of `pip list | grep torch`: what is listed holds what is searched for.
fn without_grep(text: &str) -> Option<Step> {
    let listed = text.split(" | ").next().filter(|listed| *listed != text)?;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || " -_.".contains(letter);
    listed.chars().all(is_plain).then(|| Step::run(listed.split_whitespace()))?
}

/// What pip is asked to do, and the words after that: `install`, `[numpy<2]`. None for what is no call of pip as rules write it.
fn of_pip(step: &Step) -> Option<(&'static str, &[Word])> {
    let Step::Run { argv, .. } = step else { return None };
    let rest = PIP.iter().find_map(|begin| {
        let is_it = argv.len() > begin.len() && argv.iter().zip(*begin).all(|(word, wanted)| word.as_str() == *wanted);
        is_it.then(|| &argv[begin.len()..])
    })?;
    let (subcommand, rest) = rest.split_first()?;
    let known = ["install", "uninstall"].into_iter().find(|known| *known == subcommand.as_str())?;
    Some((known, rest))
}

/// A call of pip for the tool that made this environment; none for other steps.
fn fitted(context: &Context<'_>, step: &Step) -> Option<Step> {
    let (subcommand, rest) = of_pip(step)?;
    let Step::Run { environment, .. } = step else { return None };
    let words: Vec<&str> = rest.iter().map(Word::as_str).collect();
    let rest = match subcommand {
        "install" => with_versions(context, &words),
        _ => words.iter().filter(|word| **word != "-y").map(|word| (*word).to_owned()).collect(),
    };
    let call = Step::run(Installer::of(context.facts).words(subcommand).into_iter().chain(rest))?;
    environment.iter().try_fold(call, |call, (name, value)| call.with(name.as_str(), value.as_str()))
}

/// The words after `pip install`, with versions where they follow from what is installed.
fn with_versions(context: &Context<'_>, all: &[&str]) -> Vec<String> {
    let own = || all.iter().map(|word| (*word).to_owned());
    if all.iter().any(|word| matches!(*word, "--upgrade" | "-U")) {
        return upgraded(context, all);
    }
    // Another index has other releases than those that are here.
    if all.iter().any(|word| matches!(*word, "--index-url" | "-i" | "-f")) {
        return from_index(context, all).unwrap_or_else(|| own().collect());
    }
    let again = all.contains(&"--force-reinstall");
    let mut after_option = false;
    let fitted = own().map(|word| {
        let value = std::mem::replace(&mut after_option, WITH_VALUE.contains(&word.as_str()));
        let bare = !word.starts_with(['-', '.'])
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if value || !bare || word.is_empty() {
            return word;
        }
        version_of(context, &normalise(&word), again).map_or(word.clone(), |versions| format!("{word}{versions}"))
    });
    fitted.collect()
}

/// torch and what moves with it, from PyTorch's own index: in the release that is there, from the index of its CUDA. None where no
/// torch is known, or its index is not.
fn from_index(context: &Context<'_>, all: &[&str]) -> Option<Vec<String>> {
    let torch = context.stack.get(TORCH)?;
    let version = torch.version.as_ref()?;
    let cuda = torch.cuda().flatten().or_else(|| {
        let builds = context.db.release(TORCH, version)?.builds.iter();
        builds.filter(|build| build.local.is_none()).find_map(|build| build.cuda)
    })?;
    let public = version.clone().without_local();
    let is_index =
        |word: &&str| context.db.index_at(word).is_some_and(|name| CudaVersion::from_variant(&name).is_some());
    let old = all.iter().copied().find(|word| is_index(word))?;
    let index = context.db.index_url(&cuda.variant())?;
    let release = context.db.release(TORCH, &public)?;
    release.builds.iter().find(|build| build.cuda == Some(cuda) && build.index == cuda.variant())?;
    let pinned = |word: &&str| match *word {
        word if word == old => Some(index.clone()),
        TORCH => Some(format!("torch=={public}")),
        word => match context.db.package(word).filter(|it| it.partners.iter().any(|partner| partner.with == TORCH)) {
            Some(package) => partner(package, &public).map(|it| format!("{word}=={it}")),
            None => Some(word.to_owned()),
        },
    };
    all.iter().map(pinned).collect()
}

/// The newest release of a package that asks for exactly this torch.
fn partner(package: &Package, torch: &Version) -> Option<Version> {
    let asks = |line: &String| {
        let range = parse(line).ok().filter(|_| is_about(line, TORCH)).and_then(|it| specifiers(&it));
        range.is_some_and(|range| range.iter().any(is_line) && satisfied(&range, torch))
    };
    let fits = |release: &&Release| {
        release.requires.iter().any(asks) || release.builds.iter().any(|build| build.requires.iter().any(asks))
    };
    package.releases.iter().rev().filter(|release| !release.yanked).find(fits).map(|release| release.version.clone())
}

/// The words of an upgrade. What the rules cover is named with the newest release that takes what is installed; where none is
/// known to, torch is named as it is, for an upgrade must not move it.
fn upgraded(context: &Context<'_>, all: &[&str]) -> Vec<String> {
    let mut words = Vec::new();
    let (mut open, mut moves_torch) = (false, false);
    for word in all {
        let name = normalise(name_of(word));
        match context.db.package(&name).filter(|_| !word.starts_with('-')) {
            None => {
                open |= !matches!(*word, "--upgrade" | "-U" | "--no-deps") && !word.starts_with('-');
                words.push((*word).to_owned());
            }
            Some(package) => match newest(context, package).filter(|_| *word == name) {
                Some(version) => words.push(format!("{name}=={version}")),
                None => {
                    (open, moves_torch) = (true, moves_torch || name != TORCH);
                    words.push((*word).to_owned());
                }
            },
        }
    }
    // What extends a torch of which nothing is known must not bring another one.
    let extends = |word: &&str| context.db.package(&normalise(name_of(word))).is_some_and(is_extension);
    let no_torch = context.stack.get(TORCH).is_none_or(|torch| torch.version.is_none());
    if open && no_torch && all.iter().any(extends) && !all.contains(&"--no-deps") {
        words.insert(0, "--no-deps".to_owned());
    }
    if !open {
        words.retain(|word| !matches!(word.as_str(), "--upgrade" | "-U"));
    }
    let names_torch = all.iter().any(|word| name_of(word) == TORCH);
    let torch = context.stack.get(TORCH).and_then(|torch| torch.version.clone());
    if let Some(version) = torch.filter(|_| moves_torch && !names_torch && !all.contains(&"--no-deps")) {
        words.push(format!("torch=={}", version.without_local()));
    }
    words
}

/// Whether something extends a framework, and is none, nor an application that brings its own.
fn is_extension(package: &Package) -> bool {
    !matches!(package.headline, Some(Headline::Framework | Headline::Serving))
}

/// The newest release that is known to go with what is installed; none for torch itself, which all others are there for, and none
/// where no torch is known.
fn newest<'c>(context: &'c Context<'_>, package: &'c Package) -> Option<&'c Version> {
    let torch = context.stack.get(TORCH).filter(|torch| torch.version.is_some() && package.name != TORCH)?;
    let (facts, db) = (context.facts, context.db);
    let target = Target::to_plan_for(facts, db);
    let gpus_known = match &facts.gpus {
        Reading::Absent { .. } => true,
        gpus => gpus.value().is_some_and(|gpus| gpus.iter().all(|gpu| gpu.compute_capability.value().is_some())),
    };
    let there = |name: &str| match context.stack.get(name) {
        Some(installed) => installed.version.as_ref().map_or(There::Unknown, There::Version),
        // What a report does not name may be there, and what the rules cover an upgrade must not move.
        None if facts.origin == Origin::Report && db.package(name).is_some() => There::Unknown,
        None => There::Nothing,
    };
    let surroundings = Surroundings { target: &target, gpus_known, there: &there, torch: torch.row };
    let releases = package.releases.iter().rev().filter(|it| !it.yanked && !it.version.any_prerelease());
    // Where a newer one may fit, an older one is not what an upgrade asks for.
    let newest = releases.map(|release| (release, surroundings.fits(package, release, db)));
    let newest = newest.into_iter().find(|(_, fits)| *fits != Some(false)).filter(|(_, fits)| fits.is_some());
    let newest = &newest?.0.version;
    let here = context.stack.get(&package.name).and_then(|installed| installed.version.as_ref());
    here.is_none_or(|here| here.clone().without_local() <= *newest).then_some(newest)
}

/// `==3.3.1`: the version that is there, for what is installed again; else what torch, or another, asks for.
fn version_of(context: &Context<'_>, name: &str, again: bool) -> Option<String> {
    // Of NVIDIA's wheels that is right which torch asks for, whatever is there.
    let there = context.stack.get(name).and_then(|installed| installed.version.as_ref());
    if let (true, Some(version)) = (again && !is_runtime_wheel(name), there) {
        return Some(format!("=={version}"));
    }
    let torch_first = context.stack.get(TORCH).into_iter().chain(&context.stack.installed);
    torch_first.filter(|installed| installed.name() != name).find_map(|installed| {
        let lines = installed.requires()?.iter().filter(|line| is_about(line, name) && !line.contains("extra"));
        let range = lines.filter_map(|line| specifiers(&parse(line).ok()?)).find(|range| !range.is_empty())?;
        Some(range.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::{Case, read};
    use crate::facts::{Distribution, Metadata};
    use crate::rules::embedded;
    use crate::step::{Shell, print};

    #[test]
    fn commands_are_for_this_environment_and_name_versions() {
        let mut facts = Facts::unknown(Origin::Host);
        let torch = Metadata {
            requires: vec!["triton==3.3.1; platform_system == \"Linux\"".to_owned()],
            ..Metadata::default()
        };
        let of = |name: &str, version: &str| Distribution {
            name: name.to_owned(),
            version: Reading::metadata(version.to_owned(), "METADATA"),
            installer: Reading::metadata("uv".to_owned(), "INSTALLER"),
            ..Distribution::default()
        };
        let torch = Distribution { metadata: Reading::metadata(torch, "METADATA"), ..of("torch", "2.7.1") };
        facts.distributions = vec![torch, of("flash-attn", "2.8.3")];
        let (workload, heard) = (Workload::default(), Heard::default());
        let context = Context::new(&facts, embedded(), &workload, &heard);
        let cases = [
            "pip install triton",
            "MAX_JOBS=4 pip install --no-build-isolation flash-attn",
            "pip install --force-reinstall --no-deps --no-build-isolation flash-attn",
            "pip uninstall -y cupy && pip install cupy-cuda12x",
            "python -m pip install \"numpy<2\"",
            "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu128",
            "pip install --no-binary flash-attn .",
        ];
        let steps = cases.into_iter().flat_map(Step::fixed);
        let fitted: Vec<Step> = steps.map(|step| fitted(&context, &step).unwrap_or(step)).collect();
        insta::assert_snapshot!(print(&fitted, Shell::Sh).join("\n"), @r#"
        uv pip install triton==3.3.1
        MAX_JOBS=4 uv pip install --no-build-isolation flash-attn
        uv pip install --force-reinstall --no-deps --no-build-isolation flash-attn==2.8.3
        uv pip uninstall cupy
        uv pip install cupy-cuda12x
        uv pip install "numpy<2"
        uv pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu128
        uv pip install --no-binary flash-attn .
        "#);
        assert_eq!(fitted[0].words(), ["uv", "pip", "install", "triton==3.3.1"]);
    }

    fn installed(name: &str, version: &str) -> Distribution {
        Distribution { name: name.to_owned(), version: read(version), ..Distribution::default() }
    }

    /// The words of `pip install --upgrade bitsandbytes` on a host with torch 2.7.1+cu126 and an A100.
    fn upgrade(change: impl FnOnce(&mut Facts)) -> Vec<String> {
        let case = Case::host().gpu("NVIDIA A100-SXM4-80GB", "8.0").driver("580.65.06").python("3.11.9");
        let case = case.torch("2.7.1+cu126", "12.6").with(|facts| facts.system.glibc = read("2.35")).with(change);
        let (workload, heard) = (Workload::default(), Heard::default());
        let context = Context::new(&case.facts, embedded(), &workload, &heard);
        with_versions(&context, &["--upgrade", "bitsandbytes"])
    }

    #[test]
    fn an_upgrade_names_the_release_that_is_known_to_fit_and_none_where_something_is_not_known() {
        let named = upgrade(|_| {});
        let newest = embedded().package("bitsandbytes").and_then(|it| it.releases.last()).expect("releases");
        assert_eq!(named, [format!("bitsandbytes=={}", newest.version)]);
        let open = ["--upgrade", "bitsandbytes", "torch==2.7.1"];
        assert_eq!(upgrade(|facts| facts.python = Reading::Unknown), open, "which wheels install is not known");
        assert_eq!(upgrade(|facts| facts.system.glibc = Reading::Unknown), open);
        assert_eq!(upgrade(|facts| facts.gpus = Reading::Unknown), open, "nor which GPUs its kernels run on");
        // Nothing older than what is there is an upgrade.
        assert_eq!(upgrade(|facts| facts.distributions.push(installed("bitsandbytes", "999.0"))), open);
    }
}
