//! A GitHub workflow: the `run:` lines of each job, one after the other. What stands under an `if:` may not run, but is judged
//! with the rest. The machines are those of the service: what a declared target lacks is no fault here.

use std::collections::BTreeMap;

use super::super::project::{Environment, Image, Setting};
use super::{Reader, commands, compose};
use crate::project::place::Lines;
use crate::project::shell::{Variables, commands as commands_of};
use crate::project::yaml::{Entry, entries};

pub fn read(reader: &mut Reader<'_>, file: usize, text: &str) {
    let lines = Lines::of(text);
    let mut jobs: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in entries(text) {
        if let [head, job, ..] = entry.path.as_slice()
            && head == "jobs"
        {
            jobs.entry(job.clone()).or_default().push(entry);
        }
    }
    for all in jobs.into_values() {
        let mut environment = Environment { elsewhere: true, ..Environment::default() };
        for entry in all {
            let path: Vec<&str> = entry.path.iter().skip(2).map(String::as_str).collect();
            match path.as_slice() {
                ["container"] | ["container", "image"] => {
                    let name = compose::word(&entry, 0..entry.value.text.len(), &lines);
                    environment.images.push(Image { file, name });
                }
                ["env", name] | ["steps", _, "env", name] => {
                    let value = compose::word(&entry, 0..entry.value.text.len(), &lines);
                    environment.settings.push(Setting { file, name: (*name).to_owned(), value });
                }
                ["steps", _, "run"] => {
                    // `${{ … }}` is filled in before the shell sees it.
                    let all = commands_of(&entry.value, &lines, &mut Variables::default());
                    commands::add(reader, file, text, &all, &mut environment);
                }
                _ => {}
            }
        }
        reader.project.environments.push(environment);
    }
}
