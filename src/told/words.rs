//! Which of the words that readers look for stand in a line: all of them are found in one pass.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// What a reader looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// nvidia-smi and its library, by any of their names.
    Smi,
    /// `Kernel Module`.
    KernelModule,
    /// A column of `nvidia-smi --query-gpu`.
    Column,
    /// `pip install`.
    Install,
    /// `… requires …`, `… has requirement …`.
    Requires,
    /// `Successfully installed` and other reports of pip.
    Installer,
    /// A name in JSON.
    JsonName,
    /// `File "`, of a traceback.
    File,
    /// ` => `, of ldd and ldconfig.
    Arrow,
    /// The variable.
    LibraryPath,
    /// `print(torch.…`.
    PrintTorch,
    /// Dots between a name and its value.
    Dots,
    /// An operating system or a machine type.
    System,
    /// A part of a path on Windows.
    WindowsPath,
    /// The vendor as lspci names it.
    Bus,
}

const WORDS: [(&str, Word); 44] = [
    ("vidia-smi", Word::Smi),
    ("NVIDIA-SMI", Word::Smi),
    ("NVML", Word::Smi),
    ("No devices", Word::Smi),
    ("Kernel Module", Word::KernelModule),
    ("driver_version", Word::Column),
    ("compute_cap", Word::Column),
    ("index, name", Word::Column),
    ("pip install ", Word::Install),
    ("pip3 install ", Word::Install),
    (" requires ", Word::Requires),
    (" has requirement ", Word::Requires),
    ("Successfully installed ", Word::Installer),
    ("Found existing installation: ", Word::Installer),
    ("Successfully uninstalled ", Word::Installer),
    ("Installing ", Word::Installer),
    ("Updating ", Word::Installer),
    ("Downgrading ", Word::Installer),
    ("\"name\"", Word::JsonName),
    ("File \"", Word::File),
    (" => ", Word::Arrow),
    ("LD_LIBRARY_PATH", Word::LibraryPath),
    ("print(torch.", Word::PrintTorch),
    (" ..", Word::Dots),
    ("aarch64", Word::System),
    ("arm64", Word::System),
    ("WSL", Word::System),
    ("wsl", Word::System),
    ("Ubuntu", Word::System),
    ("Debian", Word::System),
    ("CentOS", Word::System),
    ("RHEL", Word::System),
    ("Jetson", Word::System),
    ("Windows", Word::System),
    ("Window 1", Word::System),
    ("Win11", Word::System),
    ("Win10", Word::System),
    ("\\site-packages\\", Word::WindowsPath),
    ("\\Scripts\\", Word::WindowsPath),
    ("AppData\\", Word::WindowsPath),
    ("AppData/Local", Word::WindowsPath),
    (":\\", Word::WindowsPath),
    (":/", Word::WindowsPath),
    ("NVIDIA Corporation", Word::Bus),
];

static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words = WORDS.iter().map(|(text, _)| text);
    AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(words).ok()
});

/// The words that stand in a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Words(u32);

impl Words {
    /// Looks for all of them.
    pub fn of(text: &str) -> Self {
        let found = FINDER.iter().flat_map(|finder| finder.find_overlapping_iter(text));
        let found = found.filter_map(|found| WORDS.get(found.pattern().as_usize()));
        Self(found.fold(0, |all, (_, word)| all | 1 << *word as u32))
    }

    /// Whether one of them was found.
    pub fn has(self, word: Word) -> bool {
        self.0 & 1 << word as u32 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found_wherever_it_stands() {
        for (text, word) in WORDS {
            assert!(Words::of(&format!("x{text}y")).has(word), "{text}");
            assert!(!Words::of(&text[1..]).has(word) || text.len() < 3 || word == Word::Smi, "{text}");
        }
        assert_eq!(Words::of("a line of something else"), Words::default());
    }
}
