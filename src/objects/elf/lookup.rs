//! Symbols of a shared object without reading all of them: what it lacks, and whether it exports a name.
//!
//! `.gnu.hash` (the loader's own index: "ELF: symbol lookup via DT_GNU_HASH", glibc `elf/dl-lookup.c`) starts with four
//! numbers: buckets, the first symbol that is in the index, words of a Bloom filter, its shift. Undefined symbols are not
//! in the index and so come before that first symbol; an exported one is found through its bucket, as the loader would.
//! libtorch_cpu.so has 60 MB of symbol names: a question costs some hundred bytes of them.
//!
//! By hand: a library has up to gigabytes, and a few names are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use object::pod::slice_from_all_bytes;
use object::{LittleEndian as LE, elf};

use super::{Allowance, ElfError, Headers, MAX_NAME, MAX_SYMBOLS, bytes_of, file_range, text_at};
use crate::objects::{ReadAt, u16_at, u32_at, u64_at};

/// The size of a record in `.dynsym` (`Elf64_Sym`).
const SYMBOL: u64 = 24;
/// String tables up to this size are read at once, larger ones name by name.
const SMALL_STRINGS: u64 = 4 << 20;
/// Tables up to this size are loaded when many questions are asked: libtorch_cpu's have 2 and 5 MB.
const MAX_LOADED: u64 = 16 << 20;
/// How many questions are many: reading a table costs as much as some hundred single reads.
const MANY: usize = 200;

/// What the loader reads of a library before it looks at symbols.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dynamic {
    /// `DT_SONAME`, e.g. `libcudart.so.12`.
    pub soname: Option<String>,
    /// `DT_NEEDED`, in order, e.g. `libc10.so`.
    pub needed: Vec<String>,
    /// `DT_RPATH`, searched before `LD_LIBRARY_PATH`; none counts where there is a `DT_RUNPATH`.
    pub rpath: Vec<String>,
    /// `DT_RUNPATH`, searched after `LD_LIBRARY_PATH`.
    pub runpath: Vec<String>,
}

/// A symbol that another library must export.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undefined {
    /// As it stands, mangled, e.g. `_ZN3c105ErrorC2ENS_14SourceLocationESs`.
    pub name: String,
    /// The library that must export it, where the linker wrote that down, e.g. `libnvJitLink.so.12`.
    pub from: Option<String>,
}

/// Where a table lies in the file.
pub(super) struct Table {
    pub(super) range: Range<u64>,
    /// The strings that its records name; empty for a table without.
    pub(super) strings: Range<u64>,
}

/// The sections of one shared object, read once for any number of questions.
#[derive(Debug)]
pub struct Object<'a, R: ReadAt + ?Sized> {
    data: &'a R,
    pub(super) headers: Headers,
}

impl<'a, R: ReadAt + ?Sized> Object<'a, R> {
    /// Reads the header and the section table.
    ///
    /// # Errors
    ///
    /// If the file is no ELF file that we read, or damaged.
    pub fn open(data: &'a R) -> Result<Self, ElfError> {
        Ok(Self { data, headers: Headers::read(data)? })
    }

    /// The processor that its host code is for.
    #[must_use]
    pub fn machine(&self) -> super::Machine {
        self.headers.machine
    }

    /// Where its sections lie.
    ///
    /// # Errors
    ///
    /// If the section table is damaged.
    pub fn layout(&self) -> Result<super::Layout, ElfError> {
        self.headers.layout(self.data)
    }

    /// The first section of a type.
    pub(super) fn section(&self, kind: elf::SectionType) -> Result<Option<Table>, ElfError> {
        let sections = self.headers.sections()?;
        let Some(section) = sections.iter().find(|section| section.sh_type.get(LE) == kind) else { return Ok(None) };
        let linked = usize::try_from(section.sh_link.get(LE)).ok().and_then(|index| sections.get(index));
        let strings = linked.map(file_range).transpose()?.unwrap_or(0..0);
        Ok(Some(Table { range: file_range(section)?, strings }))
    }

