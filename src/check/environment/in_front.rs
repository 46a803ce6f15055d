//! What does `import` find in the place of an installed package?
//!
//! `sys.path` is searched in its order: a module in the working directory, what PYTHONPATH names, the user's own folder. A copy
//! there is what runs, whatever is installed behind it, so that it goes before anything is installed.

use crate::check::{Context, Installer, Stack};
use crate::facts::{Facts, InFront, PutBy};
use crate::finding::{Change, Evidence, Finding, Remedy, Severity, rule};
use crate::rules::requirement::is_about;
use crate::rules::role::is_runtime_wheel;
use crate::step::Step;
use crate::text;

rule! {
    /// Something stands in front of an installed package on Python's path.
    ///
    /// Python imports what it finds first: a file in the working directory, a copy on PYTHONPATH, a folder that a
    /// `.pth` file adds. Known from sys.path in its order. Take what stands in front away, or rename it.
    pub IN_FRONT = "environment/{package}/in-front": Environment, Fail, since "0.1.0", judged on [Python, Distributions, Environment];
}

/// The findings. A copy in the user's own folder is installed there on purpose, and is none.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let place = context.facts.python.value().map(|python| &python.place);
    place.into_iter().flat_map(|place| &place.in_front).filter_map(|it| finding(context, it)).collect()
}

fn finding(context: &Context<'_>, front: &InFront) -> Option<Finding> {
    let name = front.name.as_str();
    let is_file = front.path.ends_with(".py");
    let is_covered = context.db.package(name).is_some();
    // The check of pairs tells of two copies of one distribution of the GPU stack.
    let copy = context.facts.distributions.iter().any(|it| it.name == name && it.location == front.path);
    let by_folder = front.by == PutBy::WorkingDirectory && !is_file;
    if front.by == PutBy::UserSite || (copy && Stack::is_gpu(name, context.db)) || (by_folder && !is_covered) {
        return None;
    }
    let is_required = || {
        let lines = context.stack.installed.iter().filter_map(|it| it.requires()).flatten();
        lines.into_iter().any(|line| is_about(line, name))
    };
    let certain = is_file && (is_covered || is_required());
    let by = match &front.by {
        PutBy::WorkingDirectory => "the working directory".to_owned(),
        PutBy::Pythonpath => "PYTHONPATH".to_owned(),
        PutBy::UserSite => "the user's site folder".to_owned(),
        PutBy::Pth(file) => format!("`{file}`"),
    };
    let behind = context.facts.distributions.iter().rfind(|it| it.name == name)?;
    let first = context.facts.distribution(name)?;
    let title = match copy {
        true => format!("{by} puts {name} {} in front of {}", first.full_version(), behind.full_version()),
        false => format!("`{}` is found in place of {name} {}", front.path, behind.full_version()),
    };
    Some(
        IN_FRONT
            .found(&[name], title)
            .severity(if certain { Severity::Fail } else { Severity::Warn })
            .message(format!(
                "What `import {}` finds first is not what is installed in the environment; {by} is searched before it.",
                name.replace('-', "_")
            ))
            .packages([name])
            .evidence([Evidence::host("sys.path", front.path.clone()).required(behind.location.clone()).cited(by)])
            .remedies(remedy(context.facts, front)),
    )
}

/// What takes it away from there; none where that is not for a command.
#[must_use]
pub fn remedy(facts: &Facts, front: &InFront) -> Option<Remedy> {
    let InFront { name, path, by } = front;
    let change = Change::OffPath(path.clone());
    let (summary, step, change) = match by {
        PutBy::WorkingDirectory => {
            let aside = match path.strip_suffix(".py") {
                Some(stem) => format!("{stem}_own.py"),
                None => return Some(Remedy::new(format!("Start Python in another folder than that of `{path}`"), [])),
            };
            let step = Step::run(["mv", path.as_str(), aside.as_str()]);
            (format!("Rename `{path}`, which hides {name}"), step, change)
        }
        PutBy::Pythonpath => {
            let value = facts.system.environment.get("PYTHONPATH")?;
            let is_it = |entry: &&str| {
                let entry = entry.trim_end_matches('/');
                path == entry || path.strip_prefix(entry).is_some_and(|rest| rest.starts_with('/') && !entry.is_empty())
            };
            let rest: Vec<&str> = value.split(':').filter(|entry| !entry.is_empty() && !is_it(entry)).collect();
            let folder = value.split(':').find(is_it)?.trim_end_matches('/');
            let step =
                if rest.is_empty() { Step::unset("PYTHONPATH") } else { Step::set("PYTHONPATH", rest.join(":")) };
            (format!("Take `{folder}` out of PYTHONPATH"), step, Change::OffPath(folder.to_owned()))
        }
        PutBy::UserSite => return out_of_user_site(facts, &[name], path),
        PutBy::Pth(file) => {
            let aside = format!("{file}.off");
            let step = Step::run(["mv", file.as_str(), aside.as_str()]);
            (format!("Take `{file}` out of use"), step, change)
        }
    };
    Some(Remedy { change: Some(change), ..Remedy::new(summary, [step?]) })
}

/// What takes copies out of the user's own folder. The installer of a virtual environment touches nothing outside it, and that
/// of a closed system neither: then Python is told to pass over the folder.
#[must_use]
pub fn out_of_user_site(facts: &Facts, names: &[&str], path: &str) -> Option<Remedy> {
    let python = facts.python.value()?;
    let is_venv = python.base_prefix.value().is_some_and(|base| *base != python.prefix);
    let uninstall = if is_venv { None } else { Installer::of(facts).uninstall(names) };
    let Some(step) = uninstall else {
        let summary = format!("Let Python pass over the user's own folder `{path}`");
        let change = Some(Change::OffPath(path.to_owned()));
        return Some(Remedy { change, ..Remedy::new(summary, [Step::set("PYTHONNOUSERSITE", "1")?]) });
    };
    let gone = |name: &&str| Change::Remove { name: (*name).to_owned(), location: path.to_owned() };
    let mut changes: Vec<Change> = names.iter().map(gone).collect();
    let change = if changes.len() == 1 { changes.remove(0) } else { Change::All(changes) };
    Some(Remedy { change: Some(change), ..Remedy::new(format!("Remove {} from `{path}`", few(names)), [step]) })
}

/// `torch, triton and 14 others`: what people know first.
fn few(names: &[&str]) -> String {
    let (runtime, mut named): (Vec<&str>, Vec<&str>) = names.iter().copied().partition(|name| is_runtime_wheel(name));
    named.truncate(NAMED);
    if named.is_empty() {
        named = runtime.into_iter().take(NAMED).collect();
    }
    match names.len() - named.len() {
        0 => text::list(&named),
        more => format!("{} and {}", named.join(", "), text::count(more, "other", "others")),
    }
}

/// So many packages are named in a sentence.
const NAMED: usize = 3;

#[cfg(test)]
mod tests {
    use crate::check::environment::made::told;
    use crate::facts::{InFront, PutBy};

    #[test]
    fn a_file_beside_the_program_hides_a_package_and_the_users_own_copy_does_not() {
        let with = |by: PutBy| {
            told(|python, _| {
                let (name, path) = ("peft".to_owned(), "/work/peft.py".to_owned());
                python.place.in_front = vec![InFront { name, path, by }];
            })
        };
        let hidden = "Fail environment/peft/in-front: `/work/peft.py` is found in place of peft 0.18.0";
        assert_eq!(with(PutBy::WorkingDirectory).lines().next(), Some(hidden));
        assert_eq!(with(PutBy::UserSite), "");
    }
}
