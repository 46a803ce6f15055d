//! Finds the containers in what goes by: the sections that hold them, or every place where one may begin.

use std::ops::Range;

use super::header::{CONTAINER_HEAD, IMAGE_HEAD, MAGIC, align, parse_container, parse_image};
use super::{Container, Home, Image};
use crate::objects::cubin::{self, Cubin};
use crate::objects::elf;

/// More images than this are taken for an attack: libtorch_cuda of torch 2.7 has about 2,700.
const MAX_IMAGES: usize = 1 << 20;

/// How much is read at once when jumping from header to header: small images share a page.
pub const PAGE: usize = 4096;

/// How much is read at once when searching.
pub const SEARCH_PAGE: usize = 64 << 10;

/// With this many cubins outside containers a stream goes by again anyway.
pub const MAX_STRAYS: usize = 1 << 12;

/// A part of a file where containers may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    pub range: Range<u64>,
    pub home: Home,
    /// How far the next container may lie from the last.
    pub search: u64,
}

/// The region that holds this offset, or the next one behind it. A file may have 65,535 sections, and many offsets.
pub fn region_at(regions: &[Region], offset: u64) -> Option<&Region> {
    regions.get(regions.partition_point(|region| region.range.end <= offset))
}

/// The state of a walk, whoever supplies the bytes.
pub(super) struct Walker {
    /// Where containers may lie, ascending; none: anywhere.
    pub regions: Option<Vec<Region>>,
    /// Without regions: where cubins begin that lie in no container.
    pub strays: Vec<u64>,
    /// Where the last container ended.
    last: u64,
    /// The end of the file.
    size: u64,
    /// The next byte that matters.
    next: u64,
    /// The end of the container that is being walked, which is the last of `containers`.
    pub open: Option<u64>,
    pub containers: Vec<Container>,
    pub images: usize,
}

impl Walker {
    pub fn new(regions: Option<Vec<Region>>, size: u64) -> Self {
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
    pub fn wanted(&mut self) -> Option<u64> {
        if self.open.is_none() {
            let region = self.region(self.next)?;
            self.next = align(self.next.max(region.range.start));
        }
        (self.next < self.size && self.images < MAX_IMAGES).then_some(self.next)
    }

    /// Takes bytes that start at `base`, which is not behind the wanted offset, and returns how many are done with.
    /// `last`: the file ends with them.
    pub fn take(&mut self, base: u64, bytes: &[u8], last: bool) -> usize {
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
