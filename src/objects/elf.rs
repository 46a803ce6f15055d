//! ELF shared objects, as far as a GPU stack needs them: where sections lie, and what the dynamic linker will ask for.
//!
//! Only 64-bit little-endian files are read: Linux on x86_64 and aarch64, the only platforms with CUDA wheels. The layout
//! is that of the System V ABI (`elf.h`); the record types come from the `object` crate.

pub mod function;
pub mod lookup;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io;
use std::ops::Range;

use object::pod::{from_bytes, slice_from_all_bytes};
use object::{LittleEndian as LE, elf};

use super::ReadAt;
use crate::version::GlibcVersion;

/// Section header tables and name tables above this size are taken for damage: libtorch has about 40 sections.
const MAX_TABLE: u64 = 8 << 20;
/// Symbol and string tables above this size are taken for damage: libtorch_cpu has about 60 MB of them.
const MAX_SYMBOLS: u64 = 512 << 20;
/// The longest name that is taken: C++ names of some kilobytes exist.
const MAX_NAME: usize = 64 << 10;

/// Why a file cannot be read as an ELF shared object.
#[derive(Debug, thiserror::Error)]
pub enum ElfError {
    /// No `\x7fELF` at its start.
    #[error("not an ELF file")]
    NotElf,
    /// 32-bit or big-endian, where no CUDA library exists.
    #[error("an ELF file, but not 64-bit little-endian")]
    Unsupported,
    /// A table lies outside the file or makes no sense.
    #[error("damaged ELF file: {0}")]
    Damaged(&'static str),
    /// The bytes could not be read.
    #[error("failed to read")]
    Read(#[from] io::Error),
}

/// The processor that a file's host code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Machine {
    /// `EM_X86_64`.
    X86_64,
    /// `EM_AARCH64`.
    Aarch64,
    /// Anything else, with its `EM_` number, e.g. 243 for RISC-V.
    Other(u16),
}

/// A section that occupies bytes of the file, e.g. `.nv_fatbin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name, e.g. `.nv_fatbin`.
    pub name: String,
    /// Its bytes in the file.
    pub range: Range<u64>,
    /// Where they are mapped, relative to the load address.
    pub address: u64,
}

/// Where the sections of a file lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The processor.
    pub machine: Machine,
    /// The section table itself.
    pub table: Range<u64>,
    /// In file-header order; those without bytes (`.bss`) are left out.
    pub sections: Vec<Section>,
}

impl Layout {
    /// The first section of this name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }
}

/// Tells whether these first bytes of a file are those of an ELF file.
#[must_use]
pub fn is_elf(start: &[u8]) -> bool {
    start.starts_with(&elf::ELFMAG)
}

/// Where the section header table lies, from the first 64 bytes of a file; empty if the file has none.
///
/// # Errors
///
/// If the bytes are no ELF header that we read.
pub fn section_table_range(header: &[u8]) -> Result<Range<u64>, ElfError> {
    let header = file_header(header)?;
    let size = u64::from(header.e_shnum.get(LE)) * size_of::<elf::SectionHeader64<LE>>() as u64;
    let start = header.e_shoff.get(LE);
    let end = start.checked_add(size).ok_or(ElfError::Damaged("section table outside the file"))?;
    Ok(start..end)
}

fn file_header(bytes: &[u8]) -> Result<&elf::FileHeader64<LE>, ElfError> {
    if !is_elf(bytes) {
        return Err(ElfError::NotElf);
    }
    let (header, _) = from_bytes::<elf::FileHeader64<LE>>(bytes).map_err(|()| ElfError::Damaged("short header"))?;
    let ident = &header.e_ident;
    if ident.class != elf::ELFCLASS64 || ident.data != elf::ELFDATA2LSB {
        return Err(ElfError::Unsupported);
    }
    if header.e_shnum.get(LE) > 0 && usize::from(header.e_shentsize.get(LE)) != size_of::<elf::SectionHeader64<LE>>() {
        return Err(ElfError::Damaged("section header size"));
    }
    Ok(header)
}

