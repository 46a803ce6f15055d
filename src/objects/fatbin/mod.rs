//! CUDA fat binaries inside a shared object: which device code it carries, for which GPUs.
//!
//! `nvcc` leaves one *container* per compiled file in the section `.nv_fatbin`, and relocatable device code (`-rdc`) in
//! `__nv_relfatbin`. A container holds *images*: machine code (a cubin) or PTX for one target each. NVIDIA does not
//! document the format; what follows was checked against `cuobjdump -all` on published wheels. All numbers are
//! little-endian, containers start at multiples of 8.
//!
//! ```text
//! container   0  u32 magic 0xBA55ED50     image   0  u16 kind: 1 PTX, 2 machine code
//!             4  u16 version (1)                  2  u16 version
//!             6  u16 header size (16)             4  u32 header size (64 and more)
//!             8  u64 size of the images           8  u64 payload size, padding included
//!                                                28  u32 target, e.g. 120 for sm_120
//!                                                40  u64 flags: 0x2000 LZ4, 0x8000 zstd,
//!                                                        0x100000 `a`, 0x200000 `f`
//!                                                56  u64 size when decompressed
//! ```
//!
//! Headers are never compressed, so a 1 GB library is told by some kilobytes of it. One walker serves two kinds of input:
//! [`read`] jumps from header to header in a file, [`StreamWalker`] watches a stream go by (a deflated member of a wheel).
//! A stream tells where its sections are only at its end. So the walker takes everything that looks like a container, and
//! compares with the section table when that has passed; in the rare case that this leaves a doubt it asks for the
//! stream once more.
//!
//! Some libraries keep device code in other sections too, whence they load it themselves. The two readers look there only
//! when asked ([`read_everywhere`], [`StreamWalker::everywhere`]), because what lies between must be searched:
//!
//! | library                            | section          | size   | containers | searched, time more   |
//! |------------------------------------|------------------|--------|------------|-----------------------|
//! | torch 1.13.1, libtorch_cuda_cpp.so | `.data`          | 99 MB  | 318        | 5.6 MB, 0.9 ms        |
//! | nvidia-cusparselt-cu12 0.6.2       | `.rodata`        | 184 MB | 2494       | 15 MB (headers), 2.4 ms |
//! | nvidia-cusparselt-cu12 0.8.1       | `.cask_resource` | 75 MB  | 234        | 11 MB, 2.1 ms         |
//! | torch 2.7.1, libtorch_cuda.so      |                  |        | 0          | 2.2 MB, 0.4 ms        |
//!
//! All 137 libraries of an environment of torch and its like: 58 MB of headers, 62 MB more of searching, 0.06 s on one core.
//!
//! By hand, as nobody documents it.

mod header;
mod stream;
mod walker;

use std::collections::BTreeMap;

use walker::{PAGE, Region, SEARCH_PAGE, Walker};

use crate::objects::ReadAt;
use crate::objects::elf::{self, ElfError, Layout};
use crate::version::{CodeTarget, Reach};

pub use self::stream::{StreamWalker, Streamed};

/// Sections beside those of the runtime where device code was found.
const ELSEWHERE: [&str; 3] = [".data", ".rodata", ".cask_resource"];
/// Sections that show that a library has to do with CUDA.
const SIGNS: [&str; 3] = [".nv_fatbin", "__nv_relfatbin", ".cask_resource"];
/// How far the next device code may lie from the last in these sections: 1.6 MB were seen.
const SEARCH: u64 = 2 << 20;
/// The same where nothing else shows that the library has to do with CUDA, as for most of an environment.
const SEARCH_WITHOUT_SIGN: u64 = 256 << 10;

/// The section that a container lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Home {
    /// `.nv_fatbin`: what the CUDA runtime registers and loads.
    Registered,
    /// `__nv_relfatbin`: relocatable device code, of use only to a device linker. `cuobjdump` hides it without `-all`.
    Relocatable,
    /// Any other: what the library loads itself, such as the kernels of cuDNN in torch 1.13, which `cuobjdump` skips. A cubin
    /// outside any container counts as a container of one image here.
    Elsewhere,
}

impl Home {
    fn of_section(name: &str) -> Option<Self> {
        match name {
            ".nv_fatbin" => Some(Self::Registered),
            "__nv_relfatbin" => Some(Self::Relocatable),
            _ => None,
        }
    }
}

/// How the payload of an image is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// LZ4, the default of older toolkits.
    Lz4,
    /// Zstandard, the default since CUDA 12.8.
    Zstd,
}

/// Device code for one target, e.g. the `sm_90` cubin of one source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// What it was compiled for, e.g. `sm_90a` or `compute_120`.
    pub target: CodeTarget,
    /// How it is packed; none if it lies there as it is.
    pub compression: Option<Compression>,
    /// Bytes in the file.
    pub size: u64,
    /// Bytes when decompressed, where that is stated.
    pub unpacked_size: Option<u64>,
}

