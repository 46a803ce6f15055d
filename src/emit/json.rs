//! `gpudoc.resolution/1`.

use serde::Serialize;

use super::{Index, indexes};
use crate::rules::schema::KnownHow;
use crate::rules::{RuleDb, Target};
use crate::solve::{Action, Proof, Resolution, Step};
use crate::version::{ComputeCapability, CudaVersion, DriverVersion, GlibcVersion, PythonVersion};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    status: &'static str,
    packages: Vec<PackageRow<'a>>,
    indexes: Vec<Index>,
    environment: Option<EnvironmentRow<'a>>,
    /// Those of gpudoc.toml.
    targets: Vec<EnvironmentRow<'a>>,
    actions: &'a [Action],
    /// Where nothing fits: the conclusion of the proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    conclusion: Option<&'a str>,
    proof: &'a [Step],
    unchecked: &'a [String],
    /// In a version that the rules do not know, and not judged.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    unlisted: &'a [String],
}

#[derive(Serialize)]
struct PackageRow<'a> {
    name: &'a str,
    version: String,
    build: BuildRow<'a>,
    reason: String,
    requested: bool,
    needed_by: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    installed: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    only_on: &'a [String],
    /// How its requirements are known.
    requires: KnownHow,
    citation: String,
}

#[derive(Serialize)]
struct BuildRow<'a> {
    local: Option<&'a str>,
    cuda: Option<CudaVersion>,
    index: &'a str,
}

#[derive(Serialize)]
struct EnvironmentRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    gpus: Vec<GpuRow<'a>>,
    driver: Option<&'a DriverVersion>,
    compat: Option<&'a DriverVersion>,
    python: Option<PythonVersion>,
    free_threaded: bool,
    platform: Option<&'a str>,
    glibc: Option<GlibcVersion>,
    cuda: Option<CudaVersion>,
    cpu_only: bool,
}

#[derive(Serialize)]
struct GpuRow<'a> {
    label: &'a str,
    index: Option<u32>,
    compute_capability: ComputeCapability,
}

const SCHEMA: &str = "gpudoc.resolution/1";

/// The document of a solved request.
#[must_use]
pub fn solved(resolution: &Resolution<'_>, targets: &[&Target], db: &RuleDb) -> String {
    let rows = resolution.pins.iter().map(|pin| PackageRow {
        name: pin.name,
        version: pin.version(),
        build: BuildRow { local: pin.build.local.as_deref(), cuda: pin.build.cuda, index: pin.index() },
        reason: pin.reason.to_string(),
        requested: pin.reason.requested,
        needed_by: &pin.reason.needed_by,
        held: pin.reason.held.as_deref(),
        installed: pin.reason.installed.as_deref(),
        only_on: &pin.reason.only_on,
        requires: pin.requires_known(),
        citation: pin.build.source.citation(),
    });
    print(&Document {
        schema: SCHEMA,
        status: "solved",
        packages: rows.collect(),
        indexes: indexes(resolution, db),
        environment: targets.first().map(|target| environment(target)),
        targets: targets.iter().filter(|target| target.name.is_some()).map(|target| environment(target)).collect(),
        actions: &[],
        conclusion: None,
        proof: &[],
        unchecked: &resolution.unchecked,
        unlisted: &resolution.unlisted,
    })
}

/// The document of a request that has no solution.
#[must_use]
pub fn unsolvable(proof: &Proof, targets: &[&Target]) -> String {
    print(&Document {
        schema: SCHEMA,
        status: "unsolvable",
        packages: Vec::new(),
        indexes: Vec::new(),
        environment: targets.first().map(|target| environment(target)),
        targets: targets.iter().filter(|target| target.name.is_some()).map(|target| environment(target)).collect(),
        actions: &proof.actions,
        conclusion: Some(&proof.conclusion),
        proof: &proof.steps,
        unchecked: &proof.unchecked,
        unlisted: &[],
    })
}

/// The document of a request of which the rules cover nothing.
#[must_use]
pub fn uncovered(why: &str, names: &[String], targets: &[&Target]) -> String {
    print(&Document {
        schema: SCHEMA,
        status: "not-covered",
        packages: Vec::new(),
        indexes: Vec::new(),
        environment: targets.first().map(|target| environment(target)),
        targets: targets.iter().filter(|target| target.name.is_some()).map(|target| environment(target)).collect(),
        actions: &[],
        conclusion: Some(why),
        proof: &[],
        unchecked: names,
        unlisted: &[],
    })
}

fn environment(target: &Target) -> EnvironmentRow<'_> {
    let gpus = target.gpus.iter().map(|gpu| GpuRow {
        label: &gpu.label,
        index: gpu.index,
        compute_capability: gpu.capability,
    });
    EnvironmentRow {
        name: target.name.as_deref(),
        gpus: gpus.collect(),
        driver: target.driver.as_ref(),
        compat: target.compat.as_ref(),
        python: target.python,
        free_threaded: target.free_threaded,
        platform: target.platform.as_deref(),
        glibc: target.glibc,
        cuda: target.cuda,
        cpu_only: target.cpu_only,
    }
}

fn print(document: &Document<'_>) -> String {
    // Strings, numbers and lists only: nothing here that JSON could refuse.
    serde_json::to_string_pretty(document).map(|text| text + "\n").unwrap_or_default()
}
