//! Words and commands as a POSIX shell reads them.

/// A word in quotes where the shell would read it otherwise: `'torch>=2'`, `it'\''s`.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=+@%,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('~') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A command: on one line where it fits into 100 columns, else continued line by line.
#[must_use]
pub fn command(words: &[String], indent: usize) -> String {
    let quoted: Vec<_> = words.iter().map(|word| quote(word)).collect();
    let mut text = String::new();
    let mut width = indent;
    for (index, word) in quoted.iter().enumerate() {
        let length = word.chars().count();
        if index > 0 && width + 1 + length > 98 {
            text.push_str(" \\\n");
            text.push_str(&" ".repeat(indent + 4));
            width = indent + 4;
        } else if index > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += length;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quote("torch==2.7.1+cu128"), "torch==2.7.1+cu128");
        assert_eq!(quote("jax[cuda12]==0.7"), "'jax[cuda12]==0.7'");
        assert_eq!(quote("a; rm -rf '$HOME' `x`"), r"'a; rm -rf '\''$HOME'\'' `x`'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn long_commands_are_continued() {
        let words: Vec<String> = (0..40).map(|number| format!("word-{number}")).collect();
        let text = command(&words, 0);
        assert!(text.lines().all(|line| line.len() <= 100), "{text}");
        assert_eq!(text.replace(" \\\n   ", ""), words.join(" "));
    }
}
