//! Words, operators and here-documents of a script, command by command.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

use super::super::place::Lines;
use super::super::sourced::Sourced;
use super::{Assignment, Command, Variables, Word};

/// A command, and the here-documents that it reads as bytes of the script.
pub struct Raw {
    pub command: Command,
    pub heredocs: Vec<Range<usize>>,
}

/// A here-document whose body begins behind the end of this line.
struct Pending {
    delimiter: String,
    /// `<<-`: tabs before the delimiter do not count.
    tabs: bool,
}

pub struct Lexer<'a> {
    script: &'a Sourced,
    text: &'a str,
    lines: &'a Lines<'a>,
    variables: &'a mut Variables,
    at: usize,
    /// How many `if`, loops, groups and subshells are open.
    depth: usize,
    /// Those of them that `(` opened.
    parentheses: usize,
    /// Variables that an open one sets: afterwards nobody knows.
    uncertain: BTreeSet<String>,
    /// The operator before was `||`.
    alternative: bool,
    /// Words that a variable stood for, still to be handed out.
    more: VecDeque<Word>,
    /// Where the bodies of the line's here-documents begin, and where they end.
    bodies: Option<(usize, usize)>,
    /// Only blanks end a word: the language of ENV and FROM.
    plain: bool,
}

/// How a word ends, or what stands instead of one.
enum Token {
    Word(Word),
    /// `&&`, `;`, a line's end, `(` and the like.
    Separator(&'static str),
    Heredoc(Pending),
    /// `> file`: of no interest.
    Redirect,
    End,
}

impl<'a> Lexer<'a> {
    pub fn new(script: &'a Sourced, lines: &'a Lines<'a>, variables: &'a mut Variables) -> Self {
        Self {
            script,
            text: &script.text,
            lines,
            variables,
            at: 0,
            depth: 0,
            parentheses: 0,
            uncertain: BTreeSet::new(),
            alternative: false,
            more: VecDeque::new(),
            bodies: None,
            plain: false,
        }
    }

    /// All words, where the script is but words: what stands behind ENV and FROM.
    pub fn words(mut self) -> Vec<Word> {
        self.plain = true;
        let mut found = Vec::new();
        loop {
            while self.peek().is_some_and(char::is_whitespace) {
                self.bump();
            }
            if self.peek().is_none() {
                return found;
            }
            if let Token::Word(word) = self.word() {
                found.push(word);
            }
        }
    }

    pub fn variables(&mut self) -> &mut Variables {
        self.variables
    }

    /// The next command that says something.
    pub fn command(&mut self) -> Option<Raw> {
        let (mut assignments, mut words) = (Vec::<Assignment>::new(), Vec::<Word>::new());
        let (mut pending, mut heredocs) = (Vec::new(), Vec::new());
        let mut conditional = false;
        loop {
            match self.token(words.is_empty()) {
                Token::Word(word) => {
                    if words.is_empty() {
                        if assignments.is_empty() && self.keyword(&word) {
                            continue;
                        }
                        if let Some(assignment) = assignment(&word) {
                            conditional |= self.depth > 0 || self.alternative;
                            assignments.push(assignment);
                            continue;
                        }
                    }
                    conditional |= self.depth > 0 || self.alternative;
                    words.push(word);
                }
                Token::Heredoc(one) => pending.push(one),
                Token::Redirect => {}
                // `name()` begins a function.
                Token::Separator("name") => (assignments, words, conditional) = (Vec::new(), Vec::new(), false),
                token @ (Token::Separator(_) | Token::End) => {
                    let end = matches!(token, Token::End);
                    if !pending.is_empty() {
                        heredocs = self.bodies(std::mem::take(&mut pending));
                    }
                    let empty = words.is_empty() && assignments.is_empty() && heredocs.is_empty();
                    let command = (!empty).then(|| self.finished(assignments, words, conditional));
                    if let Token::Separator(operator) = token {
                        self.separator(operator);
                    }
                    match command {
                        Some(command) => return Some(Raw { command, heredocs }),
                        None if end => return None,
                        None => {
                            (assignments, words, conditional) = (Vec::new(), Vec::new(), false);
                            heredocs = Vec::new();
                        }
                    }
                }
            }
        }
    }

