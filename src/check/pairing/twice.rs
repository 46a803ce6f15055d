//! Is a package installed twice?

use std::collections::BTreeMap;

use crate::check::{Context, Installer, Stack};
use crate::facts::{Distribution, Facts, Stray};
use crate::finding::{Change, Evidence, Finding, Remedy, rule};
use crate::rules::role::is_hub;
use crate::step::{self, Step};
use crate::text;

rule! {
    /// A package is installed twice.
    ///
    /// Python imports the copy that comes first on its path; installers may see the other. Known from the folders of
    /// sys.path. Remove the copy that is not wanted.
    pub TWICE = "pairing/two-{package}": Pairing, Warn, since "0.1.0", judged on [Distributions, Python], by findings;
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
pub fn findings(context: &Context<'_>) -> Vec<Finding> {
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
    let (imported, shadowed) = pairs.iter().find(|(first, _)| is_hub(&first.name)).unwrap_or(&pairs[0]);
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
        (message.to_owned(), Remedy::new(summary, both().chain(once(context, imported))))
    } else if folder == other {
        let remedy = match stale(pairs) {
            Some((folders, change)) => {
                let words = ["rm", "-r"].map(str::to_owned).into_iter().chain(folders.iter().cloned());
                let summary = format!("Remove `{}`, which is of nothing that is installed", folders.join("`, `"));
                Remedy { change: Some(change), ..Remedy::new(summary, Step::run(words)) }
            }
            None => Remedy::new(format!("Remove both and install {name} once"), both().chain(once(context, imported))),
        };
        let message = "One folder holds the metadata of both: an installation was interrupted or written over \
                       another, and files of both may be mixed.";
        (message.to_owned(), remedy)
    } else {
        let removed = |(first, _): &(&Distribution, &Distribution)| Change::Remove {
            name: first.name.clone(),
            location: first.location.clone(),
        };
        let remedy = Remedy {
            change: Some(Change::All(pairs.iter().map(removed).collect())),
            ..Remedy::new(format!("Remove the copies in `{folder}`"), installer.uninstall(&names))
        };
        let message = format!(
            "Imports take what lies in `{folder}`; what lies in `{other}` is never used, though \
             tools may list it."
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

/// The step that installs a distribution in the version that is imported, from the index that serves it.
fn once(context: &Context<'_>, imported: &Distribution) -> Vec<Step> {
    let version = imported.full_version();
    let index = version.split_once('+').and_then(|(_, label)| context.db.index_url(label));
    let pin = step::pin(&imported.name, version);
    let indexes: Vec<String> = index.into_iter().collect();
    pin.map(|pin| Installer::of(context.facts).install_from(&[pin], &indexes)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;
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
            bits: Reading::Unknown,
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

    #[test]
    fn two_copies_on_the_path_are_one_finding() {
        let of = |second: &str| {
            let at = |location: &'static str| move |own: &mut Distribution| own.location = location.to_owned();
            let case = Case::host().distribution("torch", "2.7.1+cu126", at("/work/a"));
            case.distribution(second, "2.6.0", at("/work/b")).found(&TWICE)
        };
        assert_eq!(of("torch"), ["pairing/two-torch: torch is installed twice, as 2.7.1+cu126 and 2.6.0"]);
        assert!(of("torchaudio").is_empty());
    }
}
