//! What a name belongs to: a library, a module, a distribution that says its CUDA, an index.

use super::db::RuleDb;
use crate::rules::schema::{CudaLibrary, Line, Page, VariableRow};

/// A distribution whose name says its CUDA, see [`RuleDb::cuda_name`].
pub struct CudaName<'a> {
    /// The CUDA of the name, e.g. 13.
    pub major: u32,
    /// Its name with `{}` for the major, e.g. `cudf-cu{}`.
    pattern: &'a str,
    /// The majors that there are names for, ascending.
    majors: &'a [u32],
    /// It only comes along with others.
    pub is_part: bool,
    /// The extra that brings NVIDIA's libraries along.
    pub extra: Option<&'a str>,
}

impl CudaName<'_> {
    /// The next older CUDA that it has a name for, e.g. 12.
    #[must_use]
    pub fn older(&self) -> Option<u32> {
        self.majors.iter().rev().find(|other| **other < self.major).copied()
    }

    /// Its name for another CUDA, e.g. `cudf-cu12` for 12; none where there is none.
    #[must_use]
    pub fn named_for(&self, major: u32) -> Option<String> {
        self.majors.contains(&major).then(|| self.pattern.replace("{}", &major.to_string()))
    }
}

impl RuleDb {
    /// Whether a soname is that of a CUDA library, e.g. `libcudnn.so.9`; `libcuda.so.1` belongs to the driver.
    #[must_use]
    pub fn is_cuda_library(&self, soname: &str) -> bool {
        let mut rows = self.packed.beside.values().flat_map(|beside| &beside.libraries);
        rows.any(|row| row.sonames.iter().any(|name| name == soname))
    }

    /// The distributions that ship a CUDA library, by its soname, e.g. `nvidia-cudnn-cu12` for `libcudnn.so.9`; those for a
    /// CUDA major come first, the newest before the others.
    #[must_use]
    pub fn distributions_with(&self, soname: &str, cuda: Option<u32>) -> Vec<&str> {
        let rows = self.libraries_with(soname, cuda);
        let mut names: Vec<_> = rows.into_iter().map(|(distribution, _)| distribution).collect();
        names.dedup();
        names
    }

    /// The rows of [`Self::distributions_with`]: which versions of them ship it.
    #[must_use]
    pub fn libraries_with(&self, soname: &str, cuda: Option<u32>) -> Vec<(&str, &CudaLibrary)> {
        let rows = self.packed.beside.iter();
        let rows = rows.flat_map(|(name, beside)| beside.libraries.iter().map(move |row| (name.as_str(), row)));
        let mut rows: Vec<_> = rows.filter(|(_, row)| row.sonames.iter().any(|name| name == soname)).collect();
        rows.sort_by_key(|(_, row)| (cuda.is_some() && row.cuda != cuda, std::cmp::Reverse(row.cuda)));
        rows
    }

    /// A library that two distributions install at the same place, e.g. `nvidia/nccl/lib/libnccl.so.2` of `nvidia-nccl-cu12` and
    /// `nvidia-nccl-cu13`, with the wheel in which it was seen; none for distributions that can lie side by side.
    #[must_use]
    pub fn shared_file(&self, one: &str, other: &str) -> Option<(String, String)> {
        let of =
            |name: &str| self.packed.beside.get(name).map(|beside| beside.libraries.as_slice()).unwrap_or_default();
        let others = of(other);
        of(one).iter().filter(|_| one != other).find_map(|row| {
            let same = others.iter().filter(|other| other.folder == row.folder);
            let soname = same.flat_map(|other| &other.sonames).find(|soname| row.sonames.contains(soname))?;
            Some((format!("{}/{soname}", row.folder), row.source.citation()))
        })
    }

