//! A Dockerfile: each stage with all that it is built on. A stage on which another one is built is part of that one.

use std::collections::BTreeSet;

use super::super::project::{Environment, Image, Setting};
use super::{Reader, commands};
use crate::project::dockerfile::{Dockerfile, Kind};

pub fn read(reader: &mut Reader<'_>, file: usize, text: &str) {
    let parsed = Dockerfile::parse(text);
    let parents: BTreeSet<usize> =
        (0..parsed.stages()).flat_map(|stage| parsed.lineage(stage).into_iter().skip(1)).collect();
    for stage in (0..parsed.stages()).filter(|stage| !parents.contains(stage)) {
        let lineage: BTreeSet<usize> = parsed.lineage(stage).into_iter().collect();
        let mut environment = Environment::default();
        let own = parsed.instructions.iter().filter(|one| one.stage.is_some_and(|stage| lineage.contains(&stage)));
        for instruction in own {
            match &instruction.kind {
                Kind::From(from) if from.stage.is_none() => {
                    environment.images.push(Image { file, name: from.image.clone() });
                }
                Kind::Set(settings) => {
                    let settings =
                        settings.iter().map(|one| Setting { file, name: one.name.clone(), value: one.value.clone() });
                    environment.settings.extend(settings);
                }
                Kind::Run(all) => {
                    // What a RUN exports ends with it, but for its own commands.
                    let before = environment.settings.len();
                    commands::add(reader, file, text, all, &mut environment);
                    let steps = environment.steps.iter().any(|step| step.settings > before);
                    if !steps {
                        environment.settings.truncate(before);
                    }
                }
                _ => {}
            }
        }
        reader.project.environments.push(environment);
    }
}
