//! What the installed files say of their build, beyond the version in METADATA.
//!
//! PyPI allows no local versions in METADATA, so its torch says `2.7.1` there and `2.7.1+cu126` only in
//! `torch/version.py`. Read, in this order: `version.py` or `_version.py` of the distribution's module; the local label of
//! whichever version is most telling; for extensions of torch, the files in their module's folder: xformers'
//! `cpp_lib.json`, the names of libraries made for one CUDA each (`libbitsandbytes_cuda126.so`).

use serde::Deserialize;

use super::root::RootFs;
use crate::facts::{Distribution, DistributionBuild, Reading, TORCH};
use crate::pep::Version;
use crate::python::direct_url::DirectUrl;
use crate::python::local_label::LocalLabel;
use crate::python::metadata::requirement_name;
use crate::python::version_py::{Stated, VersionPy};
use crate::version::CudaVersion;

/// The most of a `version.py` that is read. torch's is 300 bytes long.
const VERSION_PY_LIMIT: u64 = 64 << 10;

/// Extensions of torch that do not always declare it. Any other is known by its requirement.
const EXTENSIONS: [&str; 2] = ["bitsandbytes", "xformers"];

/// Reads what the files of a distribution say; `names` are those in its site folder, sorted.
#[must_use]
pub fn read_build(root: &RootFs, distribution: &Distribution, names: &[String]) -> DistributionBuild {
    let mut build = DistributionBuild::default();
    let module = find_module(root, distribution, names);
    if let Some(module) = &module {
        for file in ["version.py", "_version.py"] {
            let Ok(text) = root.read(&module.file(file), VERSION_PY_LIMIT) else { continue };
            let stamp = VersionPy::parse(&String::from_utf8_lossy(&text));
            if stamp.version.is_some() {
                take_stamp(&mut build, stamp, distribution.version.value(), &module.cite(file));
                break;
            }
        }
    }
    take_label(&mut build, distribution);
    if let Some(module) = module.filter(|_| is_extension(distribution)) {
        take_extension(&mut build, root, &module);
    }
    build
}

/// Where the code of a distribution lies.
struct Module {
    /// E.g. `/venv/lib/python3.11/site-packages`, or the source folder of a development installation.
    base: String,
    /// E.g. `flash_attn`.
    name: String,
}

impl Module {
    fn file(&self, file: &str) -> String {
        format!("{}/{}/{file}", self.base, self.name)
    }

    /// The place in a finding: relative to the site folder.
    fn cite(&self, file: &str) -> String {
        format!("{}/{file}", self.name)
    }
}

/// The module that a distribution is named after, else the first one that top_level.txt lists.
fn find_module(root: &RootFs, distribution: &Distribution, names: &[String]) -> Option<Module> {
    let there = |name: &str| names.binary_search_by(|known| known.as_str().cmp(name)).is_ok();
    let name = distribution.name.replace('-', "_");
    if distribution.editable
        && let Reading::Known { value, .. } = &distribution.direct_url
        && let Some(project) = (DirectUrl { url: value.clone(), editable: true }).path()
    {
        let bases = [project.clone(), format!("{project}/src")];
        let base = bases.into_iter().find(|base| root.is_folder(&format!("{base}/{name}")))?;
        return Some(Module { base, name });
    }
    let module = |name: String| Module { base: distribution.location.clone(), name };
    if there(&name) {
        return Some(module(name));
    }
    let list = root.read(&format!("{}/{}/top_level.txt", distribution.location, distribution.metadata_dir), 4 << 10);
    let list = String::from_utf8(list.ok()?).ok()?;
    list.lines().map(str::trim).find(|name| !name.starts_with('_') && there(name)).map(|name| module(name.to_owned()))
}

/// Believes `version.py` where it adds a local label to METADATA's version, or was written by a build.
///
/// Many packages keep a `version.py` by hand and forget it, so a version that contradicts METADATA counts only from a
/// file that also names the commit or the CUDA: then other files than METADATA's lie in the folder.
fn take_stamp(build: &mut DistributionBuild, stamp: VersionPy, declared: Option<&String>, place: &str) {
    let Some(version) = stamp.version else { return };
    let written_by_build = stamp.git_version.is_some() || stamp.cuda != Stated::Nothing;
    let adds_label = version.contains('+') && declared.is_some_and(|declared| same_release(declared, &version));
    // METADATA's `2.7.1+cu126` says more than a `2.7.1` here.
    let says_less = !version.contains('+')
        && declared.is_some_and(|declared| declared.contains('+') && same_release(declared, &version));
    if says_less || !(written_by_build || adds_label) {
        return;
    }
    build.version = Reading::binary(version, place);
    build.cuda = match stamp.cuda {
        Stated::Nothing => Reading::Unknown,
        Stated::None => Reading::absent(place),
        Stated::Text(text) => match text.parse() {
            Ok(cuda) => Reading::binary(cuda, place),
            Err(error) => Reading::unreadable(format!("{place}: {error}")),
        },
    };
}

