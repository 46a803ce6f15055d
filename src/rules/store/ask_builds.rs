//! What the rules tell of a package beyond its rows: symbols, source builds, old releases, guards.

use super::db::RuleDb;
use super::model::Package;
use crate::pep::Version;
use crate::rules::judge::symbols::TorchSymbols;
use crate::rules::schema::page::cite;
use crate::rules::schema::{Beside, LibraryPick, OldRelease, Prebuilt, SourceBuild, Stop, TorchExtension};
use crate::version::CudaVersion;

impl RuleDb {
    /// How a package compiles against the installed torch, by normalised name; none where it does not, or where nobody looked.
    #[must_use]
    pub fn source_build(&self, name: &str) -> Option<&SourceBuild> {
        self.packed.beside.get(name)?.source_build.as_ref()
    }

    /// Whether a plain install from source compiles a package against the torch beside it.
    #[must_use]
    pub fn compiles_against_torch(&self, name: &str) -> bool {
        self.source_build(name).is_some_and(|row| row.only_with.is_none())
    }

    /// All of these.
    pub fn source_builds(&self) -> impl Iterator<Item = &SourceBuild> {
        self.packed.beside.values().filter_map(|beside| beside.source_build.as_ref())
    }

    /// The torch releases, oldest first, that export all of these symbols.
    #[must_use]
    pub fn torch_releases_with(&self, symbols: &[&str]) -> Vec<Version> {
        self.torch_symbols().releases_with(symbols)
    }

    /// Whether a torch release exports a symbol; none if the rules do not know.
    #[must_use]
    pub fn torch_exports(&self, symbol: &str, release: &Version) -> Option<bool> {
        self.torch_symbols().exports(symbol, release)
    }

    /// The same rules with other rows of [`Self::torch_abi`] for one package, and other torch releases compared, for tests.
    #[must_use]
    pub fn with_torch_abi(mut self, package: &str, torch_abi: Vec<TorchExtension>, compared: Vec<String>) -> Self {
        self.packed.beside.insert(package.to_owned(), Beside { torch_abi, ..Beside::default() });
        self.packed.compared = compared;
        self
    }

    /// Which torch a release needs by its symbols; none where any will do, or where nobody looked.
    #[must_use]
    pub fn torch_abi(&self, package: &str, version: &Version) -> Option<&TorchExtension> {
        let rows = &self.packed.beside.get(package)?.torch_abi;
        if rows.is_empty() {
            return None;
        }
        let text = version.to_string();
        rows.iter().find(|row| row.version == text)
    }

    /// Whether some release of a package is known to load torch's libraries.
    #[must_use]
    pub fn is_linked_to_torch(&self, package: &str) -> bool {
        self.packed.beside.get(package).is_some_and(|beside| !beside.torch_abi.is_empty())
    }

    /// The torch releases that [`Self::torch_abi`] speaks of.
    #[must_use]
    pub fn torch_abi_releases(&self) -> &[String] {
        &self.packed.compared
    }

    /// How a release of a package picks the CUDA library it loads, with the source; none for most packages.
    #[must_use]
    pub fn library_pick(&self, package: &Package, version: &Version) -> Option<(LibraryPick, String)> {
        let rule = package.library_choice.iter().find(|choice| choice.versions.contains(version))?;
        Some((rule.pick, rule.source.clone()))
    }

    /// What a release requires of torch that is older than the rows of its package.
    #[must_use]
    pub fn old_release(&self, package: &str, version: &Version) -> Option<&OldRelease> {
        self.packed.beside.get(package)?.old_releases.iter().find(|row| row.version == *version)
    }

    /// The wheels of a release that are published elsewhere than on an index.
    #[must_use]
    pub fn prebuilt(&self, package: &str, version: &Version) -> Option<&Prebuilt> {
        self.packed.beside.get(package)?.prebuilts.iter().find(|row| row.versions.has(version))
    }

    /// The oldest CUDA whose ptxas a release of a package that compiles on the machine may bring, e.g. 12.0 for triton 2.3.1, and
    /// where that was read.
    #[must_use]
    pub fn assembler(&self, package: &str, version: &Version) -> Option<(CudaVersion, String)> {
        let row = self.packed.beside.get(package)?.assemblers.iter().find(|row| row.versions.has(version))?;
        Some((row.cuda, cite(&row.source)))
    }

    /// The package whose releases are published under another name too, e.g. triton for `pytorch-triton`.
    #[must_use]
    pub fn published_as(&self, other: &str) -> Option<&str> {
        let mut files = self.packed.beside.iter();
        files.find(|(_, beside)| beside.also.iter().any(|row| row.name == other)).map(|(name, _)| name.as_str())
    }

    /// With what of another package the import of a release stops, e.g. `Stop::Unmet` of transformers 4.57.1 and `tokenizers`, and
    /// where that was read.
    #[must_use]
    pub fn guard(&self, package: &str, version: &Version, other: &str) -> Option<(Stop, String)> {
        let mut rows = self.packed.beside.get(package)?.guards.iter();
        let row = rows.find(|row| row.checks.iter().any(|name| name == other) && row.versions.has(version))?;
        Some((row.stops, cite(&row.source)))
    }
}

impl RuleDb {
    fn torch_symbols(&self) -> &TorchSymbols {
        // The build script packed it; a failure here would be caught by the test that unpacks everything.
        self.symbols
            .get_or_init(|| TorchSymbols::new(&postcard::from_bytes(&self.packed.torch_symbols).unwrap_or_default()))
    }
}
