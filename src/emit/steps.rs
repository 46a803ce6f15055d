//! The order in which pip installs a set: torch and what comes from its index, then what is compiled against it, then the
//! rest. Shared by the list of commands, the Dockerfile and the set-up script.

use super::Answer;
use crate::facts::TORCH;
use crate::step::sh::command;

/// One pip command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// Why it stands where it stands, one line.
    pub why: String,
    /// Options and requirements, what follows `pip install`.
    pub words: Vec<String>,
    /// Whether something is compiled, for `TORCH_CUDA_ARCH_LIST`.
    pub compiles: bool,
}

impl Step {
    /// The command, e.g. `python -m pip install torch==2.7.1`, for `pip` the words before its options.
    pub fn command(&self, pip: &str, indent: usize) -> String {
        let words: Vec<_> = pip.split(' ').map(str::to_owned).chain(self.words.iter().cloned()).collect();
        command(&words, indent)
    }
}

/// The commands in their order; never empty pip commands.
pub(super) fn steps(answer: &Answer<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut done: Vec<String> = Vec::new();
    let all: Vec<_> = answer.pins().collect();
    let needs = |pin: &crate::solve::Pin<'_>, by: &dyn Fn(&str) -> bool| {
        pin.reason.needed_by.iter().any(|who| by(who.split(' ').next().unwrap_or_default()))
    };
    let with_torch = |pin: &crate::solve::Pin<'_>| {
        !answer.built_here(pin) && (pin.name == TORCH || !pin.on_pypi() || needs(pin, &|who| who == TORCH))
    };
    let mut first: Vec<_> =
        answer.indexes().into_iter().flat_map(|index| ["--extra-index-url".to_owned(), index.url]).collect();
    let from_torch: Vec<_> = all.iter().filter(|(_, pin)| with_torch(pin)).map(|(word, _)| word.clone()).collect();
    if !from_torch.is_empty() {
        let from = answer.indexes().iter().map(|index| index.name.clone()).collect::<Vec<_>>();
        let why = match (answer.torch().is_some(), from.is_empty()) {
            (true, true) => "torch first, with what it needs".to_owned(),
            (true, false) => format!("torch first, with what comes from its index ({})", crate::text::list(&from)),
            (false, _) => format!("what comes from {}", crate::text::list(&from)),
        };
        done.extend(from_torch.clone());
        first.extend(from_torch);
        steps.push(Step { why, words: first, compiles: false });
    }
    let compiled: Vec<_> = all.iter().filter(|(_, pin)| answer.built_here(pin)).collect();
    if !compiled.is_empty() {
        let pinned = |name: &String| all.iter().any(|(_, pin)| pin.name == name);
        let tools = &answer.db.tables().images.build_tools.packages;
        let missing: Vec<_> = tools.iter().filter(|name| !pinned(name)).cloned().collect();
        let own = all.iter().filter(|(word, pin)| tools.iter().any(|name| name == pin.name) && !done.contains(word));
        let own: Vec<_> = own.map(|(word, _)| word.clone()).collect();
        done.extend(own.clone());
        let words = own.into_iter().chain(missing).collect();
        steps.push(Step { why: "what the builds below expect to find".to_owned(), words, compiles: false });
        let sources = |name: &str| compiled.iter().any(|(_, pin)| pin.name == name);
        let mut words = vec!["--no-build-isolation".to_owned()];
        words.extend(compiled.iter().map(|(word, _)| word.clone()));
        words.extend(
            all.iter()
                .filter(|(word, pin)| {
                    !done.contains(word) && !answer.built_here(pin) && needs(pin, &|who| sources(who))
                })
                .map(|(word, _)| word.clone()),
        );
        done.extend(words.iter().skip(1).cloned());
        let names: Vec<_> = compiled.iter().map(|(_, pin)| pin.name).collect();
        let why = format!("no wheel is published, so compiled against the torch above: {}", crate::text::list(&names));
        steps.push(Step { why, words, compiles: true });
    }
    let passed: Vec<_> = answer.others().iter().flat_map(|line| words(line)).collect();
    let rest: Vec<_> = all.iter().map(|(word, _)| word.clone()).filter(|word| !done.contains(word)).collect();
    if !rest.is_empty() || !passed.is_empty() {
        let why = match (done.is_empty(), passed.is_empty()) {
            (true, true) => "everything",
            (false, true) => "the rest; the pins above are repeated, for pip to keep them",
            (true, false) => "everything, also what the rules do not cover",
            (false, false) => {
                "the rest, also what the rules do not cover; the pins above are repeated, for pip to \
                 keep them"
            }
        };
        let words = rest.into_iter().chain(passed).chain(done).collect();
        steps.push(Step { why: why.to_owned(), words, compiles: false });
    }
    for overridden in answer.overridden {
        let words = vec!["--no-deps".to_owned(), overridden.asked.clone()];
        steps.push(Step { why: overridden.lost(), words, compiles: false });
    }
    steps
}

/// A line of a requirements file as arguments: an option and its value are two.
fn words(line: &str) -> Vec<String> {
    match line.split_once([' ', '=']) {
        Some((option @ ("-e" | "--editable"), value)) => vec![option.to_owned(), value.trim().to_owned()],
        _ => vec![line.to_owned()],
    }
}
