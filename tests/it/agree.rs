//! One set of rules: `check` finds a contradiction in an environment exactly when the solver refuses it.

use std::collections::BTreeSet;

use gpudoc::check;
use gpudoc::facts::{Facts, Gpu, Origin, Python, PythonImplementation, Reading};
use gpudoc::finding::{Change, Finding, Kind, Severity};
use gpudoc::impact::apply;
use gpudoc::rules::{RuleDb, Target, embedded, requirement, target::complete_gpus};
use gpudoc::solve::{AskedRequirement, Request, solve};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;

const GPUS: [&str; 14] = [
    "NVIDIA L4",
    "NVIDIA A100-SXM4-80GB",
    "NVIDIA GeForce RTX 3090",
    "NVIDIA RTX A6000",
    "NVIDIA L40S",
    "NVIDIA GB10",
    "NVIDIA H200",
    "NVIDIA GeForce RTX 5090",
    "NVIDIA GeForce RTX 4090",
    "NVIDIA H100 80GB HBM3",
    "Tesla T4",
    "Tesla V100-SXM2-16GB",
    "NVIDIA GeForce GTX 1080 Ti",
    "NVIDIA B200",
];
const DRIVERS: [&str; 7] = ["470.57.02", "525.60.13", "535.104.05", "550.54.15", "570.133.20", "580.65.06", "615.31"];
const PYTHONS: [&str; 6] = ["3.9.18", "3.10.12", "3.11.9", "3.12.3", "3.13.1", "3.14.0"];

fn host(gpu: &str, driver: &str, python: &str, platform: &str, db: &RuleDb) -> Facts {
    let mut facts = Facts::unknown(Origin::Host);
    let known = |text: &str| Reading::host(text.to_owned(), "the test");
    facts.system.os = known("linux");
    facts.system.arch = known(platform.trim_start_matches("linux_"));
    facts.system.glibc = Reading::host("2.35".parse().expect("a glibc"), "the test");
    facts.driver.version = Reading::host(driver.parse().expect("a driver"), "the test");
    let gpu = Gpu { name: known(gpu), ..Gpu::default() };
    facts.gpus = Reading::host(vec![gpu], "the test");
    let python = Python {
        executable: Reading::Unknown,
        prefix: "/venv".to_owned(),
        base_prefix: Reading::Unknown,
        version: Reading::host(python.parse().expect("a Python"), "the test"),
        implementation: PythonImplementation::CPython,
        free_threaded: false,
        bits: Reading::Unknown,
        chosen_by: "the test".to_owned(),
        path: Vec::new(),
        management: gpudoc::facts::Management::default(),
        place: gpudoc::facts::Place::default(),
    };
    facts.python = Reading::host(python, "the test");
    complete_gpus(&mut facts, db);
    facts
}

/// A build of a package for a platform as `name==version+local`.
fn pick(name: &str, release: Index, build: Index, platform: &str, db: &RuleDb) -> Option<String> {
    let releases = &db.package(name)?.releases;
    let release = release.get(releases);
    let mut builds: Vec<_> = release.builds.iter().filter(|build| build.is_for(platform)).collect();
    // Without a label a pin names every build of the release, and the solver takes another than was drawn.
    let labelled = builds.iter().any(|build| build.local.is_some());
    builds.retain(|build| build.local.is_some() || !labelled);
    if builds.is_empty() || release.yanked {
        return None;
    }
    Some(format!("{name}=={}", release.full_version(builds[build.index(builds.len())])))
}

/// The same cases each time; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` go and look for others.
fn config() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match config.rng_seed {
        RngSeed::Random => ProptestConfig { cases: 48, rng_seed: RngSeed::Fixed(5), ..config },
        RngSeed::Fixed(_) => config,
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn check_and_solver_agree(
        platform in prop_oneof![3 => Just("linux_x86_64"), 1 => Just("linux_aarch64")],
        gpu in select(&GPUS[..]), driver in select(&DRIVERS[..]), python in select(&PYTHONS[..]),
        torch in any::<(Index, Index)>(), fitting in any::<[bool; 18]>(),
        others in any::<[(Index, Index); 18]>(), present in any::<[[bool; 2]; 18]>(),
    ) {
        let db = embedded();
        let torch = pick("torch", torch.0, torch.1, platform, db);
        prop_assume!(torch.is_some());
        let mut pins = vec![torch.expect("assumed")];
        // Half of the time what torch itself pins, so that sound environments are drawn too.
        let host = host(gpu, driver, python, platform, db);
        let target = Target::from_facts(&host, db);
        for (at, name) in PARTNERS.into_iter().enumerate() {
            // A quarter of the time, but for triton, which nearly every torch needs.
            if at > 0 && !(present[at][0] && present[at][1]) {
                continue;
            }
            let drawn = pick(name, others[at].0, others[at].1, platform, db);
            let partner = fitting[at].then(|| fit(name, &pins[..1], &target, db)).flatten();
            pins.extend(partner.or(drawn));
        }
        let (mut facts, mut findings) = (host.clone(), Vec::new());
        // The solver would add what is missing; here it has to be there.
        for _ in 0..6 {
            facts = pins.iter().fold(host.clone(), |facts, pin| apply(&facts, &Change::Install(vec![pin.clone()]), db));
            findings = check::findings(&check::run(&facts, db, &gpudoc::rules::Workload::default()));
            let missing = findings.iter().filter(|finding| finding.title.contains("is not installed"));
            let names: BTreeSet<_> = missing.flat_map(|finding| &finding.packages).cloned().collect();
            let absent = names.into_iter().filter(|name| facts.distribution(name).is_none());
            let added: Vec<_> = absent.filter_map(|name| fit(&name, &pins, &target, db).or_else(|| newest(&name, platform, db))).collect();
            if added.is_empty() {
                break;
            }
            pins.extend(added);
        }
        prop_assume!(!findings.iter().any(|finding| finding.title.contains("is not installed")));
        let failing: Vec<_> = findings.iter().filter(|finding| contradicts(finding, db)).map(|finding| &finding.title).collect();
        let requirements = pins.iter().map(|pin| AskedRequirement::new(requirement::parse(pin).expect("a pin"), "the test"));
        let request = Request { target: Target::from_facts(&facts, db), requirements: requirements.collect(), ..Request::default() };
        match solve(&request, db) {
            Ok(_) => prop_assert!(failing.is_empty(), "{pins:?} on {gpu}, {driver}, {python}, {platform}: only check refuses: {failing:#?}"),
            Err(proof) => {
                let steps: Vec<_> = proof.steps.iter().map(|step| &step.text).collect();
                prop_assert!(!failing.is_empty(), "{pins:?} on {gpu}, {driver}, {python}, {platform}: only the solver refuses: {steps:#?}");
            }
        }
    }
}

