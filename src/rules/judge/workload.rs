//! Does what a project says it does fit its GPUs: a model of 47B parameters, a GPU of 24 GiB at least?

use super::target::{Target, TargetGpu, gpu_words};
use crate::finding::Severity;
use crate::rules::{RuleDb, cite};
use crate::text::{bytes, count};

/// What a project says it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workload {
    /// E.g. `torch.compile`; the words are those of [`crate::rules::schema::WORKLOADS`].
    pub uses: Vec<String>,
    /// Parameters of its model, e.g. 47,000,000,000.
    pub model_params: Option<u64>,
    /// Bytes that each GPU must have.
    pub min_vram: Option<u64>,
}

/// What says that a model is loaded in 4 bits.
const FOUR_BIT: &str = "bitsandbytes-4bit";

impl Workload {
    /// All words, also those that others imply: NCCL is what distributed training runs on, and a model is very large from a size on.
    #[must_use]
    pub fn words(&self, db: &RuleDb) -> Vec<String> {
        let mut words = self.uses.clone();
        let very_large = self.model_params.is_some_and(|params| params >= db.tables().workload.very_large_model.from);
        let implied = [(self.does("nccl"), "distributed"), (very_large, "very-large-model")];
        for (_, word) in implied.into_iter().filter(|(holds, _)| *holds) {
            if !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        }
        words
    }

    fn does(&self, word: &str) -> bool {
        self.uses.iter().any(|known| known == word)
    }
}

/// What of a project's work is held against the memory of GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The weights of its model, by `model-params`.
    ModelFit,
    /// What each GPU must have, by `min-vram`.
    MinVram,
}

impl Limit {
    /// As ids have it, e.g. `model-fit`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ModelFit => "model-fit",
            Self::MinVram => "min-vram",
        }
    }
}

/// What is to be said of the memory of GPUs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Which of them it is about.
    pub limit: Limit,
    /// How bad.
    pub severity: Severity,
    /// One sentence.
    pub title: String,
    /// The sum.
    pub sum: String,
    /// What to do, imperative.
    pub hint: Option<String>,
    /// What it rests on.
    pub citation: Option<String>,
    /// Indices into the target's GPUs.
    pub gpus: Vec<usize>,
}

/// Judges the memory of a target's GPUs.
///
/// # Errors
///
/// The fact that is missing, in words, where a GPU has a memory that nobody knows.
pub fn judge(workload: &Workload, target: &Target, db: &RuleDb) -> Result<Vec<Told>, String> {
    if workload.model_params.is_none() && workload.min_vram.is_none() || target.gpus.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(gpu) = target.gpus.iter().find(|gpu| gpu.memory.is_empty()) {
        return Err(format!("the memory of {}", gpu.label));
    }
    let small = workload.min_vram.and_then(|least| too_small(least, target, db));
    let fit = workload.model_params.and_then(|params| fit(params, workload.does(FOUR_BIT), target, db));
    Ok(small.into_iter().chain(fit).collect())
}

fn least_of(gpu: &TargetGpu) -> u64 {
    gpu.memory.iter().copied().min().unwrap_or(0)
}

fn most_of(gpu: &TargetGpu) -> u64 {
    gpu.memory.iter().copied().max().unwrap_or(0)
}

/// What a GPU is sold with: the driver keeps a part back, so that it reports a GPU of 24 GiB with 23.99.
fn sold(gpu: &TargetGpu, db: &RuleDb) -> u64 {
    let (named, _) = db.gpu_memory(&gpu.name);
    match named.as_slice() {
        [one] => most_of(gpu).max(*one),
        _ => most_of(gpu),
    }
}

fn too_small(least: u64, target: &Target, db: &RuleDb) -> Option<Told> {
    let below = |size: &dyn Fn(&TargetGpu) -> u64| -> Vec<usize> {
        (0..target.gpus.len()).filter(|at| target.gpus.get(*at).is_some_and(|gpu| size(gpu) < least)).collect()
    };
    let surely = below(&|gpu| sold(gpu, db));
    let perhaps = below(&|gpu| if gpu.memory.len() > 1 { least_of(gpu) } else { sold(gpu, db) });
    let (severity, gpus) = if surely.is_empty() { (Severity::Warn, perhaps) } else { (Severity::Fail, surely) };
    let first = target.gpus.get(*gpus.first()?)?;
    let named: Vec<&TargetGpu> = gpus.iter().filter_map(|at| target.gpus.get(*at)).collect();
    let words = gpu_words(&named);
    let (verb, each) = if named.len() == 1 { ("has", "") } else { ("have", " each") };
    let title = format!("{words} {verb} {}{each}, and the project needs {} (`min-vram`)", sizes(first), bytes(least));
    let hint = match severity {
        Severity::Fail => "take another GPU, or lower `min-vram`",
        _ => "say with `vram` in gpudoc.toml how much it has",
    };
    let (_, citation) = db.gpu_memory(&first.name);
    let sum = format!("{} < {}", bytes(least_of(first)), bytes(least));
    Some(Told { limit: Limit::MinVram, severity, title, sum, hint: Some(hint.to_owned()), citation, gpus })
}

