//! A package's file becomes its releases and builds: what its rows must hold, checked once, at build time.

use std::str::FromStr;

use super::extras;
use super::model::{ANY, Agreement, Build, BuiltFor, Code, LibraryChoice, Package, Partner, Release, RowSource};
use crate::pep::Version;
use crate::rules::schema::fault::{Fault, day, first_line, requirements, specifiers};
use crate::rules::schema::{
    BuildRow, BuiltForRow, CodeRow, ExtraRow, KnownHow, PackageFile, PartnerRow, ReleaseRow, SourceRow,
};
use crate::version::CudaVersion;

impl TryFrom<PackageFile> for Package {
    type Error = Fault;

    fn try_from(raw: PackageFile) -> Result<Self, Fault> {
        let mut library_choice = Vec::new();
        for (index, choice) in raw.library_choice.into_iter().enumerate() {
            let versions = specifiers(&choice.versions).map_err(|fault| fault.below("library-choice", index))?;
            library_choice.push(LibraryChoice { versions, pick: choice.pick, source: choice.source });
        }
        let mut partners = Vec::new();
        for (index, partner) in raw.partners.into_iter().enumerate() {
            let versions = specifiers(&partner.versions).map_err(|fault| fault.below("partner", index))?;
            let PartnerRow { with, cuda, release, extra, loads_without_cuda, otherwise, source, .. } = partner;
            let agreement = match (cuda, release, extra) {
                (Some(cuda), None, None) => Agreement::Cuda(cuda),
                (None, Some(release), None) => Agreement::Release(release),
                (None, None, Some(extra)) => Agreement::Extra(extra),
                _ => {
                    let message = "a partner states one of `cuda`, `release` and `extra`";
                    return Err(Fault::new(message).below("partner", index));
                }
            };
            partners.push(Partner { with, versions, agreement, loads_without_cuda, otherwise, source });
        }
        let mut built_for = Vec::new();
        for (index, BuiltForRow { versions, cuda, source }) in raw.built_for.into_iter().enumerate() {
            let versions = specifiers(&versions).map_err(|fault| fault.below("built-for", index))?;
            built_for.push(BuiltFor { versions, cuda, source });
        }
        let mut releases: Vec<Release> = Vec::new();
        for (index, release) in raw.releases.into_iter().enumerate() {
            let mut release = Release::try_from(release).map_err(|fault| fault.below("release", index))?;
            for code in release.builds.iter_mut().flat_map(|build| &mut build.code) {
                code.whole = raw.whole;
                code.optional = raw.optional_code.is_some();
            }
            if let Some(row) = built_for.iter().find(|row| row.versions.contains(&release.version)) {
                for build in release.builds.iter_mut().filter(|build| !build.code.is_empty()) {
                    build.cuda = build.cuda.or(Some(row.cuda));
                }
            }
            if releases.last().is_some_and(|last| last.version >= release.version) {
                let message = format!("release {} is not above the one before it", release.version);
                return Err(Fault::new(message).below("release", index));
            }
            for (row, build) in release.builds.iter().enumerate() {
                if build.code.iter().any(|code| code.for_cuda.is_some()) && library_choice.is_empty() {
                    let message = "`for-cuda` needs a `library-choice` table at the top of the file";
                    return Err(Fault::new(message).below("build", row).below("release", index));
                }
            }
            releases.push(release);
        }
        let packed_extras = extras::pack(&raw.extras_read, &raw.extras, &versions_of(&releases))?;
        let PackageFile { package: name, whole, walk, headline, partial, .. } = raw;
        let mut package =
            Self { name, whole, walk, library_choice, built_for, partners, headline, partial, packed_extras, releases };
        package.share_extras();
        Ok(package)
    }
}

impl TryFrom<ReleaseRow> for Release {
    type Error = Fault;

