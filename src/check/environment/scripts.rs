//! Do the scripts start an interpreter that is there?

use super::{fail, seen};
use crate::facts::Python;
use crate::finding::{Change, Finding, Remedy, rule};
use crate::step::Step;
use crate::text;

rule! {
    /// Scripts of the environment start an interpreter that is not there.
    ///
    /// The environment was moved or copied: they end in `No such file or directory`. Known from their first lines. Let
    /// them start the environment's own interpreter, or make the environment again.
    pub SCRIPTS = "environment/scripts": Environment, Fail, since "0.1.0", judged on [Python];
}

/// Scripts that start an interpreter which is not there.
pub fn check(python: &Python) -> Option<Finding> {
    let scripts = python.place.scripts.as_ref()?;
    let name = |path: &String| path.rsplit('/').next().unwrap_or_default().to_owned();
    let names: Vec<String> = scripts.paths.iter().take(3).map(name).collect();
    let more = scripts.paths.len() - names.len();
    let named = if more == 0 { text::list(&names) } else { format!("{} and {more} more", names.join(", ")) };
    let finding = fail(
        &SCRIPTS,
        format!("scripts start `{}`, which is not there: {named}", scripts.interpreter),
        "The environment was moved or copied after its scripts were written: they end in `No such file or directory`.",
        seen("first line", format!("#!{}", scripts.interpreter), Some(format!("#!{}/bin/python3", python.prefix))),
    );
    let plain = |path: &str| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte));
    let own = python.executable.value()?;
    let words = ["sed".to_owned(), "-i".to_owned(), format!("1s|^#!{}|#!{own}|", scripts.interpreter)];
    let step = Step::run(words.into_iter().chain(scripts.paths.iter().cloned()));
    let step = step.filter(|_| plain(&scripts.interpreter) && plain(own));
    let change = step.is_some().then_some(Change::Scripts);
    let remedy = Remedy { change, ..Remedy::new("Let the scripts start the environment's own interpreter", step) };
    Some(finding.remedies([remedy]))
}

#[cfg(test)]
mod tests {
    use crate::check::environment::made::told;
    use crate::facts::{Reading, Scripts};

    #[test]
    fn an_environment_that_was_moved() {
        let moved = |interpreter: &str| {
            let scripts = Scripts { interpreter: interpreter.to_owned(), paths: vec!["/v/bin/hf".to_owned()] };
            told(|python, _| python.place.scripts = Some(scripts))
        };
        insta::assert_snapshot!(moved("/old/bin/python"), @"
        Fail environment/scripts: scripts start `/old/bin/python`, which is not there: hf
        sed -i '1s|''^#!/old/bin/python|#!/v/bin/python|' /v/bin/hf
        ");
        assert_eq!(moved("/a|e touch b/bin/python").lines().count(), 1, "no such path enters the command");
    }

    #[test]
    fn a_lost_interpreter_alone_says_nothing_of_scripts() {
        let lost = told(|python, _| python.executable = Reading::unreadable("`/v/bin/python` leads nowhere"));
        assert!(lost.starts_with("Fail environment/interpreter") && !lost.contains("scripts"), "{lost}");
    }
}
