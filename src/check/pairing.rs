//! Were builds made for each other that must fit, and is there one copy of each?

use std::collections::BTreeMap;

use pep440_rs::Version;

use super::{Context, Installed, Installer, Stack, contradiction, looked, prebuilt};
use crate::facts::{Distribution, Facts, Stray};
use crate::finding::{Change, Evidence, Finding, Outcome, Remedy, rule};
use crate::rules::Target;
use crate::rules::complete::torch_of_label;
use crate::rules::model::{Agreement, Build, Package, Partner, Release};
use crate::rules::partner::{agrees, goes_with, wanted_by};
use crate::rules::requirement::is_runtime_wheel;
use crate::rules::schema::CudaAgreement;
use crate::step::Step;
use crate::text;
use crate::version::CudaVersion;

rule! {
    /// A package was built for another torch.
    ///
    /// It says so itself: its compiled operators do not load. Known from the package's own version file or its library.
    /// Install the release that belongs to this torch.
    pub OTHER_TORCH = "pairing/{package}": Pairing, Fail, since "0.1.0", judged on [Builds];
}

rule! {
    /// A package needs another release of its partner.
    ///
    /// Some pairs are bound without a declaration: torchvision and torch, jaxlib and its plugin. Known from the partner
    /// rows of the rules, each read from wheels. Install the releases that belong together.
    pub OTHER_PARTNER = "pairing/{package}": Pairing, Fail, since "0.1.0", judged on [Distributions, Builds];
}

rule! {
    /// Two packages that share a process are built for different CUDAs.
    ///
    /// They load two CUDA runtimes, or refuse to start. Known from the labels, version files and libraries of both.
    /// Install both for one CUDA, from one index.
    pub OTHER_CUDA = "pairing/{package}": Pairing, Fail, since "0.1.0", judged on [Builds];
}

rule! {
    /// A package is installed twice.
    ///
    /// Python imports the copy that comes first on its path; installers may see the other. Known from the folders of
    /// sys.path. Remove the copy that is not wanted.
    pub TWICE = "pairing/two-{package}": Pairing, Warn, since "0.1.0", judged on [Distributions, Python];
}

/// Compares the CUDA variants of partners, and looks for second copies.
pub fn check(context: &Context<'_>) -> Outcome {
    let mut findings = copies(context);
    findings.extend(contradiction::findings(context));
    findings.extend(prebuilt::torch(context));
    findings.extend(context.stack.installed.iter().filter_map(|installed| built_for(context, installed)));
    let mut compared = !findings.is_empty();
    for installed in &context.stack.installed {
        let (Some(package), Some(version)) = (installed.package, installed.version.as_ref()) else { continue };
        for rule in package.partners.iter().filter(|rule| rule.versions.contains(version)) {
            let Some(partner) = context.stack.get(&rule.with) else { continue };
            let finding = match &rule.agreement {
                Agreement::Cuda(agreement) => {
                    let (Some(own), Some(theirs)) = (installed.cuda(), partner.cuda()) else { continue };
                    let published = || published_for(package, *agreement, theirs?, &context.target, version);
                    (!agrees(*agreement, own, theirs)).then(|| {
                        let mut finding = disagreement(installed, own, partner, theirs, (rule, *agreement));
                        finding.message.extend(published().map(|said| format!(" {said}.")));
                        finding
                    })
                }
                Agreement::Release(_) | Agreement::Extra(_) => {
                    let Some(theirs) = partner.version.as_ref() else { continue };
                    let row = context.db.release(installed.name(), version);
                    (!goes_with(rule, version, row, theirs))
                        .then(|| other_release(context, installed, partner, (rule, row)))
                }
            };
            compared = true;
            findings.extend(finding);
        }
    }
    if compared { looked(findings) } else { Outcome::NotApplicable("no pair of builds that must fit".to_owned()) }
}

