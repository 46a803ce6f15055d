//! `gpudoc lint`: each finding at its line, mended, and then clean.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn lint(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut gpudoc = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
    let Output { status, stdout, stderr } = gpudoc.current_dir(folder).arg("lint").args(args).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// The findings as `file:line:column id`.
fn found(folder: &Path, args: &[&str]) -> Vec<String> {
    let (code, out, err) = lint(folder, &[args, &["--format", "json"]].concat());
    assert!(code != Some(2), "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let one = |finding: &Value| {
        format!(
            "{}:{}:{} {}",
            finding["file"].as_str().unwrap(),
            finding["line"],
            finding["column"],
            finding["id"].as_str().unwrap()
        )
    };
    report["findings"].as_array().unwrap().iter().map(one).collect()
}

/// A copy of a project of the fixtures.
fn project(name: &str) -> tempfile::TempDir {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/projects").join(name);
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

/// Finds, mends, and finds nothing more; returns the diff.
fn mended(name: &str, expected: &[&str]) -> String {
    let project = project(name);
    assert_eq!(found(project.path(), &[]), expected, "{name}");
    assert_eq!(lint(project.path(), &[]).0, Some(1));
    let (code, diff, err) = lint(project.path(), &["--fix", "--write"]);
    assert_eq!(code, Some(0), "{name}: {diff}{err}");
    assert_eq!(found(project.path(), &["--strict"]), [""; 0], "{name}: {diff}");
    assert_eq!(lint(project.path(), &["--fix"]), (Some(0), String::new(), String::new()), "nothing is left to mend");
    let edits = diff
        .lines()
        .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"));
    edits.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_cu124_index_and_a_5090() {
    let diff = mended(
        "rtx5090-cu124",
        &[
            "Dockerfile:5:5 unsatisfiable",
            "Dockerfile:5:18 unsatisfiable",
            "Dockerfile:6:17 index-without-build",
            "requirements.txt:1:13 index-without-build",
        ],
    );
    let added: Vec<_> = diff.lines().filter(|line| line.starts_with('+')).collect();
    assert_eq!(
        added,
        [
            "+    torch==2.7.1 torchvision==0.22.1 \\",
            "+    --index-url https://download.pytorch.org/whl/cu128",
            "+--index-url https://download.pytorch.org/whl/cu128",
        ]
    );
}

#[test]
fn an_old_triton_beside_torch_2_6() {
    let diff = mended("triton-constraints", &["constraints.txt:2:1 unsatisfiable"]);
    assert_eq!(diff, "-triton<3\n+triton>=3.2.0,<3.3");
}

#[test]
fn a_dockerfile_of_which_torch_alone_was_upgraded() {
    let diff = mended(
        "half-upgrade",
        &[
            "Dockerfile:1:6 cuda-mismatch",
            "Dockerfile:2:5 arch-list-without-gpu",
            "Dockerfile:4:17 undoes-earlier",
            "Dockerfile:4:17 unsatisfiable",
            "Dockerfile:5:17 build-isolation",
        ],
    );
    let added: Vec<_> = diff.lines().filter(|line| line.starts_with('+')).collect();
    assert_eq!(
        added,
        [
            "+FROM nvidia/cuda:12.8.1-devel-ubuntu22.04",
            "+ENV TORCH_CUDA_ARCH_LIST=\"8.0;8.6;9.0;12.0\"",
            "+RUN pip install xformers==0.0.31.post1 transformers==4.40.2",
            "+RUN pip install --no-build-isolation git+https://github.com/mit-han-lab/torchsparse.git",
        ]
    );
}

#[test]
fn a_pod_script_with_compat_before_a_newer_driver() {
    let diff = mended("cu130-compat", &["start.sh:4:8 compat-breaks"]);
    assert_eq!(
        diff,
        "-export LD_LIBRARY_PATH=/usr/local/cuda-13.0/compat:/usr/local/cuda/lib64\n\
         +export LD_LIBRARY_PATH=/usr/local/cuda/lib64"
    );
}

const DESK: &str = "[target.desk]\ngpu = [\"RTX 5090\"]\ndriver = \"570.133.20\"\npython = \"3.11\"\n";

/// One small project for each id, and where its finding stands.
const EACH: &[(&str, &str, &str)] = &[
    ("requirements.txt", "torch==2.7.1\ntriton<3\n", "requirements.txt:2:1 unsatisfiable"),
    (
        "env/environment.yml",
        "dependencies:\n  - pip:\n    - --index-url https://download.pytorch.org/whl/cu126\n    - torch==2.7.1\n",
        "env/environment.yml:3:19 index-without-build",
    ),
    (
        "pyproject.toml",
        "[project]\nname = \"x\"\ndependencies = [\n  \"torch>=2.6,<2.8\",\n]\n",
        "pyproject.toml:4:4 range-admits-bad",
    ),
    (
        "Containerfile",
        "FROM nvidia/cuda:12.6.3-devel-ubuntu24.04\nRUN pip install torch==2.7.1+cu128 --extra-index-url https://download.pytorch.org/whl/cu128\n",
        "Containerfile:1:6 cuda-mismatch",
    ),
    (
        "compose.yaml",
        "services:\n  a:\n    image: nvidia/cuda:13.0.2-base-ubuntu24.04\n",
        "compose.yaml:3:12 image-driver",
    ),
    (
        "docker-compose.yml",
        "services:\n  a:\n    environment:\n      - TORCH_CUDA_ARCH_LIST=8.0;9.0\n",
        "docker-compose.yml:4:30 arch-list-without-gpu",
    ),
    (
        "Dockerfile",
        "FROM nvidia/cuda:12.4.1-devel-ubuntu22.04\nENV TORCH_CUDA_ARCH_LIST=9.0;12.0\n",
        "Dockerfile:2:5 arch-list-refused",
    ),
    ("a.sh", "export LD_LIBRARY_PATH=/usr/local/cuda-12.9/compat\n", "a.sh:1:8 compat-breaks"),
    (
        "b.sh",
        "pip install torch==2.7.1 --extra-index-url https://download.pytorch.org/whl/cu128\npip install --force-reinstall torchvision\n",
        "b.sh:2:13 force-reinstall",
    ),
    ("requirements/gpu.txt", "torch\nflash-attn==2.7.4.post1\n", "requirements/gpu.txt:1:1 unpinned-torch"),
    (
        "c.sh",
        "pip install --no-build-isolation flash-attn==2.8.3\npip install torch==2.7.1 --extra-index-url https://download.pytorch.org/whl/cu128\n",
        "c.sh:1:34 built-before-torch",
    ),
    (
        ".github/workflows/gpu.yml",
        "jobs:\n  gpu:\n    steps:\n      - run: |\n          pip install torch==2.7.1 --extra-index-url https://download.pytorch.org/whl/cu128\n          pip install flash-attn==2.8.3\n",
        ".github/workflows/gpu.yml:6:23 build-isolation",
    ),
    ("d.sh", "pip install torch==2.9.0\npip install vllm==0.11.0\n", "d.sh:2:13 undoes-earlier"),
    (
        "e.sh",
        "pip install torch==2.7.1 --extra-index-url https://download.pytorch.org/whl/cu128\npython -c \"import torch; assert torch.__version__ < '2.7'\"\n",
        "e.sh:2:26 version-check",
    ),
    (
        "f.sh",
        "pip install torch==2.7.1 --extra-index-url https://download.pytorch.org/whl/cu128\npip install --no-build-isolation flash-attn==2.8.3 || true\n",
        "f.sh:2:52 hidden-failure",
    ),
    ("constraints.txt", "numpy<2\ntorch=>2.6\n", "constraints.txt:2:6 syntax"),
    ("requirements.txt", "numpy\n", "gpudoc.toml:6:16 model-fit"),
    ("requirements.in", "numpy\n", "gpudoc.toml:6:12 min-vram"),
    ("requirements-old.txt", "torch==2.7.1\n", "requirements-old.txt:1:1 workload-advisory"),
    ("requirements.txt", "numpy\ntorch==2.7.1\n", "requirements.txt:2:1 index-not-named"),
    (
        "g.sh",
        "export TRITON_PTXAS_PATH=/usr/local/cuda-12.4/bin/ptxas\npip install torch==2.8.0\n",
        "g.sh:1:8 foreign-ptxas",
    ),
    ("uv.lock", "[[package]]\nname = \"torch\"\nversion = \"2.6.0\"\n", "uv.lock:3:11 unsatisfiable"),
];

#[test]
fn each_finding_stands_at_its_line_and_can_be_ignored_for_a_reason() {
    for (file, text, expected) in EACH {
        let id = expected.split(' ').nth(1).unwrap();
        let declared = match id {
            "model-fit" => format!("{DESK}[workload]\nmodel-params = \"47B\"\n"),
            "min-vram" => format!("{DESK}[workload]\nmin-vram = \"48GiB\"\n"),
            "workload-advisory" => format!("{DESK}[workload]\nuses = [\"symmetric-memory\"]\n"),
            _ => DESK.to_owned(),
        };
        let ignore = |until: &str| {
            format!("{declared}[policy]\nignore = [{{ id = \"{id}\", reason = \"known\", until = \"{until}\" }}]\n")
        };
        let project = folder(&[("gpudoc.toml", &declared), (file, text)]);
        let all = found(project.path(), &[]);
        assert!(all.iter().any(|one| one == expected), "{file}: {all:?}");
        std::fs::write(project.path().join("gpudoc.toml"), ignore("9999-12-31")).unwrap();
        let left = found(project.path(), &[]);
        assert!(!left.iter().any(|one| one.ends_with(id)), "{file}: {left:?}");
        assert_eq!(left.len() + all.iter().filter(|one| one.ends_with(id)).count(), all.len(), "nothing else goes");
        std::fs::write(project.path().join("gpudoc.toml"), ignore("2020-01-01")).unwrap();
        let lapsed = found(project.path(), &[]);
        assert!(lapsed.iter().any(|one| one == expected), "{file}: {lapsed:?}");
        let line = declared.lines().count() + 2;
        assert!(lapsed.contains(&format!("gpudoc.toml:{line}:11 ignore-lapsed")), "{lapsed:?}");
    }
    let ids: Vec<&str> = EACH.iter().map(|(_, _, expected)| expected.split(' ').nth(1).unwrap()).collect();
    let untested = gpudoc::lint::registry::RULES.iter().map(|rule| rule.id).filter(|id| !ids.contains(id));
    assert_eq!(untested.collect::<Vec<_>>(), ["ignore-unused", "ignore-lapsed"]);
}

/// For each id the smallest change of its project after which nothing is wrong: what is told of that would be told of everybody.
const NEARLY: &[(&str, &str, &str)] = &[
    ("requirements.txt", "torch==2.7.1\ntriton<4\n", "unsatisfiable"),
    (
        "env/environment.yml",
        "dependencies:\n  - pip:\n    - --index-url https://download.pytorch.org/whl/cu128\n    - torch==2.7.1\n",
        "index-without-build",
    ),
    ("pyproject.toml", "[project]\nname = \"x\"\ndependencies = [\n  \"torch>=2.8,<2.10\",\n]\n", "range-admits-bad"),
    (
        "Containerfile",
        "FROM nvidia/cuda:12.8.1-devel-ubuntu24.04\nRUN pip install torch==2.7.1+cu128 --extra-index-url https://download.pytorch.org/whl/cu128\n",
        "cuda-mismatch",
    ),
    ("compose.yaml", "services:\n  a:\n    image: nvidia/cuda:12.8.1-base-ubuntu24.04\n", "image-driver"),
    (
        "docker-compose.yml",
        "services:\n  a:\n    environment:\n      - TORCH_CUDA_ARCH_LIST=8.0;12.0\n",
        "arch-list-without-gpu",
    ),
    (
        "Dockerfile",
        "FROM nvidia/cuda:12.8.1-devel-ubuntu22.04\nENV TORCH_CUDA_ARCH_LIST=9.0;12.0\n",
        "arch-list-refused",
    ),
    ("a.sh", "export LD_LIBRARY_PATH=/usr/local/cuda-12.9/lib64\n", "compat-breaks"),
    (
        "b.sh",
        "pip install torch==2.7.1 --extra-index-url https://download.pytorch.org/whl/cu128\npip install --force-reinstall --no-deps torchvision\n",
        "force-reinstall",
    ),
    ("requirements/gpu.txt", "torch==2.7.1\nflash-attn==2.7.4.post1\n", "unpinned-torch"),
    (
        "c.sh",
        "pip install torch==2.7.1 --extra-index-url https://download.pytorch.org/whl/cu128\npip install --no-build-isolation flash-attn==2.8.3\n",
        "built-before-torch",
    ),
    (
        ".github/workflows/gpu.yml",
        "jobs:\n  gpu:\n    steps:\n      - run: |\n          pip install torch==2.7.1 --extra-index-url https://download.pytorch.org/whl/cu128\n          pip install --no-build-isolation flash-attn==2.8.3\n",
        "build-isolation",
    ),
    ("d.sh", "pip install torch==2.8.0\npip install vllm==0.11.0\n", "undoes-earlier"),
    (
        "e.sh",
        "pip install torch==2.7.1 --extra-index-url https://download.pytorch.org/whl/cu128\npython -c \"import torch; assert torch.__version__ < '2.8'\"\n",
        "version-check",
    ),
    (
        "f.sh",
        "pip install torch==2.7.1 --extra-index-url https://download.pytorch.org/whl/cu128\npip install --no-build-isolation flash-attn==2.8.3\n",
        "hidden-failure",
    ),
    ("constraints.txt", "numpy<2\ntorch>=2.6\n", "syntax"),
    ("requirements.txt", "numpy\n", "model-fit"),
    ("requirements.in", "numpy\n", "min-vram"),
    ("requirements-old.txt", "torch==2.7.1\n", "workload-advisory"),
    ("requirements.txt", "numpy\ntorch==2.8.0\n", "index-not-named"),
    // triton 3.6 takes this one for older GPUs alone.
    ("g.sh", "export TRITON_PTXAS_PATH=/usr/local/cuda-12.4/bin/ptxas\npip install torch==2.10.0\n", "foreign-ptxas"),
];

#[test]
fn what_is_nearly_wrong_is_no_finding() {
    for (file, text, id) in NEARLY {
        let declared = match *id {
            "model-fit" => format!("{DESK}[workload]\nmodel-params = \"14B\"\n"),
            "min-vram" => format!("{DESK}[workload]\nmin-vram = \"32GiB\"\n"),
            "workload-advisory" => format!("{DESK}[workload]\nuses = [\"conv3d\"]\n"),
            _ => DESK.to_owned(),
        };
        let project = folder(&[("gpudoc.toml", &declared), (file, text)]);
        let all = found(project.path(), &[]);
        assert!(!all.iter().any(|one| one.ends_with(&format!(" {id}"))), "{file}: {all:?}");
    }
    let ids: Vec<&str> = NEARLY.iter().map(|(_, _, id)| *id).collect();
    let untested = gpudoc::lint::registry::RULES.iter().map(|rule| rule.id).filter(|id| !ids.contains(id));
    assert_eq!(untested.collect::<Vec<_>>(), ["ignore-unused", "ignore-lapsed"]);
}

/// A folder is looked through, and what is named twice is told once.
#[test]
fn folders_are_looked_through_once() {
    let project = folder(&[("gpudoc.toml", DESK), ("sub/requirements.txt", "torch==2.7.1\ntriton<3\n")]);
    let told = "sub/requirements.txt:2:1 unsatisfiable";
    let all = found(project.path(), &[]);
    assert!(all.iter().any(|one| one == told), "{all:?}");
    assert_eq!(found(project.path(), &["."]), all);
    assert_eq!(found(project.path(), &[".", "sub", "./sub/requirements.txt"]), all);
    assert_eq!(found(project.path(), &["sub"]), all);
}

/// A rule that is declared and not listed would be explained nowhere.
#[test]
fn each_declared_rule_is_listed() {
    fn declared(folder: &Path, names: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                declared(&path, names);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let rules = text.split("pub static ").skip(1).filter_map(|rest| rest.split_once(": Rule ="));
            names.extend(rules.map(|(name, _)| name.to_owned()));
        }
    }
    let mut names = Vec::new();
    declared(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lint"), &mut names);
    assert!(names.contains(&"UNPINNED_TORCH".to_owned()) && names.len() == gpudoc::lint::registry::RULES.len());
}

/// Each finding's text is what SARIF repeats.
#[test]
fn each_finding_is_explained() {
    let here = Path::new(".");
    let (_, sarif, _) = gpudoc(here, &["lint", "--format", "sarif", "LICENSE"]);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), gpudoc::lint::registry::RULES.len());
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for rule in rules {
        let id = rule["id"].as_str().unwrap();
        let (code, out, err) = gpudoc(here, &["explain", id]);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{id}");
        let help = rule["help"]["text"].as_str().unwrap();
        assert!(out.starts_with(id) && words(&out).contains(&words(help)), "{id}: {out}");
    }
    assert!(gpudoc(here, &["explain", "syntax"]).1.contains("An installer refuses this."));
}

