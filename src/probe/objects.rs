//! What the shared libraries of the installed distributions say: device code, what they need, what they lack.
//!
//! Nothing is loaded. Of a library of 1 GB some kilobytes are read: its section table, its dynamic section, the headers of
//! its fat binaries. Which distribution a file belongs to stands in RECORD; where there is none (an egg, a development
//! installation), the folders of its modules are looked through.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use super::file_at::{FileAt, open};
use super::link::{Known, Linker, Process};
use super::loader::LibrarySearch;
use super::modules;
use super::object_files::{Listed, list};
use super::python_path::join;
use super::root::RootFs;
use crate::facts::{Changed, ChangedFile, Distribution, Library, Link, Python, Reading, TORCH, Unresolved};
use crate::objects::ReadAt;
use crate::objects::elf::ElfError;
use crate::objects::elf::lookup::{Exports, Object, Undefined};
use crate::objects::library::{self, SharedLibrary, version_numbers};
use crate::objects::symbol::is_torch_symbol;
use crate::parallel::in_parallel;

/// The distribution whose libraries the extensions are linked with.
/// What everything in C++ needs.
const CPP_RUNTIME: &str = "libstdc++.so";
/// What `import torch` loads first, and then (torch/__init__.py).
const TORCH_FIRST: [&str; 2] = ["libtorch_global_deps.so", "libtorch_python.so"];

/// What is read of one library by itself.
#[derive(Default)]
struct Read {
    library: Library,
    needed: Vec<String>,
    undefined: Vec<Undefined>,
    changed: Option<Changed>,
    is_elf: bool,
    soname: Option<String>,
}

/// What the rules know by name.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// The libraries that are worth following, e.g. `libcudnn.so.9`.
    pub is_cuda_library: fn(&str) -> bool,
    /// The distributions with NVIDIA's libraries, e.g. `nvidia-cudnn-cu12`.
    pub is_nvidias: fn(&str) -> bool,
}

/// Reads the libraries of all distributions that import finds, and what they would be linked with.
///
pub fn probe(
    root: &RootFs,
    search: &LibrarySearch<'_>,
    named: Named,
    python: Option<&Python>,
    distributions: &mut [Distribution],
) {
    let Named { is_cuda_library, is_nvidias } = named;
    let listed = list(root, python, distributions);
    modules::name_other_owners(root, distributions, super::object_files::RECORD_LIMIT);
    // numpy 2 refuses what was built for the C interface of numpy 1; only then is it worth finding out which.
    let numpy2 = distributions.iter().find(|found| found.name == "numpy").is_some_and(|numpy| {
        let major = numpy.version.value().and_then(|version| version.split('.').next()?.parse::<u32>().ok());
        major.is_some_and(|major| major >= 2)
    });
    let known = Known::default();
    let torch_files: BTreeSet<String> = listed
        .iter()
        .filter(|file| distributions.get(file.owner).is_some_and(|owner| owner.name == TORCH))
        .filter_map(|file| file.path.rsplit('/').next().map(str::to_owned))
        .collect();
    let follow = |soname: &str| is_cuda_library(soname) || torch_files.contains(soname);
    let read: Vec<Read> = in_parallel(&listed, 4, |file| {
        let mut read = read_library(root, file, &known, &follow, is_cuda_library, numpy2);
        read.library.path.clone_from(&file.path);
        read
    });
    let torch: Vec<&Listed> =
        listed.iter().filter(|file| distributions.get(file.owner).is_some_and(|owner| owner.name == TORCH)).collect();
    let named = listed.iter().filter_map(|file| Some((file.path.rsplit('/').next()?, file.place.as_str())));
    let wheels: HashMap<&str, &str> = named.filter(|(name, _)| is_cuda_library(name)).collect();
    let linker = Linker { root, search, known: &known, follow: &follow, wheels: &wheels };
    let (process, mut links) = start_torch(linker, &torch, root, distributions);
    let pairs: Vec<(&Listed, &Read)> = listed.iter().zip(&read).collect();
    let processes = in_parallel(&pairs, 4, |(file, _)| {
        let mut own = process.clone();
        let links = own.open(linker, &file.place);
        let links: Vec<Link> =
            links.into_iter().filter(|(asker, _)| *asker == file.place).map(|(_, link)| link).collect();
        (links, own)
    });
    let mut siblings = opened_later(linker, &process, &listed, &read, (distributions, is_nvidias));
    let lacking: Vec<Lacking<'_>> =
        pairs.iter().zip(&processes).map(|((file, read), (_, process))| Lacking { file, read, process }).collect();
    let unresolved = unresolved(root, &torch, &listed, &lacking);
    let mut found: Vec<Vec<Library>> = distributions.iter().map(|_| Vec::new()).collect();
    let owners = owners(&listed, distributions);
    for (((file, mut read), (own_links, _)), unresolved) in listed.iter().zip(read).zip(processes).zip(unresolved) {
        let library = &mut read.library;
        let before = links.remove(&file.place).unwrap_or_default();
        library.links = if before.is_empty() { own_links } else { before };
        if unresolved.iter().any(|unresolved| unresolved.from.is_none()) {
            let torchs = read.undefined.into_iter().map(|symbol| symbol.name).filter(|name| is_torch_symbol(name));
            library.torch_symbols = torchs.collect();
        }
        library.unresolved = unresolved;
        if let Some(all) = owners.get(file.place.as_str()) {
            let own = distributions.get(file.owner).map(|owner| owner.name.as_str());
            library.also_of = all.iter().filter(|name| Some(name.as_str()) != own).cloned().collect();
        }
        library.links.extend(siblings.remove(&file.place).unwrap_or_default());
        if let (Some(how), Some(owner)) = (read.changed, distributions.get_mut(file.owner)) {
            owner.changed.push(ChangedFile { path: file.path.clone(), how, also_of: None });
        }
        if let Some(of) = found.get_mut(file.owner).filter(|_| read.is_elf) {
            of.push(read.library);
        }
    }
    for (distribution, mut libraries) in distributions.iter_mut().zip(found) {
        let place = format!("{}/RECORD", distribution.metadata_dir);
        // Without a list, and without a library where its modules should lie, nobody knows what it holds.
        let listed = !libraries.is_empty() || root.exists(&join(&distribution.location, &place));
        keep_telling(&mut libraries);
        distribution.libraries = if listed { Reading::binary(libraries, place) } else { Reading::absent(place) };
    }
}

