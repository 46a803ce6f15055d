//! Lines that fit.

/// Breaks a text at spaces into lines of at most `width` characters; a longer word is broken behind a `/`, else where it
/// must be.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace().flat_map(|word| pieces(word, width)) {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += size;
    }
    if length > 0 {
        lines.push(line);
    }
    lines
}

/// The parts of a word that are no longer than a line.
fn pieces(word: &str, width: usize) -> Vec<&str> {
    let mut rest = word;
    let mut pieces = Vec::new();
    while let Some((limit, _)) = rest.char_indices().nth(width.max(1)) {
        let cut = rest[..limit].rfind('/').map_or(limit, |slash| slash + 1);
        let (piece, after) = rest.split_at(cut);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// Breaks a command where a shell continues it: ` \` at the end, the rest indented.
#[must_use]
pub fn wrap_command(command: &str, width: usize) -> Vec<String> {
    if command.chars().count() <= width || command.contains('#') {
        return vec![command.to_owned()];
    }
    let mut lines = Vec::<String>::new();
    for word in command.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width.saturating_sub(4) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let last = lines.len() - 1;
    for (index, line) in lines.iter_mut().enumerate() {
        if index > 0 {
            line.insert_str(0, "  ");
        }
        if index < last {
            line.push_str(" \\");
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_longer_than_it_may_be() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a-very-long-word b", 9), ["a-very-lo", "ng-word b"]);
        assert_eq!(wrap("see https://example.org/a/b", 16), ["see", "https://", "example.org/a/b"]);
        assert!(wrap("", 10).is_empty());
    }

    #[test]
    fn commands_continue_as_a_shell_reads_them() {
        assert_eq!(wrap_command("pip install torch numpy", 16), ["pip install \\", "  torch numpy"]);
    }
}
