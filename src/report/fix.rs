//! How a plan is written as a script, and what came of it.

use super::finding::{PlanDocument, shell};
use crate::facts::Facts;
use crate::finding::Plan;
use crate::fix::judge::Judgement;
use crate::fix::who::{is_for_a_person, who};
use crate::step::{Shell, Step, Word};
use crate::text::{list, wrap};

/// How wide a comment is, in characters.
const WIDTH: usize = 98;

/// The verdicts before and after, in their words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// E.g. `fail`.
    pub before: &'static str,
    /// E.g. `pass`.
    pub after: &'static str,
}

/// A plan as one script for the shell of the machine that it is for. What only a person can do stands in it as a comment that
/// says who; a script that stops halfway stops with the status of the command that failed.
#[must_use]
pub fn script(plan: &Plan, facts: &Facts) -> String {
    let shell = shell(facts);
    let mut lines = match shell {
        Shell::Sh => vec!["#!/bin/sh".to_owned()],
        Shell::PowerShell => Vec::new(),
    };
    comment(&mut lines, &plan.summary);
    if !plan.fixes.is_empty() {
        comment(&mut lines, &format!("ends: {}", list(&plan.fixes)));
    }
    if !plan.leaves.is_empty() {
        comment(&mut lines, &format!("leaves: {}", list(&plan.leaves)));
    }
    comment(
        &mut lines,
        if plan.verified { "re-checked" } else { "not re-checked: not all of its outcome is known before" },
    );
    lines.push(match shell {
        Shell::Sh => "set -eu".to_owned(),
        Shell::PowerShell => "$ErrorActionPreference = 'Stop'".to_owned(),
    });
    for step in &plan.steps {
        lines.push(String::new());
        let printed = step.lines(shell, WIDTH);
        if is_for_a_person(step) {
            comment(&mut lines, &format!("for {}:", who(step)));
            lines.extend(printed.iter().map(|line| format!("#   {}", plain(line))));
            continue;
        }
        comment(&mut lines, why(step));
        lines.extend(printed);
        if shell == Shell::PowerShell && matches!(step.own(), Step::Run { .. }) {
            lines.push("if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }".to_owned());
        }
    }
    lines.join("\n") + "\n"
}

/// A plan as JSON has it in a report, or `null`.
///
/// # Errors
///
/// Never in practice: every part serialises.
pub fn json(plan: Option<&Plan>, facts: &Facts) -> serde_json::Result<String> {
    let document = plan.map(|plan| PlanDocument::new(plan, shell(facts)));
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Why a step stands in a plan, as far as its words tell.
fn why(step: &Step) -> &'static str {
    let Step::Run { environment, argv } = step.own() else {
        return "for this shell only; put it where your program is started from to keep it";
    };
    let has = |word: &str| argv.iter().any(|it| it.as_str() == word);
    match () {
        () if has("uninstall") || has("remove") => "takes out what is in the way",
        () if has("--no-build-isolation") || !environment.is_empty() => {
            "builds again what was compiled against what changes"
        }
        () if has("--force-reinstall") => "installs again what is there already, as another build or undamaged",
        () if has("install") => "installs what fits together",
        () => "changes what the installation needs",
    }
}

/// A comment of several lines. No text from outside ends it early.
fn comment(lines: &mut Vec<String>, text: &str) {
    lines.extend(wrap(&plain(text), WIDTH - 2).iter().map(|line| format!("# {line}")));
}

/// A text without what could begin a new line, steer a terminal or hide a part of it.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if Word::new(letter.to_string()).is_some() { letter } else { '?' }).collect()
}

