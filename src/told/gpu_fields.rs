//! Values of fields about GPUs, as programs and people write them.

use super::Vocabulary;
use super::draft::Draft;
use super::field::READER;
use super::said::Rank;
use crate::facts::{Gpu, Reading};
use crate::version::ComputeCapability;

/// What stands behind `GPU models and configuration:`, and in forms behind `GPU:`.
pub fn gpu(value: &str, number: usize, rank: Rank, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> bool {
    let place = format!("{READER}, line {number}");
    if matches!(value, "Could not collect" | "N/A" | "None") {
        if rank == Rank::Running {
            draft.no_gpu.get_or_insert(place);
        }
        return true;
    }
    if value == "No CUDA" && rank == Rank::Running {
        draft.no_gpu.get_or_insert(place);
        return true;
    }
    if value.is_empty() || value == "No CUDA" {
        return true;
    }
    if let Some(rest) = value.strip_prefix("GPU ")
        && let Some((index, name)) = rest.split_once(':')
    {
        return numbered_gpu(index, name.trim(), number, vocabulary, draft);
    }
    // Several in one line, as people write them: `2x RTX 4090`, `A100 80GB, RTX 3090`.
    let name = value.split([',', ';', '(']).next().unwrap_or_default().trim();
    // torch's own warning begins with the name.
    let name = without_count(name.split(" with CUDA capability").next().unwrap_or(name));
    if !(vocabulary.is_gpu)(name) {
        return false;
    }
    // What stands behind `GPU:` in a form is meant as the answer.
    let rank = if rank == Rank::Running { Rank::Running } else { Rank::Listed };
    let source = if rank == Rank::Running { place } else { format!("the report's words, line {number}") };
    draft.gpu(Gpu { name: Reading::told(name.to_owned(), source.clone()), ..Gpu::default() }, rank, &source);
    true
}

/// `2x RTX 4090`, `8 x H100` without the number.
fn without_count(name: &str) -> &str {
    let rest = name.trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start();
    let rest = rest.strip_prefix(['x', 'X', '*', '×']).map(str::trim_start);
    match rest {
        Some(rest) if rest.len() < name.len() => rest,
        _ => name,
    }
}

/// `GPU 0: NVIDIA A10G (UUID: …)`, `GPU 0,1,2,3: NVIDIA H100 80GB HBM3`, `GPU 0 Compute Capability: 7.5`.
pub(super) fn numbered_gpu(
    index: &str,
    value: &str,
    number: usize,
    vocabulary: &Vocabulary<'_>,
    draft: &mut Draft,
) -> bool {
    if draft.is_full() {
        return true;
    }
    let place = format!("{READER}, line {number}");
    let (indices, what) = match index.find(|letter: char| !letter.is_ascii_digit() && letter != ',' && letter != ' ') {
        Some(at) => (index.get(..at).unwrap_or_default(), index.get(at..).unwrap_or_default()),
        None => (index, ""),
    };
    let indices: Vec<u32> = indices.split(',').filter_map(|text| text.trim().parse().ok()).take(64).collect();
    if indices.is_empty() {
        return false;
    }
    if what.trim().eq_ignore_ascii_case("compute capability") {
        let Ok(capability) = value.split(',').next().unwrap_or_default().trim().parse::<ComputeCapability>() else {
            return false;
        };
        for index in indices {
            let capability = Reading::told(capability, place.clone());
            draft.gpu(Gpu { index, compute_capability: capability, ..Gpu::default() }, Rank::Running, &place);
        }
        return true;
    }
    if !what.trim().is_empty() {
        return false;
    }
    // The UUID names one card in the world.
    let name = value.split(" (UUID").next().unwrap_or(value).split(" (nvgpu").next().unwrap_or(value).trim();
    if name.is_empty() || name.len() > 80 {
        return false;
    }
    let plausible =
        (vocabulary.is_gpu)(name) || name.contains("NVIDIA") || name.contains("Tesla") || name.contains("GeForce");
    if !plausible && !name.contains("Orin") {
        return false;
    }
    for index in indices {
        let name = Reading::told(name.to_owned(), place.clone());
        draft.gpu(Gpu { index, name, ..Gpu::default() }, Rank::Running, &place);
    }
    true
}
