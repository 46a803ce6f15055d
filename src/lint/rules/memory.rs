//! Does the project's model fit the GPUs of the targets?

use crate::finding::Severity;
use crate::lint::{Declared, Finding, Rule};
use crate::rules::workload::{Limit, Told, judge as told_of};
use crate::rules::{RuleDb, Target};

/// The project's model does not fit the GPUs of a declared target.
pub static MODEL_FIT: Rule = Rule {
    id: "model-fit",
    title: "The project's model does not fit the GPUs of a declared target",
    help: "Counted are the weights alone: `model-params` of gpudoc.toml by 16 bits, or by 4 with `bitsandbytes-4bit` \
           in `uses`. GPUs of a target count together (`gpu = [\"2x H100\"]`), and `vram` says what a name does not.",
    judge: None,
};

/// A GPU of a declared target has less memory than the project needs.
pub static MIN_VRAM: Rule = Rule {
    id: "min-vram",
    title: "A GPU of a declared target has less memory than the project needs",
    help: "`min-vram` of gpudoc.toml is compared with what the GPU is sold with; `vram` of the target says what a \
           name does not.",
    judge: None,
};

/// Judges the memory of the targets, at the lines of gpudoc.toml.
pub fn judge(declared: &Declared, targets: &[Target], db: &RuleDb, out: &mut Vec<Finding>) {
    for target in targets {
        // Of a GPU whose memory nobody knows nothing is said.
        for told in told_of(&declared.workload, target, db).unwrap_or_default() {
            out.extend(of_memory(declared, target, told));
        }
    }
}

fn of_memory(declared: &Declared, target: &Target, told: Told) -> Option<Finding> {
    // What fits needs no line.
    if told.severity == Severity::Info {
        return None;
    }
    let (rule, place) = match told.limit {
        Limit::ModelFit => (&MODEL_FIT, &declared.model_params),
        Limit::MinVram => (&MIN_VRAM, &declared.min_vram),
    };
    let message = match &target.name {
        Some(name) => format!("`{name}`: {}", told.title),
        None => told.title,
    };
    let mut found = rule.found(told.severity, declared.file.clone(), place.clone(), message);
    found.notes = [Some(told.sum), told.citation].into_iter().flatten().collect();
    found.hint = told.hint;
    Some(found)
}
