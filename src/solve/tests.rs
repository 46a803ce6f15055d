//! The solver on small hand-made universes, and against brute force.

use std::collections::BTreeMap;

use super::*;
use crate::rules::model::Package;
use crate::rules::requirement::parse;
use crate::rules::schema::Advisory;
use crate::rules::{RuleDb, Target, TargetGpu, embedded};
use crate::version::ComputeCapability;

mod brute;
mod case;
mod cases;
mod unlisted;

/// A database of packages in the format of the rule files, `---` between them, on the real platform rules.
fn db(packages: &str, advisories: &[&str]) -> RuleDb {
    let packages = packages.split("---").map(|text| {
        let raw: crate::rules::schema::PackageFile = toml::from_str(text).expect("a package");
        Package::try_from(raw).expect("a consistent package")
    });
    let advisories = advisories.iter().map(|text| toml::from_str::<Advisory>(text).expect("an advisory"));
    embedded().with_packages(packages.collect(), advisories.collect())
}

/// One release as TOML.
fn release(version: &str, requires: &[&str], builds: &[String]) -> String {
    let requires: Vec<_> = requires.iter().map(|line| format!("{line:?}")).collect();
    let requires = requires.join(", ");
    format!("[[release]]\nversion = \"{version}\"\ndate = \"2025-01-01\"\nrequires = [{requires}]\n{}", builds.concat())
}

/// One build as TOML: index, CUDA (or `cpu`, or nothing), machine code.
fn build(index: &str, cuda: &str, sass: &[&str]) -> String {
    let cuda_lines = match cuda {
        "" => String::new(),
        "cpu" => "local = \"cpu\"\n".to_owned(),
        _ => format!("local = \"cu{}\"\ncuda = \"{cuda}\"\n", cuda.replace('.', "")),
    };
    let sass: Vec<_> = sass.iter().map(|target| format!("{target:?}")).collect();
    let code =
        if sass.is_empty() { String::new() } else { format!("[[release.build.code]]\nsass = [{}]\n", sass.join(", ")) };
    // Every row was opened.
    let (file, sha) = ("a-1-py3-none-any.whl", "0".repeat(64));
    format!(
        "[[release.build]]\nindex = \"{index}\"\nplatform = \"linux_x86_64\"\n{cuda_lines}\
         [release.build.source]\nwheel = \"{file}\"\nsha256 = \"{sha}\"\nread = \"2026-11-21\"\n{code}"
    )
}

fn package(name: &str, head: &str, releases: &[String]) -> String {
    format!("package = \"{name}\"\n{head}\n{}", releases.concat())
}

/// A target of one GPU, Python 3.11 on Linux.
fn target(capability: &str, driver: Option<&str>) -> Target {
    let capability: ComputeCapability = capability.parse().expect("a compute capability");
    let label = format!("GPU {capability}");
    let gpu = TargetGpu { name: label.clone(), label, index: None, capability, class: None, memory: Vec::new() };
    Target {
        gpus: vec![gpu],
        driver: driver.map(|text| text.parse().expect("a driver")),
        python: Some("3.11".parse().expect("a Python")),
        platform: Some("linux_x86_64".to_owned()),
        ..Target::default()
    }
}

fn asked(lines: &[&str]) -> Vec<AskedRequirement> {
    let line = |line: &&str| AskedRequirement::new(parse(line).expect("a requirement"), "command line");
    lines.iter().map(line).collect()
}

fn request(target: &Target, lines: &[&str]) -> Request {
    Request { target: target.clone(), requirements: asked(lines), ..Request::default() }
}

/// The chosen builds as pins.
fn pins(resolution: &Resolution<'_>) -> Vec<String> {
    resolution.pins.iter().map(|pin| format!("{}=={}", pin.name, pin.version())).collect()
}

fn by_name<'r>(resolution: &'r Resolution<'_>) -> BTreeMap<&'r str, &'r Pin<'r>> {
    resolution.pins.iter().map(|pin| (pin.name, pin)).collect()
}

/// A proof in short: conclusion, statements, changes with what they take.
fn told(proof: &Proof) -> String {
    let mut text = proof.conclusion.clone();
    for (step, number) in proof.steps.iter().zip(1..) {
        text += &format!("\n{number}. {}", step.text);
    }
    for action in &proof.actions {
        text += &format!("\n- {} => {}", action.summary, action.takes.join(" "));
    }
    text
}
