//! The truth of claims that circulate, asked of the rules that the program ships. Every expected value was worked out from the
//! wheels on PyPI by other means than the harvester's, on 2026-11-21, and is not copied from the rules.

use gpudoc::rules::advisory::{Environment, applies};
use gpudoc::rules::model::{Build, Release};
use gpudoc::rules::{RuleDb, Target, embedded};
use gpudoc::version::ComputeCapability;

const X86: &str = "linux_x86_64";

/// The build of a release that PyPI serves for Linux on x86_64.
fn on_pypi<'a>(db: &'a RuleDb, name: &str, version: &str) -> (&'a Release, &'a Build) {
    let parsed = version.parse().expect("a version");
    db.build(name, &parsed, X86).unwrap_or_else(|| panic!("{name} {version} is not in the rules"))
}

/// All that a build of PyPI requires.
fn requirements(db: &RuleDb, name: &str, version: &str) -> Vec<String> {
    let (release, build) = on_pypi(db, name, version);
    release.requires.iter().chain(&build.requires).cloned().collect()
}

/// What `torch.cuda.get_arch_list()` answers, from the list that is compiled into `torch/lib/libtorch_python.so` of the cp311
/// wheels, and the CUDA variant in their `torch/version.py`.
const TORCH: [(&str, &str, &str); 16] = [
    ("2.5.0", "cu124", "50 60 70 75 80 86 90"),
    ("2.5.1", "cu124", "50 60 70 75 80 86 90"),
    ("2.6.0", "cu124", "50 60 70 75 80 86 90"),
    ("2.7.0", "cu126", "50 60 70 75 80 86 90"),
    ("2.7.1", "cu126", "50 60 70 75 80 86 90"),
    ("2.8.0", "cu128", "70 75 80 86 90 100 120"),
    ("2.9.0", "cu128", "70 75 80 86 90 100 120"),
    ("2.9.1", "cu128", "70 75 80 86 90 100 120"),
    ("2.10.0", "cu128", "70 75 80 86 90 100 120"),
    ("2.11.0", "cu130", "75 80 86 90 100 120"),
    ("2.12.0", "cu130", "75 80 86 90 100 120"),
    ("2.12.1", "cu130", "75 80 86 90 100 120"),
    ("2.13.0", "cu130", "75 80 86 90 100 120"),
    ("2.14.0", "cu130", "75 80 86 90 100 120"),
    ("2.14.1", "cu130", "75 80 86 90 100 120"),
    ("2.15.0", "cu132", "75 80 86 90 100 120"),
];

#[test]
fn torch_on_pypi_has_sm_120_from_2_8_on_and_not_in_2_6_or_2_7() {
    let db = embedded();
    for (version, local, list) in TORCH {
        let (_, build) = on_pypi(db, "torch", version);
        assert_eq!(build.local.as_deref(), Some(local), "torch {version}");
        let sass: Vec<_> = build.code.iter().flat_map(|code| &code.sass).map(ToString::to_string).collect();
        let has = |name: &str| sass.contains(&format!("sm_{name}"));
        assert_eq!(has("120"), list.contains("120"), "torch {version}: {sass:?}");
        // What torch says that it has, it has; the wheels may hold more for single libraries.
        let missing: Vec<_> = list.split(' ').filter(|name| !has(name)).collect();
        assert_eq!(missing, [""; 0], "torch {version}: {sass:?}");
    }
}

#[test]
fn torch_2_6_1_and_2_6_2_do_not_exist() {
    // The versions in the names of the wheels that PyPI lists, from 1.13 on.
    let published = "1.13.0 1.13.1 2.0.0 2.0.1 2.1.0 2.1.1 2.1.2 2.2.0 2.2.1 2.2.2 2.3.0 2.3.1 2.4.0 2.4.1 2.5.0 2.5.1 2.6.0 \
                     2.7.0 2.7.1 2.8.0 2.9.0 2.9.1 2.10.0 2.11.0 2.12.0 2.12.1 2.13.0 2.14.0 2.14.1 2.15.0";
    let db = embedded();
    let known: Vec<_> =
        db.package("torch").expect("covered").releases.iter().map(|release| release.version.to_string()).collect();
    assert_eq!(known, published.split_whitespace().collect::<Vec<_>>());
    for version in ["2.6.1", "2.6.2", "2.7.2"] {
        assert!(db.release("torch", &version.parse().expect("a version")).is_none(), "torch {version}");
    }
}

