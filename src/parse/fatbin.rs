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

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use super::cubin::{self, Cubin};
use super::elf::{self, ElfError, Layout};
use super::{ReadAt, u16_at, u32_at, u64_at};
use crate::version::{CodeTarget, ComputeCapability, Reach};

const MAGIC: u32 = 0xBA55_ED50;
const PTX: u16 = 1;
const CUBIN: u16 = 2;
const FLAG_LZ4: u64 = 0x2000;
const FLAG_ZSTD: u64 = 0x8000;
const FLAG_ARCHITECTURE: u64 = 0x10_0000;
const FLAG_FAMILY: u64 = 0x20_0000;
/// Bytes of an image header that we look at.
const IMAGE_HEAD: usize = 64;
/// Bytes from the start of a container that suffice to judge it: its header and that of its first image.
const CONTAINER_HEAD: usize = MAX_CONTAINER_HEADER as usize + IMAGE_HEAD;
const MAX_CONTAINER_HEADER: u64 = 64;
const MAX_IMAGE_HEADER: u64 = 1 << 16;
/// More images than this are taken for an attack: libtorch_cuda of torch 2.7 has about 2,700.
const MAX_IMAGES: usize = 1 << 20;
/// How much is read at once when jumping from header to header: small images share a page.
const PAGE: usize = 4096;
/// How much is read at once when searching.
const SEARCH_PAGE: usize = 64 << 10;
/// How much of the end of a stream is kept, for the section table and the names before it.
const TAIL: usize = 1 << 20;

/// How much before the section table is kept: linkers put the section names there.
const NAMES: u64 = 64 << 10;
/// How much of any other part of a stream is kept: section tables have some kilobytes.
const MAX_KEPT: u64 = 8 << 20;

/// Sections beside those of the runtime where device code was found.
const ELSEWHERE: [&str; 3] = [".data", ".rodata", ".cask_resource"];
/// Sections that show that a library has to do with CUDA.
const SIGNS: [&str; 3] = [".nv_fatbin", "__nv_relfatbin", ".cask_resource"];
/// How far the next device code may lie from the last in these sections: 1.6 MB were seen.
const SEARCH: u64 = 2 << 20;
/// The same where nothing else shows that the library has to do with CUDA, as for most of an environment.
const SEARCH_WITHOUT_SIGN: u64 = 256 << 10;
/// With this many cubins outside containers a stream goes by again anyway.
const MAX_STRAYS: usize = 1 << 12;

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

struct ImageHead {
    image: Image,
    /// Header and payload.
    length: u64,
}

fn parse_image(bytes: &[u8]) -> Option<ImageHead> {
    let kind = u16_at(bytes, 0)?;
    let header_size = u64::from(u32_at(bytes, 4)?);
    let size = u64_at(bytes, 8)?;
    let sm = u32_at(bytes, 28)?;
    let flags = u64_at(bytes, 40)?;
    if !(kind == PTX || kind == CUBIN) || !(48..=MAX_IMAGE_HEADER).contains(&header_size) || !(10..1000).contains(&sm) {
        return None;
    }
    let reach = match (flags & FLAG_ARCHITECTURE != 0, flags & FLAG_FAMILY != 0) {
        (true, _) => Reach::Exact,
        (_, true) => Reach::Family,
        _ => Reach::Forward,
    };
    let compression = match (flags & FLAG_ZSTD != 0, flags & FLAG_LZ4 != 0) {
        (true, _) => Some(Compression::Zstd),
        (_, true) => Some(Compression::Lz4),
        _ => None,
    };
    let unpacked_size = match compression {
        Some(_) if header_size >= 64 => u64_at(bytes, 56),
        Some(_) => None,
        None => Some(size),
    };
    let target = CodeTarget { ptx: kind == PTX, capability: ComputeCapability::from_sm(sm), reach };
    Some(ImageHead {
        image: Image { target, compression, size, unpacked_size },
        length: header_size.checked_add(size)?,
    })
}

/// The sizes of a container's header and of its images, if this looks like one and its first image makes sense.
fn parse_container(bytes: &[u8]) -> Option<(u64, u64)> {
    let header_size = u64::from(u16_at(bytes, 6)?);
    let size = u64_at(bytes, 8)?;
    let sane =
        u32_at(bytes, 0)? == MAGIC && u16_at(bytes, 4)? == 1 && (16..=MAX_CONTAINER_HEADER).contains(&header_size);
    let first = parse_image(bytes.get(usize::try_from(header_size).ok()?..)?)?;
    (sane && first.length <= size).then_some((header_size, size))
}

