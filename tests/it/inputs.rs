//! `gpudoc resolve -r`: requirements as projects keep them.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::process::{Command, Output};

use gpudoc::commands::file::Disk;
use gpudoc::project::pyproject::Selection;
use gpudoc::rules::Target;
use gpudoc::rules::requirement::markers;
use gpudoc::session::asked::{Inputs, Respected, without_credentials};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn resolve(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let host = ["--platform", "linux_x86_64", "--glibc", "2.35", "--gpu", "H100", "--driver", "580.65.06"];
    let mut gpudoc = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
    gpudoc.current_dir(folder).env_remove("UNSET").env("TOKEN", "s3cret");
    let Output { status, stdout, stderr } =
        gpudoc.arg("resolve").args(host).args(["--python", "3.12"]).args(args).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn read(folder: &Path, file: &str, selection: &Selection) -> Inputs {
    let mut inputs = Inputs::default();
    inputs.read(&Disk, &folder.join(file), false, selection).unwrap();
    inputs
}

#[test]
fn requirements_include_others_and_what_cannot_be_judged_is_named() {
    let folder = folder(&[
        (
            "requirements.txt",
            "\u{feff}--extra-index-url https://user:${TOKEN}@host/whl/cu128\r\n-r sub/base.txt\r\n-c sub/limits.txt\r\n\
             -e .\r\nutils3d @ git+https://${TOKEN}@github.com/x/utils3d.git\r\n",
        ),
        ("sub/base.txt", "torch \\\n  >=2.6\n-r ../requirements-none.txt # beside the other\n"),
        ("requirements-none.txt", "# nothing\n"),
        ("sub/limits.txt", "torch<2.8\n"),
    ]);
    let (code, out, err) = resolve(folder.path(), &["-r", "requirements.txt"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("torch==2.7.1"), "{out}");
    assert!(!out.contains("utils3d") && !err.contains("s3cret"), "{out}{err}");
    let note = "note: taken as they are, and not judged: . (requirements.txt:4) and utils3d @ \
                git+https://github.com/x/utils3d.git (requirements.txt:5)";
    assert!(err.contains(note), "{err}");
    assert!(err.contains("neither pinned nor judged: . and utils3d"), "{err}");
}

#[test]
fn all_errors_of_all_files_come_at_once_with_their_places() {
    let folder = folder(&[
        ("req.in", "torch\n-r more.in\n  triton=>3\n"),
        ("more.in", "numpy==1.26 scipy\n--extra-index-ulr https://host\n"),
    ]);
    let (code, out, err) = resolve(folder.path(), &["-r", "req.in"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    for part in [
        "req.in:3:9: `=>3` is not a version specifier",
        "write `triton>=3`",
        "more.in:1:6: `==1.26 scipy` is more than the versions of one package; put each requirement on a line of its own",
        "more.in:2:1: a requirements file has no option `--extra-index-ulr`; write `--extra-index-url`",
    ] {
        assert!(err.contains(part), "{part}\n{err}");
    }
}

#[test]
fn a_circle_of_includes_is_an_error_and_a_second_mention_is_not() {
    let folder = folder(&[
        ("a.txt", "-r ./b.txt\n"),
        ("b.txt", "-r ../x/../a.txt\n"),
        ("c.txt", "torch\n-r c1.txt\n-r c1.txt\n"),
    ]);
    std::fs::create_dir(folder.path().join("x")).unwrap();
    std::fs::write(folder.path().join("c1.txt"), "numpy\n").unwrap();
    std::fs::write(folder.path().join("b.txt"), "-r x/../a.txt\n").unwrap();
    let (code, _, err) = resolve(folder.path(), &["-r", "a.txt"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("a.txt` includes itself") && err.contains("included from "), "{err}");
    assert_eq!(read(folder.path(), "c.txt", &Selection::default()).items.len(), 2);
}

const PROJECT: &str = r#"[project]
name = "mine"
requires-python = ">=3.10,<3.12"
dependencies = ["torch>=2.6"]
[project.optional-dependencies]
quant = ["bitsandbytes>=0.45"]
[dependency-groups]
dev = ["torchvision"]
[tool.uv]
constraint-dependencies = ["torch<2.8"]
[tool.uv.sources]
torch = { index = "pytorch-cu126", marker = "sys_platform == 'linux'" }
[[tool.uv.index]]
name = "pytorch-cu126"
url = "https://download.pytorch.org/whl/cu126"
explicit = true
"#;

#[test]
fn a_project_is_read_with_what_is_chosen_of_it() {
    let folder = folder(&[("pyproject.toml", PROJECT)]);
    let names = |args: &[&str]| {
        let (code, out, err) = resolve(folder.path(), &[&["-r", "pyproject.toml"], args].concat());
        assert_eq!(code, Some(0), "{err}");
        let listed = |name: &str| out.lines().any(|line| line.starts_with(&format!("{name}==")));
        (listed("torch"), listed("torchvision"), listed("bitsandbytes"))
    };
    assert_eq!(names(&[]), (true, false, false));
    assert_eq!(names(&["--group", "dev"]), (true, true, false));
    assert_eq!(names(&["--extra", "quant"]), (true, false, true));
    assert_eq!(names(&["--all-groups", "--all-extras"]), (true, true, true));
    let (_, out, err) = resolve(folder.path(), &["-r", "pyproject.toml"]);
    assert!(out.contains("torch==2.7.1"), "the project's own constraint: {out}");
    assert!(err.contains("pyproject.toml:3: the project needs Python >=3.10, <3.12, not 3.12"), "{err}");
    let (code, _, err) = resolve(folder.path(), &["-r", "pyproject.toml", "--group", "dve"]);
    assert!(code == Some(2) && err.contains("no dependency group is named `dve`; there is `dev`"), "{err}");
    let (code, _, err) = resolve(folder.path(), &["torch", "--extra", "quant"]);
    assert!(code == Some(2) && err.contains("give it with `-r pyproject.toml`"), "{err}");
    let (code, out, _) = resolve(folder.path(), &["torch", "-c", "pyproject.toml"]);
    assert!(code == Some(0) && out.contains("torch==2.7.1"), "{out}");
}

#[test]
fn indexes_are_collected_for_all_and_for_one() {
    let text = "--index-url https://download.pytorch.org/whl/cu126\n--extra-index-url https://pypi.org/simple\ntorch\n";
    let folder = folder(&[("pyproject.toml", PROJECT), ("req.txt", text)]);
    let inputs = read(folder.path(), "req.txt", &Selection::default());
    let indexes: Vec<_> = inputs.indexes.iter().map(|index| (index.url.as_str(), index.extra)).collect();
    assert_eq!(indexes, [("https://download.pytorch.org/whl/cu126", false), ("https://pypi.org/simple", true)]);
    assert!(inputs.indexes[1].place.ends_with("req.txt:2"), "{:?}", inputs.indexes);
    let inputs = read(folder.path(), "pyproject.toml", &Selection::default());
    assert!(inputs.indexes.is_empty(), "an explicit index is for those that name it");
    let on = |platform: &str| {
        let python = "3.11".parse().ok();
        let target = Target { python, platform: Some(platform.to_owned()), ..Target::default() };
        inputs.index_of("torch", &markers(&target).unwrap()).map(|index| (index.url.clone(), index.place.clone()))
    };
    let (url, place) = on("linux_x86_64").unwrap();
    assert_eq!(url, "https://download.pytorch.org/whl/cu126");
    assert!(place.ends_with("pyproject.toml:15"), "{place}");
    assert_eq!(on("windows_amd64"), None);
}

#[test]
fn wheels_that_the_rules_know_are_pins_and_others_are_respected() {
    let text = "https://download.pytorch.org/whl/cu128/torch-2.7.1%2Bcu128-cp312-cp312-manylinux_2_28_x86_64.whl\n\
                https://host/torchvision-0.22.1%2Bmine-cp312-cp312-linux_x86_64.whl\n./kaolin-0.17.0-cp312-cp312-linux_x86_64.whl\n";
    let folder = folder(&[("req.txt", text)]);
    let inputs = read(folder.path(), "req.txt", &Selection::default());
    let settled = inputs.settle(gpudoc::rules::embedded());
    let names: Vec<_> = settled.respected.iter().map(|Respected { name, .. }| name.as_deref()).collect();
    assert_eq!(names, [Some("torchvision"), Some("kaolin")]);
    assert_eq!(settled.requirements[0].requirement.to_string(), "torch==2.7.1+cu128");
    let (code, out, err) = resolve(folder.path(), &["-r", "req.txt", "triton"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("torch==2.7.1+cu128") && !out.contains("torchvision=="), "{out}");
}

#[test]
fn an_override_holds_instead_of_what_was_asked() {
    let text = "[project]\nname='m'\ndependencies=['numpy<2']\n[tool.uv]\noverride-dependencies=['numpy>=2.1']\n";
    let folder = folder(&[("pyproject.toml", text)]);
    let settled = read(folder.path(), "pyproject.toml", &Selection::default()).settle(gpudoc::rules::embedded());
    assert_eq!(settled.requirements[0].requirement.to_string(), "numpy");
    assert_eq!(settled.constraints[0].requirement.to_string(), "numpy>=2.1");
}

#[test]
fn setuptools_keeps_dependencies_in_a_file_beside() {
    let text =
        "[project]\nname='m'\ndynamic=['dependencies']\n[tool.setuptools.dynamic]\ndependencies={file=['req.txt']}\n";
    let folder = folder(&[("pyproject.toml", text), ("req.txt", "torch==2.6.0\n")]);
    let inputs = read(folder.path(), "pyproject.toml", &Selection::default());
    assert_eq!((inputs.items.len(), inputs.items[0].text.as_str()), (1, "torch==2.6.0"));
    std::fs::write(folder.path().join("pyproject.toml"), "[project]\nname='m'\ndynamic=['dependencies']\n").unwrap();
    let inputs = read(folder.path(), "pyproject.toml", &Selection::default());
    assert!(inputs.items.is_empty() && inputs.notes[0].contains("are not read"), "{:?}", inputs.notes);
}

#[test]
fn credentials_stay_out_of_texts() {
    assert_eq!(without_credentials("a @ https://user:secret@host/x?y=a@b"), "a @ https://host/x?y=a@b");
    assert_eq!(without_credentials("git+ssh://git@host/x"), "git+ssh://git@host/x");
    assert_eq!(without_credentials("torch>=2"), "torch>=2");
}
