//! What `gpudoc check` shows: is it short enough for a screen, does it end with what to do, and does it never say two things?

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use serde_json::Value;

fn check(input: &[String], more: &[&str]) -> (String, Option<i32>) {
    let run = Command::new(env!("CARGO_BIN_EXE_gpudoc"))
        .arg("check")
        .args(input)
        .args(more)
        .env("SOURCE_DATE_EPOCH", "1795219200")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    (String::from_utf8(run.stdout).unwrap(), run.status.code())
}

/// Every host, snapshot and report that is recorded, as arguments.
fn inputs() -> Vec<Vec<String>> {
    let listed = |folder: &str, extension: &str| -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = paths.filter(|path| path.extension().unwrap_or_default() == extension).collect();
        paths.sort();
        paths
    };
    let told = [("--root", "hosts", ""), ("--from", "snapshots", "json"), ("--from", "reports", "txt")];
    let of = |(option, folder, extension): &(&str, &str, &str)| -> Vec<Vec<String>> {
        let paths = listed(folder, extension).into_iter();
        paths.map(|path| vec![(*option).to_owned(), path.to_str().unwrap().to_owned()]).collect()
    };
    told.iter().flat_map(of).collect()
}

fn host(name: &str) -> Vec<String> {
    vec!["--root".to_owned(), format!("fixtures/hosts/{name}")]
}

/// What stands at the end of a screen: the label of each thing to do, with its words and commands, in lines as one would copy them.
fn to_do(screen: &str) -> Vec<String> {
    let labels = ["plan  ", "fix   ", "first ", "then  ", "left  ", "also  "];
    let mut items: Vec<String> = Vec::new();
    for line in screen.lines() {
        if labels.iter().any(|label| line.starts_with(label)) {
            items.push(line.to_owned());
        } else if let (Some(item), true) = (items.last_mut(), line.starts_with("      ")) {
            item.push(if item.ends_with('\\') { ' ' } else { '\n' });
            item.push_str(line);
        } else if !items.is_empty() {
            break;
        }
    }
    items
}

/// `torch==2.7.1`, `numpy<2`: names with the ranges that a text states of them.
fn ranges(text: &str) -> Vec<(String, String)> {
    let words = text.split_whitespace().map(|word| word.trim_matches(['"', '\'', '`', ',', '(', ')', ':']));
    let parted = words.filter_map(|word| {
        let at = word.find(['=', '<', '>', '~', '!'])?;
        let (name, range) = word.split_at(at);
        VersionSpecifiers::from_str(range).ok()?;
        (!name.is_empty() && !name.starts_with('-')).then(|| (name.to_lowercase().replace('_', "-"), range.to_owned()))
    });
    parted.collect()
}

