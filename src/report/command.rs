//! Commands to copy, in lines that fit.

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
    fn commands_continue_as_a_shell_reads_them() {
        assert_eq!(wrap_command("pip install torch numpy", 16), ["pip install \\", "  torch numpy"]);
    }
}
