//! Text without the bodies of its functions.
//!
//! Four fifths of a module are the bodies of functions that no import runs. They are found by their indentation, as
//! Python's own tokenizer does it: strings, brackets, comments and joined lines are told apart and nothing else. Each
//! body is replaced by one name, `__body_7__`, with its line breaks kept, so that the lines keep their numbers.
//! What nests too deep for a parser that calls itself is refused.

/// A text to parse, and the bodies that are not in it.
#[derive(Debug)]
pub struct Skimmed {
    /// To parse.
    pub text: String,
    /// Range of each body in the original, whole lines, and the line it begins on, from 1.
    pub bodies: Vec<(std::ops::Range<usize>, u32)>,
}

/// The name that stands for a body.
pub const BODY: &str = "__body_";

/// No program nests brackets or blocks deeper.
const DEEPEST: usize = 150;
/// So many words and signs without a comma are no expression that a person wrote.
const LONGEST: u32 = 4000;

/// Takes the bodies out; none where it nests too deep.
#[must_use]
pub fn skim(text: &str) -> Option<Skimmed> {
    let mut it = Skim { bytes: text.as_bytes(), at: 0, counts: Vec::with_capacity(16) };
    let mut out = String::with_capacity(text.len() / 3);
    let mut bodies = Vec::new();
    let (mut copied, mut line, mut counted) = (0, 1, 0);
    // The body that is passed over: the indentation of its `def`, where it begins.
    let mut inside: Option<(usize, usize)> = None;
    let mut blocks: Vec<usize> = Vec::new();
    loop {
        let start = it.at;
        let Some(indent) = it.next_line() else { break };
        if let Some((of_def, begin)) = inside {
            if indent > of_def {
                it.logical_line()?;
                continue;
            }
            close(&mut out, &mut bodies, text, begin..start, (&mut line, &mut counted));
            copied = start;
            inside = None;
        }
        while blocks.last().is_some_and(|last| *last >= indent) {
            blocks.pop();
        }
        blocks.push(indent);
        if blocks.len() > DEEPEST {
            return None;
        }
        let rest = &it.bytes[it.at..];
        let is_def = rest.starts_with(b"def ")
            || rest.strip_prefix(b"async").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"def "));
        let colon = it.logical_line()?;
        if let Some(colon) = colon.filter(|_| is_def) {
            let tail = text[colon + 1..it.at].trim_start();
            if tail.is_empty() || tail.starts_with('#') {
                out.push_str(&text[copied..=colon]);
                inside = Some((indent, it.at));
                // The comment behind the colon goes, too.
                copied = it.at;
            }
        }
    }
    match inside {
        Some((_, begin)) => close(&mut out, &mut bodies, text, begin..text.len(), (&mut line, &mut counted)),
        None => out.push_str(&text[copied..]),
    }
    Some(Skimmed { text: out, bodies })
}

/// Writes the name of a body, and the line breaks that were in it.
fn close(
    out: &mut String,
    bodies: &mut Vec<(std::ops::Range<usize>, u32)>,
    text: &str,
    range: std::ops::Range<usize>,
    (line, counted): (&mut u32, &mut usize),
) {
    let breaks = |range: std::ops::Range<usize>| memchr::memchr_iter(b'\n', &text.as_bytes()[range]).count();
    *line += u32::try_from(breaks(*counted..range.start)).unwrap_or_default();
    *counted = range.start;
    out.push_str(&format!(" {BODY}{}__\n", bodies.len()));
    out.extend(std::iter::repeat_n('\n', breaks(range.clone())));
    bodies.push((range, *line));
}

struct Skim<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Words and signs since the last comma, for each open bracket.
    counts: Vec<u32>,
}

