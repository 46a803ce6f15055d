//! What there is to compile with, found without running any of it.

use std::collections::BTreeMap;

use super::root::RootFs;
use crate::facts::{Nvcc, Python, Reading, Toolchain};
use crate::version::CudaVersion;

/// Variables that name another compiler than the gcc on PATH.
const COMPILERS: [&str; 5] = ["CC", "CXX", "CUDAHOSTCXX", "NVCC_CCBIN", "NVCC_PREPEND_FLAGS"];

/// Looks for nvcc, gcc and the headers of this Python.
#[must_use]
pub fn probe(root: &RootFs, environment: &BTreeMap<String, String>, python: Option<&Python>) -> Toolchain {
    let chosen = COMPILERS.iter().any(|name| environment.contains_key(*name));
    Toolchain {
        nvcc: nvcc(root, environment),
        gcc: if chosen { Reading::Unknown } else { gcc(root, environment) },
        python_h: python.map_or(Reading::Unknown, |python| python_h(root, python)),
    }
}

fn on_path(root: &RootFs, environment: &BTreeMap<String, String>, name: &str) -> Option<String> {
    let folders = environment.get("PATH")?.split(':').filter(|folder| folder.starts_with('/'));
    folders.map(|folder| format!("{}/{name}", folder.trim_end_matches('/'))).find(|path| root.is_file(path))
}

/// In the order of torch's `cpp_extension`: a variable that names a folder is believed, there or not.
fn nvcc(root: &RootFs, environment: &BTreeMap<String, String>) -> Reading<Nvcc> {
    let named =
        ["CUDA_HOME", "CUDA_PATH"].iter().find_map(|name| environment.get(*name)).filter(|home| !home.is_empty());
    let (path, place) = match named {
        Some(home) => (format!("{}/bin/nvcc", home.trim_end_matches('/')), "CUDA_HOME"),
        None => match on_path(root, environment, "nvcc") {
            Some(path) => (path, "PATH"),
            None => ("/usr/local/cuda/bin/nvcc".to_owned(), "/usr/local/cuda"),
        },
    };
    if !root.is_file(&path) {
        return Reading::absent(if named.is_some() { path } else { format!("PATH, {path}") });
    }
    let home = path.strip_suffix("/bin/nvcc").unwrap_or_default();
    let version = root.read_text(&format!("{home}/version.json")).ok().and_then(|text| toolkit_version(&text));
    let config = root.read_text(&format!("{home}/include/crt/host_config.h")).ok();
    let newest_gcc = config.and_then(|text| newest_gcc(&text));
    Reading::host(Nvcc { path, cuda: version, newest_gcc }, place)
}

/// Reads `version.json` of a toolkit: `{"cuda_nvcc": {"name": "CUDA NVCC", "version": "13.0.88"}, …}`.
fn toolkit_version(text: &str) -> Option<CudaVersion> {
    let parts: serde_json::Value = serde_json::from_str(text).ok()?;
    let version = ["cuda_nvcc", "cuda"].iter().find_map(|part| parts.get(part)?.get("version")?.as_str())?;
    let mut numbers = version.split('.').map(str::parse);
    Some(CudaVersion::new(numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Reads `#error -- unsupported GNU version! gcc versions later than 15 are not supported!`.
fn newest_gcc(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("gcc versions later than ")?;
    rest.split(' ').next()?.split('.').next()?.parse().ok()
}

/// The version stands in the name of the file behind the links: `x86_64-linux-gnu-gcc-13`, `gcc-12`.
fn gcc(root: &RootFs, environment: &BTreeMap<String, String>) -> Reading<u32> {
    let Some(path) = on_path(root, environment, "gcc") else { return Reading::absent("gcc on PATH") };
    let real = root.real_path(&path).unwrap_or_else(|| path.clone());
    match real.rsplit_once('-').and_then(|(_, number)| number.split('.').next()?.parse().ok()) {
        Some(major) => Reading::host(major, real),
        None => Reading::unreadable(format!("the name of {real} does not tell its version")),
    }
}

fn python_h(root: &RootFs, python: &Python) -> Reading<String> {
    let (Some(base), Some(version)) = (python.base_prefix.value(), python.version.value()) else {
        return Reading::Unknown;
    };
    let suffix = if python.free_threaded { "t" } else { "" };
    let path =
        format!("{}/include/python{}.{}{suffix}/Python.h", base.trim_end_matches('/'), version.major, version.minor);
    if root.is_file(&path) { Reading::host(path, "base prefix") } else { Reading::absent(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &std::path::Path, path: &str, text: &str) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn the_toolkit_tells_of_itself() {
        let folder = tempfile::tempdir().unwrap();
        let root = RootFs::at(folder.path());
        let environment =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(nvcc(&root, &environment(&[])), Reading::absent("PATH, /usr/local/cuda/bin/nvcc"));
        write(folder.path(), "opt/cuda/bin/nvcc", "");
        write(folder.path(), "opt/cuda/version.json", r#"{"cuda_nvcc": {"version": "12.9.86"}}"#);
        let config = "#error -- unsupported GNU version! gcc versions later than 14 are not supported! The nvcc flag";
        write(folder.path(), "opt/cuda/include/crt/host_config.h", config);
        let found = nvcc(&root, &environment(&[("PATH", "/usr/bin:/opt/cuda/bin")]));
        let wanted =
            Nvcc { path: "/opt/cuda/bin/nvcc".to_owned(), cuda: Some(CudaVersion::new(12, 9)), newest_gcc: Some(14) };
        assert_eq!(found, Reading::host(wanted, "PATH"));
        // The variable wins, even where nothing is there.
        let named = nvcc(&root, &environment(&[("PATH", "/opt/cuda/bin"), ("CUDA_HOME", "/opt/none")]));
        assert_eq!(named, Reading::absent("/opt/none/bin/nvcc"));
    }

    #[cfg(unix)]
    #[test]
    fn gccs_version_is_in_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = RootFs::at(folder.path());
        let environment = BTreeMap::from([("PATH".to_owned(), "/usr/bin".to_owned())]);
        assert_eq!(gcc(&root, &environment), Reading::absent("gcc on PATH"));
        write(folder.path(), "usr/bin/x86_64-linux-gnu-gcc-13", "");
        std::os::unix::fs::symlink("x86_64-linux-gnu-gcc-13", folder.path().join("usr/bin/gcc")).unwrap();
        assert_eq!(gcc(&root, &environment).value(), Some(&13));
    }
}
