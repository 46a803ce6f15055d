//! Words as YAML holds them.

/// A plain scalar where YAML reads it as the same text, else a double-quoted one, whose escapes are JSON's.
#[must_use]
pub fn scalar(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=+<>~ ".contains(letter);
    let starts = text.starts_with("-e ")
        || text.starts_with("--")
        || text.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    if starts && text.chars().all(plain) && !text.contains(": ") && !text.ends_with([':', ' ']) {
        return text.to_owned();
    }
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_would_read_otherwise_is_quoted() {
        assert_eq!(scalar("torch==2.7.1+cu128"), "torch==2.7.1+cu128");
        assert_eq!(scalar("--extra-index-url https://a.example/b"), "--extra-index-url https://a.example/b");
        assert_eq!(scalar("numpy ; python_version < '3.11'"), "\"numpy ; python_version < '3.11'\"");
        assert_eq!(scalar("a # b"), "\"a # b\"");
        assert_eq!(scalar("*all"), "\"*all\"");
    }
}
