//! Can the loader bind the compiled parts of the installed packages: symbols, C++ ABI, NumPy's C API?
//!
//! An extension of torch is compiled against one torch. Whatever its metadata says, it can be imported only if the torch
//! libraries that are installed export every symbol that it needs.

modules!(check::abi);

use crate::check::gpu_arch::chosen_libraries;
use crate::check::{Context, Installed, looked, rebuild};
use crate::facts::{Library, TORCH};
use crate::finding::{Change, Finding, Outcome, Remedy, Rule};
use crate::rules::model::{Build, Package, Release};
use crate::rules::torch_abi::row;

/// Looks for symbols that nothing exports.
pub fn check(context: &Context<'_>) -> Outcome {
    let mut findings = Vec::new();
    let (mut read, mut by_rows, mut unread) = (0, 0, 0);
    for installed in &context.stack.installed {
        let Some(libraries) = loaded_libraries(context, installed) else {
            let row = installed.row.zip(installed.package);
            by_rows += usize::from(row.is_some_and(|((release, build), of)| row_of(of, release, build, context)));
            unread += usize::from(!installed.distribution.libraries.is_absent());
            findings.extend(cxx11_abi::finding(context, installed));
            continue;
        };
        read += libraries.len();
        findings.extend(unknown_symbols::finding(context, installed, &libraries));
        findings.extend(other_soname::findings(context, installed, &libraries));
        findings.extend(numpy_1::finding(context, installed, &libraries));
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
    let Some(torch) = context.stack.get(TORCH) else { return true };
    let mut parts = torch.distribution.full_version().split(['.', '+']);
    let (Some(major), Some(minor)) = (parts.next(), parts.next()) else { return true };
    let words = library.path.split(['/', '_', '-', '.']);
    let stated: Vec<&str> = words
        .filter_map(|word| word.strip_prefix("torch"))
        .filter(|digits| digits.len() > 1 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    stated.is_empty() || stated.contains(&format!("{major}{minor}").as_str())
}

/// An extension that was compiled for another torch, by either rule.
fn other_torch(
    rule: &'static Rule,
    context: &Context<'_>,
    installed: &Installed<'_>,
    torch: &Installed<'_>,
) -> Finding {
    rule.found(
        &[installed.name()],
        format!("{} was built against a different torch than {}", installed.title(), yours(torch)),
    )
    .packages([installed.name(), TORCH])
    .remedies(compiled(context, installed, torch))
}

/// `torch 2.6.0+cu124` is `2.6.0+cu124`; one whose version nobody told is `the installed one`.
fn yours(torch: &Installed<'_>) -> String {
    match torch.distribution.full_version() {
        "?" => "the installed one".to_owned(),
        version => version.to_owned(),
    }
}

/// What to run for a distribution that the rules have no other build of.
fn compiled(context: &Context<'_>, installed: &Installed<'_>, torch: &Installed<'_>) -> Option<Remedy> {
    if installed.package.is_some_and(Package::holds_code) {
        return None;
    }
    Some(Remedy {
        change: Some(Change::Compile {
            name: installed.name().to_owned(),
            location: installed.distribution.location.clone(),
        }),
        ..Remedy::new(
            format!("Install a build of {} for {}, or compile it again beside it", installed.name(), torch.title()),
            // A wheel that its setup takes would be the one that does not fit.
            rebuild::forced(context, installed)?,
        )
    })
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
