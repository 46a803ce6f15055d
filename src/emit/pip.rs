//! The pip commands that install a set, in the order that works.

use super::steps::steps;
use super::{Answer, Emitted};
use crate::step::sh::quote;

/// The commands, to be pasted into a shell in the environment that they are for.
#[must_use]
pub fn pip(answer: &Answer<'_>) -> Emitted {
    let mut text = answer.comments();
    for step in steps(answer) {
        text += &format!("\n# {}\n", step.why);
        if let Some(list) = answer.arch_list().filter(|_| step.compiles) {
            text += &format!("TORCH_CUDA_ARCH_LIST={} ", quote(&list));
        }
        text += &step.command("python -m pip install", 0);
        text.push('\n');
    }
    text.into()
}
