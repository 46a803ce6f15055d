//! All rules of the checks, and those that other modules speak of.

use super::Context;
use crate::finding::{Finding, Id, Rule};

pub use super::advisory::by_hand::{ADVISORY, id as advisory};
pub use super::cuda_libs::library_path::LIBRARY_PATH;
pub use super::cuda_libs::shadowed::SHADOWED;
pub use super::driver::old_for_assembler::OLD_FOR_ASSEMBLER;
pub use super::gpu_arch::no_kernel::NO_KERNEL;
pub use super::gpu_visibility::none::NONE as NO_GPU;
pub use super::pairing::contradiction::CONTRADICTION;
pub use super::pairing::twice::TWICE;
pub use super::python::no_wheel::NO_WHEEL;
pub use super::requirement::metadata::METADATA as UNREADABLE;
pub use super::requirement::refused::REFUSED;
pub use super::requirement::unmet::UNMET;
pub use super::symptoms::likely::{SYMPTOM, is_guess};

/// Every rule of the checks, by file: the build script finds them in the sources.
pub static RULES: &[&Rule] = declared!(check);

/// Judges by the facts alone.
type Judge = fn(&Context<'_>) -> Vec<Finding>;

/// What rules name after `by`, with the folder of each: `("system", wsl::check)`.
static JUDGED: &[(&str, Judge)] = judged!();

/// What those rules of a family find that it does not call itself.
pub(super) fn found(family: &str, context: &Context<'_>) -> Vec<Finding> {
    let own = JUDGED.iter().filter(|(of, _)| *of == family);
    own.flat_map(|(_, judge)| judge(context)).collect()
}

/// The rules that an id, written out, may be of: several things that are found of one package share one.
pub fn rules_of(id: &str) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().copied().filter(move |rule| rule.reads(id).is_some())
}

/// An id that is written out; none where no rule has such.
#[must_use]
pub fn id(text: &str) -> Option<Id> {
    RULES.iter().find_map(|rule| rule.reads(text))
}

#[cfg(test)]
mod tests {
    use super::JUDGED;
    use crate::check::FAMILIES;

    #[test]
    fn what_judges_by_itself_is_called() {
        let idle: Vec<_> = JUDGED.iter().filter(|(of, _)| !FAMILIES.iter().any(|family| family.id == *of)).collect();
        assert!(idle.is_empty() && JUDGED.iter().any(|(of, _)| *of == "system"), "no family has these: {idle:?}");
    }
}
