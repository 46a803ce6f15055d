//! What a harvest reads of one file of an index: the metadata, and of a wheel that holds code what its libraries and its own words say.

use std::collections::BTreeMap;

use anyhow::Context;
use indicatif::{MultiProgress, ProgressBar};

use super::progress;
use crate::harvest::{self, Reading};
use crate::index::client::Client;
use crate::index::remote::RemoteWheel;
use crate::index::simple::File;
use crate::objects::elf::{self, Machine};
use crate::objects::fatbin::{Home, Tally};
use crate::python::metadata::Metadata;
use crate::python::sdist::Sdist;
use crate::python::stated::stated;
use crate::rules::role::is_nvidias;

/// The wheels with `cuda_runtime_api.h`, the CUDA of the name aside.
const CUDA_RUNTIME: &str = "nvidia-cuda-runtime";

/// A source distribution.
///
/// # Errors
///
/// When it cannot be fetched, or is no archive.
pub async fn read_sdist(client: &Client, file: &File) -> anyhow::Result<Reading> {
    let archive = client.whole(&file.url, file.sha256.as_deref()).await?;
    let sdist = tokio::task::spawn_blocking(move || Sdist::read(&archive)).await?;
    let sdist = sdist.with_context(|| format!("failed to read the archive `{}`", file.url))?;
    let stated = stated(&sdist);
    Ok(Reading { unstated: stated.is_none(), metadata: stated.unwrap_or_default(), ..Reading::default() })
}

/// The METADATA of a wheel, alone where the index serves it so (PEP 658).
///
/// # Errors
///
/// When it cannot be fetched.
pub async fn read_metadata(client: &Client, file: &File) -> anyhow::Result<Metadata> {
    match file.metadata_url() {
        Some(url) => Ok(Metadata::parse(&String::from_utf8_lossy(&client.whole(&url, None).await?))),
        None => metadata_of(&RemoteWheel::open(client, &file.url).await?).await,
    }
}

async fn metadata_of(wheel: &RemoteWheel) -> anyhow::Result<Metadata> {
    let metadata = wheel
        .members
        .iter()
        .find(|member| member.name.ends_with(".dist-info/METADATA") && member.name.matches('/').count() == 1);
    let metadata = metadata.context("no METADATA in the wheel")?;
    Ok(Metadata::parse(&String::from_utf8_lossy(&wheel.read(metadata).await?)))
}

/// Whether NVIDIA's wheel is the one whose headers state the CUDA: only that one is opened beyond its METADATA.
fn has_headers(package: &str) -> bool {
    package.strip_prefix(CUDA_RUNTIME).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// A wheel; how far it is shows a bar.
///
/// # Errors
///
/// When it cannot be fetched, or is no wheel.
pub async fn read_wheel(client: &Client, package: &str, file: &File, bars: &MultiProgress) -> anyhow::Result<Reading> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    // Of NVIDIA's wheels only METADATA matters.
    if file.has_metadata && is_nvidias(package) && !has_headers(package) {
        return Ok(Reading { metadata: read_metadata(client, file).await?, ..Reading::default() });
    }
    let wheel = RemoteWheel::open(client, &file.url).await?;
    let mut reading = Reading { metadata: metadata_of(&wheel).await?, ..Reading::default() };
    let folder = package.replace('-', "_");
    if let Some(member) = wheel.member(&format!("{folder}/version.py")) {
        (reading.local, reading.cuda) = harvest::read_version_py(&text(wheel.read(member).await?));
    }
    if let Some(member) = wheel.member(&format!("{folder}/cpp_lib.json")) {
        reading.cuda = harvest::read_cpp_lib(&text(wheel.read(member).await?)).or(reading.cuda);
    }
    if let Some(member) = harvest::BUILD_INFO.iter().find_map(|name| wheel.member(name)) {
        reading.cuda = harvest::read_build_info(&text(wheel.read(member).await?)).or(reading.cuda);
    }
    if let Some(member) = wheel.members.iter().find(|member| member.name.ends_with("/libc10.so")) {
        let linkage = elf::linkage(wheel.read(member).await?.as_slice())?;
        reading.cxx11_abi = harvest::cxx11_abi(&linkage);
    }
    if is_nvidias(package) {
        let header = wheel.members.iter().find(|member| member.name.ends_with("/include/cuda_runtime_api.h"));
        if let Some(member) = header.filter(|_| has_headers(package)) {
            reading.cuda = harvest::read_cudart_header(&text(wheel.read(member).await?));
        }
        // NVIDIA's libraries run on what the CUDA release runs on: which code they hold decides nothing.
        return Ok(reading);
    }
    let own: Vec<_> = wheel.members.iter().filter(|member| harvest::is_own_library(&member.name)).collect();
    let bar = bars.add(ProgressBar::new(own.iter().map(|member| member.packed).sum()));
    bar.set_style(progress::style("  {msg} {bytes}/{total_bytes} at {bytes_per_sec}, {eta} left"));
    bar.set_message(file.name.clone());
    let mut libraries = BTreeMap::new();
    for member in own {
        let Some((layout, containers)) = wheel.fat_binaries(member, |bytes| bar.inc(bytes)).await? else { continue };
        reading.platform = match layout.machine {
            Machine::X86_64 => Some("linux_x86_64".to_owned()),
            Machine::Aarch64 => Some("linux_aarch64".to_owned()),
            Machine::Other(_) => reading.platform,
        };
        libraries.insert(member.name.clone(), Tally::of(&containers, Home::Registered));
    }
    bar.finish_and_clear();
    reading.code = harvest::codes(&libraries);
    Ok(reading)
}
