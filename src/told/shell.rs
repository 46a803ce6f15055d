//! What people type and what answers on the next line: `echo $LD_LIBRARY_PATH`, `>>> torch.__version__`, `ldconfig -p`,
//! `pip install torch`.

use super::clean::Line;
use super::draft::Draft;
use super::fields::LONGEST_VALUE;
use super::said::Rank;
use super::token::is_version;
use super::words::Word;
use crate::facts::{LibCuda, Reading};
use crate::version::ComputeCapability;

const READER: &str = "shell session";

/// Reads every line that is a command with its answer, or an answer that speaks for itself.
pub fn read(lines: &[Line<'_>], draft: &mut Draft) {
    let mut listed: Option<String> = None;
    let mut plain: Option<String> = None;
    for (at, line) in lines.iter().enumerate() {
        let (text, number) = (&*line.text, line.number);
        let answer = lines.get(at + 1).map(|line| &*line.text).unwrap_or_default();
        if line.has(Word::LibraryPath)
            && text.contains("$LD_LIBRARY_PATH")
            && text.contains("echo")
            && is_path_list(answer)
        {
            draft.environment.entry("LD_LIBRARY_PATH".to_owned()).or_insert_with(|| answer.to_owned());
            draft.saw(READER, number);
        }
        if text.starts_with("torch.__version__")
            || line.has(Word::PrintTorch) && text.contains("print(torch.__version__")
        {
            let words = answer.split([' ', ',', '(', ')']).map(|word| word.trim_matches(['\'', '"']));
            if let Some(version) = words.clone().find(|word| is_version(word)) {
                draft.package("torch", version, Rank::Running, format!("{READER}, line {number}"));
                draft.saw(READER, number);
            }
        }
        if text.starts_with("torch.cuda.is_available()")
            || line.has(Word::PrintTorch) && text.contains("print(torch.cuda.is_available()")
        {
            match answer.split([' ', '>']).find(|word| !word.is_empty()) {
                Some("False" | "Flase") => {
                    draft.available(false, format!("{READER}, line {number}"));
                    draft.saw(READER, number);
                }
                Some("True") => draft.available(true, format!("{READER}, line {number}")),
                _ => {}
            }
        }
        if text.contains("torch.cuda.get_device_capability(")
            && let Some((major, minor)) =
                answer.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')?.split_once(", "))
            && let (Ok(major), Ok(minor)) = (major.parse(), minor.parse())
        {
            draft.capability(None, ComputeCapability::new(major, minor), format!("{READER}, line {number}"));
            draft.saw(READER, number);
        }
        // `libcuda.so.1 (libc6,x86-64) => /usr/lib/wsl/lib/libcuda.so.1`
        if line.has(Word::Arrow)
            && let Some((name, path)) = text.split_once(" => ")
            && text.contains("(libc6")
        {
            match name.split_whitespace().next() {
                Some("libcuda.so.1") => listed = Some(path.trim().to_owned()),
                Some("libcuda.so") => plain = Some(path.trim().to_owned()),
                _ => {}
            }
            draft.saw("ldconfig -p", number);
        }
        if line.has(Word::Install) {
            plain_install(text, number, draft);
        }
    }
    if let Some(path) = listed {
        draft.plain_libcuda = plain.map_or(Reading::absent("ldconfig -p"), |path| Reading::told(path, "ldconfig -p"));
        let library =
            LibCuda { path, found_by: "ld.so.cache".to_owned(), version: Reading::Unknown, compat: false, stub: false };
        draft.libcuda = Some(library);
    }
}

/// `/public/apps/cudnn/lib64:/usr/local/cuda/lib64`.
fn is_path_list(text: &str) -> bool {
    text.starts_with('/')
        && text.len() <= LONGEST_VALUE
        && !text.contains(' ')
        && (text.contains(':') || text.contains("lib"))
}

/// `pip install torch` without a version or an index: whatever PyPI has for this platform.
fn plain_install(text: &str, number: usize, draft: &mut Draft) {
    let Some((_, rest)) = text.split_once("pip install ").or_else(|| text.split_once("pip3 install ")) else { return };
    let rest = rest.split(['`', ';', '&', '|']).next().unwrap_or_default();
    let named = rest.split_whitespace().any(|word| word.trim_matches(['`', '"', '\'', '.', ',']) == "torch");
    if named && !rest.contains("index-url") && !rest.contains("-f ") && !rest.contains("==") {
        draft.installing.plain = Reading::told(vec!["torch".to_owned()], format!("{READER}, line {number}"));
    }
}
