//! Are the files of a distribution those that were installed?

use crate::check::cuda_libs::twins;
use crate::check::{Context, Installed, again};
use crate::facts::{Changed, ChangedFile, Library};
use crate::finding::{Evidence, Finding, Severity, rule};
use crate::text;

rule! {
    /// Libraries of an installed package are not what its RECORD says.
    ///
    /// A file is missing, cut or changed: an interrupted installation, a full disk, another package, or a hand. Known
    /// from RECORD, the file sizes and, where it is cheap, the hashes. Install the same version again.
    pub FILES = "cuda-libs/{package}/files": CudaLibs, Fail, since "0.1.0", judged on [Distributions, Libraries];
}

rule! {
    /// Python modules of an installed package are not what was installed.
    ///
    /// A module is missing, empty, cut off or overwritten by another release. Known from RECORD and the file sizes.
    /// Install the same version again.
    pub MODULES = "environment/{package}/files": Environment, Fail, since "0.1.0", judged on [Distributions];
}

/// How many files are named.
const NAMED: usize = 5;
/// So many changed modules are no longer a hand's work: another release was written over this one.
const ANOTHER_RELEASE: usize = 5;

/// Files that are not what was installed: missing, empty or cut off they fail, changed they are a doubt.
pub fn check(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let distribution = installed.distribution;
    // conda rewrites files after RECORD was made.
    if distribution.installer.value().is_some_and(|installer| installer == "conda") {
        return None;
    }
    let libraries = distribution.libraries.value().map(Vec::as_slice).unwrap_or_default();
    // Two distributions that share libraries are told of as such.
    let shared = |file: &&ChangedFile| {
        libraries.iter().any(|library| {
            let twin = file.also_of.as_ref().is_some_and(|other| library.also_of.contains(other));
            twin || (library.path == file.path && !library.also_of.is_empty())
        })
    };
    let files: Vec<&ChangedFile> = distribution.changed.iter().filter(|file| !shared(file)).collect();
    let damaged: Vec<&Library> = libraries.iter().filter(|library| library.damage.is_some()).collect();
    if files.is_empty() && damaged.is_empty() {
        return None;
    }
    let listed = |library: &&&Library| files.iter().all(|file| file.path != library.path);
    let own = damaged.iter().filter(listed).take(NAMED);
    let mut evidence: Vec<Evidence> = own
        .map(|library| file_evidence(installed, &library.path, library.damage.clone().unwrap_or_default(), None))
        .collect();
    evidence.extend(files.iter().take(NAMED).map(|file| {
        let (observed, required) = observed(&file.how);
        file_evidence(installed, &file.path, observed, required)
    }));
    let severity = if damaged.is_empty() { severity(&files) } else { Severity::Fail };
    let data = || !files.is_empty() && damaged.is_empty() && files.iter().all(|file| is_data(file));
    let rule = if files.iter().any(|file| is_module(file)) || data() { &MODULES } else { &FILES };
    let number = files.len() + damaged.iter().filter(listed).count();
    let over = files.iter().find_map(|file| file.also_of.as_deref()).and_then(|name| context.stack.get(name));
    let mut packages = vec![installed.name().to_owned()];
    packages.extend(over.map(|other| other.name().to_owned()));
    packages.sort();
    Some(
        rule.found(&[installed.name()], title(installed, &files, number, over))
            .severity(severity)
            .message(message(&files, over))
            .packages(packages)
            .evidence(evidence)
            .remedies(match over {
                Some(other) => {
                    let names = [installed.name(), other.name()];
                    let stays = twins::stays(context, &names).unwrap_or(installed.name());
                    let (stay, go) = if stays == installed.name() { (installed, other) } else { (other, installed) };
                    vec![twins::replace(context, &[stay], &[go])]
                }
                None => again::remedy(context, installed).into_iter().collect::<Vec<_>>(),
            }),
    )
}

/// How a file is, and how it is to be where that was recorded.
fn observed(how: &Changed) -> (String, Option<String>) {
    match how {
        Changed::Missing => ("is missing".to_owned(), None),
        Changed::Size { recorded, found } => (format!("{found} bytes"), Some(format!("{recorded} bytes"))),
        Changed::Cut { recorded, found } => {
            (format!("{found} bytes, and ends in the middle of a line"), Some(format!("{recorded} bytes")))
        }
        Changed::Zeros => ("nothing but zeros".to_owned(), Some("the recorded SHA-256".to_owned())),
        Changed::Hidden => ("is not what `import` finds".to_owned(), None),
        Changed::Hash => ("another SHA-256".to_owned(), Some("the recorded one".to_owned())),
    }
}

/// How bad changed files are where no library is damaged.
fn severity(files: &[&ChangedFile]) -> Severity {
    let lost = |file: &&&ChangedFile| is_lost(file);
    let modules = files.iter().filter(|file| is_module(file)).count();
    if files.iter().filter(lost).any(|file| !is_data(file)) || modules >= ANOTHER_RELEASE {
        Severity::Fail
    } else if modules > 0 || files.iter().any(|file| is_lost(file)) {
        Severity::Warn
    } else {
        // Some wheels are patched after their RECORD was written, so another size or hash of a library alone breaks nothing.
        Severity::Info
    }
}