    /// Reads the dynamic section.
    ///
    /// # Errors
    ///
    /// If it lies outside the file, or a name in it does.
    pub fn dynamic(&self) -> Result<Dynamic, ElfError> {
        let mut dynamic = Dynamic::default();
        let Some(Table { range, strings }) = self.section(elf::SHT_DYNAMIC)? else { return Ok(dynamic) };
        let bytes = bytes_of(self.data, range, super::MAX_TABLE)?;
        let strings = Strings::open(self.data, strings)?;
        let entries: &[elf::Dyn64<LE>] =
            slice_from_all_bytes(&bytes).map_err(|()| ElfError::Damaged("dynamic section"))?;
        for entry in entries {
            let text = || strings.at(entry.d_val.get(LE))?.ok_or(ElfError::Damaged("dynamic string"));
            let paths = |text: String| text.split(':').filter(|path| !path.is_empty()).map(str::to_owned).collect();
            match entry.d_tag.get(LE) {
                elf::DT_NULL => break,
                elf::DT_NEEDED => dynamic.needed.push(text()?),
                elf::DT_SONAME => dynamic.soname = Some(text()?),
                elf::DT_RPATH => dynamic.rpath = paths(text()?),
                elf::DT_RUNPATH => dynamic.runpath = paths(text()?),
                _ => {}
            }
        }
        Ok(dynamic)
    }

    /// The symbol versions that it needs, e.g. `GLIBC_2.28`, each with the library that has it, e.g. `libc.so.6`.
    ///
    /// # Errors
    ///
    /// If the section lies outside the file.
    pub fn needed_versions(&self) -> Result<BTreeSet<(String, String)>, ElfError> {
        Ok(self.version_names()?.into_iter().map(|(_, version, file)| (version, file)).collect())
    }

    /// `.gnu.version_r`: a chain of files, each with a chain of versions; every link is relative to its own record.
    fn version_names(&self) -> Result<Vec<(u16, String, String)>, ElfError> {
        let mut found = Vec::new();
        let Some(Table { range, strings }) = self.section(elf::SHT_GNU_VERNEED)? else { return Ok(found) };
        let bytes = bytes_of(self.data, range, super::MAX_TABLE)?;
        let strings = Strings::open(self.data, strings)?;
        // Every record has 16 bytes, so a chain of more links than that runs in a circle.
        let mut links = bytes.len() / 16 + 1;
        let mut file = 0_usize;
        loop {
            let at = |offset: usize| u32_at(&bytes, file.saturating_add(offset));
            let (Some(count), Some(name), Some(first), Some(next)) =
                (u16_at(&bytes, file.saturating_add(2)), at(4), at(8), at(12))
            else {
                return Ok(found);
            };
            let library = || Ok::<_, ElfError>(strings.at(name.into())?.unwrap_or_default());
            let mut record = file.saturating_add(first as usize);
            for _ in 0..count {
                let at = |offset: usize| u32_at(&bytes, record.saturating_add(offset));
                let (Some(index), Some(name), Some(next)) = (u16_at(&bytes, record.saturating_add(6)), at(8), at(12))
                else {
                    break;
                };
                if let Some(version) = strings.at(name.into())? {
                    found.push((index, version, library()?));
                }
                links = links.saturating_sub(1);
                if next == 0 || links == 0 {
                    break;
                }
                record = record.saturating_add(next as usize);
            }
            links = links.saturating_sub(1);
            if next == 0 || links == 0 {
                return Ok(found);
            }
            file = file.saturating_add(next as usize);
        }
    }

    /// The symbol versions that it defines, e.g. `GLIBCXX_3.4.30` in libstdc++.so.6 (`.gnu.version_d`).
    ///
    /// # Errors
    ///
    /// If the section lies outside the file.
    pub fn defined_versions(&self) -> Result<BTreeSet<String>, ElfError> {
        let mut found = BTreeSet::new();
        let Some(Table { range, strings }) = self.section(elf::SHT_GNU_VERDEF)? else { return Ok(found) };
        let bytes = bytes_of(self.data, range, super::MAX_TABLE)?;
        let strings = Strings::open(self.data, strings)?;
        let mut record = 0_usize;
        for _ in 0..=bytes.len() / 20 {
            let at = |offset: usize| u32_at(&bytes, record.saturating_add(offset));
            let (Some(first), Some(next)) = (at(12), at(16)) else { break };
            if let Some(name) = u32_at(&bytes, record.saturating_add(first as usize)) {
                found.extend(strings.at(name.into())?);
            }
            if next == 0 {
                break;
            }
            record = record.saturating_add(next as usize);
        }
        Ok(found)
    }