/// Leaves out libraries that say nothing: no device code, nothing of CUDA or torch, no fault, no version of note.
fn keep_telling(libraries: &mut Vec<Library>) {
    libraries.sort_by(|one, other| one.path.cmp(&other.path));
    let family = |version: &str| version.rsplit_once('_').map_or(String::new(), |(family, _)| family.to_owned());
    let mut highest: BTreeMap<String, (Vec<u32>, usize)> = BTreeMap::new();
    for (at, library) in libraries.iter().enumerate() {
        for version in &library.versions {
            let numbers = version_numbers(version);
            let entry = highest.entry(family(version)).or_insert_with(|| (Vec::new(), at));
            if numbers > entry.0 {
                *entry = (numbers, at);
            }
        }
    }
    let of_note: BTreeSet<usize> = highest.values().map(|(_, at)| *at).collect();
    let mut at = 0;
    libraries.retain(|library| {
        at += 1;
        !library.code.is_empty()
            || !library.links.is_empty()
            || !library.unresolved.is_empty()
            || library.numpy.is_some()
            || library.damage.is_some()
            || !library.also_of.is_empty()
            || of_note.contains(&(at - 1))
    });
}

/// Which distributions list a file, where more than one does.
fn owners<'a>(listed: &'a [Listed], distributions: &[Distribution]) -> HashMap<&'a str, Vec<String>> {
    let mut owners: HashMap<&str, Vec<String>> = HashMap::new();
    for file in listed {
        let name = distributions.get(file.owner).map(|owner| owner.name.clone());
        owners.entry(file.place.as_str()).or_default().extend(name);
    }
    owners.retain(|_, names| names.len() > 1);
    owners
}

/// Reads one library by itself.
fn read_library(
    root: &RootFs,
    file: &Listed,
    known: &Known,
    follow: &dyn Fn(&str) -> bool,
    is_cuda_library: fn(&str) -> bool,
    numpy2: bool,
) -> Read {
    let mut read = Read::default();
    let data = match open(root, &file.place) {
        Ok(data) => data,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            read.changed = Some(Changed::Missing);
            return read;
        }
        Err(error) => {
            read.library.damage = Some(error.to_string());
            return read;
        }
    };
    if let Some(recorded) = file.size.filter(|size| *size != data.size) {
        read.changed = Some(Changed::Size { recorded, found: data.size });
    }
    match read_elf(&data, file, known, follow, is_cuda_library, numpy2, &mut read) {
        Ok(()) => {}
        // A linker script, or an empty placeholder; of another size than the wheel's it came in the library's place.
        Err(ElfError::NotElf) if !is_replaced(&data, read.changed.as_ref()) => return read,
        Err(ElfError::NotElf) => read.library.damage = Some("it is no library".to_owned()),
        Err(error) => read.library.damage = Some(error.to_string()),
    }
    read.is_elf = true;
    read
}

