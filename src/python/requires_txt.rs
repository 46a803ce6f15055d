//! `requires.txt` of an `*.egg-info` folder: setuptools' own list of requirements, older than `Requires-Dist`.
//!
//! ```text
//! numpy>=1.20
//!
//! [:python_version < "3.8"]        these hold under a marker
//! importlib_metadata
//!
//! [test]                           these for an extra
//! pytest
//!
//! [test:sys_platform == "linux"]   these for an extra under a marker
//! psutil
//! ```
//!
//! The translation is that of the standard library, `importlib.metadata.Distribution._convert_egg_info_reqs_to_simple_reqs`.

/// Requirements written as `Requires-Dist` would write them, and the extras in order of appearance.
#[must_use]
pub fn parse_requires_txt(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut requires, mut extras) = (Vec::new(), Vec::new());
    let (mut extra, mut marker) = ("", "");
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            (extra, marker) = section.split_once(':').unwrap_or((section, ""));
            (extra, marker) = (extra.trim(), marker.trim());
            if !extra.is_empty() && !extras.iter().any(|known| known == extra) {
                extras.push(extra.to_owned());
            }
            continue;
        }
        let condition = match (extra, marker) {
            ("", "") => String::new(),
            ("", marker) => format!("; {marker}"),
            (extra, "") => format!("; extra == \"{extra}\""),
            (extra, marker) => format!("; ({marker}) and extra == \"{extra}\""),
        };
        // A URL swallows a `;` that follows it without a blank.
        let gap = if line.contains('@') && !condition.is_empty() { " " } else { "" };
        requires.push(format!("{line}{gap}{condition}"));
    }
    (requires, extras)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_become_markers() {
        let text = "numpy>=1.20\n\n[:python_version < \"3.8\"]\nimportlib_metadata\n\n[test]\npytest\nx @ https://a/x.whl\n\
                    [test:sys_platform == \"linux\" or a]\npsutil\n[empty]\n";
        let (requires, extras) = parse_requires_txt(text);
        assert_eq!(
            requires,
            [
                "numpy>=1.20",
                "importlib_metadata; python_version < \"3.8\"",
                "pytest; extra == \"test\"",
                "x @ https://a/x.whl ; extra == \"test\"",
                "psutil; (sys_platform == \"linux\" or a) and extra == \"test\"",
            ]
        );
        assert_eq!(extras, ["test", "empty"]);
    }
}
