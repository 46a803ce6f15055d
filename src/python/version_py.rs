//! The `version.py` that a build writes into the package, read without running it.
//!
//! torch's says more than its METADATA, which on PyPI is only `2.7.1`:
//!
//! ```text
//! from typing import Optional
//! __version__ = '2.7.1+cu126'
//! debug = False
//! cuda: Optional[str] = '12.6'
//! git_version = 'e2d141dbde55c2a4370fac5165b0561b6af4798b'
//! hip: Optional[str] = None
//! ```
//!
//! Only assignments of a plain literal at the start of a line are read; `cuda = _check_cuda_version()` says nothing.

/// What a build wrote about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionPy {
    /// `__version__`, else `version`, e.g. `2.7.1+cu126`.
    pub version: Option<String>,
    /// `cuda`: the CUDA it was built for, e.g. `12.6`, or nothing about it.
    pub cuda: Stated,
    /// `git_version`: the commit it was built from. Whoever writes it writes the file at each build, so the version beside
    /// it is the build's own and not a forgotten constant.
    pub git_version: Option<String>,
}

/// What is said of a thing that may also be none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stated {
    /// Nothing is said.
    #[default]
    Nothing,
    /// `None` is said.
    None,
    /// A text is said.
    Text(String),
}

impl VersionPy {
    /// Reads the text of the file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        let mut plain_version = None;
        for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
            let Some((names, value)) = assignment(line) else { continue };
            for name in names {
                match (name, &value) {
                    ("__version__", Stated::Text(text)) => found.version = Some(text.clone()),
                    ("version", Stated::Text(text)) => plain_version = Some(text.clone()),
                    ("git_version", Stated::Text(text)) => found.git_version = Some(text.clone()),
                    ("cuda", _) => found.cuda = value.clone(),
                    _ => {}
                }
            }
        }
        found.version = found.version.or(plain_version);
        found
    }
}

/// The names and the value of `a = 'x'`, `a: T = None`, `a = b = 'x'`; nothing for any other line.
fn assignment(line: &str) -> Option<(Vec<&str>, Stated)> {
    if !line.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_') {
        return None;
    }
    // The quoted value may hold `=`; the names in front of it do not.
    let start = line.find(['\'', '"']).unwrap_or(line.len());
    let end = line.get(..start)?.rfind('=').or_else(|| line.rfind('='))?;
    let names = line.get(..end)?.split('=').map(|name| name.split_once(':').map_or(name, |(name, _)| name).trim());
    let names: Vec<&str> = names.collect();
    if !names
        .iter()
        .all(|name| !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_'))
    {
        return None;
    }
    Some((names, literal(line.get(end + 1..)?)?))
}

/// A quoted text without escapes, or `None`; a comment may follow.
fn literal(text: &str) -> Option<Stated> {
    let text = text.trim();
    let quote = text.chars().next()?;
    let (value, rest) = match quote {
        '\'' | '"' => {
            let (value, rest) = text.get(1..)?.split_once(quote)?;
            (Stated::Text(value.to_owned()), rest)
        }
        _ => (Stated::None, text.strip_prefix("None")?),
    };
    let rest = rest.trim_start();
    let plain = rest.is_empty() || rest.starts_with('#');
    (plain && !matches!(&value, Stated::Text(text) if text.contains('\\') || text.is_empty())).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Stated {
        Stated::Text(value.to_owned())
    }

    #[test]
    fn torch_says_its_build() {
        let torch = VersionPy::parse(
            "from typing import Optional\n\n__all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip', 'xpu']\n\
             __version__ = '2.7.1+cu126'\ndebug = False\ncuda: Optional[str] = '12.6'\ngit_version = 'e2d141d'\n\
             hip: Optional[str] = None\nxpu: Optional[str] = None\n",
        );
        assert_eq!(torch.version.as_deref(), Some("2.7.1+cu126"));
        assert_eq!(torch.cuda, text("12.6"));
        assert_eq!(torch.git_version.as_deref(), Some("e2d141d"));
        let cpu = VersionPy::parse("__version__ = '2.7.1+cpu'\r\ncuda: Optional[str] = None\r\n");
        assert_eq!((cpu.version.as_deref(), cpu.cuda), (Some("2.7.1+cpu"), Stated::None));
    }

    #[test]
    fn calls_and_indented_lines_say_nothing() {
        let vision = VersionPy::parse(
            "__version__ = '0.22.1+cu126'\ngit_version = '59a3e1f'\nfrom torchvision.extension import _check_cuda_version\n\
             if _check_cuda_version() > 0:\n    cuda = _check_cuda_version()\ncuda = _check_cuda_version()\n",
        );
        assert_eq!((vision.version.as_deref(), vision.cuda), (Some("0.22.1+cu126"), Stated::Nothing));
    }

    #[test]
    fn other_generators_write_other_forms() {
        let scm = VersionPy::parse("__version__ = version = '0.9.1+cu118'\n__version_tuple__ = (0, 9, 1)\n");
        assert_eq!(scm.version.as_deref(), Some("0.9.1+cu118"));
        let annotated = VersionPy::parse("version: str\n__version__: str\nversion = \"1.0\"  # by hand\n");
        assert_eq!(annotated.version.as_deref(), Some("1.0"));
    }

    #[test]
    fn what_is_no_literal_is_left_out() {
        for text in
            ["__version__ = f'{x}'", "__version__ = 'a' + 'b'", "__version__ = ''", "__version__ == '1'", "=", "a="]
        {
            assert_eq!(VersionPy::parse(text), VersionPy::default(), "{text}");
        }
        assert_eq!(VersionPy::parse("__version__ = '1\\n'").version, None);
    }
}
