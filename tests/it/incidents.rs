//! The incidents that gpudoc was asked for, as the files of their projects: what `lint` and `impact --edit` find and propose.
//!
//! The answers were worked out from wheels and vendor pages: no build of torch 2.6 has code for compute capability 12.0, and
//! 2.7.1+cu128 does; torch 2.6.0 pins triton 3.2.0, which has no `triton.ops`; bitsandbytes needs that up to 0.45.0, and has
//! kernels for 12.0 from 0.45.3 on; vLLM 0.11.0 and xformers 0.0.32.post1 pin torch 2.8.0.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pep440_rs::{Version, VersionSpecifiers};
use serde_json::Value;

fn projects() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/projects")
}

/// A copy of a project, for other machines if they are named.
fn copy(name: &str, target: Option<&str>) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(projects().join(name)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    if let Some(target) = target {
        std::fs::write(copy.path().join("gpudoc.toml"), target).unwrap();
    }
    copy
}

fn target(gpu: &str, driver: &str, python: &str) -> String {
    format!("[target.pod]\ngpu = [\"{gpu}\"]\ndriver = \"{driver}\"\npython = \"{python}\"\n")
}

fn gpudoc(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut gpudoc = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
    let Output { status, stdout, stderr } = gpudoc.current_dir(folder).args(args).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

struct Linted {
    findings: Vec<Value>,
}

impl Linted {
    fn of(folder: &Path) -> Self {
        let (_, out, err) = gpudoc(folder, &["lint", "--format", "json"]);
        let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        Self { findings: report["findings"].as_array().unwrap().clone() }
    }

    /// `file:line id`, each once.
    fn places(&self) -> BTreeSet<String> {
        let place = |one: &Value| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            format!("{}:{} {}", text("file"), one["line"], text("id"))
        };
        self.findings.iter().map(place).collect()
    }

    fn has(&self, places: &[&str]) {
        let all = self.places();
        let lacking: Vec<_> = places.iter().filter(|place| !all.contains(**place)).collect();
        assert!(lacking.is_empty(), "{lacking:?} are not among {all:#?}");
    }

    /// All that is said of a line.
    fn said(&self, file: &str, line: u64) -> String {
        let own = self.findings.iter().filter(|one| one["file"] == file && one["line"] == line);
        own.map(|one| format!("{} {}\n", one["message"], one["notes"])).collect()
    }

    fn edits(&self) -> Vec<&Value> {
        self.findings.iter().filter_map(|one| one["edits"].as_array()).flatten().collect()
    }
}

/// The proposed edits carried out at once, none of them about the bytes or the line of another finding's.
fn edited(folder: &Path, linted: &Linted) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let mut lines: BTreeMap<(String, usize), usize> = BTreeMap::new();
    for (number, finding) in linted.findings.iter().enumerate() {
        for edit in finding["edits"].as_array().into_iter().flatten() {
            let file = edit["file"].as_str().unwrap().to_owned();
            let text = std::fs::read_to_string(folder.join(&file)).unwrap();
            let start = usize::try_from(edit["start"].as_u64().unwrap()).unwrap();
            let line = text[..start].matches('\n').count() + 1;
            let first = *lines.entry((file.clone(), line)).or_insert(number);
            assert_eq!(first, number, "two findings edit {file}:{line}");
            texts.insert(file, text);
        }
    }
    let mut edits = linted.edits();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit["start"].as_u64()));
    for edit in edits {
        let at = |key: &str| usize::try_from(edit[key].as_u64().unwrap()).unwrap();
        let text = texts.get_mut(edit["file"].as_str().unwrap()).unwrap();
        text.replace_range(at("start")..at("end"), edit["text"].as_str().unwrap());
    }
    texts
}

/// The specifiers behind a name in a text.
fn range_of(text: &str, name: &str) -> VersionSpecifiers {
    let at = text
        .find(&format!("{name}>"))
        .or_else(|| text.find(&format!("{name}=")))
        .unwrap_or_else(|| panic!("{name}: {text}"));
    let rest = &text[at + name.len()..];
    rest[..rest.find(['"', '\n', ' ']).unwrap_or(rest.len())].parse().unwrap()
}

fn admits(text: &str, name: &str, version: &str) -> bool {
    range_of(text, name).contains(&version.parse::<Version>().unwrap())
}

