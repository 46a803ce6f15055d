//! Does taking a fact away ever make a verdict better? And does a pass name what it rests on?

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use gpudoc::check::{self, Verdict};
use gpudoc::commands::host::{HostArgs, probe};
use gpudoc::facts::{Facts, Origin, Reading};
use gpudoc::finding::{Finding, Severity};
use gpudoc::rules::symptom::Heard;
use gpudoc::rules::{RuleDb, Workload, embedded, target::complete_gpus};
use gpudoc::session::paste as input;
use gpudoc::version::DriverVersion;
use serde_json::Value;

fn listed(below: &str, end: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(below);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().map_or("", |end| end.to_str().unwrap()) == end).collect();
    paths.sort();
    paths
}

fn snapshot(name: &str) -> Facts {
    let path = listed("snapshots", "json").into_iter().find(|path| path.file_stem().unwrap() == name).unwrap();
    let mut facts: Facts = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    complete_gpus(&mut facts, embedded());
    facts
}

/// A machine on which all is well: the recorded one, but for a NumPy that its numba-cuda still runs with.
fn sound() -> Facts {
    let mut facts = snapshot("h100-sound");
    let numpy = facts.distributions.iter_mut().find(|one| one.name == "numpy").unwrap();
    numpy.version = Reading::metadata("2.4.6".to_owned(), "the test");
    facts
}

/// A machine or report by its name, as `check` sees it, and the messages in it.
type Case<'db> = (String, Facts, Heard<'db>);

fn recorded(db: &RuleDb) -> Vec<Case<'_>> {
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut cases = Vec::new();
    for path in listed("hosts", "") {
        let mut facts = probe(&HostArgs { root: Some(path.clone()), ..HostArgs::default() }).unwrap();
        complete_gpus(&mut facts, db);
        cases.push((name(&path), facts, Heard::default()));
    }
    for path in listed("snapshots", "json") {
        cases.push((name(&path), snapshot(&name(&path)), Heard::default()));
    }
    for path in listed("reports", "txt") {
        let input = input::paste(&std::fs::read_to_string(&path).unwrap(), db);
        cases.push((name(&path), input.facts, input.told.unwrap().heard));
    }
    cases
}

/// A sound machine with one thing wrong each: what is taken away there hides the only finding.
fn planted() -> Vec<Case<'static>> {
    type Fault = (&'static str, fn(&mut Facts));
    let faults: [Fault; 8] = [
        ("an old driver", |facts| facts.driver.version = Reading::host("550.54.15".parse().unwrap(), "the test")),
        ("another GPU", |facts| {
            let Reading::Known { value, .. } = &mut facts.gpus else { panic!("no GPUs") };
            value[0].compute_capability = Reading::host("3.7".parse().unwrap(), "the test");
        }),
        ("an old glibc", |facts| facts.system.glibc = Reading::host("2.17".parse().unwrap(), "the test")),
        ("another Python", |facts| {
            let Reading::Known { value, .. } = &mut facts.python else { panic!("no Python") };
            value.version = Reading::host("3.8.1".parse().unwrap(), "the test");
        }),
        ("a libcuda of another version", |facts| {
            let Reading::Known { value, .. } = &mut facts.loader.libcuda else { panic!("no libcuda") };
            value.version = Reading::host("535.54.03".parse().unwrap(), "the test");
        }),
        ("another triton", |facts| {
            let triton = facts.distributions.iter_mut().find(|one| one.name == "triton").unwrap();
            triton.version = Reading::metadata("2.0.0".to_owned(), "the test");
        }),
        ("a library that is gone", |facts| {
            let torch = facts.distributions.iter_mut().find(|one| one.name == "torch").unwrap();
            let Reading::Known { value, .. } = &mut torch.libraries else { panic!("no libraries") };
            let mut links = value.iter_mut().flat_map(|library| &mut library.links);
            links.find(|link| link.soname.starts_with("libcudnn.so")).unwrap().path = None;
        }),
        ("a build for the CPU", |facts| {
            let torch = facts.distributions.iter_mut().find(|one| one.name == "torch").unwrap();
            torch.build.cuda = Reading::absent("the test");
        }),
    ];
    let plant = |(name, fault): &Fault| {
        let mut facts = sound();
        fault(&mut facts);
        ((*name).to_owned(), facts, Heard::default())
    };
    faults.iter().map(plant).collect()
}

fn judged(facts: &Facts, heard: &Heard<'_>, db: &RuleDb) -> (Verdict, Vec<Finding>) {
    let checked = check::run_with(facts, db, &Workload::default(), heard);
    let findings = check::findings(&checked);
    (check::verdict(facts, &checked, &findings), findings)
}

