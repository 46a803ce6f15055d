//! Environment variables as files hold them.

use std::collections::BTreeMap;

/// Reads `/proc/<pid>/environ`: `NAME=value` pieces, each ended by a NUL. Bytes that are not UTF-8 become `�`.
#[must_use]
pub fn parse_process_environment(bytes: &[u8]) -> BTreeMap<String, String> {
    bytes
        .split(|&byte| byte == 0)
        .filter_map(|piece| {
            let text = String::from_utf8_lossy(piece);
            let (name, value) = text.split_once('=')?;
            (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// Reads `/etc/environment` as `pam_env` does: one `NAME=value` a line, with or without `export` and quotes, no expansion.
#[must_use]
pub fn parse_environment_file(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| {
            let line = line.trim();
            let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
            let name = name.trim();
            let known = !name.is_empty() && !name.starts_with('#') && !name.contains(char::is_whitespace);
            known.then(|| (name.to_owned(), unquote(value.trim()).to_owned()))
        })
        .collect()
}

/// Removes one pair of quotes, single or double.
pub(crate) fn unquote(text: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_ends_each_variable_with_a_nul() {
        let found = parse_process_environment(b"PATH=/usr/bin\0EMPTY=\0A=b=c\0nonsense\0=x\0\xff=\xff\0");
        assert_eq!(found["PATH"], "/usr/bin");
        assert_eq!(found["EMPTY"], "");
        assert_eq!(found["A"], "b=c");
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn a_file_may_quote_and_export() {
        let found =
            parse_environment_file("# A=comment\nPATH=\"/usr/bin:/bin\"\nexport B='two words'\n bad name=1\nC=\"\n");
        assert_eq!(found["PATH"], "/usr/bin:/bin");
        assert_eq!(found["B"], "two words");
        assert_eq!(found["C"], "\"");
        assert_eq!(found.len(), 3);
    }
}
