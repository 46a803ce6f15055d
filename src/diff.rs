//! What differs between two environments, and what of it explains why the one works and the other does not.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{CodeGroup, Distribution, Facts, Gpu, Reading};
use crate::finding::{Finding, Id, Kind, Severity};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs, e.g. `driver`, `torch`, `LD_LIBRARY_PATH`.
    pub fact: String,
    /// As the first environment has it; none if it does not.
    pub left: Option<String>,
    /// As the second has it.
    pub right: Option<String>,
    /// Ids of findings that only one of the two has and that speak of this fact.
    pub explains: Vec<Id>,
}

/// Two environments side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Differences, those that explain a finding first.
    pub differences: Vec<Difference>,
    /// Findings of the first environment alone, the worst first.
    pub left: Vec<Finding>,
    /// Findings of the second alone.
    pub right: Vec<Finding>,
}

/// What findings speak of a fact.
enum Topic<'a> {
    Kinds(&'a [Kind]),
    Distribution(&'a str),
    Variable(&'a str),
}

/// Compares two environments, with the findings that `check` has of each.
#[must_use]
pub fn compare(left: &Facts, right: &Facts, of_left: &[Finding], of_right: &[Finding]) -> Comparison {
    let ids = |findings: &[Finding]| findings.iter().map(|finding| finding.id.clone()).collect::<BTreeSet<_>>();
    let only = |findings: &[Finding], others: &BTreeSet<Id>| -> Vec<Finding> {
        findings.iter().filter(|finding| !others.contains(&finding.id)).cloned().collect()
    };
    let (of_left_only, of_right_only) = (only(of_left, &ids(of_right)), only(of_right, &ids(of_left)));
    let mut differences = Vec::new();
    let mut add = |fact: &str, topic: Topic<'_>, one: Option<String>, other: Option<String>| {
        if one == other {
            return;
        }
        let findings = of_left_only.iter().chain(&of_right_only).filter(|finding| finding.severity != Severity::Info);
        let speaks = findings.filter(|finding| match &topic {
            Topic::Kinds(kinds) => kinds.contains(&finding.kind),
            Topic::Distribution(name) => finding.packages.iter().any(|package| package == name),
            Topic::Variable(name) => mentions(finding, name),
        });
        let mut explains: Vec<Id> = speaks.map(|finding| finding.id.clone()).collect();
        explains.sort();
        explains.dedup();
        differences.push(Difference { fact: fact.to_owned(), left: one, right: other, explains });
    };
    host(left, right, &mut add);
    variables(left, right, &mut add);
    distributions(left, right, &mut add);
    // The order of the parts within each half: hardware, system, variables, distributions.
    differences.sort_by_key(|difference| difference.explains.is_empty());
    Comparison { differences, left: of_left_only, right: of_right_only }
}

type Add<'a> = dyn FnMut(&str, Topic<'_>, Option<String>, Option<String>) + 'a;

fn mentions(finding: &Finding, word: &str) -> bool {
    let evidence = finding.evidence.iter().flat_map(|evidence| [&evidence.fact, &evidence.observed]);
    let citations = finding.evidence.iter().filter_map(|evidence| evidence.citation.as_ref());
    evidence.chain(citations).chain([&finding.title, &finding.message]).any(|text| text.contains(word))
}

fn known<T: ToString>(reading: &Reading<T>) -> Option<String> {
    reading.value().map(ToString::to_string)
}

fn host(left: &Facts, right: &Facts, add: &mut Add<'_>) {
    let gpus = Topic::Kinds(&[Kind::GpuArch, Kind::GpuVisibility, Kind::ForwardCompat]);
    add("GPUs", gpus, gpu_words(left), gpu_words(right));
    let driver = [Kind::Driver, Kind::DriverMismatch, Kind::ForwardCompat, Kind::GpuVisibility, Kind::GpuArch];
    let driver = || Topic::Kinds(&driver);
    add("driver", driver(), known(&left.driver.version), known(&right.driver.version));
    add("CUDA of the driver", driver(), known(&left.driver.cuda), known(&right.driver.cuda));
    let module = |facts: &Facts| facts.driver.module.value().map(|module| format!("{module:?}").to_lowercase());
    add("kernel module", driver(), module(left), module(right));
    let libcuda = |facts: &Facts| {
        let library = facts.loader.libcuda.value()?;
        let compat = if library.compat { ", cuda-compat" } else { "" };
        Some(format!("{} ({}{compat})", library.path, known(&library.version).unwrap_or_else(|| "?".to_owned())))
    };
    add("libcuda", driver(), libcuda(left), libcuda(right));
    let (one, other) = (&left.system, &right.system);
    let plain = || Topic::Kinds(&[Kind::Python]);
    let loader = || Topic::Kinds(&[Kind::Python, Kind::Abi]);
    let system = || Topic::Kinds(&[Kind::System]);
    add("system", plain(), known(&one.distro), known(&other.distro));
    add("machine", plain(), known(&one.arch), known(&other.arch));
    add("glibc", loader(), known(&one.glibc), known(&other.glibc));
    add("libstdc++", loader(), known(&left.loader.libstdcxx), known(&right.loader.libstdcxx));
    add("kernel", system(), known(&one.kernel), known(&other.kernel));
    add("container", system(), known(&one.container), known(&other.container));
    add("WSL", system(), known(&one.wsl), known(&other.wsl));
    let shm = |facts: &Facts| facts.system.shm_bytes.value().map(|size| crate::text::bytes(*size));
    add("/dev/shm", system(), shm(left), shm(right));
    let xids = |facts: &Facts| {
        let numbers = facts.system.xid.value()?.iter().map(|xid| xid.number.to_string());
        Some(numbers.collect::<Vec<_>>().join(", "))
    };
    add("Xid errors", system(), xids(left), xids(right));
    let tools = || Topic::Kinds(&[Kind::Toolchain]);
    let nvcc = |facts: &Facts| {
        let nvcc = facts.toolchain.nvcc.value()?;
        Some(nvcc.cuda.map_or_else(|| nvcc.path.clone(), |cuda| format!("CUDA {cuda}")))
    };
    add("nvcc", tools(), nvcc(left), nvcc(right));
    add("gcc", tools(), known(&left.toolchain.gcc), known(&right.toolchain.gcc));
    add("ninja", tools(), known(&left.toolchain.ninja), known(&right.toolchain.ninja));
    let lock = |facts: &Facts| facts.system.memlock_bytes.value().map(|size| crate::text::bytes(*size));
    add("locked memory", system(), lock(left), lock(right));
    let python = |facts: &Facts| {
        let python = facts.python.value()?;
        let kind = if python.free_threaded { " without the global lock" } else { "" };
        Some(format!("{}{kind}", known(&python.version).unwrap_or_else(|| "?".to_owned())))
    };
    add("Python", plain(), python(left), python(right));
}

