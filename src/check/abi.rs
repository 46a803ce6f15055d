//! Can the loader bind the compiled parts of the installed packages: symbols, C++ ABI, NumPy's C API?
//!
//! An extension of torch is compiled against one torch. Whatever its metadata says, it can be imported only if the torch
//! libraries that are installed export every symbol that it needs.

use std::collections::BTreeMap;

use super::gpu_arch::chosen_libraries;
use super::{Context, Installed, Installer, looked, rebuild};
use crate::facts::{Library, Origin, Unresolved};
use crate::finding::{Basis, Change, Evidence, Finding, Kind, Outcome, Remedy, Severity};
use crate::rules::model::{Build, Package, Release};
use crate::rules::torch_abi::{Misfit, misfit, needs_torch, row};
use crate::step::Step;
use crate::text;

/// How many symbols are named.
const NAMED: usize = 3;
/// What `std::string` is under the new C++ ABI of libstdc++.
const STRING: &str = "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";
/// Names of C++ functions can be pages long.
const MAX_NAME: usize = 200;

/// Looks for symbols that nothing exports.
pub fn check(context: &Context<'_>) -> Outcome {
    let mut findings = Vec::new();
    let (mut read, mut by_rows, mut unread) = (0, 0, 0);
    for installed in &context.stack.installed {
        let Some(libraries) = loaded_libraries(context, installed) else {
            let row = installed.row.zip(installed.package);
            by_rows += usize::from(row.is_some_and(|((release, build), of)| row_of(of, release, build, context)));
            unread += usize::from(!installed.distribution.libraries.is_absent());
            findings.extend(by_row(context, installed));
            continue;
        };
        read += libraries.len();
        findings.extend(torch_symbols(context, installed, &libraries));
        findings.extend(cuda_symbols(context, installed, &libraries));
        findings.extend(numpy(context, installed, &libraries));
    }
    match (read + by_rows, unread) {
        (0, 0) => Outcome::NotApplicable("nothing is installed that holds libraries".to_owned()),
        (_, 1..) if read == 0 && findings.is_empty() => {
            Outcome::Skipped("the files of the installed libraries".to_owned())
        }
        _ => looked(findings),
    }
}

/// Whether the rules know which torch a build needs by its symbols.
fn row_of(package: &Package, release: &Release, build: &Build, context: &Context<'_>) -> bool {
    row(package, release, build, context.db).is_some()
}

/// The libraries of a distribution without those that are for another torch or another CUDA; none where nobody read them.
pub fn loaded_libraries<'a>(context: &Context<'a>, installed: &Installed<'a>) -> Option<Vec<&'a Library>> {
    let libraries = installed.distribution.libraries.value()?;
    // Of libraries for one CUDA each the others are never loaded.
    let libraries =
        chosen_libraries(context, installed, libraries.iter().collect(), context.stack.torch_cuda().flatten());
    Some(libraries.into_iter().filter(|library| is_for_this_torch(context, library)).collect())
}