#[test]
fn a_screen_is_short_and_ends_with_what_to_do() {
    let mut wrong = Vec::new();
    for input in inputs() {
        let (screen, _) = check(&input, &[]);
        let (json, code) = check(&input, &["--format", "json"]);
        let report: Value = serde_json::from_str(&json).unwrap();
        let causes = report["causes"].as_array().unwrap().len();
        let lines = screen.lines().count();
        if lines > if causes <= 1 { 24 } else { 60 } {
            wrong.push(format!("{input:?}: {lines} lines for {causes} causes"));
        }
        wrong.extend(screen.lines().filter(|line| line.chars().count() > 80).map(|line| format!("{input:?}: {line}")));
        if code == Some(1) && to_do(&screen).is_empty() {
            wrong.push(format!("{input:?} fails, and nothing is to be done:\n{screen}"));
        }
        let told: usize =
            report["causes"].as_array().unwrap().iter().map(|it| it["findings"].as_array().unwrap().len()).sum();
        let serious = report["findings"].as_array().unwrap().iter().filter(|it| it["severity"] != "info").count();
        assert_eq!(told, serious, "{input:?}: each finding is of one cause");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_report_tells_to_do_is_consistent() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for input in inputs() {
        let (screen, _) = check(&input, &[]);
        let items = to_do(&screen);
        seen += items.len();
        let (mut pins, mut gone) = (BTreeMap::<String, BTreeSet<Version>>::new(), BTreeSet::new());
        for item in &items {
            for (name, range) in ranges(item) {
                if let Some(version) = range.strip_prefix("==").and_then(|version| Version::from_str(version).ok()) {
                    pins.entry(name).or_default().insert(version.without_local());
                }
            }
            let lines: Vec<&str> = item.lines().collect();
            for (at, line) in lines.iter().enumerate() {
                let Some((_, names)) = line.split_once(" uninstall ") else { continue };
                // A build that is exchanged for another of its release goes first, and comes in the next command.
                let comes = |name: &str| lines[at..].iter().any(|line| line.contains(&format!("{name}==")));
                let names = names.split_whitespace().filter(|word| !word.starts_with('-'));
                gone.extend(names.filter(|name| !comes(name)).map(str::to_owned));
            }
        }
        wrong.extend(
            pins.iter().filter(|(_, all)| all.len() > 1).map(|(name, all)| format!("{input:?}: {name} {all:?}")),
        );
        wrong.extend(
            gone.iter().filter(|name| pins.contains_key(*name)).map(|name| format!("{input:?}: {name} goes and comes")),
        );
        for (name, range) in items.iter().flat_map(|item| ranges(item)) {
            let range = VersionSpecifiers::from_str(&range).unwrap();
            let against =
                |version: &&Version| !range.contains(version) && range.iter().all(|it| it.version().local().is_empty());
            wrong.extend(
                pins.get(&name)
                    .into_iter()
                    .flatten()
                    .filter(against)
                    .map(|it| format!("{input:?}: {name} {range}, {it}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 20, "{seen} things to do");
}

#[test]
fn the_screen_of_a_pod_whose_builds_are_older_than_its_gpu() {
    let (screen, code) = check(&host("rtx5090-cu126"), &[]);
    insta::assert_snapshot!(screen, @r"
    host  Ubuntu 22.04.5 LTS (docker), driver 570.133.20, NVIDIA GeForce RTX 5090
          (12.0)
    env   Python 3.11.9 in /workspace/venv, torch 2.7.1+cu126, triton 3.3.1,
          bitsandbytes 0.45.0

    fail  torch 2.7.1+cu126 and bitsandbytes 0.45.0 are not built for GPU 0 NVIDIA
          GeForce RTX 5090 (12.0)
          CUDA reports `no kernel image is available for execution on the device`
          (error 209).
    fail  bitsandbytes before 0.45.1 imports `triton.ops`, which triton 3.2 no
          longer has
          `import bitsandbytes` imports `bitsandbytes.nn`, whose Triton kernels
          import `triton.ops.matmul_perf_model` whenever a module named `triton` can
          be found.

    plan  Move the stack to CUDA 12.8: install bitsandbytes 0.45.5 and torch
          2.7.1+cu128 (re-checked)
            /workspace/venv/bin/python3 -m pip install bitsandbytes==0.45.5 \
              torch==2.7.1+cu128 --extra-index-url \
              https://download.pytorch.org/whl/cu128

    fail  2 failures, 7 checks passed (details: --verbose)
    ");
    assert_eq!(code, Some(1));
}

#[test]
fn the_screen_of_a_sound_machine() {
    let (screen, code) = check(&host("rtx5090-cu128"), &[]);
    insta::assert_snapshot!(screen, @"
    host  Ubuntu 22.04.5 LTS (docker), driver 570.133.20, NVIDIA GeForce RTX 5090
          (12.0)
    env   Python 3.11.9 in /workspace/venv, torch 2.7.1+cu128, triton 3.3.1,
          bitsandbytes 0.50.2

    pass  nothing wrong found in torch 2.7.1+cu128, driver 570.133.20 and 1 GPU (9
          checks)
    ");
    assert_eq!(code, Some(0));
    assert_eq!(check(&host("rtx5090-cu128"), &["--quiet"]).0, "");
}

#[test]
fn all_that_a_finding_rests_on_is_told_when_asked() {
    let (whole, _) = check(&host("rtx5090-cu126"), &["--verbose"]);
    for part in
        ["[gpu-arch/torch]", "needed: sm_120", "torch-2.7.1-cp311-cp311-manylinux_2_28_x86_64.whl", "see https://"]
    {
        assert!(whole.contains(part), "{part} is not in\n{whole}");
    }
    let (line, code) = check(&host("rtx5090-cu126"), &["--quiet"]);
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.starts_with("fail  2 failures, "), "{line}");
    assert_eq!(code, Some(1));
}