/// `2 × NVIDIA H100 80GB HBM3 (9.0)`
fn gpu_words(facts: &Facts) -> Option<String> {
    let gpus = facts.gpus.value()?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let name = |gpu: &Gpu| {
        let capability = known(&gpu.compute_capability).unwrap_or_else(|| "?".to_owned());
        format!("{} ({capability})", gpu.name.value().map_or("unnamed", String::as_str))
    };
    for gpu in gpus {
        *counts.entry(name(gpu)).or_default() += 1;
    }
    let words = counts.into_iter().map(|(name, count)| if count == 1 { name } else { format!("{count} × {name}") });
    Some(words.collect::<Vec<_>>().join(", "))
}

fn variables(left: &Facts, right: &Facts, add: &mut Add<'_>) {
    let (one, other) = (&left.system.environment, &right.system.environment);
    for name in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
        // What brings the loader to its libcuda explains whatever that library explains.
        let brings = |facts: &Facts| facts.loader.libcuda.value().is_some_and(|library| library.found_by == *name);
        let topic = match brings(left) || brings(right) {
            true => Topic::Kinds(&[Kind::Driver, Kind::DriverMismatch, Kind::ForwardCompat]),
            false => Topic::Variable(name),
        };
        add(name, topic, one.get(name).cloned(), other.get(name).cloned());
    }
}

fn distributions(left: &Facts, right: &Facts, add: &mut Add<'_>) {
    let (one, other) = (by_name(left), by_name(right));
    for name in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
        let (one, other) = (one.get(name), other.get(name));
        let version = |found: Option<&&Distribution>| found.map(|found| found.full_version().to_owned());
        let versions = (version(one), version(other));
        let same = versions.0 == versions.1;
        add(name, Topic::Distribution(name), versions.0, versions.1);
        // The same release, and yet other files.
        if let (true, Some(one), Some(other)) = (same, one, other) {
            let code = (code_words(one), code_words(other));
            add(&format!("{name}: GPU code"), Topic::Distribution(name), code.0, code.1);
            let changed = |found: &Distribution| {
                let number = found.changed.len();
                (number > 0).then(|| crate::text::count(number, "file is not as recorded", "files are not as recorded"))
            };
            add(&format!("{name}: files"), Topic::Distribution(name), changed(one), changed(other));
        }
    }
}

fn by_name(facts: &Facts) -> BTreeMap<&str, &Distribution> {
    facts.active_distributions().map(|distribution| (distribution.name.as_str(), distribution)).collect()
}

/// All targets of a distribution's libraries; none where nobody looked or there is no code.
fn code_words(distribution: &Distribution) -> Option<String> {
    let code = distribution.libraries.value()?.iter().flat_map(|library| &library.code);
    let targets: BTreeSet<_> = code.flat_map(|CodeGroup { targets, .. }| targets).collect();
    let words: Vec<_> = targets.iter().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Origin;

    fn facts(torch: &str, driver: &str) -> Facts {
        let mut facts = Facts::unknown(Origin::Host);
        facts.driver.version = Reading::host(driver.parse().unwrap(), "test");
        facts.system.environment.insert("LD_LIBRARY_PATH".to_owned(), format!("/{driver}"));
        let version = Reading::metadata(torch.to_owned(), "test");
        facts.distributions.push(Distribution { name: "torch".to_owned(), version, ..Distribution::default() });
        facts
    }

    crate::finding::rule! {
        /// Something of a package.
        SOME = "gpu-arch/{package}": GpuArch, Fail, since "0.1.0", judged on [];
    }

    fn finding(package: &str, kind: Kind, packages: &[&str]) -> Finding {
        SOME.found(&[package], "").kind(kind).packages(packages.iter().copied())
    }

    #[test]
    fn what_explains_a_finding_of_one_side_comes_first() {
        let (left, right) = (facts("2.7.1", "570.133.20"), facts("2.9.0", "580.65.06"));
        let common = finding("x", Kind::Python, &[]);
        let own = finding("torch", Kind::Requirement, &["torch"]);
        let compared = compare(&left, &right, std::slice::from_ref(&common), &[common.clone(), own]);
        let facts: Vec<_> = compared.differences.iter().map(|difference| difference.fact.as_str()).collect();
        assert_eq!(facts, ["torch", "driver", "LD_LIBRARY_PATH"]);
        assert_eq!(compared.differences[0].explains, [SOME.of(&["torch"])]);
        assert_eq!((compared.left.len(), compared.right.len()), (0, 1));
        assert!(compare(&left, &left, &[], &[]).differences.is_empty());
    }
}
