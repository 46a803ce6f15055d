//! Are the CUDA libraries there that the installed packages load, and are they the right ones?
//!
//! What each library would get was found by following its needs as the loader would (the probe does that). Here is told
//! which of them it does not get, which come from `LD_LIBRARY_PATH` instead of from a wheel, which files two distributions
//! claim, and which are no longer what was installed.

use std::collections::{BTreeMap, BTreeSet};

use super::abi::owner_of;
use super::gpu_arch::chosen_libraries;
use super::{Context, Installed, files, libcuda_stub, looked, soname, twins};
use crate::facts::{Library, Link};
use crate::finding::{Basis, Change, Evidence, Finding, Kind, Outcome, Remedy, Severity};
use crate::rules::partner::{loaded_code, pick_library};
use crate::rules::requirement::is_runtime_wheel;
use crate::step::Step;
use crate::text;

/// How many files or libraries are named.
const NAMED: usize = 5;

/// Looks at what packages choose, need, share and hold.
pub fn check(context: &Context<'_>) -> Outcome {
    let mut findings = choices(context);
    let open = |installed: &Installed<'_>| !installed.distribution.libraries.is_absent();
    let read = context.stack.installed.iter().any(|installed| installed.distribution.libraries.value().is_some())
        || !context.stack.installed.iter().any(open);
    let chooses = context.stack.installed.iter().any(|installed| {
        let rule = installed.package.zip(installed.version.as_ref());
        rule.is_some_and(|(package, version)| context.db.library_pick(package, version).is_some())
    });
    let linked = context.stack.installed.iter().any(|installed| {
        let libraries = installed.distribution.libraries.value();
        libraries.is_some_and(|libraries| libraries.iter().any(|library| !library.links.is_empty()))
    });
    findings.extend(libcuda_stub::in_front(context));
    findings.extend(missing(context));
    findings.extend(shadowed(context));
    findings.extend(named_path(context));
    findings.extend(shared(context));
    findings.extend(context.stack.installed.iter().filter_map(|installed| files::changed(context, installed)));
    match (findings.is_empty(), read, linked || chooses) {
        (true, true, false) => Outcome::NotApplicable("nothing is installed that loads CUDA libraries".to_owned()),
        (true, false, false) => Outcome::Skipped("the files of the installed libraries".to_owned()),
        _ => looked(findings),
    }
}

/// Packages that choose one of several libraries by torch's CUDA, and have none for it.
fn choices(context: &Context<'_>) -> Vec<Finding> {
    let choosing: Vec<_> = context
        .stack
        .installed
        .iter()
        .filter_map(|installed| {
            let (package, version) = (installed.package?, installed.version.as_ref()?);
            let (pick, source) = context.db.library_pick(package, version)?;
            Some((installed, package, version, pick, source))
        })
        .collect();
    let mut findings = Vec::new();
    let Some(torch) = context.stack.get("torch") else { return findings };
    let Some(Some(cuda)) = torch.cuda() else { return findings };
    for (installed, package, version, pick, source) in choosing {
        // What lies in the folder is stronger than the row.
        let shipped = &installed.distribution.build.cuda_libraries;
        let (missing, basis, citation) = if shipped.is_empty() {
            let Some((_, build)) = installed.row else { continue };
            match loaded_code(package, version, build, Some(cuda), context.db) {
                Ok(_) => continue,
                Err(shipped) => (shipped, Basis::Rule, build.source.citation()),
            }
        } else if pick_library(pick, cuda, shipped).is_some() {
            continue;
        } else {
            (shipped.clone(), Basis::Binary, installed.distribution.location.clone())
        };
        let words: Vec<_> = missing.iter().map(ToString::to_string).collect();
        findings.push(Finding {
            id: format!("cuda-libs/{}", installed.name()),
            kind: Kind::CudaLibs,
            severity: Severity::Fail,
            title: format!("{} ships no library for CUDA {cuda}, which {} uses", installed.title(), torch.title()),
            message: format!(
                "It has libraries for CUDA {}, and loads the one that fits torch's CUDA. Without one its GPU functions \
                 fail when they are called, or at import.",
                text::list(&words)
            ),
            packages: vec![installed.name().to_owned(), "torch".to_owned()],
            gpus: Vec::new(),
            evidence: vec![
                Evidence {
                    fact: format!("{} libraries", installed.name()),
                    observed: format!("CUDA {}", words.join(" ")),
                    required: Some(cuda.to_string()),
                    source: basis,
                    citation: Some(citation),
                },
                Evidence {
                    fact: "choice of library".to_owned(),
                    observed: "by torch's CUDA version".to_owned(),
                    required: None,
                    source: Basis::Rule,
                    citation: Some(source),
                },
            ],
            remedies: Vec::new(),
            references: Vec::new(),
        });
    }
    findings
}