/// Whether two versions differ at most in their local labels.
fn same_release(a: &str, b: &str) -> bool {
    let release = |text: &str| text.split_once('+').map_or(text, |(release, _)| release).to_owned();
    let (a, b) = (release(a), release(b));
    a == b || matches!((a.parse::<Version>(), b.parse::<Version>()), (Ok(a), Ok(b)) if a == b)
}

/// Reads the local label of the version, where no file said more.
fn take_label(build: &mut DistributionBuild, distribution: &Distribution) {
    let version = if build.version.value().is_some() { &build.version } else { &distribution.version };
    let Reading::Known { value, source } = version else { return };
    let label = LocalLabel::of_version(value);
    if matches!(build.cuda, Reading::Unknown) {
        build.cuda = match label.cuda {
            Some(value) => Reading::Known { value, source: source.clone() },
            None if label.cpu => Reading::absent(source.place()),
            None => Reading::Unknown,
        };
    }
    if let Some(value) = label.torch {
        build.torch = Reading::Known { value, source: source.clone() };
    }
}

fn is_extension(distribution: &Distribution) -> bool {
    // Ten thousand lines in a large environment: the cheap question first.
    let starts = |line: &str| line.get(..TORCH.len()).is_some_and(|start| start.eq_ignore_ascii_case(TORCH));
    let requires_torch = |line: &String| starts(line) && requirement_name(line) == TORCH;
    EXTENSIONS.contains(&distribution.name.as_str())
        || distribution.metadata.value().is_some_and(|metadata| metadata.requires.iter().any(requires_torch))
}

/// Reads what only extensions of torch have in their folder.
fn take_extension(build: &mut DistributionBuild, root: &RootFs, module: &Module) {
    let names = root.list(&module.file(""));
    build.cuda_libraries = names.iter().filter_map(|name| library_cuda(name)).collect();
    build.cuda_libraries.sort_unstable();
    build.cuda_libraries.dedup();
    const CPP_LIB: &str = "cpp_lib.json";
    if names.iter().any(|name| name == CPP_LIB)
        && let Ok(text) = root.read(&module.file(CPP_LIB), VERSION_PY_LIMIT)
    {
        let place = module.cite(CPP_LIB);
        match parse_cpp_lib(&String::from_utf8_lossy(&text)) {
            Ok(CppLib { cuda, torch }) => {
                if let Some(torch) = torch {
                    build.torch = Reading::binary(torch, place.as_str());
                }
                if let Some(cuda) = cuda {
                    build.cuda = Reading::binary(cuda, place);
                }
            }
            Err(error) => build.torch = Reading::unreadable(format!("{place}: {error}")),
        }
    }
}

/// The CUDA for which a library was made, by its name: 12.6 for `libbitsandbytes_cuda126.so`, also with a suffix such as
/// `libbitsandbytes_cuda118_nocublaslt.so`.
fn library_cuda(file_name: &str) -> Option<CudaVersion> {
    let (_, rest) = file_name.strip_suffix(".so")?.strip_prefix("lib")?.split_once("_cuda")?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, suffix) = rest.split_at_checked(end)?;
    let whole = digits.len() >= 3 && (suffix.is_empty() || suffix.starts_with('_'));
    whole.then(|| CudaVersion::from_variant(&format!("cu{digits}"))).flatten()
}

/// What xformers' `cpp_lib.json` says.
#[derive(Debug, PartialEq, Eq)]
pub struct CppLib {
    /// E.g. `12.6`, none in a CPU build.
    pub cuda: Option<CudaVersion>,
    /// The torch that it was compiled against, e.g. `2.7.0+cu126`.
    pub torch: Option<String>,
}