/// What came of it, by whoever wrote over them.
fn message(files: &[&ChangedFile], over: Option<&Installed<'_>>) -> String {
    match over {
        Some(other) if files.iter().any(|file| file.how == Changed::Hidden) => format!(
            "{} has a folder of that name, and Python takes a folder before a file: which of the two is imported \
             does not depend on what was installed last.",
            other.title()
        ),
        Some(other) => format!(
            "{} installs a file of the same name: the one that came last won, and removing either breaks the \
             other.",
            other.title()
        ),
        None => "An interrupted installation, a full disk, another package or a hand changed them after \
                 RECORD was written, or the wheel was published so."
            .to_owned(),
    }
}

/// What is wrong, in one line.
fn title(installed: &Installed<'_>, files: &[&ChangedFile], number: usize, over: Option<&Installed<'_>>) -> String {
    match (files, over) {
        ([file], Some(other)) if file.how == Changed::Hidden => {
            format!("{} hides `{}` of {}", other.title(), file.path, installed.title())
        }
        ([file, ..], Some(other)) => format!("{} wrote over `{}` of {}", other.title(), file.path, installed.title()),
        ([file], None) if number == 1 && (is_module(file) || is_lost(file)) => {
            let how = match &file.how {
                Changed::Missing => "is missing",
                Changed::Size { found: 0, .. } => "is empty",
                Changed::Zeros => "holds nothing but zeros",
                Changed::Cut { .. } => "is cut off",
                Changed::Size { .. } | Changed::Hidden | Changed::Hash => "is not what was installed",
            };
            format!("`{}` of {} {how}", file.path, installed.title())
        }
        _ => format!(
            "{} of {} {} not what RECORD says",
            text::count(number, "file", "files"),
            installed.title(),
            if number == 1 { "is" } else { "are" }
        ),
    }
}

/// A Python module, or the folder of some.
fn is_module(file: &ChangedFile) -> bool {
    file.path.ends_with(".py")
        || (file.how == Changed::Missing && !file.path.contains('/') && !file.path.contains(".so"))
}

/// Neither a module nor a library: who reads it fails, and what does not goes on.
fn is_data(file: &ChangedFile) -> bool {
    !is_module(file) && !file.path.contains(".so")
}

/// Of a file that is not whole nothing can come. Scripts and data outside the site folder are often removed on purpose.
fn is_lost(file: &ChangedFile) -> bool {
    let lost = match file.how {
        Changed::Missing | Changed::Cut { .. } | Changed::Zeros => true,
        // A hand that mends a module leaves most of it.
        Changed::Size { recorded, found } if file.path.ends_with(".py") => found < recorded / 2,
        Changed::Size { recorded, found } => found == 0 && recorded > 0,
        Changed::Hidden | Changed::Hash => false,
    };
    lost && !file.path.starts_with("..")
}

fn file_evidence(installed: &Installed<'_>, path: &str, observed: String, required: Option<String>) -> Evidence {
    Evidence::binary(path.to_owned(), observed)
        .required(required)
        .cited(format!("{}/RECORD", installed.distribution.metadata_dir))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::made::{distribution, found};
    use crate::facts::{Changed, ChangedFile, Facts, Origin};

    fn with(path: &str, how: Changed) -> Vec<String> {
        let mut facts = Facts::unknown(Origin::Host);
        let mut peft = distribution("peft", "0.18.0", &[]);
        peft.changed = vec![ChangedFile { path: path.to_owned(), how, also_of: None }];
        facts.distributions = vec![peft, distribution("numpy", "2.1.0", &[])];
        found(&facts, |context| {
            context.stack.installed.iter().filter_map(|one| check(context, one)).collect::<Vec<_>>()
        })
    }

    /// numpy beside it, whose files are those that were installed, is not told of.
    #[test]
    fn a_module_that_is_cut_off_and_a_library_that_is_gone() {
        let cut = with("peft/config.py", Changed::Cut { recorded: 900, found: 512 });
        assert_eq!(cut, ["environment/peft/files: `peft/config.py` of peft 0.18.0 is cut off"]);
        let zeros = with("peft/__init__.py", Changed::Zeros);
        assert_eq!(zeros, ["environment/peft/files: `peft/__init__.py` of peft 0.18.0 holds nothing but zeros"]);
        let data = with("peft/cacert.pem", Changed::Missing);
        assert_eq!(data, ["environment/peft/files: `peft/cacert.pem` of peft 0.18.0 is missing"]);
        let gone = with("peft/_C.so", Changed::Missing);
        assert_eq!(gone, ["cuda-libs/peft/files: `peft/_C.so` of peft 0.18.0 is missing"]);
    }
}