/// A known fact becomes one that nobody looked for, and one that could not be read.
fn taken<T>(
    name: &str,
    get: impl Fn(&mut Facts) -> Option<&mut Reading<T>>,
    facts: &Facts,
    into: &mut Vec<(String, Facts)>,
) {
    // In turn, since each run of the checks takes its time.
    let (open, how) = match into.len() % 2 {
        0 => (Reading::Unknown, "unknown"),
        _ => (Reading::unreadable("on purpose"), "unreadable"),
    };
    let mut without = facts.clone();
    let Some(reading) = get(&mut without).filter(|reading| reading.value().is_some()) else { return };
    *reading = open;
    into.push((format!("{name} {how}"), without));
}

fn version_of_libcuda(facts: &mut Facts) -> Option<&mut Reading<DriverVersion>> {
    match &mut facts.loader.libcuda {
        Reading::Known { value, .. } => Some(&mut value.version),
        _ => None,
    }
}

/// The facts with one of them taken away each; of distributions those that a finding is about.
fn without_one(facts: &Facts, findings: &[Finding]) -> Vec<(String, Facts)> {
    let mut all = Vec::new();
    taken("driver", |facts| Some(&mut facts.driver.version), facts, &mut all);
    taken("gpus", |facts| Some(&mut facts.gpus), facts, &mut all);
    taken("glibc", |facts| Some(&mut facts.system.glibc), facts, &mut all);
    taken("libcuda", |facts| Some(&mut facts.loader.libcuda), facts, &mut all);
    taken("version of libcuda", version_of_libcuda, facts, &mut all);
    taken("python", |facts| Some(&mut facts.python), facts, &mut all);
    if facts.python.value().is_some_and(|python| python.version.value().is_some()) {
        let mut without = facts.clone();
        if let Reading::Known { value, .. } = &mut without.python {
            value.version = Reading::Unknown;
        }
        all.push(("Python version unknown".to_owned(), without));
    }
    for at in 0..facts.gpus.value().map_or(0, Vec::len) {
        let mut without = facts.clone();
        if let Reading::Known { value, .. } = &mut without.gpus {
            value[at].compute_capability = Reading::Unknown;
        }
        all.push((format!("capability of GPU {at} unknown"), without));
    }
    // Of a finding about many packages a few will do.
    let named: BTreeSet<&str> =
        findings.iter().flat_map(|finding| finding.packages.iter().rev().take(2)).map(String::as_str).collect();
    let all_named = facts.distributions.iter().enumerate().filter(|(_, one)| named.contains(one.name.as_str()));
    for (at, distribution) in all_named {
        let name = &distribution.name;
        let of = |what: &str| format!("{what} of {name}");
        taken(&of("version"), |facts| Some(&mut facts.distributions.get_mut(at)?.version), facts, &mut all);
        taken(&of("metadata"), |facts| Some(&mut facts.distributions.get_mut(at)?.metadata), facts, &mut all);
        taken(&of("libraries"), |facts| Some(&mut facts.distributions.get_mut(at)?.libraries), facts, &mut all);
        taken(&of("CUDA"), |facts| Some(&mut facts.distributions.get_mut(at)?.build.cuda), facts, &mut all);
    }
    all
}

#[test]
fn a_fact_taken_away_never_gives_a_pass() {
    let db = embedded();
    let (mut tried, mut wrong) = (0, Vec::new());
    for (name, facts, heard) in recorded(db).into_iter().chain(planted()) {
        let (before, findings) = judged(&facts, &heard, db);
        if matches!(before, Verdict::Pass(_)) {
            continue;
        }
        for (what, without) in without_one(&facts, &findings) {
            tried += 1;
            if let (Verdict::Pass(looked), _) = judged(&without, &heard, db) {
                wrong.push(format!("{name}, {}: {what}: {}", before.name(), looked.in_words()));
            }
        }
    }
    assert!(wrong.is_empty(), "of {tried}:\n{}", wrong.join("\n"));
    assert!(tried > 200, "{tried}");
}

/// Where the known facts of a snapshot stand, as JSON pointers.
fn known(value: &Value, at: &str, into: &mut Vec<String>) {
    if value["state"] == "known" {
        into.push(at.to_owned());
        return known(&value["value"], &format!("{at}/value"), into);
    }
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| known(value, &format!("{at}/{name}"), into)),
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(index, value)| known(value, &format!("{at}/{index}"), into));
        }
        _ => {}
    }
}

