//! What people say in their own words: `torch 2.6.0`, `on an RTX 5090`, `driver 470.141.03 with CUDA 11.7`.
//!
//! Words are weak: a program's statement always wins, and words that disagree with each other count for nothing.

use super::Vocabulary;
use super::beside::{is_own_extension, is_system};
use super::cards::{gpus, unique};
use super::clean::Line;
use super::draft::{Draft, WORDS};
use super::product::is_count;
use super::said::Rank;
use super::sentences::gpu;
use super::split::Words;
use super::token::{branch, demands, is_driver, is_name, is_version};
use super::words::Word;
use crate::python::local_label::LocalLabel;
use crate::python::wheel::normalise_name;
use crate::version::{ComputeCapability, CudaVersion, DriverVersion, GlibcVersion, PythonVersion};

/// Longer lines are data, not words.
const LONGEST: usize = 1200;
/// GPUs are looked up by name only so often.
const MOST_GPUS: usize = 48;

/// Reads every line as words.
pub fn read(lines: &[Line<'_>], vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    let mut lookups = 0;
    let mut words = Words::default();
    for line in lines.iter().filter(|line| line.text.len() <= LONGEST && !line.text.starts_with(['|', '+'])) {
        let text = &*line.text;
        if draft.is_aside(line.number) || text.starts_with('[') && !is_title(text) {
            continue;
        }
        // Versions and products have a digit.
        let numbered = text.bytes().any(|byte| byte.is_ascii_digit());
        if numbered || line.has(Word::System) {
            words.split(text);
        }
        if numbered {
            versions(&words, line, vocabulary, draft);
            if !demands(text) && !text.contains("support") {
                capabilities(&words, line.number, draft);
            }
        }
        if line.has(Word::System) {
            systems(&words.all, text, line.number, draft);
        }
        if numbered && lookups < MOST_GPUS && !draft.has_gpus() && !is_count(text) {
            lookups += gpus(&words, line.number, vocabulary, draft);
        }
        if line.has(Word::WindowsPath) {
            windows(text, line.number, draft);
        }
    }
}

/// `[Bug]: vllm 0.9.1 on a GTX 1080 Ti`, as many projects begin the titles of their issues; not a log's `[12:00:01]`.
fn is_title(text: &str) -> bool {
    let tag = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    tag.is_some_and(|(tag, rest)| {
        rest.starts_with([':', ' '])
            && !tag.is_empty()
            && tag.chars().all(|letter| letter.is_alphabetic() || letter == ' ')
    })
}

/// Pairs of a word and the number that follows it, with at most three of [`FILLERS`] between.
fn named_numbers<'l>(words: &Words<'l>) -> impl Iterator<Item = (&'l str, &'l str)> {
    const AROUND: [char; 8] = ['<', '>', '~', '!', 'v', 'V', '[', ']'];
    // The first letter of `version` is its own.
    const BRACKETS: [char; 6] = ['<', '>', '~', '!', '[', ']'];
    words.numbers.iter().flat_map(move |&at| {
        let word = words.all.get(at).copied().unwrap_or_default().trim_start_matches(AROUND);
        let is_number = word.starts_with(|letter: char| letter.is_ascii_digit());
        let number = word.trim_end_matches(AROUND).trim_end_matches(['.', ',', '!', '?']);
        let before = words.all.get(..at).filter(|_| is_number).unwrap_or_default();
        let fillers = before.iter().rev().take(3).take_while(|word| is_filler(word.trim_matches(BRACKETS))).count();
        let first = before.len().saturating_sub(fillers + 1);
        before.get(first..).unwrap_or_default().iter().map(move |word| (*word, number))
    })
}

