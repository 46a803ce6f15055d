//! All rules of lint: what SARIF lists, what `gpudoc explain` tells, what a policy may name.

use super::{Rule, policy, read, rules};

/// Every rule, in the order in which SARIF lists them.
pub static RULES: &[&Rule] = &[
    &rules::reason::UNSATISFIABLE,
    &rules::reason::INDEX_WITHOUT_BUILD,
    &rules::unnamed_index::INDEX_NOT_NAMED,
    &rules::ranges::RANGE_ADMITS_BAD,
    &rules::cuda_mismatch::CUDA_MISMATCH,
    &rules::image_driver::IMAGE_DRIVER,
    &rules::arch_list::ARCH_LIST_WITHOUT_GPU,
    &rules::arch_list::ARCH_LIST_REFUSED,
    &rules::compat::COMPAT_BREAKS,
    &rules::foreign_ptxas::FOREIGN_PTXAS,
    &rules::force_reinstall::FORCE_REINSTALL,
    &rules::unpinned_torch::UNPINNED_TORCH,
    &rules::built_before_torch::BUILT_BEFORE_TORCH,
    &rules::build_isolation::BUILD_ISOLATION,
    &rules::undone::UNDOES_EARLIER,
    &rules::guard::VERSION_CHECK,
    &rules::hidden_failure::HIDDEN_FAILURE,
    &rules::memory::MODEL_FIT,
    &rules::memory::MIN_VRAM,
    &rules::workload_advisory::WORKLOAD_ADVISORY,
    &read::SYNTAX,
    &policy::IGNORE_UNUSED,
    &policy::IGNORE_LAPSED,
];

/// The rule of an id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}