fn bytes_of<R: ReadAt + ?Sized>(data: &R, range: Range<u64>, limit: u64) -> Result<Vec<u8>, ElfError> {
    let size = range.end.checked_sub(range.start).ok_or(ElfError::Damaged("negative size"))?;
    if range.end > data.size() || size > limit {
        return Err(ElfError::Damaged("table outside the file"));
    }
    let mut bytes = vec![0; usize::try_from(size).map_err(|_| ElfError::Damaged("table size"))?];
    data.read_exact_at(range.start, &mut bytes)?;
    Ok(bytes)
}

#[derive(Debug)]
struct Headers {
    machine: Machine,
    place: Range<u64>,
    table: Vec<u8>,
    names: usize,
}

impl Headers {
    fn read<R: ReadAt + ?Sized>(data: &R) -> Result<Self, ElfError> {
        let mut first = [0; 64];
        let count = data.read_at(0, &mut first)?;
        let first = first.get(..count).unwrap_or_default();
        let header = file_header(first)?;
        let machine = match header.e_machine.get(LE) {
            elf::EM_X86_64 => Machine::X86_64,
            elf::EM_AARCH64 => Machine::Aarch64,
            other => Machine::Other(other.0),
        };
        let place = section_table_range(first)?;
        let table = bytes_of(data, place.clone(), MAX_TABLE)?;
        Ok(Self { machine, place, table, names: usize::from(header.e_shstrndx.get(LE).0) })
    }

    fn sections(&self) -> Result<&[elf::SectionHeader64<LE>], ElfError> {
        slice_from_all_bytes(&self.table).map_err(|()| ElfError::Damaged("section table"))
    }

    fn names_range(&self) -> Result<Range<u64>, ElfError> {
        let section = self.sections()?.get(self.names).ok_or(ElfError::Damaged("no section names"))?;
        file_range(section)
    }

    fn layout<R: ReadAt + ?Sized>(&self, data: &R) -> Result<Layout, ElfError> {
        let mut sections = Vec::new();
        if !self.sections()?.is_empty() {
            let names = bytes_of(data, self.names_range()?, MAX_TABLE)?;
            let allowance = Allowance::of(names.len() as u64);
            for section in self.sections()? {
                let kind = section.sh_type.get(LE);
                if kind == elf::SHT_NULL || kind == elf::SHT_NOBITS {
                    continue;
                }
                let name = text_at(&names, section.sh_name.get(LE).into()).ok_or(ElfError::Damaged("section name"))?;
                let name = allowance.take(name)?;
                sections.push(Section { name, range: file_range(section)?, address: section.sh_addr.get(LE) });
            }
        }
        Ok(Layout { machine: self.machine, table: self.place.clone(), sections })
    }
}

fn file_range(section: &elf::SectionHeader64<LE>) -> Result<Range<u64>, ElfError> {
    let start = section.sh_offset.get(LE);
    let end = start.checked_add(section.sh_size.get(LE)).ok_or(ElfError::Damaged("section outside the file"))?;
    Ok(start..end)
}

/// The zero-terminated text at a place of a string table.
fn text_at(strings: &[u8], offset: u64) -> Option<String> {
    let rest = strings.get(usize::try_from(offset).ok()?..)?;
    let end = memchr::memchr(0, rest.get(..MAX_NAME.min(rest.len()))?)?;
    Some(String::from_utf8_lossy(rest.get(..end)?).into_owned())
}

/// How much text may still be copied out of one string table.
///
/// Names may share their text, `free` being the end of `cfree`, and records their names: twice the table was the most in
/// 4,156 tables of published libraries. Without a limit 5 MB, in which every record names the same long text, ask for
/// 80 GB.
#[derive(Debug)]
struct Allowance(Cell<u64>);

impl Allowance {
    fn of(table: u64) -> Self {
        Self(Cell::new(table.saturating_mul(4).saturating_add(1 << 20).min(MAX_SYMBOLS)))
    }

    fn take(&self, text: String) -> Result<String, ElfError> {
        let left = self.0.get().checked_sub(text.len() as u64);
        self.0.set(left.ok_or(ElfError::Damaged("names longer than their table"))?);
        Ok(text)
    }
}

/// Where the section names lie in the file: what a reader of a stream must have kept.
///
/// # Errors
///
/// If the file is no ELF file that we read, or its header or section table cannot be read.
pub fn section_names_range<R: ReadAt + ?Sized>(data: &R) -> Result<Range<u64>, ElfError> {
    Headers::read(data)?.names_range()
}

