//! Which distributions are installed in the folders of a path, and what each declares.
//!
//! Every `*.dist-info` and `*.egg-info` becomes a [`Distribution`], a damaged one too: then its name is the folder's, and
//! its readings say what is wrong. Copies of one distribution all appear, in the order of the path: the first is the one
//! that `import` finds, the others explain why an upgrade seems to do nothing.
//!
//! Fast because little is read: one listing for each folder on the path, and of METADATA only the headers.

use std::collections::BTreeMap;
use std::io;

use super::build_stamp::read_build;
use super::python_path::{PathFolder, join};
use super::root::RootFs;
use crate::facts::{Distribution, Metadata, Reading, Stray};
use crate::parallel::in_parallel;
use crate::python::direct_url::DirectUrl;
use crate::python::dist_info::{MetadataDir, MetadataKind, headers_end, parse_installer, parse_wheel_tags};
use crate::python::metadata::Metadata as Headers;
use crate::python::pth::parse_egg_link;
use crate::python::record::parse_record;
use crate::python::requires_txt::parse_requires_txt;
use crate::python::wheel::normalise_name;

/// Enough for the headers of nearly every distribution.
const HEADERS: u64 = 8 << 10;
/// The most of a METADATA that is read in search of the end of its headers.
const METADATA_LIMIT: u64 = 4 << 20;
/// The most of any other file.
const SMALL: u64 = 1 << 20;
/// A thread costs about as much as reading this many distributions.
const PER_THREAD: usize = 24;

/// Reads the distributions in the folders of a path: in its order, then by name, then by version.
///
/// Of several with one name in one folder (an upgrade that was interrupted) the one comes first that agrees with the
/// installed files.
#[must_use]
pub fn distributions(root: &RootFs, path: &[PathFolder]) -> Vec<Distribution> {
    let found: Vec<Found<'_>> = path.iter().flat_map(find).collect();
    let read = in_parallel(&found, PER_THREAD, |found| found.read(root));
    let mut read: Vec<(usize, Distribution)> =
        found.iter().zip(read).map(|(found, distribution)| (found.folder_at(path), distribution)).collect();
    mark_stale(root, &mut read);
    read.sort_by_cached_key(|(folder, distribution)| order(*folder, distribution));
    let mut distributions: Vec<Distribution> = read.into_iter().map(|(_, distribution)| distribution).collect();
    mark_egg_links(root, path, &mut distributions);
    drop_sources_of_editables(&mut distributions);
    distributions
}

/// The most lines of a RECORD that are compared with the files.
const COMPARED: usize = 200;

/// Marks those of several with one name in one folder whose RECORD fits the installed files worse than another's.
fn mark_stale(root: &RootFs, read: &mut [(usize, Distribution)]) {
    let mut places: BTreeMap<(usize, String), Vec<usize>> = BTreeMap::new();
    for (at, (folder, distribution)) in read.iter().enumerate() {
        places.entry((*folder, distribution.name.clone())).or_default().push(at);
    }
    for group in places.into_values().filter(|group| group.len() > 1) {
        let fits: Vec<usize> =
            group.iter().map(|at| read.get(*at).map_or(0, |(_, distribution)| fitting(root, distribution))).collect();
        let most = fits.iter().copied().max().unwrap_or_default();
        let best = fits.iter().filter(|fitting| **fitting == most).count();
        for (at, _) in group.into_iter().zip(fits).filter(|(_, fitting)| best == 1 && *fitting < most) {
            if let Some((_, distribution)) = read.get_mut(at) {
                distribution.record = Some(Stray::Stale);
            }
        }
    }
}

