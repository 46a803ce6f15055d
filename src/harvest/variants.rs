//! Builds that no opened wheel tells of: those of the per-CUDA indexes, from a table of the official build matrices.
//!
//! The table is a TOML file with `[[release]]` (versions, companions, C++ ABI) and below it `[[release.variant]]` (name such
//! as `cu128`, platform, architectures, source, confidence). Rows of low confidence are left out, and so is what a wheel
//! on PyPI tells better.

use serde::Deserialize;

use super::wheels::{PYPI, asks_runtime_wheel, sort_builds};
use crate::rules::schema::{BuildRow, CodeRow, PackageFile, SourceRow};
use crate::version::{CodeTarget, ComputeCapability, CudaVersion, GlibcVersion, Reach};

/// A table of build matrices.
#[derive(Debug, Deserialize)]
pub struct Matrices {
    /// The day it was compiled.
    as_of: String,
    index: Index,
    #[serde(rename = "release")]
    releases: Vec<Series>,
}

#[derive(Debug, Deserialize)]
struct Index {
    /// Where CPU builds of all releases lie.
    cpu: String,
}

#[derive(Debug, Deserialize)]
struct Series {
    versions: Vec<String>,
    glibc_min: String,
    cxx11_abi: bool,
    /// The companion's release, e.g. `0.22.x`, perhaps with a remark behind it.
    torchvision: String,
    torchaudio: String,
    #[serde(rename = "variant")]
    variants: Vec<Variant>,
}

#[derive(Debug, Deserialize)]
struct Variant {
    name: String,
    platform: String,
    archs: Vec<ComputeCapability>,
    ptx: bool,
    source: String,
    confidence: String,
}

impl Series {
    fn covers(&self, package: &str, version: &str) -> bool {
        let companion = match package {
            "torch" => return self.versions.iter().any(|own| own == version),
            "torchvision" => &self.torchvision,
            "torchaudio" => &self.torchaudio,
            _ => return false,
        };
        let companion = companion.split_whitespace().next().unwrap_or_default();
        match companion.strip_suffix(".x") {
            Some(series) => version.strip_prefix(series).is_some_and(|rest| rest.starts_with('.')),
            None => companion == version,
        }
    }

    /// The oldest glibc, and the C++ ABI, unless they differ from variant to variant.
    fn levels(&self) -> (Option<GlibcVersion>, Option<bool>) {
        let glibc = self.glibc_min.parse().ok();
        (glibc, glibc.map(|_| self.cxx11_abi))
    }
}

impl Variant {
    fn code(&self) -> CodeRow {
        let target = |&capability: &ComputeCapability, ptx| CodeTarget { ptx, capability, reach: Reach::Forward };
        let ptx = self.archs.last().filter(|_| self.ptx).map(|last| target(last, true));
        CodeRow {
            for_cuda: None,
            containers: None,
            sass: self.archs.iter().map(|arch| target(arch, false)).collect(),
            ptx: ptx.into_iter().collect(),
            special: Vec::new(),
        }
    }
}

/// Replaces the builds that came from such a table by those of this one.
///
/// For torch with its targets. For torchvision and torchaudio, which are built along with torch, without, and for x86_64
/// only: the table lists torch's variants. Python tags are those of PyPI's build.
pub fn add(package: &mut PackageFile, matrices: &Matrices) {
    let is_torch = package.package == "torch";
    for release in &mut package.releases {
        // A companion that serves several series of torch was built with the first.
        let series = matrices.releases.iter().find(|series| series.covers(&package.package, &release.version));
        let Some(series) = series else { continue };
        release.builds.retain(|build| build.source.page.is_none());
        let (glibc, cxx11_abi) = series.levels();
        let row = |release: &[BuildRow], name: &str, platform: &str, page: &str| BuildRow {
            local: Some(name.to_owned()),
            cuda: CudaVersion::from_variant(name),
            index: name.to_owned(),
            platform: platform.to_owned(),
            glibc,
            python: release
                .iter()
                .find(|build| build.index == PYPI && build.platform == platform)
                .map(|build| build.python.clone())
                .unwrap_or_default(),
            cxx11_abi: cxx11_abi.filter(|_| is_torch),
            requires: if name == "cpu" { Vec::new() } else { shared_requirements(release, platform) },
            code: Vec::new(),
            assembles: Vec::new(),
            source: SourceRow {
                wheel: None,
                sdist: None,
                sha256: None,
                page: Some(page.trim().to_owned()),
                read: matrices.as_of.clone(),
            },
        };
        for variant in series.variants.iter().filter(|variant| variant.confidence != "low") {
            let platform = variant.platform.replace('-', "_");
            let on_pypi =
                |build: &BuildRow| build.platform == platform && build.local.as_deref() == Some(variant.name.as_str());
            if release.builds.iter().any(on_pypi) || !(is_torch || platform == "linux_x86_64") {
                continue;
            }
            let mut build = row(&release.builds, &variant.name, &platform, &variant.source);
            if is_torch {
                build.code.push(variant.code());
            }
            release.builds.push(build);
        }
        let cpu = row(&release.builds, "cpu", "linux_x86_64", &matrices.index.cpu);
        release.builds.push(cpu);
        sort_builds(&mut release.builds);
    }
}

