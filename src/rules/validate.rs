//! What must hold of the hand-kept rule files beyond their format.

use std::collections::BTreeMap;

use super::model::{Fault, day, specifiers};
use super::raw_platform::{RawAdvisory, RawCuda, RawDriver, RawForwardCompat, RawGpus, RawIndexes, RawPage};

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
        if row.devices.iter().any(|id| id.len() != 4 || u16::from_str_radix(id, 16).is_err()) {
            return Err(fault("product", index, "a device id is four hexadecimal digits"));
        }
    }
    Ok(())
}

/// Checks `platform/cuda.toml`.
pub fn cuda(raw: &RawCuda) -> Result<(), Fault> {
    pages(&raw.sources)?;
    for (index, row) in raw.toolkits.iter().enumerate() {
        cited(&raw.sources, &row.source, "toolkit", index)?;
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
    for (index, when) in raw.when.iter().enumerate() {
        let texts = [&when.cuda, &when.capability, &when.driver, &when.python];
        for text in texts.into_iter().flatten() {
            specifiers(text).map_err(|found| fault("when", index, &found.message))?;
        }
        for line in &when.installed {
            line.parse::<pep508_rs::Requirement<pep508_rs::VerbatimUrl>>()
                .map_err(|error| fault("when", index, &format!("`{line}`: {error}")))?;
        }
    }
    if !raw.examples.iter().any(|example| example.hits) || raw.examples.iter().all(|example| example.hits) {
        return Err(whole("an advisory needs an example that it hits and a near miss that it does not".to_owned()));
    }
    Ok(())
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
