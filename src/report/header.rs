//! The host and the environment in a line or two.

use crate::facts::{Facts, Gpu, Reading, TORCH};

/// The machine: system, driver, GPUs. Empty where nothing of it is known.
pub fn host(facts: &Facts) -> String {
    let system = &facts.system;
    let mut parts = Vec::new();
    let kind = system.container.value().map(ToString::to_string);
    let wsl = system.wsl.value().map(|version| format!("WSL {version}"));
    let around: Vec<String> = kind.into_iter().chain(wsl).collect();
    if let Some(os) = system.distro.value().or(system.os.value()) {
        let around = if around.is_empty() { String::new() } else { format!(" ({})", around.join(", ")) };
        let os = match os.as_str() {
            "linux" => "Linux",
            "windows" => "Windows",
            os => os,
        };
        parts.push(format!("{os}{around}"));
    } else {
        parts.extend(around);
    }
    // What a torch without CUDA reports of a machine says nothing about it.
    let blind = facts.pasted.is_some() && is_cpu_build(facts);
    match &facts.driver.version {
        _ if blind && facts.driver.version.is_absent() => {}
        Reading::Known { value, .. } => parts.push(format!("driver {value}")),
        Reading::Partly { part, .. } => parts.push(format!("driver {}", part.said())),
        Reading::Absent { .. } => parts.push("no NVIDIA driver".to_owned()),
        Reading::Unreadable { .. } => parts.push("driver not readable".to_owned()),
        Reading::Unknown => {}
    }
    if let Some(library) = facts.loader.libcuda.value().filter(|library| library.compat) {
        let version = library.version.value().map_or_else(String::new, |version| format!(" {version}"));
        parts.push(format!("cuda-compat{version}"));
    }
    match &facts.gpus {
        Reading::Known { value, .. } if !value.is_empty() => parts.extend(by_kind(value)),
        Reading::Unreadable { .. } => parts.push("GPUs not readable".to_owned()),
        Reading::Unknown | Reading::Partly { .. } => {}
        _ if blind => {}
        _ => parts.push("no NVIDIA GPU".to_owned()),
    }
    parts.join(", ")
}

/// Whether torch is known to be built without CUDA.
fn is_cpu_build(facts: &Facts) -> bool {
    facts
        .distribution(TORCH)
        .is_some_and(|torch| torch.build.cuda.is_absent() || torch.full_version().ends_with("+cpu"))
}

/// `8 x NVIDIA H20 (9.0)`: GPUs of one kind together, in the order of the first of each.
fn by_kind(gpus: &[Gpu]) -> Vec<String> {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for gpu in gpus {
        let name = gpu.name.value().map_or("GPU", String::as_str);
        let capability = gpu.compute_capability.value().map(|capability| format!(" ({capability})"));
        let mig = if gpu.mig.value() == Some(&true) { ", MIG" } else { "" };
        let kind = format!("{name}{}{mig}", capability.unwrap_or_default());
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, number)) => *number += 1,
            None => kinds.push((kind, 1)),
        }
    }
    let words = |(kind, number)| if number == 1 { kind } else { format!("{number} x {kind}") };
    kinds.into_iter().map(words).collect()
}

/// The environment: Python, where it is, and which of `named` is installed. Empty where nothing of it is known.
pub fn environment(facts: &Facts, named: &[String]) -> String {
    let mut parts = Vec::new();
    match &facts.python {
        Reading::Known { value, .. } => {
            let version = value.version.value().map_or_else(String::new, |version| format!(" {version}"));
            let place = if facts.pasted.is_some() { String::new() } else { format!(" in {}", value.prefix) };
            if facts.pasted.is_none() || !version.is_empty() {
                parts.push(format!("Python{version}{place}"));
            }
        }
        Reading::Absent { .. } => parts.push("no Python found".to_owned()),
        Reading::Unreadable { error } => parts.push(format!("Python not readable: {error}")),
        Reading::Unknown | Reading::Partly { .. } => {}
    }
    let stack = named.iter().filter_map(|name| facts.distribution(name));
    parts.extend(stack.map(|it| match it.full_version() {
        "?" => it.name.clone(),
        version => format!("{} {version}", it.name),
    }));
    if facts.lists_all() && facts.distribution(TORCH).is_none() {
        parts.push("no torch".to_owned());
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_of_one_kind_are_counted() {
        let gpu = |name: &str, capability: &str, index| Gpu {
            index,
            name: Reading::host(name.to_owned(), "a test"),
            compute_capability: Reading::host(capability.parse().expect("a compute capability"), "a test"),
            ..Gpu::default()
        };
        let gpus = [gpu("NVIDIA H20", "9.0", 0), gpu("NVIDIA A10", "8.6", 1), gpu("NVIDIA H20", "9.0", 2)];
        assert_eq!(by_kind(&gpus), ["2 x NVIDIA H20 (9.0)", "NVIDIA A10 (8.6)"]);
        assert_eq!(by_kind(&[Gpu::default()]), ["GPU"]);
    }
}