/// `/gpus/value/*/name` of `/gpus/value/0/name`.
fn kind_of(place: &str) -> String {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = place.split('/').map(|part| if is_number(part) { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Each kind of fact that a snapshot can hold, where it first stands: on a machine with something wrong, and in the next such case
/// that has it. There it becomes one that nobody looked for, and one that could not be read.
#[test]
fn no_kind_of_fact_taken_away_gives_a_pass() {
    let db = embedded();
    let mut tried: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, facts, heard) in recorded(db).into_iter().chain(planted()) {
        let document = serde_json::to_value(&facts).unwrap();
        let mut places = Vec::new();
        known(&document, "", &mut places);
        let mut here = BTreeSet::new();
        places.retain(|place| {
            let kind = kind_of(place);
            tried.get(&kind).is_none_or(|times| *times < 2) && here.insert(kind)
        });
        if places.is_empty() {
            continue;
        }
        let (before, _) = judged(&facts, &heard, db);
        if matches!(before, Verdict::Pass(_)) {
            continue;
        }
        for place in places {
            let times = tried.entry(kind_of(&place)).or_default();
            let open = match *times {
                0 => serde_json::json!({"state": "unknown"}),
                _ => serde_json::json!({"state": "unreadable", "error": "on purpose"}),
            };
            *times += 1;
            let mut without = document.clone();
            *without.pointer_mut(&place).unwrap() = open.clone();
            let without: Facts = serde_json::from_value(without).unwrap();
            if let (Verdict::Pass(looked), _) = judged(&without, &heard, db) {
                wrong.push(format!("{name}, {}: {place} {}: {}", before.name(), open["state"], looked.in_words()));
            }
        }
    }
    assert!(wrong.is_empty(), "of {}:\n{}", tried.len(), wrong.join("\n"));
    assert!(tried.len() > 30, "{tried:?}");
}

#[test]
fn what_is_planted_is_found_and_the_machine_without_it_passes() {
    let db = embedded();
    let (verdict, _) = judged(&sound(), &Heard::default(), db);
    let Verdict::Pass(looked) = verdict else { panic!("{verdict:?}") };
    insta::assert_snapshot!(looked.in_words(), @"torch 2.11.0+cu130, driver 580.159.04 and 1 GPU (13 checks)");
    for (name, facts, heard) in planted() {
        let (verdict, findings) = judged(&facts, &heard, db);
        assert_eq!(verdict, Verdict::Fail, "{name}: {findings:#?}");
    }
}

fn gpudoc(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gpudoc"))
        .args(arguments)
        .env("SOURCE_DATE_EPOCH", "1795219200") // 2026-11-21
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn where_nothing_is_recognised_there_is_no_report() {
    let (code, out, err) = gpudoc(&["check", "--from", "-"], "x\n");
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("nothing was recognised in standard input"), "{err}");
    let (code, out, err) = gpudoc(&["check", "--from", "-", "--format", "json"], "");
    assert_eq!(code, Some(2), "{err}");
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        document["error"].as_str().unwrap().split(':').next().unwrap(),
        "nothing was recognised in standard input"
    );
    let keys: Vec<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["schema", "verdict", "findings", "error"]);
    assert_eq!((document["schema"].as_str(), document["verdict"].as_str()), (Some("gpudoc.report/1"), Some("unknown")));
}

#[test]
fn what_is_not_there_is_named_and_is_no_report() {
    for arguments in
        [["check", "--from", "/no/such/file"], ["check", "--root", "/no/such/file"], ["check", "--from", "/"]]
    {
        let (code, out, err) = gpudoc(&arguments, "");
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(arguments[2]), "{err}");
        let (code, out, _) = gpudoc(&[&arguments[..], &["--format", "json"]].concat(), "");
        let document: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, document["verdict"].as_str()), (Some(2), Some("unknown")));
    }
    let (code, out, err) = gpudoc(&["lint", "/no/such/requirements.txt"], "");
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("/no/such/requirements.txt"), "{err}");
    let (code, out, err) = gpudoc(&["lint", "Cargo.lock"], "");
    assert_eq!(code, Some(0));
    assert!(err.contains("`Cargo.lock` is no file that gpudoc lint knows"), "{err}");
    assert_eq!(out, "nothing was judged: there is no file that gpudoc lint knows\n");
}

