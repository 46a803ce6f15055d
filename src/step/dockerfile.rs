//! Commands and variables as a Dockerfile holds them.

/// A value of `ENV`, in quotes where it needs them. In it Docker expands `$` and takes `\` for an escape.
#[must_use]
pub fn value(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=+@,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut quoted = "\"".to_owned();
    for letter in text.chars() {
        if matches!(letter, '"' | '\\' | '$') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_is_expanded() {
        assert_eq!(value("8.0;9.0+PTX"), "\"8.0;9.0+PTX\"");
        assert_eq!(value("12.0"), "12.0");
        assert_eq!(value("$HOME\\\"x"), r#""\$HOME\\\"x""#);
    }
}
