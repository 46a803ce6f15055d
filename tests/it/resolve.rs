//! `gpudoc resolve` on the rules that the program ships.

use std::process::{Command, Output};

use super::package_index::{Reply, Server};

fn resolve(args: &[&str]) -> Output {
    let common = ["resolve", "--platform", "linux_x86_64", "--glibc", "2.35"];
    Command::new(env!("CARGO_BIN_EXE_gpudoc")).args(common).args(args).output().expect("gpudoc runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn torch_2_6_with_triton_2_is_refused_with_the_pin() {
    let output = resolve(&["torch==2.6.0", "triton<3", "--python", "3.11", "--gpu", "RTX 3090"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("torch 2.6.0 needs `triton==3.2.0`"), "{text}");
    assert!(text.contains("`triton<3` → `triton>=3.2.0`"), "{text}");
}

#[test]
fn bitsandbytes_0_45_0_on_an_rtx_5090_is_refused_and_named() {
    let args = ["torch>=2.6,<2.8", "torchvision", "bitsandbytes==0.45.0", "--gpu", "RTX 5090", "--python", "3.11"];
    let output = resolve(&args);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("relax `bitsandbytes==0.45.0` → `bitsandbytes>=0.45.3`"), "{text}");
    assert!(text.contains("torch==2.7.1+cu128"), "{text}");
    assert!(text.lines().count() <= 20, "{text}");
}

#[test]
fn the_same_request_in_any_order_gives_the_same_bytes() {
    let options = ["--gpu", "RTX 5090", "--driver", "570.133.20", "--python", "3.12"];
    let ask = |lines: [&str; 4]| stdout(&resolve(&[&lines[..], &options[..]].concat()));
    let first = ask(["torch", "torchvision", "bitsandbytes", "xformers"]);
    assert!(first.contains("--extra-index-url https://download.pytorch.org/whl/cu129"), "{first}");
    for _ in 0..5 {
        assert_eq!(ask(["xformers", "bitsandbytes", "torchvision", "torch"]), first);
    }
}

#[test]
fn nothing_is_written_where_nothing_fits() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("constraints.txt");
    let path = file.to_str().expect("UTF-8");
    let refused = resolve(&["torch==2.6.0", "triton<3", "--gpu", "RTX 3090", "--python", "3.11", "-o", path]);
    assert_eq!((refused.status.code(), file.exists()), (Some(1), false));
    let solved = resolve(&["torch==2.6.0", "--gpu", "RTX 3090", "--python", "3.11", "-o", path]);
    assert_eq!((solved.status.code(), stdout(&solved)), (Some(0), String::new()));
    let text = std::fs::read_to_string(&file).expect("written");
    assert!(text.contains("triton==3.2.0"), "{text}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "no draft is left behind");
}

#[test]
fn json_names_build_index_and_reason() {
    let output = resolve(&["torch==2.7.1", "--gpu", "RTX 5090", "--python", "3.11", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["schema"], "gpudoc.resolution/1");
    assert_eq!(document["status"], "solved");
    let torch = &document["packages"][0];
    assert_eq!((&torch["name"], &torch["version"]), (&"torch".into(), &"2.7.1+cu128".into()));
    assert_eq!(torch["build"]["index"], "cu128");
    assert_eq!(torch["requested"], true);
    assert_eq!(document["indexes"][0]["url"], "https://download.pytorch.org/whl/cu128");
    assert_eq!(document["environment"]["gpus"][0]["compute_capability"], "12.0");
    let output = resolve(&["torch==2.6.0", "triton<3", "--gpu", "RTX 3090", "--python", "3.11", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["status"], "unsolvable");
    assert_eq!(document["proof"].as_array().map(Vec::len), Some(3));
    assert_eq!(document["actions"][0]["changes"][0]["requirement"]["to"], "triton>=3.2.0");
}

#[test]
fn mistakes_are_named_with_near_misses() {
    let cases: [(&[&str], &[&str]); 6] = [
        (&["torhc", "--gpu", "H100"], &["unknown package `torhc`", "`torch`"]),
        (&["torch", "--gpu", "RTX 5009"], &["unknown GPU `RTX 5009`", "RTX 5090"]),
        (&["torch=>2"], &["`torch=>2`"]),
        (&["-r", "no-such-file.in"], &["failed to read `no-such-file.in`"]),
        (&["torch", "--platform", "amiga"], &["amiga"]),
        (&[], &["nothing to resolve"]),
    ];
    for (args, words) in cases {
        let output =
            Command::new(env!("CARGO_BIN_EXE_gpudoc")).arg("resolve").args(args).output().expect("gpudoc runs");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(words.iter().all(|word| stderr(&output).contains(word)), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn other_packages_pass_through_and_are_named() {
    let output = resolve(&["torch", "requests", "--gpu", "H100", "--driver", "580.65.06", "--python", "3.12"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("neither pinned nor judged: requests"), "{}", stderr(&output));
    assert!(!stdout(&output).contains("requests"));
}

/// What is linked against torch brings one; what mentions others than NVIDIA's runtime wheels is a package as any other; of what
/// comes along, an advisory bounds the release.
#[test]
fn what_comes_along_is_entered() {
    assert!(pins(&["torchcodec"]).contains_key("torch"));
    // nvidia-cutlass-dsl 4.6.0 pins its libs-base, which needs cuda-python from 12.8 on.
    assert!(pins(&["nvidia-cutlass-dsl==4.6.0", "cuda-python==12.3.0"]).is_empty());
    assert_eq!(pins(&["pytorch-lightning==2.3.1"])["setuptools"], "81.0.0");
    // Nobody opened torch 2.10.0+cu126; that the one on PyPI pins cuda-bindings is no matter while nobody asks for it.
    assert_eq!(pins(&["torch==2.10.0", "--cuda", "12.6"])["torch"], "2.10.0+cu126");
    // cuda-python 12.9.5 takes cuda-bindings from 12.9.5 on, below 13; PyPI's torch 2.15.0 asks for 13.0.3 or newer.
    let answer = pins(&["torch", "cuda-python==12.9.5"]);
    assert!(answer["cuda-bindings"].starts_with("12.9.") && answer["torch"] != "2.15.0", "{answer:?}");
}

/// accelerate needs psutil, of which the rules have no row: what the index says that psutil needs binds numpy, and so does what it
/// lacks.
#[test]
fn what_the_pins_need_outside_the_rules_binds_too() {
    let index = |needs: &'static str| {
        Server::start(move |asked| {
            let file = r#"{"filename": "psutil-7.0.0-py3-none-any.whl", "url": "/files/psutil-7.0.0-py3-none-any.whl",
                           "hashes": {}, "core-metadata": true}"#;
            match asked.path.as_str() {
                "/simple/psutil/" => Reply::json(&format!(
                    r#"{{"meta": {{"api-version": "1.0"}}, "name": "psutil", "files": [{file}]}}"#
                )),
                path if path.ends_with(".metadata") => {
                    let text = format!("Metadata-Version: 2.1\nName: psutil\nVersion: 7.0.0\nRequires-Dist: {needs}\n");
                    Reply::new(200, "text/plain", text)
                }
                _ => Reply::status(404),
            }
        })
    };
    let bound = index("numpy<2.3");
    let online = |server: &Server, line: &str| pins(&["numpy", line, "--online", "--index", &server.index]);
    assert_eq!(online(&bound, "accelerate==1.10.0")["numpy"], "2.2.6");
    assert!(online(&bound, "psutil==6.0.0").is_empty());
    // Nothing was tried, and nothing is said of that.
    let refused = resolve(&["psutil==6.0.0", "--gpu", "L4", "--python", "3.11", "--online", "--index", &bound.index]);
    assert_eq!(
        (refused.status.code(), stdout(&refused).trim()),
        (Some(1), "The index has no release that is `psutil==6.0.0` (command line) for Python 3.11")
    );
    let free = index("numpy");
    assert_eq!(online(&free, "accelerate==1.10.0")["numpy"], pins(&["numpy", "accelerate==1.10.0"])["numpy"]);
}

/// The pins of an answer for an L4, by name; none where there is no answer.
fn pins(args: &[&str]) -> std::collections::BTreeMap<String, String> {
    let machine = ["--gpu", "L4", "--driver", "580.65.06", "--python", "3.11", "--format", "json"];
    let answer: serde_json::Value = serde_json::from_slice(&resolve(&[args, &machine].concat()).stdout).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let rows = answer["packages"].as_array().expect("packages");
    rows.iter().map(|row| (text(&row["name"]), text(&row["version"]))).collect()
}