/// How many files, of the first that RECORD lists with their size, have that size.
fn fitting(root: &RootFs, distribution: &Distribution) -> usize {
    let (location, folder) = (&distribution.location, &distribution.metadata_dir);
    let Ok(bytes) = root.read(&format!("{location}/{folder}/RECORD"), METADATA_LIMIT) else { return 0 };
    let text = String::from_utf8_lossy(&bytes);
    let is_own = |path: &str| path.split('/').next().is_some_and(|first| first.ends_with(".dist-info"));
    let listed = parse_record(&text).filter(|file| file.size.is_some() && !is_own(&file.path)).take(COMPARED);
    listed.filter(|file| root.size(&join(location, &file.path)).ok() == file.size).count()
}

/// A metadata folder or file that was seen on the path.
struct Found<'a> {
    folder: &'a PathFolder,
    file_name: &'a str,
    name: MetadataDir<'a>,
}

/// The metadata folders and files in a folder. A folder `x.egg` on the path holds its own in `EGG-INFO`.
fn find(folder: &PathFolder) -> Vec<Found<'_>> {
    let egg = folder.path.rsplit('/').next().and_then(|name| name.strip_suffix(".egg"));
    let mut found: Vec<Found<'_>> = folder
        .names
        .iter()
        .filter_map(|file_name| Some(Found { folder, file_name, name: MetadataDir::parse(file_name)? }))
        // What an interrupted upgrade left is nobody's: pip and uv pass over it too.
        .filter(|found| !found.name.is_leftover())
        .collect();
    if let Some(stem) = egg {
        let mut parts = stem.split('-');
        let name =
            MetadataDir { kind: MetadataKind::EggInfo, name: parts.next().unwrap_or_default(), version: parts.next() };
        found.push(Found { folder, file_name: "EGG-INFO", name });
    }
    found
}

