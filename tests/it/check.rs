//! What `gpudoc check` says of every recorded host, and that it says the same of a snapshot.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn host(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/hosts").join(name)
}

pub fn gpudoc(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gpudoc")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn report(name: &str) -> Value {
    let root = host(name);
    let output = gpudoc(&["check", "--root", root.to_str().unwrap(), "--format", "json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{name}: {error}: {}", String::from_utf8_lossy(&output.stderr));
    })
}

fn ids(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| format!("{} {}", finding["severity"].as_str().unwrap(), finding["id"].as_str().unwrap()))
        .collect()
}

fn finding<'a>(report: &'a Value, id: &str) -> &'a Value {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["id"] == id).unwrap_or_else(|| panic!("no {id} in {:?}", ids(report)))
}

fn status(report: &Value) -> BTreeMap<String, String> {
    let checks = report["checks"].as_array().unwrap();
    checks
        .iter()
        .map(|check| (check["id"].as_str().unwrap().to_owned(), check["status"].as_str().unwrap().to_owned()))
        .collect()
}

fn remedies(finding: &Value) -> Vec<(String, bool)> {
    let remedies = finding["remedies"].as_array().unwrap();
    remedies
        .iter()
        .map(|remedy| (remedy["summary"].as_str().unwrap().to_owned(), remedy["verified"].as_bool().unwrap()))
        .collect()
}

/// The partners of torch 2.9.0+cu130 in the recorded pods were built for another torch and another CUDA.
const PARTNERS: [&str; 5] = [
    "fail pairing/torchaudio",
    "fail pairing/xformers",
    "fail requirement/torchaudio/torch",
    "fail requirement/xformers/torch",
    "fail requirement/torch/triton",
];

fn with_partners(first: &[&str]) -> Vec<String> {
    first.iter().chain(&PARTNERS).map(|id| (*id).to_owned()).collect()
}

#[test]
fn rtx5090_with_cu126_lacks_kernels_and_a_module() {
    let report = report("rtx5090-cu126");
    assert_eq!(report["schema"], "gpudoc.report/1");
    assert_eq!(report["verdict"], "fail");
    assert_eq!(ids(&report), ["fail gpu-arch/torch", "fail gpu-arch/bitsandbytes", "fail GPUDOC-2026-0001"]);
    for id in ["gpu-arch/torch", "gpu-arch/bitsandbytes", "GPUDOC-2026-0001"] {
        let remedy = &finding(&report, id)["remedies"][0];
        assert_eq!(remedy["verified"], true, "{id}");
        assert!(
            remedy["requirements"].as_array().unwrap().contains(&"torch==2.7.1+cu128".into()),
            "not another release"
        );
    }
    let torch = finding(&report, "gpu-arch/torch");
    assert_eq!(torch["gpus"], serde_json::json!([0]));
    assert!(
        torch["evidence"][0]["citation"]
            .as_str()
            .unwrap()
            .starts_with("torch-2.7.1-cp311-cp311-manylinux_2_28_x86_64.whl")
    );
}

#[test]
fn the_remedy_applied_passes() {
    let report = report("rtx5090-cu128");
    assert_eq!((report["verdict"].as_str(), ids(&report)), (Some("pass"), Vec::new()));
}

#[test]
fn h100_on_570_needs_a_driver_or_compat_for_cu130() {
    let report = report("h100-570-cu130");
    assert_eq!(ids(&report), with_partners(&["fail driver/torch"]));
    assert_eq!(
        remedies(finding(&report, "driver/torch")),
        [
            (
                "Have the host's driver updated to 580.65.06 or newer (on a rented pod: ask the provider, or choose a host that \
                 has it): the container takes the host's"
                    .to_owned(),
                true,
            ),
            ("Keep the driver and put cuda-compat-13-0 first on the loader's path".to_owned(), true),
            (
                "Install torch 2.9.0+cu128, torchaudio 2.9.0+cu128, triton 3.5.0 and xformers 0.0.33.post1".to_owned(),
                true,
            ),
        ]
    );
}

#[test]
fn compat_in_front_satisfies_the_driver_and_hides_nothing_else() {
    let report = report("h100-570-cu130-compat");
    assert_eq!(ids(&report), with_partners(&[]));
    let status = status(&report);
    assert_eq!((status["driver"].as_str(), status["forward-compat"].as_str()), ("pass", "pass"));
}