fn align(offset: u64) -> u64 {
    offset.checked_next_multiple_of(8).unwrap_or(u64::MAX)
}

/// A part of a file where containers may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Region {
    range: Range<u64>,
    home: Home,
    /// How far the next container may lie from the last.
    search: u64,
}

/// The region that holds this offset, or the next one behind it. A file may have 65,535 sections, and many offsets.
fn region_at(regions: &[Region], offset: u64) -> Option<&Region> {
    regions.get(regions.partition_point(|region| region.range.end <= offset))
}

/// The state of a walk, whoever supplies the bytes.
struct Walker {
    /// Where containers may lie, ascending; none: anywhere.
    regions: Option<Vec<Region>>,
    /// Without regions: where cubins begin that lie in no container.
    strays: Vec<u64>,
    /// Where the last container ended.
    last: u64,
    /// The end of the file.
    size: u64,
    /// The next byte that matters.
    next: u64,
    /// The end of the container that is being walked, which is the last of `containers`.
    open: Option<u64>,
    containers: Vec<Container>,
    images: usize,
}

impl Walker {
    fn new(regions: Option<Vec<Region>>, size: u64) -> Self {
        Self { regions, strays: Vec::new(), last: 0, size, next: 0, open: None, containers: Vec::new(), images: 0 }
    }

    /// The region that holds this offset, or the next one behind it.
    fn region(&self, offset: u64) -> Option<Region> {
        match &self.regions {
            None => {
                let everything = Region { range: 0..self.size, home: Home::Registered, search: u64::MAX };
                (offset < self.size).then_some(everything)
            }
            Some(regions) => region_at(regions, offset).cloned(),
        }
    }

    /// The next offset to read from; none at the end.
    fn wanted(&mut self) -> Option<u64> {
        if self.open.is_none() {
            let region = self.region(self.next)?;
            self.next = align(self.next.max(region.range.start));
        }
        (self.next < self.size && self.images < MAX_IMAGES).then_some(self.next)
    }

    /// Takes bytes that start at `base`, which is not behind the wanted offset, and returns how many are done with.
    /// `last`: the file ends with them.
    fn take(&mut self, base: u64, bytes: &[u8], last: bool) -> usize {
        loop {
            let Some(at) = self.wanted() else { return bytes.len() };
            let Some(here) = at.checked_sub(base).and_then(|start| bytes.get(usize::try_from(start).ok()?..)) else {
                return bytes.len();
            };
            if here.is_empty() {
                return bytes.len();
            }
            let done = bytes.len() - here.len();
            match self.open {
                Some(end) => {
                    if at >= end {
                        self.close(end);
                    } else if here.len() < IMAGE_HEAD && !last && (here.len() as u64) < end - at {
                        return done;
                    } else {
                        self.image(at, end, here);
                    }
                }
                None => {
                    let Some(Region { range, home, search }) = self.region(at) else { return bytes.len() };
                    let far = self.last.max(range.start).saturating_add(search);
                    if at >= far {
                        self.next = align(range.end);
                        continue;
                    }
                    let inside = usize::try_from(range.end - at).unwrap_or(usize::MAX).min(here.len());
                    let words = here.get(..inside).unwrap_or_default();
                    let exhausted = at + inside as u64 >= range.end;
                    let cubins = self.regions.is_none() || home == Home::Elsewhere;
                    let is_start = |word: &[u8]| {
                        word.starts_with(&MAGIC.to_le_bytes()) || cubins && word.starts_with(b"\x7fELF\x02\x01")
                    };
                    let Some(found) = words.chunks_exact(8).position(is_start) else {
                        let whole = inside / 8 * 8;
                        if exhausted {
                            self.next = align(range.end);
                        } else if whole > 0 {
                            self.next = at + whole as u64;
                        } else {
                            return if last { bytes.len() } else { done };
                        }
                        continue;
                    };
                    let start = found * 8;
                    let candidate = words.get(start..).unwrap_or_default();
                    if candidate.len() < CONTAINER_HEAD && !exhausted && !last {
                        self.next = at + start as u64;
                        return done + start;
                    }
                    if at + start as u64 >= far {
                        self.next = align(range.end);
                    } else if elf::is_elf(candidate) {
                        self.cubin(at + start as u64, range.end, candidate);
                    } else {
                        self.container(at + start as u64, range.end, home, candidate);
                    }
                }
            }
        }
    }

