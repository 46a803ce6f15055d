//! `pyvenv.cfg`: what makes a folder a virtual environment (PEP 405).
//!
//! ```text
//! home = /usr/bin                        the folder of the base interpreter
//! include-system-site-packages = false   whether the base's packages can be imported too
//! version = 3.11.9                       written by venv; `version_info = 3.11.9` by uv, with `.final.0` by virtualenv
//! ```
//!
//! CPython's `site.py` reads it thus: a line with `=`, key in any case, blanks around both trimmed, the last of a key wins.

use crate::version::PythonVersion;

/// A virtual environment's description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PyvenvCfg {
    /// The folder of the base interpreter, e.g. `/usr/bin`.
    pub home: Option<String>,
    /// Whether the base's packages can be imported too. True where nothing is said, as in `site.py`.
    pub system_site_packages: bool,
    /// The version of the base interpreter when the environment was made, e.g. `3.11.9`; an upgrade of it is not noted.
    pub version: Option<PythonVersion>,
    /// E.g. `CPython`, `PyPy`; written by virtualenv and uv.
    pub implementation: Option<String>,
    /// The version of uv that wrote it.
    pub uv: Option<String>,
}

impl PyvenvCfg {
    /// Reads the text of the file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut found = Self { home: None, system_site_packages: true, version: None, implementation: None, uv: None };
        for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "home" if !value.is_empty() => found.home = Some(value.to_owned()),
                "include-system-site-packages" => found.system_site_packages = value.eq_ignore_ascii_case("true"),
                "version" | "version_info" => found.version = value.parse().ok().or(found.version),
                "uv" => found.uv = Some(value.to_owned()),
                "implementation" => found.implementation = Some(value.to_owned()),
                _ => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_writes_its_own_keys() {
        let venv = PyvenvCfg::parse(
            "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\nexecutable = /usr/bin/python3.11\n\
             command = /usr/bin/python3 -m venv --prompt=a /tmp/v\n",
        );
        assert_eq!(venv.home.as_deref(), Some("/usr/bin"));
        assert!(!venv.system_site_packages);
        assert_eq!(venv.version, "3.11.2".parse().ok());
        let virtualenv = PyvenvCfg::parse(
            "home=/opt/py/bin\r\nimplementation = CPython\r\nversion_info = 3.12.1.final.0\r\n\
             Include-System-Site-Packages = TRUE\r\n",
        );
        assert!(virtualenv.system_site_packages);
        assert_eq!(virtualenv.version, "3.12.1".parse().ok());
        assert_eq!(virtualenv.implementation.as_deref(), Some("CPython"));
    }

    #[test]
    fn an_empty_file_still_makes_an_environment() {
        let empty = PyvenvCfg::parse("");
        assert!(empty.system_site_packages && empty.home.is_none() && empty.version.is_none());
        assert!(!PyvenvCfg::parse("include-system-site-packages = yes").system_site_packages);
    }
}
