//! Builds for Windows: which variants PyTorch's indexes serve there, and what of PyPI has the same wheels for it as for Linux.
//!
//! Nobody opened these wheels. A Windows wheel holds CUDA's libraries itself and needs neither NVIDIA's wheels nor Triton; what
//! else it requires and which GPUs it has kernels for, the Linux wheel of the same release and label tells.

use super::model::{Build, Package, Release, WINDOWS};
use crate::rules::judge::requirement::{name_of, parse, specifiers};
use crate::rules::judge::role::is_runtime_wheel;
use crate::rules::schema::WindowsIndex;

/// The platform of the wheels that tell of them.
const LINUX: &str = "linux_x86_64";
/// The index whose files carry no label.
const PYPI: &str = "pypi";

/// Gives a package the builds that the rows name: `torch==2.6.0` on `cu126` is a `2.6.0+cu126` for Windows, `numba>=0.53` on `pypi`
/// PyPI's own of each of these releases.
pub(super) fn add_builds<'r>(package: &mut Package, rows: &'r [WindowsIndex]) {
    let Package { name, releases, .. } = package;
    let of_name = |row: &'r WindowsIndex| {
        let lines = row.packages.iter().filter(|line| name_of(line) == name.as_str());
        let ranges = lines.filter_map(|line| specifiers(&parse(line).ok()?));
        ranges.map(move |range| (range, &row.indexes))
    };
    let own: Vec<_> = rows.iter().flat_map(of_name).collect();
    for release in releases {
        let served = own.iter().filter(|(range, _)| range.contains(&release.version)).flat_map(|(_, indexes)| *indexes);
        let made: Vec<Build> = served.filter_map(|index| Some(for_windows(of_label(release, index)?, index))).collect();
        release.builds.extend(made);
    }
}

/// The Linux build of a label, from whichever index; for PyPI the one that lies there.
fn of_label<'r>(release: &'r Release, index: &str) -> Option<&'r Build> {
    let is_it = |build: &&Build| build.local.as_deref() == Some(index) || (index == PYPI && build.index == PYPI);
    release.builds.iter().filter(|build| build.platform == LINUX).find(is_it)
}

fn for_windows(linux: &Build, index: &str) -> Build {
    let requires = linux.requires.iter().filter(|line| {
        let name = name_of(line);
        !is_runtime_wheel(name) && name != "triton"
    });
    Build {
        index: index.to_owned(),
        platform: WINDOWS.to_owned(),
        glibc: None,
        cxx11_abi: None,
        requires: requires.cloned().collect(),
        assembles: Vec::new(),
        ..linux.clone()
    }
}
