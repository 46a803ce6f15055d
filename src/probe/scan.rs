//! Shared libraries wherever they lie: single files, folders, wheels.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;

use super::file_at::FileAt;
use crate::objects::ReadAt;
use crate::objects::elf::lookup::Object;
use crate::objects::elf::{self, ElfError};
use crate::objects::fatbin::{StreamWalker, Streamed};
use crate::objects::library::{self, SharedLibrary};
use crate::objects::pieces::Pieces;
use crate::parallel::in_parallel;
use crate::python::record::{is_library, parse_record};
use crate::python::zip::{self, Member, Method};

/// The most of the tables of one packed library that is kept in memory: libtorch_cpu's have 60 MB.
const MAX_TABLES: u64 = 256 << 20;
/// What goes by at once when a member of a wheel is unpacked.
const CHUNK: usize = 256 << 10;
/// How often a packed library may have to go by.
const PASSES: usize = 3;
/// Folders nested deeper than this are not entered.
const MAX_DEPTH: usize = 64;

/// A library that was found.
#[derive(Debug)]
pub struct Scanned {
    /// As it is reached from what was named, e.g. `venv/lib/python3.11/site-packages/torch/lib/libtorch_cuda.so`; inside a
    /// wheel the member's name.
    pub path: String,
    /// The distribution that lists it, e.g. `torch` and `2.7.1`.
    pub distribution: Option<(String, String)>,
    /// Bytes of the library.
    pub size: u64,
    /// What it says, or why it cannot be read.
    pub result: Result<Contents, String>,
}

/// What a library says.
#[derive(Debug)]
pub struct Contents {
    /// Its headers.
    pub library: SharedLibrary,
    /// Symbols that another library must export, sorted; empty unless they were asked for.
    pub undefined: Vec<String>,
}

/// Something to read.
enum Item {
    File { path: PathBuf, shown: String, named: bool },
    Member { wheel: PathBuf, member: Member, distribution: Option<(String, String)> },
}

/// Why a path cannot be scanned.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// It is not there, or cannot be read.
    #[error("failed to read `{path}`")]
    Read {
        /// The path.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file named `.whl` that is no zip file.
    #[error("`{path}` is no wheel: it has no zip directory")]
    NotAWheel {
        /// The path.
        path: String,
    },
}

/// Reads every library below the paths; `undefined`: its undefined symbols too.
///
/// A file that is named is read whatever its name; in folders and wheels those that are called like libraries. Links are
/// not followed, so that each file appears once.
///
/// # Errors
///
/// If a path that was named cannot be read. A library that is damaged is no error, and says so in its place.
pub fn scan(paths: &[PathBuf], undefined: bool, progress: &(dyn Fn(u64) + Sync)) -> Result<Vec<Scanned>, ScanError> {
    let mut items = Vec::new();
    let mut owners = Owners::default();
    for path in paths {
        let failed = |source| ScanError::Read { path: path.display().to_string(), source };
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            walk(path, 0, &mut items, &mut owners).map_err(failed)?;
        } else if path.extension().is_some_and(|extension| extension == "whl") {
            items.extend(members(path)?);
        } else if metadata.is_file() {
            items.push(Item::File { path: path.clone(), shown: path.display().to_string(), named: true });
        } else {
            return Err(failed(io::Error::other("neither a file nor a folder")));
        }
    }
    let scanned = in_parallel(&items, 4, |item| {
        let scanned = match item {
            Item::File { path, shown, named } => scan_file(path, shown, *named, undefined),
            Item::Member { wheel, member, distribution } => scan_member(wheel, member, distribution, undefined),
        };
        progress(1);
        scanned
    });
    let mut scanned: Vec<Scanned> = scanned.into_iter().flatten().collect();
    for object in scanned.iter_mut().filter(|object| object.distribution.is_none()) {
        object.distribution = owners.0.get(&object.path).cloned();
    }
    scanned.sort_by(|one, other| (&one.distribution, &one.path).cmp(&(&other.distribution, &other.path)));
    Ok(scanned)
}

/// Which distribution lists which file.
#[derive(Default)]
struct Owners(std::collections::HashMap<String, (String, String)>);

impl Owners {
    /// Reads the RECORD of a metadata folder.
    fn read(&mut self, info: &Path) {
        let Some(name) = info.file_name().and_then(|name| name.to_str()?.strip_suffix(".dist-info")) else { return };
        let Some((name, version)) = name.rsplit_once('-') else { return };
        let (Some(base), Ok(record)) = (info.parent(), read_file(&info.join("RECORD"))) else { return };
        for file in parse_record(&String::from_utf8_lossy(&record)).filter(|file| is_library(&file.path)) {
            let owner = (name.replace('_', "-").to_lowercase(), version.to_owned());
            self.0.insert(base.join(file.path.as_ref()).display().to_string(), owner);
        }
    }
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(64 << 20).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn walk(folder: &Path, depth: usize, items: &mut Vec<Item>, owners: &mut Owners) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() {
            if path.extension().is_some_and(|extension| extension == "dist-info") {
                owners.read(&path);
            } else if depth < MAX_DEPTH && entry.file_name() != crate::own::FOLDER {
                // A folder that may not be entered costs only itself.
                match walk(&path, depth + 1, items, owners) {
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                    walked => walked?,
                }
            }
        } else if kind.is_file() && entry.file_name().to_str().is_some_and(is_library) {
            items.push(Item::File { shown: path.display().to_string(), path, named: false });
        }
    }
    Ok(())
}