impl Skim<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Goes to the next line that holds code, behind its indentation, which it gives.
    fn next_line(&mut self) -> Option<usize> {
        loop {
            let mut indent = 0;
            while self.at < self.bytes.len() {
                match self.bytes[self.at] {
                    b' ' => indent += 1,
                    b'\t' => indent = (indent / 8 + 1) * 8,
                    b'\x0c' => indent = 0,
                    _ => break,
                }
                self.at += 1;
            }
            match self.bytes.get(self.at)? {
                b'#' | b'\n' | b'\r' => self.skip_line(),
                _ => return Some(indent),
            }
        }
    }

    fn skip_line(&mut self) {
        self.at = memchr::memchr(b'\n', &self.bytes[self.at..]).map_or(self.bytes.len(), |more| self.at + more + 1);
    }

    /// Passes a logical line. Gives the place of its first colon outside of brackets.
    fn logical_line(&mut self) -> Option<Option<usize>> {
        self.counts.clear();
        let (mut colon, mut count, mut in_word) = (None, 0_u32, false);
        while self.at < self.bytes.len() {
            let byte = self.bytes[self.at];
            if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 {
                if !in_word {
                    in_word = true;
                    count += 1;
                }
                self.at += 1;
                continue;
            }
            let after_word = std::mem::take(&mut in_word);
            match byte {
                b'\n' if self.counts.is_empty() => {
                    self.at += 1;
                    return Some(colon);
                }
                b'#' => {
                    self.skip_line();
                    if self.counts.is_empty() {
                        return Some(colon);
                    }
                    continue;
                }
                b'\'' | b'"' => {
                    let is_format = after_word && self.is_format();
                    self.string(is_format, 0)?;
                    count = count.saturating_sub(u32::from(after_word));
                    continue;
                }
                b'\\' => self.at += 1,
                b'(' | b'[' | b'{' => {
                    self.counts.push(count + 1);
                    count = 0;
                    if self.counts.len() > DEEPEST {
                        return None;
                    }
                }
                b')' | b']' | b'}' => count = self.counts.pop().unwrap_or_default(),
                b',' | b';' => count = 0,
                b':' if colon.is_none() && self.counts.is_empty() => colon = Some(self.at),
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => count += 1,
            }
            if count > LONGEST {
                return None;
            }
            self.at += 1;
        }
        // A backslash at the very end stands for nothing.
        self.at = self.at.min(self.bytes.len());
        Some(colon)
    }

    /// Whether the letters before a quote make it a string with braces that mean something.
    fn is_format(&self) -> bool {
        let before = &self.bytes[self.at.saturating_sub(3)..self.at];
        let letters = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
        let letters: Vec<u8> = letters.map(u8::to_ascii_lowercase).collect();
        letters.len() <= 2 && letters.iter().any(|byte| matches!(byte, b'f' | b't'))
    }

    /// Passes a string, from its first quote.
    fn string(&mut self, is_format: bool, depth: usize) -> Option<()> {
        if depth > 20 {
            return None;
        }
        let quote = self.bytes[self.at];
        let is_triple = self.peek(1) == quote && self.peek(2) == quote;
        self.at += if is_triple { 3 } else { 1 };
        while self.at < self.bytes.len() {
            let rest = &self.bytes[self.at..];
            let next = match is_format {
                true => memchr::memchr3(quote, b'\\', b'{', rest),
                false => memchr::memchr2(quote, b'\\', rest),
            };
            let more = next.unwrap_or(rest.len());
            if !is_triple && let Some(end) = memchr::memchr(b'\n', &rest[..more]) {
                // Not ended: an error of syntax, which the parser will tell of.
                self.at += end;
                return Some(());
            }
            self.at += more;
            match self.peek(0) {
                b'\\' => self.at += 2,
                b'{' if self.peek(1) == b'{' => self.at += 2,
                b'{' => {
                    self.at += 1;
                    self.field(quote, is_triple, depth)?;
                }
                byte if byte == quote && !is_triple => {
                    self.at += 1;
                    return Some(());
                }
                byte if byte == quote && self.peek(1) == quote && self.peek(2) == quote => {
                    self.at += 3;
                    return Some(());
                }
                _ => self.at += 1,
            }
        }
        Some(())
    }

    /// Passes what stands in the braces of a string, from behind the first of them to behind the last.
    fn field(&mut self, quote: u8, is_triple: bool, depth: usize) -> Option<()> {
        let (mut open, mut spec) = (0_usize, false);
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b'}' if open == 0 => {
                    self.at += 1;
                    return Some(());
                }
                // A brace that nobody closed.
                byte if spec && byte == quote && !is_triple => return Some(()),
                b'{' if spec => {
                    self.at += 1;
                    if depth > 20 {
                        return None;
                    }
                    self.field(quote, is_triple, depth + 1)?;
                    continue;
                }
                _ if spec => {}
                b'\'' | b'"' => {
                    let is_format = self.is_format();
                    self.string(is_format, depth + 1)?;
                    continue;
                }
                b'(' | b'[' | b'{' => open += 1,
                b')' | b']' | b'}' => open = open.saturating_sub(1),
                b'!' if self.peek(1) == b'=' => self.at += 1,
                b':' if open == 0 => spec = true,
                b'\n' if !is_triple => return Some(()),
                _ => {}
            }
            self.at += 1;
        }
        Some(())
    }
}
