//! What is out of order around an interpreter: its scripts, its packages, what stands in front of them.
//!
//! All of it is told by names and links; a file is opened for its first line only.

use std::collections::HashSet;

use super::interpreter::PythonRequest;
use super::python_library::holds_distributions;
use super::python_path::{PathFolder, join};
use super::root::RootFs;
use crate::facts::{Distribution, InFront, Place, PutBy, Python, Scripts};
use crate::python::direct_url::DirectUrl;
use crate::python::dist_info::MetadataDir;

/// The most scripts whose first line is read.
const SCRIPTS: usize = 300;
/// The most of a script that is read: Linux takes no longer first line.
const FIRST_LINE: u64 = 256;
/// Where interpreters lie that PATH may not name.
const USUAL: [&str; 2] = ["/usr/local/bin", "/usr/bin"];

/// Looks around; `library` is the name of the interpreter's own folder, e.g. `python3.11`.
pub fn place(
    request: PythonRequest<'_>,
    python: &Python,
    library: &str,
    path: &[PathFolder],
    distributions: &[Distribution],
) -> Place {
    let root = request.root;
    let mut place = python.place.clone();
    let is_venv = root.is_file(&join(&python.prefix, "pyvenv.cfg"));
    if is_venv && !distributions.iter().any(|it| it.location.starts_with(&python.prefix)) {
        place.packages_of = packages_of(root, &python.prefix, library);
    }
    if is_venv && root.is_host() {
        place.scripts = scripts(root, &python.prefix);
    }
    let home = request.environment.get("PYTHONHOME").and_then(|home| home.split(':').next());
    let stdlib =
        |home: &&str| ["lib", "lib64"].iter().any(|lib| root.exists(&join(home, &format!("{lib}/{library}/os.py"))));
    place.home = home.filter(|home| !home.is_empty() && !stdlib(home)).map(str::to_owned);
    place.in_front = in_front(request, path, distributions);
    place.leftovers = leftovers(path);
    let lacks = place.without_cfg.is_some() || place.packages_of.is_some() || python.executable.value().is_none();
    if lacks {
        place.other_python = other_python(request, python, Some(place.packages_of.as_deref().unwrap_or(library)));
    }
    place
}

/// The folder of another Python below `lib` that holds packages.
fn packages_of(root: &RootFs, prefix: &str, library: &str) -> Option<String> {
    let lib = join(prefix, "lib");
    let others = root.list(&lib).into_iter().filter(|name| name.starts_with("python3.") && name != library);
    others.into_iter().rev().find(|name| holds_distributions(root, &join(&lib, &format!("{name}/site-packages"))))
}

/// Scripts of an environment whose interpreter is not there, though the environment's own may be.
fn scripts(root: &RootFs, prefix: &str) -> Option<Scripts> {
    let bin = join(prefix, "bin");
    let mut found: Vec<(String, String)> = Vec::new();
    for name in root.list(&bin).into_iter().filter(|name| !name.starts_with("activate")).take(SCRIPTS) {
        let script = join(&bin, &name);
        if root.link(&script).is_some() {
            continue;
        }
        let Ok(bytes) = root.read(&script, FIRST_LINE) else { continue };
        let Some(line) = bytes.strip_prefix(b"#!").and_then(|rest| rest.split(|byte| *byte == b'\n').next()) else {
            continue;
        };
        let line = String::from_utf8_lossy(line);
        let interpreter = line.trim();
        let is_python = interpreter.rsplit('/').next().is_some_and(|name| name.starts_with("python"));
        let own = interpreter.strip_prefix(&bin).is_some_and(|rest| rest.starts_with('/'));
        if interpreter.starts_with('/') && is_python && !own && !root.exists(interpreter) {
            found.push((interpreter.to_owned(), script));
        }
    }
    let interpreter = found.first().map(|(interpreter, _)| interpreter.clone())?;
    let paths = found.into_iter().filter(|(other, _)| *other == interpreter).map(|(_, script)| script).collect();
    Some(Scripts { interpreter, paths })
}

/// An interpreter of that name on PATH, or where interpreters usually are, that is not the environment's own.
pub fn other_python(request: PythonRequest<'_>, python: &Python, library: Option<&str>) -> Option<String> {
    let library = library?;
    let path = request.environment.get("PATH").map_or("", String::as_str);
    let own = join(&python.prefix, "bin");
    let folders = path.split(':').filter(|folder| folder.starts_with('/')).chain(USUAL).map(|folder| join("/", folder));
    let mut candidates = folders.filter(|folder| *folder != own).map(|folder| join(&folder, library));
    candidates.find(|candidate| request.root.is_file(candidate))
}

/// What pip renamed before it removed it, and did not come to remove.
fn leftovers(path: &[PathFolder]) -> Vec<String> {
    let is_leftover = |name: &&String| MetadataDir::parse(name).is_some_and(|folder| folder.is_leftover());
    let in_folder = |folder: &PathFolder| {
        let names = folder.names.iter().filter(is_leftover);
        names.map(|name| format!("{}/{name}", folder.path)).collect::<Vec<_>>()
    };
    path.iter().flat_map(in_folder).collect()
}

