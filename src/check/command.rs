//! The commands of remedies, for this environment: its installer, its Python, and a version wherever one follows from what is
//! installed.
//!
//! Rules write `pip install triton`. Beside a torch that pins it that is `triton==3.3.1`; what is installed again keeps its
//! version. Where nothing here tells a version the name stays as it is written.

use super::{Context, Installer};
use crate::facts::Facts;
use crate::finding::Finding;
use crate::rules::requirement::{is_about, normalise, parse, specifiers};
use crate::rules::symptom::Heard;
use crate::rules::{RuleDb, Workload};
use crate::step::{Step, Word};

/// How rules call pip.
const PIP: [&[&str]; 2] = [&["pip"], &["python", "-m", "pip"]];
/// Options of pip whose next word is no package.
const WITH_VALUE: [&str; 9] =
    ["--index-url", "--extra-index-url", "-i", "--find-links", "-f", "-r", "-c", "--no-binary", "--only-binary"];

/// Writes the commands of all findings for the environment that they are about.
#[must_use]
pub fn fit(facts: &Facts, db: &RuleDb, mut findings: Vec<Finding>) -> Vec<Finding> {
    let mut steps = findings.iter().flat_map(|finding| &finding.remedies).flat_map(|remedy| &remedy.steps);
    if steps.any(|step| of_pip(step).is_some()) {
        let (workload, heard) = (Workload::default(), Heard::default());
        let context = Context::new(facts, db, &workload, &heard);
        let remedies = findings.iter_mut().flat_map(|finding| &mut finding.remedies);
        for step in remedies.flat_map(|remedy| &mut remedy.steps) {
            if let Some(fitted) = fitted(&context, step) {
                *step = fitted;
            }
        }
    }
    let installer = Installer::of(facts);
    for remedy in findings.iter_mut().flat_map(|finding| &mut finding.remedies) {
        remedy.steps = installer.prepared(std::mem::take(&mut remedy.steps));
    }
    findings
}

/// What pip is asked to do, and the words after that: `install`, `[numpy<2]`. None for what is no call of pip as rules write it.
fn of_pip(step: &Step) -> Option<(&'static str, &[Word])> {
    let Step::Run { argv, .. } = step else { return None };
    let rest = PIP.iter().find_map(|begin| {
        let is_it = argv.len() > begin.len() && argv.iter().zip(*begin).all(|(word, wanted)| word.as_str() == *wanted);
        is_it.then(|| &argv[begin.len()..])
    })?;
    let (subcommand, rest) = rest.split_first()?;
    let known = ["install", "uninstall"].into_iter().find(|known| *known == subcommand.as_str())?;
    Some((known, rest))
}

/// A call of pip for the tool that made this environment; none for other steps.
fn fitted(context: &Context<'_>, step: &Step) -> Option<Step> {
    let (subcommand, rest) = of_pip(step)?;
    let Step::Run { environment, .. } = step else { return None };
    let words: Vec<&str> = rest.iter().map(Word::as_str).collect();
    let rest = match subcommand {
        "install" => with_versions(context, &words),
        _ => words.iter().filter(|word| **word != "-y").map(|word| (*word).to_owned()).collect(),
    };
    let call = Step::run(Installer::of(context.facts).words(subcommand).into_iter().chain(rest))?;
    environment.iter().try_fold(call, |call, (name, value)| call.with(name.as_str(), value.as_str()))
}

/// The words after `pip install`, with versions where they follow from what is installed.
fn with_versions(context: &Context<'_>, all: &[&str]) -> Vec<String> {
    let own = || all.iter().map(|word| (*word).to_owned());
    // Another index has other releases than those that are here, and an upgrade wants other ones.
    if all.iter().any(|word| matches!(*word, "--index-url" | "-i" | "--upgrade" | "-U" | "-f")) {
        return own().collect();
    }
    let again = all.contains(&"--force-reinstall");
    let mut after_option = false;
    let fitted = own().map(|word| {
        let value = std::mem::replace(&mut after_option, WITH_VALUE.contains(&word.as_str()));
        let bare = !word.starts_with(['-', '.'])
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if value || !bare || word.is_empty() {
            return word;
        }
        version_of(context, &normalise(&word), again).map_or(word.clone(), |versions| format!("{word}{versions}"))
    });
    fitted.collect()
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
    use crate::step::{Shell, print};

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
            "MAX_JOBS=4 pip install --no-build-isolation flash-attn",
            "pip install --force-reinstall --no-deps --no-build-isolation flash-attn",
            "pip uninstall -y cupy && pip install cupy-cuda12x",
            "python -m pip install \"numpy<2\"",
            "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu128",
            "pip install --no-binary flash-attn .",
        ];
        let steps = cases.into_iter().flat_map(Step::fixed);
        let fitted: Vec<Step> = steps.map(|step| fitted(&context, &step).unwrap_or(step)).collect();
        insta::assert_snapshot!(print(&fitted, Shell::Sh).join("\n"), @r#"
        uv pip install triton==3.3.1
        MAX_JOBS=4 uv pip install --no-build-isolation flash-attn
        uv pip install --force-reinstall --no-deps --no-build-isolation flash-attn==2.8.3
        uv pip uninstall cupy
        uv pip install cupy-cuda12x
        uv pip install "numpy<2"
        uv pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu128
        uv pip install --no-binary flash-attn .
        "#);
        assert_eq!(fitted[0].words(), ["uv", "pip", "install", "triton==3.3.1"]);
    }
}
