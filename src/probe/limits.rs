//! What this machine allows a process: locked memory, room on disks; and whether it has InfiniBand, which needs the former.
//!
//! Asked of the machine itself only: an image has no such limits.

use std::collections::BTreeMap;

use super::root::RootFs;
use crate::facts::{Disk, Reading};

/// How much memory a process may lock, in bytes; absent where nothing limits it.
#[cfg(target_os = "linux")]
#[must_use]
pub fn memlock(root: &RootFs) -> Reading<u64> {
    const LIMIT: &str = "RLIMIT_MEMLOCK";
    if !root.is_host() {
        return Reading::Unknown;
    }
    // The kernel's drivers ask for the capability first.
    if root.read_text("/proc/self/status").is_ok_and(|status| may_lock(&status)) {
        return Reading::absent("CAP_IPC_LOCK");
    }
    match rustix::process::getrlimit(rustix::process::Resource::Memlock).current {
        Some(bytes) => Reading::host(bytes, LIMIT),
        None => Reading::absent(LIMIT),
    }
}

/// Elsewhere there is no InfiniBand for NCCL.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn memlock(_: &RootFs) -> Reading<u64> {
    Reading::Unknown
}

/// Reads `CapEff: 000001ffffffffff` of `/proc/self/status`: bit 14 is `CAP_IPC_LOCK` of capability.h.
fn may_lock(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> 14 & 1 == 1)
}

/// How many InfiniBand or RoCE devices a process may use, `/dev/infiniband/uverbs0` and on; absent without any.
#[must_use]
pub fn infiniband(root: &RootFs) -> Reading<u32> {
    const FOLDER: &str = "/dev/infiniband";
    if !root.is_host() {
        return Reading::Unknown;
    }
    let count = root.list(FOLDER).iter().filter(|name| name.starts_with("uverbs")).count();
    match u32::try_from(count) {
        Ok(0) | Err(_) => Reading::absent(FOLDER),
        Ok(count) => Reading::host(count, FOLDER),
    }
}

/// The room left where an environment, temporary files and caches lie. `environment` has all variables of the process.
#[must_use]
pub fn disks(root: &RootFs, environment: &BTreeMap<String, String>, prefix: Option<&str>) -> Vec<Disk> {
    if !root.is_host() {
        return Vec::new();
    }
    let variable = |name: &str| environment.get(name).map(String::as_str).filter(|value| value.starts_with('/'));
    let temporary = variable("TMPDIR").unwrap_or("/tmp").to_owned();
    let home = || variable("HOME").map(|home| format!("{}/.cache", home.trim_end_matches('/')));
    let caches = variable("XDG_CACHE_HOME").map(str::to_owned).or_else(home);
    let places =
        [("the environment", prefix.map(str::to_owned)), ("temporary files", Some(temporary)), ("caches", caches)];
    let disk = |(holds, path): (&str, Option<String>)| {
        let path = existing(root, path?)?;
        Some(Disk { holds: holds.to_owned(), free_bytes: free(&path)?, path })
    };
    places.into_iter().filter_map(disk).collect()
}

/// The folder, or the nearest one above it that is there.
fn existing(root: &RootFs, mut path: String) -> Option<String> {
    while !root.exists(&path) {
        let (above, _) = path.trim_end_matches('/').rsplit_once('/')?;
        path = above.to_owned();
    }
    Some(path)
}

/// The bytes that a user who is not root may still write; none where nobody writes.
#[cfg(unix)]
fn free(path: &str) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    // A packed image (squashfs) is full by its nature, and a file system without blocks says 0 of all.
    let written = !found.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) && found.f_blocks > 0;
    written.then(|| found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &str) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_capability_is_one_bit() {
        assert!(may_lock("Name:\tx\nCapPrm:\t0\nCapEff:\t0000000000004000\n"));
        assert!(may_lock("CapEff:\t000001ffffffffff"));
        // What docker gives by default.
        assert!(!may_lock("CapEff:\t00000000a80425fb"));
        assert!(!may_lock("CapEff:\tmany") && !may_lock(""));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_there_yet_lies_on_the_disk_of_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap().to_owned();
        let environment = BTreeMap::from([("HOME".to_owned(), home.clone()), ("TMPDIR".to_owned(), "not".to_owned())]);
        let disks = disks(&RootFs::host(), &environment, Some(&format!("{home}/venv")));
        let found: Vec<_> = disks.iter().map(|disk| (disk.holds.as_str(), disk.path.as_str())).collect();
        let expected = [("the environment", home.as_str()), ("temporary files", "/tmp"), ("caches", home.as_str())];
        assert_eq!(found, expected);
        assert!(disks[0].free_bytes.abs_diff(disks[2].free_bytes) < 1 << 30, "the same disk");
    }

    #[test]
    fn an_image_has_no_limits() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("dev/infiniband")).unwrap();
        std::fs::write(folder.path().join("dev/infiniband/uverbs0"), "").unwrap();
        let root = RootFs::at(folder.path());
        assert_eq!((memlock(&root), infiniband(&root)), (Reading::Unknown, Reading::Unknown));
        assert!(disks(&root, &BTreeMap::new(), Some("/")).is_empty());
    }
}
