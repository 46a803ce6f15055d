//! The extras of a package between the two ways in which they are written: by extra, with the runs of releases for which a
//! list holds (the file, where thirty releases share a list), and by release (the program, and who harvests).

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::bytes::Bytes;
use crate::pep::Version;
use crate::rules::schema::ExtraRow;
use crate::rules::schema::fault::{Fault, requirements};

/// The extras of one release, by normalised name.
pub type Extras = BTreeMap<String, Extra>;

/// From the first to the last release for which something holds.
type Run = (Version, Version);

/// All extras of a package, which its releases share. They are unpacked when somebody asks: few questions are about extras, and
/// a start does not pay for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shared {
    packed: Bytes,
    table: OnceLock<Table>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Table {
    read: Vec<Run>,
    extras: Vec<(String, Vec<Run>, Extra)>,
}

impl Shared {
    /// What [`pack`] made.
    #[must_use]
    pub fn new(packed: Bytes) -> Arc<Self> {
        Arc::new(Self { packed, table: OnceLock::new() })
    }

    /// The extras of a release; none where nobody read them.
    #[must_use]
    pub fn of(&self, release: &Version) -> Option<Extras> {
        // What the build script packed unpacks.
        let table = self.table.get_or_init(|| postcard::from_bytes(&self.packed.0).unwrap_or_default());
        let holds = |runs: &[Run]| runs.iter().any(|(first, last)| first <= release && release <= last);
        holds(&table.read).then(|| {
            let own = table.extras.iter().filter(|(_, runs, _)| holds(runs));
            own.map(|(name, _, extra)| (name.clone(), extra.clone())).collect()
        })
    }
}

/// Checks the rows and packs them; `read`: the runs of the releases whose extras were read.
pub fn pack(read: &[String], rows: &[ExtraRow], versions: &[Version]) -> Result<Bytes, Fault> {
    by_release(read, rows, versions)?;
    let runs = |runs: &[String]| {
        let runs = runs.iter().map(|run| {
            let (first, last) = places(run, versions)?.into_inner();
            let end = |place: usize| versions.get(place).cloned().ok_or_else(|| Fault::new("no such release"));
            Ok((end(first)?, end(last)?))
        });
        runs.collect::<Result<Vec<Run>, Fault>>()
    };
    let mut table = Table { read: runs(read)?, extras: Vec::new() };
    for row in rows {
        let extra = Extra { requires: row.requires.clone(), partial: row.partial };
        table.extras.push((row.name.clone(), runs(&row.releases)?, extra));
    }
    let packed = postcard::to_stdvec(&table).map_err(|error| Fault::new(error.to_string()))?;
    Ok(Bytes(packed))
}

/// The extras of each of these releases, oldest first; none where nobody read them.
pub fn by_release(read: &[String], rows: &[ExtraRow], releases: &[Version]) -> Result<Vec<Option<Extras>>, Fault> {
    let mut found: Vec<Option<Extras>> = vec![None; releases.len()];
    for run in read {
        let places = places(run, releases)?;
        found.get_mut(places).into_iter().flatten().for_each(|extras| *extras = Some(Extras::new()));
    }
    for (index, row) in rows.iter().enumerate() {
        let at = |fault: Fault| fault.below("extra", index);
        let normalised = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if row.name.is_empty() || !row.name.bytes().all(normalised) {
            return Err(at(Fault::new(format!("`{}` is no normalised name", row.name))));
        }
        requirements(&row.requires).map_err(at)?;
        for run in &row.releases {
            for extras in found.get_mut(places(run, releases).map_err(at)?).into_iter().flatten() {
                let extra = Extra { requires: row.requires.clone(), partial: row.partial };
                let extras =
                    extras.as_mut().ok_or_else(|| at(Fault::new(format!("`{run}` is not in `extras-read`"))))?;
                if extras.insert(row.name.clone(), extra).is_some() {
                    return Err(at(Fault::new(format!("`{run}` has `{}` in an earlier row too", row.name))));
                }
            }
        }
    }
    Ok(found)
}

/// The same as rows, with the runs of what was read; `releases`: all of the package, oldest first.
#[must_use]
pub fn by_extra(releases: &[(String, Option<Extras>)]) -> (Vec<String>, Vec<ExtraRow>) {
    let runs = |holds: &dyn Fn(&Option<Extras>) -> bool| {
        let mut runs = Vec::new();
        for run in releases.chunk_by(|(_, one), (_, other)| holds(one) == holds(other)) {
            if let ([(first, extras), ..], [.., (last, _)]) = (run, run)
                && holds(extras)
            {
                runs.push(if run.len() == 1 { first.clone() } else { format!("{first} to {last}") });
            }
        }
        runs
    };
    let mut lists: BTreeMap<&String, Vec<&Extra>> = BTreeMap::new();
    for (name, extra) in releases.iter().filter_map(|(_, extras)| extras.as_ref()).flatten() {
        let lists = lists.entry(name).or_default();
        if !lists.contains(&extra) {
            lists.push(extra);
        }
    }
    let rows = lists.into_iter().flat_map(|(name, lists)| lists.into_iter().map(move |extra| (name, extra)));
    let row = |(name, extra): (&String, &Extra)| ExtraRow {
        name: name.clone(),
        releases: runs(&|extras| extras.as_ref().and_then(|extras| extras.get(name)) == Some(extra)),
        requires: extra.requires.clone(),
        partial: extra.partial,
    };
    (runs(&Option::is_some), rows.map(row).collect())
}

