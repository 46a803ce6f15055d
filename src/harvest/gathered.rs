//! The rows of a package while its wheels are read, in whatever order they come.

use std::collections::{BTreeMap, BTreeSet};

use super::wheels::{PYPI, Published, Reached, Reading, Release, Wheel, has_older, plan, row};
use super::{extras as read_extras, variants};
use crate::pep::Version;
use crate::python::metadata::Metadata;
use crate::rules::extras::Extras;
use crate::rules::fault::Fault;
use crate::rules::schema::{BuildRow, PackageFile};

/// The rows, and the extras that stand between them.
pub struct Gathered<'a> {
    rows: PackageFile,
    extras: BTreeMap<String, Extras>,
    index: String,
    today: String,
    /// Whether the rules have rows of a package.
    covered: &'a dyn Fn(&str) -> bool,
}

impl<'a> Gathered<'a> {
    /// Goes on with the rows at hand; `index` as [`index_name`] has it.
    ///
    /// # Errors
    ///
    /// When the extras in the rows contradict each other.
    pub fn new(
        rows: PackageFile,
        index: String,
        today: &str,
        covered: &'a dyn Fn(&str) -> bool,
    ) -> Result<Self, Fault> {
        let extras = read_extras::of_rows(&rows)?;
        Ok(Self { rows, extras, index, today: today.to_owned(), covered })
    }

    /// The releases that are wanted of a listing, with the wheels to open.
    #[must_use]
    pub fn plan(&self, listing: &[Published], reached: &Reached) -> Vec<Release> {
        plan(listing, &self.index, reached, Some(&self.rows))
    }

    /// Those of them that have a row, and whose extras nobody read.
    #[must_use]
    pub fn without_extras(&self, releases: Vec<Release>) -> Vec<Release> {
        let known: BTreeSet<&String> = self.rows.releases.iter().map(|release| &release.version).collect();
        let open = |release: &Release| {
            let version = release.version.to_string();
            known.contains(&version) && !self.extras.contains_key(&version)
        };
        releases.into_iter().filter(open).collect()
    }

    /// Puts the releases in their places, before any wheel is read.
    pub fn begin(&mut self, releases: &[Release], listing: &[Published], reached: &Reached) {
        releases.iter().for_each(|release| release.merge(&mut self.rows, Vec::new()));
        self.rows.partial |= (reached.last.is_some() || reached.since.is_some()) && has_older(listing, &self.rows);
        self.rows.releases.retain(|release| !release.builds.is_empty());
    }

    /// Adds what was read of a wheel; in a few words, for the log.
    pub fn add(&mut self, release: &Release, wheel: &Wheel, reading: Reading) -> String {
        // Where the wheels differ, the first platform's speaks for the release.
        let first = release.wheels.first().is_some_and(|first| first.file == wheel.file);
        if !reading.unstated && (first || !self.extras.contains_key(&release.version.to_string())) {
            self.add_extras(&release.version, &reading.metadata);
        }
        let row = row(wheel, reading, &self.index, &self.today);
        let words = summary(&row.build);
        release.merge(&mut self.rows, vec![row]);
        words
    }

    /// Adds the extras of a release.
    pub fn add_extras(&mut self, version: &Version, metadata: &Metadata) {
        self.extras.insert(version.to_string(), read_extras::of_metadata(metadata, self.covered));
    }

    /// Adds what tables besides the index tell of builds.
    pub fn add_told(&mut self, builds: Option<&variants::Matrices>, assembles: Option<&variants::Measured>) {
        builds.into_iter().for_each(|builds| variants::add(&mut self.rows, builds));
        assembles.into_iter().for_each(|assembles| variants::add_measured(&mut self.rows, assembles));
    }

    /// The rows as they are now.
    pub fn rows(&mut self) -> &PackageFile {
        read_extras::put(&mut self.rows, &self.extras);
        &self.rows
    }
}

/// The wheels that are to be read, each with its release's place. The newest releases first, and x86_64 before all others: what
/// most people ask about is there soonest.
#[must_use]
pub fn wanted(releases: &[Release]) -> Vec<(usize, Wheel)> {
    let mut wanted: Vec<(usize, Wheel)> = Vec::new();
    for (place, release) in releases.iter().enumerate() {
        wanted.extend(release.wheels.iter().filter(|wheel| !wheel.known).map(|wheel| (place, wheel.clone())));
    }
    wanted.sort_by_key(|(place, wheel)| (!wheel.file.contains("x86_64"), std::cmp::Reverse(*place)));
    wanted
}

/// The name that the database gives to an index by the path of its address: `pypi`, or `cu128` for `/whl/cu128`.
#[must_use]
pub fn index_name(path: &str) -> String {
    match path.split('/').rfind(|part| !part.is_empty()) {
        None | Some("simple") => PYPI.to_owned(),
        Some(last) => last.to_owned(),
    }
}

fn summary(row: &BuildRow) -> String {
    let code = row.code.iter().map(|code| {
        let targets: Vec<_> = code.sass.iter().chain(&code.ptx).map(ToString::to_string).collect();
        format!("{} containers: {}", code.containers.unwrap_or_default(), targets.join(" "))
    });
    format!("{} {}", row.local.as_deref().unwrap_or("no local label,"), code.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(file: &str) -> Published {
        Published {
            file: file.to_owned(),
            sha256: Some("0".repeat(64)),
            requires_python: None,
            yanked: false,
            day: None,
        }
    }

    #[test]
    fn an_index_is_named_after_its_last_folder() {
        assert_eq!(index_name("/simple/"), "pypi");
        assert_eq!(index_name("/"), "pypi");
        assert_eq!(index_name("/whl/cu128"), "cu128");
    }

    /// Two platforms of one release say different extras: the first one's count, whichever comes first.
    #[test]
    fn the_first_platform_speaks_for_the_release() {
        let listing =
            ["x86_64", "aarch64"].map(|machine| published(&format!("it-1.0-cp311-cp311-manylinux_2_28_{machine}.whl")));
        let with = |extra: &str| Reading {
            metadata: Metadata { provides_extra: vec![extra.to_owned()], ..Metadata::default() },
            ..Reading::default()
        };
        for order in [[0, 1], [1, 0]] {
            let mut gathered =
                Gathered::new(PackageFile::new("it"), PYPI.to_owned(), "2026-12-01", &|_| true).expect("rows");
            let releases = gathered.plan(&listing, &Reached::default());
            gathered.begin(&releases, &listing, &Reached::default());
            assert_eq!(
                wanted(&releases).iter().map(|(_, wheel)| &wheel.file).collect::<Vec<_>>(),
                [&listing[0].file, &listing[1].file]
            );
            for at in order {
                gathered.add(&releases[0], &releases[0].wheels[at], with(["first", "second"][at]));
            }
            let rows = gathered.rows();
            assert_eq!(rows.releases[0].builds.len(), 2);
            assert_eq!(rows.extras.iter().map(|row| &row.name).collect::<Vec<_>>(), ["first"]);
            assert!(gathered.without_extras(releases).is_empty());
        }
    }
}