/// Reads a file; none if it only has the name of a library, such as a linker script.
fn scan_file(path: &Path, shown: &str, named: bool, undefined: bool) -> Option<Scanned> {
    let mut size = 0;
    let read = || -> Result<Contents, ElfError> {
        let data = FileAt::open(path)?;
        size = data.size();
        contents(&data, undefined)
    };
    let result = match { read }() {
        Err(ElfError::NotElf) if !named => return None,
        result => result.map_err(|error| in_words(&error)),
    };
    Some(Scanned { path: shown.to_owned(), distribution: None, size, result })
}

fn in_words(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

fn contents<R: ReadAt + ?Sized>(data: &R, undefined: bool) -> Result<Contents, ElfError> {
    let object = Object::open(data)?;
    let library = SharedLibrary::read_everywhere(data, &object)?;
    let undefined = if undefined { library::undefined_names(&object)? } else { Vec::new() };
    Ok(Contents { library, undefined })
}

/// The libraries in a wheel.
fn members(path: &Path) -> Result<Vec<Item>, ScanError> {
    let shown = path.display().to_string();
    let failed = |source| ScanError::Read { path: shown.clone(), source };
    let data = FileAt::open(path).map_err(failed)?;
    let start = data.size().saturating_sub(zip::TAIL);
    let mut tail = vec![0; usize::try_from(data.size() - start).unwrap_or(0)];
    data.read_exact_at(start, &mut tail).map_err(failed)?;
    let directory = zip::find_directory(&tail, data.size());
    let directory = directory.filter(|directory| directory.size <= zip::MAX_DIRECTORY);
    let directory = directory.ok_or_else(|| ScanError::NotAWheel { path: shown.clone() })?;
    let mut bytes = vec![0; usize::try_from(directory.size).unwrap_or(0)];
    data.read_exact_at(directory.offset, &mut bytes).map_err(failed)?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut parts = name.split('-');
    let distribution = parts
        .next()
        .zip(parts.next())
        .map(|(name, version)| (name.replace('_', "-").to_lowercase(), version.to_owned()));
    let libraries = zip::read_directory(&bytes).into_iter().filter(|member| is_library(&member.name));
    Ok(libraries
        .map(|member| Item::Member { wheel: path.to_owned(), member, distribution: distribution.clone() })
        .collect())
}

fn scan_member(
    wheel: &Path,
    member: &Member,
    distribution: &Option<(String, String)>,
    undefined: bool,
) -> Option<Scanned> {
    let result = match read_member(wheel, member, undefined) {
        Err(ElfError::NotElf) => return None,
        result => result.map_err(|error| in_words(&error)),
    };
    Some(Scanned { path: member.name.clone(), distribution: distribution.clone(), size: member.size, result })
}

/// Unpacks a library past the walker, and then past what keeps its tables: it is never in memory as a whole.
fn read_member(wheel: &Path, member: &Member, undefined: bool) -> Result<Contents, ElfError> {
    let mut walker = StreamWalker::everywhere(member.size);
    let mut found = None;
    for _ in 0..PASSES {
        unpack(wheel, member, |chunk| {
            walker.feed(chunk);
            !walker.is_hopeless()
        })?;
        match walker.finish()? {
            Streamed::Library(layout, containers) => {
                found = Some((layout, containers));
                break;
            }
            Streamed::Again(again) => walker = *again,
        }
    }
    let (layout, containers) = found.ok_or(ElfError::Damaged("its sections make no sense"))?;
    let mut pieces = Pieces::new(member.size, elf::table_ranges(&layout), MAX_TABLES);
    unpack(wheel, member, |chunk| {
        pieces.feed(chunk);
        !pieces.is_done()
    })?;
    let object = Object::open(&pieces)?;
    let library = SharedLibrary::with(&object, layout, &containers)?;
    let undefined = if undefined { library::undefined_names(&object)? } else { Vec::new() };
    Ok(Contents { library, undefined })
}

/// Leads the unpacked bytes of a member past `take`, until it has enough.
fn unpack(wheel: &Path, member: &Member, mut take: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    use std::io::{Seek, SeekFrom};
    let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut file = File::open(wheel)?;
    let mut header = [0; 30];
    file.seek(SeekFrom::Start(member.offset))?;
    file.read_exact(&mut header)?;
    let length = zip::local_header_length(&header).ok_or_else(|| damaged("no local header"))?;
    file.seek(SeekFrom::Start(member.offset.saturating_add(length)))?;
    let packed = io::BufReader::with_capacity(CHUNK, file.take(member.packed));
    let mut unpacked: Box<dyn Read> = match member.method {
        Method::Stored => Box::new(packed),
        Method::Deflated => Box::new(DeflateDecoder::new(packed)),
        Method::Other(number) => return Err(damaged(&format!("compression method {number}"))),
    };
    let mut chunk = vec![0; CHUNK];
    let mut total = 0_u64;
    loop {
        let count = unpacked.read(&mut chunk)?;
        total += count as u64;
        if total > member.size {
            return Err(damaged("longer than the directory says"));
        }
        if count == 0 || !take(chunk.get(..count).unwrap_or_default()) {
            return Ok(());
        }
    }
}
