//! What commands install, one after the other: a shell script, and what other files hold of one.

use super::super::project::{At, Environment, From, IndexAt, Line, Setting, Snippet, Step};
use super::{Reader, join, requirements, with_source};
use crate::project::conda_cuda::CondaCuda;
use crate::project::install::{IndexKind, Install, Tool};
use crate::project::place::{Lines, Place};
use crate::project::shell::{Command, base_name, script, without_runner};
use crate::python::script::Script;

pub fn read(reader: &mut Reader<'_>, file: usize, text: &str) {
    let mut environment = Environment::default();
    add(reader, file, text, &script(text), &mut environment);
    reader.project.environments.push(environment);
}

/// Adds what commands install to an environment. What may not run at all is judged by itself.
pub fn add(reader: &mut Reader<'_>, file: usize, text: &str, commands: &[Command], environment: &mut Environment) {
    let lines = Lines::of(text);
    for (number, command) in commands.iter().enumerate() {
        for one in &command.assignments {
            environment.settings.push(Setting { file, name: one.name.clone(), value: one.value.clone() });
        }
        environment.snippets.extend(snippet(file, command));
        environment.toolkits.extend(CondaCuda::of(command, &lines).into_iter().map(|toolkit| (file, toolkit)));
        let Some(install) = Install::of(command, &lines) else { continue };
        let hidden = commands.get(number + 1).and_then(|next| command.hidden_by(next, text, &lines));
        if command.conditional {
            let mut alone = Environment {
                settings: environment.settings.clone(),
                images: environment.images.clone(),
                conditional: true,
                elsewhere: environment.elsewhere,
                ..Environment::default()
            };
            step(reader, file, text, command, install, hidden, &mut alone);
            reader.project.environments.push(alone);
        } else {
            step(reader, file, text, command, install, hidden, environment);
        }
    }
}

/// What `python -c` is given, where it runs at all.
fn snippet(file: usize, command: &Command) -> Option<Snippet> {
    let words = without_runner(&command.words);
    let (name, arguments) = words.split_first()?;
    if command.conditional || !base_name(name.text()).starts_with("python") {
        return None;
    }
    let flag = arguments.iter().position(|word| !word.text().starts_with('-') || word.text() == "-c")?;
    let given =
        arguments.get(flag + 1).filter(|given| given.known && arguments.get(flag).is_some_and(|c| c.text() == "-c"))?;
    let script = Script::parse(given.text());
    (!script.is_empty()).then(|| Snippet { file, source: given.value.clone(), script })
}

fn step(
    reader: &mut Reader<'_>,
    file: usize,
    text: &str,
    command: &Command,
    install: Install,
    hidden: Option<Place>,
    environment: &mut Environment,
) {
    let number = environment.steps.len();
    let source = from(file, &install, environment);
    let mut lines: Vec<Line> = Vec::new();
    for option in &install.files {
        let folder = reader.project.path(file).to_owned();
        let base = option.file.value.rsplit('/').next().unwrap_or_default();
        let paths = [join(&folder, &option.file.value), join(&folder, base)];
        let Some((path, inner)) = paths.into_iter().find_map(|path| Some((path.clone(), (reader.read)(&path)?))) else {
            continue;
        };
        let inner_file = reader.file(&path, &inner);
        lines.extend(requirements::lines(reader, inner_file, &inner, option.constraints, false, 1));
    }
    for item in &install.items {
        let Some(dependency) = item.dependency.clone() else { continue };
        lines.extend(Line::of(file, text, dependency, false, From::Unnamed));
    }
    with_source(&mut lines, &source);
    lines.iter_mut().for_each(|line| line.step = Some(number));
    environment.lines.extend(lines);
    environment.steps.push(Step {
        at: At { file, place: command.place.clone() },
        verb: install.verb.clone(),
        tool: install.tool,
        flags: install.flags.into_iter().map(|flag| (flag.value, flag.place)).collect(),
        settings: environment.settings.len(),
        hidden,
    });
}

/// The index of a command: its own option, else that of the environment, else PyPI.
fn from(file: usize, install: &Install, environment: &Environment) -> From {
    if install.has("--torch-backend") || install.has("--no-index") || matches!(install.tool, Tool::UvAdd | Tool::UvSync)
    {
        return From::Unknown;
    }
    let find = |kind: IndexKind| install.indexes.iter().find(|index| index.kind == kind);
    let index = |one: &crate::project::install::IndexOption| {
        let at = At { file, place: one.url.place.clone() };
        if one.known { Some(IndexAt { at, url: one.url.value.clone() }) } else { None }
    };
    if find(IndexKind::Links).is_some() {
        return From::Unknown;
    }
    if let Some(extra) = find(IndexKind::Extra) {
        return index(extra).map_or(From::Unknown, From::Extra);
    }
    if let Some(main) = find(IndexKind::Main) {
        return index(main).map_or(From::Unknown, From::Main);
    }
    let variable = |names: &[&str]| environment.settings.iter().rfind(|one| names.contains(&one.name.as_str()));
    let set = |one: &Setting| {
        let at = At { file: one.file, place: one.value.place.clone() };
        if one.value.known { Some(IndexAt { at, url: one.value.text().to_owned() }) } else { None }
    };
    if let Some(extra) = variable(&["PIP_EXTRA_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INDEX"]) {
        return set(extra).map_or(From::Unknown, From::Extra);
    }
    if let Some(main) = variable(&["PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX"]) {
        return set(main).map_or(From::Unknown, From::Main);
    }
    match variable(&["UV_TORCH_BACKEND"]) {
        Some(_) => From::Unknown,
        None => From::Pypi,
    }
}
