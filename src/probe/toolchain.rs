//! What there is to compile with, found without running any of it.

use std::collections::BTreeMap;

use super::root::RootFs;
use crate::facts::{Nvcc, Ptxas, Python, Reading, Toolchain};
use crate::version::CudaVersion;

/// Variables that name another compiler than the gcc on PATH.
const COMPILERS: [&str; 5] = ["CC", "CXX", "CUDAHOSTCXX", "NVCC_CCBIN", "NVCC_PREPEND_FLAGS"];

/// Variables that name another ptxas to Triton.
const PTXAS: [&str; 2] = ["TRITON_PTXAS_PATH", "TRITON_PTXAS_BLACKWELL_PATH"];

/// Looks for nvcc, ptxas, ninja, gcc and the headers of this Python.
#[must_use]
pub fn probe(root: &RootFs, environment: &BTreeMap<String, String>, python: Option<&Python>) -> Toolchain {
    let chosen = COMPILERS.iter().any(|name| environment.contains_key(*name));
    Toolchain {
        nvcc: nvcc(root, environment),
        path_nvcc: path_nvcc(root, environment),
        named: Reading::Unknown,
        ptxas: named_ptxas(root, environment),
        ninja: ninja(root, environment, python),
        gcc: if chosen { Reading::Unknown } else { gcc(root, environment) },
        python_h: python.map_or(Reading::Unknown, |python| python_h(root, python)),
    }
}

/// The assemblers that variables name to Triton.
#[must_use]
pub fn named_ptxas(root: &RootFs, environment: &BTreeMap<String, String>) -> Vec<Ptxas> {
    PTXAS.iter().filter_map(|name| ptxas(root, name, environment.get(*name)?)).collect()
}

fn on_path(root: &RootFs, environment: &BTreeMap<String, String>, name: &str) -> Option<String> {
    let folders = environment.get("PATH")?.split(':').filter(|folder| folder.starts_with('/'));
    folders.map(|folder| format!("{}/{name}", folder.trim_end_matches('/'))).find(|path| root.is_file(path))
}

/// In the order of torch's `cpp_extension`: a variable that names a folder is believed, there or not.
fn nvcc(root: &RootFs, environment: &BTreeMap<String, String>) -> Reading<Nvcc> {
    let named = named_home(environment);
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
    Reading::host(described(root, path), place)
}

/// The toolkit that a variable names.
fn named_home(environment: &BTreeMap<String, String>) -> Option<&String> {
    // As Python's `or` goes on behind an empty value.
    ["CUDA_HOME", "CUDA_PATH"].iter().find_map(|name| environment.get(*name).filter(|home| !home.is_empty()))
}

/// The nvcc on PATH where a variable names another, which need not be there.
fn path_nvcc(root: &RootFs, environment: &BTreeMap<String, String>) -> Reading<Nvcc> {
    let Some(home) = named_home(environment) else { return Reading::Unknown };
    let named = root.real_path(&format!("{}/bin/nvcc", home.trim_end_matches('/')));
    match on_path(root, environment, "nvcc") {
        Some(path) if named.is_some() && root.real_path(&path) == named => Reading::Unknown,
        Some(path) => Reading::host(described(root, path), "PATH"),
        None => Reading::Unknown,
    }
}

/// What a variable names to Triton, with the CUDA of the toolkit around it.
fn ptxas(root: &RootFs, variable: &str, path: &str) -> Option<Ptxas> {
    if path.is_empty() {
        return None;
    }
    let homes = [Some(path.to_owned()), root.real_path(path)].into_iter().flatten();
    let mut homes = homes.filter_map(|path| Some(path.strip_suffix("/bin/ptxas")?.to_owned()));
    Some(Ptxas {
        variable: variable.to_owned(),
        found: root.is_file(path),
        cuda: homes.find_map(|home| toolkit_version(root, &home)),
        path: path.to_owned(),
    })
}