    /// Symbols that another library must export, in the order of the table; weak ones, which may stay unresolved, are
    /// left out.
    ///
    /// # Errors
    ///
    /// If a table lies outside the file.
    pub fn undefined(&self) -> Result<Vec<Undefined>, ElfError> {
        let Some(Table { mut range, strings }) = self.section(elf::SHT_DYNSYM)? else { return Ok(Vec::new()) };
        if let Some(index) = GnuHash::read(self, &range)? {
            let end = u64::from(index.first).saturating_mul(SYMBOL).saturating_add(range.start);
            range.end = range.end.min(end);
        }
        let bytes = bytes_of(self.data, range.start..range.end - (range.end - range.start) % SYMBOL, MAX_SYMBOLS)?;
        let strings = Strings::open(self.data, strings)?;
        let mut versions = BTreeMap::new();
        for (index, _, file) in self.version_names()? {
            versions.entry(index).or_insert(file);
        }
        let version_table = match self.section(elf::SHT_GNU_VERSYM)? {
            Some(Table { range, .. }) if !versions.is_empty() => {
                let end = range.end.min(range.start.saturating_add(bytes.len() as u64 / SYMBOL * 2));
                bytes_of(self.data, range.start..end, MAX_SYMBOLS)?
            }
            _ => Vec::new(),
        };
        let symbols: &[elf::Sym64<LE>] =
            slice_from_all_bytes(&bytes).map_err(|()| ElfError::Damaged("symbol table"))?;
        let mut found = Vec::new();
        for (at, symbol) in symbols.iter().enumerate() {
            let bind = symbol.st_bind();
            if bind == elf::STB_LOCAL || bind == elf::STB_WEAK || symbol.st_shndx.get(LE) != elf::SHN_UNDEF {
                continue;
            }
            let Some(name) = strings.at(symbol.st_name.get(LE).into())? else { continue };
            // The highest bit hides a definition; 0 and 1 are "local" and "global", without a version.
            let version = u16_at(&version_table, at * 2).map(|index| index & 0x7fff).filter(|index| *index > 1);
            let from = version.and_then(|version| versions.get(&version));
            let from = from.map(|file| strings.allowance.take(file.clone())).transpose()?;
            found.push(Undefined { name, from });
        }
        Ok(found)
    }

    /// Makes ready to look up exported symbols.
    ///
    /// # Errors
    ///
    /// If a table lies outside the file.
    pub fn exports(&self) -> Result<Exports<'a, R>, ElfError> {
        let Some(Table { range: symbols, strings }) = self.section(elf::SHT_DYNSYM)? else {
            return Ok(Exports::new(self.data, 0..0, 0..0, Index::Names(BTreeSet::new())));
        };
        let by = match GnuHash::read(self, &symbols)? {
            Some(index) => Index::Hash(index),
            None => Index::Names(super::linkage(self.data)?.exported),
        };
        Ok(Exports::new(self.data, strings, symbols, by))
    }
}

/// A string table: small ones in memory, large ones read where asked.
struct Strings<'a, R: ReadAt + ?Sized> {
    data: &'a R,
    range: Range<u64>,
    bytes: Option<Vec<u8>>,
    allowance: Allowance,
}

impl<'a, R: ReadAt + ?Sized> Strings<'a, R> {
    fn open(data: &'a R, range: Range<u64>) -> Result<Self, ElfError> {
        if range.end > data.size() || range.start > range.end {
            return Err(ElfError::Damaged("string table outside the file"));
        }
        let allowance = Allowance::of(range.end - range.start);
        let small = range.end - range.start <= SMALL_STRINGS;
        let bytes = small.then(|| bytes_of(data, range.clone(), SMALL_STRINGS)).transpose()?;
        Ok(Self { data, range, bytes, allowance })
    }

    fn at(&self, offset: u64) -> Result<Option<String>, ElfError> {
        self.text(offset)?.map(|text| self.allowance.take(text)).transpose()
    }

