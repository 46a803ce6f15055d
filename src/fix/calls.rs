//! A plan taken apart: what gpudoc may run on the environment, and what is for its owner.

use std::collections::BTreeSet;
use std::path::Path;

use super::aim::{Installer, aim, names, removes};
use super::place::outsider;
use crate::facts::Facts;
use crate::finding::Plan;

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
        let variables = self.variables.iter().map(|(name, value)| format!("{name}={value}"));
        let words: Vec<String> = variables.chain(self.argv.iter().cloned()).collect();
        shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
    }
}

/// What is left to the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The command as it is printed.
    pub command: String,
    /// Why, a sentence without its subject.
    pub why: String,
}

/// Takes a plan apart, in its order.
#[must_use]
pub fn take_apart(plan: &Plan, facts: &Facts, prefix: &Path) -> (Vec<Call>, Vec<Left>) {
    let (mut calls, mut left) = (Vec::new(), Vec::new());
    for command in &plan.commands {
        match call(command, facts, prefix) {
            Ok(call) => calls.push(call),
            Err(why) => left.push(Left { command: command.clone(), why }),
        }
    }
    (calls, left)
}

fn call(command: &str, facts: &Facts, prefix: &Path) -> Result<Call, String> {
    let words = shlex::split(command).ok_or("it is no plain command")?;
    let is_set = |word: &&String| {
        word.split_once('=').is_some_and(|(name, _)| name.bytes().all(|it| it.is_ascii_uppercase() || it == b'_'))
    };
    let variables: Vec<_> = words.iter().take_while(is_set).cloned().collect();
    let argv = words[variables.len()..].to_vec();
    let installer = aim(&argv, prefix)?;
    for name in names(&argv) {
        let Some(folder) = outsider(facts, name, prefix).filter(|_| removes(&argv) || installer == Installer::Conda)
        else {
            continue;
        };
        return Err(format!("the {name} that Python finds lies outside the environment, in `{folder}`"));
    }
    let pair = |word: String| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(Call { variables: variables.into_iter().filter_map(pair).collect(), argv, installer })
}

/// The packages that some commands take out.
#[must_use]
pub fn taken_out(calls: &[Call]) -> BTreeSet<String> {
    let removing = calls.iter().filter(|call| removes(&call.argv));
    removing.flat_map(|call| names(&call.argv)).map(str::to_owned).collect()
}
