//! `gpudoc rules list`, `show`, `matrix` and `gpudoc explain`: what people and programs read of the database.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::process::{Command, Output};

use gpudoc::rules::embedded;
use serde_json::Value;

fn gpudoc(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gpudoc")).args(arguments).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = gpudoc(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn error(arguments: &[&str], code: i32) -> String {
    let output = gpudoc(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn every_build_says_where_it_was_read() {
    let shown = json(&["rules", "show", "torch==2.7.1", "--format", "json"]);
    assert_eq!(shown["schema"], "gpudoc.rules/1");
    let builds = shown["builds"].as_array().unwrap();
    let of = |local: &str| {
        let wanted = |build: &&Value| build["local"] == local && build["platform"] == "linux_x86_64";
        builds.iter().find(wanted).unwrap()
    };
    // Read off libtorch_cuda.so and libtorch_cuda_linalg.so of the wheel: 378 and 107 containers.
    let cu126 = of("cu126");
    assert_eq!((&cu126["containers"], &cu126["special"]["sm_90a"]), (&Value::from(485), &Value::from(3)));
    assert!(cu126["sass"].as_array().unwrap().contains(&Value::from("sm_90")));
    assert!(!cu126["sass"].as_array().unwrap().contains(&Value::from("sm_120")));
    assert_eq!(cu126["source"]["sha256"].as_str().unwrap().len(), 64);
    assert!(of("cu128")["sass"].as_array().unwrap().contains(&Value::from("sm_120")));
    for build in builds {
        let source = &build["source"];
        assert!(source["wheel"].is_string() || source["page"].is_string(), "{build}");
        assert_eq!(source["read"].as_str().unwrap().len(), 10);
    }
    let listed = json(&["rules", "list", "--format", "json"]);
    assert!(listed["packages"].as_array().unwrap().len() > 90 && listed["advisories"].as_array().unwrap().len() > 60);
}

#[test]
fn what_is_not_known_is_refused_with_what_is_near() {
    assert!(error(&["rules", "show", "torhc"], 2).contains("did you mean `torch`?"));
    let nearest = error(&["rules", "show", "torch==2.6.1"], 2);
    assert!(nearest.contains("`torch==2.6.0` and `torch==2.7.0`"), "{nearest}");
    assert!(error(&["rules", "show", "torch==new"], 2).contains("`new` is not a version"));
    assert!(error(&["explain", "GPUDOC-2026-9999"], 2).contains("there is no advisory"));
    assert!(error(&["explain", "a printer on fire"], 1).contains("nothing is known of `a printer on fire`"));
}

#[test]
fn the_grid_tells_the_variants_of_a_release_apart() {
    let grid = json(&["rules", "matrix", "torch", "--format", "json"]);
    let columns = grid["compute_capabilities"].as_array().unwrap();
    let column = columns.iter().position(|capability| capability == "12.0").unwrap();
    let cell = |version: &str, variant: &str| {
        let rows = grid["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["version"] == version && row["variant"] == variant).unwrap();
        row["cells"][column].as_str().unwrap().to_owned()
    };
    assert_eq!(cell("2.7.1", "cu126"), "no");
    assert_eq!(cell("2.7.1", "cu128"), "native");
    assert_eq!(cell("2.7.1", "cpu"), "no");
    let page = String::from_utf8(gpudoc(&["rules", "matrix", "torch", "--format", "html"]).stdout).unwrap();
    assert!(page.starts_with("<!doctype html>") && !page.contains("{{") && !page.contains("http://"));
    assert!(page.contains("GeForce RTX 5090 (12.0)"));
}

#[test]
fn explanations_come_with_their_sources() {
    let told = |text: &str| String::from_utf8(gpudoc(&["explain", text]).stdout).unwrap();
    let advisory = told("gpudoc-2026-0001");
    assert!(advisory.contains("triton.ops") && advisory.contains("source") && advisory.contains("fix"), "{advisory}");
    // The same from the error that it causes.
    assert_eq!(told("ModuleNotFoundError: No module named 'triton.ops'"), advisory);
    assert!(told("abi/xformers").starts_with("abi\n"));
    assert!(told("torch==2.7.1+cu128").contains("sm_120"));
}

#[test]
fn an_environment_variable_is_explained_with_what_it_may_be() {
    let told = String::from_utf8(gpudoc(&["explain", "CUDA_DEVICE_ORDER"]).stdout).unwrap();
    insta::assert_snapshot!(told, @"
    CUDA_DEVICE_ORDER

    read by   CUDA
    does      how GPUs are numbered: the fastest first, or by their place on the PCI
              bus
    valid     `FASTEST_FIRST` or `PCI_BUS_ID`
    source    https://github.com/HeKun-NVIDIA/CUDA-Programming-Guide-in-Chinese/
              tree/c615dfdde05e810dc30e376df8f028a935d6c67e: appendix M, with table
              18 of NVIDIA's guide in its own words, read 2026-12-01
    ");
    let tables = embedded();
    for (name, value, valid) in [
        ("CUDA_VISIBLE_DEVICES", "", true),
        ("CUDA_VISIBLE_DEVICES", "0,GPU-8932f937-d72c", true),
        ("CUDA_VISIBLE_DEVICES", "0,-1", false),
        ("CUDA_DEVICE_ORDER", "PCI_BUS", false),
        ("CUDA_DEVICE_MAX_CONNECTIONS", "32", true),
        ("CUDA_DEVICE_MAX_CONNECTIONS", "33", false),
        ("NVIDIA_DRIVER_CAPABILITIES", "compute,utility", true),
        ("NVIDIA_DRIVER_CAPABILITIES", "compute,", false),
        ("BNB_CUDA_VERSION", "12.4", false),
    ] {
        let row = tables.variable(name).unwrap();
        let whole = |pattern: &String| regex_lite::Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(value);
        assert_eq!(row.valid.iter().any(whole), valid, "{name}={value}");
    }
}

#[test]
fn gpus_are_known_by_the_names_that_people_write() {
    let names = [
        ("NVIDIA GeForce RTX 4070 Ti SUPER", "8.9"),
        ("RTX4070TiS", "8.9"),
        ("2080S", "7.5"),
        ("L40S", "8.9"),
        ("Tesla T4", "7.5"),
        ("A100-SXM4-80GB", "8.0"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0"),
        ("rtx 3080 laptop", "8.6"),
        ("GTX 1080Ti", "6.1"),
        ("K80", "3.7"),
        ("Titan RTX", "7.5"),
        ("GTX Titan X", "5.2"),
        ("RTX PRO 6000", "12.0"),
        ("GB10", "12.1"),
        ("Jetson AGX Orin", "8.7"),
        ("B300", "10.3"),
    ];
    for (name, capability) in names {
        let found = embedded().gpu_by_loose_name(name).map(|model| model.capability.to_string());
        assert_eq!(found.as_deref(), Some(capability), "{name}");
    }
    assert!(embedded().gpu_by_loose_name("Radeon RX 7900").is_none() && embedded().gpu_by_loose_name("gpu").is_none());
}
