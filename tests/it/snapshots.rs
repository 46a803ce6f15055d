//! Is a machine that was recorded judged as it was on the day, on itself?
//!
//! `tests/bench/device.sh` records: beside each snapshot lie the verdict and the findings of the machine. Advisories are left
//! out, since more of them are written every week.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn the_verdict_on_a_snapshot_is_the_verdict_on_its_machine() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/snapshots");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let recorded = entry.unwrap().path();
        if recorded.extension().is_none_or(|extension| extension != "findings") {
            continue;
        }
        seen += 1;
        let output = Command::new(env!("CARGO_BIN_EXE_gpudoc"))
            .args(["check", "--format", "json", "--from"])
            .arg(recorded.with_extension("json"))
            .env("GPUDOC_DATA", folder.join("no-data"))
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let told = findings
            .map(|finding| format!("{} {}", finding["severity"].as_str().unwrap(), finding["id"].as_str().unwrap()));
        let told = told.filter(|line| !line.contains(" GPUDOC-"));
        let mut lines = vec![report["verdict"].as_str().unwrap().to_owned()];
        lines.extend(told);
        let wanted = std::fs::read_to_string(&recorded).unwrap();
        assert_eq!(lines, wanted.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>(), "{}", recorded.display());
    }
    assert!(seen >= 3, "{seen} machines are recorded");
}
