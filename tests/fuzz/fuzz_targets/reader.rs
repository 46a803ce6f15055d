// Shared by the targets `report_…`: one reader of pasted text by itself, with a small world that is quick to ask.

use gpudoc::told::{Reader, Series, Vocabulary, clean, read};

pub fn fuzz(reader: Reader, data: &[u8]) {
    let names = ["torch", "torchvision", "vllm", "xformers", "flash-attn", "bitsandbytes", "triton", "numpy"];
    let distribution_of = |module: &str| module.starts_with("flash_attn").then(|| "flash-attn".to_owned());
    let begins = ["30", "40"].map(str::to_owned);
    let series = [Series { word: "RTX", brand: "GeForce RTX", begins: &begins }];
    let fields = &gpudoc::rules::embedded().tables().report_fields;
    let names = fields.by_name();
    let vocabulary = Vocabulary {
        is_package: &|name| names.contains(&name),
        distribution_of: &distribution_of,
        variant: &|url, _| url.rsplit('/').next().map(str::to_owned),
        field: &|name| names.get(name).and_then(|row| row.about),
        is_of_running: &|name| names.get(name).is_some_and(|row| row.running),
        is_heading: &|name| fields.is_heading(name),
        is_variable: &|name| name.starts_with("CUDA_"),
        series: &series,
        boards: &["Jetson"],
        is_gpu: &|name| ["H100", "A100", "RTX", "GTX"].iter().any(|gpu| name.contains(gpu)),
        other_vendor: &|line| line.contains("gfx").then(|| "AMD ROCm".to_owned()),
    };
    let text = String::from_utf8_lossy(data);
    let (report, ()) = read(&[reader], &clean(&text), &vocabulary, |_| ((), Vec::new()));
    let pasted = report.facts.pasted.expect("a report is pasted");
    assert!(pasted.not_read <= text.lines().count() && pasted.recognised.len() <= 24);
}
