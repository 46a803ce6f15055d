use std::io;

use super::header::{FLAG_ARCHITECTURE, FLAG_FAMILY, FLAG_LZ4, FLAG_ZSTD, MAGIC};
use super::stream::TAIL;
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
