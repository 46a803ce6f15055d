//! Kinds of stories, each from findings as the checks make them.

use super::*;
use crate::check::registry;
use crate::facts::{Distribution, Gpu, Origin, Reading};
use crate::finding::{Basis, Evidence, Kind, Remedy};
use crate::step::{Shell, Step, print};

fn machine(installed: &[(&str, &str)]) -> Facts {
    let of = |(name, version): &(&str, &str)| Distribution {
        name: (*name).to_owned(),
        version: Reading::metadata((*version).to_owned(), "METADATA"),
        ..Distribution::default()
    };
    Facts { distributions: installed.iter().map(of).collect(), ..Facts::unknown(Origin::Host) }
}

fn finding(kind: Kind, id: &str, packages: &[&str]) -> Finding {
    let (id, title) = (registry::id(id).expect("a rule has it"), format!("title of {id}"));
    let finding = id.rule().found(&id.subjects().collect::<Vec<_>>(), title).kind(kind).severity(Severity::Fail);
    finding.message(format!("What {id} means. And more.")).packages(packages.iter().copied())
}

/// `by` declares `of` in a range.
fn unmet(by: &str, of: &str, range: &str) -> Finding {
    let mut packages = [by, of];
    packages.sort_unstable();
    let evidence = Evidence {
        fact: of.to_owned(),
        observed: "another".to_owned(),
        required: Some(range.to_owned()),
        source: Basis::Metadata,
        citation: None,
    };
    let remedy =
        Remedy { requirements: vec![format!("{of}{range}")], ..Remedy::new(format!("Install `{of}{range}`"), []) };
    Finding {
        evidence: vec![evidence],
        remedies: vec![remedy],
        ..finding(Kind::Requirement, &format!("requirement/{by}/{of}"), &packages)
    }
}

fn titles(facts: &Facts, findings: &[Finding]) -> Vec<String> {
    causes(facts, findings, None).into_iter().map(|cause| cause.title).collect()
}

#[test]
fn one_missing_distribution_is_one_cause_for_all_that_need_it() {
    let by = ["torchvision", "transformers", "accelerate", "peft", "trl", "datasets", "xformers"];
    let findings: Vec<Finding> = by.iter().map(|by| unmet(by, "numpy", ">=1.17")).collect();
    let facts = machine(&[("torchvision", "0.22.1"), ("transformers", "4.57.1")]);
    assert_eq!(
        titles(&facts, &findings),
        ["numpy is not installed, and torchvision 0.22.1, transformers 4.57.1, accelerate and 4 more require it"]
    );
}

#[test]
fn the_pins_of_one_build_are_one_cause() {
    let names = ["nvidia-cublas-cu12", "nvidia-cudnn-cu12", "nvidia-nccl-cu12", "nvidia-nvtx-cu12"];
    let mut findings: Vec<Finding> = names.iter().map(|of| unmet("torch", of, "==12.1")).collect();
    findings.push(unmet("jinja2", "markupsafe", ">=2.0"));
    let facts = machine(&[("torch", "2.7.1+cu128"), ("markupsafe", "1.0"), ("nvidia-nccl-cu12", "2")]);
    assert_eq!(
        titles(&facts, &findings),
        [
            "torch 2.7.1+cu128 requires other releases of nvidia-cublas-cu12, nvidia-cudnn-cu12, nvidia-nccl-cu12 and 1 more",
            "title of requirement/jinja2/markupsafe"
        ]
    );
}

#[test]
fn what_metadata_code_and_symbols_say_of_one_partner_is_one_cause() {
    let findings = [
        unmet("torchaudio", "torch", "==2.8.0"),
        finding(Kind::Pairing, "pairing/torchaudio", &["torchaudio", "torch"]),
        finding(Kind::Abi, "abi/xformers", &["torch", "xformers"]),
        unmet("torch", "triton", "==3.5.0"),
        unmet("requests", "idna", "<3"),
    ];
    let facts = machine(&[
        ("torch", "2.9.0"),
        ("torchaudio", "2.8.0"),
        ("xformers", "0.0.32"),
        ("triton", "3.4.0"),
        ("idna", "3.1"),
    ]);
    let causes = causes(&facts, &findings, None);
    assert_eq!(causes.len(), 2);
    assert_eq!(causes[0].title, "torchaudio 2.8.0 and xformers 0.0.32 do not match torch 2.9.0");
    assert_eq!(causes[0].meaning, "What pairing/torchaudio means.", "what happens is said before what is declared");
    assert_eq!(causes[0].packages, ["torch", "torchaudio", "triton", "xformers"]);
}