    fn try_from(raw: ReleaseRow) -> Result<Self, Fault> {
        let version = Version::from_str(&raw.version);
        let version =
            version.map_err(|error| Fault::new(format!("`{}`: {}", raw.version, first_line(&error.to_string()))))?;
        if !version.local().is_empty() {
            return Err(Fault::new(format!("release {version} carries a local label; labels belong to builds")));
        }
        day(&raw.date)?;
        let requires_python = raw.requires_python.as_deref().map(specifiers).transpose()?;
        requirements(&raw.requires)?;
        let mut builds = Vec::<Build>::new();
        for (index, build) in raw.builds.into_iter().enumerate() {
            let build = Build::try_from(build).map_err(|fault| fault.below("build", index))?;
            if builds.iter().any(|other| {
                (&other.local, &other.index, &other.platform) == (&build.local, &build.index, &build.platform)
            }) {
                return Err(Fault::new("two builds with the same label, index and platform").below("build", index));
            }
            builds.push(build);
        }
        let stated = match raw.requires_known {
            None | Some(KnownHow::Unknown) => false,
            Some(KnownHow::Stated) => true,
            Some(_) => {
                return Err(Fault::new(
                    "`requires-known` is `stated`, `unknown` or left out: the rest follows from the source",
                ));
            }
        };
        if raw.requires_known.is_some() && !builds.iter().all(Build::is_source) {
            return Err(Fault::new("`requires-known` is for releases that have a source distribution only"));
        }
        if raw.requires_known == Some(KnownHow::Unknown) && !raw.requires.is_empty() {
            return Err(Fault::new("`requires` of a release whose requirements are unknown"));
        }
        let (date, yanked, requires) = (raw.date, raw.yanked, raw.requires);
        Ok(Self {
            version,
            date,
            yanked,
            requires_python,
            requires,
            stated,
            own_extras: None,
            shared_extras: None,
            builds,
        })
    }
}

impl TryFrom<BuildRow> for Build {
    type Error = Fault;

    fn try_from(raw: BuildRow) -> Result<Self, Fault> {
        if !matches!(raw.platform.as_str(), "linux_x86_64" | "linux_aarch64" | ANY) {
            let message = format!("platform `{}` is none of linux_x86_64, linux_aarch64, {ANY}", raw.platform);
            return Err(Fault::new(message));
        }
        if let Some(named) = raw.local.as_deref().and_then(CudaVersion::from_variant)
            && raw.cuda != Some(named)
        {
            return Err(Fault::new(format!("label `{}` says CUDA {named}, `cuda` does not", named.variant())));
        }
        let python = raw.python.iter().map(|tag| tag.parse()).collect::<Result<_, _>>()?;
        requirements(&raw.requires)?;
        let mut code = Vec::new();
        for (index, entry) in raw.code.into_iter().enumerate() {
            code.push(Code::try_from(entry).map_err(|fault| fault.below("code", index))?);
        }
        Ok(Self {
            local: raw.local,
            cuda: raw.cuda,
            index: raw.index,
            platform: raw.platform,
            glibc: raw.glibc,
            python,
            cxx11_abi: raw.cxx11_abi,
            requires: raw.requires,
            code,
            assembles: raw.assembles,
            source: raw.source.try_into()?,
        })
    }
}

impl TryFrom<CodeRow> for Code {
    type Error = Fault;

    fn try_from(raw: CodeRow) -> Result<Self, Fault> {
        if raw.sass.iter().any(|target| target.ptx) || raw.ptx.iter().any(|target| !target.ptx) {
            return Err(Fault::new("`sass` holds `sm_…` targets and `ptx` holds `compute_…` targets"));
        }
        let special: Vec<_> = raw.special.into_iter().map(|entry| (entry.target, entry.containers)).collect();
        if let Some(all) = raw.containers
            && special.iter().any(|&(_, count)| count == 0 || count > all)
        {
            return Err(Fault::new(format!(
                "a special target counts more than the {all} containers there are, or none"
            )));
        }
        Ok(Self {
            for_cuda: raw.for_cuda,
            whole: false,
            optional: false,
            containers: raw.containers,
            sass: raw.sass,
            ptx: raw.ptx,
            special,
        })
    }
}

impl TryFrom<SourceRow> for RowSource {
    type Error = Fault;

    fn try_from(raw: SourceRow) -> Result<Self, Fault> {
        day(&raw.read)?;
        match raw {
            SourceRow { wheel: Some(file), sdist: None, sha256: Some(sha256), page: None, read }
            | SourceRow { wheel: None, sdist: Some(file), sha256: Some(sha256), page: None, read } => {
                if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(Fault::new("`sha256` is 64 hexadecimal digits"));
                }
                Ok(Self::Wheel { file, sha256, read })
            }
            SourceRow { wheel: None, sdist: None, sha256: None, page: Some(page), read } => {
                Ok(Self::Page { page, read })
            }
            _ => Err(Fault::new("a source is a `wheel` or `sdist` with its `sha256`, or a `page`")),
        }
    }
}

/// Gives each release its own extras, which it keeps where it goes without its package.
pub fn unpack_extras(read: &[String], rows: &[ExtraRow], releases: &mut [Release]) -> Result<(), Fault> {
    let versions = versions_of(releases);
    for (release, extras) in releases.iter_mut().zip(extras::by_release(read, rows, &versions)?) {
        release.own_extras = extras;
    }
    Ok(())
}

fn versions_of(releases: &[Release]) -> Vec<Version> {
    releases.iter().map(|release| release.version.clone()).collect()
}