/// An extension whose files name the torch that they were built against, which is not the one that is there.
fn built_for(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    // A report's readers took over what labels say, where they can be relied on.
    let label = || {
        let told = context.facts.pasted.is_some();
        torch_of_label(installed.distribution.full_version()).filter(|_| !told)
    };
    let built = &installed.distribution.build.torch.value().cloned().or_else(label)?;
    // On a machine the symbols of the files decide, where they were read.
    if context.facts.pasted.is_none() && !installed.distribution.libraries.is_unknown() {
        return None;
    }
    let torch = context.stack.get("torch")?;
    let full = torch.distribution.full_version();
    let public = full.split('+').next().unwrap_or(full);
    let same = match (built.contains('+'), full.contains('+')) {
        (true, true) => built == full,
        // A wheel's name may only say the release line: `torch2.6`.
        _ => {
            let built = built.split('+').next().unwrap_or(built);
            built == public || public.strip_prefix(built).is_some_and(|rest| rest.starts_with('.'))
        }
    };
    if same {
        return None;
    }
    let place = installed.distribution.build.torch.source().map(|source| source.place().to_owned());
    Some(
        OTHER_TORCH
            .found(
                &[installed.name()],
                format!("{} was built for torch {built}, but {full} is installed", installed.name()),
            )
            .message(format!(
                "It says so itself, and does not load its compiled operators. Each {} release is for one torch.",
                installed.name()
            ))
            .packages(["torch", installed.name()])
            .evidence([
                Evidence::binary(format!("{} build", installed.name()), format!("for torch {built}"))
                    .required(full.to_owned())
                    .cited(place),
                Evidence::binary("torch", full.to_owned()).cited(torch.cuda_place()),
            ])
            .remedies([Remedy {
                summary: format!("Install the {} release whose metadata pins this torch", installed.name()),
                requirements: Vec::new(),
                steps: Vec::new(),
                change: None,
                verified: false,
            }]),
    )
}

fn variant(cuda: Option<CudaVersion>) -> String {
    cuda.map_or_else(|| "the CPU".to_owned(), |cuda| format!("CUDA {cuda}"))
}

/// Which releases of a package were built for its partner's CUDA, as far as the rules know: `vllm is built for CUDA 13 from 0.20.0 on`.
fn published_for(
    package: &Package,
    agreement: CudaAgreement,
    theirs: CudaVersion,
    target: &Target,
    installed: &Version,
) -> Option<String> {
    let here = |build: &&Build| target.platform.as_deref().is_none_or(|platform| build.is_for(platform));
    let mut fitting = package.releases.iter().filter(|release| !release.yanked).filter(|release| {
        release
            .builds
            .iter()
            .filter(here)
            .any(|build| build.cuda.is_some() && agrees(agreement, build.cuda, Some(theirs)))
    });
    let cuda = match agreement {
        CudaAgreement::Same => theirs.to_string(),
        CudaAgreement::SameMajor => theirs.major.to_string(),
    };
    let name = &package.name;
    let (Some(first), last) = (fitting.next(), fitting.next_back()) else {
        return Some(format!("No {name} that the rules know is built for CUDA {cuda}"));
    };
    let (first, last) = (&first.version, &last.unwrap_or(first).version);
    match installed {
        own if own < first => Some(format!("{name} is built for CUDA {cuda} from {first} on")),
        own if own > last => Some(format!("{name} was built for CUDA {cuda} up to {last}")),
        _ => None,
    }
}

/// Two packages that go together only in one release, and are there in two.
/// A partner of a release that does not go with this one.
fn other_release(
    context: &Context<'_>,
    installed: &Installed<'_>,
    partner: &Installed<'_>,
    (rule, row): (&Partner, Option<&Release>),
) -> Finding {
    let (own, theirs) = (installed.distribution.full_version(), partner.distribution.full_version());
    let wanted = match &rule.agreement {
        Agreement::Extra(extra) => {
            let ranges = wanted_by(row, extra, &rule.with);
            ranges.iter().map(|range| range.to_string().replace(' ', "")).collect::<Vec<_>>().join(",")
        }
        _ => own.to_owned(),
    };
    let named = |of: &Installed<'_>, required: Option<&str>| {
        Evidence::metadata(of.name().to_owned(), of.distribution.full_version().to_owned())
            .required(required.map(str::to_owned))
            .cited(of.distribution.version.source().map(|source| source.place().to_owned()))
    };
    // NVIDIA's wheels the solver leaves to what needs them.
    let remedy = Some(format!("{}{wanted}", partner.name())).filter(|_| is_runtime_wheel(partner.name())).map(|line| {
        let steps = Installer::of(context.facts).install(&[], std::slice::from_ref(&line)).into_iter().collect();
        Remedy { summary: format!("Install {line}"), requirements: vec![line], steps, change: None, verified: false }
    });
    OTHER_PARTNER
        .found(
            &[partner.name()],
            format!("{} needs {} {wanted}, but {theirs} is installed", installed.title(), partner.name()),
        )
        .message(format!("{}.", rule.otherwise))
        .packages([partner.name(), installed.name()])
        .evidence([named(partner, Some(&wanted)), named(installed, None), by_rule(rule)])
        .remedies(remedy)
}