/// Files that are loaded with `import torch`: what its libraries get, and what those get.
fn torch_closure<'a>(context: &'a Context<'_>) -> BTreeSet<&'a str> {
    let mut links: BTreeMap<String, &[Link]> = BTreeMap::new();
    let mut queue: Vec<String> = Vec::new();
    for installed in &context.stack.installed {
        let distribution = installed.distribution;
        for library in distribution.libraries.value().into_iter().flatten() {
            let place = format!("{}/{}", distribution.location, library.path);
            if distribution.name == "torch" {
                queue.push(place.clone());
            }
            links.insert(place, &library.links);
        }
    }
    let mut closure = BTreeSet::new();
    while let Some(place) = queue.pop() {
        for path in links.get(&place).into_iter().copied().flatten().filter_map(|link| link.path.as_deref()) {
            if closure.insert(path) {
                queue.push(path.to_owned());
            }
        }
    }
    closure
}

/// CUDA libraries that the loader does not find.
fn missing(context: &Context<'_>) -> Vec<Finding> {
    let closure = torch_closure(context);
    let torch = context.stack.torch_cuda().flatten();
    let mut findings = Vec::new();
    for installed in &context.stack.installed {
        let distribution = installed.distribution;
        let Some(libraries) = distribution.libraries.value() else { continue };
        let libraries = chosen_libraries(context, installed, libraries.iter().collect(), torch);
        let mut sonames: BTreeMap<&str, (&Library, Severity)> = BTreeMap::new();
        for library in libraries {
            let place = format!("{}/{}", distribution.location, library.path);
            let with_torch = closure.contains(place.as_str());
            // What NVIDIA's wheels hold beyond that is opened by those who have what it needs.
            if installed.name().starts_with("nvidia-") && !with_torch {
                continue;
            }
            let severity = match library.module {
                _ if installed.name() == "torch" || with_torch || library.for_cuda.is_some() => Severity::Fail,
                true => Severity::Warn,
                false => Severity::Info,
            };
            for link in library.links.iter().filter(|link| link.path.is_none()) {
                let entry = sonames.entry(&link.soname).or_insert((library, severity));
                entry.1 = entry.1.min(severity);
            }
        }
        let Some((first, (library, _))) = sonames.first_key_value() else { continue };
        let severity = sonames.values().map(|(_, severity)| *severity).min().unwrap_or(Severity::Info);
        let names: Vec<&str> = sonames.keys().copied().collect();
        let error = format!("`{first}: cannot open shared object file: No such file or directory`");
        let message = match severity {
            Severity::Fail => format!("Loading it ends in {error}."),
            Severity::Warn => format!("What imports `{}` ends in {error}.", library.path),
            Severity::Info => {
                format!("Only what uses `{}` fails; the rest of the package works without.", library.path)
            }
        };
        let remedy = soname::remedy(context, Some(installed), &names).unwrap_or_else(|| {
            let summary = format!("Install what ships {first}, and name its folder in LD_LIBRARY_PATH");
            Remedy::new(summary, [])
        });
        findings.push(Finding {
            id: format!("cuda-libs/{}", installed.name()),
            kind: Kind::CudaLibs,
            severity,
            title: format!("{} needs {}, which the loader does not find", installed.title(), some(&names)),
            message,
            packages: vec![installed.name().to_owned()],
            gpus: Vec::new(),
            evidence: vec![Evidence {
                fact: library.path.clone(),
                observed: format!("needs {}", some(&names)),
                required: Some("in its RPATH or RUNPATH, LD_LIBRARY_PATH, ld.so.cache or a default folder".to_owned()),
                source: Basis::Binary,
                citation: Some(distribution.location.clone()),
            }],
            remedies: vec![remedy],
            references: Vec::new(),
        });
    }
    findings
}

