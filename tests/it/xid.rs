//! Xid errors of the kernel's log, from the line to the verdict.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use gpudoc::facts::redact::{Identity, redact};
use gpudoc::facts::{Facts, Origin, Reading, Xid};
use serde_json::Value;

const PASTED: &str = "\
$ sudo dmesg | grep NVRM
[ 12.5] NVRM: Xid (PCI:0000:C1:00): 31, pid=77, name=python3, Ch 00000010, intr 10000000. MMU Fault
[ 34.5] NVRM: Xid (PCI:0000:C1:00): 79, pid=77, name=python3, GPU has fallen off the bus.
[ 34.9] NVRM: Xid (PCI:0000:C2:00): 79, pid=77, name=python3, GPU has fallen off the bus.
NVMLError_GpuIsLost: GPU is lost
";

fn gpudoc(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gpudoc")).args(arguments).output().unwrap()
}

fn check_file(path: &Path) -> Value {
    let output = gpudoc(&["check", "--from", path.to_str().unwrap(), "--format", "json"]);
    serde_json::from_slice(&output.stdout).unwrap()
}

fn findings(report: &Value) -> Vec<(&str, &str)> {
    let rows = report["findings"].as_array().unwrap().iter();
    rows.map(|row| (row["severity"].as_str().unwrap(), row["id"].as_str().unwrap())).collect()
}

#[test]
fn a_pasted_log_is_judged_and_explains_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.txt");
    fs::write(&path, PASTED).unwrap();
    let report = check_file(&path);
    assert_eq!(report["verdict"], "fail");
    assert_eq!(findings(&report), [("fail", "system/xid-79"), ("info", "system/xid-31")]);
    let lost = &report["findings"][0];
    assert_eq!(lost["title"], "the kernel's log has Xid 79 on 2 GPUs, 2 times: a GPU fell off the bus");
    // "GPU is lost" is explained by it, and is no finding of its own.
    assert!(lost["evidence"].as_array().unwrap().iter().any(|row| row["fact"] == "error message"), "{lost}");
}

#[test]
fn a_snapshot_keeps_the_numbers_and_the_verdict() {
    let mut facts = Facts::unknown(Origin::Host);
    let last = "Timeout after 6s of waiting for RPC response from GPU1 GSP! by /home/ada/run.py".to_owned();
    facts.system.xid = Reading::host(vec![Xid { number: 119, count: 2, gpus: 1, last }], "/dev/kmsg");
    let redacted = redact(&facts, &Identity::default());
    let text = serde_json::to_string(&redacted).unwrap();
    assert!(!text.contains("ada") && text.contains("GSP"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one.json"), folder.path().join("other.json"));
    fs::write(&one, text).unwrap();
    fs::write(&other, serde_json::to_string(&Facts::unknown(Origin::Host)).unwrap()).unwrap();
    assert_eq!(findings(&check_file(&one)), [("warn", "system/xid-119")]);
    let output = gpudoc(&["diff", other.to_str().unwrap(), one.to_str().unwrap()]);
    let diff = String::from_utf8(output.stdout).unwrap();
    let line = diff.lines().find(|line| line.contains("Xid errors")).unwrap();
    assert!(line.contains("119"), "{diff}");
}

#[test]
fn a_number_is_explained_from_the_same_row() {
    let told = |text: &str| String::from_utf8(gpudoc(&["explain", text]).stdout).unwrap();
    let by_number = told("Xid 79");
    assert!(by_number.starts_with("Xid 79: a GPU fell off the bus\n"), "{by_number}");
    assert!(by_number.contains("sudo reboot") && by_number.contains("docs.nvidia.com/deploy/xid-errors/"));
    for same in ["system/xid-79", "NVRM: Xid (PCI:0000:C1:00): 79, pid=77, name=python3, GPU has fallen off the bus."] {
        assert_eq!(told(same), by_number);
    }
}