#[test]
fn what_the_project_does_is_judged_on_its_targets() {
    let config = "[target.train]\ngpu = [\"2x H100\"]\nvram = \"80GiB\"\n[target.desk]\ngpu = [\"RTX 5090\"]\n\
                  [workload]\nuses = [\"torch.compile\"]\nmodel-params = \"47B\"\nmin-vram = \"24GiB\"\n";
    let project = folder(&[("gpudoc.toml", config), ("requirements.txt", "torch==2.8.0\n")]);
    let (_, out, _) = lint(project.path(), &["--color", "never"]);
    insta::assert_snapshot!(out, @r#"
    warning[model-fit]: `desk`: a model of 47B parameters does not fit on RTX 5090: its weights in 16 bits take 87.5 GiB, and RTX 5090 has 32 GiB
     --> gpudoc.toml:8:16
      |
    8 | model-params = "47B"
      |                ^^^^^
      |
      = note: 47B parameters × 16 bits = 87.5 GiB; what is computed with them, caches and CUDA itself come on top
      = note: https://github.com/pytorch/pytorch/blob/02f079b4bb66924eb2d11981f4d748a23278c8c2/torch/headeronly/util/BFloat16.h (one uint16_t), read 2026-11-21
      = hint: spread it over RTX 5090 × 3 or more, or load it in 4 bits (`bitsandbytes-4bit`): 21.9 GiB at least

    warning[workload-advisory]: GPUDOC-2026-0002: torch.compile starts up to 32 compile workers, which very large models and small hosts pay for in memory and hangs
     --> requirements.txt:1:1
      |
    1 | torch==2.8.0
      | ^^^^^^^^^^^^
      |
      = note: an installer takes torch 2.8.0
      = note: Inductor compiles in min(32, CPUs) worker processes, in every release from 2.0 to 2.15. Each holds host memory of its own, so that compiling a very large model can exhaust the host or a container's limit, and until 2.10.0 idle workers stay until the process ends; several reports describe hangs at exit. Fewer workers compile longer but bounded.
      = hint: Bound the number of compile workers: `export TORCHINDUCTOR_COMPILE_THREADS=4`

    info[workload-advisory]: GPUDOC-2026-0083: Compiling a very large model whole takes long: compile the block that repeats instead, from torch 2.5 on without recompilation
     --> requirements.txt:1:1
      |
    1 | torch==2.8.0
      | ^^^^^^^^^^^^
      |
      = note: an installer takes torch 2.8.0
      = note: The compile time of torch.compile grows with the model, to tens of minutes or hours for very large ones. A model of repeated blocks needs only one of them compiled: the code is used again for the others. torch 2.5 does so by itself; torch 2.4 compiles again for each block unless `torch._dynamo.config.inline_inbuilt_nn_modules` is set.
      = hint: Compile each block that repeats, not the whole model

    0 failures, 2 warnings and 1 remark in 2 files
    "#);
    // 47e9 parameters of 2 bytes are 87.5 GiB: two H100 hold them, an RTX 5090 does not.
    assert_eq!(out.matches("87.5 GiB, and RTX 5090 has 32 GiB").count(), 1, "{out}");
    assert!(!out.contains("`train`: a model"), "{out}");
    let without = config.replace("uses = [\"torch.compile\"]\nmodel-params = \"47B\"\n", "");
    std::fs::write(project.path().join("gpudoc.toml"), without).unwrap();
    assert_eq!(found(project.path(), &["--strict"]), [""; 0]);
    let four = config.replace("\"torch.compile\"", "\"bitsandbytes-4bit\"");
    std::fs::write(project.path().join("gpudoc.toml"), four).unwrap();
    assert_eq!(found(project.path(), &["--strict"]), [""; 0], "47e9 half bytes are 21.9 GiB");
    std::fs::write(project.path().join("gpudoc.toml"), config).unwrap();
    let of = |file: &str| found(project.path(), &[file]).iter().filter(|one| one.ends_with("model-fit")).count();
    assert_eq!((of("requirements.txt"), of("gpudoc.toml")), (0, 1), "gpudoc.toml is told of where it is looked at");
}

#[test]
fn a_range_is_judged_beside_what_the_files_decide() {
    let judged = |text: &str| {
        let project = folder(&[("requirements.txt", text)]);
        let (_, out, _) = lint(project.path(), &["--format", "json"]);
        let report: Value = serde_json::from_str(&out).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        findings.into_iter().map(|one| (one["message"].to_string(), one["hint"].to_string())).collect::<Vec<_>>()
    };
    // torch 2.6.0 pins triton 3.2.0, which has no `triton.ops` any more.
    let found = judged("torch==2.6.0\nbitsandbytes>=0.43,<0.47\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.contains("admits bitsandbytes 0.45.0, which does not work beside triton 3.2.0"), "{found:?}");
    assert_eq!(found[0].1, "\"write `bitsandbytes>=0.45.1,<0.47`\"");
    assert_eq!(judged("torch==2.5.1\nbitsandbytes>=0.43,<0.47\n"), [], "triton 3.1 has it");
    assert_eq!(judged("torch==2.6.0\nbitsandbytes>=0.45.1\n"), []);
    assert_eq!(judged("torch>=2.5\nbitsandbytes>=0.43\n"), [], "nothing decides which triton there is");
}

#[test]
fn two_lines_about_a_package_are_each_rewritten_once() {
    let docker = "FROM python:3.11\nCOPY . .\nRUN pip install -r requirements.txt -c constraints.txt\n";
    let files = [("requirements.txt", "torch==2.7.1\n"), ("constraints.txt", "torch==2.6.0\n"), ("Dockerfile", docker)];
    let project = folder(&[&files[..], &[("gpudoc.toml", DESK)]].concat());
    let (code, diff, err) = lint(project.path(), &["--fix", "--write"]);
    assert_eq!(code, Some(0), "{diff}{err}");
    let read = |name: &str| std::fs::read_to_string(project.path().join(name)).unwrap();
    // PyPI's torch 2.7.1 is for CUDA 12.6, without a kernel for compute capability 12.0; 2.8.0 is for 12.8.
    assert_eq!(
        (read("requirements.txt").as_str(), read("constraints.txt").as_str()),
        ("torch==2.8.0\n", "torch==2.8.0\n")
    );
}

#[test]
fn a_lock_is_locked_again() {
    let hint = |name: &str, text: &str| {
        let project = folder(&[("gpudoc.toml", DESK), (name, text)]);
        let (_, out, _) = lint(project.path(), &["--format", "json"]);
        let report: Value = serde_json::from_str(&out).unwrap();
        report["findings"][0]["hint"].as_str().unwrap().to_owned()
    };
    let package = "[[package]]\nname = \"torch\"\nversion = \"2.6.0\"\n";
    assert!(hint("uv.lock", package).ends_with("ask for it in pyproject.toml, then run `uv lock`"));
    let own =
        "# This file was autogenerated by uv via the following command:\n#    uv pip compile a.in -o pylock.toml\n";
    let text =
        format!("{own}lock-version = \"1.0\"\ncreated-by = \"uv\"\n\n{}", package.replace("package", "packages"));
    assert!(hint("pylock.toml", &text).ends_with("then run `uv pip compile a.in -o pylock.toml`"));
    let text = text.replace(own, "").replace("\"uv\"", "\"pip\"");
    assert!(hint("pylock.toml", &text).ends_with("then run `pip lock`"));
}

#[test]
fn an_ignore_without_reason_is_refused_and_one_without_use_is_told() {
    let project =
        folder(&[("requirements.txt", "torch\n"), ("gpudoc.toml", "[policy]\nignore = [{ id = \"syntax\" }]\n")]);
    let (code, out, err) = lint(project.path(), &[]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("missing field `reason`") && err.contains("line 2"), "{err}");
    std::fs::write(project.path().join("gpudoc.toml"), "[policy]\nignore = [{ id = \"syntax\", reason = \"x\" }]\n")
        .unwrap();
    assert_eq!(found(project.path(), &[]), ["gpudoc.toml:2:11 ignore-unused"]);
    assert_eq!(found(project.path(), &["requirements.txt"]), [""; 0], "of one file alone nobody knows");
    let text = "[policy]\nseverity = { unsatisfiable = \"info\" }\n";
    let project = folder(&[("requirements.txt", "torch==2.6.0\ntriton<3\n"), ("gpudoc.toml", text)]);
    assert_eq!(lint(project.path(), &["--strict"]).0, Some(0));
}

#[test]
fn the_drawing_shows_the_line_and_the_way_out() {
    let project = project("triton-constraints");
    let (_, out, _) = lint(project.path(), &["--color", "never"]);
    insta::assert_snapshot!(out, @r"
    error[unsatisfiable]: what is asked for cannot be installed together on `train` (A100 (compute capability 8.0), driver 550.54.15, Python 3.11, linux_x86_64)
     --> constraints.txt:2:1
      |
    2 | triton<3
      | ^^^^^^^^
      |
      = note: `torch==2.6.0` is asked for (requirements.txt:2)
      = note: `triton<3` is a constraint (constraints.txt:2)
      = note: torch 2.6.0 needs `triton==3.2.0`
    fix: write `triton>=3.2.0,<3.3`
      |
    2 - triton<3
    2 + triton>=3.2.0,<3.3
      |

    1 failure and 0 warnings in 2 files; 1 can be fixed with `--fix`
    ");
    assert!(out.contains("2 | triton<3\n  | ^^^^^^^^") && out.contains("torch 2.6.0 needs `triton==3.2.0`"), "{out}");
}

#[test]
fn a_change_is_told_apart_from_what_was_there() {
    let project = folder(&[("gpudoc.toml", DESK), ("requirements.txt", "torch==2.6.0\n")]);
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"];
        let done = Command::new("git").current_dir(project.path()).args(identity).args(args).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "x"]);
    std::fs::write(project.path().join("requirements.txt"), "# moved down\ntorch==2.6.0\n").unwrap();
    std::fs::create_dir(project.path().join("new")).unwrap();
    std::fs::write(project.path().join("new/constraints.txt"), "torch==2.7.1\ntriton<3\n").unwrap();
    assert_eq!(found(project.path(), &["--diff-base", "HEAD"]), ["new/constraints.txt:2:1 unsatisfiable"]);
    assert_eq!(found(project.path(), &[]).len(), 2);
    let (code, _, err) = lint(project.path(), &["--diff-base", "nowhere"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("git knows no such commit"), "{err}");
}

#[test]
fn what_git_ignores_is_not_looked_at() {
    let project = folder(&[
        (".gitignore", "build/\n"),
        ("build/requirements.txt", "torch=>1\n"),
        ("requirements.txt", "torch\n"),
        ("README.md", "torch=>1\n"),
    ]);
    assert_eq!(lint(project.path(), &[]), (Some(0), "nothing is wrong in 1 file\n".to_owned(), String::new()));
}

/// Lines as well-known projects write them.
const STYLES: &[(&str, &str)] = &[
    (
        "requirements.txt",
        "# -*- coding: utf-8 -*-\ntorch>=2.0,!=2.0.1\ntransformers[torch]>=4.40 ; python_version >= '3.9'\naccelerate~=0.30\n",
    ),
    ("requirements-dev.txt", "-r requirements.txt\n-e .[dev]\npytest==8.*\n"),
    (
        "requirements/cuda.txt",
        "--extra-index-url https://download.pytorch.org/whl/cu128\n--find-links https://example.org/wheels\nnumba==0.61.2; python_version > '3.9'\nray[cgraph]>=2.48.0\ntorch==2.7.1\ntorchaudio==2.7.1\ntorchvision==0.22.1\nxformers==0.0.31; platform_system == 'Linux' and platform_machine == 'x86_64'\n",
    ),
    (
        "requirements.in",
        "torch\nnumpy<2 # why\ngit+https://github.com/huggingface/diffusers\nhttps://example.org/a-1.0-py3-none-any.whl\n",
    ),
    (
        "pyproject.toml",
        "[build-system]\nrequires = [\"setuptools\"]\n[project]\nname = \"x\"\ndynamic = [\"version\"]\ndependencies = [\"torch>=2.7\"]\n[project.optional-dependencies]\nall = [\"x[a]\"]\na = [\"numpy\"]\n[dependency-groups]\ndev = [{ include-group = \"t\" }]\nt = [\"pytest\"]\n",
    ),
    (
        "environment.yml",
        "name: ldm\nchannels:\n  - pytorch\n  - defaults\ndependencies:\n  - python=3.8.5\n  - pip=20.3\n  - cudatoolkit=11.3\n  - pytorch=1.11.0\n  - numpy=1.19.2\n  - pip:\n    - albumentations==0.4.3\n    - -e git+https://github.com/CompVis/taming-transformers.git@master#egg=taming-transformers\n    - -e .\n",
    ),
    (
        "Dockerfile",
        "# syntax=docker/dockerfile:1\nARG CUDA_VERSION=12.8.1\nFROM nvidia/cuda:${CUDA_VERSION}-devel-ubuntu22.04 AS base\nARG PYTHON_VERSION=3.12\nSHELL [\"/bin/bash\", \"-c\"]\nRUN --mount=type=cache,target=/root/.cache/uv \\\n    uv pip install --system -r requirements/cuda.txt \\\n    --extra-index-url https://download.pytorch.org/whl/cu$(echo $CUDA_VERSION | cut -d. -f1,2 | tr -d '.')\nENTRYPOINT [\"python3\"]\n",
    ),
    (
        "install.sh",
        "#!/bin/bash\nset -e\nwhile [[ $# -gt 0 ]]; do case \"$1\" in --basic) BASIC=1 ;; *) echo bad; exit 1;; esac; shift; done\nif [ \"$BASIC\" = 1 ]; then\n  pip install pillow imageio tqdm\nfi\npip install \"torch${TORCH_SPEC}\"\ncat > x.py <<'PY'\nprint(1)\nPY\n",
    ),
    (
        ".github/workflows/ci.yml",
        "name: ci\non: [push]\njobs:\n  test:\n    strategy:\n      matrix:\n        torch: ['2.7.1', '2.8.0']\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: pip install torch==${{ matrix.torch }}\n      - name: t\n        run: |\n          python -m pip install -U pip wheel\n          pytest -x\n",
    ),
    (
        "docker-compose.yml",
        "x-common: &common\n  shm_size: 8gb\nservices:\n  web:\n    <<: *common\n    build: .\n    environment:\n      NVIDIA_VISIBLE_DEVICES: all\n    deploy:\n      resources:\n        reservations:\n          devices:\n            - driver: nvidia\n              capabilities: [gpu]\n",
    ),
];

#[test]
fn styles_of_well_known_projects_are_read_without_an_error() {
    let project = folder(STYLES);
    let (_, out, err) = lint(project.path(), &[]);
    assert_eq!(found(project.path(), &[]), [""; 0], "{out}{err}");
}

#[test]
fn what_is_meant_for_other_machines_is_no_failure() {
    let cu124 = "pip install torch==2.6.0 --index-url https://download.pytorch.org/whl/cu124";
    let workflow = format!("jobs:\n  t:\n    steps:\n      - run: {cu124}\n");
    let cpu = cu124.replace("cu124", "cpu");
    let branch = format!("if [ \"$1\" = old ]; then\n  {cu124}\nfi\n");
    let files =
        [("gpudoc.toml", DESK), (".github/workflows/a.yml", &*workflow), ("docs.sh", &*cpu), ("a.sh", &*branch)];
    let project = folder(&files);
    assert_eq!(found(project.path(), &[]), ["a.sh:2:15 unsatisfiable", "a.sh:2:40 index-without-build"]);
    assert_eq!((lint(project.path(), &[]).0, lint(project.path(), &["--strict"]).0), (Some(0), Some(1)));
    std::fs::write(project.path().join("a.sh"), cu124).unwrap();
    assert_eq!(lint(project.path(), &[]).0, Some(1), "without the condition it fails");
}

#[test]
fn ci_formats_hold_what_was_found() {
    let project = project("triton-constraints");
    let of = |format: &str| lint(project.path(), &["--format", format]).1;
    let sarif: Value = serde_json::from_str(&of("sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"], &region["endColumn"]), (&2.into(), &1.into(), &9.into()));
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"][index]["id"], "unsatisfiable");
    let print = result["partialFingerprints"]["gpudoc/v1"].clone();
    assert!(of("junit").contains("<failure type=\"unsatisfiable\" message=\"what is asked for cannot"));
    assert!(of("junit").contains("<testcase classname=\"requirements.txt\" name=\"requirements.txt\"/>"));
    assert!(of("github").starts_with(
        "::error file=constraints.txt,line=2,endLine=2,col=1,endColumn=9,title=gpudoc unsatisfiable::what"
    ));
    let gitlab: Value = serde_json::from_str(&of("gitlab")).unwrap();
    assert_eq!((&gitlab[0]["location"]["lines"]["begin"], &gitlab[0]["fingerprint"]), (&2.into(), &print));
    assert!(of("markdown").contains("| ❌ | `constraints.txt:2` | what is asked for"), "{}", of("markdown"));
    let text = std::fs::read_to_string(project.path().join("constraints.txt")).unwrap();
    std::fs::write(project.path().join("constraints.txt"), format!("\n\n{text}")).unwrap();
    let moved: Value = serde_json::from_str(&of("sarif")).unwrap();
    assert_eq!(moved["runs"][0]["results"][0]["partialFingerprints"]["gpudoc/v1"], print, "lines may move");
}

fn gpudoc(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_gpudoc")).current_dir(folder).args(args).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A machine of the fixtures.
fn host(name: &str) -> String {
    format!("{}/fixtures/hosts/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn init_declares_a_machine_that_lint_then_reads() {
    let project = folder(&[("requirements.txt", "torch==2.6.0\n")]);
    let root = host("rtx5090-cu126");
    let (code, out, err) = gpudoc(project.path(), &["init", "--root", &root, "--name", "desk"]);
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    let text = std::fs::read_to_string(project.path().join("gpudoc.toml")).unwrap();
    assert!(text.contains("[target.desk]\ngpu = [\"NVIDIA GeForce RTX 5090\"]\ndriver = \"570"), "{text}");
    assert_eq!(found(project.path(), &[]), ["requirements.txt:1:1 unsatisfiable"]);
    let (code, _, err) = gpudoc(project.path(), &["init", "--root", &root]);
    assert_eq!(code, Some(2));
    assert!(err.contains("is there already"), "{err}");
}

#[test]
fn the_schema_knows_what_the_reader_knows() {
    let (_, schema, _) = gpudoc(Path::new("."), &["init", "--schema"]);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let keys = |value: &Value| value["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    // The reader names the keys that it has, in the order of its struct, when it meets one that it has not.
    let expected = |text: &str| {
        let error = gpudoc::config::Config::parse(text).unwrap_err().to_string();
        let list = error.split("expected ").nth(1).unwrap().split('`').skip(1).step_by(2).map(str::to_owned);
        list.collect::<Vec<_>>()
    };
    let properties = &schema["properties"];
    assert_eq!(keys(&schema), expected("nothing = 1\n"));
    assert_eq!(keys(&properties["target"]["additionalProperties"]), expected("[target.a]\nnothing = 1\n"));
    assert_eq!(keys(&properties["policy"]), expected("[policy]\nnothing = 1\n"));
    let ignore = &properties["policy"]["properties"]["ignore"]["items"];
    assert_eq!(keys(ignore), expected("[policy]\nignore = [{ nothing = 1 }]\n"));
    assert_eq!(keys(&properties["workload"]), expected("[workload]\nnothing = 1\n"));
    let ids: Vec<&str> =
        ignore["properties"]["id"]["enum"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(ids, gpudoc::lint::registry::RULES.iter().map(|rule| rule.id).collect::<Vec<_>>());
    assert_eq!(
        properties["policy"]["properties"]["severity"]["propertyNames"]["enum"],
        ignore["properties"]["id"]["enum"]
    );
}

#[test]
fn completions_are_for_every_shell() {
    for (shell, part) in [("bash", "complete -F"), ("zsh", "#compdef gpudoc"), ("fish", "complete -c gpudoc")] {
        let (code, out, _) = gpudoc(Path::new("."), &["completions", shell]);
        assert!(code == Some(0) && out.contains(part) && out.contains("diff-base"), "{shell}");
    }
}

#[test]
fn only_drift_is_told_against_a_known_good_machine() {
    let folder = folder(&[]);
    let (code, _, err) = gpudoc(folder.path(), &["probe", "--root", &host("rtx5090-cu128"), "-o", "known-good.json"]);
    assert_eq!(code, Some(0), "{err}");
    let against = |name: &str, more: &[&str]| {
        let root = host(name);
        gpudoc(folder.path(), &[&["check", "--root", &root, "--against", "known-good.json"], more].concat())
    };
    let (code, out, _) = against("rtx5090-cu128", &["--strict"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("no difference"), "{out}");
    let (code, out, _) = against("rtx5090-cu126", &[]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("  torch  [gpu-arch/torch]\n    - 2.7.1+cu128\n    + 2.7.1+cu126\n"), "{out}");
}

#[test]
fn check_speaks_the_formats_of_ci() {
    let root = host("rtx5090-cu126");
    let of = |format: &str| gpudoc(Path::new("."), &["check", "--root", &root, "--format", format]);
    let (code, sarif, _) = of("sarif");
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!((code, &sarif["runs"][0]["results"][0]["level"]), (Some(1), &"error".into()));
    assert!(of("junit").1.contains("<failure type=\"gpu-arch/torch\""), "{}", of("junit").1);
    assert!(of("github").1.starts_with("::error title=gpudoc "), "{}", of("github").1);
    let gitlab: Value = serde_json::from_str(&of("gitlab").1).unwrap();
    assert!(gitlab.as_array().unwrap().iter().any(|one| one["check_name"] == "gpu-arch/torch"));
}

/// Pieces that files of all sorts are made of.
const PIECES: &[&str] = &[
    "torch==2.6.0\n",
    "triton<3\n",
    "torch>=2.6,<2.8",
    "FROM nvidia/cuda:12.1.1-devel-ubuntu22.04\n",
    "ENV TORCH_CUDA_ARCH_LIST=\"8.0;é\"\n",
    "ENV TORCH_CUDA_ARCH_LIST=8.0\n",
    "RUN pip install ",
    "pip install --force-reinstall ",
    "--index-url https://download.pytorch.org/whl/cu124 ",
    "xformers==0.0.29.post1 ",
    "flash-attn==2.8.3 ",
    "export LD_LIBRARY_PATH=/usr/local/cuda/compat:$LD_LIBRARY_PATH\n",
    "V=2.6.0\n",
    "torch==$V ",
    "'torch~=2.6' ",
    "\\\n",
    "\n",
    "é",
    "[project]\ndependencies = [\"torch>=2.6,<2.8\", \"triton<3\"]\n",
    "dependencies:\n  - pip:\n    - ",
    "services:\n  a:\n    image: nvidia/cuda:13.0.2-base\n",
    "jobs:\n  a:\n    steps:\n    - run: |\n        ",
    "[[package]]\nname = \"torch\"\nversion = \"2.6.0\"\n",
    "-r other.txt\n",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    /// Whatever a file says, it is judged, all places lie in it, and what the edits leave is read again.
    #[test]
    fn any_file_is_judged(kind in 0_usize..9, pieces in proptest::collection::vec(0..PIECES.len(), 0..9)) {
        use gpudoc::lint::{self, edit, kind::FileKind, read::Reader};
        let kinds = [
            FileKind::Requirements, FileKind::Constraints, FileKind::PyProject, FileKind::Lock, FileKind::Conda,
            FileKind::Dockerfile, FileKind::Compose, FileKind::Shell, FileKind::Workflow,
        ];
        let gpu = gpudoc::rules::TargetGpu {
            label: "RTX 5090".to_owned(),
            name: "RTX 5090".to_owned(),
            index: None,
            capability: "12.0".parse().unwrap(),
            class: None, memory: Vec::new()
        };
        let target = gpudoc::rules::Target {
            gpus: vec![gpu],
            driver: Some("570.133.20".parse().unwrap()),
            python: Some("3.11".parse().unwrap()),
            platform: Some("linux_x86_64".to_owned()),
            ..gpudoc::rules::Target::default()
        };
        let mut text: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        for _ in 0..2 {
            let mut reader = Reader::new(&|_| None);
            reader.add("f", kinds[kind], &text);
            let declared = lint::Declared::default();
            let findings =
                lint::run(&reader.finish(), std::slice::from_ref(&target), &declared, gpudoc::rules::embedded());
            for finding in &findings {
                proptest::prop_assert!(text.get(finding.place.span.clone()).is_some(), "{finding:?}");
            }
            for (_, edits) in edit::by_file(findings.iter().filter_map(|finding| finding.fix.as_ref())) {
                for edit in &edits {
                    proptest::prop_assert!(text.get(edit.start..edit.end).is_some(), "{edit:?}");
                }
                text = edit::applied(&text, &edits);
            }
        }
    }
}

/// A service on one line, with its command as a list, is read as any other.
#[test]
fn a_compose_service_on_one_line_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("gpudoc.toml", "[target.ws]\ngpu = [\"RTX 5090\"]\ndriver = \"570.133.20\"\n");
    let install = |pin: &str| format!("services:\n  app: {{command: [bash, -c, \"pip install {pin}\"]}}\n");
    write("compose.yaml", &install("torch==2.6.0"));
    assert_eq!(found(folder.path(), &["compose.yaml"]), ["compose.yaml:2:42 unsatisfiable"]);
    write("compose.yaml", &install("numpy==2.2.0"));
    assert_eq!(found(folder.path(), &["compose.yaml"]), Vec::<String>::new());
}