/// What PyPI's build of a platform requires beyond NVIDIA's runtime wheels, which differ from variant to variant: the pin of
/// triton, above all, is one and the same for all CUDA variants of a release of torch.
fn shared_requirements(builds: &[BuildRow], platform: &str) -> Vec<String> {
    let published = builds.iter().find(|build| build.index == PYPI && build.platform == platform);
    let requires = published.map(|build| build.requires.as_slice()).unwrap_or_default();
    requires.iter().filter(|line| !asks_runtime_wheel(line)).cloned().collect()
}

/// What each release of Triton can assemble, as measured by running it.
#[derive(Debug, Deserialize)]
pub struct Measured {
    #[serde(rename = "release")]
    releases: Vec<MeasuredRelease>,
}

#[derive(Debug, Deserialize)]
struct MeasuredRelease {
    version: String,
    /// The compute capabilities for which two kernels were assembled.
    #[serde(default)]
    ok: Vec<ComputeCapability>,
}

/// Writes the measured lists into the builds for the platform where they were measured, linux_x86_64.
pub fn add_measured(package: &mut PackageFile, measured: &Measured) {
    for row in &measured.releases {
        for release in package.releases.iter_mut().filter(|release| release.version == row.version) {
            for build in release.builds.iter_mut().filter(|build| build.platform == "linux_x86_64") {
                build.assembles.clone_from(&row.ok);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATRICES: &str = r#"
        as_of = "2026-11-20"
        [index]
        cpu = "https://index.example/cpu (all releases)"
        [[release]]
        versions = ["2.7.0", "2.7.1"]
        glibc_min = "2.28"
        cxx11_abi = true
        torchvision = "0.22.x (a remark)"
        torchaudio = "2.7.1"
        variant = [
            { name = "cu126", platform = "linux-x86_64", archs = ["8.0"], ptx = false, source = "a", confidence = "high" },
            { name = "cu128", platform = "linux-x86_64", archs = ["9.0", "12.0"], ptx = true, source = " b", confidence = "medium" },
            { name = "cu129", platform = "linux-x86_64", archs = ["9.0"], ptx = true, source = "c", confidence = "low" },
            { name = "cu128", platform = "linux-aarch64", archs = ["9.0"], ptx = false, source = "d", confidence = "high" },
        ]"#;

    fn with(package: &str, version: &str) -> Vec<BuildRow> {
        let text = format!(
            "package = \"{package}\"\n[[release]]\nversion = \"{version}\"\ndate = \"2025-06-04\"\n[[release.build]]\n\
             local = \"cu126\"\ncuda = \"12.6\"\nindex = \"pypi\"\nplatform = \"linux_x86_64\"\npython = [\"cp311\"]\n\
             source = {{ wheel = \"w\", read = \"2026-11-21\" }}\n"
        );
        let mut rows: PackageFile = toml::from_str(&text).unwrap();
        add(&mut rows, &toml::from_str(MATRICES).unwrap());
        let once = rows.clone();
        add(&mut rows, &toml::from_str(MATRICES).unwrap());
        assert_eq!(rows, once);
        rows.releases.remove(0).builds
    }

    #[test]
    fn torch_gets_what_pypi_does_not_have() {
        let builds = with("torch", "2.7.1");
        let shown: Vec<_> = builds.iter().map(|build| (build.index.as_str(), build.platform.as_str())).collect();
        let (x86, arm) = ("linux_x86_64", "linux_aarch64");
        assert_eq!(shown, [("pypi", x86), ("cu128", x86), ("cpu", x86), ("cu128", arm)]);
        assert_eq!(builds[1].code[0].sass.iter().map(ToString::to_string).collect::<Vec<_>>(), ["sm_90", "sm_120"]);
        assert_eq!(builds[1].code[0].ptx[0].to_string(), "compute_120");
        assert_eq!(
            (builds[1].python.as_slice(), builds[1].source.page.as_deref()),
            (&["cp311".to_owned()][..], Some("b"))
        );
        assert_eq!((builds[2].local.as_deref(), builds[2].cuda, builds[2].code.len()), (Some("cpu"), None, 0));
    }

    #[test]
    fn companions_get_the_variants_without_code() {
        let builds = with("torchvision", "0.22.1");
        assert_eq!(builds.len(), 3);
        assert_eq!((builds[1].local.as_deref(), builds[1].code.len(), builds[1].cxx11_abi), (Some("cu128"), 0, None));
        assert_eq!(with("torchaudio", "2.7.0").len(), 1);
        assert_eq!(with("torchvision", "0.220.1").len(), 1);
    }
}
