//! What must hold of the hand-kept rule files beyond their format.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;
use pep508_rs::{PackageName, VerbatimUrl, VersionOrUrl};

use super::model::{Fault, day, specifiers};
use super::raw_needs::RawNeeds;
use super::raw_platform::{
    RawAdvisory, RawCondition, RawCuda, RawDriver, RawForwardCompat, RawGpuProduct, RawGpus, RawImages, RawIndexes,
    RawLibraries, RawOldReleases, RawPage, RawSourceBuilds, RawTorchAbi, RawTorchSymbols, RawWheel, WORKLOADS,
};

use super::raw_machine::{RawMachine, RawTask};
use super::raw_prebuilt::RawPrebuilts;
use super::raw_symptoms::{RawCudaNames, RawModules, RawSymptom, RawSymptoms};
use super::raw_workload::RawWorkload;
use super::raw_xid::RawXids;
use crate::step::Written;

/// The kinds of findings, as reports print them.
const KINDS: &[&str] = &[
    "abi",
    "advisory",
    "cpu-build",
    "cuda-libs",
    "driver",
    "driver-mismatch",
    "environment",
    "forward-compat",
    "gpu-arch",
    "gpu-visibility",
    "pairing",
    "python",
    "requirement",
    "system",
    "toolchain",
];

/// Checks `platform/gpus.toml`.
pub fn gpus(raw: &RawGpus) -> Result<(), Fault> {
    pages(&raw.sources)?;
    for (index, row) in raw.patterns.iter().enumerate() {
        cited(&raw.sources, &row.source, "pattern", index)?;
    }
    for (index, row) in raw.pci_blocks.iter().enumerate() {
        cited(&raw.sources, &row.source, "pci-block", index)?;
    }
    for (index, row) in raw.products.iter().enumerate() {
        cited(&raw.sources, &row.source, "product", index)?;
        for earlier in gpus_before(raw, index).filter(|earlier| earlier.capability != row.capability) {
            let shared = row.devices.iter().find(|id| earlier.devices.contains(id));
            if let Some(id) = shared.or((earlier.name == row.name).then_some(&row.name)) {
                return Err(fault("product", index, &format!("`{id}` has another capability in an earlier row")));
            }
        }
        if row.devices.iter().any(|id| id.len() != 4 || u16::from_str_radix(id, 16).is_err()) {
            return Err(fault("product", index, "a device id is four hexadecimal digits"));
        }
    }
    for (index, row) in raw.vendors.iter().enumerate() {
        row.sources.iter().try_for_each(|source| cited(&raw.sources, source, "vendor", index))?;
        let words = [&row.fields, &row.says, &row.names].into_iter().flatten();
        if row.sources.is_empty() || words.into_iter().any(|word| word.len() < 4) {
            return Err(fault("vendor", index, "a vendor has sources, and words of four letters or more"));
        }
    }
    Ok(())
}

/// Checks `platform/workload.toml`.
pub fn workload(raw: &RawWorkload) -> Result<(), Fault> {
    pages(&raw.sources)?;
    cited(&raw.sources, &raw.very_large_model.source, "very-large-model", 0)?;
    cited(&raw.sources, &raw.weights.source, "weights", 0)?;
    cited(&raw.sources, &raw.four_bit_weights.source, "four-bit-weights", 0)?;
    for (index, row) in raw.memories.iter().enumerate() {
        cited(&raw.sources, &row.source, "memory", index)?;
        if row.gib.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(fault("memory", index, "`gib` ascends"));
        }
    }
    Ok(())
}

fn gpus_before(raw: &RawGpus, index: usize) -> impl Iterator<Item = &RawGpuProduct> {
    raw.products.iter().take(index)
}

/// Checks `platform/cuda.toml`.
pub fn cuda(raw: &RawCuda) -> Result<(), Fault> {
    pages(&raw.sources)?;
    for (index, row) in raw.toolkits.iter().enumerate() {
        cited(&raw.sources, &row.source, "toolkit", index)?;
        if row.compiles_for.is_empty() != row.compiles_for_source.is_none() {
            return Err(fault("toolkit", index, "`compiles-for` goes with `compiles-for-source`"));
        }
        if let Some(source) = &row.compiles_for_source {
            cited(&raw.sources, source, "toolkit", index)?;
        }
    }
    for (index, pair) in raw.toolkits.windows(2).enumerate() {
        if pair[0].version >= pair[1].version || pair[0].linux_driver >= pair[1].linux_driver {
            return Err(fault("toolkit", index + 1, "toolkits and their drivers ascend"));
        }
    }
    Ok(())
}

