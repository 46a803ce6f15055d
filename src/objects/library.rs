//! One shared library as a whole: device code, what the loader reads, what it lacks.

use std::collections::BTreeMap;

use super::ReadAt;
use super::elf::lookup::{Dynamic, Object, Undefined};
use super::elf::{ElfError, Layout, Machine};
use super::fatbin::{self, Container, Home};
use crate::facts::CodeGroup;
use crate::version::{CodeTarget, CudaVersion};

/// Sections of constants above this size are not searched for the mark of NumPy's C API.
const MAX_CONSTANTS: u64 = 16 << 20;
/// No more sections of constants than this are searched: libraries have fewer than ten.
const MAX_SECTIONS: usize = 16;

/// What the headers of a library say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedLibrary {
    /// The processor of its host code.
    pub machine: Machine,
    /// Where its sections lie.
    pub layout: Layout,
    /// Device code that the CUDA runtime registers: containers with the same targets together.
    pub code: Vec<CodeGroup>,
    /// Relocatable device code, of use only to a device linker.
    pub relocatable: Vec<CodeGroup>,
    /// Device code in other sections, which the library loads itself; empty unless it was looked for.
    pub elsewhere: Vec<CodeGroup>,
    /// What the loader reads first.
    pub dynamic: Dynamic,
    /// The highest version that it needs of each family, e.g. `CXXABI_1.3.9`, `GLIBC_2.28`, `GLIBCXX_3.4.26`.
    pub versions: Vec<String>,
}

impl SharedLibrary {
    /// Reads the headers of an opened library, not its symbols.
    ///
    /// # Errors
    ///
    /// If it is damaged.
    pub fn read<R: ReadAt + ?Sized>(data: &R, object: &Object<'_, R>) -> Result<Self, ElfError> {
        let layout = object.layout()?;
        let containers = fatbin::read_sections(data, &layout)?;
        Self::with(object, layout, &containers)
    }

    /// Reads the headers of an opened library, and leaves its device code alone.
    ///
    /// # Errors
    ///
    /// If it is damaged.
    pub fn read_host_code<R: ReadAt + ?Sized>(object: &Object<'_, R>) -> Result<Self, ElfError> {
        Self::with(object, object.layout()?, &[])
    }

    /// Reads the headers of an opened library, and searches its other sections for device code.
    ///
    /// # Errors
    ///
    /// If it is damaged.
    pub fn read_everywhere<R: ReadAt + ?Sized>(data: &R, object: &Object<'_, R>) -> Result<Self, ElfError> {
        let layout = object.layout()?;
        let containers = fatbin::read_everywhere(data, &layout)?;
        Self::with(object, layout, &containers)
    }

    /// Reads the headers of a library whose containers are known.
    ///
    /// # Errors
    ///
    /// If it is damaged.
    pub fn with<R: ReadAt + ?Sized>(
        object: &Object<'_, R>,
        layout: Layout,
        containers: &[Container],
    ) -> Result<Self, ElfError> {
        Ok(Self {
            machine: object.machine(),
            code: groups(containers, Home::Registered),
            relocatable: groups(containers, Home::Relocatable),
            elsewhere: groups(containers, Home::Elsewhere),
            dynamic: object.dynamic()?,
            versions: highest_versions(object)?,
            layout,
        })
    }
}

impl SharedLibrary {
    /// The CUDA major that it is linked with, e.g. 12.0 for one that needs `libcudart.so.12`; none if it brings its own.
    #[must_use]
    pub fn cuda(&self) -> Option<CudaVersion> {
        let runtime = self.dynamic.needed.iter().find_map(|name| name.strip_prefix("libcudart.so."))?;
        Some(CudaVersion::new(runtime.split('.').next()?.parse().ok()?, 0))
    }
}

