//! Which environment would a command change?
//!
//! gpudoc runs an installer itself, and only on the one environment that it was asked to mend. Everything else (a driver, a
//! system package, a project's own files) is for its owner. What is not understood is not run.

use std::path::Path;

/// An installer, as far as what it does to files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installer {
    /// pip of the environment.
    Pip,
    /// uv, which links from its cache.
    Uv,
    /// conda, mamba, micromamba.
    Conda,
}

/// Options of pip and uv that lead out of the environment.
const OUTWARD: [&str; 9] =
    ["--break-system-packages", "--editable", "--prefix", "--root", "--src", "--system", "--target", "--user", "-e"];
/// Why no environment is made.
const BESIDE: &str = "it makes another environment, and what comes after it is for that one";
/// The same for conda: an environment by name may be another than the one that was looked at.
const BY_NAME: [&str; 2] = ["-n", "--name"];

/// The installer of a command that changes the environment at `prefix` and nothing else.
///
/// # Errors
///
/// Why it is left to its owner, a sentence without its subject, e.g. `it needs root`.
pub fn aim(argv: &[String], prefix: &Path) -> Result<Installer, String> {
    let (program, arguments) = argv.split_first().ok_or("it is empty")?;
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let base = program.rsplit('/').next().unwrap_or_default();
    match (base, words.as_slice()) {
        ("sudo" | "doas" | "su", _) => Err("it needs root".to_owned()),
        ("uv", ["pip", rest @ ..]) => {
            inward(rest)?;
            named(rest, &["--python", "-p"], prefix).map(|()| Installer::Uv)
        }
        ("conda" | "mamba" | "micromamba", [verb, rest @ ..]) => {
            if !["install", "remove", "uninstall", "update"].contains(verb) {
                return Err(format!("`{base} {verb}` is more than an installation"));
            }
            if rest.iter().any(|word| BY_NAME.iter().any(|option| is_option(word, option))) {
                return Err("it names its environment instead of giving its folder".to_owned());
            }
            named(rest, &["--prefix", "-p"], prefix).map(|()| Installer::Conda)
        }
        (_, ["-m", "pip", rest @ ..]) if base.starts_with("python") => {
            own(program, prefix)?;
            inward(rest).map(|()| Installer::Pip)
        }
        (_, ["-m", "ensurepip", rest @ ..]) if base.starts_with("python") => {
            own(program, prefix)?;
            let inward = rest.iter().all(|word| ["--upgrade", "--default-pip"].contains(word));
            if inward { Ok(Installer::Pip) } else { Err("its options may lead out of the environment".to_owned()) }
        }
        (_, ["-m", "venv", ..]) if base.starts_with("python") => Err(BESIDE.to_owned()),
        ("uv", ["venv", ..]) => Err(BESIDE.to_owned()),
        ("uv", ["add" | "remove" | "sync" | "lock", ..]) | ("poetry", _) => {
            Err(format!("`{base}` also writes the project's own files, which `--undo` would not bring back"))
        }
        ("uv", ["tool", ..]) | ("pipx", _) => {
            Err(format!("`{base}` finds the application by its name, and makes its environment anew where it likes"))
        }
        // Its first line may name another Python than the one beside it.
        (_, _) if base.starts_with("pip") => {
            Err(format!("`{base}` does not say for which Python; `python -m pip` does"))
        }
        _ => Err("it is no call of this environment's installer".to_owned()),
    }
}

/// A command for an environment at another place: every path below `from` lies below `to` then.
#[must_use]
pub fn moved(argv: &[String], from: &Path, to: &Path) -> Vec<String> {
    let path = |word: &str| {
        let below = Path::new(word).strip_prefix(from).ok()?;
        // `to/` and `to` are the same folder, but not the same word.
        Some(if below.as_os_str().is_empty() { to.to_owned() } else { to.join(below) }.to_string_lossy().into_owned())
    };
    let word = |word: &String| match word.split_once('=').filter(|(option, _)| option.starts_with('-')) {
        Some((option, value)) => path(value).map(|value| format!("{option}={value}")),
        None => path(word),
    };
    argv.iter().map(|it| word(it).unwrap_or_else(|| it.clone())).collect()
}