/// Checks `platform/driver.toml`.
pub fn driver(raw: &RawDriver) -> Result<(), Fault> {
    pages(&raw.sources)?;
    for (index, row) in raw.families.iter().enumerate() {
        cited(&raw.sources, &row.source, "family", index)?;
    }
    for (index, row) in raw.lifetimes.iter().enumerate() {
        cited(&raw.sources, &row.source, "lifetime", index)?;
    }
    for (index, row) in raw.installs.iter().enumerate() {
        cited(&raw.sources, &row.source, "install", index)?;
        row.commands.iter().try_for_each(Written::check).map_err(|message| fault("install", index, &message))?;
        let mut earlier = raw.installs[..index].iter().filter(|other| other.on == row.on);
        if earlier.any(|other| other.driver > row.driver) {
            return Err(fault("install", index, "the drivers of a distribution ascend"));
        }
    }
    if !raw.sources.contains_key(&raw.wsl.source) {
        return Err(Fault { path: vec!["wsl".to_owned()], message: "its `source` is not in `[sources]`".to_owned() });
    }
    for (index, pair) in raw.families.windows(2).enumerate() {
        if pair[0].cuda_major >= pair[1].cuda_major || pair[0].linux_driver >= pair[1].linux_driver {
            return Err(fault("family", index + 1, "families and their drivers ascend"));
        }
    }
    Ok(())
}

/// Checks `platform/forward_compat.toml`.
pub fn forward_compat(raw: &RawForwardCompat) -> Result<(), Fault> {
    pages(&raw.sources)?;
    for (index, row) in raw.packages.iter().enumerate() {
        cited(&raw.sources, &row.source, "package", index)?;
        if row.name != format!("cuda-compat-{}-{}", row.cuda.major, row.cuda.minor) {
            return Err(fault("package", index, "the name of a package ends in its CUDA version"));
        }
        if row.works_on.iter().any(|branch| *branch >= row.branch || row.refuses.contains(branch)) {
            return Err(fault("package", index, "`works-on` holds branches older than the package, none of `refuses`"));
        }
    }
    for (index, row) in raw.hardware.iter().enumerate() {
        cited(&raw.sources, &row.source, "hardware", index)?;
    }
    Ok(())
}

/// Checks `platform/indexes.toml`.
pub fn indexes(raw: &RawIndexes) -> Result<(), Fault> {
    pages(&raw.sources)?;
    for (index, row) in raw.indexes.iter().enumerate() {
        cited(&raw.sources, &row.source, "index", index)?;
        if (row.name == "*") != row.url.contains("{name}") {
            return Err(fault("index", index, "the row named `*`, and no other, has `{name}` in its address"));
        }
    }
    for (index, row) in raw.windows.iter().enumerate() {
        cited(&raw.sources, &row.source, "windows", index)?;
    }
    Ok(())
}

/// Checks `platform/images.toml`.
pub fn images(raw: &RawImages) -> Result<(), Fault> {
    pages(&raw.sources)?;
    cited(&raw.sources, &raw.driver_check.source, "driver-check", 0)?;
    cited(&raw.sources, &raw.python.source, "python", 0)?;
    cited(&raw.sources, &raw.compiler.source, "compiler", 0)?;
    cited(&raw.sources, &raw.repository_key.source, "repository-key", 0)?;
    cited(&raw.sources, &raw.build_tools.source, "build-tools", 0)?;
    for (index, row) in raw.ubuntus.iter().enumerate() {
        cited(&raw.sources, &row.source, "ubuntu", index)?;
    }
    if raw.ubuntus.windows(2).position(|pair| pair[0].glibc >= pair[1].glibc).is_some() {
        return Err(fault("ubuntu", 1, "Ubuntu releases ascend"));
    }
    for (index, row) in raw.images.iter().enumerate() {
        cited(&raw.sources, &row.source, "image", index)?;
        if row.cuda().is_none() {
            return Err(fault("image", index, "`version` is a CUDA release with its update, such as `12.8.1`"));
        }
        let known = |name: &String| raw.ubuntus.iter().any(|ubuntu| ubuntu.version == *name);
        if let Some(name) = row.ubuntu.iter().find(|name| !known(name)) {
            return Err(fault("image", index, &format!("there is no `[[ubuntu]]` for `{name}`")));
        }
    }
    match raw.images.windows(2).position(|pair| pair[0].cuda() >= pair[1].cuda()) {
        Some(index) => Err(fault("image", index + 1, "images ascend, one for each CUDA release")),
        None => Ok(()),
    }
}