/// The first few, and how many more.
fn some(names: &[&str]) -> String {
    match names.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{} and {more} more", names[..NAMED].join(", ")),
        _ => text::list(names),
    }
}

/// Libraries that come from LD_LIBRARY_PATH although a wheel brings its own.
fn shadowed(context: &Context<'_>) -> Option<Finding> {
    let mut links: BTreeMap<&str, &Link> = BTreeMap::new();
    for installed in &context.stack.installed {
        for library in installed.distribution.libraries.value().into_iter().flatten() {
            for link in library.links.iter().filter(|link| link.instead_of.is_some()) {
                links.entry(&link.soname).or_insert(link);
            }
        }
    }
    let first = *links.values().next()?;
    let names: Vec<&str> = links.keys().copied().collect();
    let mut packages: Vec<String> =
        links.values().filter_map(|link| owner_of(context, link.instead_of.as_deref()?).map(str::to_owned)).collect();
    packages.sort();
    packages.dedup();
    let variable = first.found_by.clone();
    let evidence = links.values().take(NAMED).map(|link| Evidence {
        fact: link.soname.clone(),
        observed: link.path.clone().unwrap_or_default(),
        required: link.instead_of.clone(),
        source: Basis::Host,
        citation: Some(link.found_by.clone()),
    });
    Some(Finding {
        id: "cuda-libs/shadowed".to_owned(),
        kind: Kind::CudaLibs,
        severity: Severity::Warn,
        title: format!("{variable} puts other copies of {} in front of the wheels' own", some(&names)),
        message:
            "The packages were tested with the libraries that their wheels require. Another version of one of them \
                  ends in missing symbols, `CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH`, or works by luck."
                .to_owned(),
        packages,
        gpus: Vec::new(),
        evidence: evidence.collect(),
        remedies: vec![Remedy {
            summary: format!("Take the CUDA folders out of {variable}"),
            requirements: Vec::new(),
            steps: Step::unset(&variable).into_iter().collect(),
            change: Some(Change::Unset(variable.clone())),
            verified: false,
        }],
        references: Vec::new(),
    })
}

/// A report whose LD_LIBRARY_PATH names a cuDNN of its own, where nobody read what the libraries of the wheels get.
fn named_path(context: &Context<'_>) -> Option<Finding> {
    let pasted = context.facts.pasted.as_ref();
    pasted?;
    let value = context.facts.system.environment.get("LD_LIBRARY_PATH")?;
    // The wheels' own folders are no second copy.
    let foreign = |folder: &&str| folder.to_lowercase().contains("cudnn") && !folder.contains("site-packages");
    let folders: Vec<&str> = value.split(':').filter(foreign).collect();
    let first = folders.first()?;
    Some(Finding {
        id: "cuda-libs/library-path".to_owned(),
        kind: Kind::CudaLibs,
        severity: Severity::Warn,
        title: "LD_LIBRARY_PATH puts another cuDNN in front of the one that torch brings".to_owned(),
        message:
            "torch's wheels bring the cuDNN that they were compiled with. An older one in front ends in `cuDNN version \
                  incompatibility`, or in `CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH`."
                .to_owned(),
        packages: vec!["LD_LIBRARY_PATH".to_owned(), "cudnn".to_owned()],
        gpus: Vec::new(),
        evidence: vec![Evidence {
            fact: "LD_LIBRARY_PATH".to_owned(),
            observed: (*first).to_owned(),
            required: Some("no folder of cuDNN".to_owned()),
            source: Basis::Host,
            citation: None,
        }],
        remedies: vec![Remedy {
            summary: "Take the cuDNN folders out of LD_LIBRARY_PATH".to_owned(),
            requirements: Vec::new(),
            steps: Step::fixed("unset LD_LIBRARY_PATH"),
            change: Some(Change::Unset("LD_LIBRARY_PATH".to_owned())),
            verified: false,
        }],
        references: Vec::new(),
    })
}

