//! A plan taken apart: what gpudoc may run on the environment, and what is for its owner.

use std::collections::BTreeSet;
use std::path::Path;

use super::aim::{Installer, aim, names, removes};
use super::place::outsider;
use super::who::who;
use crate::facts::Facts;
use crate::finding::Plan;
use crate::step::{Shell, Step};

/// A command that gpudoc may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Variables for it.
    pub variables: Vec<(String, String)>,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Whose call it is.
    pub installer: Installer,
}

impl Call {
    /// As a shell would read it.
    #[must_use]
    pub fn shown(&self) -> String {
        let with = |step: Step, (name, value): &(String, String)| step.with(name, value);
        let step = Step::run(self.argv.iter().cloned()).and_then(|step| self.variables.iter().try_fold(step, with));
        step.map(|step| step.print(Shell::Sh)).unwrap_or_default()
    }
}

/// What is left to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The command as it is printed.
    pub command: String,
    /// Who has to act, e.g. `whoever administers this machine`.
    pub who: &'static str,
    /// Why gpudoc does not, a sentence without its subject.
    pub why: String,
}

/// Takes a plan apart, in its order. What it sets for the shell holds for the calls after it.
#[must_use]
pub fn take_apart(plan: &Plan, facts: &Facts, prefix: &Path) -> (Vec<Call>, Vec<Left>) {
    let (mut calls, mut left, mut set) = (Vec::new(), Vec::new(), Vec::new());
    for step in &plan.steps {
        if let Step::Set { name, value } = step {
            set.push((name.as_str().to_owned(), value.as_str().to_owned()));
        }
        match call(step, &set, facts, prefix) {
            Ok(call) => calls.push(call),
            Err(why) => left.push(Left { command: step.print(Shell::Sh), who: who(step), why }),
        }
    }
    (calls, left)
}

fn call(step: &Step, set: &[(String, String)], facts: &Facts, prefix: &Path) -> Result<Call, String> {
    let (environment, argv) = match step.own() {
        Step::Run { environment, argv } => (environment, argv),
        Step::Set { .. } | Step::Unset { .. } | Step::Prepend { .. } => {
            return Err("a variable belongs to the shell that sets it".to_owned());
        }
        Step::Script(_) => return Err("it needs a shell".to_owned()),
        Step::Sketch(_) | Step::Then(_) => return Err("it has gaps to fill in".to_owned()),
    };
    let argv: Vec<String> = argv.iter().map(|word| word.as_str().to_owned()).collect();
    let installer = aim(&argv, prefix)?;
    for name in names(&argv).filter(|_| removes(&argv) || installer == Installer::Conda) {
        if let Some(folder) = outsider(facts, name, prefix) {
            return Err(format!("the {name} that Python finds lies outside the environment, in `{folder}`"));
        }
    }
    let own = environment.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()));
    Ok(Call { variables: set.iter().cloned().chain(own).collect(), argv, installer })
}

/// The packages that some commands take out.
#[must_use]
pub fn taken_out(calls: &[Call]) -> BTreeSet<String> {
    let removing = calls.iter().filter(|call| removes(&call.argv));
    removing.flat_map(|call| names(&call.argv)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Origin;

    #[test]
    fn what_a_plan_sets_holds_for_what_comes_after_it() {
        let steps = [
            Step::run(["sudo", "apt-get", "install", "cuda-toolkit-12-8"]),
            Step::set("CUDA_HOME", "/usr/local/cuda-12.8"),
            Step::run(["/v/bin/python3", "-m", "pip", "install", "flash-attn==2.8.3"])
                .and_then(|step| step.with("MAX_JOBS", "4")),
            Step::run(["/v/bin/python3", "-m", "pip", "uninstall", "-y", "triton"]),
        ];
        let plan = Plan {
            summary: "Build flash-attn".to_owned(),
            requirements: Vec::new(),
            steps: steps.into_iter().map(|step| step.expect("no control characters")).collect(),
            fixes: Vec::new(),
            leaves: Vec::new(),
            verified: false,
            instead: None,
        };
        let (calls, left) = take_apart(&plan, &Facts::unknown(Origin::Host), Path::new("/v"));
        let shown: Vec<_> = calls.iter().map(Call::shown).collect();
        assert_eq!(
            shown,
            [
                "CUDA_HOME=/usr/local/cuda-12.8 MAX_JOBS=4 /v/bin/python3 -m pip install flash-attn==2.8.3",
                "CUDA_HOME=/usr/local/cuda-12.8 /v/bin/python3 -m pip uninstall -y triton",
            ]
        );
        assert_eq!(taken_out(&calls), ["triton".to_owned()].into());
        let left: Vec<_> = left.iter().map(|left| (left.command.as_str(), left.who)).collect();
        assert_eq!(
            left,
            [
                ("sudo apt-get install cuda-toolkit-12-8", "whoever administers this machine"),
                ("export CUDA_HOME=/usr/local/cuda-12.8", "you, in the shell or file that starts your program"),
            ]
        );
    }
}
