//! Which folders of an environment an installer writes to.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::FOLDER;
use crate::python::record::parse_record;

/// What made the environment, and whether it is alone in its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// A virtual environment in a folder of its own: all that is in it belongs to installers.
    Venv,
    /// A virtual environment around which somebody keeps other things (`python -m venv .`): only the folders of Python's
    /// install schemes, and those that a RECORD names, belong to installers.
    Shared,
    /// A conda environment: all of it belongs to its installer.
    Conda,
}

/// The folders of Python's install schemes below a virtual environment, with `man`, `etc` and `share` for data files.
const SCHEMES: [&str; 8] = ["bin", "etc", "include", "lib", "lib64", "man", "share", "src"];
/// What venv, virtualenv and uv write beside them.
const BESIDE: [&str; 5] = [".gitignore", ".lock", "CACHEDIR.TAG", "pip-selfcheck.json", "pyvenv.cfg"];
/// What a conda environment holds that is not of it: other environments, and the packages that all link from.
const NOT_CONDA: [&str; 2] = ["envs", "pkgs"];

/// Which sort of virtual environment has these names in its folder.
#[must_use]
pub fn venv(names: &BTreeSet<String>, recorded: &BTreeSet<String>) -> Sort {
    let mut others = names.iter().filter(|name| name.as_str() != FOLDER && !recorded.contains(*name));
    let known = |name: &String| SCHEMES.contains(&name.as_str()) || BESIDE.contains(&name.as_str());
    if others.all(known) { Sort::Venv } else { Sort::Shared }
}

/// Those of the names in an environment's folder that an installer may change, sorted.
#[must_use]
pub fn roots(sort: Sort, names: &BTreeSet<String>, recorded: &BTreeSet<String>) -> BTreeSet<String> {
    let of = |name: &&String| match sort {
        Sort::Venv => true,
        Sort::Shared => SCHEMES.contains(&name.as_str()) || recorded.contains(*name),
        Sort::Conda => !NOT_CONDA.contains(&name.as_str()),
    };
    names.iter().filter(of).filter(|name| name.as_str() != FOLDER).cloned().collect()
}

/// The names in an environment's folder under which a RECORD has files, e.g. `bin` and `share` of
/// `../../../share/man/man1/isympy.1`; `site` is where the distribution lies, e.g. `lib/python3.11/site-packages`.
#[must_use]
pub fn recorded(record: &str, site: &Path) -> BTreeSet<String> {
    let outer = parse_record(record).filter(|it| it.path.starts_with("../"));
    outer.filter_map(|it| first_name(&site.join(it.path.as_ref()))).collect()
}

/// The first name of a path without its `..`; none where it leads out.
fn first_name(path: &Path) -> Option<String> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name),
            Component::ParentDir => drop(names.pop()?),
            _ => return None,
        }
    }
    names.first()?.to_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_project_around_a_virtual_environment_is_left_alone() {
        let names = set(&["bin", "lib", "data", "nb", "pyvenv.cfg", ".git", ".gpudoc", "envs"]);
        assert_eq!(venv(&names, &set(&["nb"])), Sort::Shared);
        assert_eq!(roots(Sort::Shared, &names, &set(&["nb", "gone"])), set(&["bin", "lib", "nb"]));
        let own = set(&["bin", "lib", "nb", "pyvenv.cfg", ".gpudoc"]);
        assert_eq!(venv(&own, &set(&["nb"])), Sort::Venv);
        assert_eq!(roots(Sort::Venv, &own, &set(&[])), set(&["bin", "lib", "nb", "pyvenv.cfg"]));
        assert_eq!(
            roots(Sort::Conda, &names, &set(&[])),
            set(&["bin", "lib", "data", "nb", "pyvenv.cfg", ".git"]),
            "conda's own"
        );
    }

    #[test]
    fn a_record_says_where_else_it_has_files() {
        let record = "a/__init__.py,,\n../../../bin/a,,\n../../../nb/x.json,,\n../../x,,\n../../../../etc/passwd,,\n";
        assert_eq!(recorded(record, Path::new("lib/python3.11/site-packages")), set(&["bin", "lib", "nb"]));
    }
}
