//! What must hold between the rows of a file, and between files.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Package, RowSource};
use crate::pep::VersionSpecifiers;
use crate::rules::schema::Advisory;
use crate::rules::schema::fault::Fault;

/// Checks the hand-kept tables of a package against its releases, and its rows against each other. `names`: all packages.
pub fn package(package: &Package, names: &BTreeSet<String>) -> Result<(), Fault> {
    let choices: Vec<_> = package.library_choice.iter().map(|choice| ("", &choice.versions)).collect();
    ranges(package, "library-choice", &choices)?;
    let built_for: Vec<_> = package.built_for.iter().map(|row| ("", &row.versions)).collect();
    ranges(package, "built-for", &built_for)?;
    let partners: Vec<_> = package.partners.iter().map(|partner| (partner.with.as_str(), &partner.versions)).collect();
    ranges(package, "partner", &partners)?;
    for (index, partner) in package.partners.iter().enumerate() {
        if !names.contains(&partner.with) {
            let message = format!("`with = \"{}\"`: there is no `packages/{}.toml`", partner.with, partner.with);
            return Err(fault(&[("partner", index)], message));
        }
    }
    let mut hashes: BTreeMap<&str, &str> = BTreeMap::new();
    for (at, release) in package.releases.iter().enumerate() {
        for (row, build) in release.builds.iter().enumerate() {
            let RowSource::Wheel { file, sha256, .. } = &build.source else { continue };
            if hashes.insert(file, sha256).is_some_and(|other| other != sha256) {
                let message = format!("`{file}` has another sha256 in an earlier row");
                return Err(fault(&[("release", at), ("build", row)], message));
            }
        }
    }
    Ok(())
}

/// Each range holds for some release, and no release is in two ranges of the same subject.
fn ranges(package: &Package, table: &str, rows: &[(&str, &VersionSpecifiers)]) -> Result<(), Fault> {
    for (index, (subject, range)) in rows.iter().enumerate() {
        if !package.releases.iter().any(|release| range.contains(&release.version)) {
            return Err(fault(&[(table, index)], format!("`versions = \"{range}\"` matches no release")));
        }
        let earlier = rows.iter().take(index).filter(|(other, _)| other == subject);
        for (_, other) in earlier {
            let both = |version: &&crate::pep::Version| range.contains(version) && other.contains(version);
            if let Some(version) = package.releases.iter().map(|release| &release.version).find(both) {
                let message = format!("`{range}` and `{other}` overlap: {version} is in both");
                return Err(fault(&[(table, index)], message));
            }
        }
    }
    Ok(())
}

/// Checks that what an advisory says of covered packages is true of some release of them.
pub fn advisory(advisory: &Advisory, packages: &BTreeMap<String, Package>) -> Result<(), Fault> {
    for (index, when) in advisory.when.iter().enumerate() {
        for line in &when.installed {
            let Some(wanted) = line.requirement() else { continue };
            let Some(package) = packages.get(wanted.name.as_ref()).filter(|package| !package.partial) else { continue };
            if let Some(range) = line.range()
                && range.iter().all(|specifier| specifier.version().local().is_empty())
                && !package.releases.iter().any(|release| range.contains(&release.version))
            {
                return Err(fault(&[("when", index)], format!("`{line}` matches no release of {}", package.name)));
            }
        }
    }
    Ok(())
}

fn fault(path: &[(&str, usize)], message: String) -> Fault {
    let steps = path.iter().flat_map(|(table, index)| [(*table).to_owned(), index.to_string()]);
    Fault { path: steps.collect(), message }
}