#[test]
fn torch_pins_its_triton() {
    // `Requires-Dist` in METADATA of the cp311 wheels for x86_64; none before 2.0.
    let pins = [
        ("2.0.0", "==2.0.0"),
        ("2.0.1", "==2.0.0"),
        ("2.1.0", "==2.1.0"),
        ("2.1.2", "==2.1.0"),
        ("2.2.0", "==2.2.0"),
        ("2.2.2", "==2.2.0"),
        ("2.3.0", "==2.3.0"),
        ("2.3.1", "==2.3.1"),
        ("2.4.0", "==3.0.0"),
        ("2.4.1", "==3.0.0"),
        ("2.5.0", "==3.1.0"),
        ("2.5.1", "==3.1.0"),
        ("2.6.0", "==3.2.0"),
        ("2.7.0", "==3.3.0"),
        ("2.7.1", "==3.3.1"),
        ("2.8.0", "==3.4.0"),
        ("2.9.0", "==3.5.0"),
        ("2.9.1", "==3.5.1"),
        ("2.10.0", "==3.6.0"),
        ("2.11.0", "==3.6.0"),
        ("2.12.0", "==3.7.0"),
        ("2.12.1", "==3.7.1"),
        ("2.13.0", "==3.7.1"),
        ("2.14.0", "~=3.8.0"),
        ("2.15.0", "~=3.9.0"),
    ];
    let db = embedded();
    for (version, pin) in pins {
        let wanted = format!("triton{pin};");
        let lines = requirements(db, "torch", version);
        assert!(lines.iter().any(|line| line.starts_with(&wanted)), "torch {version}: no `{wanted}` in {lines:?}");
    }
    assert!(!requirements(db, "torch", "1.13.1").iter().any(|line| line.starts_with("triton")));
}

#[test]
fn torch_pins_its_cudnn() {
    let pins = [
        ("1.13.1", "nvidia-cudnn-cu11==8.5.0.96"),
        ("2.3.1", "nvidia-cudnn-cu12==8.9.2.26"),
        ("2.4.0", "nvidia-cudnn-cu12==9.1.0.70"),
        ("2.6.0", "nvidia-cudnn-cu12==9.1.0.70"),
        ("2.7.1", "nvidia-cudnn-cu12==9.5.1.17"),
        ("2.8.0", "nvidia-cudnn-cu12==9.10.2.21"),
        ("2.11.0", "nvidia-cudnn-cu13==9.19.0.56"),
        ("2.15.0", "nvidia-cudnn-cu13==9.26.0.51"),
    ];
    let db = embedded();
    for (version, pin) in pins {
        let lines = requirements(db, "torch", version);
        let pinned = lines.iter().any(|line| line.split(';').next() == Some(pin));
        assert!(pinned, "torch {version}: no `{pin}` in {lines:?}");
        // What is pinned is covered, so that it can be judged.
        let (name, exact) = pin.split_once("==").expect("a pin");
        assert!(db.release(name, &exact.parse().expect("a version")).is_some(), "{pin}");
    }
}

/// Whether an advisory about `triton.ops` hits these.
fn stops_without_triton_ops(db: &RuleDb, installed: &[(&str, &str)]) -> bool {
    let version = |name: &str| {
        let found = installed.iter().find(|(other, _)| *other == name);
        found.map(|(_, version)| version.parse().expect("a version"))
    };
    let environment =
        Environment { installed: &version, cuda: None, target: &Target::default(), workload: &[], messages: &[] };
    let about = |text: &String| text.contains("No module named 'triton.ops'");
    db.advisories().filter(|advisory| advisory.symptoms.iter().any(about)).any(|it| applies(it, &environment).is_some())
}

