//! The logical lines of Python: joined within brackets and behind a backslash, parted at semicolons, without comments.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword.
    Word,
    Number,
    /// A string, whose text is its value.
    Text,
    /// A string that only Python can tell: `f'…'`, bytes.
    Unknown,
    Operator,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub span: Range<usize>,
    text: String,
}

impl Token {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its text, of a name or a keyword.
    pub fn word(&self) -> Option<&str> {
        (self.kind == Kind::Word).then_some(self.text.as_str())
    }

    pub fn is(&self, operator: &str) -> bool {
        self.kind == Kind::Operator && self.text == operator
    }
}

/// A logical line: how far it is indented, and its tokens.
pub struct Line {
    pub indent: usize,
    pub tokens: Vec<Token>,
}

/// The longest first.
const OPERATORS: [&str; 24] = [
    "**=", "//=", ">>=", "<<=", "==", "!=", "<=", ">=", "->", ":=", "+=", "-=", "*=", "/=", "|=", "&=", "^=", "%=",
    "@=", "**", "//", ">>", "<<", "...",
];

/// Reads the lines of a text.
pub fn lines(text: &str) -> Vec<Line> {
    let mut reader = Reader { text, at: 0 };
    let mut found = Vec::new();
    let (mut indent, mut tokens, mut depth, mut fresh) = (0, Vec::new(), 0_usize, true);
    let mut end = |indent: usize, tokens: &mut Vec<Token>| {
        if !tokens.is_empty() {
            found.push(Line { indent, tokens: std::mem::take(tokens) });
        }
    };
    while let Some(letter) = reader.peek() {
        if fresh {
            let start = reader.at;
            while matches!(reader.peek(), Some(' ' | '\t')) {
                reader.at += 1;
            }
            indent = reader.at - start;
            fresh = false;
            continue;
        }
        match letter {
            '\n' => {
                reader.at += 1;
                if depth == 0 {
                    end(indent, &mut tokens);
                    fresh = true;
                }
            }
            '#' => reader.comment(),
            '\\' => {
                reader.at += 1;
                while matches!(reader.peek(), Some('\r' | '\n')) {
                    let ended = reader.peek() == Some('\n');
                    reader.at += 1;
                    if ended {
                        break;
                    }
                }
            }
            ';' if depth == 0 => {
                reader.at += 1;
                end(indent, &mut tokens);
            }
            letter if letter.is_whitespace() => reader.at += letter.len_utf8(),
            _ => {
                let token = reader.token(letter);
                match token.text() {
                    "(" | "[" | "{" if token.kind == Kind::Operator => depth += 1,
                    ")" | "]" | "}" if token.kind == Kind::Operator => depth = depth.saturating_sub(1),
                    _ => {}
                }
                tokens.push(token);
            }
        }
    }
    end(indent, &mut tokens);
    found
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn comment(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    fn token(&mut self, first: char) -> Token {
        let start = self.at;
        let of = |kind: Kind, text: String, end: usize| Token { kind, span: start..end, text };
        if first == '"' || first == '\'' {
            let (text, known) = self.string(false);
            return of(if known { Kind::Text } else { Kind::Unknown }, text, self.at);
        }
        if first.is_alphabetic() || first == '_' {
            let rest = self.rest();
            let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
            let length = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
            let word = rest.get(..length).unwrap_or_default().to_owned();
            self.at += length;
            // `r'…'`, `f"…"`.
            if matches!(self.peek(), Some('"' | '\'')) && length <= 2 {
                let raw = word.eq_ignore_ascii_case("r");
                let (text, known) = self.string(raw);
                let kind = if raw && known || word.eq_ignore_ascii_case("u") { Kind::Text } else { Kind::Unknown };
                return of(kind, text, self.at);
            }
            return of(Kind::Word, word, self.at);
        }
        let rest = self.rest();
        if first.is_ascii_digit() {
            let is_number = |letter: char| letter.is_ascii_alphanumeric() || letter == '.' || letter == '_';
            let length = rest.find(|letter| !is_number(letter)).unwrap_or(rest.len());
            let text = rest.get(..length).unwrap_or_default().to_owned();
            self.at += length;
            return of(Kind::Number, text, self.at);
        }
        let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
        let text = operator.map_or_else(|| first.to_string(), |operator| (*operator).to_owned());
        self.at += text.len();
        of(Kind::Operator, text, self.at)
    }

    /// A string that begins here: its value, and whether that is known.
    fn string(&mut self, raw: bool) -> (String, bool) {
        let quote = self.peek().unwrap_or('"');
        let triple: String = [quote; 3].iter().collect();
        let close = if self.rest().starts_with(&triple) { triple } else { quote.to_string() };
        self.at += close.len();
        let (mut value, mut known) = (String::new(), true);
        while let Some(letter) = self.peek() {
            if self.rest().starts_with(&close) {
                self.at += close.len();
                return (value, known);
            }
            if letter == '\n' && close.len() == 1 {
                break;
            }
            self.at += letter.len_utf8();
            if letter == '\\' && !raw {
                match self.peek() {
                    Some(next @ ('\\' | '\'' | '"')) => value.push(next),
                    Some('n') => value.push('\n'),
                    _ => known = false,
                }
                self.at += self.peek().map_or(0, char::len_utf8);
                continue;
            }
            value.push(letter);
        }
        (value, false)
    }
}
