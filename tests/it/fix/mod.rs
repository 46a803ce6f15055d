//! `gpudoc fix`: the script, a try on a copy, the real thing with its way back, and everything that may go wrong on the way.
//!
//! The environments are folders made on the spot. Most have a `python3` that is a shell script: gpudoc never runs it to look at
//! the environment, and as an installer it does what a test needs: half of an installation, nothing at all, or the end of gpudoc.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::print_stderr, reason = "who reads the log must see what was not looked at")]
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

mod apply;
mod cut_short;
mod full;
mod real;

/// torchvision 0.21.0 was built for torch 2.6.0.
const TOO_OLD: &str = "0.21.0+cpu";
const SITE: &str = "lib/python3.11/site-packages";

struct Environment {
    folder: tempfile::TempDir,
}

impl Environment {
    /// torch beside a torchvision that was built for another, a large library, many files, a script and a link.
    fn new() -> Self {
        let this = Self { folder: tempfile::tempdir().unwrap() };
        this.write("pyvenv.cfg", "home = /usr/bin\nversion = 3.11.9\ninclude-system-site-packages = false\n");
        this.distribution("torch", "2.7.1+cpu", "");
        this.write(&format!("{SITE}/torch/version.py"), "__version__ = '2.7.1+cpu'\ncuda = None\n");
        this.distribution("torchvision", TOO_OLD, "Requires-Dist: torch==2.6.0\n");
        this.write(&format!("{SITE}/torchvision/image.bin"), &"large ".repeat(100_000));
        this.distribution("idna", "3.10", "");
        this.distribution("pip", "25.3", "");
        for number in 0..200 {
            this.write(&format!("{SITE}/torch/models/m{number}.py"), &format!("number = {number}\n"));
        }
        this.write("bin/tool", "#!/bin/sh\n");
        this.write("mine/before", "a project around the environment");
        std::os::unix::fs::symlink("lib", this.path().join("lib64")).unwrap();
        this.installer("exit 0");
        this
    }

    fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("venv")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn distribution(&self, name: &str, version: &str, more: &str) {
        let info = format!("{SITE}/{name}-{version}.dist-info");
        self.write(
            &format!("{info}/METADATA"),
            &format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}"),
        );
        self.write(&format!("{info}/INSTALLER"), "pip\n");
        self.write(&format!("{info}/RECORD"), &format!("{name}/__init__.py,,\n{info}/RECORD,,\n"));
        self.write(&format!("{SITE}/{name}/__init__.py"), &format!("__version__ = '{version}'\n"));
    }

    /// What `python3 -m pip …` does: a shell script in the environment's folder.
    fn installer(&self, script: &str) {
        let text = format!("#!/bin/sh\ncd {} || exit 9\n{script}\n", self.path().display());
        self.write("bin/python3", &text);
        fs::set_permissions(self.path().join("bin/python3"), Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
        command.arg("fix").args(arguments).arg("--python").arg(self.path()).stdin(Stdio::null());
        for name in ["VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH"] {
            command.env_remove(name);
        }
        command.env("TMPDIR", self.folder.path()).current_dir(self.folder.path());
        command
    }

    fn fix(&self, arguments: &[&str]) -> Told {
        Told::of(&self.command(arguments).output().unwrap())
    }

    /// The pins of the plan.
    fn pins(&self) -> Vec<(String, String)> {
        let plan: Value = serde_json::from_str(&self.fix(&["--format", "json"]).out).unwrap();
        let pins = plan["requirements"].as_array().unwrap().iter();
        let pins: Vec<_> = pins.map(|pin| pin.as_str().unwrap().split_once("==").unwrap()).collect();
        assert!(pins.iter().any(|(name, _)| *name == "torchvision"), "another plan: {plan}");
        pins.into_iter().map(|(name, version)| (name.to_owned(), version.to_owned())).collect()
    }

    /// The parts of the installation that the plan asks for, as pip would do it; each leaves the environment in another state.
    fn steps(&self) -> Vec<String> {
        steps(&self.pins())
    }

    /// All that can be told of the environment from outside, but for gpudoc's own folder and what is somebody else's.
    fn photograph(&self) -> BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)> {
        let mut seen = BTreeMap::new();
        photograph(&self.path(), &mut seen);
        seen
    }
}

fn steps(pins: &[(String, String)]) -> Vec<String> {
    let mut steps = vec![
        format!("mv {SITE}/torchvision {SITE}/~orchvision"),
        format!("mv {SITE}/torchvision-{TOO_OLD}.dist-info {SITE}/~orchvision-{TOO_OLD}.dist-info"),
    ];
    for (name, version) in pins {
        let info = format!("{SITE}/{name}-{version}.dist-info");
        steps.extend([
            format!("mkdir -p {SITE}/{name}/__pycache__ && echo x > {SITE}/{name}/__pycache__/x.pyc"),
            format!("echo \"__version__ = '{version}'\" > {SITE}/{name}/__init__.py"),
            format!("echo other > {SITE}/{name}/image.bin"),
            format!("mkdir {info} && printf 'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n' > {info}/METADATA"),
            format!("printf '{name}/__init__.py,,\\n../../../data/{name},,\\n' > {info}/RECORD"),
        ]);
    }
    steps.push("mkdir -p share/new data mine && echo a > share/new/a && echo a > data/torchvision".to_owned());
    steps.push("echo later >> bin/tool && chmod 700 bin/tool && touch mine/file".to_owned());
    steps.push(format!("rm -r {SITE}/~orchvision*"));
    steps
}

fn photograph(folder: &Path, seen: &mut BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == ".gpudoc" || name == "mine") {
            continue;
        }
        let metadata = fs::symlink_metadata(&path).unwrap();
        let content = if metadata.is_symlink() {
            fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else if metadata.is_dir() {
            photograph(&path, seen);
            Vec::new()
        } else {
            fs::read(&path).unwrap()
        };
        seen.insert(path, (metadata.mode(), metadata.mtime(), metadata.mtime_nsec(), content));
    }
}

#[derive(Debug)]
struct Told {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Told {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

fn wait_for(path: &Path) {
    let end = Instant::now() + Duration::from_secs(60);
    while !path.exists() {
        assert!(Instant::now() < end, "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}
