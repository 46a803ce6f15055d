//! A script that sets up a pod: driver, forward compatibility, environment, installs, and `gpudoc check` at the end.

use super::answer::Interpreter;
use super::compat::{Compat, compat};
use super::constraints::driver_needed;
use super::steps::steps;
use super::{Answer, Emitted};
use crate::step::sh::quote;

/// The script, for bash. It can run again: the environment is made once, and pip leaves alone what is there.
#[must_use]
pub fn script(answer: &Answer<'_>) -> Emitted {
    let python = match answer.python() {
        Ok(python) => python,
        Err(why) => return Emitted::refused(why),
    };
    let mut notes = Vec::new();
    let mut text = format!("#!/usr/bin/env bash\n{}", answer.comments());
    text += START;
    // The script looks at the driver before it uses it, so one target that needs it is enough.
    let compat = compat(answer).into_iter().flatten().next();
    if let Some((cuda, driver)) = driver_needed(answer.resolution, answer.db) {
        let refused = format!("CUDA {cuda} needs driver {driver} or newer, but $driver is loaded");
        text += &format!("\n# The driver\n{}", DRIVER.replace("DRIVER", &driver.to_string()));
        text += &match &compat {
            Some(compat) => forward(compat, &refused, answer),
            None => format!("    fail \"{refused}\"\nfi\n"),
        };
    }
    if let Some(compat) = compat.as_ref().filter(|compat| compat.doubtful) {
        notes.push(format!("{} works on some GPUs of this class only", compat.package.name));
    }
    text += "\n# The environment, made once\n";
    let name = python.map_or_else(|| "python3".to_owned(), |python| format!("python{python}"));
    text += &VENV.replace("PYTHON_NAME", &name);
    if let Some(Interpreter { major, minor, .. }) = python {
        text += &format!(
            "\"$venv/bin/python\" -c 'import sys; sys.exit(sys.version_info[:2] != ({major}, {minor}))' ||\n    \
             fail \"$venv has another Python than {major}.{minor}; name another place with VENV\"\n"
        );
    }
    if compat.is_some() {
        text += KEEP;
    }
    if answer.builds() {
        text += "\n# What is compiled below\n";
        if let Some(list) = answer.arch_list() {
            text += &format!("export TORCH_CUDA_ARCH_LIST={}\n", quote(&list));
        }
        text += NVCC;
    }
    for step in steps(answer) {
        text += &format!(
            "\n# {}\n{}\n",
            step.why,
            step.command("PIP install", 0).replacen("PIP", "\"$venv/bin/python\" -m pip", 1)
        );
    }
    text += END;
    Emitted { text, notes }
}

/// Puts a cuda-compat library in front where the driver is of a branch that it works on.
fn forward(compat: &Compat<'_>, refused: &str, answer: &Answer<'_>) -> String {
    let branches: Vec<_> = compat.package.works_on.iter().map(ToString::to_string).collect();
    let key = &answer.db.tables().images.repository_key;
    let machine = if answer.targets.iter().any(|target| target.platform.as_deref() == Some("linux_aarch64")) {
        &key.aarch64
    } else {
        &key.x86_64
    };
    let url = key.url.replace("{os}", "$os").replace("{machine}", machine);
    FORWARD
        .replace("BRANCHES", &branches.join(" | "))
        .replace("REFUSED", refused)
        .replace("FOLDER", &compat.folder())
        .replace("PACKAGE", &compat.package.name)
        .replace("KEYRING", &url)
}

const START: &str = r#"# VENV: where to install (default: the active environment, else ./.venv). PYTHON: the interpreter to make it with.
set -euo pipefail

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}
"#;

const DRIVER: &str = r#"driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader) || fail "nvidia-smi failed: is there a driver?"
driver=${driver%%$'\n'*}
compat=
if ! printf '%s\n' DRIVER "$driver" | sort --version-sort --check=quiet; then
"#;

const FORWARD: &str = r#"    # Forward compatibility: the library of a newer driver in front of the kernel's own
    case ${driver%%.*} in
        BRANCHES) ;;
        *) fail "REFUSED, and PACKAGE does not work on that branch" ;;
    esac
    compat=FOLDER
    if [ ! -e "$compat/libcuda.so.1" ]; then
        as_root=()
        [ "$(id -u)" -eq 0 ] || as_root=(sudo)
        if ! apt-cache show PACKAGE >/dev/null 2>&1; then
            os=$(. /etc/os-release && printf '%s%s' "$ID" "${VERSION_ID//./}")
            key=$(mktemp)
            curl --fail --silent --show-error --location --output "$key" "KEYRING"
            "${as_root[@]}" dpkg --install "$key"
            rm -f "$key"
        fi
        "${as_root[@]}" apt-get update
        "${as_root[@]}" apt-get install --yes --no-install-recommends PACKAGE
    fi
    export LD_LIBRARY_PATH="$compat${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
"#;

const VENV: &str = r#"venv=${VENV:-${VIRTUAL_ENV:-$PWD/.venv}}
if [ ! -x "$venv/bin/python" ]; then
    "${PYTHON:-PYTHON_NAME}" -m venv "$venv"
fi
"#;

const KEEP: &str = r#"if [ -n "$compat" ]; then
    # For every later shell that activates the environment
    line="export LD_LIBRARY_PATH=\"$compat\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}\""
    grep --quiet --line-regexp --fixed-strings -- "$line" "$venv/bin/activate" || printf '%s\n' "$line" >>"$venv/bin/activate"
fi
"#;

const NVCC: &str = r#"if ! command -v nvcc >/dev/null && [ ! -x "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" ]; then
    printf 'warning: %s\n' "no nvcc in PATH or ${CUDA_HOME:-/usr/local/cuda}: what has no ready build will not compile" >&2
fi
"#;

const END: &str = r#"
# Does it hold together?
if command -v gpudoc >/dev/null; then
    gpudoc check --python "$venv"
else
    printf 'warning: %s\n' "gpudoc is not in PATH, so the result was not checked" >&2
fi
"#;
