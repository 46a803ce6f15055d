//! What torch says that it was compiled for: in a warning, and where somebody asked it.

use super::draft::Draft;
use crate::version::{CodeTarget, ComputeCapability};

/// `sm_50 sm_60 sm_70 … compute_37.`
pub fn supports(list: &str, line: &str, draft: &mut Draft) -> Option<()> {
    let words = list.split([' ', ',']).filter(|word| !word.is_empty());
    let targets: Vec<CodeTarget> = words.map_while(|word| word.trim_end_matches('.').parse().ok()).collect();
    if targets.is_empty() {
        return None;
    }
    draft.code("torch", "torch.cuda.get_arch_list()", targets);
    draft.available(true, line);
    Some(())
}

/// `torch.cuda.get_arch_list()`, and behind `['sm_` the rest of what it answers: `50', 'sm_60', 'compute_90']`.
pub fn arch_list(before: &str, after: &str, line: &str, draft: &mut Draft) -> Option<()> {
    let asked = before.rfind("arch_list()")?;
    let (list, _) = after.split_once(']').filter(|_| before.len() - asked < 200)?;
    supports(&format!("sm_{}", list.replace(['\'', '"'], "")), line, draft)
}

/// `3.5` of `The minimum cuda capability that we support is 3.5.`: the oldest code that this torch holds.
pub fn least(capability: &str, draft: &mut Draft) -> Option<()> {
    let least: ComputeCapability = capability.parse().ok()?;
    let target = format!("sm_{}", least.sm()).parse().ok()?;
    draft.code("torch", "torch/cuda/__init__.py", vec![target]);
    Some(())
}