/// Reads xformers' `cpp_lib.json`: `{"version": {"cuda": 1206, "torch": "2.7.0+cu126", "python": "3.11.12"}, "env": {…}}`.
///
/// xformers' `setup.py` writes the CUDA as major * 100 + minor.
///
/// # Errors
///
/// If it is not JSON of that form.
pub fn parse_cpp_lib(text: &str) -> Result<CppLib, serde_json::Error> {
    #[derive(Deserialize)]
    struct File {
        version: Versions,
    }
    #[derive(Deserialize)]
    struct Versions {
        cuda: Option<u32>,
        torch: Option<String>,
    }
    let Versions { cuda, torch } = serde_json::from_str::<File>(text)?.version;
    Ok(CppLib { cuda: cuda.map(|number| CudaVersion::new(number / 100, number % 100)), torch })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(declared: &str, version_py: &str) -> (Option<String>, Reading<CudaVersion>) {
        let mut build = DistributionBuild::default();
        let distribution =
            Distribution { version: Reading::metadata(declared.to_owned(), "METADATA"), ..Distribution::default() };
        take_stamp(&mut build, VersionPy::parse(version_py), distribution.version.value(), "torch/version.py");
        take_label(&mut build, &distribution);
        (build.version.value().cloned(), build.cuda)
    }

    #[test]
    fn a_build_adds_its_label() {
        let (version, cuda) = stamp("2.7.1", "__version__ = '2.7.1+cu126'\ncuda: Optional[str] = '12.6'\n");
        assert_eq!(version.as_deref(), Some("2.7.1+cu126"));
        assert_eq!(cuda, Reading::binary(CudaVersion::new(12, 6), "torch/version.py"));
        // Without a `cuda` line the label says it, with the file as its source.
        let (_, cuda) = stamp("2.7.1", "__version__ = '2.7.1+cu118'\n");
        assert_eq!(cuda, Reading::binary(CudaVersion::new(11, 8), "torch/version.py"));
    }

    #[test]
    fn a_forgotten_constant_is_not_believed() {
        assert_eq!(stamp("2.1", "__version__ = '1.9'\n"), (None, Reading::Unknown));
        assert_eq!(stamp("2.1", "__version__ = '1.9+cu126'\n"), (None, Reading::Unknown));
        assert_eq!(stamp("2.1", "__version__ = '2.1.0'\n"), (None, Reading::Unknown));
    }

    #[test]
    fn a_build_that_contradicts_metadata_is_believed() {
        let (version, cuda) = stamp("2.6.0", "__version__ = '2.8.0+cpu'\ngit_version = 'a'\ncuda = None\n");
        assert_eq!(version.as_deref(), Some("2.8.0+cpu"));
        assert!(cuda.is_absent());
    }

    #[test]
    fn metadata_with_a_label_says_more_than_a_file_without() {
        let (version, cuda) = stamp("2.5.1+cu124", "__version__ = '2.5.1'\ngit_version = 'a'\n");
        assert_eq!(version, None);
        assert_eq!(cuda, Reading::metadata(CudaVersion::new(12, 4), "METADATA"));
        // conda's torch has no label anywhere, but says its CUDA.
        let (version, cuda) = stamp("2.5.1", "__version__ = '2.5.1'\ncuda = '12.4'\ngit_version = 'a'\n");
        assert_eq!((version.as_deref(), cuda.value()), (Some("2.5.1"), Some(&CudaVersion::new(12, 4))));
    }

    #[test]
    fn libraries_are_named_for_their_cuda() {
        assert_eq!(library_cuda("libbitsandbytes_cuda126.so"), Some(CudaVersion::new(12, 6)));
        assert_eq!(library_cuda("libbitsandbytes_cuda118_nocublaslt.so"), Some(CudaVersion::new(11, 8)));
        for other in ["libbitsandbytes_cpu.so", "libtorch_cuda.so", "libtorch_cuda_linalg.so", "lib_cuda12.so", "x"] {
            assert_eq!(library_cuda(other), None, "{other}");
        }
    }

    #[test]
    fn xformers_says_what_it_was_compiled_against() {
        let text = r#"{"version": {"cuda": 1206, "torch": "2.7.0+cu126", "python": "3.11.12", "flash": "v2.7"}, "env": {"A": null}}"#;
        let CppLib { cuda, torch } = parse_cpp_lib(text).unwrap();
        assert_eq!((cuda, torch.as_deref()), (Some(CudaVersion::new(12, 6)), Some("2.7.0+cu126")));
        assert_eq!(parse_cpp_lib(r#"{"version": {"cuda": null}}"#).unwrap(), CppLib { cuda: None, torch: None });
        assert!(parse_cpp_lib("{}").is_err());
    }
}