    /// An environment variable that decides what CUDA, the loader, Python or torch see; none for all others, which are nobody's
    /// business.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&VariableRow> {
        let rows = &self.packed.tables.environment.variables;
        rows.binary_search_by(|row| row.name.as_str().cmp(name)).ok().and_then(|at| rows.get(at))
    }

    /// The page that says what a variable does.
    #[must_use]
    pub fn variable_page(&self, row: &VariableRow) -> Option<&Page> {
        self.packed.tables.environment.sources.get(&row.source)
    }

    /// Whether a normalised name is that of a distribution that the rules know something of.
    #[must_use]
    pub fn is_known_distribution(&self, name: &str) -> bool {
        let known = self.known.get_or_init(|| {
            let modules = self.packed.beside.iter().filter(|(_, beside)| !beside.modules.is_empty());
            let modules = modules.map(|(name, _)| name.clone());
            let conditions = self.packed.advisories.iter().flat_map(|advisory| &advisory.when);
            let names = conditions.flat_map(|when| {
                when.installed.iter().filter_map(Line::name).map(str::to_owned).chain(when.absent.iter().cloned())
            });
            self.packages.keys().cloned().chain(modules).chain(names).collect()
        });
        known.contains(name)
    }

    /// What a distribution that says its CUDA in its name is called for another, e.g. 13 and `cudf-cu12` of `cudf-cu13`; none where
    /// its name is in no family.
    #[must_use]
    pub fn cuda_name(&self, name: &str) -> Option<CudaName<'_>> {
        let of = |name: &str, major: u32| name.replace("{}", &major.to_string());
        self.packed.tables.cuda_names.families.iter().find_map(|family| {
            let patterns = || family.names.iter().chain(&family.parts);
            let known = family.majors.iter().flat_map(|major| patterns().map(move |it| (it, *major)));
            let (pattern, major) = known.into_iter().find(|(pattern, major)| of(pattern, *major) == name)?;
            let is_part = family.parts.contains(pattern);
            Some(CudaName { major, pattern, majors: &family.majors, is_part, extra: family.extra.as_deref() })
        })
    }

    /// The distribution that a module belongs to.
    #[must_use]
    pub fn distribution_of_module(&self, module: &str) -> Option<String> {
        let mut beside = self.packed.beside.iter();
        if let Some((name, _)) = beside.find(|(_, beside)| beside.modules.iter().any(|row| row.name == module)) {
            return Some(name.clone());
        }
        let name = module.to_ascii_lowercase().replace('_', "-");
        self.packages.contains_key(&name).then_some(name)
    }

    /// The address of a package index that builds name, e.g. `cu128`.
    #[must_use]
    pub fn index_url(&self, name: &str) -> Option<String> {
        let rows = &self.packed.tables.indexes.indexes;
        let row = rows.iter().find(|row| row.name == name).or_else(|| rows.iter().find(|row| row.name == "*"))?;
        Some(row.url.replace("{name}", name))
    }

    /// The name of the index at an address, e.g. `cu128`; none for one that the rules do not know.
    #[must_use]
    pub fn index_at(&self, url: &str) -> Option<String> {
        let url = url.trim_end_matches('/');
        self.packed.tables.indexes.indexes.iter().find_map(|row| match row.url.split_once("{name}") {
            None => (row.url.trim_end_matches('/') == url).then(|| row.name.clone()),
            Some((before, after)) => {
                let name = url.strip_prefix(before)?.strip_suffix(after.trim_end_matches('/'))?;
                (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
            }
        })
    }

    /// The local label of a package's builds at an index, by the index's address: `cu124` for torch at that of CUDA 12.4; none
    /// for what that index does not serve.
    #[must_use]
    pub fn variant_at(&self, url: &str, package: &str) -> Option<String> {
        let index = self.index_at(url)?;
        let mut builds = self.package(package)?.releases.iter().flat_map(|release| &release.builds);
        builds.find(|build| build.index == index)?.local.clone()
    }

    /// Whether PyPI has only a CPU build of a package for an operating system.
    #[must_use]
    pub fn is_cpu_only(&self, package: &str, os: &str) -> bool {
        self.packed.beside.get(package).is_some_and(|beside| beside.cpu_only.iter().any(|row| row.platform == os))
    }
}