/// Whether what is no library lies where the wheel had one: a pointer of git-lfs, a page of a proxy, zeros.
fn is_replaced(data: &FileAt, changed: Option<&Changed>) -> bool {
    let mut beginning = [0; 4];
    if !data.read_at(0, &mut beginning).is_ok_and(|read| read == 4) || beginning == *b"\x7fELF" {
        return false;
    }
    beginning == [0; 4] || matches!(changed, Some(Changed::Size { .. }))
}

fn read_elf(
    data: &FileAt,
    file: &Listed,
    known: &Known,
    follow: &dyn Fn(&str) -> bool,
    is_cuda_library: fn(&str) -> bool,
    numpy2: bool,
    read: &mut Read,
) -> Result<(), ElfError> {
    let object = Object::open(data)?;
    let name = file.path.rsplit('/').next().unwrap_or_default();
    // CUDA's own libraries hold thousands of containers, which tell little: they keep code in other forms too.
    let SharedLibrary { layout, code, dynamic, versions, .. } = match is_cuda_library(name) {
        true => SharedLibrary::read_host_code(&object)?,
        false => SharedLibrary::read(data, &object)?,
    };
    if layout.sections.is_empty() {
        // Stripped to the bone: whatever it holds, it does not tell.
        return Err(ElfError::NotElf);
    }
    let library = &mut read.library;
    (library.code, library.versions) = (code, versions);
    library.for_cuda = library::cuda_in_name(name);
    library.module = library::is_python_module(&object, name)?;
    let uses_python = library.module || name.starts_with("libtorch_python");
    library.numpy = (numpy2 && uses_python && library::is_for_numpy_1(data, &layout)?).then_some(1);
    if dynamic.needed.iter().any(|soname| follow(soname)) {
        read.undefined = object.undefined()?;
    } else if library.module && dynamic.needed.iter().any(|soname| soname.starts_with(CPP_RUNTIME)) {
        // A linker leaves out libraries that satisfy nothing, and torch is in the process before its extensions.
        read.undefined = object.undefined()?;
        read.undefined.retain(|symbol| is_torch_symbol(&symbol.name));
    }
    read.needed.clone_from(&dynamic.needed);
    read.soname.clone_from(&dynamic.soname);
    known.put(&file.place, dynamic);
    Ok(())
}

/// The process after `import torch`, and the links of every library in it; empty without torch.
fn start_torch(
    linker: Linker<'_>,
    torch: &[&Listed],
    root: &RootFs,
    distributions: &[Distribution],
) -> (Process, HashMap<String, Vec<Link>>) {
    let mut process = Process::default();
    let mut links: HashMap<String, Vec<Link>> = HashMap::new();
    let mut take = |opened: Vec<(String, Link)>| {
        for (asker, link) in opened {
            links.entry(asker).or_default().push(link);
        }
    };
    for first in TORCH_FIRST {
        let Some(file) = torch.iter().find(|file| file.path.rsplit('/').next() == Some(first)) else { continue };
        take(process.open(linker, &file.place));
        if first == TORCH_FIRST[0] {
            for path in preloaded(root, torch, distributions) {
                take(process.open(linker, &path));
            }
        }
    }
    (process, links)
}

/// What the CUDA libraries of torch's process would get for their siblings, which they open while they run: libcudnn.so.9
/// opens libcudnn_ops.so.9. Only where `LD_LIBRARY_PATH` puts another file in front.
fn opened_later(
    linker: Linker<'_>,
    process: &Process,
    listed: &[Listed],
    read: &[Read],
    (distributions, is_nvidias): (&[Distribution], fn(&str) -> bool),
) -> HashMap<String, Vec<Link>> {
    let mut found: HashMap<String, Vec<Link>> = HashMap::new();
    let loaded: BTreeSet<&str> = process.paths().collect();
    let is_nvidias = |owner: usize| distributions.get(owner).is_some_and(|owner| is_nvidias(&owner.name));
    let openers: Vec<&Listed> =
        listed.iter().filter(|file| is_nvidias(file.owner) && loaded.contains(file.place.as_str())).collect();
    for (sibling, read) in listed.iter().zip(read).filter(|(file, _)| !loaded.contains(file.place.as_str())) {
        let Some(opener) = openers.iter().find(|opener| opener.owner == sibling.owner) else { continue };
        let Some(soname) = read.soname.as_ref().filter(|soname| process.path(soname).is_none()) else { continue };
        let link = process.would_get(linker, &opener.place, soname);
        if link.instead_of.is_some() {
            found.entry(opener.place.clone()).or_default().push(link);
        }
    }
    found
}

