//! docker-compose.yml: each service with its image, variables and command.

use std::collections::BTreeMap;

use super::super::project::{Environment, Image, Setting};
use super::{Reader, commands};
use crate::project::place::Lines;
use crate::project::shell::{Variables, Word, commands as commands_of};
use crate::project::sourced::Sourced;
use crate::project::yaml::{Entry, entries};

pub fn read(reader: &mut Reader<'_>, file: usize, text: &str) {
    let mut services: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in entries(text) {
        if let [head, service, ..] = entry.path.as_slice()
            && head == "services"
        {
            services.entry(service.clone()).or_default().push(entry);
        }
    }
    let lines = Lines::of(text);
    for all in services.into_values() {
        let mut environment = Environment::default();
        for list in ["command", "entrypoint"] {
            let words: Vec<&Entry> = all.iter().filter(|entry| entry.is_at(&["*", "*", list, "-"])).collect();
            let all = commands_of(&as_command(&words), &lines, &mut Variables::default());
            commands::add(reader, file, text, &all, &mut environment);
        }
        for entry in all {
            let path: Vec<&str> = entry.path.iter().skip(2).map(String::as_str).collect();
            match path.as_slice() {
                ["image"] => {
                    let name = word(&entry, 0..entry.value.text.len(), &lines);
                    environment.images.push(Image { file, name });
                }
                ["environment", name] if name.starts_with('-') => {
                    let written = &entry.value.text;
                    let Some(equals) = written.find('=') else { continue };
                    let name = written.get(..equals).unwrap_or_default().to_owned();
                    let value = word(&entry, equals + 1..written.len(), &lines);
                    environment.settings.push(Setting { file, name, value });
                }
                ["environment", name] => {
                    let value = word(&entry, 0..entry.value.text.len(), &lines);
                    environment.settings.push(Setting { file, name: (*name).to_owned(), value });
                }
                ["command" | "entrypoint"] => {
                    let all = commands_of(&entry.value, &lines, &mut Variables::default());
                    commands::add(reader, file, text, &all, &mut environment);
                }
                _ => {}
            }
        }
        reader.project.environments.push(environment);
    }
}

/// The words of an exec form as a shell command: what a shell is told with `-c` is one itself.
fn as_command(words: &[&Entry]) -> Sourced {
    let told = words.iter().position(|word| matches!(word.value.text.as_str(), "-c" | "-lc" | "-ec" | "-exc"));
    if let Some(script) = told.and_then(|at| words.get(at + 1)) {
        return script.value.clone();
    }
    let mut command = Sourced::default();
    for (number, word) in words.iter().enumerate() {
        let start = word.value.whole().start;
        command.push(if number == 0 { "" } else { " " }, start..start, false);
        command.append(&word.value);
    }
    command
}

/// A part of a scalar as a word.
pub fn word(entry: &Entry, part: std::ops::Range<usize>, lines: &Lines<'_>) -> Word {
    let value = entry.value.part(part);
    let known = !value.text.contains('$');
    Word { place: lines.place(value.whole()), known, value }
}