/// What came of a plan: both verdicts, what is gone, what is left, or why it is no better; `end` is what was done then, e.g.
/// `kept`.
#[must_use]
pub fn outcome(judgement: &Judgement, verdicts: &After, end: &str) -> String {
    let mut lines = vec![("before", verdicts.before.to_owned()), ("after", verdicts.after.to_owned())];
    match judgement {
        Judgement::Better { gone, left } => {
            lines.extend(gone.iter().map(|id| ("gone", id.clone())));
            lines.extend(left.iter().map(|id| ("left", id.clone())));
            lines.push(("result", format!("better: {end}")));
        }
        Judgement::NoBetter(faults) => {
            lines.extend(faults.iter().map(|fault| ("because", fault.clone())));
            lines.push(("result", format!("no better: {end}")));
        }
    }
    lines.iter().map(|(word, what)| format!("{word:<9}{what}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::registry;
    use crate::facts::{Origin, Reading};

    fn plan(summary: &str) -> Plan {
        let python = "/opt/my env/bin/python3";
        let steps = [
            Step::run(["sudo", "apt-get", "install", "nvidia-driver-580"]),
            Step::unset("LD_LIBRARY_PATH"),
            Step::run([python, "-m", "pip", "install", "torch==2.7.1+cu128", "numpy<2"]),
            Step::run([python, "-m", "pip", "install", "--no-build-isolation", "flash-attn==2.8.3"])
                .and_then(|step| step.with("FLASH_ATTN_CUDA_ARCHS", "120")),
            Step::run([python, "-m", "pip", "uninstall", "-y", "triton"]),
        ];
        Plan {
            summary: summary.to_owned(),
            requirements: vec!["torch==2.7.1+cu128".to_owned()],
            steps: steps.into_iter().map(|step| step.expect("a step")).collect(),
            fixes: registry::id("gpu-arch/torch").into_iter().collect(),
            leaves: registry::id("system/shm").into_iter().collect(),
            verified: true,
            instead: None,
        }
    }

    #[test]
    fn a_script_says_why_and_who() {
        insta::assert_snapshot!(script(&plan("Install torch 2.7.1+cu128"), &Facts::unknown(Origin::Host)), @r##"
        #!/bin/sh
        # Install torch 2.7.1+cu128
        # ends: gpu-arch/torch
        # leaves: system/shm
        # re-checked
        set -eu

        # for whoever administers this machine:
        #   sudo apt-get install nvidia-driver-580

        # for this shell only; put it where your program is started from to keep it
        unset LD_LIBRARY_PATH

        # installs what fits together
        "/opt/my env/bin/python3" -m pip install torch==2.7.1+cu128 "numpy<2"

        # builds again what was compiled against what changes
        FLASH_ATTN_CUDA_ARCHS=120 "/opt/my env/bin/python3" -m pip install --no-build-isolation \
          flash-attn==2.8.3

        # takes out what is in the way
        "/opt/my env/bin/python3" -m pip uninstall -y triton
        "##);
        let mut windows = Facts::unknown(Origin::Host);
        windows.system.os = Reading::host("windows".to_owned(), "test");
        let told = script(&plan("Install torch 2.7.1+cu128"), &windows);
        assert_eq!(told.matches("if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }").count(), 3, "{told}");
        assert!(!told.contains("#!/bin/sh") && told.contains("#   sudo apt-get"), "{told}");
    }

    #[test]
    fn no_text_ends_a_comment() {
        let hostile = "Install x\nrm -rf ~\r\n$(touch P)\u{2028}reboot";
        let told = script(&plan(hostile), &Facts::unknown(Origin::Host));
        let commands: Vec<_> = told.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        // One of the five is two lines, one is for a person, and `set -eu` comes first.
        assert_eq!(commands.len(), 6, "{told}");
        assert!(commands.iter().all(|line| !line.contains("rm -rf") && !line.contains("touch")), "{told}");
        let json = json(Some(&plan(hostile)), &Facts::unknown(Origin::Host)).expect("it serialises");
        assert!(
            json.contains("\"argv\"")
                && super::json(None, &Facts::unknown(Origin::Host)).is_ok_and(|it| it == "null\n")
        );
    }

    #[test]
    fn both_verdicts_and_what_came_of_it() {
        let verdicts = After { before: "fail", after: "warn" };
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let better = Judgement::Better { gone: ids(&["gpu-arch/torch"]), left: ids(&["abi/numpy"]) };
        insta::assert_snapshot!(outcome(&better, &verdicts, "kept"), @r"
        before   fail
        after    warn
        gone     gpu-arch/torch
        left     abi/numpy
        result   better: kept
        ");
        let worse = Judgement::NoBetter(ids(&["a new failure: abi/numpy"]));
        let told = outcome(&worse, &After { before: "warn", after: "fail" }, "restored");
        assert_eq!(
            told,
            "before   warn\nafter    fail\nbecause  a new failure: abi/numpy\nresult   no better: restored\n"
        );
    }
}