/// The libraries that torch/__init__.py loads by their path before its own, whatever the loader would choose.
///
/// Up to 2.10 it names each in a call, `_preload_cuda_deps("nvjitlink", "libnvJitLink.so.*[0-9]")`; 2.11 loads all of a list of
/// such pairs by `_preload_cuda_deps()`. The folder is one of the wheel's own, or since CUDA 13 the one that all share.
fn preloaded(root: &RootFs, torch: &[&Listed], distributions: &[Distribution]) -> Vec<String> {
    const CALL: &str = "_preload_cuda_deps(";
    let Some(distribution) = torch.first().and_then(|file| distributions.get(file.owner)) else { return Vec::new() };
    let Ok(text) = root.read_text(&format!("{}/torch/__init__.py", distribution.location)) else { return Vec::new() };
    let opening = if text.contains(&format!("{CALL})")) { "(" } else { CALL };
    let pairs = text.split(opening).skip(1).filter_map(|pair| {
        let mut words = pair.split(')').next()?.split(',').map(|word| word.trim().trim_matches(['"', '\'']));
        Some((words.next()?, words.next()?.split(".so.*").next()?))
    });
    let cuda = distribution.build.cuda.value();
    let mut found = Vec::new();
    for (folder, stem) in pairs.filter(|(folder, stem)| stem.starts_with("lib") && !folder.contains([' ', '/'])) {
        let shared = cuda.map(|cuda| format!("cu{}", cuda.major));
        let start = format!("{stem}.so.");
        let first = [Some(folder), shared.as_deref()].into_iter().flatten().find_map(|folder| {
            let folder = format!("{}/nvidia/{folder}/lib", distribution.location);
            root.list(&folder).into_iter().find(|name| name.starts_with(&start)).map(|name| join(&folder, &name))
        });
        found.extend(first);
    }
    found
}

/// A library, and the process that it would be in.
struct Lacking<'a> {
    file: &'a Listed,
    read: &'a Read,
    process: &'a Process,
}

/// What libraries export, ready to be asked.
struct Exporters<'a> {
    paths: &'a [String],
    exports: Vec<Option<Exports<'a, FileAt>>>,
}

impl<'a> Exporters<'a> {
    fn new(paths: &'a [String], files: &'a [Option<FileAt>]) -> Self {
        Self { paths, exports: in_parallel(files, 4, |file| Object::open(file.as_ref()?).ok()?.exports().ok()) }
    }

    /// Whether the library exports it. One that cannot be read is not accused.
    fn has(&self, path: &str, symbol: &str) -> bool {
        let at = self.paths.binary_search_by(|other| other.as_str().cmp(path)).ok();
        let exports = at.and_then(|at| self.exports.get(at)?.as_ref());
        exports.is_none_or(|exports| exports.has(symbol).unwrap_or(true))
    }
}