#[test]
fn one_driver_and_one_gpu_are_one_cause_each() {
    let on_gpu =
        |id: &str| Finding { gpus: vec![0], ..finding(Kind::GpuArch, id, &[id.split('/').nth(1).unwrap_or_default()]) };
    let findings = [
        finding(Kind::Driver, "driver/torch", &["torch"]),
        on_gpu("gpu-arch/torch"),
        finding(Kind::ForwardCompat, "forward-compat/gpu", &[]),
        on_gpu("gpu-arch/bitsandbytes"),
        Finding { severity: Severity::Info, ..on_gpu("gpu-arch/vllm") },
    ];
    let mut facts = machine(&[("torch", "2.7.1+cu126"), ("bitsandbytes", "0.45.0")]);
    let gpu = Gpu {
        name: Reading::host("RTX 5090".to_owned(), "a test"),
        compute_capability: "12.0".parse().map_or(Reading::Unknown, |capability| Reading::host(capability, "a test")),
        ..Gpu::default()
    };
    facts.gpus = Reading::host(vec![gpu], "a test");
    assert_eq!(
        titles(&facts, &findings),
        ["title of driver/torch", "torch 2.7.1+cu126 and bitsandbytes 0.45.0 are not built for GPU 0 RTX 5090 (12.0)"]
    );
}

#[test]
fn what_the_plan_leaves_is_told_with_the_reason_and_never_against_it() {
    let hold = Remedy { requirements: vec!["torch<2.4".to_owned()], ..Remedy::new("Keep torch 2.3", []) };
    let remove = Remedy::new("Remove torchtext", Step::fixed("pip uninstall -y torchtext"));
    let findings = [
        unmet("torchaudio", "torch", "==2.3.0"),
        Finding { remedies: vec![hold.clone(), remove], ..finding(Kind::Advisory, "GPUDOC-2026-0040", &["torchtext"]) },
        Finding { remedies: vec![hold], ..finding(Kind::Advisory, "GPUDOC-2026-0041", &["torchdata"]) },
    ];
    let plan = Plan {
        summary: "Install torchaudio 2.4.0".to_owned(),
        requirements: vec!["torch==2.4.0+cu121".to_owned(), "torchaudio==2.4.0+cu121".to_owned()],
        steps: Step::fixed("pip install \"torch==2.4.0\" \"torchaudio==2.4.0\""),
        fixes: registry::id("requirement/torchaudio/torch").into_iter().collect(),
        leaves: ["GPUDOC-2026-0040", "GPUDOC-2026-0041"].into_iter().filter_map(registry::id).collect(),
        verified: true,
        instead: None,
    };
    let facts = machine(&[("torch", "2.4.0"), ("torchaudio", "2.3.0")]);
    let causes = causes(&facts, &findings, Some(&plan));
    let left: Vec<_> = causes.iter().map(|cause| (cause.ended, cause.left.as_deref())).collect();
    assert_eq!(
        left,
        [
            (true, None),
            (false, Some("no set of known releases ends it together with the rest")),
            (false, Some("what would end it contradicts the plan"))
        ]
    );
    let told: Vec<(Role, String)> =
        to_do(&facts, &findings, &causes, Some(&plan)).into_iter().map(|item| (item.role, item.words)).collect();
    assert_eq!(
        told,
        [
            (Role::Plan, "Install torchaudio 2.4.0".to_owned()),
            (Role::Also, "Remove torchtext".to_owned()),
            (Role::Also, "what would end it contradicts the plan".to_owned())
        ]
    );
}

#[test]
fn what_no_one_environment_holds_is_told_to_be_parted() {
    let facts = machine(&[("vllm", "0.6.3"), ("flashy", "2.5"), ("torch", "2.3.0")]);
    let findings = [unmet("vllm", "torch", "==2.4.0"), unmet("flashy", "torch", "==2.5.1")];
    let causes = causes(&facts, &findings, None);
    let told = to_do(&facts, &findings, &causes, None);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].words, "No one torch suits flashy 2.5 and vllm 0.6.3: make an environment for each");
    assert_eq!(
        print(&told[0].steps, Shell::Sh),
        [
            "python -m venv .venv-vllm",
            ".venv-vllm/bin/python -m pip install vllm==0.6.3",
            "python -m venv .venv-flashy",
            ".venv-flashy/bin/python -m pip install flashy==2.5",
        ]
    );
}
