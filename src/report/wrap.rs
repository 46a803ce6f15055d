//! Lines that fit.

/// Breaks a text at spaces into lines of at most `width` characters; a longer word stands on a line of its own.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
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

/// Breaks a command where a shell continues it: ` \` at the end, the rest indented.
#[must_use]
pub fn wrap_command(command: &str, width: usize) -> Vec<String> {
    if command.chars().count() <= width || command.contains('#') {
        return vec![command.to_owned()];
    }
    let mut lines = wrap(command, width.saturating_sub(4));
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
        assert_eq!(wrap("a-very-long-word b", 5), ["a-very-long-word", "b"]);
        assert!(wrap("", 10).is_empty());
    }

    #[test]
    fn commands_continue_as_a_shell_reads_them() {
        assert_eq!(wrap_command("pip install torch numpy", 16), ["pip install \\", "  torch numpy"]);
    }
}