/// Reads where the sections lie: three small reads, however big the file is.
///
/// # Errors
///
/// If the file is no ELF file that we read, or damaged.
pub fn layout<R: ReadAt + ?Sized>(data: &R) -> Result<Layout, ElfError> {
    Headers::read(data)?.layout(data)
}

/// The parts of a file that tell everything but its code: header, section table and names, what the loader reads.
#[must_use]
pub fn table_ranges(layout: &Layout) -> Vec<Range<u64>> {
    let names = [".shstrtab", ".dynamic", ".gnu.version", ".gnu.version_r", ".gnu.hash", ".dynsym", ".dynstr"];
    let sections = names.iter().filter_map(|name| layout.section(name)).map(|section| section.range.clone());
    [0..64, layout.table.clone()].into_iter().chain(sections).collect()
}

/// What the dynamic linker reads of a shared object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linkage {
    /// `DT_SONAME`, e.g. `libcudart.so.12`.
    pub soname: Option<String>,
    /// `DT_NEEDED`, in order, e.g. `libc10.so`.
    pub needed: Vec<String>,
    /// `DT_RPATH`, searched before `LD_LIBRARY_PATH`, e.g. `$ORIGIN/../../nvidia/cudnn/lib`.
    pub rpath: Vec<String>,
    /// `DT_RUNPATH`, searched after `LD_LIBRARY_PATH`.
    pub runpath: Vec<String>,
    /// The symbol versions that it needs, e.g. `GLIBC_2.28`, `GLIBCXX_3.4.26`, `CXXABI_1.3`, sorted.
    pub versions: BTreeSet<String>,
    /// Symbols that another library must export, sorted; weak ones, which may stay unresolved, are left out.
    pub undefined: BTreeSet<String>,
    /// Symbols that it exports, sorted.
    pub exported: BTreeSet<String>,
}

impl Linkage {
    /// The oldest glibc that satisfies all symbol versions, e.g. 2.28 for `GLIBC_2.28`.
    #[must_use]
    pub fn glibc(&self) -> Option<GlibcVersion> {
        self.versions.iter().filter_map(|version| version.strip_prefix("GLIBC_")?.parse().ok()).max()
    }
}

/// Reads what the dynamic linker would. Costs as much as the dynamic symbol and string tables are big.
///
/// # Errors
///
/// If the file is no ELF file that we read, or damaged.
pub fn linkage<R: ReadAt + ?Sized>(data: &R) -> Result<Linkage, ElfError> {
    let object = lookup::Object::open(data)?;
    let lookup::Dynamic { soname, needed, rpath, runpath } = object.dynamic()?;
    let versions = object.needed_versions()?.into_iter().map(|(version, _)| version).collect();
    let mut linkage = Linkage { soname, needed, rpath, runpath, versions, ..Linkage::default() };
    if let Some(lookup::Table { range: symbols, strings }) = object.section(elf::SHT_DYNSYM)? {
        let strings = bytes_of(data, strings, MAX_SYMBOLS)?;
        read_symbols(&bytes_of(data, symbols, MAX_SYMBOLS)?, &strings, &mut linkage)?;
    }
    Ok(linkage)
}

fn read_symbols(bytes: &[u8], strings: &[u8], linkage: &mut Linkage) -> Result<(), ElfError> {
    let symbols: &[elf::Sym64<LE>] = slice_from_all_bytes(bytes).map_err(|()| ElfError::Damaged("symbol table"))?;
    let allowance = Allowance::of(strings.len() as u64);
    for symbol in symbols {
        let bind = symbol.st_bind();
        if bind == elf::STB_LOCAL {
            continue;
        }
        let name = text_at(strings, symbol.st_name.get(LE).into()).ok_or(ElfError::Damaged("symbol name"))?;
        let name = allowance.take(name)?;
        if symbol.st_shndx.get(LE) != elf::SHN_UNDEF {
            linkage.exported.insert(name);
        } else if bind != elf::STB_WEAK {
            linkage.undefined.insert(name);
        }
    }
    Ok(())
}
