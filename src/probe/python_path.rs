//! In which folders `import` looks for distributions, and in which order.
//!
//! This is Python's `site` module retold without Python. The order: PYTHONPATH; the environment's own site folders if it
//! is a virtual environment; the user's; those of the prefix, or of the base if the virtual environment lets it in. Each
//! site folder is followed by what its `.pth` files add. So a user's site shadows a system or conda environment, and never
//! a virtual environment. The standard library's own folders hold no distributions and are left out.

use std::collections::BTreeMap;

use super::root::RootFs;
use crate::facts::PutBy;
use crate::python::pth::{parse_pth, put_in_front};

/// What decides the path of an interpreter.
#[derive(Debug, Clone, Copy)]
pub struct Layout<'a> {
    /// E.g. `/workspace/venv`, or `/usr`.
    pub prefix: &'a str,
    /// The base's prefix, e.g. `/usr`; the same where there is no virtual environment.
    pub base_prefix: &'a str,
    /// A virtual environment, and whether it lets the base's packages in.
    pub venv: Option<SystemSite>,
    /// The name of the library folder: `python3.11`, `python3.13t`, `pypy3.10`.
    pub library: &'a str,
    /// The environment of the machine.
    pub environment: &'a BTreeMap<String, String>,
    /// For relative entries of PYTHONPATH.
    pub current_dir: Option<&'a str>,
}

/// Whether a virtual environment lets the base's packages in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemSite {
    /// `include-system-site-packages = true`.
    Included,
    /// Only its own packages.
    Excluded,
}

/// A folder on the path, listed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFolder {
    /// E.g. `/workspace/venv/lib/python3.11/site-packages`.
    pub path: String,
    /// The names in it, sorted; empty for a file, such as a zipped egg.
    pub names: Vec<String>,
    /// What put it there, where that is not the environment itself or its base.
    pub by: Option<PutBy>,
}

/// The folders in the order of the path; only those that are there.
#[must_use]
pub fn search_path(root: &RootFs, layout: Layout<'_>) -> Vec<PathFolder> {
    let mut path = Path { root, folders: Vec::new(), seen: Vec::new() };
    let variable = |name: &str| layout.environment.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let current_dir = layout.current_dir.unwrap_or("/");

    for folder in pythonpath(layout.environment, layout.current_dir) {
        path.add(&folder, Some(&PutBy::Pythonpath));
    }
    if layout.venv.is_some() {
        path.add_sites(layout, layout.prefix);
    }
    if layout.venv != Some(SystemSite::Excluded) {
        if variable("PYTHONNOUSERSITE").is_none()
            && let Some(base) = user_base(root, layout.environment)
        {
            let folder = format!("{}/lib/{}/site-packages", join(current_dir, &base), layout.library);
            path.add_site(&folder, Some(&PutBy::UserSite));
        }
        path.add_sites(layout, layout.base_prefix);
    }
    path.folders
}

/// The folders that PYTHONPATH names, in its order.
pub fn pythonpath<'a>(
    environment: &'a BTreeMap<String, String>,
    current_dir: Option<&'a str>,
) -> impl Iterator<Item = String> + 'a {
    let entries = environment.get("PYTHONPATH").filter(|text| !text.is_empty());
    entries.into_iter().flat_map(|it| it.split(':')).map(move |entry| join(current_dir.unwrap_or("/"), entry))
}

/// Where pip installs with `--user`: PYTHONUSERBASE, else `~/.local`.
fn user_base(root: &RootFs, environment: &BTreeMap<String, String>) -> Option<String> {
    let variable = |name: &str| environment.get(name).filter(|text| !text.is_empty());
    let home = || match variable("HOME") {
        Some(home) => Some(home.as_str()),
        // An image does not record it, and is mostly used by root.
        None if !root.is_host() => Some("/root"),
        None => None,
    };
    match variable("PYTHONUSERBASE") {
        Some(base) => match base.strip_prefix("~/") {
            Some(rest) => home().map(|home| join(home, rest)),
            None => Some(base.clone()),
        },
        None => home().map(|home| join(home, ".local")),
    }
}

