//! The operating system, its C library, the container, shared memory, and the environment variables that matter.

use std::collections::BTreeMap;

use super::kernel::missing;
use super::loader::machine_type;
use super::root::RootFs;
use super::{kernel_log, limits};
use crate::facts::{Reading, System};
use crate::machine::environ::{parse_environment_file, parse_process_environment};
use crate::machine::os_release::parse_pretty_name;
use crate::objects::c_library::{find_banner, parse_library_name};
use crate::version::GlibcVersion;

/// The environment of the machine: this process's, which the caller passes, or the one recorded in a folder.
///
/// In a folder it is that of process 1 (`/proc/1/environ`, a recorded pod), else `/etc/environment` (an image). This
/// process's variables say nothing of another machine.
#[must_use]
pub fn environment(root: &RootFs, process: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    if root.is_host() {
        return process.clone();
    }
    if let Ok(bytes) = root.read("/proc/1/environ", 4 << 20) {
        return parse_process_environment(&bytes);
    }
    root.read_text("/etc/environment").map(|text| parse_environment_file(&text)).unwrap_or_default()
}

/// Reads the system's facts; `environment` is what [`environment()`] found, of which only the variables that matter are kept.
#[must_use]
pub fn probe(root: &RootFs, environment: &BTreeMap<String, String>, matters: impl Fn(&str) -> bool) -> System {
    let arch = arch(root);
    System {
        os: os(root),
        glibc: glibc(root, arch.value().map_or("", String::as_str)),
        arch,
        distro: distro(root),
        kernel: kernel(root),
        container: container(root, environment),
        wsl: wsl(root),
        shm_bytes: shm(root),
        xid: kernel_log::probe(root),
        memlock_bytes: limits::memlock(root),
        infiniband: limits::infiniband(root),
        // Where the environment lies is not known yet.
        disks: Vec::new(),
        environment: environment
            .iter()
            .filter(|(name, _)| matters(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    }
}

pub(super) fn os(root: &RootFs) -> Reading<String> {
    if root.is_host() {
        return Reading::host(std::env::consts::OS.to_owned(), "gpudoc's own build");
    }
    if root.exists("/etc") || root.exists("/usr") {
        Reading::host("linux".to_owned(), "folder layout")
    } else {
        Reading::absent("/etc, /usr")
    }
}

/// The machine type; in a folder that of its programs: the loader's name, else the header of the shell.
pub(super) fn arch(root: &RootFs) -> Reading<String> {
    if root.is_host() {
        let arch = std::env::consts::ARCH;
        // Apple's own name, which Python uses too.
        let arch = if cfg!(target_os = "macos") && arch == "aarch64" { "arm64" } else { arch };
        return Reading::host(arch.to_owned(), "gpudoc's own build");
    }
    const LOADERS: [(&str, &str); 4] = [
        ("/lib64/ld-linux-x86-64.so.2", "x86_64"),
        ("/lib/ld-linux-aarch64.so.1", "aarch64"),
        ("/lib/ld-musl-x86_64.so.1", "x86_64"),
        ("/lib/ld-musl-aarch64.so.1", "aarch64"),
    ];
    for (path, arch) in LOADERS {
        if root.exists(path) {
            return Reading::host(arch.to_owned(), path);
        }
    }
    for path in ["/bin/sh", "/usr/bin/env"] {
        if let Ok(header) = root.read(path, 20)
            && let Some(arch @ ("x86_64" | "aarch64")) = machine_type(&header)
        {
            return Reading::host(arch.to_owned(), path);
        }
    }
    Reading::absent("the dynamic loader, /bin/sh")
}

fn distro(root: &RootFs) -> Reading<String> {
    // os-release(5): /etc first.
    for path in ["/etc/os-release", "/usr/lib/os-release"] {
        if let Ok(text) = root.read_text(path) {
            return match parse_pretty_name(&text) {
                Some(name) => Reading::host(name, path),
                None => Reading::unreadable(format!("{path} gives no name")),
            };
        }
    }
    Reading::absent("/etc/os-release, /usr/lib/os-release")
}

pub(super) fn kernel(root: &RootFs) -> Reading<String> {
    const RELEASE: &str = "/proc/sys/kernel/osrelease";
    const VERSION: &str = "/proc/version";
    match root.read_text(RELEASE) {
        Ok(text) => Reading::host(text.trim().to_owned(), RELEASE),
        // "Linux version 6.8.0-51-generic (buildd@…) …"
        Err(error) => match root
            .read_text(VERSION)
            .ok()
            .and_then(|text| text.strip_prefix("Linux version ")?.split_whitespace().next().map(str::to_owned))
        {
            Some(release) => Reading::host(release, VERSION),
            None => missing(RELEASE, &error),
        },
    }
}

/// The C library's version: up to 2.33 in the real name of the file, else in its banner. Nothing is run.
pub(super) fn glibc(root: &RootFs, arch: &str) -> Reading<GlibcVersion> {
    let folders = [format!("/lib/{arch}-linux-gnu"), format!("/usr/lib/{arch}-linux-gnu")];
    let folders = folders.iter().map(String::as_str).chain(["/lib64", "/usr/lib64", "/lib", "/usr/lib"]);
    for folder in folders {
        let path = format!("{folder}/libc.so.6");
        let Some(real) = root.real_path(&path) else { continue };
        let (_, name) = real.rsplit_once('/').unwrap_or_default();
        if let Some(version) = parse_library_name(name) {
            return Reading::host(version, real);
        }
        return match root.read(&real, 16 << 20) {
            Ok(bytes) => match find_banner(&bytes) {
                Some(version) => Reading::host(version, real),
                None => Reading::unreadable(format!("{real} does not tell its version")),
            },
            Err(error) => Reading::unreadable(format!("{real}: {error}")),
        };
    }
    let musl = root.list("/lib").into_iter().find(|name| name.starts_with("ld-musl-"));
    Reading::absent(musl.map_or("libc.so.6".to_owned(), |name| format!("libc.so.6; this is musl (/lib/{name})")))
}

/// The kind of container. Kubernetes first, whose containers carry the marks of docker and others too.
fn container(root: &RootFs, environment: &BTreeMap<String, String>) -> Reading<String> {
    let known = |kind: &str, place: &str| Reading::host(kind.to_owned(), place);
    if environment.contains_key("KUBERNETES_SERVICE_HOST") {
        return known("kubernetes", "KUBERNETES_SERVICE_HOST");
    }
    if root.exists("/var/run/secrets/kubernetes.io") {
        return known("kubernetes", "/var/run/secrets/kubernetes.io");
    }
    if root.exists("/run/.containerenv") {
        return known("podman", "/run/.containerenv");
    }
    if root.exists("/.dockerenv") {
        return known("docker", "/.dockerenv");
    }
    // systemd's convention: the manager says `container=lxc` to process 1, and programs may inherit it.
    let first =
        root.read("/proc/1/environ", 4 << 20).map(|bytes| parse_process_environment(&bytes)).unwrap_or_default();
    for (variables, place) in [(&first, "/proc/1/environ"), (environment, "container")] {
        if let Some(kind) = variables.get("container").filter(|kind| !kind.is_empty()) {
            return known(kind, place);
        }
    }
    if let Ok(text) = root.read_text("/proc/1/cgroup")
        && let Some(kind) = container_of_cgroup(&text)
    {
        return known(kind, "/proc/1/cgroup");
    }
    Reading::absent("/.dockerenv, /run/.containerenv, /proc/1/cgroup, KUBERNETES_SERVICE_HOST, container")
}

/// Reads `/proc/1/cgroup`, e.g. `0::/system.slice/docker-4f1c….scope`; with cgroup namespaces it says just `0::/`.
fn container_of_cgroup(text: &str) -> Option<&'static str> {
    [
        ("kubepods", "kubernetes"),
        ("libpod", "podman"),
        ("docker", "docker"),
        ("/lxc", "lxc"),
        ("containerd", "containerd"),
    ]
    .into_iter()
    .find_map(|(mark, kind)| text.contains(mark).then_some(kind))
}

/// Reads `/proc/version`: WSL 2 has `…-microsoft-standard-WSL2`, WSL 1 `…-Microsoft`.
fn wsl(root: &RootFs) -> Reading<u32> {
    const PLACE: &str = "/proc/version";
    match root.read_text(PLACE) {
        Ok(text) if text.contains("WSL2") || text.contains("microsoft-standard") => Reading::host(2, PLACE),
        Ok(text) if text.contains("Microsoft") => Reading::host(1, PLACE),
        Ok(_) => Reading::absent(PLACE),
        Err(error) => missing(PLACE, &error),
    }
}

fn shm(root: &RootFs) -> Reading<u64> {
    if root.is_host() { host_shm() } else { recorded_shm(root) }
}

#[cfg(unix)]
fn host_shm() -> Reading<u64> {
    const PLACE: &str = "/dev/shm";
    match rustix::fs::statvfs(PLACE) {
        Ok(found) => Reading::host(found.f_blocks.saturating_mul(found.f_frsize), PLACE),
        Err(error) => missing(PLACE, &error.into()),
    }
}

#[cfg(not(unix))]
fn host_shm() -> Reading<u64> {
    Reading::absent("/dev/shm")
}

/// Reads the size that the mount was given, e.g. `shm /dev/shm tmpfs rw,nosuid,size=65536k,inode64 0 0`.
fn recorded_shm(root: &RootFs) -> Reading<u64> {
    for place in ["/proc/mounts", "/proc/1/mounts", "/proc/self/mounts"] {
        let Ok(text) = root.read_text(place) else { continue };
        // The last mount covers the earlier ones.
        let options = text.lines().rev().find_map(|line| {
            let mut words = line.split(' ').skip(1);
            (words.next() == Some("/dev/shm")).then(|| words.nth(1)).flatten()
        });
        let Some(options) = options else { return Reading::absent(format!("/dev/shm in {place}")) };
        return match options.split(',').find_map(|option| option.strip_prefix("size=")) {
            Some(size) => match parse_size(size) {
                Some(bytes) => Reading::host(bytes, place),
                None => Reading::unreadable(format!("{place}: size={size}")),
            },
            None => Reading::unreadable(format!("{place} gives no size for /dev/shm")),
        };
    }
    Reading::Unknown
}

/// `65536k`, `64m`, `1g` and plain bytes.
fn parse_size(text: &str) -> Option<u64> {
    let (digits, factor) = match text.as_bytes().last()?.to_ascii_lowercase() {
        b'k' => (&text[..text.len() - 1], 1 << 10),
        b'm' => (&text[..text.len() - 1], 1 << 20),
        b'g' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    fn probe_folder(files: &[(&str, &[u8])]) -> System {
        let folder = folder(files);
        let root = RootFs::at(folder.path());
        probe(&root, &environment(&root, &BTreeMap::from([("CUDA_HOME".to_owned(), "/mine".to_owned())])), |name| {
            name.starts_with("CUDA_")
        })
    }

    #[test]
    fn a_recorded_pod_tells_of_itself() {
        let system = probe_folder(&[
            ("proc/1/environ", b"CUDA_VISIBLE_DEVICES=0,1\0SECRET=x\0KUBERNETES_SERVICE_HOST=10.0.0.1\0"),
            ("proc/version", b"Linux version 6.8.0-51-generic (buildd@lcy02) #52-Ubuntu SMP"),
            ("proc/mounts", b"overlay / overlay rw 0 0\nshm /dev/shm tmpfs rw,nosuid,size=65536k,inode64 0 0\n"),
            ("etc/os-release", b"PRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\n"),
            ("lib64/ld-linux-x86-64.so.2", b""),
            (
                "lib/x86_64-linux-gnu/libc.so.6",
                b"GNU C Library (Ubuntu GLIBC 2.35-0ubuntu3.8) stable release version 2.35.",
            ),
        ]);
        assert_eq!(system.os.value().unwrap(), "linux");
        assert_eq!(system.arch.value().unwrap(), "x86_64");
        assert_eq!(system.distro.value().unwrap(), "Ubuntu 22.04.5 LTS");
        assert_eq!(system.kernel, Reading::host("6.8.0-51-generic".to_owned(), "/proc/version"));
        assert_eq!(system.glibc.value().unwrap().to_string(), "2.35");
        assert_eq!(system.container.value().unwrap(), "kubernetes");
        assert!(system.wsl.is_absent());
        assert_eq!(system.shm_bytes.value(), Some(&67_108_864));
        assert_eq!(system.environment, BTreeMap::from([("CUDA_VISIBLE_DEVICES".to_owned(), "0,1".to_owned())]));
    }

    #[test]
    fn an_image_has_its_own_environment_and_an_old_name_for_glibc() {
        let folder = folder(&[
            ("etc/environment", b"CUDA_HOME=/usr/local/cuda\n"),
            ("usr/lib/x86_64-linux-gnu/libc-2.31.so", b""),
            ("lib64/ld-linux-x86-64.so.2", b""),
        ]);
        #[cfg(unix)]
        std::os::unix::fs::symlink("libc-2.31.so", folder.path().join("usr/lib/x86_64-linux-gnu/libc.so.6")).unwrap();
        let root = RootFs::at(folder.path());
        let system = probe(&root, &environment(&root, &BTreeMap::new()), |name| name.starts_with("CUDA_"));
        assert_eq!(system.glibc.value().unwrap().to_string(), "2.31");
        assert_eq!(system.environment["CUDA_HOME"], "/usr/local/cuda");
        assert_eq!(system.shm_bytes, Reading::Unknown);
        assert!(system.kernel.is_absent() && system.container.is_absent());
    }

    #[test]
    fn containers_are_known_by_their_marks() {
        let kind = |files: &[(&str, &[u8])]| probe_folder(files).container.value().cloned();
        assert_eq!(kind(&[(".dockerenv", b"")]).as_deref(), Some("docker"));
        assert_eq!(kind(&[("run/.containerenv", b"")]).as_deref(), Some("podman"));
        assert_eq!(kind(&[("proc/1/environ", b"container=lxc\0")]).as_deref(), Some("lxc"));
        assert_eq!(kind(&[("proc/1/cgroup", b"0::/kubepods/besteffort/pod1\n")]).as_deref(), Some("kubernetes"));
        assert_eq!(kind(&[("proc/1/cgroup", b"0::/\n")]), None);
    }

    #[test]
    fn the_two_wsl_name_themselves_differently() {
        let wsl = |text: &[u8]| probe_folder(&[("proc/version", text)]).wsl.value().copied();
        assert_eq!(wsl(b"Linux version 5.15.167.4-microsoft-standard-WSL2 (root@x)"), Some(2));
        assert_eq!(wsl(b"Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com)"), Some(1));
    }

    #[test]
    fn musl_has_no_glibc() {
        let system = probe_folder(&[("lib/ld-musl-x86_64.so.1", b"")]);
        assert_eq!(system.glibc, Reading::absent("libc.so.6; this is musl (/lib/ld-musl-x86_64.so.1)"));
    }

    #[test]
    fn sizes_of_mounts_have_units() {
        assert_eq!(parse_size("65536k"), Some(67_108_864));
        assert_eq!(parse_size("1g"), Some(1 << 30));
        assert_eq!(parse_size("é"), None);
        assert_eq!(parse_size(""), None);
    }
}
