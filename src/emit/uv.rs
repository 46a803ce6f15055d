//! pyproject.toml for uv: pins, and which index each comes from.

use std::collections::BTreeSet;

use super::{Answer, Emitted};
use crate::rules::model::ANY;
use crate::rules::requirement::parse;
use crate::solve::Pin;

/// The tables `[project]` and `[tool.uv]`, complete enough for `uv lock`, to be merged into a project's own.
///
/// Each index is `explicit`: only the packages named in `[tool.uv.sources]` come from it. `environments` is there where a pin
/// has wheels for the target's platform alone, for uv would otherwise look for a set that fits every system.
#[must_use]
pub fn uv(answer: &Answer<'_>) -> Emitted {
    let kept = |name: &str| !answer.overridden.iter().any(|other| other.package == name);
    let pins: Vec<_> = answer.pins().filter(|(_, pin)| kept(pin.name)).collect();
    let mut text = answer.comments();
    text += "[project]\nname = \"solved-by-gpudoc\"\nversion = \"0\"\n";
    if let Some(python) = requires_python(answer) {
        text += &format!("requires-python = {}\n", quoted(&python));
    }
    text += "dependencies = [\n";
    let (named, bare): (Vec<_>, Vec<_>) = answer.taken.iter().partition(|line| parse(line).is_ok());
    let words = pins.iter().map(|(word, pin)| (quoted(word), Some(pin)));
    let words: Vec<_> = words.chain(answer.passed().iter().chain(named).map(|line| (quoted(line), None))).collect();
    let width = words.iter().map(|(word, _)| word.len()).max().unwrap_or_default() + 1;
    for (word, pin) in &words {
        let reason = pin.map_or_else(|| "not covered by the rules".to_owned(), |pin| pin.reason.to_string());
        text += &format!("    {:width$}  # {reason}\n", format!("{word},"));
    }
    text += "]\n";
    let mut tool = Vec::new();
    let markers = environments(answer);
    if !markers.is_empty() {
        let markers: Vec<_> = markers.iter().map(|marker| quoted(marker)).collect();
        tool.push(format!("environments = [{}]", markers.join(", ")));
    }
    if !answer.overridden.is_empty() {
        let list: Vec<_> = answer.overridden.iter().map(|overridden| quoted(&overridden.asked)).collect();
        tool.push(format!("override-dependencies = [{}]", list.join(", ")));
    }
    if !tool.is_empty() {
        text += &format!("\n[tool.uv]\n{}\n", tool.join("\n"));
    }
    let elsewhere: Vec<_> = pins.iter().filter(|(_, pin)| !pin.on_pypi()).collect();
    if !elsewhere.is_empty() {
        text += "\n[tool.uv.sources]\n";
    }
    for (_, pin) in elsewhere {
        text += &format!("{} = {{ index = {} }}\n", pin.name, quoted(pin.index()));
    }
    for index in answer.indexes() {
        let (name, url) = (quoted(&index.name), quoted(&index.url));
        text += &format!("\n[[tool.uv.index]]\nname = {name}\nurl = {url}\nexplicit = true\n");
    }
    text += &builds(answer);
    let bare: Vec<_> = bare.into_iter().map(|line| format!("`{line}`")).collect();
    let left =
        || format!("a pyproject.toml cannot name these as dependencies, so left out: {}", crate::text::list(&bare));
    let notes = if bare.is_empty() { Vec::new() } else { vec![left()] };
    Emitted { text, notes }
}

/// The Pythons of the targets, e.g. `==3.12.*`; none where one is not known.
fn requires_python(answer: &Answer<'_>) -> Option<String> {
    let versions = answer.targets.iter().map(|target| target.python.map(|python| (python.major, python.minor)));
    let versions: BTreeSet<_> = versions.collect::<Option<_>>()?;
    match (versions.first()?, versions.last()?) {
        ((major, minor), last) if (*major, *minor) == *last => Some(format!("=={major}.{minor}.*")),
        (first, last) => Some(format!(">={}.{},<{}.{}", first.0, first.1, last.0, last.1 + 1)),
    }
}

/// The systems that the set is for; none where every pin is pure Python, or a platform is not known.
fn environments(answer: &Answer<'_>) -> BTreeSet<String> {
    if answer.resolution.pins.iter().all(|pin| pin.build.platform == ANY) {
        return BTreeSet::new();
    }
    let machines = answer.targets.iter().map(|target| target.platform.as_deref()?.strip_prefix("linux_"));
    let markers =
        machines.map(|machine| Some(format!("sys_platform == 'linux' and platform_machine == '{}'", machine?)));
    markers.collect::<Option<_>>().unwrap_or_default()
}

/// The tables for what is compiled against torch. uv builds in an environment of its own, and is told what to put there.
fn builds(answer: &Answer<'_>) -> String {
    let compiled: Vec<&Pin<'_>> = answer.resolution.pins.iter().filter(|pin| answer.built_here(pin)).collect();
    let (Some(torch), false) = (answer.torch(), compiled.is_empty()) else { return String::new() };
    let mut text = "\n[tool.uv.extra-build-dependencies]\n".to_owned();
    let tools: Vec<_> = answer.db.tables().images.build_tools.packages.iter().map(|name| quoted(name)).collect();
    for pin in &compiled {
        let torch = if declared(pin) {
            "{ requirement = \"torch\", match-runtime = true }".to_owned()
        } else {
            quoted(&answer.word(torch))
        };
        text += &format!("{} = [{torch}, {}]\n", pin.name, tools.join(", "));
    }
    if let Some(list) = answer.arch_list() {
        text += "\n[tool.uv.extra-build-variables]\n";
        for pin in &compiled {
            text += &format!("{} = {{ TORCH_CUDA_ARCH_LIST = {} }}\n", pin.name, quoted(&list));
        }
    }
    // With its requirements at hand uv need not build a package to lock it.
    for pin in compiled.iter().filter(|pin| declared(pin)) {
        let lines: Vec<_> = pin.release.requires.iter().chain(&pin.build.requires).map(|line| quoted(line)).collect();
        let (name, version) = (quoted(pin.name), quoted(&pin.version()));
        text += &format!("\n[[tool.uv.dependency-metadata]]\nname = {name}\nversion = {version}\n");
        text += &format!("requires-dist = [\n    {},\n]\n", lines.join(",\n    "));
    }
    text
}

fn declared(pin: &Pin<'_>) -> bool {
    !pin.release.requires.is_empty() || !pin.build.requires.is_empty()
}

/// A basic string of TOML, which JSON's escapes suit too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