/// Checks `platform/libraries.toml`.
pub fn libraries(raw: &RawLibraries) -> Result<(), Fault> {
    for (index, row) in raw.libraries.iter().enumerate() {
        if let Some(versions) = &row.versions {
            specifiers(versions).map_err(|fault| fault.below("library", index))?;
        }
        if row.sonames.is_empty() {
            return Err(fault("library", index, "no `sonames`"));
        }
        wheel(&row.source).map_err(|message| fault("library", index, &message))?;
    }
    Ok(())
}

/// Checks `platform/source_builds.toml`.
pub fn source_builds(raw: &RawSourceBuilds) -> Result<(), Fault> {
    let mut before = "";
    for (index, row) in raw.packages.iter().enumerate() {
        let at = |message: &str| fault("package", index, message);
        normalised(&row.name).map_err(|message| at(&message))?;
        if row.name.as_str() <= before {
            return Err(at(&format!("`{}` does not come after `{before}`: names ascend, each once", row.name)));
        }
        before = &row.name;
        if row.arch_variable.is_some() && !row.cuda {
            return Err(at("`arch-variable` without CUDA code"));
        }
        let variables = [&row.arch_variable, &row.only_with].into_iter().flatten();
        for name in variables.map(|text| text.split_once('=').map_or(text.as_str(), |(name, _)| name)) {
            if name.is_empty()
                || !name.bytes().all(|letter| letter.is_ascii_uppercase() || b"_0123456789".contains(&letter))
            {
                return Err(at(&format!("`{name}` is no environment variable")));
            }
        }
        let page = &row.source.page;
        if !page.starts_with("https://") || page.contains("/blob/main/") || page.contains("/blob/master/") {
            return Err(at(&format!("`{page}` is no address that stays as it was read: name a tag or a commit")));
        }
        day(&row.source.read).map_err(|found| at(&found.message))?;
    }
    Ok(())
}

/// Checks `platform/old_releases.toml`.
pub fn old_releases(raw: &RawOldReleases) -> Result<(), Fault> {
    for (index, row) in raw.releases.iter().enumerate() {
        let at = |message: &str| fault("release", index, message);
        normalised(&row.package).map_err(|message| at(&message))?;
        if let Some(line) = row.requires.iter().find(|line| requirement(line).is_err()) {
            return Err(at(&format!("`{line}` is no requirement")));
        }
        wheel(&row.source).map_err(|message| at(&message))?;
    }
    Ok(())
}

/// Checks `platform/torch_symbols.toml`.
pub fn torch_symbols(raw: &RawTorchSymbols) -> Result<(), Fault> {
    for (index, release) in raw.releases.iter().enumerate() {
        wheel(&release.source).map_err(|message| fault("torch", index, &message))?;
    }
    let place = |version: &str| raw.releases.iter().position(|release| release.version == version);
    for (index, history) in raw.histories.iter().enumerate() {
        for run in &history.releases {
            let (first, last) = run.split_once(" to ").unwrap_or((run, run));
            match (place(first), place(last)) {
                (Some(first), Some(last)) if first <= last => {}
                _ => return Err(fault("history", index, &format!("`{run}` is no run of the releases that were read"))),
            }
        }
    }
    Ok(())
}

/// Checks `platform/torch_abi.toml`.
pub fn torch_abi(raw: &RawTorchAbi) -> Result<(), Fault> {
    let known = |version: &str| raw.releases.iter().any(|release| release == version);
    let mut seen = std::collections::BTreeSet::new();
    for (index, row) in raw.extensions.iter().enumerate() {
        wheel(&row.source).map_err(|message| fault("extension", index, &message))?;
        if !seen.insert((&row.package, &row.version)) {
            return Err(fault("extension", index, &format!("`{} {}` stands here twice", row.package, row.version)));
        }
        if row.torch.is_empty() && row.cxx11_abi.is_none() {
            return Err(fault("extension", index, "neither `torch` nor `cxx11-abi`: it loads beside every torch"));
        }
        for run in &row.torch {
            let (first, last) = run.split_once(" to ").unwrap_or((run, run));
            if !known(first) || !known(last) {
                return Err(fault("extension", index, &format!("`{run}` is no run of `releases`")));
            }
        }
    }
    Ok(())
}

