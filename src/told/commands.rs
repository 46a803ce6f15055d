//! What commands say of a machine: `pip install` with the index of a CUDA variant, also in a Dockerfile; `ldd`; the paths in a
//! traceback.

use super::Vocabulary;
use super::clean::Line;
use super::draft::{Draft, SOURCE};
use super::said::Rank;
use super::words::Word;
use crate::facts::{LibCuda, Reading};
use crate::project::install::{IndexKind, Install};
use crate::project::place::Lines;
use crate::project::shell::script;
use crate::version::PythonVersion;

/// Longer lines are no commands.
const LONGEST: usize = 2000;
/// So many commands are taken apart.
const MOST: usize = 40;

/// Reads every line.
pub fn read(lines: &[Line<'_>], vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    let mut commands = 0;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.text.len() <= LONGEST) {
        let text = &*line.text;
        if line.has(Word::File) {
            traceback(text, line.number, draft);
        }
        source_line(text, line.number, vocabulary, draft);
        if line.has(Word::Arrow) {
            ldd(text, line.number, draft);
        }
        if line.has(Word::LibraryPath) {
            library_path(text, line.number, draft);
        }
        if line.has(Word::Install) && commands < MOST {
            commands += 1;
            let following = lines.iter().skip(at).map(|line| &*line.text);
            install(&joined(following), line.number, vocabulary, draft);
        }
    }
}

/// A command with the lines that continue it.
fn joined<'l>(lines: impl Iterator<Item = &'l str>) -> String {
    let mut command = String::new();
    for line in lines {
        match line.trim_end().strip_suffix('\\') {
            Some(head) if command.len() < LONGEST => {
                command.push_str(head);
                command.push(' ');
            }
            _ => {
                command.push_str(line);
                break;
            }
        }
    }
    command
}

/// `RUN pip install torch==2.6.0 --index-url https://download.pytorch.org/whl/cu124` asks for torch 2.6.0+cu124.
fn install(text: &str, number: usize, vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    let start = text.find("pip").unwrap_or_default();
    // `python3 -m`, `RUN`, `$` and what else stands before it mean nothing here.
    let command = text.get(start..).unwrap_or_default().trim_end_matches(['`', '.']);
    let lines = Lines::of(command);
    let found = script(command);
    let Some(install) = found.iter().find_map(|command| Install::of(command, &lines)) else { return };
    let indexes = install.indexes.iter().filter(|index| index.known && index.kind != IndexKind::Links);
    let indexes: Vec<&str> = indexes.map(|index| index.url.value.as_str()).collect();
    for item in &install.items {
        let Some(requirement) = item.dependency.as_ref().and_then(|dependency| dependency.what.requirement.as_ref())
        else {
            continue;
        };
        let name = requirement.name.as_ref();
        let Some(crate::pep::VersionOrUrl::VersionSpecifier(range)) = &requirement.version_or_url else { continue };
        let Some(version) = crate::pep::pinned(range) else { continue };
        if !version.local().is_empty() {
            continue;
        }
        if let Some(label) = indexes.iter().find_map(|url| (vocabulary.variant)(url, name)) {
            let place = format!("`pip install`, line {number}");
            draft.package(name, &format!("{version}+{label}"), Rank::Asked, place);
            draft.saw("pip install", number);
        }
    }
}

/// `File "/venv/lib/python3.12/site-packages/torch/__init__.py", line 405, in <module>`: the interpreter that failed.
fn traceback(text: &str, number: usize, draft: &mut Draft) {
    const READER: &str = "traceback";
    let Some((_, rest)) = text.split_once("File \"") else { return };
    let Some((path, _)) = rest.split_once("\", line ") else { return };
    // A Python below /home is one of Linux, also where the prompt above it is PowerShell's: WSL.
    if path.starts_with("/home/") || path.starts_with("/root/") {
        draft.os.add("linux".to_owned(), Rank::Listed, format!("{READER}, line {number}"));
    }
    let words = path.split(['/', '\\']).filter_map(|part| part.strip_prefix("python"));
    if let Some(version) = words.filter(|word| word.contains('.')).find_map(|word| word.parse::<PythonVersion>().ok()) {
        draft.python.add(version, Rank::Running, format!("{READER}, line {number}"));
        draft.saw(READER, number);
    }
}

/// `from triton.ops.matmul_perf_model import early_config_prune`: the line of a program that a traceback shows.
fn source_line(text: &str, number: usize, vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    let module = text.strip_prefix("from ").and_then(|rest| Some(rest.split_once(" import ")?.0));
    let Some(module) = module.or_else(|| text.strip_prefix("import ")) else { return };
    let top = module.split(['.', ' ', ',']).next().unwrap_or_default();
    if !module.trim().contains(' ') && ((vocabulary.distribution_of)(top).is_some() || (vocabulary.is_package)(top)) {
        draft.saw(SOURCE, number);
    }
}

/// `export LD_LIBRARY_PATH=/usr/local/cuda-12.8/compat:/usr/local/cuda/lib64`: a libcuda of a cuda-compat package in front.
fn library_path(text: &str, number: usize, draft: &mut Draft) {
    const NAME: &str = "LD_LIBRARY_PATH";
    let Some((_, value)) = text.split_once("LD_LIBRARY_PATH=") else { return };
    let value = value.trim_start_matches(['"', '\'']);
    let value = value.split([' ', '"', '\'', ';', '`']).next().unwrap_or_default();
    if !value.starts_with('/') {
        return;
    }
    draft.environment.entry(NAME.to_owned()).or_insert_with(|| value.to_owned());
    draft.saw("environment", number);
    let compat = value.split(':').find(|folder| folder.trim_end_matches('/').ends_with("/compat"));
    if let Some(folder) = compat {
        let path = format!("{}/libcuda.so.1", folder.trim_end_matches('/'));
        let found_by = NAME.to_owned();
        let library = LibCuda { path, found_by, version: Reading::Unknown, compat: true, stub: false };
        draft.libcuda.get_or_insert(library);
    }
}

/// `libcuda.so.1 => /usr/local/cuda-13.0/compat/libcuda.so.1 (0x00007f…)`: which one the loader takes.
fn ldd(text: &str, number: usize, draft: &mut Draft) {
    let Some((name, rest)) = text.split_once(" => ") else { return };
    if rest.trim() == "not found" && name.contains(".so") {
        draft.saw("ldd", number);
        return;
    }
    let Some((path, address)) = rest.split_once(" (0x") else { return };
    if !path.starts_with('/') || !address.trim_end().ends_with(')') {
        return;
    }
    draft.saw("ldd", number);
    if name.trim() == "libcuda.so.1" {
        let compat = path.split('/').any(|part| part == "compat");
        let stub = path.split('/').any(|part| part == "stubs");
        let found_by = "ldd".to_owned();
        let library = LibCuda { path: path.to_owned(), found_by, version: Reading::Unknown, compat, stub };
        draft.libcuda.get_or_insert(library);
    }
}
