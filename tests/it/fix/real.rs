//! Real environments, real installers: pip and uv, with tiny wheels in a folder in place of an index. Where this machine has no
//! Python with venv and pip, or no uv, the test says so and looks at nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Told, photograph};

/// Which installer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Pip,
    Uv,
}

struct Real {
    folder: tempfile::TempDir,
    tool: Tool,
}

fn ran(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Real {
    /// torch 2.7.1+cpu beside a torchvision for 2.6.0, installed by this tool; none where the machine has not got it.
    fn new(tool: Tool) -> Option<Self> {
        let this = Self { folder: tempfile::tempdir().unwrap(), tool };
        let made = match tool {
            Tool::Pip => ran(Command::new("python3").args(["-m", "venv"]).arg(this.path())),
            Tool::Uv => ran(this.uv(&["venv", "--no-project", "--offline"]).arg(this.path())),
        };
        if !made {
            eprintln!("skipped: no environment could be made with {tool:?}");
            return None;
        }
        fs::create_dir(this.wheels()).unwrap();
        let torch =
            this.wheel("torch", "2.7.1+cpu", &[("torch/version.py", "__version__ = '2.7.1+cpu'\ncuda = None\n")]);
        let vision =
            this.wheel("torchvision", "0.21.0+cpu", &[("torchvision/a.py", "old"), ("nvidia/shared.py", "old")]);
        let installed = match tool {
            Tool::Pip => {
                ran(this.python().args(["-m", "pip", "install", "--no-deps", "--no-index"]).args([&torch, &vision]))
            }
            Tool::Uv => {
                let arguments = ["pip", "install", "--no-deps", "--offline", "--python"];
                ran(this.uv(&arguments).arg(this.path()).args([&torch, &vision]))
            }
        };
        assert!(installed, "the tiny wheels install with {tool:?}");
        fs::remove_file(torch).unwrap();
        Some(this)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("venv")
    }

    fn wheels(&self) -> PathBuf {
        self.folder.path().join("wheels")
    }

    fn python(&self) -> Command {
        Command::new(self.path().join("bin/python"))
    }

    fn uv(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("uv");
        command.args(arguments).env("UV_CACHE_DIR", self.folder.path().join("cache"));
        command
    }

    /// Writes a wheel with these files.
    fn wheel(&self, name: &str, version: &str, files: &[(&str, &str)]) -> PathBuf {
        let requires =
            if name == "torchvision" && version.starts_with("0.21") { "Requires-Dist: torch==2.6.0\n" } else { "" };
        let info = format!("{name}-{version}.dist-info");
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}");
        let wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        let mut all: Vec<(String, String)> =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        all.push((format!("{info}/METADATA"), metadata));
        all.push((format!("{info}/WHEEL"), wheel.to_owned()));
        let record: String = all.iter().map(|(path, _)| format!("{path},,\n")).collect();
        all.push((format!("{info}/RECORD"), format!("{record}{info}/RECORD,,\n")));
        let path = self.wheels().join(format!("{name}-{version}-py3-none-any.whl"));
        fs::write(&path, zip(&all)).unwrap();
        path
    }

    /// The wheels that the plan asks for.
    fn provide(&self) {
        let told = self.fix(&["--format", "json"], &[]);
        let plan: serde_json::Value = serde_json::from_str(&told.out).unwrap_or_else(|_| panic!("{told:?}"));
        for pin in plan["requirements"].as_array().unwrap() {
            let (name, version) = pin.as_str().unwrap().split_once("==").unwrap();
            self.wheel(name, version, &[(&format!("{name}/a.py"), "new"), ("nvidia/shared.py", name)]);
        }
    }

    /// Runs `gpudoc fix` where the folder of wheels is all that there is.
    fn fix(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Told {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
        command.arg("fix").args(arguments).arg("--python").arg(self.path()).stdin(Stdio::null());
        for name in ["VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH"] {
            command.env_remove(name);
        }
        command.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", self.wheels()).env("PIP_CONFIG_FILE", "/dev/null");
        command
            .env("UV_NO_INDEX", "1")
            .env("UV_OFFLINE", "1")
            .env("UV_FIND_LINKS", self.wheels())
            .env("UV_CACHE_DIR", self.folder.path().join("cache"));
        command.env("TMPDIR", self.folder.path()).envs(variables.iter().copied()).current_dir(self.folder.path());
        Told::of(&command.output().unwrap())
    }

    fn photograph(&self) -> std::collections::BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)> {
        let mut seen = std::collections::BTreeMap::new();
        photograph(&self.path(), &mut seen);
        seen
    }
}