impl Found<'_> {
    fn folder_at(&self, path: &[PathFolder]) -> usize {
        path.iter().position(|folder| std::ptr::eq(folder, self.folder)).unwrap_or(path.len())
    }

    fn file(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.folder.path, self.file_name)
    }

    /// A small text file in the metadata folder; none if it is not there.
    fn text(&self, root: &RootFs, name: &str) -> Option<io::Result<String>> {
        match root.read(&self.file(name), SMALL) {
            Err(error) if is_missing(&error) => None,
            other => Some(other.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())),
        }
    }

    fn read(&self, root: &RootFs) -> Distribution {
        let mut distribution = Distribution {
            name: normalise_name(self.name.name),
            location: self.folder.path.clone(),
            metadata_dir: self.file_name.to_owned(),
            ..Distribution::default()
        };
        self.read_metadata(root, &mut distribution);
        if self.name.kind == MetadataKind::DistInfo {
            self.read_small_files(root, &mut distribution);
        }
        distribution.build = read_build(root, &distribution, &self.folder.names);
        distribution
    }

    /// METADATA of a dist-info; PKG-INFO of an egg-info folder, or an egg-info that is itself the file.
    fn read_metadata(&self, root: &RootFs, distribution: &mut Distribution) {
        let (place, headers) = match self.name.kind {
            MetadataKind::DistInfo => {
                (format!("{}/METADATA", self.file_name), read_headers(root, &self.file("METADATA")))
            }
            MetadataKind::EggInfo => match read_headers(root, &self.file("PKG-INFO")) {
                Err(error) if error.kind() == io::ErrorKind::NotADirectory || !root.is_host() && is_missing(&error) => {
                    match read_headers(root, &format!("{}/{}", self.folder.path, self.file_name)) {
                        // A folder after all.
                        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                            (format!("{}/PKG-INFO", self.file_name), Err(io::ErrorKind::NotFound.into()))
                        }
                        headers => (self.file_name.to_owned(), headers),
                    }
                }
                headers => (format!("{}/PKG-INFO", self.file_name), headers),
            },
        };
        let headers = match headers {
            Ok(headers) => headers,
            Err(error) if is_missing(&error) => return damage(distribution, format!("`{place}` is missing")),
            Err(error) => return damage(distribution, format!("`{place}` cannot be read: {error}")),
        };
        if headers.trim().is_empty() {
            return damage(distribution, format!("`{place}` is empty"));
        }
        let headers = Headers::parse(&headers);
        if headers.name.is_empty() && headers.version.is_empty() {
            return damage(distribution, format!("`{place}` holds no metadata"));
        }
        if is_name(&headers.name) {
            distribution.name = normalise_name(&headers.name);
        }
        distribution.version = match headers.version {
            version if version.is_empty() => Reading::unreadable(format!("`{place}` has no Version")),
            version if !version.is_ascii() => Reading::unreadable(format!("`{place}` has the Version `{version}`")),
            version => Reading::metadata(version, place.as_str()),
        };
        let mut metadata = Metadata {
            requires: headers.requires_dist,
            requires_python: headers.requires_python,
            extras: headers.provides_extra,
        };
        if self.name.kind == MetadataKind::EggInfo
            && metadata.requires.is_empty()
            && let Some(Ok(text)) = self.text(root, "requires.txt")
        {
            (metadata.requires, metadata.extras) = parse_requires_txt(&text);
        }
        distribution.metadata = Reading::metadata(metadata, place);
    }

    fn read_small_files(&self, root: &RootFs, distribution: &mut Distribution) {
        let place = |name: &str| format!("{}/{name}", self.file_name);
        let unreadable = |name: &str, error: &dyn std::fmt::Display| format!("`{}`: {error}", place(name));
        distribution.installer = match self.text(root, "INSTALLER") {
            Some(Ok(text)) => match parse_installer(&text) {
                Some(installer) => Reading::metadata(installer.to_owned(), place("INSTALLER")),
                None => Reading::unreadable(unreadable("INSTALLER", &"is empty")),
            },
            Some(Err(error)) => Reading::unreadable(unreadable("INSTALLER", &error)),
            None => Reading::absent(place("INSTALLER")),
        };
        distribution.direct_url = match self.text(root, "direct_url.json") {
            Some(Ok(text)) => match DirectUrl::parse(&text) {
                Ok(direct) => {
                    distribution.editable = direct.editable;
                    distribution.source_gone = direct.path().filter(|path| direct.editable && !root.exists(path));
                    Reading::metadata(direct.url, place("direct_url.json"))
                }
                Err(error) => Reading::unreadable(unreadable("direct_url.json", &error)),
            },
            Some(Err(error)) => Reading::unreadable(unreadable("direct_url.json", &error)),
            None => Reading::absent(place("direct_url.json")),
        };
        distribution.requested = matches!(self.text(root, "REQUESTED"), Some(Ok(_)));
        if let Some(Ok(text)) = self.text(root, "WHEEL") {
            distribution.wheel_tags = parse_wheel_tags(&text);
        }
    }
}

/// Says of a distribution that its metadata is of no use.
fn damage(distribution: &mut Distribution, error: String) {
    distribution.version = Reading::unreadable(error.clone());
    distribution.metadata = Reading::unreadable(error);
}