#[test]
fn an_image_for_an_rtx_5090_with_the_old_torch_is_mended_as_a_whole() {
    let project = copy("rtx5090-assertions", None);
    let linted = Linted::of(project.path());
    linted.has(&[
        "Dockerfile:5 unsatisfiable",
        "Dockerfile:6 index-without-build",
        "Dockerfile:7 unsatisfiable",
        "Dockerfile:8 unsatisfiable",
        "constraints.txt:2 unsatisfiable",
        "constraints.txt:3 unsatisfiable",
        "constraints.txt:4 unsatisfiable",
        "constraints.txt:5 unsatisfiable",
        // What would then stop the build, and what would complain of it.
        "Dockerfile:11 version-check",
        "Dockerfile:12 version-check",
        "handler.py:5 version-check",
    ]);
    assert!(linted.said("Dockerfile", 5).contains("no kernel for compute capability 12.0"));
    assert!(linted.said("Dockerfile", 8).contains("triton.ops"), "{}", linted.said("Dockerfile", 8));
    let checks = linted.said("Dockerfile", 12);
    assert!(checks.contains("trips this assertion") && checks.contains("it has no `triton.ops`"), "{checks}");
    for check in linted.findings.iter().filter(|one| one["id"] == "version-check") {
        assert_eq!(
            (check["severity"].as_str(), check["edits"].as_array().map(Vec::len)),
            (Some("warn"), None),
            "{check}"
        );
    }
    let texts = edited(project.path(), &linted);
    for file in ["Dockerfile", "constraints.txt"] {
        let text = &texts[file];
        assert!(!admits(text, "torch", "2.6.0") && !admits(text, "torchvision", "0.21.0"), "{text}");
        assert!(!admits(text, "bitsandbytes", "0.45.2") && !admits(text, "triton", "2.3.1"), "{text}");
    }
    let docker = &texts["Dockerfile"];
    assert!(docker.contains("/whl/cu128\n") || docker.contains("/whl/cu129\n"), "{docker}");
    assert!(docker.contains("assert release == '2.6'"), "what an assertion is to ask for, people decide: {docker}");
}

#[test]
fn an_assertion_that_the_new_release_meets_is_not_named() {
    let project = copy("rtx5090-assertions", None);
    for (file, old, new) in [
        ("Dockerfile", "== '2.6'", "in ('2.7', '2.8', '2.9')"),
        ("Dockerfile", "startswith('2.')", "startswith('3.')"),
        ("Dockerfile", "; import triton.ops", ""),
        ("handler.py", "release != \"2.6\"", "release == \"2.6\""),
    ] {
        let path = project.path().join(file);
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap().replace(old, new)).unwrap();
    }
    let linted = Linted::of(project.path());
    assert!(!linted.edits().is_empty());
    assert!(linted.findings.iter().all(|one| one["id"] != "version-check"), "{:#?}", linted.places());
}

#[test]
fn a_triton_that_was_put_back_is_one_coherent_change() {
    for (gpu, driver) in [("A100", "550.90.07"), ("RTX 4090", "550.90.07"), ("RTX 5090", "570.133.20")] {
        let project = copy("triton-downgrade", Some(&target(gpu, driver, "3.11")));
        let linted = Linted::of(project.path());
        linted.has(&[
            "Dockerfile:8 undoes-earlier",
            "requirements.txt:3 unsatisfiable",
            "constraints.txt:1 unsatisfiable",
        ]);
        let why = linted.said("Dockerfile", 8);
        assert!(why.contains("torch 2.6.0 needs `triton==3.2.0`") && why.contains("triton_key"), "{gpu}: {why}");
        let texts = edited(project.path(), &linted);
        let (requirements, docker) = (&texts["requirements.txt"], &texts["Dockerfile"]);
        assert!(!admits(requirements, "bitsandbytes", "0.45.0"), "{gpu}: {requirements}");
        assert!(
            !docker.contains("triton==2.3.1") && !admits(&texts["constraints.txt"], "triton", "2.3.1"),
            "{gpu}: {docker}"
        );
        if gpu == "RTX 5090" {
            assert!(!admits(requirements, "bitsandbytes", "0.45.2"), "{requirements}");
            assert!(!admits(requirements, "torch", "2.6.0") && !docker.contains("cu124"), "{requirements}{docker}");
        } else {
            assert!(admits(requirements, "torch", "2.6.0"), "torch stays: {requirements}");
            assert!(docker.contains("\"triton==3.2.0\""), "{docker}");
            assert!(admits(&texts["constraints.txt"], "triton", "3.2.0"));
        }
    }
}