fn by_rule(rule: &Partner) -> Evidence {
    Evidence::rule("agreement", "checked at import").cited(rule.source.clone())
}

fn disagreement(
    installed: &Installed<'_>,
    own: Option<CudaVersion>,
    partner: &Installed<'_>,
    theirs: Option<CudaVersion>,
    (rule, agreement): (&Partner, CudaAgreement),
) -> Finding {
    let required = match (agreement, theirs) {
        (CudaAgreement::SameMajor, Some(cuda)) => format!("CUDA {}.x", cuda.major),
        (_, theirs) => variant(theirs),
    };
    OTHER_CUDA
        .found(
            &[installed.name()],
            format!(
                "{} is built for {}, but {} for {}",
                installed.title(),
                variant(own),
                partner.title(),
                variant(theirs)
            ),
        )
        .message(match (own, theirs) {
            (None, _) => format!("{} holds no GPU code: what it computes on a GPU's tensors fails.", installed.name()),
            (_, None) => {
                format!("Its compiled parts need CUDA libraries that a CPU build of {} lacks.", partner.name())
            }
            _ => format!("{}.", rule.otherwise),
        })
        .packages([installed.name(), partner.name()])
        .evidence([
            Evidence::binary(
                format!("{} build", installed.name()),
                format!("{}, {}", installed.distribution.full_version(), variant(own)),
            )
            .required(required)
            .cited(installed.cuda_place()),
            Evidence::binary(
                format!("{} build", partner.name()),
                format!("{}, {}", partner.distribution.full_version(), variant(theirs)),
            )
            .cited(partner.cuda_place()),
            by_rule(rule),
        ])
}