/// The headers of METADATA or PKG-INFO, without the description that follows and may be long.
fn read_headers(root: &RootFs, path: &str) -> io::Result<String> {
    let mut bytes = root.read(path, HEADERS)?;
    let mut end = headers_end(&bytes);
    if end.is_none() && bytes.len() as u64 == HEADERS {
        bytes = root.read(path, METADATA_LIMIT)?;
        end = headers_end(&bytes);
    }
    // Some old packages start with an empty line, and Python's reader does not mind.
    if end == Some(0) {
        end = None;
    }
    bytes.truncate(end.unwrap_or(bytes.len()));
    // A name of an author in Latin-1 costs nothing but itself.
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether a text can be the name of a distribution: ASCII letters, digits, `-`, `_`, `.` (core metadata specification).
fn is_name(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// The place in the list: see [`distributions`].
fn order(folder: usize, distribution: &Distribution) -> (usize, String, bool, Option<crate::pep::Version>, String) {
    let declared = distribution.version.value();
    let without_local = |version: &String| version.split('+').next().unwrap_or_default().to_owned();
    let disagrees = distribution
        .build
        .version
        .value()
        .is_some_and(|build| declared.is_none_or(|declared| without_local(declared) != without_local(build)));
    let version = declared.and_then(|version| version.parse().ok());
    let is_stale = distribution.record == Some(Stray::Stale);
    (folder, distribution.name.clone(), disagrees || is_stale, version, distribution.metadata_dir.clone())
}

/// Marks what setuptools' older development mode installed: an `x.egg-link` that names the folder of the metadata.
fn mark_egg_links(root: &RootFs, path: &[PathFolder], distributions: &mut [Distribution]) {
    for folder in path {
        for name in folder.names.iter().filter(|name| name.ends_with(".egg-link")) {
            let Ok(text) = root.read_text(&format!("{}/{name}", folder.path)) else { continue };
            let Some(target) = parse_egg_link(&text).map(|target| join(&folder.path, target)) else { continue };
            for distribution in distributions.iter_mut().filter(|distribution| distribution.location == target) {
                distribution.editable = true;
            }
        }
    }
}

/// Leaves out the egg-info that a build left in the source folder of a development installation: it is not another copy.
fn drop_sources_of_editables(distributions: &mut Vec<Distribution>) {
    let editable = distributions.iter().filter(|distribution| distribution.editable);
    let projects: Vec<(String, String)> = editable
        .filter_map(|distribution| {
            let url = distribution.direct_url.value()?.clone();
            Some((distribution.name.clone(), DirectUrl { url, editable: true }.path()?))
        })
        .collect();
    distributions.retain(|distribution| {
        !distribution.metadata_dir.ends_with(".egg-info")
            || !projects.iter().any(|(name, project)| {
                *name == distribution.name
                    && distribution
                        .location
                        .strip_prefix(project.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    fn write(folder: &Path, file: &str, text: impl AsRef<[u8]>) {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads the folders `a`, `b`, … of a machine, in this order.
    fn read(folder: &Path, on_path: &[&str]) -> Vec<Distribution> {
        let root = RootFs::at(folder);
        let folders: Vec<PathFolder> = on_path
            .iter()
            .map(|path| PathFolder { path: (*path).to_owned(), names: root.list(path), by: None })
            .collect();
        distributions(&root, &folders)
    }

    #[test]
    fn a_wheel_says_who_installed_it_and_its_files_say_the_build() {
        let folder = tempfile::tempdir().unwrap();
        let info = "s/torch-2.7.1.dist-info";
        write(
            folder.path(),
            &format!("{info}/METADATA"),
            "Name: torch\nVersion: 2.7.1\nRequires-Python: >=3.9.0\nRequires-Dist: triton==3.3.1; platform_system == \"Linux\"\n\
             Provides-Extra: opt-einsum\n\nName: not-this\n",
        );
        write(folder.path(), &format!("{info}/INSTALLER"), "uv");
        write(folder.path(), &format!("{info}/WHEEL"), "Tag: cp311-cp311-manylinux_2_28_x86_64\n");
        write(folder.path(), "s/torch/version.py", "__version__ = '2.7.1+cu126'\ncuda: Optional[str] = '12.6'\n");
        let found = read(folder.path(), &["/s"]);
        let [torch] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((torch.name.as_str(), torch.full_version(), torch.local()), ("torch", "2.7.1+cu126", Some("cu126")));
        assert_eq!(torch.version, Reading::metadata("2.7.1".into(), "torch-2.7.1.dist-info/METADATA"));
        assert_eq!(torch.build.version.source().unwrap().place(), "torch/version.py");
        assert_eq!(torch.installer, Reading::metadata("uv".into(), "torch-2.7.1.dist-info/INSTALLER"));
        assert!(torch.direct_url.is_absent());
        assert_eq!(torch.wheel_tags, ["cp311-cp311-manylinux_2_28_x86_64"]);
        let declared = torch.metadata.value().unwrap();
        assert_eq!(declared.requires, ["triton==3.3.1; platform_system == \"Linux\""]);
        assert_eq!(
            (declared.requires_python.as_deref(), declared.extras.as_slice()),
            (Some(">=3.9.0"), &["opt-einsum".to_owned()][..])
        );
    }

    #[test]
    fn damaged_metadata_keeps_its_distribution() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("s/Missing_One-1.0.dist-info")).unwrap();
        write(folder.path(), "s/empty-1.0.dist-info/METADATA", "");
        write(folder.path(), "s/noversion-1.0.dist-info/METADATA", "Name: no.version\nRequires-Dist: a\n");
        write(folder.path(), "s/junk-1.0.dist-info/METADATA", [0xff, 0xfe, 0, 10, 200]);
        write(folder.path(), "s/latin-1.0.dist-info/METADATA", b"Name: latin\nAuthor: Andr\xe9\nVersion: 1.0\n");
        write(folder.path(), "s/~orch-2.6.0.dist-info/METADATA", "Name: torch\nVersion: 2.6.0\n");
        fs::create_dir_all(folder.path().join("s/folder-1.0.dist-info/METADATA")).unwrap();
        let found = read(folder.path(), &["/s"]);
        let error = |distribution: &Distribution| match &distribution.version {
            Reading::Unreadable { error } => error.clone(),
            other => format!("{other:?}"),
        };
        let said: Vec<(&str, String)> = found.iter().map(|found| (found.name.as_str(), error(found))).collect();
        let expected = [
            ("empty", "`empty-1.0.dist-info/METADATA` is empty"),
            ("folder", "`folder-1.0.dist-info/METADATA` cannot be read: invalid input parameter"),
            ("junk", "`junk-1.0.dist-info/METADATA` holds no metadata"),
            ("latin", "Known { value: \"1.0\", source: Metadata(\"latin-1.0.dist-info/METADATA\") }"),
            ("missing-one", "`Missing_One-1.0.dist-info/METADATA` is missing"),
            ("no-version", "`noversion-1.0.dist-info/METADATA` has no Version"),
        ];
        assert_eq!(said, expected.iter().map(|(name, error)| (*name, (*error).to_owned())).collect::<Vec<_>>());
        assert!(found.iter().find(|found| found.name == "no-version").unwrap().metadata.value().is_some());
    }

    #[test]
    fn two_copies_both_appear_in_the_order_of_the_path() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "user/torch-2.5.1.dist-info/METADATA", "Name: torch\nVersion: 2.5.1\n");
        write(folder.path(), "site/torch-2.6.0.dist-info/METADATA", "Name: torch\nVersion: 2.6.0\n");
        write(folder.path(), "site/torch-2.10.0.dist-info/METADATA", "Name: torch\nVersion: 2.10.0\n");
        let versions = || -> Vec<String> {
            let found = read(folder.path(), &["/user", "/site"]);
            found.iter().map(|torch| torch.version.value().unwrap().clone()).collect()
        };
        assert_eq!(versions(), ["2.5.1", "2.6.0", "2.10.0"]);
        // The files say which of the two in `site` is the one that was installed last.
        write(folder.path(), "site/torch/version.py", "__version__ = '2.10.0+cu130'\ngit_version = 'a'\n");
        assert_eq!(versions(), ["2.5.1", "2.10.0", "2.6.0"]);
    }

    #[test]
    fn eggs_are_read_in_each_of_their_forms() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "s/old-1.0-py3.8.egg-info", "Name: old\nVersion: 1.0\n");
        write(folder.path(), "s/apex-0.1-py3.8.egg-info/PKG-INFO", "Name: apex\nVersion: 0.1\n\nRequires-Dist: x\n");
        write(folder.path(), "s/apex-0.1-py3.8.egg-info/requires.txt", "packaging\n[test]\npytest\n");
        fs::create_dir_all(folder.path().join("s/bare.egg-info")).unwrap();
        write(folder.path(), "s/z-2.0-py3.8.egg/EGG-INFO/PKG-INFO", "Name: z\nVersion: 2.0\n");
        write(folder.path(), "s/zipped-3.0-py3.8.egg", "PK");
        let found = read(folder.path(), &["/s", "/s/z-2.0-py3.8.egg", "/s/zipped-3.0-py3.8.egg"]);
        let names: Vec<_> = found.iter().map(|found| (found.name.as_str(), found.full_version())).collect();
        assert_eq!(names, [("apex", "0.1"), ("bare", "?"), ("old", "1.0"), ("z", "2.0"), ("zipped", "?")]);
        let apex = found[0].metadata.value().unwrap();
        assert_eq!(apex.requires, ["packaging", "pytest; extra == \"test\""]);
        assert_eq!(apex.extras, ["test"]);
        assert_eq!(found[2].metadata.source().unwrap().place(), "old-1.0-py3.8.egg-info");
    }

    #[test]
    fn a_development_installation_is_one_distribution() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "s/vllm-0.9.1.dist-info/METADATA", "Name: vllm\nVersion: 0.9.1\n");
        write(
            folder.path(),
            "s/vllm-0.9.1.dist-info/direct_url.json",
            r#"{"url": "file:///src/vllm", "dir_info": {"editable": true}}"#,
        );
        write(folder.path(), "src/vllm/vllm/_version.py", "__version__ = version = '0.9.1+cu128'\n");
        write(folder.path(), "src/vllm/vllm.egg-info/PKG-INFO", "Name: vllm\nVersion: 0.9.0\n");
        write(folder.path(), "s/apex.egg-link", "/src/apex\n.");
        write(folder.path(), "src/apex/apex.egg-info/PKG-INFO", "Name: apex\nVersion: 0.1\n");
        let found = read(folder.path(), &["/s", "/src/apex", "/src/vllm"]);
        let said: Vec<_> =
            found.iter().map(|found| (found.name.as_str(), found.full_version(), found.editable)).collect();
        assert_eq!(said, [("vllm", "0.9.1+cu128", true), ("apex", "0.1", true)]);
    }

    #[test]
    fn extensions_of_torch_show_what_they_were_built_for() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "s/bitsandbytes-0.45.0.dist-info/METADATA", "Name: bitsandbytes\nVersion: 0.45.0\n");
        for file in ["libbitsandbytes_cuda126.so", "libbitsandbytes_cuda118.so", "libbitsandbytes_cpu.so"] {
            write(folder.path(), &format!("s/bitsandbytes/{file}"), "");
        }
        write(folder.path(), "s/xformers-0.0.30.dist-info/METADATA", "Name: xformers\nVersion: 0.0.30\n");
        write(folder.path(), "s/xformers/cpp_lib.json", r#"{"version": {"cuda": 1206, "torch": "2.7.0+cu126"}}"#);
        let found = read(folder.path(), &["/s"]);
        let cuda: Vec<String> = found[0].build.cuda_libraries.iter().map(ToString::to_string).collect();
        assert_eq!(cuda, ["11.8", "12.6"]);
        assert_eq!(found[1].build.torch, Reading::binary("2.7.0+cu126".into(), "xformers/cpp_lib.json"));
        assert_eq!(found[1].build.cuda.value().unwrap().to_string(), "12.6");
    }

    #[test]
    fn many_distributions_come_out_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..200 {
            write(
                folder.path(),
                &format!("s/p{number:03}-1.dist-info/METADATA"),
                format!("Name: p{number:03}\nVersion: 1\n"),
            );
        }
        let names: Vec<String> = read(folder.path(), &["/s"]).into_iter().map(|found| found.name).collect();
        assert_eq!(names.len(), 200);
        assert!(names.is_sorted());
    }
}