/// What is found on `sys.path` in the place of what the environment has.
fn in_front(request: PythonRequest<'_>, path: &[PathFolder], distributions: &[Distribution]) -> Vec<InFront> {
    let by_of =
        |distribution: &Distribution| path.iter().find(|folder| folder.path == distribution.location)?.by.clone();
    let own: Vec<&Distribution> = distributions.iter().filter(|it| by_of(it).is_none()).collect();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for distribution in distributions.iter().filter(|it| seen.insert(it.name.as_str())) {
        if let Some(by) = by_of(distribution).filter(|_| own.iter().any(|it| it.name == distribution.name)) {
            found.push(InFront { name: distribution.name.clone(), path: distribution.location.clone(), by });
        }
    }
    // Modules without metadata, in the folders that are searched before.
    let root = request.root;
    let working = request.current_dir.filter(|folder| root.is_host() && path.iter().all(|it| it.path != **folder));
    let working = working.map(|folder| (folder.to_owned(), root.list(folder), PutBy::WorkingDirectory));
    let folders =
        path.iter().filter_map(|folder| Some((folder.path.clone(), folder.names.clone(), folder.by.clone()?)));
    let folders = folders.filter(|(.., by)| *by != PutBy::UserSite);
    for (folder, names, by) in working.into_iter().chain(folders) {
        let there = |name: &str| names.binary_search_by(|known| known.as_str().cmp(name)).is_ok();
        for distribution in &own {
            if found.iter().any(|found: &InFront| found.name == distribution.name) {
                continue;
            }
            let module = distribution.name.replace('-', "_");
            let file = format!("{module}.py");
            let path = if there(&module) && root.is_file(&format!("{folder}/{module}/__init__.py")) {
                join(&folder, &module)
            } else if there(&file) {
                join(&folder, &file)
            } else {
                continue;
            };
            if !is_source(distribution, &folder) {
                found.push(InFront { name: distribution.name.clone(), path, by: by.clone() });
            }
        }
    }
    found
}

/// Whether a distribution was installed from that folder in development mode.
fn is_source(distribution: &Distribution, folder: &str) -> bool {
    let url = distribution.direct_url.value().filter(|_| distribution.editable);
    let source = url.and_then(|url| DirectUrl { url: url.clone(), editable: true }.path());
    source.is_some_and(|source| {
        folder == source || folder.strip_prefix(&source).is_some_and(|rest| rest.starts_with('/'))
    }) || distribution.location == folder
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::fs;

    fn write(path: &str, text: &str) {
        let at = std::path::Path::new(path);
        fs::create_dir_all(at.parent().expect("a folder")).expect("a folder");
        fs::write(at, text).expect("a file");
    }

    #[test]
    fn scripts_of_an_environment_that_was_moved() {
        let folder = tempfile::tempdir().expect("a folder");
        let prefix = folder.path().to_str().expect("a path");
        write(&format!("{prefix}/bin/hf"), "#!/old/place/bin/python\n");
        write(&format!("{prefix}/bin/own"), &format!("#!{prefix}/bin/python3\n"));
        write(&format!("{prefix}/bin/shell"), "#!/bin/sh\n");
        write(&format!("{prefix}/bin/activate"), "#!/old/place/bin/python\n");
        let found = scripts(&RootFs::host(), prefix).expect("one");
        assert_eq!(
            (found.interpreter.as_str(), found.paths),
            ("/old/place/bin/python", vec![format!("{prefix}/bin/hf")])
        );
        fs::remove_file(folder.path().join("bin/hf")).expect("removed");
        assert_eq!(scripts(&RootFs::host(), prefix), None);
    }

    #[test]
    fn what_stands_in_front_of_an_installed_package() {
        let folder = tempfile::tempdir().expect("a folder");
        let top = folder.path().to_str().expect("a path");
        for file in ["tokenizers.py", "datasets/train.csv", "peft/__init__.py", "mine.py"] {
            write(&format!("{top}/cwd/{file}"), "");
        }
        let root = RootFs::host();
        let at = |name: &str, location: &str| Distribution {
            name: name.to_owned(),
            location: location.to_owned(),
            ..Distribution::default()
        };
        let front = PathFolder { path: "/front".to_owned(), names: Vec::new(), by: Some(PutBy::Pythonpath) };
        let site = PathFolder { path: "/site".to_owned(), names: Vec::new(), by: None };
        let source = Distribution {
            editable: true,
            direct_url: crate::facts::Reading::metadata(format!("file://{top}/cwd"), "direct_url.json"),
            ..at("peft", "/site")
        };
        let found = in_front(
            PythonRequest {
                root: &root,
                environment: &BTreeMap::new(),
                current_dir: Some(&format!("{top}/cwd")),
                python: None,
            },
            &[front, site],
            &[
                at("jaxlib", "/front"),
                at("only", "/front"),
                at("jaxlib", "/site"),
                at("tokenizers", "/site"),
                at("datasets", "/site"),
                source,
            ],
        );
        let told: Vec<_> = found.into_iter().map(|it| (it.name, it.path, it.by)).collect();
        let expected = [
            ("jaxlib".to_owned(), "/front".to_owned(), PutBy::Pythonpath),
            ("tokenizers".to_owned(), format!("{top}/cwd/tokenizers.py"), PutBy::WorkingDirectory),
        ];
        assert_eq!(told, expected, "a folder of data hides nothing, nor does the source of a development installation");
    }
}