/// The names of packages that a command of an installer is about, e.g. `torch` of `torch==2.7.1+cu128`.
pub fn names(argv: &[String]) -> impl Iterator<Item = &str> {
    let verb = argv.iter().position(|word| ["install", "uninstall", "remove", "update"].contains(&word.as_str()));
    let words = argv.iter().skip(verb.map_or(argv.len(), |at| at + 1)).filter(|word| !word.starts_with('-'));
    words.filter_map(|word| {
        let end = word.find(|letter: char| !letter.is_ascii_alphanumeric() && !"-_.".contains(letter));
        let name = word.get(..end.unwrap_or(word.len()))?;
        (!name.is_empty() && !word.contains('/')).then_some(name)
    })
}

/// Whether a command takes packages out.
#[must_use]
pub fn removes(argv: &[String]) -> bool {
    argv.iter().any(|word| ["uninstall", "remove"].contains(&word.as_str()))
}

/// Whether pip's or uv's words stay in the environment.
fn inward(words: &[&str]) -> Result<(), String> {
    let verb = words.first().copied().unwrap_or_default();
    if !["install", "uninstall"].contains(&verb) {
        return Err(format!("`{verb}` is no installation"));
    }
    // `-t` and `-p` of pip are short for options that lead out, with or without a space before the value.
    for word in words {
        if let Some(option) = OUTWARD.iter().find(|option| is_option(word, option)) {
            return Err(format!("`{option}` leads out of the environment"));
        }
        if word.starts_with("-t") {
            return Err("`-t` leads out of the environment".to_owned());
        }
        let is_folder = *word == "." || word.starts_with("./") || word.starts_with("../") || word.starts_with("file:");
        if is_folder && ![".whl", ".zip", ".tar.gz"].iter().any(|ending| word.ends_with(ending)) {
            return Err("it builds in a folder outside the environment".to_owned());
        }
    }
    Ok(())
}

fn is_option(word: &str, option: &str) -> bool {
    word.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// Whether a program is the environment's own.
fn own(program: &str, prefix: &Path) -> Result<(), String> {
    if is_below(program, prefix) { Ok(()) } else { Err(format!("`{program}` is not in `{}`", prefix.display())) }
}

/// Whether the environment that an option names is this one; without the option it is the active one, which gpudoc sets.
fn named(words: &[&str], options: &[&str], prefix: &Path) -> Result<(), String> {
    for (at, word) in words.iter().enumerate() {
        let Some(option) = options.iter().find(|option| is_option(word, option)) else { continue };
        let value = match word.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
            Some(value) => Some(value),
            None => words.get(at + 1).copied(),
        };
        if !value.is_some_and(|value| is_below(value, prefix)) {
            return Err(format!("`{option}` names another environment than `{}`", prefix.display()));
        }
    }
    Ok(())
}