    fn finished(&mut self, assignments: Vec<Assignment>, words: Vec<Word>, conditional: bool) -> Command {
        let mut assignments = assignments;
        let mut words = words;
        let alone = words.is_empty();
        let declares = ["export", "declare", "local", "readonly", "typeset", "set_env"];
        let spans = assignments.iter().map(|one| &one.value).chain(&words).map(|word| word.place.span.clone());
        let (start, end) = spans.fold((usize::MAX, 0), |(start, end), span| (start.min(span.start), end.max(span.end)));
        let start = if start > end { self.script.source(self.at..self.at).start } else { start };
        if words.first().is_some_and(|word| declares.contains(&word.text())) {
            assignments.extend(words.iter().skip(1).filter_map(assignment));
            words.clear();
        }
        if alone || words.is_empty() {
            for one in &assignments {
                if one.value.known {
                    self.variables.set(&one.name, one.value.text());
                } else {
                    self.variables.forget(&one.name);
                }
                if self.depth > 0 || self.alternative {
                    self.uncertain.insert(one.name.clone());
                }
            }
        }
        if matches!(words.first().map(Word::text), Some("unset" | "read")) {
            words.iter().skip(1).for_each(|word| self.variables.forget(word.text()));
        }
        Command { place: self.lines.place(start..end.max(start)), assignments, words, conditional }
    }

    /// Whether a word is one of the shell's own, which no command follows as an argument.
    fn keyword(&mut self, word: &Word) -> bool {
        // Quoted, it is a command's name.
        if word.place.span.len() != word.text().len() {
            return false;
        }
        match word.text() {
            "if" | "while" | "until" | "{" => self.depth += 1,
            "for" | "select" | "case" => {
                self.depth += 1;
                self.head();
            }
            "fi" | "done" | "esac" | "}" => self.close(),
            "else" | "elif" => self.forget_uncertain(),
            "then" | "do" | "!" | "function" => {}
            _ => return false,
        }
        true
    }

    /// Passes over `x in a b c` behind `for`, and `$x in` behind `case`.
    fn head(&mut self) {
        while let Some(letter) = self.peek() {
            if matches!(letter, ';' | '\n') {
                return;
            }
            match self.token(false) {
                // What a loop sets is another thing each time.
                Token::Word(word) if word.text() != "in" => self.variables.forget(word.text()),
                Token::Word(_) => {
                    let behind = self.text.get(self.at..).unwrap_or_default().trim_start_matches([' ', '\t']);
                    if behind.starts_with('\n') {
                        return;
                    }
                }
                Token::End | Token::Separator(_) => return,
                _ => {}
            }
        }
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.forget_uncertain();
    }

    fn forget_uncertain(&mut self) {
        std::mem::take(&mut self.uncertain).iter().for_each(|name| self.variables.forget(name));
    }