/// For each library the symbols of torch and of CUDA libraries that it needs and does not get.
fn unresolved(root: &RootFs, torch: &[&Listed], listed: &[Listed], lacking: &[Lacking<'_>]) -> Vec<Vec<Unresolved>> {
    let own_folder = |file: &&&Listed| file.path.contains("/lib/");
    let mut torch: Vec<&str> = torch.iter().filter(own_folder).map(|file| file.place.as_str()).collect();
    // Those that export most come first.
    torch.sort_by_key(|path| {
        ["libc10.so", "libtorch_cpu.so", "libtorch_python.so"].iter().all(|name| !path.ends_with(name))
    });
    let asking = lacking.iter().filter(|lacking| !lacking.read.undefined.is_empty());
    let paths: BTreeSet<&str> =
        torch.iter().copied().chain(asking.flat_map(|lacking| lacking.process.paths())).collect();
    let paths: Vec<String> = paths.into_iter().map(str::to_owned).collect();
    let files = in_parallel(&paths, 4, |path| open(root, path).ok());
    let exporters = Exporters::new(&paths, &files);
    let missing = in_parallel(lacking, 4, |lacking| {
        let missing = lacking.read.undefined.iter().filter_map(|symbol| lacks(lacking, symbol, &torch, &exporters));
        missing.collect::<Vec<_>>()
    });
    // What a distribution's own libraries export is looked up only where something is missing.
    in_parallel(&missing.into_iter().zip(lacking).collect::<Vec<_>>(), 64, |(missing, lacking)| {
        if missing.is_empty() {
            return Vec::new();
        }
        let own = listed.iter().filter(|file| file.owner == lacking.file.owner && file.place != lacking.file.place);
        let mut paths: Vec<String> = own.map(|file| file.place.clone()).collect();
        paths.sort();
        let files: Vec<_> = paths.iter().map(|path| open(root, path).ok()).collect();
        let own = Exporters::new(&paths, &files);
        let is_own = |symbol: &str| own.exports.iter().flatten().any(|exports| exports.has(symbol).unwrap_or(true));
        missing.iter().filter(|missing| !is_own(&missing.symbol)).cloned().collect()
    })
}

/// Whether a symbol is one that torch or a CUDA library should export, and does not.
fn lacks(lacking: &Lacking<'_>, symbol: &Undefined, torch: &[&str], exporters: &Exporters<'_>) -> Option<Unresolved> {
    let name = symbol.name.as_str();
    let unresolved = |from: Option<&String>| Some(Unresolved { symbol: name.to_owned(), from: from.cloned() });
    if is_torch_symbol(name) {
        let here = torch.iter().any(|path| exporters.has(path, name));
        return (!torch.is_empty() && !here).then(|| unresolved(None)).flatten();
    }
    let needed = &lacking.read.needed;
    let from = match &symbol.from {
        Some(from) => Some(from),
        None if name.starts_with("_Z") => None,
        None => needed.iter().filter(|soname| belongs(name, soname)).max_by_key(|soname| soname.len()),
    }?;
    let path = lacking.process.path(from)?;
    if exporters.has(path, name) {
        return None;
    }
    // Without a version the loader takes it from wherever it comes first.
    let elsewhere = symbol.from.is_none() && lacking.process.paths().any(|path| exporters.has(path, name));
    (!elsewhere).then(|| unresolved(Some(from))).flatten()
}

/// Whether a C symbol is named after a library: `ncclCommRegister` and `libnccl.so.2`.
fn belongs(symbol: &str, soname: &str) -> bool {
    let stem = soname.strip_prefix("lib").and_then(|rest| rest.split(".so").next()).unwrap_or_default();
    stem.len() > 3
        && symbol.get(..stem.len()).is_some_and(|start| start.eq_ignore_ascii_case(stem))
        && symbol.as_bytes().get(stem.len()).is_some_and(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::DistributionBuild;
    use crate::version::CudaVersion;

    /// What torch of that file loads by path, of a wheel for CUDA 12 and of those for CUDA 13.
    fn paths(text: &str, cuda: CudaVersion, there: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = folder.path().join("site").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("torch/__init__.py", text);
        there.iter().for_each(|path| put(path, ""));
        let build = DistributionBuild { cuda: Reading::binary(cuda, "version.py"), ..DistributionBuild::default() };
        let torch = Distribution { location: "/site".to_owned(), build, ..Distribution::default() };
        let file = Listed { owner: 0, path: String::new(), place: String::new(), size: None };
        let found = preloaded(&RootFs::at(folder.path()), &[&file], &[torch]);
        found.into_iter().map(|path| path.trim_start_matches("/site/nvidia/").to_owned()).collect()
    }

    #[test]
    fn torch_loads_some_libraries_by_their_path() {
        let (cuda12, cuda13) = (CudaVersion::new(12, 8), CudaVersion::new(13, 0));
        let one_each = "def _preload_cuda_deps(lib_folder: str, lib_name: str) -> None:\n    pass\n
            _preload_cuda_deps(\"nvjitlink\", \"libnvJitLink.so.*[0-9]\")\n
            cuda_libs = {\"cublas\": \"libcublas.so.*[0-9]\"}\n";
        let old = ["nvidia/nvjitlink/lib/libnvJitLink.so.12", "nvidia/cublas/lib/libcublas.so.12"];
        assert_eq!(paths(one_each, cuda12, &old), ["nvjitlink/lib/libnvJitLink.so.12"]);
        let list = "def _preload_cuda_deps(err: OSError | None = None) -> None:\n
            cuda_libs = [(\"cublas\", \"libcublas.so.*[0-9]\"), (\"nvjitlink\", \"libnvJitLink.so.*[0-9]\")]\n
            _preload_cuda_deps()\n";
        let new = ["nvidia/cu13/lib/libcublas.so.13", "nvidia/cu13/lib/libnvJitLink.so.13"];
        assert_eq!(paths(list, cuda13, &new), ["cu13/lib/libcublas.so.13", "cu13/lib/libnvJitLink.so.13"]);
        assert_eq!(paths(one_each, cuda13, &new), ["cu13/lib/libnvJitLink.so.13"]);
        assert_eq!(paths("", cuda12, &old), Vec::<String>::new());
    }
}