    fn container(&mut self, offset: u64, limit: u64, home: Home, bytes: &[u8]) {
        let fits = parse_container(bytes).and_then(|(header_size, size)| {
            let end = offset.checked_add(header_size)?.checked_add(size)?;
            (end <= limit).then_some((offset + header_size, end))
        });
        if let Some((first, end)) = fits {
            let size = end - offset;
            self.containers.push(Container { offset, size, home, images: Vec::new(), damaged: false });
            self.open = Some(end);
            self.next = first;
        } else {
            self.next = offset + 8;
        }
    }

    /// Takes a cubin that lies by itself. A stream without regions only remembers where: that must not hide what follows.
    fn cubin(&mut self, offset: u64, limit: u64, bytes: &[u8]) {
        self.next = offset + 8;
        let Some(Cubin { target, size }) = bytes.get(..cubin::HEAD).and_then(Cubin::parse) else { return };
        let Some(end) = offset.checked_add(size).filter(|end| *end <= limit) else { return };
        if self.regions.is_none() {
            if self.strays.len() < MAX_STRAYS {
                self.strays.push(offset);
            }
            return;
        }
        let image = Image { target, compression: None, size, unpacked_size: Some(size) };
        let home = Home::Elsewhere;
        self.containers.push(Container { offset, size, home, images: vec![image], damaged: false });
        self.images += 1;
        self.close(end);
    }

    fn image(&mut self, at: u64, end: u64, bytes: &[u8]) {
        let room = end - at;
        let head = bytes.get(..usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len())).and_then(parse_image);
        let Some(container) = self.containers.last_mut() else { return };
        match head.filter(|head| head.length <= room) {
            Some(head) => {
                container.images.push(head.image);
                self.images += 1;
                self.next = at + head.length;
            }
            None => {
                container.damaged = true;
                self.close(end);
            }
        }
    }

    fn close(&mut self, end: u64) {
        self.open = None;
        self.last = end;
        self.next = align(end);
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

/// What a stream turned out to be.
#[derive(Debug)]
pub enum Streamed {
    /// A library with these sections and containers.
    Library(Layout, Vec<Container>),
    /// The stream must go by once more, past this walker.
    Again(Box<StreamWalker>),
}

/// Finds the containers of a library that goes by as a stream, in memory that does not grow with it.
///
/// Finds what [`read`] finds on the same bytes.
pub struct StreamWalker {
    walker: Walker,
    /// Bytes of the stream so far.
    position: u64,
    /// Bytes before `position` that the walker has yet to understand.
    carry: Vec<u8>,
    kept: Kept,
    /// Whether other sections are of interest too.
    everywhere: bool,
}

impl std::fmt::Debug for StreamWalker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamWalker").field("position", &self.position).finish_non_exhaustive()
    }
}