/// A zip archive of stored files.
fn zip(files: &[(String, String)]) -> Vec<u8> {
    fn crc(bytes: &[u8]) -> u32 {
        let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
    }
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (path, text) in files {
        let (size, length) = (u32::try_from(text.len()).unwrap(), u16::try_from(path.len()).unwrap());
        let offset = u32::try_from(archive.len()).unwrap();
        // Version 2.0, no flags, stored, 1980-01-01.
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend(crc(text.as_bytes()).to_le_bytes());
        common.extend([size.to_le_bytes(), size.to_le_bytes()].concat());
        common.extend([length.to_le_bytes(), [0, 0]].concat());
        archive.extend([b"PK\x03\x04".as_slice(), &common, path.as_bytes(), text.as_bytes()].concat());
        let attributes = [[0; 6].as_slice(), &(0o100_644_u32 << 16).to_le_bytes(), &offset.to_le_bytes()].concat();
        directory.extend([b"PK\x01\x02\x14\x03".as_slice(), &common, &attributes, path.as_bytes()].concat());
    }
    let (count, size) = (u16::try_from(files.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    let start = u32::try_from(archive.len()).unwrap();
    let counts = [count.to_le_bytes(), count.to_le_bytes()].concat();
    let end = [[0; 4].as_slice(), &counts, &size.to_le_bytes(), &start.to_le_bytes(), &[0, 0]].concat();
    [archive, directory, b"PK\x05\x06".to_vec(), end].concat()
}

/// One environment serves all: whatever is tried on it, it comes back.
fn all(tool: Tool) {
    let Some(real) = Real::new(tool) else { return };
    without_the_wheel_or_the_network_nothing_changes(&real);
    real.provide();
    a_plan_is_tried_applied_and_taken_back(&real);
    files_that_two_distributions_share_come_back(&real);
}

#[test]
fn pip() {
    all(Tool::Pip);
}

#[test]
fn uv() {
    all(Tool::Uv);
}

fn a_plan_is_tried_applied_and_taken_back(real: &Real) {
    let before = real.photograph();
    let told = real.fix(&["--try"], &[]);
    assert_eq!(told.code, Some(0), "{:?}: {told:?}", real.tool);
    assert!(told.out.contains("gone     requirement/torchvision/torch"), "{told:?}");
    assert_eq!(real.photograph(), before, "{:?}: a try touches nothing", real.tool);

    let told = real.fix(&["--apply", "--yes"], &[]);
    assert_eq!(told.code, Some(0), "{:?}: {told:?}", real.tool);
    assert_eq!(fs::read_to_string(site(&real.path()).join("torchvision/a.py")).unwrap(), "new");

    let told = real.fix(&["--undo"], &[]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(real.photograph(), before, "{:?}", real.tool);
}

/// Two wheels hold a file of the same path: an older uv, where it copies, writes into the old one.
fn files_that_two_distributions_share_come_back(real: &Real) {
    let other = real.wheel("other", "1", &[("nvidia/shared.py", &"other\n".repeat(100_000))]);
    let installed = match real.tool {
        Tool::Pip => ran(real.python().args(["-m", "pip", "install", "--no-deps", "--no-index"]).arg(&other)),
        Tool::Uv => {
            ran(real.uv(&["pip", "install", "--offline", "--no-deps", "--python"]).arg(real.path()).arg(&other))
        }
    };
    assert!(installed);
    let before = real.photograph();
    assert_eq!(real.fix(&["--apply", "--yes"], &[("UV_LINK_MODE", "copy")]).code, Some(0));
    assert_ne!(real.photograph(), before);
    assert_eq!(real.fix(&["--undo"], &[]).code, Some(0));
    assert_eq!(real.photograph(), before, "{:?}", real.tool);
}

fn without_the_wheel_or_the_network_nothing_changes(real: &Real) {
    let before = real.photograph();
    let told = real.fix(&["--apply", "--yes"], &[]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.contains("failed") && told.err.contains("torchvision==0."), "{told:?}");
    assert_eq!(real.photograph(), before, "{:?}: no wheel", real.tool);

    // Nobody listens there, and nobody is asked twice.
    let nowhere = "http://127.0.0.1:9/simple";
    let network = [
        ("PIP_NO_INDEX", "0"),
        ("PIP_INDEX_URL", nowhere),
        ("UV_NO_INDEX", "0"),
        ("UV_OFFLINE", "0"),
        ("UV_DEFAULT_INDEX", nowhere),
        ("PIP_RETRIES", "0"),
        ("UV_HTTP_RETRIES", "0"),
        ("HTTPS_PROXY", "http://127.0.0.1:9"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
    ];
    let told = real.fix(&["--apply", "--yes"], &network);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.contains("step 1 of 1 failed"), "{told:?}");
    assert_eq!(real.photograph(), before, "{:?}: no network", real.tool);
}

fn site(venv: &Path) -> PathBuf {
    let lib = fs::read_dir(venv.join("lib")).unwrap().next().unwrap().unwrap().path();
    lib.join("site-packages")
}
