//! Which shared library a process started now would get, and which `libcuda.so.1` in particular.
//!
//! The order is that of ld.so(8), without what only the program itself could tell (RPATH, RUNPATH, dlopen by path):
//!
//! 1. `LD_PRELOAD`, if it names that library,
//! 2. the folders of `LD_LIBRARY_PATH`; an empty entry is the working directory,
//! 3. `/etc/ld.so.cache`: the first entry of that name for this machine; if its file is gone, later entries are not tried,
//! 4. the default folders, Debian's multiarch ones among them.
//!
//! `/etc/ld.so.conf` is ldconfig's business, not the loader's. A library for another machine type is passed over.

use std::collections::{BTreeMap, BTreeSet};

use super::file_at::open;
use super::root::RootFs;
use crate::facts::{LibCuda, Loader, Reading};
use crate::objects::elf::function::returned_at_once;
use crate::objects::elf::lookup::Object;
use crate::objects::ld_cache::{CacheEntry, parse_ld_cache};
use crate::objects::library::version_numbers;
use crate::version::DriverVersion;

const CACHE: &str = "/etc/ld.so.cache";
const CACHE_LIMIT: u64 = 64 << 20;
const LIBCUDA: &str = "libcuda.so.1";

/// A library that the loader's search comes upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLibrary {
    /// As the loader opens it, e.g. `/lib/x86_64-linux-gnu/libcuda.so.1`.
    pub path: String,
    /// The file behind the links, e.g. `/usr/lib/x86_64-linux-gnu/libcuda.so.570.133.20`.
    pub real_path: String,
    /// `LD_PRELOAD`, `LD_LIBRARY_PATH`, `ld.so.cache`, `default folder` or `not on the loader's path`.
    pub found_by: &'static str,
}

/// The loader's search, prepared once for any number of names.
#[derive(Debug)]
pub struct LibrarySearch<'a> {
    root: &'a RootFs,
    arch: String,
    preload: Vec<String>,
    library_path: Vec<String>,
    cache: Vec<CacheEntry>,
    default_folders: Vec<String>,
}

impl<'a> LibrarySearch<'a> {
    /// Reads the cache and splits the variables.
    ///
    /// `arch` is the machine type, e.g. `x86_64`; `current_dir` stands for empty entries of `LD_LIBRARY_PATH`, which count
    /// for nothing without it.
    #[must_use]
    pub fn new(
        root: &'a RootFs,
        arch: &str,
        environment: &BTreeMap<String, String>,
        current_dir: Option<&str>,
    ) -> Self {
        let variable = |name: &str| environment.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let absolute = |entry: &str| match (entry, current_dir) {
            ("", folder) => folder.map(str::to_owned),
            (entry, _) if entry.starts_with('/') => Some(entry.to_owned()),
            (entry, Some(folder)) => Some(format!("{}/{entry}", folder.trim_end_matches('/'))),
            _ => None,
        };
        let preload = variable("LD_PRELOAD").unwrap_or_default().split([':', ' ']);
        let library_path =
            variable("LD_LIBRARY_PATH").map(|value| value.split([':', ';']).filter_map(absolute).collect());
        let cache = root.read(CACHE, CACHE_LIMIT).ok().and_then(|bytes| parse_ld_cache(&bytes)).unwrap_or_default();
        Self {
            root,
            arch: arch.to_owned(),
            preload: preload.filter(|entry| entry.contains('/')).filter_map(absolute).collect(),
            library_path: library_path.unwrap_or_default(),
            cache: cache.into_iter().filter(|entry| entry.fits(arch)).collect(),
            default_folders: default_folders(arch),
        }
    }

