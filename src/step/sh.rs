//! Words and commands as a POSIX shell reads them.

use super::Step;

/// A word in quotes where a shell would read it otherwise: `"numpy<2"`, `'$HOME'`. Double quotes where they do the same in
/// bash, PowerShell and cmd, for commands are pasted anywhere; else as the crate `shlex` has it.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=+@%,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if word.chars().all(|letter| plain(letter) || "<>[]();*~ ".contains(letter)) {
        return format!("\"{word}\"");
    }
    // It refuses NUL alone, which no `Word` holds and no program can be given.
    shlex::try_quote(word).map_or_else(|_| "''".to_owned(), std::borrow::Cow::into_owned)
}

/// A command: on one line where it fits into 100 columns, else continued line by line, indented by four more.
#[must_use]
pub fn command(words: &[String], indent: usize) -> String {
    let quoted: Vec<_> = words.iter().map(|word| quote(word)).collect();
    let lines = broken(&quoted, 4, 100 - indent, " \\");
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

/// Pieces in lines of at most `width` characters: `continued` at the end of each but the last, `indent` before each but the first.
pub(super) fn broken(pieces: &[String], indent: usize, width: usize, continued: &str) -> Vec<String> {
    let whole = pieces.join(" ");
    if whole.chars().count() <= width {
        return vec![whole];
    }
    let room = width.saturating_sub(continued.len());
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + piece.chars().count() <= room => {
                line.push(' ');
                line.push_str(piece);
            }
            Some(line) => {
                line.push_str(continued);
                lines.push(format!("{}{piece}", " ".repeat(indent)));
            }
            None => lines.push(piece.clone()),
        }
    }
    lines
}

/// A text of the rules in what may stand on lines of its own: `pip list | grep torch` is four; what is quoted stays together, and so
/// does what `$(…)` holds.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quote, mut depth) = (None, 0_usize);
    for letter in text.chars() {
        match (letter, quote) {
            ('"' | '\'' | '`', None) => quote = Some(letter),
            (_, Some(open)) if open == letter => quote = None,
            ('(', None) => depth += 1,
            (')', None) => depth = depth.saturating_sub(1),
            (' ', None) if depth == 0 => {
                words.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = words.last_mut() {
            last.push(letter);
        }
    }
    words
}

pub(super) fn pieces(step: &Step) -> Vec<String> {
    match step {
        Step::Run { environment, argv } => {
            let variables =
                environment.iter().map(|(name, value)| format!("{}={}", name.as_str(), quote(value.as_str())));
            let (program, rest) = argv.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
            // `a=b/python` at the start would be a variable.
            let program =
                if program.contains('=') && !program.starts_with('/') { quote_all(program) } else { quote(program) };
            variables.chain([program]).chain(rest.iter().map(|word| quote(word.as_str()))).collect()
        }
        Step::Set { name, value } => {
            vec!["export".to_owned(), format!("{}={}", name.as_str(), quote(value.as_str()))]
        }
        Step::Unset { name } => vec!["unset".to_owned(), name.as_str().to_owned()],
        Step::Prepend { name, value } => {
            let (name, value) = (name.as_str(), value.as_str());
            // An empty entry would be the working folder. What follows needs no quotes in bash, but in dash.
            let rest = format!("${{{name}:+:${name}}}");
            let quoted = quote(value);
            let is_whole = quoted == value || quoted == format!("\"{value}\"");
            let joined = if is_whole { format!("\"{value}{rest}\"") } else { format!("{quoted}\"{rest}\"") };
            vec!["export".to_owned(), format!("{name}={joined}")]
        }
        Step::Script(_) | Step::Sketch(_) | Step::Then(_) => Vec::new(),
    }
}

/// A word in quotes even where it needs none.
fn quote_all(word: &str) -> String {
    let quoted = quote(word);
    if quoted == word { format!("\"{word}\"") } else { quoted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quote("torch==2.7.1+cu128"), "torch==2.7.1+cu128");
        assert_eq!(quote("jax[cuda12]==0.7"), "\"jax[cuda12]==0.7\"");
        assert_eq!(quote("a; rm -rf '$HOME' `x`"), "\"a; rm -rf '\"'$HOME'\"' \"'`x`'");
        assert_eq!(quote(""), "\"\"");
        assert_eq!(quote("~root"), "\"~root\"");
    }

    #[test]
    fn long_commands_are_continued() {
        let words: Vec<String> = (0..40).map(|number| format!("word-{number}")).collect();
        let text = command(&words, 4);
        assert!(text.lines().all(|line| line.len() <= 100), "{text}");
        assert_eq!(text.replace(" \\\n       ", ""), words.join(" "));
    }
}
