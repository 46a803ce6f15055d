//! Words and commands as PowerShell reads them: about_Quoting_Rules and about_Parsing of its documentation.

use super::Step;

/// A word in quotes where PowerShell would read it otherwise: double ones where they do the same in cmd, into which commands
/// are pasted too, else single ones. It takes the curly ones for quotes too.
fn quote(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=+\\".contains(letter);
    // `-a.b` and `-a:b` are parameters to it, which it takes apart.
    let option = word.starts_with('-') && word.contains(['.', ':']);
    if !word.is_empty() && word.chars().all(plain) && !option {
        return word.to_owned();
    }
    if word.chars().all(|letter| plain(letter) || "<>[]();*~ ,=!".contains(letter)) {
        return format!("\"{word}\"");
    }
    let mut quoted = "'".to_owned();
    for letter in word.chars() {
        if matches!(letter, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(letter);
        }
        quoted.push(letter);
    }
    quoted.push('\'');
    quoted
}

pub(super) fn pieces(step: &Step) -> Vec<String> {
    match step {
        Step::Run { environment, argv } => {
            let set = |(name, value): &(super::Variable, super::Word)| {
                format!("$env:{} = {};", name.as_str(), literal(value.as_str()))
            };
            let mut pieces: Vec<String> = environment.iter().map(set).collect();
            for (at, word) in argv.iter().enumerate() {
                let quoted = quote(word.as_str());
                // A string is only a program where it is called.
                pieces.extend((at == 0 && quoted.starts_with(['\'', '"'])).then(|| "&".to_owned()));
                pieces.push(quoted);
            }
            pieces
        }
        Step::Set { name, value } => vec![format!("$env:{} = {}", name.as_str(), literal(value.as_str()))],
        Step::Unset { name } => {
            vec!["Remove-Item".to_owned(), format!("Env:{}", name.as_str()), "-ErrorAction Ignore".to_owned()]
        }
        Step::Prepend { name, value } => {
            let (name, value) = (name.as_str(), literal(&format!("{};", value.as_str())));
            vec![format!("$env:{name} = {value} + $env:{name}")]
        }
        Step::Script(_) | Step::Sketch(_) | Step::Then(_) => Vec::new(),
    }
}

/// A value on the right of `=`, where a bare word would be a command.
fn literal(value: &str) -> String {
    let quoted = quote(value);
    if quoted.starts_with(['\'', '"']) { quoted } else { format!("'{quoted}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_of_every_kind_are_doubled() {
        assert_eq!(quote("torch==2.7.1+cu128"), "torch==2.7.1+cu128");
        assert_eq!(quote("it's"), "'it''s'");
        assert_eq!(quote("a\u{2019};calc"), "'a\u{2019}\u{2019};calc'");
        assert_eq!(quote("numpy<2"), "\"numpy<2\"", "cmd knows no single quotes");
        assert_eq!(quote("-x.y"), "\"-x.y\"");
        assert_eq!(quote(""), "\"\"");
    }
}