    /// Every file that the search comes upon for a name, e.g. `libcudart.so.12`, the one that the loader takes first.
    ///
    /// The same file under two paths, as with `/lib` and `/usr/lib`, is there once.
    #[must_use]
    pub fn find(&self, soname: &str) -> Vec<FoundLibrary> {
        let mut found = Vec::new();
        let mut add = |path: String, found_by| {
            if let Some(library) = self.look(path, found_by)
                && !found.iter().any(|other: &FoundLibrary| other.real_path == library.real_path)
            {
                found.push(library);
            }
        };
        for path in self.preload.iter().filter(|path| path.rsplit('/').next() == Some(soname)) {
            add(path.clone(), "LD_PRELOAD");
        }
        for folder in &self.library_path {
            add(join(folder, soname), "LD_LIBRARY_PATH");
        }
        let mut cached: Vec<&CacheEntry> = self.cache.iter().filter(|entry| entry.soname == soname).collect();
        // Libraries for better processors come first in the file; we do not know the processor and take the plain ones.
        cached.sort_by_key(|entry| entry.needs_features);
        let stale = cached.first().is_some_and(|entry| !self.root.exists(&entry.path));
        let cached = cached.into_iter().map(|entry| (entry.path.clone(), "ld.so.cache"));
        let default = self.default_folders.iter().map(|folder| (join(folder, soname), "default folder"));
        let rest: Vec<_> = if stale { default.chain(cached).collect() } else { cached.chain(default).collect() };
        for (path, found_by) in rest {
            add(path, found_by);
        }
        found
    }

    /// The library at a path, unless nothing is there or it is for another machine type.
    fn look(&self, path: String, found_by: &'static str) -> Option<FoundLibrary> {
        let real_path = self.root.real_path(&path)?;
        let header = self.root.read(&real_path, 20);
        if let Err(error) = &header
            && error.kind() == std::io::ErrorKind::InvalidInput
        {
            return None;
        }
        let fits = header.map_or(true, |header| machine_type(&header).is_none_or(|machine| machine == self.arch));
        fits.then_some(FoundLibrary { path, real_path, found_by })
    }
}

fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

/// The folders compiled into the loader of this machine type, in its order.
fn default_folders(arch: &str) -> Vec<String> {
    ["/lib/{arch}-linux-gnu", "/usr/lib/{arch}-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"]
        .map(|folder| folder.replace("{arch}", arch))
        .into()
}

/// The machine type in an ELF header, as Python names it; `other` for one that no CUDA runs on, none if it is no ELF file.
///
/// Byte 4 is the class (2: 64 bits), byte 5 the order, bytes 18 and 19 the machine: 62 x86-64, 183 AArch64.
#[must_use]
pub fn machine_type(header: &[u8]) -> Option<&'static str> {
    let [b'\x7f', b'E', b'L', b'F', class, order, ..] = header else { return None };
    let machine: [u8; 2] = header.get(18..20)?.try_into().ok()?;
    let machine = if *order == 2 { u16::from_be_bytes(machine) } else { u16::from_le_bytes(machine) };
    Some(match (class, machine) {
        (2, 62) => "x86_64",
        (2, 183) => "aarch64",
        _ => "other",
    })
}

/// Finds every `libcuda.so.1`, and the one that a process started now would get.
///
/// `kernel` is the kernel module's version, which tells a compat library in an unusual folder from the driver's own.
#[must_use]
pub fn probe(search: &LibrarySearch, kernel: Option<&DriverVersion>) -> Loader {
    let describe = |library: &FoundLibrary| describe(search.root, library, kernel);
    let mut found = search.find(LIBCUDA);
    let known: BTreeSet<String> = found.iter().map(|library| library.real_path.clone()).collect();
    let first = if found.is_empty() {
        Reading::absent("LD_LIBRARY_PATH, ld.so.cache, default folders")
    } else {
        let first = found.remove(0);
        Reading::host(describe(&first), first.found_by)
    };
    let mut seen = known;
    let mut others: Vec<LibCuda> = found.iter().map(describe).collect();
    for path in known_places(search.root) {
        if let Some(library) = search.look(path, "not on the loader's path")
            && seen.insert(library.real_path.clone())
        {
            others.push(describe(&library));
        }
    }
    others.sort_by(|one, other| one.path.cmp(&other.path));
    Loader { libcuda: first, others, ..Loader::default() }
}

