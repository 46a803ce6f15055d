use serde::{Deserialize, Serialize};

use crate::version::{CodeTarget, CudaVersion};

/// A shared library of an installed distribution, as far as its own bytes tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Library {
    /// Below the folder of the path, e.g. `torch/lib/libtorch_cuda.so`.
    pub path: String,
    /// Its device code: fat binary containers, those with the same targets together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<CodeGroup>,
    /// Made for one CUDA version, as its name says: 12.6 for `libbitsandbytes_cuda126.so`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_cuda: Option<CudaVersion>,
    /// A module that Python imports: it exports `PyInit_…`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub module: bool,
    /// The CUDA and torch libraries that it needs, and which files it would get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Symbols of torch and of CUDA libraries, mangled, that nothing it would be loaded with exports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unresolved: Vec<Unresolved>,
    /// All symbols of torch that it needs, mangled; listed only where some of them are unresolved, since together they tell
    /// which torch it was compiled for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub torch_symbols: Vec<String>,
    /// The highest versions that it needs of glibc and libstdc++, e.g. `GLIBC_2.28`, `GLIBCXX_3.4.26`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// 1 if it was compiled with NumPy 1's C API, which NumPy 2 refuses; looked for where NumPy 2 is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numpy: Option<u32>,
    /// Why it could not be read, e.g. `damaged ELF file: short header`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
    /// Other distributions whose RECORD lists the same file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_of: Vec<String>,
}

/// Containers of device code with the same targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeGroup {
    /// How many there are.
    pub containers: u32,
    /// What each of them holds, ascending, e.g. `sm_80`, `sm_90a`, `compute_90`.
    pub targets: Vec<CodeTarget>,
}

/// A library that another one needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Link {
    /// The name it asks for, e.g. `libcudnn.so.9`.
    pub soname: String,
    /// The file that it gets; none if the loader finds none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What brought the loader there: `RPATH`, `LD_LIBRARY_PATH`, `RUNPATH`, `ld.so.cache`, `default folder`, `loaded before`,
    /// or `an installed wheel` where only the package itself can open it, by its path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub found_by: String,
    /// The copy in an installed distribution that it would have got without `LD_LIBRARY_PATH`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
}

/// A symbol that a library needs and does not get.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unresolved {
    /// Mangled, e.g. `_ZNK3c106SymInt6sym_neERKS0_`.
    pub symbol: String,
    /// The library that should export it, where that is known, e.g. `libnvJitLink.so.12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// A file that is not as RECORD says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedFile {
    /// Below the folder of the path, e.g. `torch/lib/libtorch_cuda.so`.
    pub path: String,
    /// In what it differs.
    pub how: Changed,
    /// Another distribution whose RECORD lists the same file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also_of: Option<String>,
}

/// How a file differs from what RECORD says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Changed {
    /// It is not there.
    Missing,
    /// It has another size, in bytes.
    Size {
        /// As recorded.
        recorded: u64,
        /// As it is.
        found: u64,
    },
    /// It ends in the middle of a line, before its recorded end.
    Cut {
        /// As recorded, in bytes.
        recorded: u64,
        /// As it is.
        found: u64,
    },
    /// It has its size, and holds nothing but zeros: the power went before the disk had it.
    Zeros,
    /// Python never finds it: another distribution has a folder of the module's name, which comes first.
    Hidden,
    /// It has another SHA-256.
    Hash,
}