/// What projects ask for.
const ASKED: [&str; 32] = [
    "torch",
    "torch>=2.1,<2.6",
    "torch>=2.6,<2.9",
    "torch==2.7.1",
    "torch==2.8.0",
    "torch<2.4",
    "torchvision",
    "torchvision<0.24",
    "torchaudio",
    "triton",
    "triton<3.5",
    "xformers",
    "xformers>=0.0.28",
    "bitsandbytes",
    "bitsandbytes<0.46",
    "transformers",
    "transformers<4.50",
    "accelerate",
    "numpy<2",
    "numpy",
    "vllm",
    "vllm<0.12",
    "vllm==0.8.5",
    "sgl-kernel",
    "sgl-kernel==0.3.5",
    "torchao",
    "torchcodec",
    "flash-attn",
    "peft",
    "diffusers",
    "onnxruntime-gpu",
    "deepspeed",
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_resolved_passes_check(
        platform in prop_oneof![4 => Just("linux_x86_64"), 1 => Just("linux_aarch64")],
        gpu in select(&GPUS[..]), driver in select(&DRIVERS[..]), python in select(&PYTHONS[..]),
        lines in proptest::collection::btree_set(select(&ASKED[..]), 1..7),
    ) {
        let db = embedded();
        let host = host(gpu, driver, python, platform, db);
        let requirements = lines.iter().map(|line| AskedRequirement::new(requirement::parse(line).expect("a line"), "the test"));
        let request = Request { target: Target::from_facts(&host, db), requirements: requirements.collect(), ..Request::default() };
        let Ok(resolution) = solve(&request, db) else { return Ok(()) };
        let pins = resolution.pins.iter().map(|pin| format!("{}=={}", pin.name, pin.release.full_version(pin.build)));
        let pins: Vec<String> = pins.collect();
        let facts = apply(&host, &Change::Install(pins.clone()), db);
        let findings = check::findings(&check::run(&facts, db, &gpudoc::rules::Workload::default()));
        // What any release will do for is left to the installer.
        let wrong = findings.iter().filter(|finding| contradicts(finding, db) && !finding.title.contains("is not installed"));
        let wrong: Vec<_> = wrong.map(|finding| &finding.title).collect();
        prop_assert!(wrong.is_empty(), "{lines:?} on {gpu}, {driver}, {python}, {platform}: {pins:?}: {wrong:#?}");
    }
}

/// Whether the solver has to see it too: check only warns where packages without GPU code do not fit.
fn contradicts(finding: &Finding, db: &RuleDb) -> bool {
    let covered = || finding.packages.iter().all(|name| db.package(name).is_some());
    let misfit = || matches!(finding.kind, Kind::Requirement | Kind::Python) && covered();
    finding.severity == Severity::Fail || (finding.severity == Severity::Warn && misfit())
}

/// What is drawn beside torch.
const PARTNERS: [&str; 18] = [
    "triton",
    "torchvision",
    "bitsandbytes",
    "torchaudio",
    "xformers",
    "numpy",
    "setuptools",
    "transformers",
    "accelerate",
    "torchao",
    "sgl-kernel",
    "vllm",
    "peft",
    "trl",
    "diffusers",
    "torchcodec",
    "onnxruntime-gpu",
    "flash-attn",
];

/// The newest release of a package.
fn newest(name: &str, platform: &str, db: &RuleDb) -> Option<String> {
    let release = db.package(name)?.releases.iter().rev().find(|release| !release.yanked)?;
    Some(format!("{name}=={}", release.full_version(release.builds.iter().find(|build| build.is_for(platform))?)))
}

/// The build of a package that goes with others on this target, if there is one.
fn fit(name: &str, others: &[String], target: &Target, db: &RuleDb) -> Option<String> {
    let ask = |line: &str| AskedRequirement::new(requirement::parse(line).expect("a line"), "the test");
    let requirements = others.iter().map(String::as_str).chain([name]).map(ask).collect();
    let request = Request { target: target.clone(), requirements, ..Request::default() };
    let solution = solve(&request, db).ok()?;
    let pin = solution.pins.iter().find(|pin| pin.name == name)?;
    Some(format!("{name}=={}", pin.release.full_version(pin.build)))
}