    fn text(&self, offset: u64) -> Result<Option<String>, ElfError> {
        if let Some(bytes) = &self.bytes {
            return Ok(text_at(bytes, offset));
        }
        let Some(start) = self.range.start.checked_add(offset).filter(|start| *start < self.range.end) else {
            return Ok(None);
        };
        let room = usize::try_from(self.range.end - start).unwrap_or(usize::MAX).min(MAX_NAME);
        let mut bytes = vec![0; room.min(256)];
        loop {
            self.data.read_exact_at(start, &mut bytes)?;
            if let Some(text) = text_at(&bytes, 0) {
                return Ok(Some(text));
            }
            if bytes.len() == room {
                return Ok(None);
            }
            bytes.resize(room.min(bytes.len() * 8), 0);
        }
    }
}

#[derive(Debug)]
struct GnuHash {
    /// The first symbol in the index.
    first: u32,
    shift: u32,
    bloom: Vec<u64>,
    buckets: Vec<u32>,
    chain: Vec<u32>,
}

impl GnuHash {
    /// None where there is no such section (libraries linked with `--hash-style=sysv`) or it makes no sense.
    fn read<R: ReadAt + ?Sized>(object: &Object<'_, R>, symbols: &Range<u64>) -> Result<Option<Self>, ElfError> {
        let Some(Table { range, .. }) = object.section(elf::SHT_GNU_HASH)? else { return Ok(None) };
        let bytes = bytes_of(object.data, range, MAX_SYMBOLS)?;
        let numbers = (u32_at(&bytes, 0), u32_at(&bytes, 4), u32_at(&bytes, 8), u32_at(&bytes, 12));
        let (Some(buckets), Some(first), Some(words), Some(shift)) = numbers else { return Ok(None) };
        let count = symbols.end.saturating_sub(symbols.start) / SYMBOL;
        let filter_end = 16_usize.saturating_add((words as usize).saturating_mul(8));
        let buckets_end = filter_end.saturating_add((buckets as usize).saturating_mul(4));
        // Hashes have 32 bits, and cannot be shifted by more.
        if u64::from(first) > count || words == 0 || buckets == 0 || shift > 31 {
            return Ok(None);
        }
        let (Some(filter), Some(index), Some(chain)) =
            (bytes.get(16..filter_end), bytes.get(filter_end..buckets_end), bytes.get(buckets_end..))
        else {
            return Ok(None);
        };
        let numbers = |bytes: &[u8]| bytes.chunks_exact(4).filter_map(|word| u32_at(word, 0)).collect();
        Ok(Some(Self {
            first,
            shift,
            bloom: filter.chunks_exact(8).filter_map(|word| u64_at(word, 0)).collect(),
            buckets: numbers(index),
            chain: numbers(chain),
        }))
    }

    /// The symbols whose hash is this one, by their place in the table.
    fn candidates(&self, hash: u32) -> impl Iterator<Item = u32> {
        let word = self.bloom.get(hash as usize / 64 % self.bloom.len()).copied().unwrap_or_default();
        let bit = |value: u32| word >> (value % 64) & 1 == 1;
        let maybe = bit(hash) && bit(hash >> self.shift);
        let bucket = self.buckets.get(hash as usize % self.buckets.len()).copied().filter(|_| maybe);
        let start = bucket.and_then(|bucket| bucket.checked_sub(self.first));
        let chain = start.and_then(|start| self.chain.get(start as usize..)).unwrap_or_default();
        // The lowest bit of a link is set where the chain ends.
        let end = chain.iter().position(|link| link & 1 == 1).map_or(chain.len(), |last| last + 1);
        let links = chain.get(..end).unwrap_or_default().iter().zip(bucket.unwrap_or_default()..);
        links.filter(move |(link, _)| *link | 1 == hash | 1).map(|(_, symbol)| symbol)
    }
}

/// The hash of `.gnu.hash`: Bernstein's, times 33.
fn gnu_hash(name: &str) -> u32 {
    name.bytes().fold(5381, |hash: u32, byte| hash.wrapping_mul(33).wrapping_add(byte.into()))
}

#[derive(Debug)]
enum Index {
    Hash(GnuHash),
    Names(BTreeSet<String>),
}

