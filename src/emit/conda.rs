//! environment.yml: conda for Python and pip, pip for everything with CUDA in it.

use super::steps::steps;
use super::{Answer, Emitted};
use crate::step::yaml::scalar;

/// The file. What is compiled against torch cannot be in it, since conda runs pip once and in isolation: the commands for that
/// follow as comments, and a note says so.
#[must_use]
pub fn conda(answer: &Answer<'_>) -> Emitted {
    let python = match answer.python() {
        Ok(python) => python,
        Err(why) => return Emitted::refused(why),
    };
    let mut text = answer.comments();
    text += "name: gpudoc\nchannels:\n  - conda-forge\n  - nodefaults\ndependencies:\n";
    if let Some(python) = python {
        let package = if python.free_threaded { "python-freethreading" } else { "python" };
        text += &format!("  - {package}={}.{}\n", python.major, python.minor);
    } else {
        text += "  - python\n";
    }
    text += "  - pip\n  - pip:\n";
    for index in answer.indexes() {
        text += &format!("      - {}\n", scalar(&format!("--extra-index-url {}", index.url)));
    }
    let pins = answer.pins().filter(|(_, pin)| !answer.built_here(pin)).map(|(word, _)| word);
    for word in pins.chain(answer.others()) {
        text += &format!("      - {}\n", scalar(&word));
    }
    let mut notes = Vec::new();
    let later: Vec<_> = steps(answer).into_iter().skip_while(|step| !step.compiles).collect();
    if let Some(step) = later.iter().find(|step| step.compiles) {
        let names = answer.pins().filter(|(_, pin)| answer.built_here(pin)).map(|(_, pin)| pin.name);
        let names = crate::text::list(&names.collect::<Vec<_>>());
        notes.push(format!(
            "conda cannot compile against torch in one go: {names} is to be installed afterwards, with the commands at the \
             end of the file"
        ));
        text += &format!("\n# Afterwards, for no wheel of {names} is published:\n");
        let tools = answer.db.tables().images.build_tools.packages.iter().cloned();
        let tools = crate::step::sh::command(&tools.collect::<Vec<_>>(), 0);
        text += &format!("#   conda run -n gpudoc python -m pip install {tools}\n");
        let variable =
            answer.arch_list().map(|list| format!("env TORCH_CUDA_ARCH_LIST={} ", crate::step::sh::quote(&list)));
        let variable = variable.unwrap_or_default();
        let install = step.words.iter().map(|word| crate::step::sh::quote(word)).collect::<Vec<_>>().join(" ");
        text += &format!("#   conda run -n gpudoc {variable}python -m pip install {install}\n");
    }
    Emitted { text, notes }
}