/// Some wheels bring one library for each torch (`…_torch28-cuda.so`, `torch29-cxx11-cu128-x86_64-linux/`), and load theirs.
fn is_for_this_torch(context: &Context<'_>, library: &Library) -> bool {
    let Some(torch) = context.stack.get("torch") else { return true };
    let mut parts = torch.distribution.full_version().split(['.', '+']);
    let (Some(major), Some(minor)) = (parts.next(), parts.next()) else { return true };
    let words = library.path.split(['/', '_', '-', '.']);
    let stated: Vec<&str> = words
        .filter_map(|word| word.strip_prefix("torch"))
        .filter(|digits| digits.len() > 1 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    stated.is_empty() || stated.contains(&format!("{major}{minor}").as_str())
}

/// Symbols of torch, all libraries of a distribution together.
fn torch_symbols(context: &Context<'_>, installed: &Installed<'_>, libraries: &[&Library]) -> Option<Finding> {
    let torch = context.stack.get("torch")?;
    if installed.name() == "torch" {
        return None;
    }
    let lacking: Vec<&&Library> = libraries.iter().filter(|library| library.unresolved.iter().any(is_torchs)).collect();
    let first = lacking.first()?;
    let mut symbols: Vec<&str> = Vec::new();
    for unresolved in lacking.iter().flat_map(|library| &library.unresolved).filter(|unresolved| is_torchs(unresolved))
    {
        if !symbols.contains(&unresolved.symbol.as_str()) {
            symbols.push(&unresolved.symbol);
        }
    }
    let number = symbols.len();
    let mut message = format!(
        "{} {} that {} does not export, so that loading it ends in `undefined symbol: {}`.",
        if lacking.len() == 1 { "Its library needs" } else { "Its libraries need" },
        text::count(number, "symbol", "symbols"),
        torch.title(),
        symbols.first().copied().unwrap_or_default(),
    );
    let needed: Vec<&str> = lacking
        .iter()
        .flat_map(|library| &library.torch_symbols)
        .map(String::as_str)
        .chain(symbols.iter().copied())
        .collect();
    let optional = installed.package.is_some_and(Package::code_is_optional);
    if optional {
        message.push_str(" It does without them.");
    }
    if let Some(reason) = reason(context, torch, &symbols, &needed) {
        message.push(' ');
        message.push_str(&reason);
    }
    let evidence = vec![Evidence {
        fact: first.path.clone(),
        observed: format!("needs {}", in_words(&symbols)),
        required: Some(format!("exported by {}", torch.title())),
        source: Basis::Binary,
        citation: Some(installed.distribution.location.clone()),
    }];
    Some(Finding {
        id: format!("abi/{}", installed.name()),
        kind: Kind::Abi,
        severity: if optional { Severity::Warn } else { Severity::Fail },
        title: format!(
            "{} is compiled for another torch than {}",
            installed.title(),
            torch.distribution.full_version()
        ),
        message,
        packages: vec![installed.name().to_owned(), "torch".to_owned()],
        gpus: Vec::new(),
        evidence,
        remedies: compiled(context, installed, torch).into_iter().collect(),
        references: Vec::new(),
    })
}

/// What the published wheel needs, where nobody read the installed files.
fn by_row(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let torch = context.stack.get("torch")?;
    let (release, build) = installed.row?;
    let row = row(installed.package?, release, build, context.db)?;
    let (torch_release, torch_build) = torch.row?;
    let misfit = misfit(&row, &torch_release.version, torch_build, context.db)?;
    let message = match misfit {
        Misfit::Release => "That torch does not export all symbols that its libraries need.",
        Misfit::Cxx11(true) => "It was compiled with the new C++ ABI of libstdc++, and this torch with the old one.",
        Misfit::Cxx11(false) => "It was compiled with the old C++ ABI of libstdc++, and this torch with the new one.",
    };
    // A report names a version, which PyTorch's own indexes serve in another build under the same name.
    let perhaps = context.facts.origin == Origin::Report && misfit != Misfit::Release;
    let unless = if perhaps { " A build from PyTorch's own index may differ." } else { "" };
    Some(Finding {
        id: format!("abi/{}", installed.name()),
        kind: Kind::Abi,
        severity: if perhaps { Severity::Warn } else { Severity::Fail },
        title: format!(
            "{} is compiled for another torch than {}",
            installed.title(),
            torch.distribution.full_version()
        ),
        message: format!("{message} Loading it ends in `undefined symbol`.{unless}"),
        packages: vec![installed.name().to_owned(), "torch".to_owned()],
        gpus: Vec::new(),
        evidence: vec![Evidence {
            fact: format!("the published wheel of {}", installed.title()),
            observed: needs_torch(&row),
            required: Some(torch.title()),
            source: Basis::Rule,
            citation: Some(row.source.citation()),
        }],
        remedies: compiled(context, installed, torch).into_iter().collect(),
        references: Vec::new(),
    })
}

fn is_torchs(unresolved: &Unresolved) -> bool {
    unresolved.from.is_none()
}

/// What the missing symbols tell of the torch that it was compiled for.
fn reason(context: &Context<'_>, torch: &Installed<'_>, symbols: &[&str], needed: &[&str]) -> Option<String> {
    if torch.cuda() == Some(None) && symbols.iter().any(|symbol| symbol.contains("4cuda")) {
        return Some("They belong to torch's CUDA part, which a CPU build does not have.".to_owned());
    }
    let new_abi = |symbol: &&&str| symbol.contains("__cxx11");
    let torch_is_new = torch.row.and_then(|(_, build)| build.cxx11_abi);
    let by_abi = match torch_is_new {
        Some(false) if symbols.iter().any(|symbol| new_abi(&symbol)) => {
            Some("It was compiled with the new C++ ABI of libstdc++, and this torch with the old one.".to_owned())
        }
        Some(true) if symbols.iter().any(|symbol| !new_abi(&symbol) && symbol.contains("Ss")) => {
            Some("It was compiled with the old C++ ABI of libstdc++, and this torch with the new one.".to_owned())
        }
        _ => None,
    };
    let releases = context.db.torch_releases_with(needed);
    let by_release = match releases.as_slice() {
        [] => None,
        [one] => Some(format!("All that it needs is in torch {one}.")),
        [first, .., last] => Some(format!("All that it needs is in torch {first} to {last}.")),
    };
    let sentences: Vec<_> = by_abi.into_iter().chain(by_release).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// `c10::SymInt::sym_ne(c10::SymInt const&) const`, the first few, and how many more.
fn in_words(symbols: &[&str]) -> String {
    let names: Vec<_> = symbols.iter().take(NAMED).map(|symbol| format!("`{}`", demangled(symbol))).collect();
    match symbols.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{} and {more} more", names.join(", ")),
        _ => text::list(&names),
    }
}

fn demangled(symbol: &str) -> String {
    let options = cpp_demangle::DemangleOptions::new().no_return_type();
    let name = cpp_demangle::Symbol::new(symbol).ok().and_then(|name| name.demangle_with_options(&options).ok());
    let name = name.unwrap_or_else(|| symbol.to_owned()).replace(STRING, "std::__cxx11::string");
    if name.chars().count() <= MAX_NAME { name } else { name.chars().take(MAX_NAME).chain(['…']).collect() }
}

/// What to run for a distribution that the rules have no other build of.
fn compiled(context: &Context<'_>, installed: &Installed<'_>, torch: &Installed<'_>) -> Option<Remedy> {
    if installed.package.is_some_and(Package::holds_code) {
        return None;
    }
    Some(Remedy {
        summary: format!(
            "Install a build of {} for {}, or compile it again beside it",
            installed.name(),
            torch.title()
        ),
        requirements: Vec::new(),
        steps: rebuild::of(context, installed)?,
        change: None,
        verified: false,
    })
}

/// Symbols of CUDA libraries: another version of them is in front.
fn cuda_symbols(context: &Context<'_>, installed: &Installed<'_>, libraries: &[&Library]) -> Vec<Finding> {
    let mut by_soname: BTreeMap<&str, (&Library, Vec<&str>)> = BTreeMap::new();
    for library in libraries {
        for unresolved in &library.unresolved {
            if let Some(from) = &unresolved.from {
                by_soname.entry(from).or_insert_with(|| (library, Vec::new())).1.push(&unresolved.symbol);
            }
        }
    }
    let mut findings = Vec::new();
    for (soname, (library, symbols)) in by_soname {
        let link = library.links.iter().find(|link| link.soname == soname);
        let path = link.and_then(|link| link.path.as_deref()).unwrap_or(soname);
        let by_variable = link.is_some_and(|link| link.found_by == "LD_LIBRARY_PATH");
        let owner = owner_of(context, path);
        let mut packages = vec![installed.name().to_owned()];
        packages.extend(owner.filter(|owner| *owner != installed.name()).map(str::to_owned));
        let unset = by_variable.then(|| Remedy {
            summary: "Take LD_LIBRARY_PATH away, so that the libraries of the wheels are found".to_owned(),
            requirements: Vec::new(),
            steps: Step::fixed("unset LD_LIBRARY_PATH"),
            change: Some(Change::Unset("LD_LIBRARY_PATH".to_owned())),
            verified: false,
        });
        findings.push(Finding {
            id: format!("abi/{}", installed.name()),
            kind: Kind::Abi,
            severity: Severity::Fail,
            title: format!("{} needs another {soname} than the one it gets", installed.title()),
            message: format!(
                "{path} does not export {} that it needs, so that loading it ends in `undefined symbol: {}`.{}",
                text::count(symbols.len(), "symbol", "symbols"),
                symbols.first().copied().unwrap_or_default(),
                if by_variable { " The loader takes that file because of LD_LIBRARY_PATH." } else { "" }
            ),
            packages,
            gpus: Vec::new(),
            evidence: vec![
                Evidence {
                    fact: library.path.clone(),
                    observed: format!("needs {}", in_words(&symbols)),
                    required: Some(format!("exported by {soname}")),
                    source: Basis::Binary,
                    citation: Some(installed.distribution.location.clone()),
                },
                Evidence {
                    fact: soname.to_owned(),
                    observed: path.to_owned(),
                    required: link.and_then(|link| link.instead_of.clone()),
                    source: Basis::Binary,
                    citation: link.map(|link| link.found_by.clone()),
                },
            ],
            remedies: unset.into_iter().collect(),
            references: Vec::new(),
        });
    }
    findings
}

/// The installed distribution that a file of a CUDA library belongs to.
pub fn owner_of<'a>(context: &'a Context<'_>, path: &str) -> Option<&'a str> {
    let ships = context.db.distributions_with(path.rsplit('/').next().unwrap_or_default(), None);
    context.stack.installed.iter().find_map(|installed| {
        let distribution = installed.distribution;
        let inside = path.starts_with(distribution.location.as_str());
        (inside && ships.contains(&distribution.name.as_str())).then_some(distribution.name.as_str())
    })
}

/// Modules compiled with NumPy 1's headers beside NumPy 2.
fn numpy(context: &Context<'_>, installed: &Installed<'_>, libraries: &[&Library]) -> Option<Finding> {
    let numpy = context.stack.get("numpy")?;
    let is_two = numpy
        .distribution
        .full_version()
        .split('.')
        .next()
        .is_some_and(|major| major.parse::<u32>().is_ok_and(|major| major >= 2));
    let first = libraries.iter().find(|library| is_two && library.numpy == Some(1))?;
    // torch goes on without: tensors and arrays are no longer converted.
    let severity = if installed.name() == "torch" { Severity::Warn } else { Severity::Fail };
    Some(Finding {
        id: format!("abi/{}", installed.name()),
        kind: Kind::Abi,
        severity,
        title: format!("{} is compiled for NumPy 1, and {} is installed", installed.title(), numpy.title()),
        message:
            "NumPy 2 changed its C API: `A module that was compiled using NumPy 1.x cannot be run in NumPy 2`, or \
                  `_ARRAY_API not found`."
                .to_owned(),
        packages: vec![installed.name().to_owned(), "numpy".to_owned()],
        gpus: Vec::new(),
        evidence: vec![Evidence {
            fact: first.path.clone(),
            observed: "asks for `numpy.core._multiarray_umath` only, as NumPy 1's headers do".to_owned(),
            required: Some("NumPy 2's headers, which run with both".to_owned()),
            source: Basis::Binary,
            citation: Some(installed.distribution.location.clone()),
        }],
        remedies: vec![Remedy {
            summary: format!("Install NumPy 1, or a newer {}", installed.name()),
            requirements: vec!["numpy<2".to_owned()],
            steps: Installer::of(context.facts).install(&[], &["numpy<2".to_owned()]).into_iter().collect(),
            change: None,
            verified: false,
        }],
        references: Vec::new(),
    })
}