fn wheel(source: &RawWheel) -> Result<(), String> {
    if source.sha256.len() != 64 || !source.sha256.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(format!("`sha256` of `{}` is not 64 hexadecimal digits", source.wheel));
    }
    Ok(())
}

/// Checks one advisory, which lies in a file of its own name.
pub fn advisory(raw: &RawAdvisory, stem: &str) -> Result<(), Fault> {
    let whole = |message: String| Fault { path: Vec::new(), message };
    if raw.id != stem {
        return Err(whole(format!("`id = \"{}\"` in a file named `{stem}.toml`", raw.id)));
    }
    day(&raw.date)?;
    if raw.references.is_empty() {
        return Err(whole("an advisory without a `reference`".to_owned()));
    }
    for page in &raw.references {
        day(&page.read)?;
    }
    if raw.withdrawn.is_none() && raw.when.is_empty() {
        return Err(whole("an advisory without `when` applies to nothing".to_owned()));
    }
    if raw.title.ends_with('.') || raw.title.contains('\n') {
        return Err(whole("a title is one line without a full stop".to_owned()));
    }
    if !KINDS.contains(&raw.kind.as_str()) {
        return Err(whole(format!("no finding is of kind `{}`", raw.kind)));
    }
    if raw.needs_symptom && raw.symptoms.is_empty() {
        return Err(whole("`needs-symptom` without `symptoms`".to_owned()));
    }
    for (index, when) in raw.when.iter().enumerate() {
        condition(when).map_err(|message| fault("when", index, &message))?;
    }
    for (index, remedy) in raw.remedies.iter().enumerate() {
        remedy.commands.iter().try_for_each(Written::check).map_err(|message| fault("remedy", index, &message))?;
        for line in &remedy.requirements {
            requirement(line).map_err(|message| fault("remedy", index, &message))?;
        }
    }
    for (index, example) in raw.examples.iter().enumerate() {
        let pinned =
            |line: &&String| line.split_once("==").is_some_and(|(_, version)| version.parse::<Version>().is_ok());
        if let Some(line) = example.installed.iter().find(|line| !pinned(line)) {
            return Err(fault("example", index, &format!("`{line}` is not `name==version`")));
        }
        known(&example.workload).map_err(|message| fault("example", index, &message))?;
    }
    if !raw.examples.iter().any(|example| example.hits) || raw.examples.iter().all(|example| example.hits) {
        return Err(whole("an advisory needs an example that it hits and a near miss that it does not".to_owned()));
    }
    Ok(())
}

/// Checks a file of `symptoms/`; `known` are the ids of other files.
pub fn symptoms(raw: &RawSymptoms, known: &BTreeSet<&str>) -> Result<(), Fault> {
    pages(&raw.sources)?;
    let mut ids = known.clone();
    for (index, row) in raw.symptoms.iter().enumerate() {
        if !ids.insert(&row.id) {
            return Err(fault("symptom", index, &format!("`{}` is there twice", row.id)));
        }
        if row.sources.is_empty() {
            return Err(fault("symptom", index, "no `sources`"));
        }
        for key in &row.sources {
            cited(&raw.sources, key, "symptom", index)?;
        }
        symptom(row).map_err(|message| fault("symptom", index, &message))?;
    }
    Ok(())
}

fn symptom(row: &RawSymptom) -> Result<(), String> {
    let plain = row.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !plain || row.id.is_empty() {
        return Err(format!("`{}` is no id: lower case, digits and `-`", row.id));
    }
    if row.matches.is_empty() || row.causes.is_empty() || row.settle.as_str().is_empty() || row.meaning.is_empty() {
        return Err("`match`, `meaning`, `cause` and `settle` must be there".to_owned());
    }
    let least = row.matches.iter().map(|pattern| (pattern, 5)).chain(row.unless.iter().map(|words| (words, 3)));
    for (pattern, least) in least {
        let longest = pattern.split('…').map(|part| part.trim().len()).max().unwrap_or(0);
        let ascii = pattern.split('…').all(|part| part.is_ascii() && !part.trim().is_empty());
        if longest < least || !ascii || pattern.contains("  ") {
            return Err(format!("`{pattern}`: ASCII words with single spaces, {least} letters at least"));
        }
    }
    for selector in &row.explained_by {
        let kind = selector.trim_start_matches('!').split('/').next().unwrap_or_default();
        if !KINDS.contains(&kind) && !selector.starts_with("GPUDOC-") {
            return Err(format!("no finding is of kind `{kind}`"));
        }
    }
    row.settle.check()?;
    for cause in &row.causes {
        cause.commands.iter().try_for_each(Written::check)?;
        if !KINDS.contains(&cause.kind.as_str()) {
            return Err(format!("no finding is of kind `{}`", cause.kind));
        }
        if cause.title.ends_with('.') || cause.title.contains('\n') {
            return Err("a title is one line without a full stop".to_owned());
        }
        if let Some(when) = &cause.when {
            condition(when)?;
        }
    }
    Ok(())
}