/// A virtual environment that sees the packages of the Python below it (`--system-site-packages`) has its own copy on purpose.
fn overrides(facts: &Facts, imported: &Distribution, shadowed: &Distribution) -> bool {
    let Some(python) = facts.python.value() else { return false };
    let below = |folder: &str| {
        folder.strip_prefix(python.prefix.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
    };
    let virtual_one = python.base_prefix.value().is_some_and(|base| *base != python.prefix);
    virtual_one && below(&imported.location) && !below(&shadowed.location)
}

/// Two copies of distributions of the GPU stack on the path: the first is imported, tools may show the other. Copies that
/// lie in the same two folders are one finding.
fn copies(context: &Context<'_>) -> Vec<Finding> {
    let mut by_name: BTreeMap<&str, Vec<&Distribution>> = BTreeMap::new();
    for distribution in &context.facts.distributions {
        // Two in one folder are wrong whatever they are.
        let same_folder = |other: &&Distribution| {
            other.name == distribution.name
                && !std::ptr::eq(*other, distribution)
                && other.location == distribution.location
        };
        let is_told = !distribution.location.is_empty();
        if Stack::is_gpu(&distribution.name, context.db)
            || (is_told && context.facts.distributions.iter().any(|other| same_folder(&other)))
        {
            by_name.entry(&distribution.name).or_default().push(distribution);
        }
    }
    let mut by_place: BTreeMap<(&str, &str), Vec<(&Distribution, &Distribution)>> = BTreeMap::new();
    for copies in by_name.values() {
        for pair in copies.windows(2).filter(|pair| !overrides(context.facts, pair[0], pair[1])) {
            by_place.entry((&pair[0].location, &pair[1].location)).or_default().push((pair[0], pair[1]));
        }
    }
    by_place.into_iter().map(|((first, second), pairs)| twice(context, first, second, &pairs)).collect()
}

/// The second metadata folders, where the files are all of the first.
fn stale(pairs: &[(&Distribution, &Distribution)]) -> Option<(Vec<String>, Change)> {
    let is_stale = |(_, other): &(&Distribution, &Distribution)| other.record == Some(Stray::Stale);
    let forget = |(_, other): &(&Distribution, &Distribution)| Change::Forget {
        location: other.location.clone(),
        metadata_dir: other.metadata_dir.clone(),
        instead: None,
    };
    let folder = |(_, other): &(&Distribution, &Distribution)| format!("{}/{}", other.location, other.metadata_dir);
    let all = || pairs.iter();
    all().all(is_stale).then(|| (all().map(folder).collect(), Change::All(all().map(forget).collect())))
}

fn twice(context: &Context<'_>, folder: &str, other: &str, pairs: &[(&Distribution, &Distribution)]) -> Finding {
    let (imported, shadowed) = pairs.iter().find(|(first, _)| first.name == "torch").unwrap_or(&pairs[0]);
    let name = imported.name.as_str();
    let more = match pairs.len() - 1 {
        0 => String::new(),
        more => format!(", and so are {}", text::count(more, "other distribution", "other distributions")),
    };
    let mut packages: Vec<_> = pairs.iter().map(|(first, _)| first.name.clone()).collect();
    packages.sort();
    let copies = |(first, second): &(&Distribution, &Distribution)| {
        [("imported", *first), ("shadowed", *second)].map(|(role, copy)| {
            Evidence::metadata(format!("{} {}", copy.name, copy.full_version()), role.to_owned()).cited(
                match copy.location.as_str() {
                    "" => copy.version.source().map(|source| source.place().to_owned()),
                    folder => Some(format!("{folder}/{}", copy.metadata_dir)),
                },
            )
        })
    };
    let installer = Installer::of(context.facts);
    // The second time removes the copy that the first one hid.
    let both = || installer.uninstall(&[name]).into_iter().cycle().take(2);
    let names: Vec<&str> = packages.iter().map(String::as_str).collect();
    let (message, remedy) = if folder.is_empty() && other.is_empty() {
        let summary = format!("Remove both and install {name} once");
        let message = "The report names both, and not their folders: the path decides which of them is imported.";
        (message.to_owned(), Remedy::new(summary, both()))
    } else if folder == other {
        let remedy = match stale(pairs) {
            Some((folders, change)) => {
                let words = ["rm", "-r"].map(str::to_owned).into_iter().chain(folders.iter().cloned());
                let summary = format!("Remove `{}`, which is of nothing that is installed", folders.join("`, `"));
                Remedy { change: Some(change), ..Remedy::new(summary, Step::run(words)) }
            }
            None => Remedy::new(format!("Remove both and install {name} once"), both()),
        };
        let message = "One folder holds the metadata of both: an installation was interrupted or written over another, and \
                       files of both may be mixed.";
        (message.to_owned(), remedy)
    } else {
        let removed = |(first, _): &(&Distribution, &Distribution)| Change::Remove {
            name: first.name.clone(),
            location: first.location.clone(),
        };
        let remedy = Remedy {
            summary: format!("Remove the copies in `{folder}`"),
            requirements: Vec::new(),
            steps: installer.uninstall(&names).into_iter().collect(),
            change: Some(Change::All(pairs.iter().map(removed).collect())),
            verified: false,
        };
        let message = format!(
            "`import torch` and its like take what lies in `{folder}`; what lies in `{other}` is never used, though tools \
             may list it."
        );
        (message, remedy)
    };
    TWICE
        .found(
            &[name],
            format!("{name} is installed twice, as {} and {}{more}", imported.full_version(), shadowed.full_version()),
        )
        .message(message)
        .packages(packages)
        .evidence(copies(&(imported, shadowed)))
        .remedies([remedy])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Origin, Python, PythonImplementation, Reading};

    #[test]
    fn a_virtual_environment_overrides_the_python_below_it_on_purpose() {
        let python = |prefix: &str, base: &str| Python {
            executable: Reading::Unknown,
            prefix: prefix.to_owned(),
            base_prefix: Reading::host(base.to_owned(), "the test"),
            version: Reading::Unknown,
            implementation: PythonImplementation::CPython,
            free_threaded: false,
            chosen_by: "the test".to_owned(),
            path: Vec::new(),
            management: crate::facts::Management::default(),
            place: crate::facts::Place::default(),
        };
        let copy = |location: &str| Distribution { location: location.to_owned(), ..Distribution::default() };
        let on_purpose = |python: Python, first: &str, second: &str| {
            let facts = Facts { python: Reading::host(python, "the test"), ..Facts::unknown(Origin::Host) };
            overrides(&facts, &copy(first), &copy(second))
        };
        let venv = || python("/work/venv", "/usr");
        let (own, base) = ("/work/venv/lib/python3.12/site-packages", "/usr/lib/python3/dist-packages");
        assert!(on_purpose(venv(), own, base));
        assert!(!on_purpose(venv(), own, own), "one folder holds both");
        assert!(!on_purpose(venv(), "/root/.local/lib/python3.12/site-packages", own), "the user's folder shadows it");
        assert!(!on_purpose(python("/usr", "/usr"), "/root/.local/lib", base), "no virtual environment");
    }
}