/// Where the releases of a run stand, e.g. `0.5.0 to 0.9.2`.
fn places(run: &str, releases: &[Version]) -> Result<std::ops::RangeInclusive<usize>, Fault> {
    let (first, last) = run.split_once(" to ").unwrap_or((run, run));
    let place = |text: &str| {
        let version = Version::from_str(text).ok()?;
        releases.binary_search(&version).ok()
    };
    match (place(first), place(last)) {
        (Some(first), Some(last)) if first <= last => Ok(first..=last),
        _ => Err(Fault::new(format!("`{run}` is no run of the releases of this file"))),
    }
}

/// What an extra of a release requires.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extra {
    /// PEP 508 requirements without the extra in their marker, e.g. `nvidia-nccl-cu12==2.26.2; sys_platform == 'linux'`. They
    /// may name other extras of the package: `jax[cuda12]` may ask for `jax[minimum-jaxlib]`.
    pub requires: Vec<String>,
    /// More is required, of packages that the rules do not cover.
    pub partial: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::schema::PackageFile;
    use crate::rules::store::checked::unpack_extras;
    use crate::rules::store::model::{Package, Release};

    fn package(head: &str) -> Result<Package, Fault> {
        let releases = ["1.0", "1.1", "1.2", "2.0"].map(|version| {
            format!("[[release]]\nversion = \"{version}\"\ndate = \"2026-01-01\"\n[[release.build]]\nindex = \"pypi\"\nplatform = \"any\"\nsource = {{ page = \"https://x.example\", read = \"2026-01-01\" }}\n")
        });
        let raw: PackageFile = toml::from_str(&format!("package = \"demo\"\n{head}\n{}", releases.concat())).unwrap();
        Package::try_from(raw)
    }

    const HEAD: &str = r#"
extras-read = ["1.0 to 1.1", "2.0"]

[[extra]]
name = "cuda12"
releases = ["1.0 to 1.1"]
requires = ["nvidia-nccl-cu12>=2.18"]

[[extra]]
name = "cuda12"
releases = ["2.0"]
requires = ["nvidia-nccl-cu12>=2.26"]
partial = true

[[extra]]
name = "k8s"
releases = ["1.1", "2.0"]
"#;

    #[test]
    fn a_release_whose_extras_nobody_read_is_not_one_without() {
        let package = package(HEAD).unwrap();
        let names = |place: usize| {
            let extras = package.releases[place].extras()?;
            Some(extras.into_keys().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names(0).as_deref(), Some("cuda12"));
        assert_eq!(names(1).as_deref(), Some("cuda12 k8s"));
        assert_eq!(names(2), None);
        let last = &package.releases[3].extras().unwrap()["cuda12"];
        assert_eq!((last.requires.join(" "), last.partial), ("nvidia-nccl-cu12>=2.26".to_owned(), true));
    }

    #[test]
    fn a_release_knows_its_extras_with_its_package_and_without() {
        let package = package(HEAD).unwrap();
        let mut packed: Package = postcard::from_bytes(&postcard::to_stdvec(&package).unwrap()).unwrap();
        packed.share_extras();
        let raw: PackageFile = toml::from_str(&format!("package = \"demo\"\n{HEAD}")).unwrap();
        let mut own = package.releases.clone();
        own.iter_mut().for_each(|release| release.shared_extras = None);
        unpack_extras(&raw.extras_read, &raw.extras, &mut own).unwrap();
        let alone: Vec<Release> = postcard::from_bytes(&postcard::to_stdvec(&own).unwrap()).unwrap();
        for (place, release) in package.releases.iter().enumerate() {
            assert_eq!(packed.releases[place].extras(), release.extras());
            assert_eq!(alone[place].extras(), release.extras());
        }
        assert_eq!(alone[3].extras().unwrap().len(), 2);
    }

    #[test]
    fn both_ways_say_the_same() {
        let raw: PackageFile = toml::from_str(&format!("package = \"demo\"\n{HEAD}")).unwrap();
        let versions = ["1.0", "1.1", "1.2", "2.0"];
        let parsed = versions.map(|version| version.parse().unwrap());
        let by_release = by_release(&raw.extras_read, &raw.extras, &parsed).unwrap();
        let releases: Vec<_> = versions.map(str::to_owned).into_iter().zip(by_release).collect();
        assert_eq!(by_extra(&releases), (raw.extras_read, raw.extras));
    }

    #[test]
    fn rows_that_contradict_the_releases_are_refused() {
        let fault = |head: &str| package(head).unwrap_err().message;
        let extra = "[[extra]]\nname = \"a\"\nreleases = [\"1.2\"]\n";
        assert_eq!(fault("extras-read = [\"1.0 to 1.5\"]"), "`1.0 to 1.5` is no run of the releases of this file");
        assert_eq!(fault(extra), "`1.2` is not in `extras-read`");
        assert_eq!(fault(&format!("extras-read = [\"1.2\"]\n{extra}{extra}")), "`1.2` has `a` in an earlier row too");
        assert_eq!(fault("[[extra]]\nname = \"A_b\"\nreleases = []"), "`A_b` is no normalised name");
    }

    #[test]
    fn stacks_are_asked_for_by_extras() {
        let db = crate::rules::store::embedded();
        let lines = |name: &str, version: &str, extra: &str| {
            let extras = db.release(name, &version.parse().unwrap()).unwrap().extras().unwrap();
            extras.get(extra).map(|extra| extra.requires.join(" "))
        };
        // METADATA of tensorflow-2.16.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl.
        assert!(lines("tensorflow", "2.16.1", "and-cuda").unwrap().contains("nvidia-cudnn-cu12==8.9.7.29"));
        // What torch for CUDA 13.0 names instead of NVIDIA's wheels.
        assert_eq!(lines("cuda-toolkit", "13.0.2", "cudart").as_deref(), Some("nvidia-cuda-runtime==13.0.96.*"));
        assert_eq!(lines("jax", "0.9.0", "cuda11"), None, "it has `cuda`, `cuda12` and `cuda13`");
    }
}