impl StreamWalker {
    /// Makes a walker for a stream of `size` bytes, e.g. the uncompressed size that a wheel's directory states.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self::with(size, None, None)
    }

    /// Makes one that finds what [`read_everywhere`] finds, for which the stream may have to go by once more.
    #[must_use]
    pub fn everywhere(size: u64) -> Self {
        Self { everywhere: true, ..Self::new(size) }
    }

    fn again(self, regions: Option<Vec<Region>>, names: Option<Range<u64>>) -> Streamed {
        let walker = Self::with(self.position, regions, names);
        Streamed::Again(Box::new(Self { everywhere: self.everywhere, ..walker }))
    }

    fn with(size: u64, regions: Option<Vec<Region>>, keep: Option<Range<u64>>) -> Self {
        let kept = Kept { size, pieces: vec![Piece::new(0..64)], recent: Vec::new(), before: Vec::new(), end: 0 };
        let walker = Walker::new(regions, size);
        let mut this = Self { walker, position: 0, carry: Vec::new(), kept, everywhere: false };
        this.kept.pieces.extend(keep.map(Piece::new));
        this
    }

    /// Tells whether the stream cannot be an ELF file, so that the rest need not be fetched.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.position >= 64 && !self.kept.pieces.first().is_some_and(|head| elf::is_elf(&head.bytes))
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        let before = self.position;
        self.kept.keep(before, chunk);
        self.position += chunk.len() as u64;
        if before < 64
            && self.position >= 64
            && let Some(Ok(table)) = self.kept.pieces.first().map(|head| elf::section_table_range(&head.bytes))
        {
            let start = table.start.saturating_sub(NAMES).max(before);
            self.kept.pieces.push(Piece::new(start..table.end));
            self.kept.keep(before, chunk);
        }
        self.walk(chunk, false);
    }

    fn walk(&mut self, chunk: &[u8], last: bool) {
        if self.carry.is_empty() {
            let done = self.walker.take(self.position - chunk.len() as u64, chunk, last);
            self.carry.extend_from_slice(chunk.get(done..).unwrap_or_default());
        } else {
            self.carry.extend_from_slice(chunk);
            let done = self.walker.take(self.position - self.carry.len() as u64, &self.carry, last);
            self.carry.drain(..done.min(self.carry.len()));
        }
    }

    /// Compares what was found with the section table, once the stream is over.
    ///
    /// # Errors
    ///
    /// If the stream was no ELF file that we read, or a damaged one.
    pub fn finish(mut self) -> Result<Streamed, ElfError> {
        self.walk(&[], true);
        let size = self.position;
        self.kept.finish(size);
        let layout = match elf::layout(&self.kept) {
            // The names of the sections passed by before anyone knew where they were.
            Err(ElfError::Read(error)) if error.kind() == io::ErrorKind::NotFound => {
                let names = elf::section_names_range(&self.kept)?;
                let regions = self.walker.regions.take();
                return Ok(self.again(regions, Some(names)));
            }
            layout => layout?,
        };
        if self.walker.regions.is_some() {
            return Ok(Streamed::Library(layout, self.walker.containers));
        }
        let regions = if self.everywhere { everywhere(&layout, size) } else { regions(&layout, size) };
        let home = |container: &Container| {
            let region = region_at(&regions, container.offset)?;
            let inside =
                region.range.start <= container.offset && container.offset + container.size <= region.range.end;
            inside.then_some(region.home)
        };
        let touches = |container: &Container| {
            let end = container.offset + container.size;
            region_at(&regions, container.offset).is_some_and(|region| region.range.start < end)
        };
        let doubtful = |container: &Container| match home(container) {
            None => touches(container),
            // Only with its region in view the walker knows how far to search, and which cubins count.
            Some(home) => home == Home::Elsewhere,
        };
        let is_elsewhere = |place: &u64| {
            region_at(&regions, *place)
                .is_some_and(|region| region.home == Home::Elsewhere && region.range.contains(place))
        };
        let strays = &self.walker.strays;
        let strays = self.everywhere && (strays.len() == MAX_STRAYS || strays.iter().any(is_elsewhere));
        if strays || self.walker.containers.iter().any(doubtful) {
            let names = elf::section_names_range(&self.kept).ok();
            return Ok(self.again(Some(regions), names));
        }
        let containers = self.walker.containers.into_iter().filter_map(|mut container| {
            container.home = home(&container)?;
            Some(container)
        });
        Ok(Streamed::Library(layout, containers.collect()))
    }
}

/// A part of a stream that is kept as it goes by.
struct Piece {
    range: Range<u64>,
    bytes: Vec<u8>,
}

impl Piece {
    fn new(range: Range<u64>) -> Self {
        let end = range.end.min(range.start.saturating_add(MAX_KEPT));
        Self { range: range.start..end, bytes: Vec::new() }
    }
}

/// The parts of a stream that were kept: its start, its end, and what was asked for.
struct Kept {
    size: u64,
    pieces: Vec<Piece>,
    recent: Vec<u8>,
    before: Vec<u8>,
    end: u64,
}

impl Kept {
    fn keep(&mut self, position: u64, chunk: &[u8]) {
        for piece in &mut self.pieces {
            let wanted = piece.range.start + piece.bytes.len() as u64;
            let room = usize::try_from(piece.range.end.saturating_sub(wanted)).unwrap_or(usize::MAX);
            let Some(skip) = wanted.checked_sub(position).and_then(|skip| usize::try_from(skip).ok()) else { continue };
            let rest = chunk.get(skip..).unwrap_or_default();
            piece.bytes.extend_from_slice(rest.get(..room.min(rest.len())).unwrap_or_default());
        }
        if position < self.end {
            return;
        }
        self.end = position + chunk.len() as u64;
        self.recent.extend_from_slice(chunk);
        if self.recent.len() >= TAIL {
            self.before = std::mem::take(&mut self.recent);
        }
    }