#[test]
fn too_little_for_a_verdict_is_no_pass() {
    let text = "torch==2.8.0\n";
    let verdict = |arguments: &[&str]| {
        let (code, out, _) = gpudoc(&[&["check", "--from", "-"], arguments].concat(), text);
        (code, out.lines().find(|line| line.starts_with("unknown")).map(str::to_owned))
    };
    let line = "unknown  this text says too little to tell";
    assert_eq!(verdict(&[]), (Some(0), Some(line.to_owned())));
    assert_eq!(verdict(&["--strict"]).0, Some(1));
    assert_eq!(verdict(&["--require", "gpu"]).0, Some(1));
}

#[test]
fn old_rules_are_told_of_and_refused_where_somebody_asks() {
    let root = listed("hosts", "").into_iter().find(|path| path.ends_with("rtx5090-cu128")).unwrap();
    let run = |day: &str, arguments: &[&str]| {
        let arguments = [&["check", "--root", root.to_str().unwrap()], arguments].concat();
        let out = Command::new(env!("CARGO_BIN_EXE_gpudoc"))
            .args(arguments)
            .env("SOURCE_DATE_EPOCH", day)
            .env("GPUDOC_DATA", root.join("no-data"))
            .output()
            .unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    let years_later = "1893456000"; // 2030-01-01
    let (code, out) = run(years_later, &[]);
    assert_eq!(code, Some(0));
    assert!(out.trim_end().lines().last().unwrap().starts_with("warning: the rules are "), "{out}");
    let (code, out) = run(years_later, &["--max-rules-age", "30"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("`--max-rules-age 30`: the newest row is of 2026-"), "{out}");
    let (code, out) = run("1795219200", &["--max-rules-age", "30"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(!out.contains("days old"), "{out}");
}

/// A report or machine of another vendor's stack is said to be not judged.
#[test]
fn another_vendors_stack_is_not_judged() {
    for (text, name) in [
        (
            "PyTorch version: 2.7.1+rocm6.3\nIs debug build: False\nCUDA used to build PyTorch: N/A\nROCM used to build PyTorch: 6.3.42131\nIs CUDA available: True\n\n[pip3] torch==2.7.1+rocm6.3\n[pip3] torchvision==0.22.1+rocm6.3\n",
            "AMD ROCm",
        ),
        (
            "PyTorch version: 2.8.0+xpu\nCUDA used to build PyTorch: None\nIs CUDA available: False\nOS: Ubuntu 24.04\n[pip3] torch==2.8.0+xpu\n",
            "Intel XPU",
        ),
    ] {
        let (code, out, _) = gpudoc(&["check", "--from", "-", "--format", "json"], text);
        let report: Value = serde_json::from_str(&out).unwrap();
        let ids: Vec<&str> =
            report["findings"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap()).collect();
        assert_eq!(
            (code, report["verdict"].as_str(), ids),
            (Some(0), Some("unknown"), vec!["system/vendor"]),
            "{name}"
        );
        assert!(report["findings"][0]["title"].as_str().unwrap().contains(name), "{out}");
    }
}

#[test]
fn a_python_without_torch_says_so() {
    let root = listed("hosts", "").into_iter().find(|path| path.ends_with("empty-venv")).unwrap();
    let (code, out, _) = gpudoc(&["check", "--root", root.to_str().unwrap()], "");
    assert_eq!(code, Some(0));
    assert!(out.contains("env   Python ") && out.contains(", no torch\n"), "{out}");
    assert!(out.contains("info  no torch in /workspace/venv; is it the right environment?"), "{out}");
    assert!(
        out.contains("pass  nothing wrong found in a Python without torch, driver 570.133.20 and 1 GPU\n"),
        "{out}"
    );
}

/// Requirements of a build are known by its row where its metadata was not read, and others are judged all the same.
#[test]
fn metadata_that_nobody_read_is_replaced_by_the_row() {
    let db = embedded();
    let mut facts = sound();
    let torch = facts.distributions.iter_mut().find(|one| one.name == "torch").unwrap();
    torch.metadata = Reading::Unknown;
    let (verdict, _) = judged(&facts, &Heard::default(), db);
    assert_eq!(verdict, Verdict::Unknown, "the file may say something else");
    let triton = facts.distributions.iter_mut().find(|one| one.name == "triton").unwrap();
    triton.version = Reading::metadata("2.0.0".to_owned(), "the test");
    let (_, findings) = judged(&facts, &Heard::default(), db);
    let finding = findings.iter().find(|finding| finding.id.to_string() == "requirement/torch/triton").unwrap();
    assert_eq!(finding.severity, Severity::Fail);
    assert_eq!(finding.evidence[0].source, gpudoc::finding::Basis::Rule);
    assert_eq!(facts.origin, Origin::Host);
}
