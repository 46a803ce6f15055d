//! Machines with one sort of Python each, and the question which it is.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

/// A machine in a temporary folder.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    /// `path` is a file; `path -> target` a link.
    fn new(entries: &[&str]) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        for entry in entries {
            match entry.split_once(" -> ") {
                Some((path, target)) => symlink(target, machine.at(path)).unwrap(),
                None => machine.write(entry, ""),
            }
        }
        machine
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        let path = self.folder.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        path
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.at(path), text).unwrap();
    }

    fn ask(&self, variables: &[(&str, &str)], python: Option<&str>) -> Result<PythonFacts, PythonError> {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let root = RootFs::at(self.folder.path());
        probe(PythonRequest { root: &root, environment: &environment, current_dir: None, python })
    }

    fn python(&self, variables: &[(&str, &str)]) -> Python {
        self.ask(variables, None).unwrap().python.value().unwrap().clone()
    }
}

fn known<T: ToString>(reading: &Reading<T>) -> String {
    reading.value().map_or_else(|| "?".to_owned(), ToString::to_string)
}

const DEBIAN: [&str; 4] = [
    "usr/bin/python3.11",
    "usr/bin/python3 -> python3.11",
    "usr/lib/python3.11/os.py",
    "usr/lib/python3/dist-packages/x",
];

#[test]
fn debian_without_headers_is_asked_through_dpkg() {
    let machine = Machine::new(&DEBIAN);
    machine.write(
        "var/lib/dpkg/status",
        "Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: python3.11-minimal\n\
         Status: install ok installed\nVersion: 3.11.2-6+deb12u6\n\nPackage: z\n",
    );
    let python = machine.python(&[]);
    assert_eq!(known(&python.executable), "/usr/bin/python3");
    assert_eq!((python.prefix.as_str(), known(&python.base_prefix).as_str()), ("/usr", "/usr"));
    assert_eq!(python.version, Reading::host("3.11.2".parse().unwrap(), "/var/lib/dpkg/status"));
    assert_eq!(python.path, ["/usr/lib/python3/dist-packages"]);
    assert_eq!(python.chosen_by, "PATH");
}

#[test]
fn a_virtual_environment_names_its_base() {
    let machine = Machine::new(&DEBIAN);
    machine.write("work/venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.11.2\n");
    symlink("/usr/bin/python3", machine.at("work/venv/bin/python")).unwrap();
    symlink("python", machine.at("work/venv/bin/python3")).unwrap();
    machine.write("work/venv/lib/python3.11/site-packages/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n");
    let facts = machine.ask(&[("VIRTUAL_ENV", "/work/venv")], None).unwrap();
    let python = facts.python.value().unwrap();
    assert_eq!(known(&python.executable), "/work/venv/bin/python3");
    assert_eq!((python.prefix.as_str(), known(&python.base_prefix).as_str()), ("/work/venv", "/usr"));
    assert_eq!(python.version, Reading::host("3.11.2".parse().unwrap(), "pyvenv.cfg"));
    assert_eq!(python.path, ["/work/venv/lib/python3.11/site-packages", "/usr/lib/python3/dist-packages"]);
    assert_eq!(facts.distributions.len(), 1);
    // The same by path, by folder, and by its bin folder.
    for named in ["/work/venv", "/work/venv/bin/python", "work/venv/bin"] {
        let python = machine.ask(&[], Some(named)).unwrap().python.value().unwrap().clone();
        assert_eq!((python.prefix.as_str(), python.chosen_by.as_str()), ("/work/venv", "--python"), "{named}");
    }
}

#[test]
fn a_virtual_environment_whose_base_is_gone_is_still_read() {
    let machine = Machine::new(&["v/bin/python3 -> /opt/gone/bin/python3.9", "v/lib/python3.9/site-packages/x"]);
    machine.write("v/pyvenv.cfg", "home = /opt/gone/bin\ninclude-system-site-packages = false\n");
    let python = machine.ask(&[], Some("/v")).unwrap().python.value().unwrap().clone();
    assert_eq!(
        python.executable,
        Reading::unreadable("`/v/bin/python3` leads to `/opt/gone/bin/python3.9`, which is not there")
    );
    assert_eq!(python.base_prefix, Reading::unreadable("pyvenv.cfg names `/opt/gone`, which is not there"));
    assert_eq!(known(&python.version), "3.9");
    assert_eq!(python.path, ["/v/lib/python3.9/site-packages"]);
}