    fn finish(&mut self, size: u64) {
        self.size = size;
        let mut bytes = std::mem::take(&mut self.before);
        bytes.append(&mut self.recent);
        let start = size.saturating_sub(bytes.len() as u64);
        self.pieces.push(Piece { range: start..size, bytes });
    }
}

impl ReadAt for Kept {
    fn size(&self) -> u64 {
        self.size
    }

    /// Reads from one piece that holds all of it; `NotFound` if none does.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        for piece in &self.pieces {
            let start = offset.checked_sub(piece.range.start).and_then(|start| usize::try_from(start).ok());
            let bytes = start.and_then(|start| piece.bytes.get(start..start.checked_add(buf.len())?));
            if let Some(bytes) = bytes {
                buf.copy_from_slice(bytes);
                return Ok(buf.len());
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image with a header of 64 bytes and a payload of `payload` bytes.
    fn image(kind: u16, sm: u32, flags: u64, payload: usize) -> Vec<u8> {
        let mut bytes = vec![0_u8; 64 + payload];
        bytes[0..2].copy_from_slice(&kind.to_le_bytes());
        bytes[4..8].copy_from_slice(&64_u32.to_le_bytes());
        bytes[8..16].copy_from_slice(&(payload as u64).to_le_bytes());
        bytes[28..32].copy_from_slice(&sm.to_le_bytes());
        bytes[40..48].copy_from_slice(&flags.to_le_bytes());
        bytes[56..64].copy_from_slice(&1000_u64.to_le_bytes());
        bytes
    }

    fn container(images: &[Vec<u8>]) -> Vec<u8> {
        let size: usize = images.iter().map(Vec::len).sum();
        let mut bytes = vec![0x50, 0xED, 0x55, 0xBA, 1, 0, 16, 0];
        bytes.extend((size as u64).to_le_bytes());
        bytes.extend(images.concat());
        bytes
    }

    /// An ELF file of these sections, each with its bytes; the names come last, before or after the section table.
    fn library(sections: &[(&str, Vec<u8>)], gap: usize) -> Vec<u8> {
        let mut bytes = vec![0_u8; 64];
        let mut names = vec![0_u8];
        let mut table = vec![0_u8; 64];
        let mut all: Vec<(&str, Vec<u8>)> = sections.to_vec();
        all.push((".shstrtab", Vec::new()));
        for (index, (name, content)) in all.iter().enumerate() {
            let place = names.len();
            names.extend(name.as_bytes());
            names.push(0);
            let content = if index == sections.len() { names.clone() } else { content.clone() };
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            let mut header = [0_u8; 64];
            header[0..4].copy_from_slice(&u32::try_from(place).unwrap().to_le_bytes());
            header[4..8].copy_from_slice(&1_u32.to_le_bytes());
            header[24..32].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            header[32..40].copy_from_slice(&(content.len() as u64).to_le_bytes());
            table.extend(header);
            bytes.extend(content);
        }
        bytes.resize(bytes.len() + gap, 0);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let start = bytes.len() as u64;
        let count = u16::try_from(table.len() / 64).unwrap();
        bytes.extend(table);
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[18] = 62;
        bytes[40..48].copy_from_slice(&start.to_le_bytes());
        bytes[58..60].copy_from_slice(&64_u16.to_le_bytes());
        bytes[60..62].copy_from_slice(&count.to_le_bytes());
        bytes[62..64].copy_from_slice(&(count - 1).to_le_bytes());
        bytes
    }

    /// Streams a file in chunks of a size, as often as the walker asks; returns what it found and the number of passes.
    fn stream(bytes: &[u8], chunk: usize) -> (Vec<Container>, usize) {
        let mut walker = StreamWalker::new(bytes.len() as u64);
        for pass in 1..=3 {
            bytes.chunks(chunk).for_each(|chunk| walker.feed(chunk));
            match walker.finish().unwrap() {
                Streamed::Library(_, containers) => return (containers, pass),
                Streamed::Again(again) => walker = *again,
            }
        }
        panic!("a fourth pass");
    }

    fn sample() -> Vec<(&'static str, Vec<u8>)> {
        let first = container(&[
            image(2, 80, 0x11, 24),
            image(2, 90, 0x11 | FLAG_ARCHITECTURE, 8),
            image(1, 90, 0x11 | FLAG_LZ4, 40),
        ]);
        let second = container(&[image(2, 80, 0x11 | FLAG_ZSTD, 9000), image(2, 100, FLAG_FAMILY, 16)]);
        let relocatable = container(&[image(1, 120, 0, 8)]);
        vec![
            (".text", vec![0xC3; 100]),
            (".data", container(&[image(2, 35, 0, 8)])),
            ("__nv_relfatbin", relocatable),
            (".nv_fatbin", [first, vec![0; 8], second].concat()),
            (".rodata", [MAGIC.to_le_bytes().to_vec(), vec![7; 100]].concat()),
        ]
    }

    #[test]
    fn images_are_told_by_their_headers() {
        let containers = read(library(&sample(), 0).as_slice()).unwrap();
        assert_eq!(containers.len(), 3);
        assert_eq!((containers[0].home, containers[0].size), (Home::Relocatable, 16 + 64 + 8));
        let targets = |index: usize| containers[index].images.iter().map(|image| image.target.to_string());
        assert_eq!(targets(1).collect::<Vec<_>>(), ["sm_80", "sm_90a", "compute_90"]);
        assert_eq!(targets(2).collect::<Vec<_>>(), ["sm_80", "sm_100f"]);
        let ptx = containers[1].images[2];
        assert_eq!((ptx.compression, ptx.size, ptx.unpacked_size), (Some(Compression::Lz4), 40, Some(1000)));
        assert_eq!(containers[2].images[0].compression, Some(Compression::Zstd));
        assert_eq!(containers[1].images[0].unpacked_size, Some(24));
        assert!(containers.iter().all(|container| !container.damaged));

        let tally = Tally::of(&containers, Home::Registered);
        let counts: Vec<_> = tally.targets.iter().map(|(target, count)| format!("{target}:{count}")).collect();
        assert_eq!(tally.containers, 2);
        assert_eq!(counts, ["sm_80:2", "sm_90a:1", "sm_100f:1", "compute_90:1"]);
    }

    #[test]
    fn a_stream_tells_what_the_file_tells() {
        let bytes = library(&sample(), 0);
        let expected = read(bytes.as_slice()).unwrap();
        for chunk in [1, 7, 8, 63, 64, 100, 4096, 1 << 20] {
            assert_eq!(stream(&bytes, chunk), (expected.clone(), 1), "chunks of {chunk}");
        }
    }

    #[test]
    fn a_stream_goes_by_again_when_the_names_passed_unnoticed() {
        let bytes = library(&sample(), 3 * TAIL);
        let expected = read(bytes.as_slice()).unwrap();
        assert_eq!(expected.len(), 3);
        assert_eq!(stream(&bytes, 5000), (expected, 2));
    }

    #[test]
    fn a_false_container_that_reaches_into_the_section_does_not_hide_the_true_ones() {
        let mut sections = sample();
        // It claims to be 240 bytes longer than `.data` and so swallows the start of what follows.
        let mut liar = container(&[image(2, 35, 0, 8)]);
        liar[8..10].copy_from_slice(&(72_u16 + 240).to_le_bytes());
        sections[1].1 = liar;
        let bytes = library(&sections, 0);
        let expected = read(bytes.as_slice()).unwrap();
        assert_eq!(expected.len(), 3);
        assert_eq!(stream(&bytes, 512), (expected, 2));
    }

    #[test]
    fn a_damaged_image_ends_its_container_only() {
        let mut broken = container(&[image(2, 80, 0, 8), image(2, 90, 0, 8)]);
        broken[16 + 72] = 9;
        let bytes = library(&[(".nv_fatbin", [broken, container(&[image(2, 75, 0, 8)])].concat())], 0);
        let containers = read(bytes.as_slice()).unwrap();
        assert_eq!(containers.len(), 2);
        assert!(containers[0].damaged && containers[0].images.len() == 1);
        assert_eq!(containers[1].images[0].target.to_string(), "sm_75");
        assert_eq!(stream(&bytes, 50).0, containers);
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_survived() {
        let whole = library(&sample(), 0);
        for end in 0..whole.len() {
            let _ = read(&whole[..end]);
            let mut walker = StreamWalker::new(whole.len() as u64);
            walker.feed(&whole[..end]);
            let _ = walker.finish();
        }
        for place in (0..whole.len()).filter(|place| *place < 64 || *place > whole.len() - 600 || place % 8 < 2) {
            let mut bytes = whole.clone();
            bytes[place] ^= 0xFF;
            let Ok(expected) = read(bytes.as_slice()) else { continue };
            assert_eq!(stream(&bytes, 333).0, expected, "byte {place}");
        }
    }

    fn everywhere_both(bytes: &[u8]) -> Vec<(Home, u64, String)> {
        let layout = elf::layout(bytes).unwrap();
        let found = read_everywhere(bytes, &layout).unwrap();
        for chunk in [61, 4096, 1 << 20] {
            let mut walker = StreamWalker::everywhere(bytes.len() as u64);
            let streamed = (0..3).find_map(|_| {
                bytes.chunks(chunk).for_each(|chunk| walker.feed(chunk));
                match std::mem::replace(&mut walker, StreamWalker::new(0)).finish().unwrap() {
                    Streamed::Library(_, containers) => Some(containers),
                    Streamed::Again(again) => {
                        walker = *again;
                        None
                    }
                }
            });
            assert_eq!(streamed.as_ref(), Some(&found), "chunks of {chunk}");
        }
        let name = |container: &Container| container.images[0].target.to_string();
        found.iter().map(|container| (container.home, container.size, name(container))).collect()
    }

    /// A cubin of 200 bytes: a header whose section table ends there.
    fn cubin(sm: u32) -> Vec<u8> {
        let mut bytes = vec![0; 200];
        bytes[..9].copy_from_slice(b"\x7fELF\x02\x01\x01\x41\x08");
        bytes[18] = 190;
        bytes[40] = 136;
        bytes[48..52].copy_from_slice(&(sm << 8).to_le_bytes());
        bytes[60] = 1;
        bytes
    }

    #[test]
    fn other_sections_are_read_when_asked() {
        let one = container(&[image(2, 80, 0, 8)]);
        let sections = [
            (".data", [vec![1; 64], container(&[image(2, 35, 0, 8)]), vec![0; 16], cubin(90)].concat()),
            (".nv_fatbin", [one.clone(), cubin(75)].concat()),
            (".rodata", [cubin(120), cubin(86)].concat()),
            (".text", container(&[image(2, 61, 0, 8)])),
        ];
        let bytes = library(&sections, 0);
        let found = everywhere_both(&bytes);
        let found: Vec<_> = found.iter().map(|(home, size, target)| (*home, *size, target.as_str())).collect();
        use Home::{Elsewhere, Registered};
        assert_eq!(
            found,
            [
                (Elsewhere, 88, "sm_35"),
                (Elsewhere, 200, "sm_90"),
                (Registered, 88, "sm_80"),
                (Elsewhere, 200, "sm_120"),
                (Elsewhere, 200, "sm_86"),
            ]
        );
        let known = read(bytes.as_slice()).unwrap();
        assert_eq!((known.len(), known[0].home), (1, Registered), "a cubin beside containers is none of the runtime's");
        assert_eq!(stream(&bytes, 100).0, known);
    }

    #[test]
    fn the_search_has_an_end() {
        let after = |gap: u64, sign: bool| {
            let gap = usize::try_from(gap).unwrap();
            let mut sections = vec![(".rodata", [vec![7; gap], container(&[image(2, 80, 0, 8)])].concat())];
            if sign {
                sections.push((".nv_fatbin", container(&[image(2, 90, 0, 8)])));
            }
            everywhere_both(&library(&sections, 0)).len() - usize::from(sign)
        };
        assert_eq!((after(SEARCH_WITHOUT_SIGN - 8, false), after(SEARCH_WITHOUT_SIGN, false)), (1, 0));
        assert_eq!((after(SEARCH - 8, true), after(SEARCH, true)), (1, 0));
    }

    /// Counts what a reader touches.
    struct Watched<'a>(&'a [u8], std::cell::Cell<u64>);

    impl ReadAt for Watched<'_> {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
            self.1.set(self.1.get() + buf.len() as u64);
            self.0.read_at(offset, buf)
        }
    }

    #[test]
    fn payloads_are_not_read() {
        let big = container(&[image(2, 80, 0, 8 << 20), image(2, 90, 0, 8 << 20)]);
        let bytes = library(&[(".nv_fatbin", big.repeat(2))], 0);
        let watched = Watched(&bytes, std::cell::Cell::new(0));
        assert_eq!(read(&watched).unwrap().len(), 2);
        assert!(watched.1.get() < 6 * PAGE as u64, "{} bytes", watched.1.get());
    }
}
