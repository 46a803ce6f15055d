//! The words of a shell's line: quotes, escapes, and what is put in for a variable.

use super::Lexer;
use super::builder::Builder;
use super::lexer::Token;

impl<'a> Lexer<'a> {
    pub fn word(&mut self) -> Token {
        let start = self.at;
        let mut word = Builder::default();
        while let Some(letter) = self.peek() {
            let here = self.at;
            match letter {
                ';' | '&' | '|' | '(' | ')' | '<' | '>' if self.plain => {
                    self.at += 1;
                    word.push(self.script, letter, here);
                }
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | ')' | '<' | '>' => break,
                '(' if word.value.text.ends_with('=') => {
                    // `A=(a b)`
                    self.nested('(', ')');
                    word.known = false;
                }
                '(' => break,
                '\\' => {
                    if !self.joined() {
                        self.at += 1;
                        let from = self.at;
                        if let Some(letter) = self.bump() {
                            word.push(self.script, letter, from);
                        }
                        word.quoted = true;
                    }
                }
                '\'' => {
                    self.at += 1;
                    word.quoted = true;
                    while let Some(letter) = self.peek() {
                        let from = self.at;
                        self.at += letter.len_utf8();
                        if letter == '\'' {
                            break;
                        }
                        word.push(self.script, letter, from);
                    }
                }
                '"' => {
                    self.at += 1;
                    word.quoted = true;
                    self.double_quoted(&mut word);
                }
                '$' | '`' => self.expansion(&mut word, self.plain),
                _ => {
                    self.at += letter.len_utf8();
                    word.push(self.script, letter, here);
                }
            }
        }
        if self.at == start {
            // A letter that begins nothing.
            self.bump();
        }
        // `2>` is part of the redirection.
        if !self.plain
            && self.peek().is_some_and(|letter| matches!(letter, '<' | '>'))
            && !word.value.text.is_empty()
            && word.value.text.bytes().all(|byte| byte.is_ascii_digit())
        {
            return self.redirect();
        }
        let place = self.lines.place(self.script.source(start..self.at));
        let mut words = word.done(&place);
        if words.is_empty() {
            return Token::Redirect;
        }
        let first = words.remove(0);
        self.more.extend(words);
        Token::Word(first)
    }

    fn double_quoted(&mut self, word: &mut Builder) {
        while let Some(letter) = self.peek() {
            let here = self.at;
            match letter {
                '"' => {
                    self.at += 1;
                    return;
                }
                '\\' => {
                    if self.joined() {
                        continue;
                    }
                    self.at += 1;
                    let from = self.at;
                    match self.bump() {
                        Some(letter @ ('"' | '\\' | '$' | '`')) => word.push(self.script, letter, from),
                        Some(letter) => {
                            word.push(self.script, '\\', here);
                            word.push(self.script, letter, from);
                        }
                        None => {}
                    }
                }
                '$' | '`' => self.expansion(word, true),
                _ => {
                    self.at += letter.len_utf8();
                    word.push(self.script, letter, here);
                }
            }
        }
    }

    /// `$NAME`, `${…}`, `$(…)`, `` `…` ``.
    fn expansion(&mut self, word: &mut Builder, quoted: bool) {
        let start = self.at;
        let mut value = None;
        if self.starts_with("$(") {
            self.at += 1;
            self.nested('(', ')');
        } else if self.starts_with("${") {
            self.at += 1;
            self.nested('{', '}');
            let inside = self.text.get(start + 2..self.at.saturating_sub(1).max(start + 2)).unwrap_or_default();
            value = self.variables.expand(inside);
        } else if self.starts_with("`") {
            self.at += 1;
            while self.bump().is_some_and(|letter| letter != '`') {}
        } else {
            self.at += 1;
            let rest = self.text.get(self.at..).unwrap_or_default();
            let length = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
            let name = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
            if name.is_empty() {
                match rest.chars().next() {
                    Some(letter @ ('@' | '*' | '#' | '?' | '$' | '!' | '-')) => self.at += letter.len_utf8(),
                    // A dollar sign that stands for itself.
                    _ => return word.push(self.script, '$', start),
                }
            } else {
                self.at += name.len();
                value = self.variables.expand(name);
            }
        }
        let source = self.script.source(start..self.at);
        match value {
            Some(value) => word.put_in(&value, source, quoted),
            None => {
                word.known = false;
                word.value.append(&self.script.part(start..self.at));
                word.quoted = true;
            }
        }
    }

    /// Passes over what stands in brackets, the opening one next.
    pub fn nested(&mut self, open: char, close: char) {
        let mut depth = 0_usize;
        while let Some(letter) = self.bump() {
            match letter {
                '\\' => {
                    self.bump();
                }
                '\'' => while self.bump().is_some_and(|letter| letter != '\'') {},
                _ if letter == open => depth += 1,
                _ if letter == close => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
    }
}