/// The newest symbol version of the `libstdc++.so.6` that a Python with this base prefix would load.
#[must_use]
pub fn libstdcxx(search: &LibrarySearch, base_prefix: Option<&str>) -> Reading<String> {
    const NAME: &str = "libstdc++.so.6";
    // conda's Python brings its own, by its RPATH.
    let own = base_prefix.map(|prefix| format!("{prefix}/lib/{NAME}")).filter(|path| search.root.exists(path));
    let Some(path) = own.or_else(|| search.find(NAME).into_iter().next().map(|found| found.path)) else {
        return Reading::absent("LD_LIBRARY_PATH, ld.so.cache, default folders");
    };
    let versions = open(search.root, &path).ok().and_then(|file| Object::open(&file).ok()?.defined_versions().ok());
    let versions = versions.unwrap_or_default();
    let newest = versions
        .iter()
        .filter(|version| version.starts_with("GLIBCXX_"))
        .max_by_key(|version| version_numbers(version));
    match newest {
        Some(version) => Reading::host(version.clone(), path),
        None => Reading::unreadable(format!("`{path}` does not tell its versions")),
    }
}

/// Where a libcuda may lie although the loader does not look there.
fn known_places(root: &RootFs) -> Vec<String> {
    let mut places: Vec<String> = Vec::new();
    let toolkits = root.list("/usr/local").into_iter().filter(|name| name == "cuda" || name.starts_with("cuda-"));
    for toolkit in toolkits {
        let folder = format!("/usr/local/{toolkit}");
        let compat = root.list(&folder).into_iter().filter(|name| name == "compat" || name.starts_with("compat-"));
        places.extend(compat.map(|name| format!("{folder}/{name}/{LIBCUDA}")));
        // The stub has only the link-time name; some images add the other by hand.
        for stubs in ["lib64/stubs", "targets/x86_64-linux/lib/stubs", "targets/sbsa-linux/lib/stubs"] {
            places.push(format!("{folder}/{stubs}/{LIBCUDA}"));
            places.push(format!("{folder}/{stubs}/libcuda.so"));
        }
    }
    let folders = [
        "/usr/local/nvidia/lib64",
        "/usr/local/nvidia/lib",
        "/usr/lib/wsl/lib",
        "/run/nvidia/driver/usr/lib/x86_64-linux-gnu",
        "/run/nvidia/driver/usr/lib/aarch64-linux-gnu",
        "/run/nvidia/driver/usr/lib64",
        "/usr/lib/x86_64-linux-gnu/nvidia/current",
        "/usr/lib/aarch64-linux-gnu/tegra",
        "/usr/lib/aarch64-linux-gnu/nvidia",
    ];
    places.extend(folders.map(|folder| join(folder, LIBCUDA)));
    places
}

fn describe(root: &RootFs, library: &FoundLibrary, kernel: Option<&DriverVersion>) -> LibCuda {
    let stub = in_folder(library, |name| name == "stubs") || is_stub(root, library);
    let version = if stub { Reading::absent(&library.path) } else { version(root, library) };
    let compat = !stub && is_compat(root, library, version.value(), kernel);
    LibCuda { path: library.path.clone(), found_by: library.found_by.to_owned(), version, compat, stub }
}

/// Whether one of the folders above the library, as opened or behind the links, has such a name.
fn in_folder(library: &FoundLibrary, wanted: impl Fn(&str) -> bool) -> bool {
    [&library.path, &library.real_path].into_iter().any(|path| {
        let (folder, _) = path.rsplit_once('/').unwrap_or_default();
        folder.split('/').any(&wanted)
    })
}

/// Whether its `cuInit` says at once that it is a stub. Only a file whose name carries no driver version is read.
fn is_stub(root: &RootFs, library: &FoundLibrary) -> bool {
    let answer = |file| returned_at_once(&file, "cuInit").ok().flatten();
    version_in_name(library).is_none()
        && open(root, &library.real_path).ok().and_then(answer) == Some(LibCuda::STUB_ERROR)
}