/// Names followed by a version.
fn versions(words: &Words<'_>, line: &Line<'_>, vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    let (number, text) = (line.number, &*line.text);
    let place = || format!("the report's words, line {number}");
    // `pip install X==Y` was read as what it is.
    let mut asks = None;
    for (word, version) in named_numbers(words) {
        let rank = || if is_of_another_time(text, version) { Rank::Aside } else { Rank::Told };
        let asked = *asks.get_or_insert_with(|| is_asking(text)) && asks_for(text, version);
        let lower = word.trim_matches(['.', '-', '[', ']', '_']).to_ascii_lowercase();
        match lower.as_str() {
            "driver" | "drivers" | "nvidia-driver" | "驱动" if is_driver(version) => {
                add_driver(version, place(), number, draft);
            }
            "driver" | "drivers" | "nvidia-driver" | "驱动" if branch(version).is_some() && !demands(text) => {
                draft.driver_branch.add(branch(version).unwrap_or_default(), Rank::Told, place());
                draft.saw(WORDS, number);
            }
            "glibc" => {
                if let Ok(version) = version.parse::<GlibcVersion>() {
                    draft.glibc.add(version, Rank::Told, place());
                    draft.saw(WORDS, number);
                }
            }
            "python" if !asks_for_python(text, version) => {
                if let Ok(version) = version.parse::<PythonVersion>()
                    && version.major == 3
                {
                    draft.python.add(version, Rank::Told, place());
                    draft.saw(WORDS, number);
                }
            }
            // `the version that was used to compile PyTorch (11.7)` is a CUDA.
            "torch" | "pytorch" if text.contains("compile PyTorch (") || text.starts_with("PyTorch (") => {}
            "torch" | "pytorch" if is_version(version) && !asked => {
                // `pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime` names an image and its build.
                let (version, cuda) = version.split_once("-cuda").map_or((version, None), |(version, rest)| {
                    (version, rest.split('-').next().and_then(|cuda| cuda.parse().ok()))
                });
                if let Some(cuda) = cuda {
                    draft.torch_cuda.add(Some(cuda), Rank::Told, place());
                }
                let label = variant_behind(text, version);
                let labelled = label.filter(|_| !version.contains('+')).map(|label| format!("{version}+{label}"));
                draft.package("torch", labelled.as_deref().unwrap_or(version), rank(), place());
                draft.saw(WORDS, number);
            }
            name if is_version(version) && !asked && name.len() > 3 => {
                let name = normalise_name(name);
                if (vocabulary.is_package)(&name) {
                    draft.package(&name, version, rank(), place());
                    draft.saw(WORDS, number);
                }
            }
            _ => {}
        }
    }
    with_name(words, number, vocabulary, draft);
    own_extensions(text, number, draft);
    if !asks.unwrap_or_else(|| is_asking(text)) {
        glued(words, number, vocabulary, draft);
    }
    only_one(words, number, vocabulary, draft);
    drivers(words, number, text, draft);
}

/// Whether the part of the sentence that names a version says that all was well with it: `With transformers 4.34.1 the same code
/// runs`, `torch 2.5.1 was ok`, `it worked with 0.0.30`. What is complained of is another one.
fn is_of_another_time(text: &str, version: &str) -> bool {
    const WELL: [&str; 9] =
        ["works", "worked", "runs", "ran ", "was ok", "was fine", "is fine", "used to", "no problem"];
    const NOT: [&str; 7] = [" not ", "n't ", "never", "nothing", "no longer", "fails", " until"];
    let parts = text.split([',', ';', ':', '(']).flat_map(|part| part.split(". ")).flat_map(|part| part.split(" but "));
    let part = parts.into_iter().find(|part| part.contains(version)).map(str::to_ascii_lowercase);
    let says = |words: &[&str]| part.as_ref().is_some_and(|part| words.iter().any(|word| part.contains(word)));
    says(&WELL) && !says(&NOT)
}

/// The variant that stands behind a version as a word of its own: `cu124` of `torch 2.6 cu124`, `torch 2.6 (cu124)`.
fn variant_behind<'t>(text: &'t str, version: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(version)?;
    let word = rest.strip_prefix([' ', '+', '(', ',', '-'])?.trim_start_matches([' ', '(']);
    let end = word.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(word.len());
    word.get(..end).filter(|word| *word == "cpu" || CudaVersion::from_variant(word).is_some())
}

/// What a card is said to be: `a GPU of compute capability 7.x`. Of several on a line nobody knows whose each is.
fn capabilities(words: &Words<'_>, number: usize, draft: &mut Draft) {
    const CARDS: [&str; 6] = ["card", "gpu", "device", "cards", "gpus", "显卡"];
    let place = || format!("the report's words, line {number}");
    let is = |word: &str, other: &str| word.eq_ignore_ascii_case(other);
    if !words.all.iter().any(|word| CARDS.iter().any(|card| is(word, card))) {
        return;
    }
    let before =
        |at: usize, back: usize| at.checked_sub(back).and_then(|at| words.all.get(at)).copied().unwrap_or_default();
    let is_capability = |at: &&usize| is(before(**at, 1), "capability") && is(before(**at, 2), "compute");
    let mut found = words.numbers.iter().filter(is_capability).filter_map(|at| words.all.get(*at).copied());
    let (Some(told), None) = (found.next(), found.next()) else { return };
    let told = told.trim_end_matches(['.', ',', '!']);
    if let Ok(capability) = told.parse::<ComputeCapability>() {
        draft.capability(None, capability, place());
        draft.saw(WORDS, number);
    } else if let Some(major) = told.strip_suffix(".x").and_then(|major| major.parse::<u8>().ok()) {
        draft.gpu(
            unique(gpu(&format!("compute capability {major}.x"), &place()), number),
            Rank::Told,
            "the report's words",
        );
        draft.saw(WORDS, number);
    }
}

