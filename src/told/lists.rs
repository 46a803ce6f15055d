//! Lists of installed distributions: `pip list` in columns and JSON, `pip freeze`, `uv pip list`, `conda list`, `pip show`,
//! `poetry show`, the trees of pipdeptree and uv, the `[pip3]` lines of collect_env, and what pip says while it installs and
//! complains. Whole documents in JSON are lines of `name==version` by now.

use super::Vocabulary;
use super::beside::{in_list_of_packages, is_own_extension, is_system, origin};
use super::clean::Line;
use super::draft::Draft;
use super::said::Rank;
use super::token::{is_name, is_version};
use super::words::Word;
use crate::facts::{ASKED, Reading, Unmet};
use crate::python::wheel::{WheelName, normalise_name};
use crate::version::{CudaVersion, PythonVersion};

/// A list of so many distributions is a whole one.
const WHOLE: usize = 25;

/// Reads every line that belongs to a list.
pub fn read(lines: &[Line<'_>], vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    let mut shown: Option<&str> = None;
    let mut listed = 0_usize;
    let mut header = false;
    let mut vendored = false;
    for (at, line) in lines.iter().enumerate() {
        let (text, number) = (undrawn(&line.text), line.number);
        header |= is_header(text);
        // `pip debug`: what pip brings for itself is not installed.
        let pinned = || text.split_once("==").is_some_and(|(name, _)| is_name(name));
        vendored = text == "vendored library versions:" || vendored && pinned();
        if vendored {
            draft.set_aside(number);
            continue;
        }
        if draft.is_aside(number) {
            continue;
        }
        if let Some(name) = shown_name(text) {
            shown = Some(name).filter(|name| !name.contains(' '));
            continue;
        }
        if let Some(name) = shown
            && show(name, text, number, draft)
        {
            continue;
        }
        if line.has(Word::JsonName) && json(text, number, draft) {
            continue;
        }
        if line.has(Word::Requires) && conflict(text, number, draft) {
            continue;
        }
        if (line.has(Word::Installer) || line.has(Word::Install)) && installer(text, number, draft) {
            continue;
        }
        if environment(text, number, draft) {
            continue;
        }
        if unversioned(text, at, lines, vocabulary, draft) {
            continue;
        }
        let drawn = text.len() < line.text.len();
        let around = || [at.checked_sub(1).and_then(|at| lines.get(at)), lines.get(at + 1)].into_iter().flatten();
        let in_list = || header || drawn || around().any(|other| is_row(undrawn(&other.text)));
        let beside = |own: Columns| around().filter_map(|other| Columns::of(&other.text)).any(|other| own.fits(other));
        let in_columns = || Columns::of(text).is_some_and(beside);
        if row(text, number, &in_list, &in_columns, vocabulary, draft) {
            listed += usize::from(!text.starts_with('['));
        }
    }
    if listed >= WHOLE {
        draft.whole_list = Reading::told(true, "a list of distributions");
    }
}

/// `utils3d (git)` in a list: a distribution that is there, from somewhere else than an index.
fn unversioned(text: &str, at: usize, lines: &[Line<'_>], vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> bool {
    let Some((name, rest)) = text.trim_start_matches(['-', '*', '+', ' ']).split_once(' ') else { return false };
    let remark = rest.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    if !remark.is_some_and(|remark| is_name(name) && origin(&remark.to_lowercase())) {
        return false;
    }
    let around = [at.checked_sub(1).and_then(|at| lines.get(at)), lines.get(at + 1)].into_iter().flatten();
    let in_list = || in_list_of_packages(lines, at, vocabulary) || around.into_iter().any(|line| is_row(&line.text));
    if !(vocabulary.is_package)(&normalise_name(name)) && !in_list() {
        return false;
    }
    draft.present(name);
    if remark.is_some_and(is_own_extension) {
        draft.extension(name);
    }
    draft.saw("list of distributions", lines.get(at).map_or(0, |line| line.number));
    true
}

/// A line without the branches of a tree: `│   ├── triton v3.3.1` is `triton v3.3.1`.
fn undrawn(text: &str) -> &str {
    const BRANCHES: [char; 4] = ['│', '├', '└', '─'];
    if text.starts_with(BRANCHES) {
        text.trim_start_matches(BRANCHES.as_slice()).trim_start_matches([' ', '│', '├', '└', '─'])
    } else {
        text
    }
}

/// `Name: torch` of `pip show`; `name         : torch` of `poetry show`.
fn shown_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix("Name:").or_else(|| text.strip_prefix("name ")?.trim_start().strip_prefix(": "));
    name.map(str::trim)
}

/// `Using Python 3.12.1 environment at: .venv`, as uv begins.
fn environment(text: &str, number: usize, draft: &mut Draft) -> bool {
    // With `--verbose` behind `DEBUG`.
    let Some(rest) = text.trim_start_matches("DEBUG ").strip_prefix("Using ") else { return false };
    let mut words = rest.split_whitespace().skip_while(|word| !word.ends_with("Python")).skip(1);
    let (Some(version), Some("environment")) = (words.next(), words.next()) else { return false };
    let Ok(version) = version.parse::<PythonVersion>() else { return false };
    draft.python.add(version, Rank::Listed, format!("uv, line {number}"));
    draft.saw("list of distributions", number);
    true
}

/// `Package    Version`, with `Location` behind it or not; conda's `# Name  Version  Build  Channel`.
fn is_header(text: &str) -> bool {
    let mut words = text.trim_start_matches('#').split_whitespace();
    matches!((words.next(), words.next()), (Some("Package" | "Name"), Some("Version")))
}

/// A line that is surely of a list: a name, space, and a version that ends the line or is followed by more columns.
fn is_row(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let (Some(name), Some(version)) = (words.next(), words.next()) else {
        return text.split_once("==").is_some_and(|(name, version)| is_name(name) && is_version(version.trim()));
    };
    is_name(name) && is_version(version.trim_start_matches('v')) && words.count() <= 4
}

/// Where a line's second column begins, a version, and its third: `poetry show` describes each distribution in words.
#[derive(Clone, Copy)]
struct Columns {
    version: usize,
    third: Option<usize>,
}

impl Columns {
    fn of(text: &str) -> Option<Self> {
        let place = |word: &str| (word.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
        let mut words = text.split_whitespace();
        let (name, version, third) = (words.next()?, words.next()?, words.next());
        let is_row = is_name(name) && is_version(version);
        is_row.then_some(Self { version: place(version)?, third: third.and_then(place) })
    }

    /// Whether two lines are of one table; not all have a third column.
    fn fits(self, other: Self) -> bool {
        let both = self.third.zip(other.third);
        self.version == other.version && both.is_none_or(|(one, other)| one == other)
    }
}

/// One line of any list.
fn row(
    text: &str,
    number: usize,
    in_list: &dyn Fn() -> bool,
    in_columns: &dyn Fn() -> bool,
    vocabulary: &Vocabulary<'_>,
    draft: &mut Draft,
) -> bool {
    // Each has a version, and begins with a name or a bullet.
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let (rest, by_conda) =
        match (text.strip_prefix("[pip3]").or(text.strip_prefix("[pip]")), text.strip_prefix("[conda]")) {
            (Some(rest), _) => (rest.trim(), false),
            (_, Some(rest)) => (rest.trim(), true),
            _ => (text, false),
        };
    let tagged = rest.len() < text.len();
    // `torch==2.7.1`, `torch @ file:///…`, `torch==2.7.1 ; marker`, in TOML and YAML `- torch==2.7.1`.
    let bare = rest.trim_start_matches(['-', '*', '+', ' ']).trim_matches(['"', '\'', ',', '`']);
    if tree(bare, number, draft) || from_file(bare, number, draft) {
        return true;
    }
    // `# Editable install with no version control (demo==0.3.1)`
    let bare = match bare.strip_prefix("# Editable ").and_then(|rest| rest.rsplit_once('(')) {
        Some((_, inside)) => inside.trim_end_matches(')'),
        None => bare,
    };
    if let Some((name, version)) = bare.split_once("==") {
        let version = version.split([' ', ';', ',', '"', '\'', '`', ')', '\\']).next().unwrap_or_default();
        let name = name.split('[').next().unwrap_or(name).trim();
        let ends = bare.len() <= name.len() + version.len() + 24 || bare.contains(';');
        if is_name(name) && is_version(version) && ends {
            let place =
                if tagged { format!("collect_env's list, line {number}") } else { format!("a list, line {number}") };
            draft.package(name, version, Rank::Listed, place);
            draft.saw("list of distributions", number);
            return true;
        }
    }
    if let Some(found) = planned(rest, number, draft) {
        return found;
    }
    let words: Vec<&str> = rest.split_whitespace().take(6).collect();
    let [name, version, more @ ..] = words.as_slice() else { return false };
    let version = version.trim_start_matches('v');
    if !is_name(name) || !is_version(version) || more.len() > 3 && !in_columns() {
        return false;
    }
    let normal = normalise_name(name);
    let known =
        (vocabulary.is_package)(&normal) || matches!(normal.as_str(), "pytorch" | "pytorch-cuda" | "cudatoolkit");
    if !(tagged || known && more.is_empty() || in_list() || in_columns()) {
        return false;
    }
    // `cuda 12.8`, `python 3.12.7` in people's lists are no distributions.
    if matches!(normal.as_str(), "python") {
        if let Ok(version) = version.parse::<PythonVersion>() {
            draft.python.add(version, Rank::Listed, format!("a list, line {number}"));
        }
        return true;
    }
    if is_system(&normal) {
        return false;
    }
    let build = more.first().copied().unwrap_or_default();
    if by_conda || build.contains("py3") || build.contains("cuda") {
        conda(&normal, version, build, number, draft);
        draft.of_conda(if normal == "pytorch" { "torch" } else { &normal }, !build.starts_with("pypi"));
    } else {
        let place = if tagged { "collect_env's list" } else { "a list" };
        draft.package(name, version, Rank::Listed, format!("{place}, line {number}"));
        if let Some(folder) = more.first().filter(|word| word.contains(['/', '\\'])) {
            draft.location(name, folder);
        }
    }
    draft.saw("list of distributions", number);
    true
}

/// What conda is about to install: `pytorch  pytorch/win-64::pytorch-1.10.0-py3.6_cpu_0`.
fn planned(text: &str, number: usize, draft: &mut Draft) -> Option<bool> {
    let (_, file) = text.split_once("::")?;
    let file = file.split_whitespace().next()?;
    let mut parts = file.rsplitn(3, '-');
    let (build, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    if !is_name(name) || !is_version(version) {
        return None;
    }
    conda(&normalise_name(name), version, build, number, draft);
    draft.saw("list of distributions", number);
    Some(true)
}

/// `triton [required: ==3.3.1, installed: 3.3.1]`, below what requires it.
fn tree(text: &str, number: usize, draft: &mut Draft) -> bool {
    let Some((name, rest)) = text.split_once(" [required: ") else { return false };
    let Some((_, rest)) = rest.split_once("installed: ") else { return false };
    let Some((version, _)) = rest.split_once([']', ',']).filter(|_| is_name(name.trim())) else { return false };
    draft.package(name, version, Rank::Listed, format!("a list, line {number}"));
    draft.saw("list of distributions", number);
    true
}

/// `flash-attn @ file:///wheels/flash_attn-2.7.4.post1+cu12torch2.6-cp312-cp312-linux_x86_64.whl#sha256=…`: the file's name
/// has the version.
fn from_file(text: &str, number: usize, draft: &mut Draft) -> bool {
    let Some((name, address)) = text.split_once(" @ ") else { return false };
    let file = address.split([' ', '#', '?', ';']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let Ok(wheel) = file.replace("%2B", "+").replace("%2b", "+").parse::<WheelName>() else { return false };
    if !is_name(name.trim()) || normalise_name(name) != wheel.name {
        return false;
    }
    draft.package(name, &wheel.version.to_string(), Rank::Listed, format!("a list, line {number}"));
    draft.saw("list of distributions", number);
    true
}

/// `pytorch  2.1.0  py3.9_cuda12.1_cudnn8.9.2_0  pytorch`: conda's torch names its CUDA in the build.
fn conda(name: &str, version: &str, build: &str, number: usize, draft: &mut Draft) {
    let place = format!("conda list, line {number}");
    if name != "pytorch" {
        // conda's own names for other things (`libcublas`, `mkl`) are harmless: no rule knows them. `torchvision  0.18.1
        // py310_cu118` is what an index calls 0.18.1+cu118, and not PyPI's build.
        let label = build.split('_').find(|part| *part == "cpu" || CudaVersion::from_variant(part).is_some());
        let label = label.filter(|_| !version.contains('+')).map(|label| format!("{version}+{label}"));
        draft.package(name, label.as_deref().unwrap_or(version), Rank::Listed, place);
        return;
    }
    let cuda =
        build.split('_').find_map(|part| part.strip_prefix("cuda")).and_then(|text| text.parse::<CudaVersion>().ok());
    if build.contains("cpu") {
        draft.torch_cuda.add(None, Rank::Listed, place.clone());
    } else if let Some(cuda) = cuda {
        draft.torch_cuda.add(Some(cuda), Rank::Listed, place.clone());
    }
    draft.package("torch", version, Rank::Listed, place);
}

/// The lines of `pip show`.
fn show(name: &str, text: &str, number: usize, draft: &mut Draft) -> bool {
    let of_poetry = || text.strip_prefix("version ")?.trim_start().strip_prefix(": ");
    if let Some(version) = text.strip_prefix("Version:").or_else(of_poetry) {
        draft.package(name, version.trim(), Rank::Listed, format!("pip show, line {number}"));
        draft.saw("pip show", number);
        return true;
    }
    if let Some(folder) = text.strip_prefix("Location:") {
        draft.location(name, folder.trim());
        return true;
    }
    ["Summary:", "Home-page:", "Author", "License", "Requires:", "Required-by:"].iter().any(|key| text.starts_with(key))
}

/// `[{"name": "torch", "version": "2.7.1"}, …]`, on one line or over many.
fn json(text: &str, number: usize, draft: &mut Draft) -> bool {
    if !text.contains("\"name\"") || !text.contains("\"version\"") {
        return false;
    }
    let mut found = false;
    for piece in text.split("\"name\"").skip(1) {
        let mut words = piece.split('"').skip(1).step_by(2);
        let name = words.next();
        let Some(version) = words.by_ref().skip_while(|word| *word != "version").nth(1) else { continue };
        if let Some(name) = name.filter(|name| is_name(name)) {
            draft.package(name, version, Rank::Listed, format!("pip list, line {number}"));
            found = true;
        }
    }
    if found {
        draft.saw("list of distributions", number);
    }
    found
}

/// `vllm 0.6.3 requires torch==2.4.0, but you have torch 2.4.1 which is incompatible.`, and of `pip check`
/// `vllm 0.6.3 has requirement torch==2.4.0, but you have torch 2.4.1.`
fn conflict(text: &str, number: usize, draft: &mut Draft) -> bool {
    let parts = text.split_once(" requires ").or_else(|| text.split_once(" has requirement "));
    let Some((before, after)) = parts else { return false };
    let (requirement, found) = if let Some((requirement, rest)) = after.split_once(", but you have ") {
        let mut words = rest.split_whitespace();
        (requirement, words.next().zip(words.next()))
    } else if let Some((requirement, _)) = after.split_once(", which is not installed") {
        (requirement, None)
    } else {
        return false;
    };
    let mut words = before.split_whitespace().rev();
    let (Some(version), Some(name)) = (words.next(), words.next()) else { return false };
    if !is_name(name) || !is_version(version) {
        return false;
    }
    let place = format!("pip, line {number}");
    draft.package(name, version, Rank::Listed, place.clone());
    let found = found.map(|(other, version)| (other, version.trim_end_matches('.')));
    if let Some((other, version)) = found.filter(|(other, _)| is_name(other)) {
        draft.package(other, version, Rank::Listed, place.clone());
    }
    draft.unmet(Unmet {
        package: (normalise_name(name), version.to_owned()),
        requirement: requirement.trim().to_owned(),
        found: found.map(|(_, version)| version.to_owned()),
        place,
    });
    draft.saw("pip's messages", number);
    true
}

/// `Successfully installed torch-2.9.1 numpy-2.0.2`, `Found existing installation: torch 2.8.0`, `pip install torch==2.9.1`.
fn installer(text: &str, number: usize, draft: &mut Draft) -> bool {
    let place = format!("pip, line {number}");
    if let Some((_, rest)) = text.split_once("Successfully installed ") {
        for (name, version) in rest.split_whitespace().filter_map(named) {
            draft.package(name, version, Rank::Listed, place.clone());
        }
    } else if let Some((_, rest)) = text.split_once("Found existing installation: ") {
        let mut words = rest.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            draft.package(name, version, Rank::Asked, place);
        }
    } else if let Some((_, rest)) = text.split_once("Successfully uninstalled ") {
        let mut words = rest.split_whitespace();
        let first = words.next().unwrap_or_default();
        if let Some((name, version)) = named(first).or_else(|| Some((first, words.next()?))) {
            draft.package(name, version, Rank::Asked, place);
        }
    } else if let Some((name, version)) = by_poetry(text) {
        draft.package(name, version, Rank::Listed, format!("poetry, line {number}"));
    } else if text.contains("pip install ") || text.contains("pip3 install ") {
        for word in text.split([' ', '`', '"', '\'']) {
            if let Some((name, version)) = word.split_once("==").filter(|(name, _)| is_name(name)) {
                draft.package(name, version, Rank::Asked, format!("{ASKED} pip, line {number}"));
            }
        }
        return false;
    } else {
        return false;
    }
    draft.saw("pip's messages", number);
    true
}

/// What poetry tells of each package as it goes: `- Installing torch-scatter (2.1.2+pt20cu118 https://…)`, `- Updating numpy (1.26.4 ->
/// 2.0.2)`.
fn by_poetry(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(['-', '•', ' ']);
    let rest = ["Installing ", "Updating ", "Downgrading "].iter().find_map(|verb| text.strip_prefix(verb))?;
    let (name, rest) = rest.split_once(" (")?;
    let (inside, behind) = rest.split_once(')')?;
    let version = inside.rsplit(" -> ").next().and_then(|version| version.split_whitespace().next())?;
    let failed = behind.contains("ailed");
    (is_name(name) && is_version(version) && !failed).then_some((name, version))
}

/// `nvidia-cublas-cu12-12.6.4.1` is `nvidia-cublas-cu12`, `12.6.4.1`.
fn named(word: &str) -> Option<(&str, &str)> {
    let (name, version) = word.rsplit_once('-')?;
    (is_name(name) && is_version(version)).then_some((name, version))
}
