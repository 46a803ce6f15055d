//! What stands between the driver's GPUs and CUDA: device files, and UUIDs in `CUDA_VISIBLE_DEVICES`.

use std::collections::BTreeMap;

use super::nvml;
use super::root::RootFs;
use crate::facts::{DeviceNode, Entry, NamedDevice, Reading, Visibility, visible_entries};

/// Reads the device files, and judges the UUIDs by those that NVML gave, each with its GPU's index.
#[must_use]
pub fn probe(root: &RootFs, environment: &BTreeMap<String, String>, ids: &[(u32, String)]) -> Visibility {
    let value = environment.get("CUDA_VISIBLE_DEVICES").map_or("", String::as_str);
    let named = named(value, ids);
    Visibility {
        named: if ids.is_empty() || named.is_empty() { Reading::Unknown } else { Reading::host(named, nvml::PLACE) },
        nodes: nodes(root),
        ..Visibility::default()
    }
}

/// What each UUID, or beginning of one, names.
fn named(value: &str, ids: &[(u32, String)]) -> Vec<NamedDevice> {
    let entries = (0..).zip(visible_entries(value));
    entries
        .filter_map(|(entry, (_, kind))| {
            let Entry::Device(text) = kind else { return None };
            // The older name of a MIG instance, `MIG-GPU-<UUID>/1/2`, holds its GPU's UUID.
            let parent = text.strip_prefix("MIG-").filter(|rest| rest.starts_with("GPU-"));
            let parent = parent.and_then(|rest| rest.split('/').next());
            let begins = |uuid: &str| uuid.starts_with(text) || parent.is_some_and(|parent| uuid == parent);
            let gpus = ids.iter().filter(|(_, uuid)| begins(uuid)).map(|(gpu, _)| *gpu).collect();
            Some(NamedDevice { entry, gpus })
        })
        .collect()
}

/// The driver's files in /dev. In a folder without a /dev nothing is known.
fn nodes(root: &RootFs) -> Reading<Vec<DeviceNode>> {
    let files = root.list("/dev");
    if files.is_empty() {
        return Reading::Unknown;
    }
    let is_node = |name: &str| {
        let rest = name.strip_prefix("nvidia");
        rest.is_some_and(|rest| {
            matches!(rest, "ctl" | "-uvm") || (!rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
        })
    };
    let mut found: Vec<_> = files.into_iter().filter(|name| is_node(name)).map(|name| format!("/dev/{name}")).collect();
    found.sort();
    if found.is_empty() {
        return Reading::absent("/dev/nvidia*");
    }
    let access = |path: &str| if root.is_host() { access(path) } else { Access::Granted };
    let node = |path: String| {
        let access = access(&path);
        DeviceNode { path, usable: access == Access::Granted, outside_cgroup: access == Access::OutsideCgroup }
    };
    Reading::host(found.into_iter().map(node).collect(), "/dev")
}

#[derive(PartialEq, Eq)]
enum Access {
    Granted,
    Refused,
    OutsideCgroup,
}

/// Asks for the permission; the device is not opened. The permissions of a file refuse with EACCES, the list of devices of a
/// cgroup with EPERM (`devcgroup_check_permission` of the kernel's security/device_cgroup.c).
#[cfg(unix)]
fn access(path: &str) -> Access {
    match rustix::fs::access(path, rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK) {
        Ok(()) => Access::Granted,
        Err(rustix::io::Errno::PERM) => Access::OutsideCgroup,
        Err(_) => Access::Refused,
    }
}

#[cfg(not(unix))]
fn access(_: &str) -> Access {
    Access::Granted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpus(value: &str) -> Vec<(u32, Vec<u32>)> {
        let ids = [
            (0, "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6".to_owned()),
            (1, "GPU-89ab0000-d72c-4106-c12f-20bd9faed9f6".to_owned()),
            (1, "MIG-11110000-d72c-4106-c12f-20bd9faed9f6".to_owned()),
        ];
        named(value, &ids).into_iter().map(|named| (named.entry, named.gpus)).collect()
    }

    #[test]
    fn a_uuid_names_by_its_beginning() {
        assert_eq!(gpus("0,GPU-8932,-1,GPU-89"), [(1, vec![0]), (3, vec![0, 1])]);
        assert_eq!(gpus("MIG-1111"), [(0, vec![1])]);
        assert_eq!(gpus("MIG-GPU-8932f937-d72c-4106-c12f-20bd9faed9f6/1/2"), [(0, vec![0])]);
        assert_eq!(gpus("GPU-ffff"), [(0, vec![])]);
        assert_eq!(gpus("0,1"), []);
    }

    #[test]
    fn device_files_are_those_of_the_driver() {
        let folder = tempfile::tempdir().unwrap();
        let root = RootFs::at(folder.path());
        assert_eq!(nodes(&root), Reading::Unknown);
        let dev = folder.path().join("dev");
        std::fs::create_dir(&dev).unwrap();
        std::fs::write(dev.join("null"), "").unwrap();
        assert_eq!(nodes(&root), Reading::absent("/dev/nvidia*"));
        for name in ["nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset"] {
            std::fs::write(dev.join(name), "").unwrap();
        }
        let found: Vec<_> = nodes(&root).value().unwrap().iter().map(|node| node.path.clone()).collect();
        assert_eq!(found, ["/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl"]);
    }
}