/// `deform_attn 1.0 (our own CUDA extension, pip install -e ./ops)`: what somebody compiled, by its name and version.
fn own_extensions(text: &str, number: usize, draft: &mut Draft) {
    for (at, _) in text.match_indices(" (") {
        let (before, behind) = text.split_at(at);
        let remark = behind.split(')').next().unwrap_or_default();
        let mut words = before.split_whitespace().rev();
        let (Some(version), Some(name)) = (words.next(), words.next()) else { continue };
        if is_own_extension(remark) && is_version(version) && is_name(name) && name.len() > 3 && !is_system(name) {
            draft.package(name, version, Rank::Told, format!("the report's words, line {number}"));
            draft.extension(name);
            draft.saw(WORDS, number);
        }
    }
}

/// Whether a line has words that ask for something.
fn is_asking(text: &str) -> bool {
    ASKING.iter().any(|word| text.contains(word))
}

/// What stands before that which is wanted, and need not be there.
const ASKING: [&str; 2] = ["install ", "requires "];

/// Whether such words stand before a version, and what they ask for goes on up to it: `torch 2.5.1 and ours (pip install -e .)`
/// says what there is, and a command ends with its quotation mark.
fn asks_for(text: &str, version: &str) -> bool {
    let before = text.split_once(version).map_or(text, |(before, _)| before);
    let last = ASKING.iter().filter_map(|word| before.rfind(word)).max();
    last.and_then(|at| before.get(at..))
        .is_some_and(|wanted| !wanted.contains([')', '`', ';']) && !wanted.contains(". "))
}

/// Whether words before a version in its part of the sentence ask for it: `pip install X, on Python 3.11.2` says which there is.
fn asks_for_python(text: &str, version: &str) -> bool {
    let before = text.split_once(version).map_or(text, |(before, _)| before);
    let part = before.rsplit([',', ';', '(', ':']).next().unwrap_or_default();
    part.contains("install ") || part.contains("requires ")
}

/// What may stand between a name and its version.
const FILLERS: [&str; 12] =
    ["version", "versions", "is", "the", "==", "ver", "-", "was", "version]", "'s", "s", "release"];

/// `NumPy recently had a major release (v2.0.0)`: one name in the line, and one version that calls itself one.
fn only_one(words: &Words<'_>, number: usize, vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    let mut versions = words.numbered().filter_map(|word| word.strip_prefix('v').filter(|word| is_version(word)));
    let (Some(version), None) = (versions.next(), versions.next()) else { return };
    let mut names = words
        .all
        .iter()
        .map(|word| normalise_name(word))
        .filter(|name| name.len() > 4 && (vocabulary.is_package)(name));
    if let (Some(name), None) = (names.next(), names.next()) {
        draft.package(&name, version, Rank::Told, format!("the report's words, line {number}"));
        draft.saw(WORDS, number);
    }
}

fn is_filler(word: &str) -> bool {
    FILLERS.iter().any(|filler| word.eq_ignore_ascii_case(filler))
}

/// `flash_attn-2.7.4.post1` and `bitsandbytes-0.41.1` in one word.
fn with_name(words: &Words<'_>, number: usize, vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    let mut last = "";
    // The same word again tells nothing new.
    for word in words.numbered().filter(|word| std::mem::replace(&mut last, word) != *word) {
        let Some((name, version)) = word.split_once('-').or_else(|| word.rsplit_once('-')) else { continue };
        // Of a wheel's name the tags are no part of the version.
        let tags = ["-cp3", "-py3", "-py2"].iter().find_map(|tag| version.find(tag));
        let whole = version;
        let version = tags.and_then(|at| version.get(..at)).unwrap_or(version);
        if name.len() > 3 && is_version(version) {
            let name = normalise_name(name);
            let place = || format!("the report's words, line {number}");
            let torch = LocalLabel::of_version(version).torch;
            if (vocabulary.is_package)(&name) || torch.is_some() && tags.is_some() {
                draft.package(&name, version, Rank::Told, place());
                draft.saw(WORDS, number);
                let file = tags.and_then(|at| whole.get(at + 1..)).and_then(|tags| tags.strip_suffix(".whl"));
                if let Some(tags) = file {
                    draft.wheel(&name, tags);
                }
            }
            if let Some(torch) = torch.filter(|_| tags.is_some()) {
                draft.built_for(&name, &torch, place());
            }
        }
    }
}

