//! One set in every form: torch for CUDA 12.8, a package that is compiled against it, and one that the rules do not cover.

use super::*;
use crate::rules::requirement::parse;
use crate::rules::{RuleDb, Target, TargetGpu, embedded};
use crate::solve::{AskedRequirement, Request, solve};

fn gpu(name: &str) -> TargetGpu {
    let model = embedded().gpu_by_loose_name(name).unwrap();
    TargetGpu {
        label: name.to_owned(),
        name: name.to_owned(),
        index: None,
        capability: model.capability,
        class: model.class,
        memory: Vec::new(),
    }
}

fn machine(gpus: &[&str], driver: &str, python: &str) -> Target {
    Target {
        gpus: gpus.iter().map(|name| gpu(name)).collect(),
        driver: driver.parse().ok(),
        python: python.parse().ok(),
        platform: Some("linux_x86_64".to_owned()),
        glibc: Some("2.35".parse().unwrap()),
        ..Target::default()
    }
}

/// Solves the lines, and hands the answer to `write`. Days and versions of this program are left out of the text.
fn written<T>(lines: &[&str], target: Target, overridden: &[Overridden], write: impl Fn(&Answer<'_>) -> T) -> T {
    for_all(lines, &[target], overridden, write)
}

/// The same for a fleet.
fn for_all<T>(lines: &[&str], targets: &[Target], overridden: &[Overridden], write: impl Fn(&Answer<'_>) -> T) -> T {
    let db: &RuleDb = embedded();
    let requirements = lines.iter().map(|line| AskedRequirement::new(parse(line).unwrap(), "req.in"));
    let (target, beside) = (targets[0].clone(), targets[1..].to_vec());
    let request = Request { target, beside, requirements: requirements.collect(), ..Request::default() };
    let resolution = solve(&request, db).unwrap();
    write(&Answer {
        resolution: &resolution,
        targets: &targets.iter().collect::<Vec<_>>(),
        db,
        lines: &request.requirements,
        taken: &[],
        overridden,
    })
}

fn text(emitted: &Emitted) -> String {
    let head = format!("gpudoc {} with rules of {}", env!("CARGO_PKG_VERSION"), embedded().newest());
    emitted.text.replace(&head, "gpudoc")
}

const LINES: &[&str] =
    &["torch==2.7.1", "torchvision==0.22.1", "flash-attn==2.8.3", "Tabulate[widechars]>=0.8; python_version > '3.8'"];

fn pod() -> Target {
    machine(&["RTX 5090"], "570.133.20", "3.11")
}

/// A driver of 570 with the library of 580 in front of it.
fn compat_pod() -> Target {
    Target { compat: "580.65.06".parse().ok(), ..machine(&["H100"], "570.133.20", "3.12") }
}

const TRITON: &str = "triton==3.1.0";

fn other_triton() -> Overridden {
    Overridden {
        package: "triton".to_owned(),
        asked: TRITON.to_owned(),
        pinned_by: "torch 2.7.1".to_owned(),
        pin: "triton==3.3.1".to_owned(),
    }
}

#[test]
fn requirements_hold_the_whole_set() {
    let emitted = written(LINES, pod(), &[], |answer| requirements(answer, false));
    insta::assert_snapshot!(text(&emitted), @"
    # Solved by gpudoc for
    # RTX 5090 (compute capability 12.0), driver 570.133.20, Python 3.11, linux_x86_64, glibc 2.35
    # CUDA 12.8 needs driver 525.60.13 or newer
    --extra-index-url https://download.pytorch.org/whl/cu128
    flash-attn==2.8.3          # requested; not newer: `flash-attn==2.8.3` (req.in)
    torch==2.7.1+cu128         # requested; not newer: `torch==2.7.1` (req.in)
    torchvision==0.22.1+cu128  # requested; not newer: `torchvision==0.22.1` (req.in)
    triton==3.3.1              # needed by torch 2.7.1; not newer: torch 2.7.1 needs `triton==3.3.1`
    # Not covered by the rules, and passed on
    tabulate[widechars]>=0.8 ; python_full_version >= '3.9'
    ");
    assert!(emitted.text.contains("\ntorch==2.7.1+cu128 "), "PyPI's 2.7.1 has no kernel for 12.0");
}

#[test]
fn hashes_are_all_or_none() {
    let lines = &["torch==2.7.1", "triton==3.3.1"];
    let target = |python: &str| machine(&["H100"], "560.35.03", python);
    let all = written(lines, target("3.11"), &[], |answer| requirements(answer, true));
    // The rows of torch 2.7.1 and triton 3.3.1 name the wheels for CPython 3.11.
    let torch = "torch==2.7.1 --hash=sha256:06eea61f859436622e78dd0cdd51dbc8f8c6d76917a9cf0555a333f9eac31ec1";
    assert!(all.text.contains(torch), "{}", all.text);
    assert_eq!((all.text.matches("--hash").count(), all.notes.len()), (2, 0));
    let none = written(lines, target("3.12"), &[], |answer| requirements(answer, true));
    assert_eq!(none.text, written(lines, target("3.12"), &[], |answer| requirements(answer, false)).text);
    insta::assert_snapshot!(none.notes.join("\n"), @"no hashes written, for pip wants all or none, and the rules have none for `torch==2.7.1` and `triton==3.3.1`");
    let passed =
        written(&["torch==2.7.1", "triton", "requests"], target("3.11"), &[], |answer| requirements(answer, true));
    assert!(!passed.text.contains("--hash"));
    assert!(passed.notes[0].ends_with("the rules have none for `requests`"), "{:?}", passed.notes);
}

#[test]
fn uv_takes_each_package_from_its_index() {
    let emitted = written(LINES, pod(), &[], uv);
    insta::assert_snapshot!(text(&emitted), @r#"
    # Solved by gpudoc for
    # RTX 5090 (compute capability 12.0), driver 570.133.20, Python 3.11, linux_x86_64, glibc 2.35
    # CUDA 12.8 needs driver 525.60.13 or newer
    [project]
    name = "solved-by-gpudoc"
    version = "0"
    requires-python = "==3.11.*"
    dependencies = [
        "flash-attn==2.8.3",                                        # requested; not newer: `flash-attn==2.8.3` (req.in)
        "torch==2.7.1+cu128",                                       # requested; not newer: `torch==2.7.1` (req.in)
        "torchvision==0.22.1+cu128",                                # requested; not newer: `torchvision==0.22.1` (req.in)
        "triton==3.3.1",                                            # needed by torch 2.7.1; not newer: torch 2.7.1 needs `triton==3.3.1`
        "tabulate[widechars]>=0.8 ; python_full_version >= '3.9'",  # not covered by the rules
    ]

    [tool.uv]
    environments = ["sys_platform == 'linux' and platform_machine == 'x86_64'"]

    [tool.uv.sources]
    torch = { index = "cu128" }
    torchvision = { index = "cu128" }

    [[tool.uv.index]]
    name = "cu128"
    url = "https://download.pytorch.org/whl/cu128"
    explicit = true

    [tool.uv.extra-build-dependencies]
    flash-attn = [{ requirement = "torch", match-runtime = true }, "ninja", "packaging", "psutil", "setuptools", "wheel"]

    [tool.uv.extra-build-variables]
    flash-attn = { TORCH_CUDA_ARCH_LIST = "12.0" }

    [[tool.uv.dependency-metadata]]
    name = "flash-attn"
    version = "2.8.3"
    requires-dist = [
        "einops",
        "torch",
    ]
    "#);
    let table: toml::Table = emitted.text.parse().unwrap();
    let tool = &table["tool"]["uv"];
    assert_eq!(tool["sources"]["torch"]["index"].as_str(), Some("cu128"));
    assert_eq!(tool["index"][0]["explicit"].as_bool(), Some(true));
    assert_eq!(tool["sources"].as_table().unwrap().len(), 2, "torch and torchvision");
}

#[test]
fn uv_is_told_no_more_than_it_needs() {
    let table: toml::Table = written(&["einops==0.8.1"], pod(), &[], uv).text.parse().unwrap();
    assert!(!table.contains_key("tool"), "pure Python from PyPI: {table}");
}

#[test]
fn pip_installs_torch_before_what_is_compiled_against_it() {
    let emitted = written(LINES, pod(), &[], pip);
    insta::assert_snapshot!(text(&emitted), @r#"
    # Solved by gpudoc for
    # RTX 5090 (compute capability 12.0), driver 570.133.20, Python 3.11, linux_x86_64, glibc 2.35
    # CUDA 12.8 needs driver 525.60.13 or newer

    # torch first, with what comes from its index (cu128)
    python -m pip install --extra-index-url https://download.pytorch.org/whl/cu128 torch==2.7.1+cu128 \
        torchvision==0.22.1+cu128 triton==3.3.1

    # what the builds below expect to find
    python -m pip install ninja packaging psutil setuptools wheel

    # no wheel is published, so compiled against the torch above: flash-attn
    TORCH_CUDA_ARCH_LIST=12.0 python -m pip install --no-build-isolation flash-attn==2.8.3

    # the rest, also what the rules do not cover; the pins above are repeated, for pip to keep them
    python -m pip install "tabulate[widechars]>=0.8 ; python_full_version >= '3.9'" torch==2.7.1+cu128 \
        torchvision==0.22.1+cu128 triton==3.3.1 flash-attn==2.8.3
    "#);
    let place = |words: &str| emitted.text.find(words).unwrap();
    assert!(place("torch==2.7.1+cu128") < place("--no-build-isolation flash-attn==2.8.3"));
    assert!(place("--no-build-isolation flash-attn==2.8.3") < place("tabulate[widechars]"));
}

#[test]
fn a_dockerfile_starts_from_the_cuda_that_it_compiles_with() {
    let emitted = written(LINES, pod(), &[], dockerfile);
    insta::assert_snapshot!(text(&emitted), @r#"
    # Solved by gpudoc for
    # RTX 5090 (compute capability 12.0), driver 570.133.20, Python 3.11, linux_x86_64, glibc 2.35
    # CUDA 12.8 needs driver 525.60.13 or newer
    FROM nvidia/cuda:12.8.1-devel-ubuntu24.04

    RUN apt-get update && \
        apt-get install --yes --no-install-recommends build-essential ca-certificates gcc git libc6-dev && \
        rm -rf /var/lib/apt/lists/*

    # Ubuntu 24.04 has another Python
    COPY --from=ghcr.io/astral-sh/uv:latest /uv /usr/local/bin/uv
    ENV UV_PYTHON_INSTALL_DIR=/opt/python
    RUN uv venv --seed --python 3.11 /opt/venv
    ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH
    ENV TORCH_CUDA_ARCH_LIST=12.0

    # torch first, with what comes from its index (cu128)
    RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cu128 \
            torch==2.7.1+cu128 torchvision==0.22.1+cu128 triton==3.3.1

    # what the builds below expect to find
    RUN pip install --no-cache-dir ninja packaging psutil setuptools wheel

    # no wheel is published, so compiled against the torch above: flash-attn
    RUN pip install --no-cache-dir --no-build-isolation flash-attn==2.8.3

    # the rest, also what the rules do not cover; the pins above are repeated, for pip to keep them
    RUN pip install --no-cache-dir "tabulate[widechars]>=0.8 ; python_full_version >= '3.9'" \
            torch==2.7.1+cu128 torchvision==0.22.1+cu128 triton==3.3.1 flash-attn==2.8.3
    "#);
    assert!(emitted.text.contains("FROM nvidia/cuda:12.8.1-devel-ubuntu"), "torch is for CUDA 12.8");
}

#[test]
fn base_images_follow_driver_glibc_and_python() {
    let from = |lines: &[&str], target: Target| {
        let text = written(lines, target, &[], dockerfile).text;
        text.lines().find_map(|line| line.strip_prefix("FROM ")).unwrap().to_owned()
    };
    let torch = &["torch==2.7.1+cu128"];
    let (h100, new, old) = (&["H100"], "580.65.06", "535.104.05");
    assert_eq!(from(torch, machine(h100, new, "3.10")), "nvidia/cuda:12.8.1-base-ubuntu22.04", "Ubuntu 22.04 has 3.10");
    assert_eq!(from(torch, machine(h100, new, "3.12")), "nvidia/cuda:12.8.1-base-ubuntu24.04", "and 24.04 has 3.12");
    // 535 has CUDA 12.2: a newer image does not start on it.
    let of_12_6 = &["torch==2.7.1+cu126"];
    assert_eq!(from(of_12_6, machine(h100, old, "3.12")), "nvidia/cuda:12.2.2-base-ubuntu22.04");
    // 13.0 against a driver for 12.8: wheels bring their CUDA along, and the library of cuda-compat is installed.
    let compat = written(&["torch==2.9.1+cu130"], compat_pod(), &[], dockerfile).text;
    assert!(compat.contains("FROM nvidia/cuda:12.8.1-base-ubuntu24.04\n"), "{compat}");
    assert!(compat.contains(" cuda-compat-13-0 "), "{compat}");
    assert!(compat.contains("ENV LD_LIBRARY_PATH=/usr/local/cuda-13.0/compat:$LD_LIBRARY_PATH\n"), "{compat}");
    let cpu = Target { cpu_only: true, ..machine(&[], "", "3.12") };
    assert_eq!(from(&["torch==2.7.1"], cpu), "ubuntu:24.04");
}

#[test]
fn conda_leaves_out_what_it_cannot_compile() {
    let emitted = written(LINES, pod(), &[], conda);
    insta::assert_snapshot!(text(&emitted), @r#"
    # Solved by gpudoc for
    # RTX 5090 (compute capability 12.0), driver 570.133.20, Python 3.11, linux_x86_64, glibc 2.35
    # CUDA 12.8 needs driver 525.60.13 or newer
    name: gpudoc
    channels:
      - conda-forge
      - nodefaults
    dependencies:
      - python=3.11
      - pip
      - pip:
          - --extra-index-url https://download.pytorch.org/whl/cu128
          - torch==2.7.1+cu128
          - torchvision==0.22.1+cu128
          - triton==3.3.1
          - "tabulate[widechars]>=0.8 ; python_full_version >= '3.9'"

    # Afterwards, for no wheel of flash-attn is published:
    #   conda run -n gpudoc python -m pip install ninja packaging psutil setuptools wheel
    #   conda run -n gpudoc env TORCH_CUDA_ARCH_LIST=12.0 python -m pip install --no-build-isolation flash-attn==2.8.3
    "#);
    assert!(!emitted.text.contains("\n      - flash-attn"));
    assert_eq!(emitted.notes.len(), 1);
}

#[test]
fn a_script_has_compat_only_where_it_is_needed_and_allowed() {
    let plain = written(LINES, pod(), &[], script).text;
    assert!(!plain.contains("LD_LIBRARY_PATH"), "570 runs CUDA 12.8");
    assert!(plain.contains("\nexport TORCH_CUDA_ARCH_LIST=12.0\n"));
    let compat = written(&["torch==2.9.1+cu130"], compat_pod(), &[], script);
    insta::assert_snapshot!(text(&compat), @r#"
    #!/usr/bin/env bash
    # Solved by gpudoc for
    # H100 (compute capability 9.0), driver 570.133.20, cuda-compat 580.65.06, Python 3.12, linux_x86_64, glibc 2.35
    # CUDA 13.0 needs driver 580.65.06 or newer
    # VENV: where to install (default: the active environment, else ./.venv). PYTHON: the interpreter to make it with.
    set -euo pipefail

    fail() {
        printf 'error: %s\n' "$1" >&2
        exit 1
    }

    # The driver
    driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader) || fail "nvidia-smi failed: is there a driver?"
    driver=${driver%%$'\n'*}
    compat=
    if ! printf '%s\n' 580.65.06 "$driver" | sort --version-sort --check=quiet; then
        # Forward compatibility: the library of a newer driver in front of the kernel's own
        case ${driver%%.*} in
            535 | 570) ;;
            *) fail "CUDA 13.0 needs driver 580.65.06 or newer, but $driver is loaded, and cuda-compat-13-0 does not work on that branch" ;;
        esac
        compat=/usr/local/cuda-13.0/compat
        if [ ! -e "$compat/libcuda.so.1" ]; then
            as_root=()
            [ "$(id -u)" -eq 0 ] || as_root=(sudo)
            if ! apt-cache show cuda-compat-13-0 >/dev/null 2>&1; then
                os=$(. /etc/os-release && printf '%s%s' "$ID" "${VERSION_ID//./}")
                key=$(mktemp)
                curl --fail --silent --show-error --location --output "$key" "https://developer.download.nvidia.com/compute/cuda/repos/$os/x86_64/cuda-keyring_1.1-1_all.deb"
                "${as_root[@]}" dpkg --install "$key"
                rm -f "$key"
            fi
            "${as_root[@]}" apt-get update
            "${as_root[@]}" apt-get install --yes --no-install-recommends cuda-compat-13-0
        fi
        export LD_LIBRARY_PATH="$compat${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    fi

    # The environment, made once
    venv=${VENV:-${VIRTUAL_ENV:-$PWD/.venv}}
    if [ ! -x "$venv/bin/python" ]; then
        "${PYTHON:-python3.12}" -m venv "$venv"
    fi
    "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' ||
        fail "$venv has another Python than 3.12; name another place with VENV"
    if [ -n "$compat" ]; then
        # For every later shell that activates the environment
        line="export LD_LIBRARY_PATH=\"$compat\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}\""
        grep --quiet --line-regexp --fixed-strings -- "$line" "$venv/bin/activate" || printf '%s\n' "$line" >>"$venv/bin/activate"
    fi

    # torch first, with what comes from its index (cu130)
    "$venv/bin/python" -m pip install --extra-index-url https://download.pytorch.org/whl/cu130 torch==2.9.1+cu130 \
        triton==3.5.1

    # Does it hold together?
    if command -v gpudoc >/dev/null; then
        gpudoc check --python "$venv"
    else
        printf 'warning: %s\n' "gpudoc is not in PATH, so the result was not checked" >&2
    fi
    "#);
    assert!(compat.text.contains("        535 | 570) ;;\n"), "NVIDIA's matrix for cuda-compat-13-0");
    assert!(!compat.text.contains("TORCH_CUDA_ARCH_LIST"), "nothing is compiled");
    let newer = Target { compat: "615".parse().ok(), ..compat_pod() };
    let newer = written(&["torch==2.9.1+cu130"], newer, &[], script).text;
    assert!(newer.contains("compat=/usr/local/cuda-13.4/compat\n"), "the library that the set was solved for: {newer}");
    let geforce = Target { gpus: vec![gpu("RTX 4090")], ..compat_pod() };
    // What would need the library is refused there: the kernel's own driver counts.
    let geforce = written(&["torch==2.9.1"], geforce, &[], script).text;
    assert!(!geforce.contains("LD_LIBRARY_PATH") && geforce.contains(" torch==2.9.1 "), "{geforce}");
}

#[test]
fn an_overridden_pin_comes_last_and_says_what_is_lost() {
    let lines = &["torch==2.7.1"];
    let overridden = [other_triton()];
    let by_pip = text(&written(lines, pod(), &overridden, pip));
    insta::assert_snapshot!(by_pip, @r"
    # Solved by gpudoc for
    # RTX 5090 (compute capability 12.0), driver 570.133.20, Python 3.11, linux_x86_64, glibc 2.35
    # CUDA 12.8 needs driver 525.60.13 or newer
    # torch 2.7.1 needs `triton==3.3.1`: `triton==3.1.0` breaks that, `pip check` says so, and whoever published torch 2.7.1 has not tried it

    # torch first, with what comes from its index (cu128)
    python -m pip install --extra-index-url https://download.pytorch.org/whl/cu128 torch==2.7.1+cu128 \
        triton==3.3.1

    # torch 2.7.1 needs `triton==3.3.1`: `triton==3.1.0` breaks that, `pip check` says so, and whoever published torch 2.7.1 has not tried it
    python -m pip install --no-deps triton==3.1.0
    ");
    assert!(by_pip.trim_end().ends_with("python -m pip install --no-deps triton==3.1.0"));
    let table: toml::Table = written(lines, pod(), &overridden, uv).text.parse().unwrap();
    assert_eq!(table["tool"]["uv"]["override-dependencies"][0].as_str(), Some(TRITON));
    let pins = table["project"]["dependencies"].as_array().unwrap();
    assert!(pins.iter().all(|pin| !pin.as_str().unwrap().starts_with("triton")), "{pins:?}");
}

#[test]
fn what_is_compiled_is_told_from_what_only_has_no_wheel() {
    let compiled = |lines: &[&str]| {
        written(lines, machine(&["H100"], "580.65.06", "3.12"), &[], |answer| {
            let names =
                answer.resolution.pins.iter().filter(|pin| answer.built_here(pin)).map(|pin| pin.name.to_owned());
            names.collect::<Vec<_>>()
        })
    };
    assert_eq!(compiled(&["torch", "mamba-ssm==2.3.2.post1", "tensorrt-cu12==10.9.0.34"]), ["mamba-ssm"]);
    assert_eq!(compiled(&["torch", "deepspeed==0.19.8"]), [""; 0], "a plain install compiles nothing");
    assert_eq!(compiled(&["flash-attn==2.8.3"]), ["flash-attn"], "what is compiled against torch brings one");
}

#[test]
fn a_fleet_shares_a_file_where_it_can() {
    let torch = &["torch==2.7.1+cu128", "flash-attn==2.8.3"];
    let fleet = [machine(&["RTX 5090"], "570.133.20", "3.12"), machine(&["A100"], "550.54.14", "3.12")];
    let image = for_all(torch, &fleet, &[], dockerfile).text;
    assert!(image.contains("FROM nvidia/cuda:12.8.1-devel-ubuntu24.04\n"), "12.4 cannot compile for 12.0: {image}");
    assert!(image.contains("\nENV NVIDIA_DISABLE_REQUIRE=1\n"), "and 550 has CUDA 12.4: {image}");
    assert!(image.contains("ENV TORCH_CUDA_ARCH_LIST=\"8.0;12.0\"\n"), "{image}");
    let mixed = [fleet[0].clone(), machine(&["A100"], "550.54.14", "3.11")];
    for kind in [dockerfile, conda, script] {
        let refused = for_all(torch, &mixed, &[], kind);
        assert_eq!((refused.text.as_str(), refused.notes.len()), ("", 1));
        assert!(refused.notes[0].contains("`--per-target`"));
    }
    let table: toml::Table = for_all(torch, &mixed, &[], uv).text.parse().unwrap();
    assert_eq!(table["project"]["requires-python"].as_str(), Some(">=3.11,<3.13"));
    let both = [compat_pod(), machine(&["H100"], "580.65.06", "3.12")];
    let refused = for_all(&["torch==2.9.1+cu130"], &both, &[], dockerfile);
    assert!(refused.text.is_empty() && refused.notes[0].contains("others must not have it"), "{refused:?}");
    let lines = &["torch==2.7.1", "triton==3.3.1"];
    let two = [machine(&["H100"], "560.35.03", "3.11"), machine(&["H100"], "560.35.03", "3.12")];
    let none = for_all(lines, &two, &[], |answer| requirements(answer, true));
    assert!(!none.text.contains("--hash"), "two Pythons, two wheels");
}