/// Containers with the same targets together.
#[must_use]
pub fn groups(containers: &[Container], home: Home) -> Vec<CodeGroup> {
    let mut groups: BTreeMap<Vec<CodeTarget>, u32> = BTreeMap::new();
    for container in containers.iter().filter(|container| container.home == home) {
        let mut targets: Vec<_> = container.images.iter().map(|image| image.target).collect();
        targets.sort_unstable();
        targets.dedup();
        *groups.entry(targets).or_default() += 1;
    }
    groups.into_iter().map(|(targets, containers)| CodeGroup { containers, targets }).collect()
}

/// The numbers of a symbol version, e.g. 3, 4, 26 of `GLIBCXX_3.4.26`.
#[must_use]
pub fn version_numbers(version: &str) -> Vec<u32> {
    let (_, numbers) = version.rsplit_once('_').unwrap_or_default();
    numbers.split('.').map_while(|number| number.parse().ok()).collect()
}

fn highest_versions<R: ReadAt + ?Sized>(object: &Object<'_, R>) -> Result<Vec<String>, ElfError> {
    let mut highest: BTreeMap<&str, (Vec<u32>, String)> = BTreeMap::new();
    for (version, file) in object.needed_versions()? {
        // A copy that the wheel brings along has another name, and all that is needed of it.
        if file != "libstdc++.so.6" && !version.starts_with("GLIBC_") {
            continue;
        }
        let family = ["GLIBC", "GLIBCXX", "CXXABI"].into_iter().find(|family| {
            version.strip_prefix(family).is_some_and(|rest| rest.starts_with('_') && !rest.contains("PRIVATE"))
        });
        let Some(family) = family else { continue };
        let numbers = version_numbers(&version);
        let entry = highest.entry(family).or_default();
        if numbers > entry.0 {
            *entry = (numbers, version);
        }
    }
    Ok(highest.into_values().map(|(_, version)| version).collect())
}

/// Whether a library is a module that Python imports: it exports `PyInit_` and its name up to the first dot.
///
/// # Errors
///
/// If its tables cannot be read.
pub fn is_python_module<R: ReadAt + ?Sized>(object: &Object<'_, R>, file_name: &str) -> Result<bool, ElfError> {
    object.exports()?.has(&format!("PyInit_{}", file_name.split('.').next().unwrap_or_default()))
}

/// The CUDA version in the name of a library that was made for one, e.g. 12.6 in `libbitsandbytes_cuda126.so`.
#[must_use]
pub fn cuda_in_name(file_name: &str) -> Option<CudaVersion> {
    let (_, rest) = file_name.rsplit_once("_cuda")?;
    CudaVersion::from_variant(&format!("cu{}", rest.split('.').next()?.split('_').next()?))
}

/// Whether a Python module was compiled with the headers of NumPy 1 and uses its C API, so that NumPy 2 refuses it.
///
/// `import_array()` in NumPy 2's headers imports `numpy._core._multiarray_umath` and falls back to the old name; that of
/// NumPy 1 knows `numpy.core._multiarray_umath` only (`numpy/core/include/numpy/__multiarray_api.h` of both).
///
/// # Errors
///
/// If its constants cannot be read.
pub fn is_for_numpy_1<R: ReadAt + ?Sized>(data: &R, layout: &Layout) -> Result<bool, ElfError> {
    let mut old = false;
    let constants = layout.sections.iter().filter(|section| section.name.starts_with(".rodata"));
    for section in constants.take(MAX_SECTIONS) {
        let size = section.range.end.saturating_sub(section.range.start);
        if size > MAX_CONSTANTS || section.range.end > data.size() {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        data.read_exact_at(section.range.start, &mut bytes)?;
        let has = |text: &str| memchr::memmem::find(&bytes, text.as_bytes()).is_some();
        if has("numpy._core._multiarray_umath") {
            return Ok(false);
        }
        old |= has("numpy.core._multiarray_umath") && has("_ARRAY_API");
    }
    Ok(old)
}

/// The names of the symbols that another library must export.
///
/// # Errors
///
/// If a table lies outside the file.
pub fn undefined_names<R: ReadAt + ?Sized>(object: &Object<'_, R>) -> Result<Vec<String>, ElfError> {
    let mut names: Vec<_> = object.undefined()?.into_iter().map(|Undefined { name, .. }| name).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}