/// `torch2.5.1+cu124`, `python3.11`: a name and its version in one word.
fn glued(words: &Words<'_>, number: usize, vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    for word in words.numbered() {
        let Some(at) = word.find(|letter: char| letter.is_ascii_digit()) else { continue };
        let (name, version) = word.split_at(at);
        let version = version.trim_end_matches(['.', '!', '?']);
        if name.len() < 4 || !name.bytes().all(|byte| byte.is_ascii_alphabetic()) || !is_version(version) {
            continue;
        }
        let place = format!("the report's words, line {number}");
        match name.to_ascii_lowercase().as_str() {
            "python" => {
                if let Some(version) = version.parse::<PythonVersion>().ok().filter(|version| version.major == 3) {
                    draft.python.add(version, Rank::Told, place);
                    draft.saw(WORDS, number);
                }
            }
            name => {
                let name = if name == "pytorch" { "torch" } else { name };
                if (vocabulary.is_package)(name) {
                    draft.package(name, version, Rank::Told, place);
                    draft.saw(WORDS, number);
                }
            }
        }
    }
}

/// Driver versions, and the CUDA that somebody says goes with one.
fn drivers(words: &Words<'_>, number: usize, text: &str, draft: &mut Draft) {
    let mut versions =
        words.numbered().map(|word| word.trim_matches(['.', 'v', '[', ']'])).filter(|word| is_driver(word));
    if let (Some(first), None) = (versions.next(), versions.next()) {
        let lower = text.to_ascii_lowercase();
        // The fabric manager tells its own version as that of a driver.
        let is_fabric = lower.contains("fabricmanager") || lower.contains("fabric manager");
        if is_fabric || !lower.contains("driver") && !lower.contains("nvidia") {
            return;
        }
        let place = format!("the report's words, line {number}");
        add_driver(first, place.clone(), number, draft);
        // `My driver version is 470.141.03 with CUDA 11.7`: what the driver is said to offer.
        let cuda = words.all.iter().position(|word| word.eq_ignore_ascii_case("cuda"));
        let said = cuda.and_then(|at| words.all.iter().skip(at + 1).find(|word| !is_filler(word)));
        if let Some(cuda) = said.and_then(|word| word.trim_end_matches('.').parse::<CudaVersion>().ok()) {
            draft.driver_cuda.add(cuda, Rank::Told, place);
        }
    }
}

fn add_driver(version: &str, place: String, number: usize, draft: &mut Draft) {
    if let Ok(version) = version.parse::<DriverVersion>() {
        draft.saw(WORDS, number);
        draft.driver.add(version, Rank::Told, place);
    }
}

/// The operating system, WSL, machine types.
fn systems(words: &[&str], text: &str, number: usize, draft: &mut Draft) {
    let place = || format!("the report's words, line {number}");
    for word in words {
        let found = match word.trim_end_matches(['.', '!']) {
            "aarch64" | "arm64" => Some(("arch", "aarch64")),
            "WSL" | "WSL2" | "wsl2" | "wsl" => Some(("wsl", "2")),
            "Ubuntu" | "Debian" | "CentOS" | "RHEL" => Some(("os", "linux")),
            "Jetson" => Some(("arch", "aarch64")),
            _ => None,
        };
        match found {
            Some(("arch", arch)) => draft.arch.add(arch.to_owned(), Rank::Told, place()),
            Some(("wsl", _)) => draft.wsl.add(2, Rank::Told, place()),
            Some((_, os)) => draft.os.add(os.to_owned(), Rank::Told, place()),
            None => {}
        }
    }
    if text.contains("Windows 1")
        || text.contains("Win11")
        || text.contains("Win10")
        || text == "Windows"
        || text.contains("Window 1")
    {
        draft.os.add("windows".to_owned(), Rank::Told, place());
    }
    if text.len() < 64
        && let Some(rest) = text.split("Ubuntu ").nth(1)
    {
        let release: String = rest.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect();
        // `gcc (Ubuntu 11.4.0-1ubuntu1~22.04)` is a compiler's version; the system's has a month in it.
        if release.split('.').nth(1).is_some_and(|month| month.len() == 2) {
            draft.distro.add(format!("Ubuntu {}", release.trim_end_matches('.')), Rank::Told, place());
        }
    }
}

/// A shell's prompt or a path tells Windows apart.
fn windows(text: &str, number: usize, draft: &mut Draft) {
    let drive = |text: &str| {
        let bytes = text.as_bytes();
        bytes.first().is_some_and(u8::is_ascii_alphabetic)
            && bytes.get(1) == Some(&b':')
            && bytes.get(2).is_some_and(|byte| b"\\/".contains(byte))
    };
    let prompt = text.strip_prefix("PS ").unwrap_or(text).trim_start_matches('(').split(") ");
    let by_path = text.contains("\\site-packages\\")
        || text.contains("\\Scripts\\")
        || text.contains("AppData\\")
        || text.contains("AppData/Local");
    if by_path || prompt.into_iter().any(|part| drive(part) && part.contains('>')) {
        draft.os.add("windows".to_owned(), Rank::Told, format!("a path, line {number}"));
        draft.arch.add("x86_64".to_owned(), Rank::Told, format!("a path, line {number}"));
    }
}
