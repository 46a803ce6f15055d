//! A library that goes by once, as a member of a wheel does: its section table is at its end.

use std::io;
use std::ops::Range;

use super::walker::{MAX_STRAYS, Region, Walker, region_at};
use super::{Container, Home, everywhere, regions};
use crate::objects::ReadAt;
use crate::objects::elf::{self, ElfError, Layout};

/// How much of the end of a stream is kept, for the section table and the names before it.
pub(super) const TAIL: usize = 1 << 20;

/// How much before the section table is kept: linkers put the section names there.
const NAMES: u64 = 64 << 10;

/// How much of any other part of a stream is kept: section tables have some kilobytes.
const MAX_KEPT: u64 = 8 << 20;

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