#[test]
fn what_a_project_does_is_told_where_no_file_says_what_is_installed() {
    let project = copy("compile-workload", None);
    let (code, out, err) = gpudoc(project.path(), &["lint", "--color", "never"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in
        ["Compile each block that repeats", "torch.distributed._symmetric_memory", "sm_100a", "TRITON_PTXAS_PATH"]
    {
        assert!(words.contains(said), "{said}: {out}");
    }
    // Of a Hopper GPU nothing is said of Blackwell's ptxas, and of torch 2.12 nothing of what older ones lack.
    let text = std::fs::read_to_string(project.path().join("gpudoc.toml")).unwrap();
    std::fs::write(project.path().join("gpudoc.toml"), text.replace("8x B200", "8x H100")).unwrap();
    std::fs::write(project.path().join("requirements.txt"), "torch==2.12.0\n").unwrap();
    let (_, out, _) = gpudoc(project.path(), &["lint", "--color", "never"]);
    assert!(!out.contains("sm_100a") && !out.contains("GPUDOC-2026-0005") && out.contains("GPUDOC-2026-0083"), "{out}");
}

#[test]
fn a_pod_script_whose_last_line_undoes_the_first() {
    let project = copy("vllm-cu130", None);
    let linted = Linted::of(project.path());
    linted.has(&["pod_setup.sh:7 unsatisfiable", "pod_setup.sh:8 undoes-earlier"]);
    let said = linted.said("pod_setup.sh", 8);
    assert!(
        said.contains("needs `torch==2.8.0`") && said.contains("replaces `torch==2.9.0` of pod_setup.sh:7"),
        "{said}"
    );
    assert!(linted.findings.iter().all(|one| one["id"] != "compat-breaks"), "here compat is right");
    // The serving application stays, and with it what it pins.
    let text = edited(project.path(), &linted)["pod_setup.sh"].clone();
    assert!(text.contains("torch==2.8.0 torchvision==0.23.0") && !text.contains("cu130\n"), "{text}");
    assert!(text.contains("xformers==0.0.32.post1 vllm==0.11.0 triton==3.4.0"), "{text}");
    for (gpu, driver, code) in [("RTX 4090", "570.133.20", "804"), ("H100", "590.44.01", "803")] {
        let project = copy("vllm-cu130", Some(&target(gpu, driver, "3.12")));
        let linted = Linted::of(project.path());
        linted.has(&["pod_setup.sh:6 compat-breaks"]);
        assert!(linted.said("pod_setup.sh", 6).contains(&format!("error {code}")));
        let text = edited(project.path(), &linted)["pod_setup.sh"].clone();
        assert!(text.contains("export LD_LIBRARY_PATH=$LD_LIBRARY_PATH\n"), "{text}");
    }
}

#[test]
fn an_upgrade_edits_all_of_an_image() {
    let project = copy("conda-upgrade", None);
    let args = ["impact", "torch==2.7.1+cu128", "--from", "report.txt", "--edit", "Dockerfile"];
    let machine = ["--gpu", "RTX 5090", "--driver", "575.64.03", "--python", "3.10"];
    let (_, out, err) = gpudoc(project.path(), &[&args[..], &machine[..], &["--format", "json"]].concat());
    let document: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    let diff = document["edits"][0]["diff"].as_str().unwrap();
    let changed: Vec<&str> = diff.lines().filter(|line| line.starts_with('+') && !line.starts_with("+++")).collect();
    insta::assert_snapshot!(changed.join("\n"), @r#"
    +FROM nvidia/cuda:12.8.1-devel-ubuntu22.04
    +ENV TORCH_CUDA_ARCH_LIST="7.0;7.5;8.0;8.6;8.9;9.0;12.0"
    +RUN conda install -n lift cuda -c nvidia/label/cuda-12.8.1 -y
    +RUN pip install torch==2.7.1 torchvision==0.22.1 xformers==0.0.31.post1 --index-url https://download.pytorch.org/whl/cu128
    +RUN FLASH_ATTN_CUDA_ARCHS=120 pip install flash-attn --no-build-isolation
    +RUN pip install --no-build-isolation "git+https://github.com/mit-han-lab/torchsparse.git" || echo "no torchsparse"
    "#);
    for said in [
        "line 7: `xformers` is not pinned, and only 0.0.31.post1 goes with the new torch",
        "line 8: `flash-attn` is built anew, with the nvcc of CUDA 12.8",
        "line 9: `|| echo \"no torchsparse\"` hides it",
        "line 12: `./ops/voxels` must be built anew",
    ] {
        assert!(err.contains(said), "{said}: {err}");
    }
    let (_, _, err) = gpudoc(project.path(), &[&args[..], &machine[..], &["--write"]].concat());
    assert!(err.contains("wrote `Dockerfile`"), "{err}");
    let (_, _, err) = gpudoc(project.path(), &[&args[..], &machine[..]].concat());
    assert!(err.contains("`Dockerfile`: nothing to change"), "what is written needs no further edit: {err}");
}

/// For each project and some machines: what `--fix` leaves, no edit could mend, and no line is edited twice.
#[test]
fn after_a_fix_no_edit_is_left() {
    let machines = [
        None,
        Some(target("RTX 5090", "570.133.20", "3.11")),
        Some(target("RTX 4090", "550.90.07", "3.10")),
        Some(target("H100", "590.44.01", "3.12")),
    ];
    let mut edits = 0;
    for entry in std::fs::read_dir(projects()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        for machine in &machines {
            let project = copy(&name, machine.as_deref());
            let before = Linted::of(project.path());
            let proposed = edited(project.path(), &before);
            edits += before.edits().len();
            let (code, diff, err) = gpudoc(project.path(), &["lint", "--fix", "--write"]);
            assert!(code != Some(2), "{name}: {err}");
            assert_eq!(diff.is_empty(), proposed.is_empty(), "{name}: {diff}");
            let after = Linted::of(project.path());
            assert!(after.edits().is_empty(), "{name} {machine:?}: {:#?}\n{diff}", after.findings);
            let (_, again, _) = gpudoc(project.path(), &["lint", "--fix"]);
            assert_eq!(again, "", "{name} {machine:?}");
        }
    }
    assert!(edits > 40, "{edits}");
}