    fn separator(&mut self, operator: &str) {
        if self.alternative && self.depth == 0 {
            self.forget_uncertain();
        }
        self.alternative = operator == "||";
        match operator {
            "(" => {
                self.parentheses += 1;
                self.depth += 1;
            }
            ")" if self.parentheses > 0 => {
                self.parentheses -= 1;
                self.close();
            }
            ";;" => self.forget_uncertain(),
            _ => {}
        }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    fn starts_with(&self, text: &str) -> bool {
        self.text.get(self.at..).is_some_and(|rest| rest.starts_with(text))
    }

    /// Passes over blanks, joined lines and comments.
    fn blanks(&mut self) {
        while let Some(letter) = self.peek() {
            if letter == '\\' && self.joined() {
                continue;
            }
            match letter {
                ' ' | '\t' | '\r' => self.at += 1,
                '#' => self.at += self.text.get(self.at..).and_then(|rest| rest.find('\n')).unwrap_or(self.text.len()),
                _ => return,
            }
        }
    }

    /// Passes over a backslash before a line's end.
    fn joined(&mut self) -> bool {
        for end in ["\\\n", "\\\r\n"] {
            if self.starts_with(end) {
                self.at += end.len();
                return true;
            }
        }
        false
    }

    fn token(&mut self, first: bool) -> Token {
        if let Some(word) = self.more.pop_front() {
            return Token::Word(word);
        }
        self.blanks();
        let Some(letter) = self.peek() else { return Token::End };
        for operator in ["&&", "||", ";;", "|&"] {
            if self.starts_with(operator) {
                self.at += 2;
                return Token::Separator(operator);
            }
        }
        if self.starts_with("&>") {
            self.at += 1;
        }
        match letter {
            ';' | '|' | ')' | '\n' => {
                self.at += 1;
                if letter == '\n' {
                    self.pass_bodies();
                }
                Token::Separator(match letter {
                    ';' => ";",
                    '|' => "|",
                    ')' => ")",
                    _ => "\n",
                })
            }
            '(' => {
                self.at += 1;
                if !first {
                    // `name()` of a function: its body follows.
                    self.blanks();
                    if self.peek() == Some(')') {
                        self.at += 1;
                    }
                    return Token::Separator("name");
                }
                Token::Separator("(")
            }
            '&' if !self.starts_with("&>") => {
                self.at += 1;
                Token::Separator("&")
            }
            '<' | '>' | '&' => self.redirect(),
            _ => self.word(),
        }
    }

    /// `<<EOF`, `> file`, `2>&1` behind its number.
    fn redirect(&mut self) -> Token {
        if self.starts_with("<<<") {
            self.at += 3;
        } else if self.starts_with("<<") {
            self.at += 2;
            let tabs = self.peek() == Some('-');
            self.at += usize::from(tabs);
            return match self.plain_word() {
                Some(word) => Token::Heredoc(Pending { delimiter: word.value.text, tabs }),
                None => Token::Redirect,
            };
        } else if self.starts_with("<(") || self.starts_with(">(") {
            self.at += 1;
            self.nested('(', ')');
            return Token::Redirect;
        } else {
            while self.peek().is_some_and(|letter| matches!(letter, '<' | '>' | '&' | '|')) {
                self.at += 1;
            }
        }
        self.plain_word();
        Token::Redirect
    }

    /// A word behind a redirection.
    fn plain_word(&mut self) -> Option<Word> {
        self.blanks();
        if self.peek().is_none_or(|letter| matches!(letter, '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')) {
            return None;
        }
        match self.word() {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The end of the line that is being read, quotes and here-documents left aside: where the bodies begin.
    fn line_end(&self) -> usize {
        if self.at > 0 && self.text.get(..self.at).is_some_and(|head| head.ends_with('\n')) {
            return self.at;
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.find('\n').map_or(self.text.len(), |length| self.at + length + 1)
    }

    /// Goes on behind the bodies of the line that has ended.
    fn pass_bodies(&mut self) {
        if let Some((start, end)) = self.bodies
            && self.at >= start
        {
            self.at = self.at.max(end);
            self.bodies = None;
        }
    }

    /// The bodies of here-documents of a command that has ended; the rest of its line is still to be read.
    fn bodies(&mut self, pending: Vec<Pending>) -> Vec<Range<usize>> {
        let first = self.bodies.map(|(start, _)| start);
        let mut at = self.bodies.map_or_else(|| self.line_end(), |(_, end)| end);
        let first = first.unwrap_or(at);
        let mut found = Vec::new();
        for one in pending {
            let body = at;
            let mut end = self.text.len();
            while at < self.text.len() {
                let rest = self.text.get(at..).unwrap_or_default();
                let length = rest.find('\n').map_or(rest.len(), |length| length + 1);
                let line = rest.get(..length).unwrap_or_default().trim_end_matches(['\n', '\r']);
                let line = if one.tabs { line.trim_start_matches('\t') } else { line };
                let here = at;
                at += length;
                if line == one.delimiter {
                    end = here;
                    break;
                }
            }
            found.push(body..end.max(body));
        }
        self.bodies = Some((first, at));
        self.pass_bodies();
        found
    }

    /// Passes over what stands in brackets, the opening one next.
    fn nested(&mut self, open: char, close: char) {
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

    fn word(&mut self) -> Token {
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
}

/// `NAME=value` or `NAME+=value`, whose whole value is then not known.
fn assignment(word: &Word) -> Option<Assignment> {
    let text = word.text();
    let equals = text.find('=')?;
    let left = text.get(..equals)?;
    let name = left.strip_suffix('+').unwrap_or(left);
    let starts = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    if !starts || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return None;
    }
    let value = word.value.part(equals + 1..text.len());
    let known = word.known && left.len() == name.len();
    Some(Assignment { name: name.to_owned(), value: Word { place: word.place.clone(), known, value } })
}

/// A word that is being read.
struct Builder {
    value: Sourced,
    known: bool,
    /// Something in it was quoted, so that it is a word even if it is empty.
    quoted: bool,
    /// Words that ended at a blank of a variable's value.
    before: Vec<(Sourced, bool)>,
}

impl Default for Builder {
    fn default() -> Self {
        Self { value: Sourced::default(), known: true, quoted: false, before: Vec::new() }
    }
}

impl Builder {
    /// A letter that stands at a byte of the script.
    fn push(&mut self, script: &Sourced, letter: char, at: usize) {
        let source = script.source(at..at + letter.len_utf8());
        let verbatim = source.len() == letter.len_utf8();
        self.value.push(letter.encode_utf8(&mut [0; 4]), source, verbatim);
    }

    /// A variable's value; without quotes it falls into words at blanks.
    fn put_in(&mut self, value: &str, source: Range<usize>, quoted: bool) {
        if quoted {
            self.quoted = true;
            self.value.push(value, source, false);
            return;
        }
        for (number, part) in value.split([' ', '\t', '\n']).enumerate() {
            if number > 0 && (self.quoted || !self.value.text.is_empty()) {
                self.before.push((std::mem::take(&mut self.value), self.known));
                (self.known, self.quoted) = (true, false);
            }
            self.value.push(part, source.clone(), false);
        }
    }

    fn done(self, place: &super::Place) -> Vec<Word> {
        let last = (self.quoted || !self.value.text.is_empty()).then_some((self.value, self.known));
        let all = self.before.into_iter().chain(last);
        all.map(|(value, known)| Word { place: place.clone(), known, value }).collect()
    }
}