/// Checks `platform/machine.toml`.
pub fn machine(raw: &RawMachine) -> Result<(), Fault> {
    pages(&raw.sources)?;
    for (index, row) in raw.tasks.iter().enumerate() {
        cited(&raw.sources, &row.source, "task", index)?;
        let is_same = |other: &RawTask| (other.matter, other.at) == (row.matter, row.at);
        if raw.tasks.iter().take(index).any(is_same) {
            return Err(fault("task", index, "there is one for this matter and place already"));
        }
        row.commands.iter().try_for_each(Written::check).map_err(|message| fault("task", index, &message))?;
    }
    for (index, row) in raw.jetsons.iter().enumerate() {
        cited(&raw.sources, &row.source, "jetson", index)?;
    }
    for (index, row) in raw.toolkits.iter().enumerate() {
        cited(&raw.sources, &row.source, "toolkit", index)?;
        if row.argv.is_empty() || row.conda != row.on.is_empty() {
            return Err(fault("toolkit", index, "has no command, or is not for either conda or distributions"));
        }
    }
    Ok(())
}

/// Checks `platform/prebuilt.toml`.
pub fn prebuilt(raw: &RawPrebuilts) -> Result<(), Fault> {
    for (index, row) in raw.rows.iter().enumerate() {
        specifiers(&row.versions).map_err(|found| found.below("prebuilt", index))?;
        day(&row.source.read).map_err(|found| found.below("prebuilt", index))?;
        if row.torch.is_empty() && row.code.is_empty() && row.glibc.is_none() {
            return Err(fault("prebuilt", index, "says nothing: no `torch`, `code` or `glibc`"));
        }
        let previous = index.checked_sub(1).and_then(|at| raw.rows.get(at));
        if previous.is_some_and(|other| other.package > row.package) {
            return Err(fault("prebuilt", index, "the rows are not sorted by package"));
        }
    }
    Ok(())
}

/// Checks `platform/cuda_names.toml`.
pub fn cuda_names(raw: &RawCudaNames) -> Result<(), Fault> {
    for (index, row) in raw.families.iter().enumerate() {
        day(&row.source.read).map_err(|found| found.below("family", index))?;
        if row.names.iter().chain(&row.parts).any(|name| !name.contains("{}")) {
            return Err(fault("family", index, "a name does not say its CUDA: no `{}`"));
        }
        if !row.majors.is_sorted() || row.majors.len() < 2 {
            return Err(fault("family", index, "the majors are not ascending, or there is one only"));
        }
    }
    Ok(())
}

/// Checks `platform/modules.toml`.
pub fn modules(raw: &RawModules) -> Result<(), Fault> {
    for (index, row) in raw.modules.iter().enumerate() {
        day(&row.source.read).map_err(|found| found.below("module", index))?;
        let previous = index.checked_sub(1).and_then(|at| raw.modules.get(at));
        if previous.is_some_and(|other| other.name >= row.name) {
            return Err(fault("module", index, "the modules are not sorted by name"));
        }
    }
    Ok(())
}