#[test]
fn conda_is_no_virtual_environment() {
    let machine = Machine::new(&[
        "opt/conda/bin/python3.12",
        "opt/conda/bin/python -> python3.12",
        "opt/conda/lib/python3.12/os.py",
        "opt/conda/lib/python3.1 -> python3.12",
        "opt/conda/lib/python3.12/site-packages/x",
        "opt/conda/conda-meta/python-3.12.4-h37a9e06_0_cpython.json",
        "root/.local/lib/python3.12/site-packages/x",
    ]);
    let python = machine.python(&[("CONDA_PREFIX", "/opt/conda"), ("VIRTUAL_ENV", "/gone")]);
    assert_eq!(known(&python.version), "3.12.4");
    assert_eq!(python.chosen_by, "CONDA_PREFIX (VIRTUAL_ENV names `/gone`, which holds no Python)");
    assert_eq!(python.path, ["/root/.local/lib/python3.12/site-packages", "/opt/conda/lib/python3.12/site-packages"]);
}

#[test]
fn a_shim_of_pyenv_is_followed() {
    let machine = Machine::new(&DEBIAN);
    machine.write("root/.pyenv/shims/python3", "#!/usr/bin/env bash\nexec pyenv\n");
    machine.write("root/.pyenv/version", "3.13\n");
    for version in ["3.13.0", "3.13.10", "3.9.18"] {
        let library = format!("root/.pyenv/versions/{version}/lib/python{}", version.rsplit_once('.').unwrap().0);
        machine.write(&format!("root/.pyenv/versions/{version}/bin/python3"), "\x7fELF");
        machine.write(&format!("{library}/os.py"), "");
    }
    let path = ("PATH", "/root/.pyenv/shims:/usr/bin");
    let executable = |variables: &[(&str, &str)]| known(&machine.python(variables).executable);
    assert_eq!(executable(&[path]), "/root/.pyenv/versions/3.13.10/bin/python3");
    assert_eq!(executable(&[path, ("PYENV_VERSION", "3.9.18")]), "/root/.pyenv/versions/3.9.18/bin/python3");
    assert_eq!(executable(&[path, ("PYENV_VERSION", "system")]), "/usr/bin/python3");
    assert_eq!(known(&machine.python(&[path]).version), "3.13");
}

#[test]
fn a_free_threaded_build_has_folders_of_its_own() {
    let machine = Machine::new(&["o/bin/python3", "o/lib/python3.13t/os.py", "o/lib/python3.13t/site-packages/x"]);
    machine.write("o/include/python3.13t/patchlevel.h", "/* a */\n#define PY_VERSION              \"3.13.0rc2+\"\n");
    let python = machine.ask(&[], Some("/o")).unwrap().python.value().unwrap().clone();
    assert!(python.free_threaded);
    assert_eq!(known(&python.version), "3.13.0");
    assert_eq!(python.path, ["/o/lib/python3.13t/site-packages"]);
}

#[test]
fn without_any_python_the_places_are_named() {
    let machine = Machine::new(&["etc/passwd"]);
    assert!(machine.ask(&[], None).unwrap().python.is_absent());
    machine.write("usr/bin/python3", "#!/bin/sh\nexec something\n");
    let python = machine.ask(&[], None).unwrap().python;
    assert_eq!(python, Reading::unreadable("`/usr/bin/python3` is a script, and PATH holds no other"));
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let machine = Machine::new(&DEBIAN);
    machine.write("w/.venv/bin/python3", "");
    machine.write("w/.venv/bin/pip", "#!/w/.venv/bin/python3\n");
    machine.write("broken/pyvenv.cfg", "home = /usr/bin\n");
    symlink("/gone", machine.at("w/python3")).unwrap();
    let error = |python: &str| {
        let error = machine.ask(&[], Some(python)).unwrap_err();
        format!("{error} | {}", error.near().join(" "))
    };
    assert_eq!(error("/w/.venv/bin/python3.12"), "`/w/.venv/bin/python3.12` is not there | /w/.venv/bin/python3");
    assert_eq!(error("/w/venv"), "`/w/venv` is not there | /w/.venv");
    assert_eq!(error("/w"), "`/w` has no `bin/python3` or `bin/python` | /w/.venv");
    assert_eq!(error("/broken"), "`/broken` has no `bin/python3` or `bin/python`, though it has a `pyvenv.cfg` | ");
    assert_eq!(
        error("/w/.venv/bin/pip"),
        "`/w/.venv/bin/pip` is not a Python interpreter but a script | /w/.venv/bin/python3"
    );
    assert_eq!(error("/w/python3"), "`/w/python3` leads to `/gone`, which is not there | ");
    assert_eq!(error("ruby"), "`ruby` is neither in this folder nor on PATH | /usr");
    machine.write("w/.venv/lib/python3.11/site-packages/x", "");
    assert_eq!(
        error("/w/.venv/lib/python3.11"),
        "`/w/.venv/lib/python3.11` has no `bin/python3` or `bin/python` | /w/.venv"
    );
    assert_eq!(
        known(&machine.ask(&[], Some("3.11")).unwrap().python.value().unwrap().executable),
        "/usr/bin/python3.11"
    );
}