#[test]
fn geforce_is_never_offered_compat() {
    let report_without = report("rtx4090-570-cu130");
    assert_eq!(ids(&report_without), with_partners(&["fail driver/torch"]));
    let offers = remedies(finding(&report_without, "driver/torch"));
    assert!(offers.iter().all(|(summary, _)| !summary.contains("compat")), "{offers:?}");
    let report_with = report("rtx4090-570-cu130-compat");
    assert_eq!(ids(&report_with), with_partners(&["fail forward-compat/gpu"]));
    assert!(finding(&report_with, "forward-compat/gpu")["message"].as_str().unwrap().contains("804"));
}

#[test]
fn compat_older_than_the_driver_breaks_it() {
    let report = report("h100-580-cu130-compat");
    assert_eq!(ids(&report), with_partners(&["fail forward-compat/older-than-driver"]));
    let finding = finding(&report, "forward-compat/older-than-driver");
    assert!(finding["message"].as_str().unwrap().contains("803"));
    let offer = ("Take `/usr/local/cuda-13.0/compat` out of LD_LIBRARY_PATH".to_owned(), true);
    assert_eq!(remedies(finding)[0], offer);
}

#[test]
fn odd_hosts_get_a_sensible_report() {
    let expected: [(&str, &str, &[&str]); 5] = [
        ("no-gpu", "pass", &[]),
        ("cpu-torch-on-gpu", "fail", &["fail cpu-build/torch"]),
        ("two-torches", "warn", &["warn pairing/two-torch"]),
        ("empty-venv", "pass", &[]),
        (
            "broken-metadata",
            "fail",
            &[
                "fail environment/torch/leftover",
                "warn requirement/empty/metadata",
                "warn requirement/nometadata/metadata",
                "warn requirement/noversion/metadata",
            ],
        ),
    ];
    for (name, verdict, findings) in expected {
        let report = report(name);
        assert_eq!(
            (report["verdict"].as_str().unwrap(), ids(&report)),
            (verdict, findings.iter().map(|id| (*id).to_owned()).collect()),
            "{name}"
        );
    }
}

#[test]
fn exit_codes_are_the_contract() {
    let root = |name| host(name).to_str().unwrap().to_owned();
    let code = |arguments: &[&str]| gpudoc(arguments).status.code().unwrap();
    assert_eq!(code(&["check", "--root", &root("rtx5090-cu128")]), 0);
    assert_eq!(code(&["check", "--root", &root("rtx5090-cu126")]), 1);
    assert_eq!(code(&["check", "--root", &root("two-torches")]), 0, "warnings are allowed");
    assert_eq!(code(&["check", "--root", &root("two-torches"), "--strict"]), 1);
    assert_eq!(code(&["check", "--root", &root("no-gpu")]), 0);
    assert_eq!(code(&["check", "--root", &root("no-gpu"), "--require", "gpu"]), 1);
    assert_eq!(code(&["check", "--root", "/no/such/folder"]), 2);
    assert_eq!(code(&["check", "--python", "/no/such/venv"]), 2);
    assert_eq!(code(&["check", "--from", "/no/such/file"]), 2);
    assert_eq!(code(&["check", "--no-such-flag"]), 2);
}

#[test]
fn a_snapshot_gives_the_verdict_of_the_host() {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(host("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let file = folder.path().join(format!("{name}.json"));
        let file = file.to_str().unwrap();
        let root = host(&name);
        assert!(gpudoc(&["probe", "--root", root.to_str().unwrap(), "-o", file]).status.success());
        let output = gpudoc(&["check", "--from", file, "--format", "json"]);
        let again: Value = serde_json::from_slice(&output.stdout).unwrap();
        let first = report(&name);
        assert_eq!((&again["verdict"], &again["findings"]), (&first["verdict"], &first["findings"]), "{name}");
    }
}

#[test]
fn reports_fit_a_terminal_and_a_pipe_has_no_colour() {
    for name in ["rtx5090-cu126", "h100-580-cu130-compat", "two-torches", "no-gpu"] {
        let output = gpudoc(&["check", "--root", host(name).to_str().unwrap()]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains('\u{1b}'), "{name}");
        let long: Vec<_> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{name}: {long:#?}");
    }
    let output = gpudoc(&["--color", "always", "check", "--root", host("no-gpu").to_str().unwrap()]);
    assert!(output.stdout.contains(&0x1b));
}