/// On PATH, as torch calls it, or where activating the environment would put it.
fn ninja(root: &RootFs, environment: &BTreeMap<String, String>, python: Option<&Python>) -> Reading<String> {
    if let Some(path) = on_path(root, environment, "ninja") {
        return Reading::host(path, "PATH");
    }
    let own = python.map(|python| format!("{}/bin/ninja", python.prefix.trim_end_matches('/')));
    match own.filter(|path| root.is_file(path)) {
        Some(path) => Reading::host(path, "the environment"),
        None => Reading::absent("PATH, the environment's bin"),
    }
}

/// An nvcc that is there, with what its toolkit tells.
fn described(root: &RootFs, path: String) -> Nvcc {
    let home = path.strip_suffix("/bin/nvcc").unwrap_or_default();
    let version = toolkit_version(root, home).or_else(|| {
        // `/usr/bin/nvcc` may be a link into the toolkit.
        toolkit_version(root, root.real_path(&path)?.strip_suffix("/bin/nvcc")?)
    });
    let config = root.read_text(&format!("{home}/include/crt/host_config.h")).ok();
    let newest_gcc = config.and_then(|text| newest_gcc(&text));
    Nvcc { path, cuda: version, newest_gcc }
}

/// The CUDA of the toolkit in a folder: from its `version.json`, which NVIDIA's docker images lack, else from `cuda.h`, which
/// conda keeps in a folder of its own.
fn toolkit_version(root: &RootFs, home: &str) -> Option<CudaVersion> {
    let told = root.read_text(&format!("{home}/version.json")).ok().and_then(|text| version_in_json(&text));
    told.or_else(|| {
        let folders = ["include", "targets/x86_64-linux/include", "targets/sbsa-linux/include"];
        // The line stands some 20 kB into a file of a megabyte.
        let heads = folders.iter().filter_map(|folder| root.read(&format!("{home}/{folder}/cuda.h"), 64 << 10).ok());
        heads.into_iter().find_map(|head| version_in_header(&String::from_utf8_lossy(&head)))
    })
}

/// Reads `#define CUDA_VERSION 13000`: 1000 times the major version, and 10 times the minor one.
fn version_in_header(text: &str) -> Option<CudaVersion> {
    let mut values = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("#define") && words.next() == Some("CUDA_VERSION")).then(|| words.next()).flatten()
    });
    let number: u32 = values.next()?.parse().ok()?;
    Some(CudaVersion::new(number / 1000, number % 1000 / 10))
}