/// All device code of one compiled source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Where it starts in the file.
    pub offset: u64,
    /// Its bytes, header included.
    pub size: u64,
    /// The section that it lies in.
    pub home: Home,
    /// Its images, in file order.
    pub images: Vec<Image>,
    /// An image header made no sense, so that images may be missing here.
    pub damaged: bool,
}

/// How many containers there are and how many of them have a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of containers.
    pub containers: u32,
    /// How many of them hold code for exact targets only (`sm_90a`): kernels written for one GPU on purpose, such as
    /// FlashAttention 3, beside which a library has others for the rest.
    pub exact_only: u32,
    /// For each target the number of containers that hold an image for it.
    pub targets: BTreeMap<CodeTarget, u32>,
}

impl Tally {
    /// Counts the containers of one section.
    #[must_use]
    pub fn of(containers: &[Container], home: Home) -> Self {
        let mut tally = Self::default();
        for container in containers.iter().filter(|container| container.home == home) {
            let mut targets: Vec<_> = container.images.iter().map(|image| image.target).collect();
            targets.sort_unstable();
            targets.dedup();
            tally.containers += 1;
            tally.exact_only += u32::from(targets.iter().all(|target| target.reach == Reach::Exact));
            for target in targets {
                *tally.targets.entry(target).or_default() += 1;
            }
        }
        tally
    }

    /// Adds another library's counts.
    pub fn add(&mut self, other: &Self) {
        self.containers += other.containers;
        self.exact_only += other.exact_only;
        for (&target, count) in &other.targets {
            *self.targets.entry(target).or_default() += count;
        }
    }
}

/// The sections with fat binaries, ascending, without overlap.
fn regions(layout: &Layout, size: u64) -> Vec<Region> {
    let mut regions: Vec<_> = layout
        .sections
        .iter()
        .filter_map(|section| {
            let home = Home::of_section(&section.name)?;
            Some(Region { range: section.range.clone(), home, search: u64::MAX })
        })
        .collect();
    regions.sort_by_key(|region| (region.range.start, region.range.end));
    let mut end = 0;
    for Region { range, .. } in &mut regions {
        range.end = range.end.min(size);
        range.start = range.start.max(end).min(range.end);
        end = range.end;
    }
    regions.retain(|region| !region.range.is_empty());
    regions
}

/// Adds the sections where other device code may lie. One that overlaps another is left out, so that the two sections of
/// the runtime are read as they are without it.
fn everywhere(layout: &Layout, size: u64) -> Vec<Region> {
    let mut regions = regions(layout, size);
    let sign = SIGNS.iter().any(|name| layout.section(name).is_some());
    let search = if sign { SEARCH } else { SEARCH_WITHOUT_SIGN };
    // What is taken does not overlap, so that of all that begins before the end of a section the last one decides.
    let mut taken: BTreeMap<_, _> = regions.iter().map(|region| (region.range.start, region.range.end)).collect();
    for section in layout.sections.iter().filter(|section| ELSEWHERE.contains(&section.name.as_str())) {
        let range = section.range.start..section.range.end.min(size);
        let is_free = taken.range(..range.end).next_back().is_none_or(|(_, end)| *end <= range.start);
        if !range.is_empty() && is_free {
            taken.insert(range.start, range.end);
            regions.push(Region { range, home: Home::Elsewhere, search });
        }
    }
    regions.sort_by_key(|region| region.range.start);
    regions
}

/// Reads the containers of a library, touching only its headers.
///
/// # Errors
///
/// If the file is no ELF file that we read, or cannot be read.
pub fn read<R: ReadAt + ?Sized>(data: &R) -> Result<Vec<Container>, ElfError> {
    let layout = elf::layout(data)?;
    read_sections(data, &layout)
}

/// Reads the containers of a library whose sections are known.
///
/// # Errors
///
/// If the file cannot be read.
pub fn read_sections<R: ReadAt + ?Sized>(data: &R, layout: &Layout) -> Result<Vec<Container>, ElfError> {
    read_regions(data, regions(layout, data.size()))
}

/// Reads the containers of a library whose sections are known, and the device code in its other sections, which may cost
/// some megabytes of searching.
///
/// # Errors
///
/// If the file cannot be read.
pub fn read_everywhere<R: ReadAt + ?Sized>(data: &R, layout: &Layout) -> Result<Vec<Container>, ElfError> {
    read_regions(data, everywhere(layout, data.size()))
}

fn read_regions<R: ReadAt + ?Sized>(data: &R, regions: Vec<Region>) -> Result<Vec<Container>, ElfError> {
    let size = data.size();
    let mut walker = Walker::new(Some(regions), size);
    let mut page = vec![0; SEARCH_PAGE];
    // What lies between containers is read in long pieces, what lies between images is not.
    let mut searched = false;
    while let Some(at) = walker.wanted() {
        let length = if searched { SEARCH_PAGE } else { PAGE };
        let count = data.read_at(at, page.get_mut(..length).unwrap_or_default())?;
        let bytes = page.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        let found = walker.images;
        walker.take(at, bytes, count < length || at + count as u64 >= size);
        searched = walker.open.is_none() && walker.images == found;
    }
    Ok(walker.containers)
}

#[cfg(test)]
mod tests;
