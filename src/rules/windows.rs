//! Builds for Windows: which variants PyTorch's indexes serve there.
//!
//! Nobody opened these wheels. A Windows wheel holds CUDA's libraries itself and needs neither NVIDIA's wheels nor Triton; what
//! else it requires and which GPUs it has kernels for, the Linux wheel of the same release and label tells.

use super::model::{Build, Package, Release, WINDOWS};
use super::requirement::{is_runtime_wheel, name_of};
use super::schema::WindowsIndex;

/// The platform of the wheels that tell of them.
const LINUX: &str = "linux_x86_64";

/// Gives a package the builds that the rows name: `torch==2.6.0` on `cu126` is a `2.6.0+cu126` for Windows.
pub(super) fn add_builds(package: &mut Package, rows: &[WindowsIndex]) {
    let Package { name, releases, .. } = package;
    for release in releases {
        let pin = format!("{name}=={}", release.version);
        let served = rows.iter().filter(|row| row.packages.contains(&pin)).flat_map(|row| &row.indexes);
        let made: Vec<Build> = served.filter_map(|index| Some(for_windows(of_label(release, index)?, index))).collect();
        release.builds.extend(made);
    }
}

/// The Linux build of a label, from whichever index.
fn of_label<'r>(release: &'r Release, label: &str) -> Option<&'r Build> {
    release.builds.iter().find(|build| build.platform == LINUX && build.local.as_deref() == Some(label))
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
