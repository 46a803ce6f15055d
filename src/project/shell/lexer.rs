//! Words, operators and here-documents of a script, command by command.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

use super::builder::assignment;
use super::{Assignment, Command, Variables, Word};
use crate::project::place::Lines;
use crate::project::sourced::Sourced;

/// A command, and the here-documents that it reads as bytes of the script.
pub struct Raw {
    pub command: Command,
    pub heredocs: Vec<Range<usize>>,
}

/// A here-document whose body begins behind the end of this line.
pub(super) struct Pending {
    delimiter: String,
    /// `<<-`: tabs before the delimiter do not count.
    tabs: bool,
}

pub struct Lexer<'a> {
    pub script: &'a Sourced,
    pub text: &'a str,
    pub lines: &'a Lines<'a>,
    pub variables: &'a mut Variables,
    pub at: usize,
    /// How many `if`, loops, groups and subshells are open.
    depth: usize,
    /// Those of them that `(` opened.
    parentheses: usize,
    /// Variables that an open one sets: afterwards nobody knows.
    uncertain: BTreeSet<String>,
    /// The operator before was `||`.
    alternative: bool,
    /// Words that a variable stood for, still to be handed out.
    pub more: VecDeque<Word>,
    /// Where the bodies of the line's here-documents begin, and where they end.
    bodies: Option<(usize, usize)>,
    /// Only blanks end a word: the language of ENV and FROM.
    pub plain: bool,
}

/// How a word ends, or what stands instead of one.
pub enum Token {
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

    pub fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    pub fn bump(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    pub fn starts_with(&self, text: &str) -> bool {
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
    pub fn joined(&mut self) -> bool {
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
    pub fn redirect(&mut self) -> Token {
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
}
