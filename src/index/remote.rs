//! A wheel on an index, read in place: its directory, small members, and big members as a stream.

use std::io::{self, Read};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use reqwest::Url;
use tokio::sync::mpsc;

use super::client::{Client, IndexError};
use crate::objects::elf::{ElfError, Layout};
use crate::objects::fatbin::{Container, StreamWalker, Streamed};
use crate::objects::pieces::Pieces;
use crate::python::zip::{self, Member, Method};

/// Members that are read into memory must not be bigger.
const MAX_MEMBER: u64 = 64 << 20;
/// What goes by between two looks at the connection.
const CHUNK: usize = 256 << 10;
/// How many chunks may wait between the connection and the walker.
const QUEUE: usize = 32;
/// How often a library may have to go by.
const PASSES: usize = 3;
/// How much of the start of a library holds its symbols: 12 MB in libtorch_cuda.
const FIRST: u64 = 48 << 20;
/// How much of its end holds them where `patchelf` moved them: 44 MB in libtorch_cuda_cu of torch 1.13.
const LAST: u64 = 64 << 20;

/// Why a member of a wheel cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum WheelError {
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The file is no zip file, or not one that we read.
    #[error("`{url}` is no wheel: {what}")]
    NotAWheel {
        /// The file.
        url: String,
        /// What is wrong.
        what: String,
    },
    /// A member does not unpack to what the directory says.
    #[error("`{member}` in `{url}` is damaged: {what}")]
    Damaged {
        /// The file.
        url: String,
        /// The member.
        member: String,
        /// What is wrong.
        what: String,
    },
}

/// A wheel whose directory was read.
#[derive(Debug, Clone)]
pub struct RemoteWheel {
    client: Client,
    url: Url,
    /// Its files, in the order of the directory.
    pub members: Vec<Member>,
}

impl RemoteWheel {
    /// Reads the directory of a wheel.
    ///
    /// # Errors
    ///
    /// If the index fails, serves no ranges, or the file is no zip file.
    pub async fn open(client: &Client, url: &Url) -> Result<Self, WheelError> {
        let wrong = |what: &str| WheelError::NotAWheel { url: url.to_string(), what: what.to_owned() };
        let (tail, total) = client.range(url, None, zip::TAIL).await?;
        let directory = zip::find_directory(&tail, total).ok_or_else(|| wrong("it has no zip directory"))?;
        let before = total.saturating_sub(tail.len() as u64);
        let bytes = match directory.offset.checked_sub(before).and_then(|start| usize::try_from(start).ok()) {
            Some(start) => tail.get(start..).unwrap_or_default().to_vec(),
            None if directory.size > zip::MAX_DIRECTORY => return Err(wrong("its directory is too big")),
            None => client.range(url, Some(directory.offset), directory.size).await?.0,
        };
        Ok(Self { client: client.clone(), url: url.clone(), members: zip::read_directory(&bytes) })
    }