/// Reads `version.json` of a toolkit: `{"cuda_nvcc": {"name": "CUDA NVCC", "version": "13.0.88"}, …}`.
fn version_in_json(text: &str) -> Option<CudaVersion> {
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

    /// As in NVIDIA's docker images.
    #[cfg(unix)]
    #[test]
    fn a_toolkit_without_version_json_tells_in_its_header() {
        let folder = tempfile::tempdir().unwrap();
        let root = RootFs::at(folder.path());
        write(folder.path(), "usr/local/cuda/bin/nvcc", "");
        let cuda = || nvcc(&root, &BTreeMap::new()).value().unwrap().cuda;
        assert_eq!(cuda(), None);
        let head = format!(
            "{}\n * #define CUDA_VERSION 1\n#define CUDA_VERSION_X 1\n  #define CUDA_VERSION  13020 /* it */\n",
            "/* words */\n".repeat(2000)
        );
        write(folder.path(), "usr/local/cuda/include/cuda.h", &head);
        assert_eq!(cuda(), Some(CudaVersion::new(13, 2)));
        // What stands far behind is not read, and version.json says more.
        write(folder.path(), "usr/local/cuda/include/cuda.h", &format!("{}\n{head}", " ".repeat(64 << 10)));
        assert_eq!(cuda(), None);
        write(folder.path(), "usr/local/cuda/version.json", r#"{"cuda": {"version": "13.1.0"}}"#);
        assert_eq!(cuda(), Some(CudaVersion::new(13, 1)));
        // A link from elsewhere.
        std::fs::create_dir_all(folder.path().join("usr/bin")).unwrap();
        std::os::unix::fs::symlink("/usr/local/cuda/bin/nvcc", folder.path().join("usr/bin/nvcc")).unwrap();
        let linked = nvcc(&root, &BTreeMap::from([("PATH".to_owned(), "/usr/bin".to_owned())]));
        assert_eq!(linked.value().unwrap().cuda, Some(CudaVersion::new(13, 1)));
        assert_eq!(linked.value().unwrap().path, "/usr/bin/nvcc");
    }

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[cfg(unix)]
    #[test]
    fn a_second_nvcc_counts_where_it_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let root = RootFs::at(folder.path());
        for (home, cuda) in [("12.4", "12.4.1"), ("13.0", "13.0.2")] {
            write(folder.path(), &format!("opt/cuda-{home}/bin/nvcc"), "");
            write(
                folder.path(),
                &format!("opt/cuda-{home}/version.json"),
                &format!(r#"{{"cuda": {{"version": "{cuda}"}}}}"#),
            );
        }
        std::os::unix::fs::symlink("cuda-13.0", folder.path().join("opt/cuda")).unwrap();
        let second = |home: &str| {
            let found = path_nvcc(&root, &variables(&[("PATH", "/opt/cuda/bin"), ("CUDA_HOME", home)]));
            found.value().map(|nvcc| (nvcc.path.clone(), nvcc.cuda.unwrap().to_string()))
        };
        let on_path = Some(("/opt/cuda/bin/nvcc".to_owned(), "13.0".to_owned()));
        assert_eq!(second("/opt/cuda-12.4"), on_path);
        assert_eq!(second("/opt/none"), on_path);
        assert_eq!(second("/opt/cuda-13.0/"), None, "the same file");
        assert_eq!(second(""), None);
    }

    #[test]
    fn tools_are_found_where_they_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = RootFs::at(folder.path());
        write(folder.path(), "opt/cuda/bin/ptxas", "");
        write(folder.path(), "opt/cuda/include/cuda.h", "#define CUDA_VERSION 12060\n");
        let environment = variables(&[
            ("PATH", "/usr/bin"),
            ("TRITON_PTXAS_PATH", "/opt/cuda/bin/ptxas"),
            ("TRITON_PTXAS_BLACKWELL_PATH", "/none/ptxas"),
        ]);
        let found = probe(&root, &environment, None);
        let ptxas = found.ptxas.iter().map(|tool| (tool.variable.as_str(), tool.found, tool.cuda));
        let expected =
            [("TRITON_PTXAS_PATH", true, Some(CudaVersion::new(12, 6))), ("TRITON_PTXAS_BLACKWELL_PATH", false, None)];
        assert_eq!(ptxas.collect::<Vec<_>>(), expected);
        assert_eq!(found.ninja, Reading::absent("PATH, the environment's bin"));
        let python = Python { prefix: "/venv".to_owned(), ..a_python() };
        write(folder.path(), "venv/bin/ninja", "");
        assert_eq!(
            ninja(&root, &environment, Some(&python)),
            Reading::host("/venv/bin/ninja".to_owned(), "the environment")
        );
        write(folder.path(), "usr/bin/ninja", "");
        assert_eq!(ninja(&root, &environment, Some(&python)).value().unwrap(), "/usr/bin/ninja");
    }

    fn a_python() -> Python {
        Python {
            executable: Reading::Unknown,
            prefix: String::new(),
            base_prefix: Reading::Unknown,
            version: Reading::Unknown,
            implementation: crate::facts::PythonImplementation::CPython,
            free_threaded: false,
            bits: Reading::Unknown,
            chosen_by: String::new(),
            path: Vec::new(),
            management: crate::facts::Management::default(),
            place: crate::facts::Place::default(),
        }
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