/// The path as it grows.
struct Path<'a> {
    root: &'a RootFs,
    folders: Vec<PathFolder>,
    /// The real paths of the folders: `lib64` of a virtual environment is a link to its `lib`.
    seen: Vec<String>,
}

impl Path<'_> {
    /// The site folders of a prefix, as `site.getsitepackages` and its variants by Debian and Fedora name them.
    fn add_sites(&mut self, layout: Layout<'_>, prefix: &str) {
        let Layout { base_prefix, library, .. } = layout;
        let below = |prefix: &str, rest: &str| join(prefix, rest);
        // `sys.platlibdir`: where the standard library lies says which it is.
        let stdlib = |folder: &str| self.root.exists(&below(base_prefix, &format!("{folder}/{library}/os.py")));
        let in_lib64 = stdlib("lib64")
            && self
                .root
                .real_path(&below(base_prefix, "lib64/"))
                .is_some_and(|lib64| self.root.real_path(&below(base_prefix, "lib")).is_none_or(|lib| lib != lib64));
        let libraries: &[&str] = if in_lib64 { &["lib64", "lib"] } else { &["lib", "lib64"] };

        let debian_local = format!("local/lib/{library}/dist-packages");
        let is_debian = base_prefix == "/usr"
            && [debian_local.as_str(), "lib/python3/dist-packages"]
                .iter()
                .any(|folder| self.root.exists(&below("/usr", folder)));
        if is_debian {
            // Debian's `site.py`: site-packages in a virtual environment only, dist-packages always.
            if layout.venv.is_some() {
                self.add_site(&below(prefix, &format!("lib/{library}/site-packages")), None);
            }
            self.add_site(&below(prefix, &debian_local), None);
            self.add_site(&below(prefix, "lib/python3/dist-packages"), None);
            self.add_site(&below(prefix, &format!("lib/{library}/dist-packages")), None);
            return;
        }
        // Fedora's puts /usr/local in front of /usr.
        let prefixes: &[&str] = if in_lib64 && prefix == "/usr" { &["/usr/local", "/usr"] } else { &[prefix] };
        for prefix in prefixes {
            for folder in libraries {
                self.add_site(&below(prefix, &format!("{folder}/{library}/site-packages")), None);
            }
        }
    }

    /// A site folder and what its `.pth` files add, as `site.addsitedir` does.
    fn add_site(&mut self, folder: &str, by: Option<&PutBy>) {
        let Some(names) = self.add(folder, by) else { return };
        for name in names.iter().filter(|name| name.ends_with(".pth") && !name.starts_with('.')) {
            let Ok(text) = self.root.read_text(&format!("{folder}/{name}")) else { continue };
            for entry in parse_pth(&text) {
                self.add(&join(folder, entry), by);
            }
            for entry in put_in_front(&text) {
                let before = self.folders.len();
                self.add(entry, Some(&PutBy::Pth(format!("{folder}/{name}"))));
                let front = self.folders.len() - before;
                self.folders.rotate_right(front);
            }
        }
    }

    /// A folder, unless it is not there or already on the path. Gives the names in it if it is new.
    fn add(&mut self, folder: &str, by: Option<&PutBy>) -> Option<Vec<String>> {
        let real = self.root.real_path(folder)?;
        if self.seen.contains(&real) {
            return None;
        }
        self.seen.push(real);
        let names = self.root.list(folder);
        self.folders.push(PathFolder { path: folder.to_owned(), names: names.clone(), by: by.cloned() });
        Some(names)
    }
}