    /// The member of this name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    fn damaged(&self, member: &Member, what: impl Into<String>) -> WheelError {
        WheelError::Damaged { url: self.url.to_string(), member: member.name.clone(), what: what.into() }
    }

    async fn data_start(&self, member: &Member) -> Result<u64, WheelError> {
        let (head, _) = self.client.range(&self.url, Some(member.offset), 30).await?;
        let length = zip::local_header_length(&head).ok_or_else(|| self.damaged(member, "no local header"))?;
        Ok(member.offset.saturating_add(length))
    }

    /// Unpacks a small member.
    ///
    /// # Errors
    ///
    /// If the index fails, or the member is damaged or too big.
    pub async fn read(&self, member: &Member) -> Result<Vec<u8>, WheelError> {
        if member.size > MAX_MEMBER || member.packed > MAX_MEMBER {
            return Err(self.damaged(member, "too big to be read at once"));
        }
        // The local header is short: fetched together with the data, in one request.
        let guess = member.packed + 30 + member.name.len() as u64 + 256;
        let (bytes, _) = self.client.range(&self.url, Some(member.offset), guess).await?;
        let start = zip::local_header_length(&bytes).and_then(|length| usize::try_from(length).ok());
        let packed = start
            .zip(usize::try_from(member.packed).ok())
            .and_then(|(start, size)| bytes.get(start..start.checked_add(size)?));
        let packed = packed.ok_or_else(|| self.damaged(member, "no local header"))?;
        let mut unpacked = Vec::new();
        let unpack = match member.method {
            Method::Stored => (&mut &*packed).take(member.size).read_to_end(&mut unpacked),
            Method::Deflated => DeflateDecoder::new(packed).take(member.size + 1).read_to_end(&mut unpacked),
            Method::Other(number) => return Err(self.damaged(member, format!("compression method {number}"))),
        };
        unpack.map_err(|error| self.damaged(member, error.to_string()))?;
        let mut crc = Crc::new();
        crc.update(&unpacked);
        if unpacked.len() as u64 != member.size || crc.sum() != member.crc {
            return Err(self.damaged(member, "wrong length or checksum"));
        }
        Ok(unpacked)
    }

    /// Reads the fat binaries of a library while it goes by. None: the member is no ELF library that we read.
    ///
    /// `progress` hears how many packed bytes came.
    ///
    /// # Errors
    ///
    /// If the index fails or the member is damaged.
    pub async fn fat_binaries(
        &self,
        member: &Member,
        progress: impl Fn(u64) + Send + Sync,
    ) -> Result<Option<(Layout, Vec<Container>)>, WheelError> {
        let start = self.data_start(member).await?;
        let mut walker = StreamWalker::new(member.size);
        for _ in 0..PASSES {
            match self.pass(member, start, walker, &progress).await?.finish() {
                Ok(Streamed::Library(layout, containers)) => return Ok(Some((layout, containers))),
                Ok(Streamed::Again(again)) => walker = *again,
                Err(ElfError::NotElf | ElfError::Unsupported) => return Ok(None),
                Err(error) => return Err(self.damaged(member, error.to_string())),
            }
        }
        Err(self.damaged(member, "its sections make no sense"))
    }

    /// The tables of a library: its first and its last part, which hold all that the loader reads. Linkers put symbols at
    /// the start of a file, and `patchelf` moves them to its end.
    ///
    /// # Errors
    ///
    /// If the index fails or the member is damaged.
    pub async fn tables(&self, member: &Member) -> Result<Pieces, WheelError> {
        let start = self.data_start(member).await?;
        let parts =
            [0..member.size.min(FIRST), member.size.saturating_sub(LAST).max(FIRST.min(member.size))..member.size];
        let pieces = Pieces::new(member.size, parts, FIRST + LAST);
        self.pass(member, start, pieces, &|_| {}).await
    }

    async fn pass<W: Watcher>(
        &self,
        member: &Member,
        start: u64,
        watcher: W,
        progress: &(impl Fn(u64) + Send + Sync),
    ) -> Result<W, WheelError> {
        let (sender, receiver) = mpsc::channel::<Vec<u8>>(QUEUE);
        let (method, size, crc) = (member.method, member.size, member.crc);
        let unpacking = tokio::task::spawn_blocking(move || {
            let packed = Queue { receiver, chunk: Vec::new(), used: 0 };
            match method {
                Method::Stored => watch(packed, size, crc, watcher),
                Method::Deflated => watch(DeflateDecoder::new(packed), size, crc, watcher),
                Method::Other(number) => Err(io::Error::other(format!("compression method {number}"))),
            }
        });
        let streamed = self
            .client
            .stream(&self.url, start, member.packed, |chunk| {
                progress(chunk.len() as u64);
                let sender = &sender;
                async move { sender.send(chunk).await.is_ok() }
            })
            .await;
        drop(sender);
        let watched = unpacking.await.map_err(|error| self.damaged(member, error.to_string()))?;
        streamed?;
        watched.map_err(|error| self.damaged(member, error.to_string()))
    }
}

/// Something that a stream goes by.
trait Watcher: Send + 'static {
    /// Takes the next bytes; false if the rest does not matter.
    fn take(&mut self, chunk: &[u8]) -> bool;
}

impl Watcher for StreamWalker {
    fn take(&mut self, chunk: &[u8]) -> bool {
        self.feed(chunk);
        !self.is_hopeless()
    }
}

impl Watcher for Pieces {
    fn take(&mut self, chunk: &[u8]) -> bool {
        self.feed(chunk);
        true
    }
}

/// Leads unpacked bytes past a watcher and checks that they are what the directory promised.
fn watch<W: Watcher>(mut bytes: impl Read, size: u64, crc: u32, mut watcher: W) -> io::Result<W> {
    let mut chunk = vec![0; CHUNK];
    let mut sum = Crc::new();
    let mut total = 0_u64;
    loop {
        let count = bytes.read(&mut chunk)?;
        let part = chunk.get(..count).unwrap_or_default();
        if part.is_empty() {
            break;
        }
        total += count as u64;
        if total > size {
            return Err(io::Error::other("longer than the directory says"));
        }
        sum.update(part);
        if !watcher.take(part) {
            return Ok(watcher);
        }
    }
    if total != size || sum.sum() != crc {
        return Err(io::Error::other("wrong length or checksum"));
    }
    Ok(watcher)
}

/// The chunks of a connection, read as one.
struct Queue {
    receiver: mpsc::Receiver<Vec<u8>>,
    chunk: Vec<u8>,
    used: usize,
}

impl Read for Queue {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.used >= self.chunk.len() {
            let Some(chunk) = self.receiver.blocking_recv() else { return Ok(0) };
            self.chunk = chunk;
            self.used = 0;
        }
        let rest = self.chunk.get(self.used..).unwrap_or_default();
        let count = rest.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.used += count;
        Ok(count)
    }
}
