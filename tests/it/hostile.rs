//! Files made to cost more than they are worth: small ones that would ask for gigabytes of memory or hours.
//!
//! Fuzzing with inputs of some kilobytes cannot find them, because the cost is records times the length of what they name.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use gpudoc::objects::elf::lookup::Object;
use gpudoc::objects::elf::{ElfError, layout, linkage};
use gpudoc::objects::fatbin::{Container, Home, StreamWalker, Streamed, read, read_everywhere};
use gpudoc::objects::ld_cache::parse_ld_cache;

const PROGBITS: u32 = 1;
const STRTAB: u32 = 3;
const DYNAMIC: u32 = 6;
const DYNSYM: u32 = 11;
const VERDEF: u32 = 0x6fff_fffd;
const VERNEED: u32 = 0x6fff_fffe;
/// What a name may have, with its end.
const LONG: usize = 64 << 10;
/// Records that name it: 4,000 times 64 KiB are 250 MB, for a file of half a megabyte.
const MANY: u32 = 4000;

/// A section: the place of its name, its type, its bytes as a range of the file after the header, the table it names.
type Section = (u32, u32, std::ops::Range<usize>, u32);

/// An ELF file of a body and of sections; the last section holds the names of all.
fn elf(body: &[u8], sections: &[Section]) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes.extend(body);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let table = bytes.len() as u64;
    bytes.extend([0; 64]);
    for (name, kind, range, link) in sections {
        let mut header = [0; 64];
        header[..4].copy_from_slice(&name.to_le_bytes());
        header[4..8].copy_from_slice(&kind.to_le_bytes());
        header[24..32].copy_from_slice(&(64 + range.start as u64).to_le_bytes());
        header[32..40].copy_from_slice(&(range.len() as u64).to_le_bytes());
        header[40..44].copy_from_slice(&link.to_le_bytes());
        bytes.extend(header);
    }
    let count = u16::try_from(sections.len()).unwrap();
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[18] = 62;
    bytes[40..48].copy_from_slice(&table.to_le_bytes());
    bytes[58..60].copy_from_slice(&64_u16.to_le_bytes());
    bytes[60..62].copy_from_slice(&(count + 1).to_le_bytes());
    bytes[62..64].copy_from_slice(&count.to_le_bytes());
    bytes
}

/// A name of `length` bytes, its end included, behind the empty one.
fn one_name(length: usize) -> Vec<u8> {
    [vec![0], vec![b'x'; length - 1], vec![0]].concat()
}

/// A file with one table of records, and with one long name for all of them.
fn table(kind: u32, records: &[u8], length: usize) -> Vec<u8> {
    let names = one_name(length);
    let (start, end) = (records.len(), records.len() + names.len());
    elf(&[records, &names].concat(), &[(0, kind, 0..start, 2), (0, STRTAB, start..end, 0)])
}

fn symbols(section: u16) -> Vec<u8> {
    let symbol = |name: u32| [name.to_le_bytes().as_slice(), &[0x12, 0], &section.to_le_bytes(), &[0; 16]].concat();
    [vec![0; 24], symbol(1).repeat(MANY as usize)].concat()
}

fn needed_versions() -> Vec<u8> {
    let count = u16::try_from(MANY).unwrap().to_le_bytes();
    let file = [&[1, 0], count.as_slice(), &1_u32.to_le_bytes(), &16_u32.to_le_bytes(), &[0; 4]].concat();
    let version = [[0; 6].as_slice(), &[2, 0], &1_u32.to_le_bytes(), &16_u32.to_le_bytes()].concat();
    [file, version.repeat(MANY as usize)].concat()
}

fn defined_versions() -> Vec<u8> {
    let record = |place: u32| {
        let name = 20 * MANY + 4 * place - 20 * place;
        [[0; 12].as_slice(), &name.to_le_bytes(), &20_u32.to_le_bytes()].concat()
    };
    // Each names another place of the long name, so that no two names are the same.
    let names = (1..=MANY).flat_map(u32::to_le_bytes);
    (0..MANY).flat_map(record).chain(names).collect()
}

fn is_refused<T: std::fmt::Debug>(result: Result<T, ElfError>) -> bool {
    match result {
        Err(error) => error.to_string() == "damaged ELF file: names longer than their table",
        Ok(_) => false,
    }
}

#[test]
fn many_sections_with_one_long_name() {
    let name = one_name(LONG);
    let mut sections: Vec<Section> = (0..MANY).map(|_| (1, PROGBITS, 0..0, 0)).collect();
    sections.push((0, STRTAB, 0..name.len(), 0));
    assert!(is_refused(layout(elf(&name, &sections).as_slice())));
}

