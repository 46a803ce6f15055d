//! `gpudoc resolve --emit`: the files are what their readers take, and the scripts do what they say.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use gpudoc::emit::{Answer, script};
use gpudoc::rules::requirement::parse;
use gpudoc::rules::{Target, TargetGpu, embedded};
use gpudoc::solve::{AskedRequirement, Request, solve};

const SET: &[&str] = &["torch==2.7.1", "torchvision==0.22.1", "flash-attn==2.8.3"];

fn emit(kind: &str, lines: &[&str], more: &[&str]) -> Output {
    let target = ["--gpu", "RTX 5090", "--driver", "570.133.20", "--python", "3.11", "--platform", "linux_x86_64"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
    command.args(["resolve", "--emit", kind, "--glibc", "2.35"]).args(target).args(lines).args(more);
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Whether bash reads a text as a script.
fn is_bash(text: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a script's name.sh");
    std::fs::write(&file, text).unwrap();
    Command::new("bash").arg("-n").arg(&file).status().unwrap().success()
}

#[test]
fn every_kind_is_written_and_says_what_it_is_for() {
    for kind in ["constraints", "requirements", "uv", "pip", "dockerfile", "conda", "script"] {
        let text = stdout(&emit(kind, SET, &[]));
        assert!(text.contains("RTX 5090 (compute capability 12.0), driver 570.133.20"), "{kind}: {text}");
        assert!(text.contains("torch==2.7.1+cu128") && text.contains("/whl/cu128"), "{kind}: {text}");
        assert!(text.ends_with('\n') && !text.lines().any(|line| line.ends_with(' ')), "{kind}: {text}");
    }
}

#[test]
fn the_order_of_the_lines_does_not_matter_to_what_is_covered() {
    for kind in ["requirements", "uv", "pip", "dockerfile", "conda", "script"] {
        let forward = stdout(&emit(kind, SET, &[]));
        let backward = stdout(&emit(kind, &[SET[2], SET[1], SET[0]], &[]));
        assert_eq!(forward, backward, "{kind}");
    }
}

#[test]
fn shells_read_the_commands() {
    let odd = ["torch==2.7.1", "flash-attn==2.8.3", "odd @ https://example.org/it's$(touch%20x)/a;b.zip"];
    for kind in ["pip", "script"] {
        let text = stdout(&emit(kind, &odd, &[]));
        assert!(is_bash(&text), "{text}");
        assert!(text.contains(r#""odd @ https://example.org/it's"'$(touch%20x)/a;b.zip'"#), "{text}");
    }
    assert!(!is_bash("if true; then"), "bash says no where it must");
}

#[test]
fn what_the_user_brings_along_is_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("requirements.in");
    let lines = "torch==2.7.1\nutils3d @ git+https://github.com/EasternJournalist/utils3d.git\n./lib\n";
    std::fs::write(&file, lines).unwrap();
    std::fs::create_dir(folder.path().join("lib")).unwrap();
    let of = |kind: &str| emit(kind, &["-r", file.to_str().unwrap()], &[]);
    let git = "utils3d @ git+https://github.com/EasternJournalist/utils3d.git";
    for kind in ["requirements", "conda", "pip", "dockerfile", "script", "uv"] {
        assert_eq!(stdout(&of(kind)).matches(git).count(), 1, "{kind}: {}", stdout(&of(kind)));
    }
    assert!(stdout(&of("requirements")).contains("\n./lib\n"));
    assert!(stdout(&of("conda")).contains("\n      - \"./lib\"\n"));
    assert!(stdout(&of("pip")).contains(" ./lib "), "{}", stdout(&of("pip")));
    assert!(stdout(&of("dockerfile")).contains(" git "), "pip needs git for it");
    let uv = of("uv");
    assert!(!stdout(&uv).contains("./lib"));
    let said = String::from_utf8_lossy(&uv.stderr).into_owned();
    assert!(said.contains("so left out: `./lib`"), "{said}");
}

#[test]
fn hashes_belong_to_requirements() {
    let output = emit("pip", &["torch==2.7.1"], &["--hashes"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`--hashes` goes with `--emit requirements`"));
    let output = emit("requirements", &["triton==3.3.1"], &["--hashes"]);
    let hash = "triton==3.3.1 --hash=sha256:b31e3aa26f8cb3cc5bf4e187bf737cbacf17311e1112b781d4a059353dfd731b";
    assert!(stdout(&output).contains(hash), "the wheel for CPython 3.11");
}

#[test]
fn nothing_is_written_where_nothing_fits() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Dockerfile");
    let output = emit("dockerfile", &["torch==2.6.0", "triton<3"], &["-o", file.to_str().unwrap()]);
    assert_eq!((output.status.code(), file.exists()), (Some(1), false));
}

/// Writes a program of a few shell lines into a folder.
fn program(folder: &Path, name: &str, lines: &str) {
    let file = folder.join(name);
    std::fs::write(&file, format!("#!/usr/bin/env bash\n{lines}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A pod: programs that note how they are called instead of doing anything.
struct Pod {
    folder: tempfile::TempDir,
}

impl Pod {
    fn new(driver: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        program(&bin, "nvidia-smi", &format!("printf '%s\\n' {driver} {driver}"));
        for name in ["gpudoc", "apt-get", "sudo", "dpkg", "curl", "apt-cache"] {
            program(&bin, name, &format!("echo \"{name} $*\" >>\"$LOG\"; echo \"LD=$LD_LIBRARY_PATH\" >>\"$LOG\""));
        }
        let made = "mkdir -p \"$3/bin\"; touch \"$3/bin/activate\"; cp \"$0\" \"$3/bin/python\"";
        let python = format!("echo \"python $*\" >>\"$LOG\"; if [ \"$2\" = venv ]; then {made}; fi");
        program(&bin, "a python", &python);
        Self { folder }
    }

    /// Runs a script, and returns its exit status, its errors and what was called.
    fn run(&self, script: &str) -> (Option<i32>, String, String) {
        let at = self.folder.path();
        let log = at.join("log");
        std::fs::write(&log, "").unwrap();
        let path = format!("{}:{}", at.join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.arg("-c").arg(script).env("PATH", path).env("LOG", &log).env("LD_LIBRARY_PATH", "/own");
        command.env("VENV", at.join("my venv")).env("PYTHON", at.join("bin/a python")).env_remove("VIRTUAL_ENV");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said, std::fs::read_to_string(&log).unwrap())
    }
}

#[test]
fn a_script_installs_in_order_and_checks_and_may_run_again() {
    let script = stdout(&emit("script", SET, &[]));
    let pod = Pod::new("570.133.20");
    let (code, said, first) = pod.run(&script);
    assert_eq!(code, Some(0), "{said}");
    let calls: Vec<_> = first.lines().filter(|line| !line.starts_with("LD=")).collect();
    let place = |words: &str| calls.iter().position(|call| call.contains(words)).unwrap();
    assert!(place("-m venv") < place("torch==2.7.1+cu128"));
    assert!(place("torch==2.7.1+cu128") < place("--no-build-isolation flash-attn==2.8.3"));
    assert!(calls.last().unwrap().starts_with("gpudoc check --python "), "{first}");
    assert!(first.contains("LD=/own\n"), "the loader's path is left alone");
    let (code, _, second) = pod.run(&script);
    let again: Vec<_> = first.lines().filter(|line| !line.contains("-m venv")).collect();
    assert_eq!((code, second.lines().collect::<Vec<_>>()), (Some(0), again), "only the environment is not made again");
}

#[test]
fn a_script_stops_at_an_old_driver() {
    let script = stdout(&emit("script", &["torch==2.7.1"], &[]));
    let (code, said, calls) = Pod::new("520.61.05").run(&script);
    assert_eq!((code, calls.as_str()), (Some(1), ""));
    assert_eq!(said, "error: CUDA 12.8 needs driver 525.60.13 or newer, but 520.61.05 is loaded\n");
}

/// torch for CUDA 13.0 on an H100 whose driver is of the branch 570.
fn with_compat() -> String {
    let db = embedded();
    let model = db.gpu_by_loose_name("H100").unwrap();
    let (label, class) = ("H100".to_owned(), model.class);
    let gpu =
        TargetGpu { name: label.clone(), label, index: None, capability: model.capability, class, memory: Vec::new() };
    let target = Target {
        gpus: vec![gpu],
        driver: "570.133.20".parse().ok(),
        compat: "580.65.06".parse().ok(),
        python: "3.12".parse().ok(),
        platform: Some("linux_x86_64".to_owned()),
        ..Target::default()
    };
    let asked = AskedRequirement::new(parse("torch==2.9.1+cu130").unwrap(), "a test");
    let request = Request { target, requirements: vec![asked], ..Request::default() };
    let resolution = solve(&request, db).unwrap();
    let lines = &request.requirements;
    script(&Answer { resolution: &resolution, targets: &[&request.target], db, lines, taken: &[], overridden: &[] })
        .text
}

#[test]
fn forward_compatibility_comes_first_and_only_where_it_is_needed() {
    let script = with_compat();
    assert!(is_bash(&script), "{script}");
    let pod = Pod::new("570.133.20");
    let (code, said, calls) = pod.run(&script);
    assert_eq!(code, Some(0), "{said}");
    assert!(calls.contains("apt-get install --yes --no-install-recommends cuda-compat-13-0\n"), "{calls}");
    assert!(calls.contains("gpudoc check"), "{calls}");
    assert!(calls.ends_with("LD=/usr/local/cuda-13.0/compat:/own\n"), "{calls}");
    pod.run(&script);
    let activate = std::fs::read_to_string(pod.folder.path().join("my venv/bin/activate")).unwrap();
    assert_eq!(
        activate, "export LD_LIBRARY_PATH=\"/usr/local/cuda-13.0/compat${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\"\n",
        "once, though the script ran twice"
    );
    let (code, _, calls) = Pod::new("580.95.05").run(&script);
    assert_eq!(code, Some(0));
    assert!(!calls.contains("cuda-compat") && calls.ends_with("LD=/own\n"), "580 runs CUDA 13.0: {calls}");
    let (code, said, _) = Pod::new("560.35.03").run(&script);
    assert_eq!(code, Some(1));
    assert!(said.contains("cuda-compat-13-0 does not work on that branch"), "{said}");
}