/// The symbols that a library exports.
#[derive(Debug)]
pub struct Exports<'a, R: ReadAt + ?Sized> {
    data: &'a R,
    strings: Range<u64>,
    symbols: Range<u64>,
    by: Index,
    /// How many symbols were compared so far.
    asked: AtomicUsize,
    /// Both tables, once so many questions were asked that reading them whole is cheaper; none if they are too big.
    tables: OnceLock<Option<Tables>>,
}

#[derive(Debug)]
struct Tables {
    symbols: Vec<u8>,
    strings: Vec<u8>,
}

impl<'a, R: ReadAt + ?Sized> Exports<'a, R> {
    fn new(data: &'a R, strings: Range<u64>, symbols: Range<u64>, by: Index) -> Self {
        Self { data, strings, symbols, by, asked: AtomicUsize::new(0), tables: OnceLock::new() }
    }

    fn tables(&self) -> Option<&Tables> {
        if self.asked.fetch_add(1, Ordering::Relaxed) < MANY {
            return None;
        }
        let read = || {
            let symbols = bytes_of(self.data, self.symbols.clone(), MAX_LOADED).ok()?;
            Some(Tables { symbols, strings: bytes_of(self.data, self.strings.clone(), MAX_LOADED).ok()? })
        };
        self.tables.get_or_init(read).as_ref()
    }

    /// Bytes of a table: from memory, where it is there, else from the file.
    fn read(&self, loaded: Option<&[u8]>, table: &Range<u64>, at: u64, buf: &mut [u8]) -> Result<(), ElfError> {
        let here = loaded.and_then(|bytes| {
            let start = usize::try_from(at.checked_sub(table.start)?).ok()?;
            bytes.get(start..start.checked_add(buf.len())?)
        });
        match here {
            Some(bytes) => buf.copy_from_slice(bytes),
            None => self.data.read_exact_at(at, buf)?,
        }
        Ok(())
    }

    /// Whether it exports a symbol, by its mangled name.
    ///
    /// # Errors
    ///
    /// If the tables cannot be read.
    pub fn has(&self, name: &str) -> Result<bool, ElfError> {
        let index = match &self.by {
            Index::Names(names) => return Ok(names.contains(name)),
            Index::Hash(index) => index,
        };
        for symbol in index.candidates(gnu_hash(name)) {
            let mut record = [0; 8];
            let at = self.symbols.start.saturating_add(u64::from(symbol).saturating_mul(SYMBOL));
            if at.saturating_add(SYMBOL) > self.symbols.end {
                continue;
            }
            let tables = self.tables();
            self.read(tables.map(|tables| tables.symbols.as_slice()), &self.symbols, at, &mut record)?;
            let (Some(offset), Some(section)) = (u32_at(&record, 0), u16_at(&record, 6)) else { continue };
            // The loader passes over local symbols too; the binding is the upper half of the fifth byte.
            let local = record.get(4).is_none_or(|info| info >> 4 == elf::STB_LOCAL.0);
            let start = self.strings.start.saturating_add(offset.into());
            if local || section == 0 || start.saturating_add(name.len() as u64) >= self.strings.end {
                continue;
            }
            let mut text = vec![0; name.len() + 1];
            self.read(tables.map(|tables| tables.strings.as_slice()), &self.strings, start, &mut text)?;
            if text.strip_suffix(&[0]) == Some(name.as_bytes()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBC10: &[u8] = include_bytes!("../../../fixtures/objects/libc10.so");

    #[test]
    fn many_questions_are_answered_as_the_first_ones_were() {
        let object = Object::open(LIBC10).unwrap();
        let names = super::super::linkage(LIBC10).unwrap().exported;
        let exports = object.exports().unwrap();
        let first: Vec<bool> = names.iter().map(|name| exports.has(name).unwrap()).collect();
        assert!(!first.is_empty() && first.iter().all(|has| *has));
        for _ in 0..2 * MANY {
            assert!(!exports.has("_ZN3c107nothingEv").unwrap());
            assert!(names.iter().all(|name| exports.has(name).unwrap()));
        }
        assert!(exports.tables.get().is_some_and(Option::is_some));
    }
}
