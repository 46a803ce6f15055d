//! The commands of remedies, for this environment: its installer, its Python, and a version wherever one follows from what is
//! installed.
//!
//! Rules write `pip install triton`. Beside a torch that pins it that is `triton==3.3.1`; what is installed again keeps its
//! version. Where nothing here tells a version the name stays as it is written.

use super::{Context, installer};
use crate::facts::Facts;
use crate::finding::Finding;
use crate::rules::requirement::{is_about, normalise, parse, specifiers};
use crate::rules::symptom::Heard;
use crate::rules::{RuleDb, Workload};

/// How rules call pip.
const INSTALL: [&str; 2] = ["pip install ", "python -m pip install "];
const UNINSTALL: [&str; 2] = ["pip uninstall ", "python -m pip uninstall "];
/// Options of pip whose next word is no package.
const WITH_VALUE: [&str; 9] =
    ["--index-url", "--extra-index-url", "-i", "--find-links", "-f", "-r", "-c", "--no-binary", "--only-binary"];

/// Writes the commands of all findings for the environment that they are about.
#[must_use]
pub fn fit(facts: &Facts, db: &RuleDb, mut findings: Vec<Finding>) -> Vec<Finding> {
    let written = |command: &String| INSTALL.iter().chain(&UNINSTALL).any(|begin| command.starts_with(begin));
    let remedies = || findings.iter().flat_map(|finding| &finding.remedies);
    if !remedies().flat_map(|remedy| &remedy.commands).any(written) {
        return findings;
    }
    let (workload, heard) = (Workload::default(), Heard::default());
    let context = Context::new(facts, db, &workload, &heard);
    for remedy in findings.iter_mut().flat_map(|finding| &mut finding.remedies) {
        for command in remedy.commands.iter_mut().filter(|command| written(command)) {
            *command = fitted(&context, command);
        }
    }
    findings
}

/// One command, e.g. `pip uninstall a && pip install b`, part by part.
fn fitted(context: &Context<'_>, command: &str) -> String {
    let parts = command.split(" && ").map(|part| {
        if let Some(rest) = INSTALL.iter().find_map(|begin| part.strip_prefix(begin)) {
            let (install, _) = installer(context.facts, "install");
            return format!("{install} {}", with_versions(context, rest));
        }
        if let Some(rest) = UNINSTALL.iter().find_map(|begin| part.strip_prefix(begin)) {
            let (uninstall, yes) = installer(context.facts, "uninstall");
            return format!("{uninstall}{yes} {}", rest.trim_start_matches("-y "));
        }
        part.to_owned()
    });
    parts.collect::<Vec<_>>().join(" && ")
}

/// The words after `pip install`, with versions where they follow from what is installed.
fn with_versions(context: &Context<'_>, words: &str) -> String {
    let all: Vec<&str> = words.split(' ').collect();
    // Another index has other releases than those that are here, and an upgrade wants other ones.
    if all.iter().any(|word| matches!(*word, "--index-url" | "-i" | "--upgrade" | "-U" | "-f")) {
        return words.to_owned();
    }
    let again = all.contains(&"--force-reinstall");
    let mut after_option = false;
    let fitted = all.iter().map(|word| {
        let value = std::mem::replace(&mut after_option, WITH_VALUE.contains(word));
        let bare = !word.starts_with(['-', '.'])
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if value || !bare || word.is_empty() {
            return (*word).to_owned();
        }
        version_of(context, &normalise(word), again)
            .map_or_else(|| (*word).to_owned(), |versions| format!("\"{word}{versions}\""))
    });
    fitted.collect::<Vec<_>>().join(" ")
}

/// `==3.3.1`: the version that is there, for what is installed again; else what torch, or another, asks for.
fn version_of(context: &Context<'_>, name: &str, again: bool) -> Option<String> {
    let there = context.stack.get(name).and_then(|installed| installed.version.as_ref());
    if let (true, Some(version)) = (again, there) {
        return Some(format!("=={version}"));
    }
    let torch_first = context.stack.get("torch").into_iter().chain(&context.stack.installed);
    torch_first.filter(|installed| installed.name() != name).find_map(|installed| {
        let lines = installed.requires()?.iter().filter(|line| is_about(line, name) && !line.contains("extra"));
        let range = lines.filter_map(|line| specifiers(&parse(line).ok()?)).find(|range| !range.is_empty())?;
        Some(range.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Distribution, Metadata, Origin, Reading};
    use crate::rules::embedded;

    #[test]
    fn commands_are_for_this_environment_and_name_versions() {
        let mut facts = Facts::unknown(Origin::Host);
        let torch = Metadata {
            requires: vec!["triton==3.3.1; platform_system == \"Linux\"".to_owned()],
            ..Metadata::default()
        };
        let of = |name: &str, version: &str| Distribution {
            name: name.to_owned(),
            version: Reading::metadata(version.to_owned(), "METADATA"),
            installer: Reading::metadata("uv".to_owned(), "INSTALLER"),
            ..Distribution::default()
        };
        let torch = Distribution { metadata: Reading::metadata(torch, "METADATA"), ..of("torch", "2.7.1") };
        facts.distributions = vec![torch, of("flash-attn", "2.8.3")];
        let (workload, heard) = (Workload::default(), Heard::default());
        let context = Context::new(&facts, embedded(), &workload, &heard);
        let cases = [
            "pip install triton",
            "pip install --force-reinstall --no-deps --no-build-isolation flash-attn",
            "pip uninstall -y cupy && pip install cupy-cuda12x",
            "python -m pip install \"numpy<2\"",
            "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu128",
            "pip install --no-binary flash-attn .",
        ];
        insta::assert_snapshot!(cases.map(|case| fitted(&context, case)).join("\n"), @r#"
        uv pip install "triton==3.3.1"
        uv pip install --force-reinstall --no-deps --no-build-isolation "flash-attn==2.8.3"
        uv pip uninstall cupy && uv pip install cupy-cuda12x
        uv pip install "numpy<2"
        uv pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu128
        uv pip install --no-binary flash-attn .
        "#);
        assert_eq!(fitted(&context, cases[0]), "uv pip install \"triton==3.3.1\"");
    }
}