/// `32 GiB`, or `40 GiB, 64 GiB or 80 GiB` where the name does not say which.
fn sizes(gpu: &TargetGpu) -> String {
    let all: Vec<String> = gpu.memory.iter().map(|size| bytes(*size)).collect();
    match all.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn weights(params: u64, bits: u64) -> u64 {
    u64::try_from(u128::from(params) * u128::from(bits) / 8).unwrap_or(u64::MAX)
}

fn fit(params: u64, four_bit: bool, target: &Target, db: &RuleDb) -> Option<Told> {
    let rules = &db.tables().workload;
    let row = if four_bit { &rules.four_bit_weights } else { &rules.weights };
    let need = weights(params, row.bits);
    let at_least = if four_bit { "at least " } else { "" };
    let model = format!("a model of {} parameters", parameters(params));
    let takes = format!("its weights in {} bits take {at_least}{}", row.bits, bytes(need));
    let sum = format!(
        "{} parameters × {} bits = {}; what is computed with them, caches and CUDA itself come on top",
        parameters(params),
        row.bits,
        bytes(need)
    );
    let biggest = target.gpus.iter().max_by_key(|gpu| (least_of(gpu), most_of(gpu)))?;
    let all: Vec<&TargetGpu> = target.gpus.iter().collect();
    let words = gpu_words(&all);
    let together = |size: fn(&TargetGpu) -> u64| all.iter().fold(0_u64, |sum, gpu| sum.saturating_add(size(gpu)));
    let has = sizes(biggest);
    let (severity, title, hint) = if need <= least_of(biggest) {
        let title = format!("{model} fits on {}: {takes} of {has}", gpu_words(&[biggest]));
        (Severity::Info, title, None)
    } else if need <= together(least_of) {
        let title = format!("{model} fits on {words} together, and on none alone: {takes}, one has {has}");
        (Severity::Info, title, None)
    } else if need <= together(most_of) {
        let title = format!("{model} fits on {words} only if there is memory enough: {takes}, one has {has}");
        (Severity::Warn, title, Some("say with `vram` in gpudoc.toml how much it has".to_owned()))
    } else {
        let verb = if all.len() == 1 { "has" } else { "have together" };
        let memory = if all.len() == 1 { has } else { bytes(together(most_of)) };
        let title = format!("{model} does not fit on {words}: {takes}, and {words} {verb} {memory}");
        (Severity::Warn, title, Some(way_out(params, four_bit, need, biggest, db)))
    };
    let citation = rules.sources.get(&row.source).map(cite);
    let gpus = (0..target.gpus.len()).collect();
    Some(Told { limit: Limit::ModelFit, severity, title, sum, hint, citation, gpus })
}

/// More GPUs of that sort, or fewer bits.
fn way_out(params: u64, four_bit: bool, need: u64, gpu: &TargetGpu, db: &RuleDb) -> String {
    let size = most_of(gpu).max(1);
    let name = gpu.name.trim_start_matches("NVIDIA ");
    let more = format!("spread it over {name} × {} or more", need.div_ceil(size));
    let small = weights(params, db.tables().workload.four_bit_weights.bits);
    if four_bit || small > size {
        return more;
    }
    let bits = db.tables().workload.four_bit_weights.bits;
    format!("{more}, or load it in {bits} bits (`{FOUR_BIT}`): {} at least", bytes(small))
}

/// `47B`, `1.5B`, `350M`.
fn parameters(params: u64) -> String {
    let (unit, letter) = match params {
        1_000_000_000_000.. => (1_000_000_000_000, "T"),
        1_000_000_000.. => (1_000_000_000, "B"),
        1_000_000.. => (1_000_000, "M"),
        _ => return count(usize::try_from(params).unwrap_or(usize::MAX), "", "").trim().to_owned(),
    };
    let tenths = params / (unit / 10);
    if tenths.is_multiple_of(10) {
        format!("{}{letter}", tenths / 10)
    } else {
        format!("{}.{}{letter}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::store::embedded;

    const GIB: u64 = 1 << 30;

    fn target(gpus: &[(&str, &[u64])]) -> Target {
        let gpu = |(name, memory): &(&str, &[u64])| TargetGpu {
            label: (*name).to_owned(),
            name: (*name).to_owned(),
            index: None,
            capability: "9.0".parse().unwrap(),
            class: None,
            memory: memory.iter().map(|gib| gib * GIB).collect(),
        };
        Target { gpus: gpus.iter().map(gpu).collect(), ..Target::default() }
    }

    fn told(workload: &Workload, gpus: &[(&str, &[u64])]) -> Vec<(Severity, String)> {
        let all = judge(workload, &target(gpus), embedded()).unwrap();
        all.into_iter().map(|told| (told.severity, told.title)).collect()
    }

    fn model(params: u64, uses: &[&str]) -> Workload {
        let uses = uses.iter().map(|word| (*word).to_owned()).collect();
        Workload { uses, model_params: Some(params), min_vram: None }
    }

    /// 47e9 × 2 bytes are 87.54 GiB; 47e9 / 2 bytes are 21.89 GiB.
    #[test]
    fn a_model_fits_by_its_weights() {
        let b47 = model(47_000_000_000, &[]);
        let one = |workload: &Workload, gpus: &[(&str, &[u64])]| told(workload, gpus).remove(0);
        let (severity, title) = one(&b47, &[("RTX 5090", &[32])]);
        assert_eq!(severity, Severity::Warn);
        assert_eq!(
            title,
            "a model of 47B parameters does not fit on RTX 5090: its weights in 16 bits take 87.5 GiB, and RTX 5090 has 32 GiB"
        );
        assert_eq!(one(&b47, &[("H200", &[141])]).0, Severity::Info);
        assert!(one(&b47, &[("H100", &[80]), ("H100", &[80])]).1.contains("together, and on none alone"));
        assert_eq!(one(&b47, &[("H100", &[80, 94])]).0, Severity::Warn);
        let small = model(47_000_000_000, &[FOUR_BIT]);
        assert!(one(&small, &[("RTX 5090", &[32])]).1.contains("take at least 21.9 GiB of 32 GiB"));
        let hint = judge(&b47, &target(&[("RTX 5090", &[32])]), embedded()).unwrap().remove(0).hint.unwrap();
        assert_eq!(
            hint,
            "spread it over RTX 5090 × 3 or more, or load it in 4 bits (`bitsandbytes-4bit`): 21.9 GiB at least"
        );
        assert_eq!(judge(&b47, &target(&[("GB10", &[])]), embedded()), Err("the memory of GB10".to_owned()));
    }

    #[test]
    fn each_gpu_has_what_the_project_needs() {
        let least = |gib: u64| Workload { min_vram: Some(gib * GIB), ..Workload::default() };
        assert_eq!(told(&least(24), &[("RTX 4090", &[24])]), []);
        let (severity, title) = told(&least(32), &[("RTX 5090", &[32]), ("RTX 4090", &[24])]).remove(0);
        assert_eq!(severity, Severity::Fail);
        assert_eq!(title, "RTX 4090 has 24 GiB, and the project needs 32 GiB (`min-vram`)");
        assert_eq!(told(&least(64), &[("A100", &[40, 80])]).remove(0).0, Severity::Warn);
        // What the driver reports of a GPU that is sold with 24.
        let mut target = target(&[("NVIDIA GeForce RTX 4090", &[24])]);
        target.gpus[0].memory = vec![24_564 << 20];
        assert_eq!(judge(&least(24), &target, embedded()), Ok(Vec::new()));
    }

    #[test]
    fn what_is_declared_implies_more() {
        let words = |workload: &Workload| workload.words(embedded());
        assert_eq!(words(&model(7_000_000_000, &["nccl"])), ["nccl", "distributed"]);
        assert_eq!(words(&model(47_000_000_000, &["torch.compile"])), ["torch.compile", "very-large-model"]);
    }

    #[test]
    fn names_say_how_much_memory_there_is() {
        let gib = |name: &str| embedded().gpu_memory(name).0.iter().map(|size| size / GIB).collect::<Vec<_>>();
        for (name, sizes) in [
            ("NVIDIA GeForce RTX 5090", &[32][..]),
            ("rtx5090", &[32]),
            ("5090", &[32]),
            ("H100", &[80, 94]),
            ("NVIDIA H100 80GB HBM3", &[80]),
            ("NVIDIA A100-SXM4-40GB", &[40]),
            ("l40s", &[48]),
            ("Tesla T4", &[16]),
            ("NVIDIA GeForce RTX 5090 Laptop GPU", &[]),
            ("NVIDIA GeForce RTX 5090 D v2", &[]),
            ("12.0", &[]),
        ] {
            assert_eq!(gib(name), sizes, "{name}");
        }
    }
}