/// Joins as Python's `os.path.join` and `normpath` do: an absolute `entry` stands alone, `.` and `..` are worked off.
#[must_use]
pub fn join(folder: &str, entry: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let base = if entry.starts_with('/') { "" } else { folder };
    for part in base.split('/').chain(entry.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn machine(folders: &[&str]) -> (tempfile::TempDir, RootFs) {
        let folder = tempfile::tempdir().unwrap();
        for path in folders {
            fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        let root = RootFs::at(folder.path());
        (folder, root)
    }

    fn path(root: &RootFs, prefix: &str, venv: Option<SystemSite>, variables: &[(&str, &str)]) -> Vec<String> {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let base_prefix = if venv.is_some() { "/usr" } else { prefix };
        let library = "python3.11";
        let layout =
            Layout { prefix, base_prefix, venv, library, environment: &environment, current_dir: Some("/work") };
        search_path(root, layout).into_iter().map(|folder| folder.path).collect()
    }

    const USER: &str = "root/.local/lib/python3.11/site-packages";

    #[test]
    fn debian_has_dist_packages_and_the_user_comes_first() {
        let (_folder, root) = machine(&[
            "usr/lib/python3/dist-packages",
            "usr/local/lib/python3.11/dist-packages",
            "usr/lib/python3.11/site-packages",
            USER,
        ]);
        let system = ["/usr/local/lib/python3.11/dist-packages", "/usr/lib/python3/dist-packages"];
        assert_eq!(path(&root, "/usr", None, &[("PYTHONNOUSERSITE", "1")]), system);
        assert_eq!(path(&root, "/usr", None, &[]), ["/root/.local/lib/python3.11/site-packages", system[0], system[1]]);
    }

    #[test]
    fn a_virtual_environment_comes_before_the_user_and_usually_instead() {
        let (_folder, root) = machine(&["v/lib/python3.11/site-packages", "usr/lib/python3/dist-packages", USER]);
        symlink("lib", _folder.path().join("v/lib64")).unwrap();
        let own = "/v/lib/python3.11/site-packages";
        assert_eq!(path(&root, "/v", Some(SystemSite::Excluded), &[]), [own]);
        assert_eq!(
            path(&root, "/v", Some(SystemSite::Included), &[("HOME", "/root")]),
            [own, "/root/.local/lib/python3.11/site-packages", "/usr/lib/python3/dist-packages"]
        );
    }

    #[test]
    fn fedora_keeps_its_libraries_in_lib64() {
        let (folder, root) = machine(&[
            "usr/lib64/python3.11/site-packages",
            "usr/lib/python3.11/site-packages",
            "usr/local/lib/python3.11/site-packages",
        ]);
        fs::write(folder.path().join("usr/lib64/python3.11/os.py"), "").unwrap();
        assert_eq!(
            path(&root, "/usr", None, &[]),
            [
                "/usr/local/lib/python3.11/site-packages",
                "/usr/lib64/python3.11/site-packages",
                "/usr/lib/python3.11/site-packages"
            ]
        );
    }

    #[test]
    fn pth_files_add_folders_behind_their_site() {
        let (folder, root) = machine(&["c/lib/python3.11/site-packages", "src/vllm", "work/rel", "base", "u/b"]);
        let site = folder.path().join("c/lib/python3.11/site-packages");
        fs::write(site.join("b.pth"), "/src/vllm\n/not/there\n../../../../base\nimport os\n").unwrap();
        fs::write(site.join("distutils-precedence.pth"), "import os; print()\n").unwrap();
        fs::write(site.join(".hidden.pth"), "/u\n").unwrap();
        // PYTHONPATH's own .pth files do not count; what it names is not named again.
        fs::write(folder.path().join("work/rel/x.pth"), "/u\n").unwrap();
        assert_eq!(
            path(&root, "/c", None, &[("PYTHONPATH", "rel:/src/vllm/:/none"), ("PYTHONUSERBASE", "/u")]),
            ["/work/rel", "/src/vllm", "/c/lib/python3.11/site-packages", "/base"]
        );
    }

    #[test]
    fn paths_are_joined_as_python_does() {
        assert_eq!(join("/a/b", "../c/./d"), "/a/c/d");
        assert_eq!(join("/a", "/b//c/"), "/b/c");
        assert_eq!(join("/a", ""), "/a");
        assert_eq!(join("/", "../.."), "/");
    }
}