/// Tells a cuda-compat library from the installed driver's. It is one if
/// - it lies in a folder named `compat` (`/usr/local/cuda-13.0/compat`) or `compat-…` (`compat-orin`), or
/// - its version is not the kernel module's, and the files beside it are those of the package: a
///   `libnvidia-ptxjitcompiler.so` but no `libnvidia-ml.so`, which only a driver brings.
///
/// Sourced from the package's file list in NVIDIA's CUDA Compatibility guide.
fn is_compat(
    root: &RootFs,
    library: &FoundLibrary,
    version: Option<&DriverVersion>,
    kernel: Option<&DriverVersion>,
) -> bool {
    if in_folder(library, |name| name == "compat" || name.starts_with("compat-")) {
        return true;
    }
    let differs = version.zip(kernel).is_some_and(|(version, kernel)| version != kernel);
    let (folder, _) = library.real_path.rsplit_once('/').unwrap_or_default();
    let beside = |prefix: &str| root.list(folder).iter().any(|name| name.starts_with(prefix));
    differs && beside("libnvidia-ptxjitcompiler.so") && !beside("libnvidia-ml.so")
}

fn version(root: &RootFs, library: &FoundLibrary) -> Reading<DriverVersion> {
    if let Some(version) = version_in_name(library) {
        return Reading::host(version, &library.real_path);
    }
    match root.read(&library.real_path, 128 << 20) {
        Ok(bytes) => match version_inside(&bytes) {
            Some(version) => Reading::host(version, format!("text in {}", library.real_path)),
            None => Reading::unreadable(format!("{} does not tell its version", library.real_path)),
        },
        Err(error) => Reading::unreadable(format!("{}: {error}", library.real_path)),
    }
}

/// The version in the name of the file behind the links, `libcuda.so.580.65.06`.
fn version_in_name(library: &FoundLibrary) -> Option<DriverVersion> {
    let (_, name) = library.real_path.rsplit_once('/').unwrap_or_default();
    // `libcuda.so.1` itself is no version: a driver version has a dot.
    let rest = name.strip_prefix("libcuda.so.").filter(|rest| rest.contains('.') && !rest.starts_with("1."));
    rest.and_then(|text| text.parse().ok())
}

/// The one driver version among the NUL-terminated texts of a library, e.g. `570.133.20`; none if there are several.
fn version_inside(bytes: &[u8]) -> Option<DriverVersion> {
    let texts = bytes.split(|&byte| byte == 0).filter(|text| (6..=12).contains(&text.len()));
    let mut versions = texts.filter(|text| text[0].is_ascii_digit() && text.get(3) == Some(&b'.')).filter_map(|text| {
        let version: DriverVersion = std::str::from_utf8(text).ok()?.parse().ok()?;
        // Branches since CUDA had a driver of its own number; `127.0.0.1` and the like fall out.
        (300..1000).contains(&version.branch()).then_some(version)
    });
    let first = versions.next()?;
    versions.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_types_stand_in_the_elf_header() {
        let mut header = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0";
        assert_eq!(machine_type(&header), Some("x86_64"));
        header[18] = 183;
        assert_eq!(machine_type(&header), Some("aarch64"));
        header[4] = 1;
        assert_eq!(machine_type(&header), Some("other"));
        assert_eq!(machine_type(b"/* GNU ld script */"), None);
    }

    #[test]
    fn a_version_inside_counts_only_if_it_is_the_only_one() {
        let found = |bytes: &[u8]| version_inside(bytes).map(|version| version.to_string());
        assert_eq!(found(b"\x00127.0.0.1\x00570.133.20\0x\x00570.133.20\0").as_deref(), Some("570.133.20"));
        assert_eq!(found(b"\x00570.133.20\x00580.65.06\0"), None);
        assert_eq!(found(b"nothing"), None);
    }
}