#[test]
fn triton_ops_went_in_3_2_and_bitsandbytes_imported_it_from_0_38_1_to_0_45_0() {
    // `triton/ops/` lies in the x86_64 wheels of 2.0.0 to 3.1.0, and in none from 3.2.0 on. `from triton.ops` stands in modules
    // below `bitsandbytes/triton` from 0.38.1 to 0.45.0, behind `importlib.util.find_spec("triton")`, and `import
    // bitsandbytes` leads to them through `bitsandbytes/nn/__init__.py`.
    let db = embedded();
    let (with, without) = (
        ["2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.3.1", "3.0.0", "3.1.0"],
        ["3.2.0", "3.3.0", "3.3.1", "3.4.0", "3.9.0"],
    );
    let importing = ["0.38.1", "0.39.0", "0.40.0.post4", "0.41.3.post2", "0.42.0", "0.43.3", "0.44.1", "0.45.0"];
    let others = ["0.37.2", "0.38.0", "0.38.0.post2", "0.45.1", "0.45.2", "0.45.3", "0.49.2", "0.50.2"];
    for bitsandbytes in importing {
        for triton in without {
            assert!(
                stops_without_triton_ops(db, &[("bitsandbytes", bitsandbytes), ("triton", triton)]),
                "{bitsandbytes}, {triton}"
            );
        }
        for triton in with {
            assert!(
                !stops_without_triton_ops(db, &[("bitsandbytes", bitsandbytes), ("triton", triton)]),
                "{bitsandbytes}, {triton}"
            );
        }
        // The condition: without triton the import is skipped.
        assert!(!stops_without_triton_ops(db, &[("bitsandbytes", bitsandbytes)]), "{bitsandbytes}");
    }
    for bitsandbytes in others {
        assert!(
            !stops_without_triton_ops(db, &[("bitsandbytes", bitsandbytes), ("triton", "3.2.0")]),
            "{bitsandbytes}"
        );
    }
    for (name, versions) in [
        ("triton", &with[..]),
        ("triton", &without[..]),
        ("bitsandbytes", &importing[..]),
        ("bitsandbytes", &others[..]),
    ] {
        for version in versions {
            on_pypi(db, name, version);
        }
    }
}

#[test]
fn companions_pin_their_torch() {
    // METADATA of the cp311 wheels for x86_64 (vllm: cp38-abi3).
    let pins = [
        ("torchvision", "0.17.2", "torch==2.2.2"),
        ("torchvision", "0.21.0", "torch==2.6.0"),
        ("torchvision", "0.22.1", "torch==2.7.1"),
        ("torchaudio", "2.6.0", "torch==2.6.0"),
        ("torchaudio", "2.7.1", "torch==2.7.1"),
        ("xformers", "0.0.29.post3", "torch==2.6.0"),
        ("xformers", "0.0.30", "torch==2.7.0"),
        ("xformers", "0.0.32.post1", "torch==2.8.0"),
        ("vllm", "0.5.5", "torch==2.4.0"),
        ("vllm", "0.6.6.post1", "torch==2.5.1"),
        ("vllm", "0.8.5", "torch==2.6.0"),
        ("vllm", "0.8.5", "xformers==0.0.29.post2"),
        ("vllm", "0.9.2", "torch==2.7.0"),
        ("vllm", "0.11.0", "torch==2.8.0"),
        ("vllm", "0.20.0", "torch==2.11.0"),
        ("vllm", "0.20.0", "flashinfer-python==0.6.8.post1"),
        ("vllm", "0.33.0", "torch==2.14.0"),
        ("vllm", "0.33.0", "transformers<5.21.0,>=5.16.1"),
    ];
    let db = embedded();
    for (name, version, pin) in pins {
        let lines = requirements(db, name, version);
        let pinned = lines.iter().any(|line| line.split(';').next() == Some(pin));
        assert!(pinned, "{name} {version}: no `{pin}` in {lines:?}");
    }
}

#[test]
fn what_a_blackwell_card_runs() {
    // From the same lists: machine code for 12.0 comes with CUDA 12.8 and never with 12.6 or older.
    let db = embedded();
    let blackwell = ComputeCapability::new(12, 0);
    for release in &db.package("torch").expect("covered").releases {
        for build in release.builds.iter().filter(|build| build.platform == X86 && !build.code.is_empty()) {
            let runs = build.code.iter().flat_map(|code| &code.sass).any(|target| target.capability == blackwell);
            let old = build.cuda.is_some_and(|cuda| (cuda.major, cuda.minor) < (12, 8));
            assert!(!(runs && old), "torch {} {:?}", release.version, build.local);
        }
    }
}