/// A pair of names, whichever is said first.
fn ordered<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str) {
    if one < other { (one, other) } else { (other, one) }
}

/// Files that two distributions claim: the one that was installed last won, and removing either breaks the other.
fn shared(context: &Context<'_>) -> Vec<Finding> {
    let mut pairs: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for installed in &context.stack.installed {
        for library in installed.distribution.libraries.value().into_iter().flatten() {
            for other in &library.also_of {
                let files = pairs.entry(ordered(installed.name(), other)).or_default();
                if !files.contains(&library.path.as_str()) {
                    files.push(&library.path);
                }
            }
        }
    }
    // A list of names tells it too, where nobody read the files.
    let mut cited: BTreeMap<(&str, &str), (String, String)> = BTreeMap::new();
    if context.facts.pasted.is_some() {
        let names = context.stack.installed.iter().map(Installed::name);
        let runtime: Vec<&str> = names.filter(|name| is_runtime_wheel(name)).collect();
        for (at, one) in runtime.iter().enumerate() {
            for other in runtime.iter().skip(at + 1) {
                cited.extend(context.db.shared_file(one, other).map(|shared| (ordered(one, other), shared)));
            }
        }
    }
    for (pair, (file, _)) in &cited {
        pairs.entry(*pair).or_default().push(file);
    }
    let mut findings = Vec::new();
    for ((one, other), files) in pairs {
        let titles: Vec<_> =
            [one, other].iter().filter_map(|name| context.stack.get(name)).map(Installed::title).collect();
        // RECORD of the one whose files were overwritten does not describe them any more.
        let overwritten = [one, other].into_iter().find(|name| {
            let changed = context.stack.get(name).map(|installed| &installed.distribution.changed);
            changed.is_some_and(|changed| changed.iter().any(|file| files.contains(&file.path.as_str())))
        });
        let lost = overwritten.map_or_else(String::new, |name| format!(" Those of {name} were overwritten."));
        let names: Vec<String> = [one, other].iter().map(ToString::to_string).collect();
        // What was not overwritten is in use.
        let in_use = overwritten.map_or(other, |lost| if lost == one { other } else { one });
        let keep = twins::stays(context, &[one, other]).unwrap_or(in_use);
        let (stay, go): (Vec<_>, Vec<_>) = [one, other]
            .into_iter()
            .filter_map(|name| context.stack.get(name))
            .partition(|installed| installed.name() == keep);
        findings.push(Finding {
            id: format!("cuda-libs/{one}+{other}"),
            kind: Kind::CudaLibs,
            severity: Severity::Warn,
            title: format!("{} install files of the same names", text::list(&titles)),
            message: format!(
                "{} in both. The one that was installed last won, and removing either breaks the other.{lost}",
                text::count(files.len(), "library is", "libraries are")
            ),
            packages: names.clone(),
            gpus: Vec::new(),
            evidence: vec![Evidence {
                fact: "files of both".to_owned(),
                observed: some(&files),
                required: Some("one distribution for each file".to_owned()),
                source: Basis::Metadata,
                citation: cited.get(&(one, other)).map(|(_, wheel)| wheel.clone()).or(Some("RECORD".to_owned())),
            }],
            remedies: vec![twins::replace(context, &stay, &go)],
            references: Vec::new(),
        });
    }
    findings
}