/// Checks `platform/needs.toml`.
pub fn needs(raw: &RawNeeds) -> Result<(), Fault> {
    pages(&raw.sources)?;
    for (table, source) in [("disk", &raw.disk.source), ("memlock", &raw.memlock.source), ("ninja", &raw.ninja.source)]
    {
        if !raw.sources.contains_key(source) {
            let message = format!("source `{source}` is not in `[sources]`");
            return Err(Fault { path: vec![table.to_owned()], message });
        }
    }
    for (index, row) in raw.assemblers.iter().enumerate() {
        cited(&raw.sources, &row.source, "assembler", index)?;
        specifiers(&row.versions).map_err(|found| found.below("assembler", index))?;
    }
    for (index, row) in raw.guards.iter().enumerate() {
        cited(&raw.sources, &row.source, "guard", index)?;
        specifiers(&row.versions).map_err(|found| found.below("guard", index))?;
        for name in row.checks.iter().chain([&row.package]) {
            normalised(name).map_err(|message| fault("guard", index, &message))?;
        }
    }
    for (index, row) in raw.ptxas.iter().enumerate() {
        cited(&raw.sources, &row.source, "ptxas", index)?;
        if raw.ptxas.iter().take(index).any(|earlier| earlier.variable == row.variable) {
            return Err(fault("ptxas", index, &format!("`{}` is there twice", row.variable)));
        }
    }
    Ok(())
}

/// Checks `platform/xid.toml`.
pub fn xids(raw: &RawXids) -> Result<(), Fault> {
    pages(&raw.sources)?;
    for (index, row) in raw.actions.iter().enumerate() {
        cited(&raw.sources, &row.source, "action", index)?;
        row.commands.iter().try_for_each(Written::check).map_err(|message| fault("action", index, &message))?;
        if raw.actions.iter().take(index).any(|earlier| earlier.name == row.name) {
            return Err(fault("action", index, &format!("`{}` is there twice", row.name)));
        }
        if !raw.rows.iter().any(|xid| xid.action == row.name) {
            return Err(fault("action", index, &format!("no row asks for `{}`", row.name)));
        }
    }
    for (index, row) in raw.rows.iter().enumerate() {
        cited(&raw.sources, &row.source, "xid", index)?;
        if !raw.actions.iter().any(|action| action.name == row.action) {
            return Err(fault("xid", index, &format!("there is no action `{}`", row.action)));
        }
        if row.title.ends_with('.') || !row.meaning.ends_with('.') {
            return Err(fault("xid", index, "`title` ends without a full stop, `meaning` with one"));
        }
    }
    for (index, pair) in raw.rows.windows(2).enumerate() {
        if pair[0].number >= pair[1].number {
            return Err(fault("xid", index + 1, "the rows ascend by number"));
        }
    }
    Ok(())
}

fn condition(when: &RawCondition) -> Result<(), String> {
    for text in [&when.cuda, &when.capability, &when.driver, &when.python].into_iter().flatten() {
        specifiers(text).map_err(|found| found.message)?;
    }
    for line in &when.installed {
        let wanted = requirement(line)?;
        if !wanted.marker.is_true()
            || !wanted.extras.is_empty()
            || matches!(wanted.version_or_url, Some(VersionOrUrl::Url(_)))
        {
            return Err(format!("`{line}`: a name and versions only"));
        }
    }
    for name in &when.absent {
        normalised(name)?;
    }
    if let Some(platform) = &when.platform
        && !["linux", "windows", "macos"].iter().any(|os| platform.starts_with(os))
    {
        return Err(format!("`{platform}` is no platform"));
    }
    known(&when.workload)
}

fn normalised(name: &str) -> Result<(), String> {
    if PackageName::new(name.to_owned()).map_err(|error| error.to_string())?.as_ref() != name {
        return Err(format!("`{name}` is not a normalised name"));
    }
    Ok(())
}

fn requirement(line: &str) -> Result<pep508_rs::Requirement<VerbatimUrl>, String> {
    line.parse().map_err(|error| format!("`{line}`: {error}"))
}

fn known(workload: &[String]) -> Result<(), String> {
    match workload.iter().find(|item| !WORKLOADS.contains(&item.as_str())) {
        None => Ok(()),
        Some(item) => Err(format!("`{item}` is not a workload; there are: {}", WORKLOADS.join(", "))),
    }
}

fn pages(sources: &BTreeMap<String, RawPage>) -> Result<(), Fault> {
    for (key, page) in sources {
        day(&page.read).map_err(|found| Fault { path: vec!["sources".to_owned(), key.clone()], ..found })?;
    }
    Ok(())
}

fn cited(sources: &BTreeMap<String, RawPage>, key: &str, table: &str, index: usize) -> Result<(), Fault> {
    if sources.contains_key(key) {
        return Ok(());
    }
    Err(fault(table, index, &format!("source `{key}` is not in `[sources]`")))
}

fn fault(table: &str, index: usize, message: &str) -> Fault {
    Fault { path: vec![table.to_owned(), index.to_string()], message: message.to_owned() }
}