#[test]
fn many_records_with_one_long_name() {
    let needed = [1_u64.to_le_bytes(), 1_u64.to_le_bytes()].concat().repeat(MANY as usize);
    let file = table(DYNAMIC, &needed, LONG);
    assert!(is_refused(Object::open(file.as_slice()).unwrap().dynamic()));

    let file = table(DYNSYM, &symbols(0), LONG);
    assert!(is_refused(Object::open(file.as_slice()).unwrap().undefined()));
    assert!(is_refused(linkage(file.as_slice())));

    let file = table(DYNSYM, &symbols(1), LONG);
    assert!(is_refused(Object::open(file.as_slice()).unwrap().exports()), "by name, for lack of a hash table");

    let file = table(VERNEED, &needed_versions(), LONG);
    assert!(is_refused(Object::open(file.as_slice()).unwrap().needed_versions()));

    let file = table(VERDEF, &defined_versions(), LONG);
    assert!(is_refused(Object::open(file.as_slice()).unwrap().defined_versions()));
}

#[test]
fn a_name_without_end_is_none() {
    let file = table(DYNSYM, &symbols(0), LONG + 1);
    assert_eq!(Object::open(file.as_slice()).unwrap().undefined().unwrap(), []);
    assert!(matches!(linkage(file.as_slice()), Err(ElfError::Damaged("symbol name"))));
}

#[test]
fn many_entries_of_the_cache_with_one_long_name() {
    let mut cache = b"glibc-ld.so.cache1.1".to_vec();
    cache.extend([MANY.to_le_bytes(), [0; 4], [2, 0, 0, 0], [0; 4], [0; 4], [0; 4], [0; 4]].concat());
    let text = 48 + 24 * MANY;
    let entry = [[3, 3, 0, 0], text.to_le_bytes(), text.to_le_bytes(), [0; 4], [0; 4], [0; 4]].concat();
    cache.extend(entry.repeat(MANY as usize));
    cache.extend(&one_name(4000)[1..]);
    let entries = parse_ld_cache(&cache).unwrap();
    assert!((1..100).contains(&entries.len()), "{} entries", entries.len());
}

/// A container of one image without a payload.
fn container() -> Vec<u8> {
    let mut image = vec![0; 64];
    (image[0], image[4], image[28]) = (2, 64, 80);
    [b"\x50\xED\x55\xBA\x01\0\x10\0".as_slice(), &64_u64.to_le_bytes(), &image].concat()
}

fn streamed(bytes: &[u8], mut walker: StreamWalker) -> Vec<Container> {
    for _ in 0..3 {
        bytes.chunks(1000).for_each(|chunk| walker.feed(chunk));
        match walker.finish().unwrap() {
            Streamed::Library(_, containers) => return containers,
            Streamed::Again(again) => walker = *again,
        }
    }
    panic!("a fourth pass");
}

/// 5 MB took nine seconds, and a bigger file longer in proportion: sections times words that begin like a container.
#[test]
fn many_sections_and_many_false_containers() {
    const SECTIONS: usize = 60_000;
    let names = b"\0.nv_fatbin\0.data\0";
    let words = b"\x50\xED\x55\xBA\0\0\0\0".repeat(30_000);
    let body = [names.to_vec(), vec![0; 6 + 8 * SECTIONS], words, container()].concat();
    let (small, big) = (24, 24 + 8 * SECTIONS);
    for (name, home) in [(1, Home::Registered), (12, Home::Elsewhere)] {
        let mut sections: Vec<Section> =
            (0..SECTIONS).map(|index| (name, PROGBITS, small + 8 * index..small + 8 * index + 8, 0)).collect();
        sections.push((name, PROGBITS, big..body.len(), 0));
        sections.push((0, STRTAB, 0..names.len(), 0));
        let file = elf(&body, &sections);
        let data = file.as_slice();
        let found = read_everywhere(data, &layout(data).unwrap()).unwrap();
        let [only] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((only.home, only.offset), (home, file.len() as u64 - 64 * (SECTIONS as u64 + 3) - 80));
        assert_eq!(streamed(data, StreamWalker::everywhere(file.len() as u64)), found);
        assert_eq!(read(data).unwrap(), if home == Home::Registered { found } else { Vec::new() });
    }
}

#[test]
fn of_sections_that_overlap_the_first_one_counts() {
    let names = b"\0.nv_fatbin\0.data\0";
    let body = [names.to_vec(), vec![0; 6], container().repeat(6)].concat();
    let part = |name: u32, from: usize, to: usize| (name, PROGBITS, 24 + 80 * from..24 + 80 * to, 0);
    let all = (0, STRTAB, 0..names.len(), 0);
    let sections = [part(12, 0, 2), part(12, 1, 3), part(12, 3, 5), part(1, 4, 5), part(12, 5, 6), part(12, 2, 3), all];
    let file = elf(&body, &sections);
    let data = file.as_slice();
    let found = read_everywhere(data, &layout(data).unwrap()).unwrap();
    let places: Vec<_> = found.iter().map(|found| (found.home, (found.offset - 88) / 80)).collect();
    use Home::{Elsewhere, Registered};
    assert_eq!(places, [(Elsewhere, 0), (Elsewhere, 1), (Elsewhere, 2), (Registered, 4), (Elsewhere, 5)]);
    assert_eq!(streamed(data, StreamWalker::everywhere(file.len() as u64)), found);
}
