//! GPUs about which there is something to say, and how it is said: those in the same state share a finding.

use super::Context;
use crate::facts::{Gpu, GpuState};
use crate::finding::{Evidence, Finding};
use crate::text;

/// The GPUs about which there is something to say.
pub fn those<'a, T>(context: &Context<'a>, say: impl Fn(&'a Gpu, &'a GpuState) -> Option<T>) -> Vec<(&'a Gpu, T)> {
    let gpus = context.facts.gpus.value().map_or(&[][..], Vec::as_slice);
    gpus.iter().filter_map(|gpu| Some((gpu, say(gpu, gpu.state.value()?)?))).collect()
}

/// `GPU 0 NVIDIA H100 PCIe`, `GPUs 0 and 3`, `8 GPUs`.
pub fn names<T>(found: &[(&Gpu, T)]) -> String {
    match found {
        [(gpu, _)] => gpu.label(),
        few if few.len() <= 4 => {
            format!("GPUs {}", text::list(&few.iter().map(|(gpu, _)| gpu.index.to_string()).collect::<Vec<_>>()))
        }
        more => text::count(more.len(), "GPU", "GPUs"),
    }
}

/// The verb for one GPU, or for several.
pub fn is<T>(found: &[(&Gpu, T)], one: &'static str, many: &'static str) -> &'static str {
    if found.len() == 1 { one } else { many }
}

/// A finding about those GPUs, with what NVML said of each.
pub fn on<T>(
    finding: Finding,
    found: &[(&Gpu, T)],
    fact: &str,
    observed: impl Fn(&T) -> String,
    required: &str,
) -> Finding {
    let required = Some(required).filter(|text| !text.is_empty());
    let said = |(gpu, value): &(&Gpu, T)| {
        Evidence::host(format!("{fact}, GPU {}", gpu.index), observed(value))
            .required(required.map(str::to_owned))
            .cited(gpu.state.source().map(|source| source.place().to_owned()))
    };
    finding.gpus(found.iter().map(|(gpu, _)| gpu.index)).evidence(found.iter().map(said))
}
