//! Chosen parts of a stream, kept as it goes by.

use std::io;
use std::ops::Range;

use super::ReadAt;

/// Parts of a stream of known length, to be read like a file.
#[derive(Debug)]
pub struct Pieces {
    size: u64,
    position: u64,
    pieces: Vec<(Range<u64>, Vec<u8>)>,
}

impl Pieces {
    /// Will keep these ranges of a stream of `size` bytes; those that together exceed `limit` bytes are left out.
    #[must_use]
    pub fn new(size: u64, ranges: impl IntoIterator<Item = Range<u64>>, limit: u64) -> Self {
        let mut room = limit;
        let pieces = ranges.into_iter().filter_map(|range| {
            room = room.checked_sub(range.end.checked_sub(range.start)?)?;
            Some((range, Vec::new()))
        });
        let pieces = pieces.collect();
        Self { size, position: 0, pieces }
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        for (range, bytes) in &mut self.pieces {
            let wanted = range.start + bytes.len() as u64;
            let skip = wanted.checked_sub(self.position).and_then(|skip| usize::try_from(skip).ok());
            let Some(rest) = skip.and_then(|skip| chunk.get(skip..)) else { continue };
            let room = usize::try_from(range.end - wanted).unwrap_or(usize::MAX);
            bytes.extend_from_slice(rest.get(..room.min(rest.len())).unwrap_or_default());
        }
        self.position += chunk.len() as u64;
    }

    /// Whether all that is kept has gone by.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.pieces.iter().all(|(range, _)| range.end <= self.position)
    }
}

impl ReadAt for Pieces {
    fn size(&self) -> u64 {
        self.size
    }

    /// Reads from the piece that holds the first byte; `NotFound` if none does.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        for (range, bytes) in &self.pieces {
            let start = offset.checked_sub(range.start).and_then(|start| usize::try_from(start).ok());
            if let Some(rest) = start.and_then(|start| bytes.get(start..)).filter(|rest| !rest.is_empty()) {
                let count = rest.len().min(buf.len());
                if let (Some(to), Some(from)) = (buf.get_mut(..count), rest.get(..count)) {
                    to.copy_from_slice(from);
                }
                return Ok(count);
            }
        }
        if buf.is_empty() { Ok(0) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_can_be_read_and_nothing_else() {
        let stream: Vec<u8> = (0..100).collect();
        for chunk in [1, 7, 100] {
            let mut pieces = Pieces::new(100, [0..4, 10..20, 90..100, 20..80], 30);
            stream.chunks(chunk).for_each(|chunk| pieces.feed(chunk));
            assert!(pieces.is_done());
            let mut buf = [0; 5];
            pieces.read_exact_at(12, &mut buf).unwrap();
            assert_eq!(buf, [12, 13, 14, 15, 16]);
            assert_eq!(pieces.read_at(98, &mut buf).unwrap(), 2);
            assert_eq!(pieces.read_at(50, &mut buf).unwrap_err().kind(), io::ErrorKind::NotFound, "over the limit");
        }
    }
}