/// Whether a path is the folder or lies in it; `..` could lead out again.
fn is_below(path: &str, prefix: &Path) -> bool {
    Path::new(path).starts_with(prefix) && !path.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str) -> Vec<String> {
        command.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn only_the_installer_of_this_environment_is_run() {
        let commands = [
            "/v/bin/python3 -m pip install torch==2.7.1+cu128 --extra-index-url https://download.pytorch.org/whl/cu128",
            "/v/bin/python3.11 -m pip uninstall -y nvidia-cublas-cu11",
            "/v/bin/python -m pip install numpy==1.26.4",
            "/v/bin/pip install numpy==1.26.4",
            "uv pip install --python /v/bin/python3 --no-deps ./torch-2.7.1-py3-none-any.whl",
            "uv pip install --python=/v torch==2.7.1",
            "uv pip install torch==2.7.1",
            "mamba install -p /v numpy=1.26",
            "/usr/bin/python3 -m pip install torch==2.7.1",
            "/v/../usr/bin/python3 -m pip install torch==2.7.1",
            "/v2/bin/python3 -m pip install torch==2.7.1",
            "pip install torch==2.7.1",
            "uv pip install --python /w/bin/python torch==2.7.1",
            "uv pip install --system torch==2.7.1",
            "/v/bin/python -m pip install --target=/opt torch==2.7.1",
            "/v/bin/python -m pip install -t/opt torch==2.7.1",
            "/v/bin/python -m pip install -e /src/vllm",
            "/v/bin/python -m pip install --no-build-isolation .",
            "/v/bin/python -m pip download torch==2.7.1",
            "/v/bin/python setup.py install",
            "conda install -n base numpy=1.26",
            "conda env remove -p /v",
            "uv add torch==2.7.1",
            "poetry --directory /app add torch==2.7.1",
            "uv tool install torch==2.7.1 --with numpy<2",
            "pipx runpip vllm install torch==2.7.1",
            "/usr/bin/python3 -m venv --system-site-packages .venv",
            ".venv/bin/python -m pip install torch==2.7.1",
            "/v/bin/python -m ensurepip",
            "/v/bin/python -m ensurepip --root /",
            "sudo apt-get install nvidia-driver-580",
            "sh -c reboot",
        ];
        let told = commands.map(|command| match aim(&words(command), Path::new("/v")) {
            Ok(installer) => format!("{installer:?}"),
            Err(why) => format!("left: {why}"),
        });
        insta::assert_snapshot!(told.join("\n"), @"
        Pip
        Pip
        Pip
        left: `pip` does not say for which Python; `python -m pip` does
        Uv
        Uv
        Uv
        Conda
        left: `/usr/bin/python3` is not in `/v`
        left: `/v/../usr/bin/python3` is not in `/v`
        left: `/v2/bin/python3` is not in `/v`
        left: `pip` does not say for which Python; `python -m pip` does
        left: `--python` names another environment than `/v`
        left: `--system` leads out of the environment
        left: `--target` leads out of the environment
        left: `-t` leads out of the environment
        left: `-e` leads out of the environment
        left: it builds in a folder outside the environment
        left: `download` is no installation
        left: it is no call of this environment's installer
        left: it names its environment instead of giving its folder
        left: `conda env` is more than an installation
        left: `uv` also writes the project's own files, which `--undo` would not bring back
        left: `poetry` also writes the project's own files, which `--undo` would not bring back
        left: `uv` finds the application by its name, and makes its environment anew where it likes
        left: `pipx` finds the application by its name, and makes its environment anew where it likes
        left: it makes another environment, and what comes after it is for that one
        left: `.venv/bin/python` is not in `/v`
        Pip
        left: its options may lead out of the environment
        left: it needs root
        left: it is no call of this environment's installer
        ");
        assert_eq!(told.iter().filter(|it| !it.starts_with("left")).count(), 8);
        assert!(aim(&[], Path::new("/v")).is_err());
    }

    #[test]
    fn a_command_moves_with_its_environment() {
        let argv = words("/v/bin/python3 -m pip install --prefix=/v /vv/a.whl --log=/v/log");
        let expected = words("/t/bin/python3 -m pip install --prefix=/t /vv/a.whl --log=/t/log");
        assert_eq!(moved(&argv, Path::new("/v"), Path::new("/t")), expected);
    }

    #[test]
    fn names_of_packages() {
        let argv = words("uv pip install --python /v/bin/python torch==2.7.1+cu128 jax[cuda12]<1 ./a-1.whl numpy");
        assert_eq!(names(&argv).collect::<Vec<_>>(), ["torch", "jax", "numpy"]);
        assert!(removes(&words("/v/bin/pip uninstall -y triton")) && !removes(&argv));
    }
}
