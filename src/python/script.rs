//! What a piece of Python asks of the versions of packages, told by reading a small part of the language.
//!
//! ```text
//! import torch; v = torch.__version__                      v is the version of torch
//! major_minor = '.'.join(v.split('.')[:2])                 and this is `2.6` of `2.6.0+cu124`
//! assert major_minor == '2.6', 'wrong PyTorch'             stops with torch 2.7.1
//! if not triton.__version__.startswith("2."): raise …      and so does this
//! import triton.ops                                        a module that newer releases lack
//! ```
//!
//! Nothing is run. Assignments, comparisons of version texts and of `Version(…)`, slices and the common methods of strings are
//! understood; what is not, is taken for unknown, and nothing is said of it. Nor of what stands in a `try`, a loop or behind a
//! condition, for nobody knows whether it comes to that.

mod expression;
mod token;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use self::expression::{Expression, parse};
use self::token::{Kind as TokenKind, Token, lines};
use self::value::{Held, Scope};

/// A text is read up to here.
const LONGEST: usize = 1 << 19;

/// A piece of Python.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Script {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
struct Statement {
    /// Its bytes, without the body of a block.
    span: Range<usize>,
    /// It comes to this whenever the text runs.
    certain: bool,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// `name = …`; none for what is not understood.
    Assign(String, Option<Expression>),
    Assert(Expression),
    /// `if …:` and what its body begins with.
    If(Expression, Body),
    /// A module under a name: `import a.b as c` is `c`, `a.b`.
    Import {
        name: String,
        path: String,
    },
    /// Names that now stand for something else: parameters, loop variables.
    Forget(Vec<String>),
}

/// What a block begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// `raise`, `sys.exit(…)`.
    Stops,
    /// `print(…)`, `warnings.warn(…)`, `logger.error(…)`.
    Says,
    Other,
}

/// What a version that is not expected leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trip {
    /// An assertion fails.
    Assertion,
    /// A check raises or exits.
    Stop,
    /// A check complains.
    Complaint,
    /// A module is not there.
    Import,
}

/// Something that goes another way with these versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tripped {
    /// The statement.
    pub span: Range<usize>,
    /// What happens.
    pub trip: Trip,
    /// The modules whose versions decide, e.g. `torch`; of an import, the module that is missing.
    pub modules: Vec<String>,
}

impl Script {
    /// Reads a text. Nothing is refused.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let end = (0..=LONGEST.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        let mut reader = Reader::default();
        for line in lines(text.get(..end).unwrap_or_default()) {
            reader.line(line.indent, &line.tokens);
        }
        Self { statements: reader.statements }
    }

    /// Whether it asks anything at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// What trips with these versions: `version` gives `__version__` of a module, `is_missing` whether a module is not there.
    #[must_use]
    pub fn tripped(&self, version: &dyn Fn(&str) -> Option<String>, is_missing: &dyn Fn(&str) -> bool) -> Vec<Tripped> {
        let mut scope = Scope { version, modules: BTreeMap::new(), variables: BTreeMap::new() };
        let mut found = Vec::new();
        for statement in &self.statements {
            let mut tell = |trip: Trip, modules: Vec<String>| {
                if statement.certain {
                    found.push(Tripped { span: statement.span.clone(), trip, modules });
                }
            };
            match &statement.kind {
                Kind::Assign(name, value) => {
                    scope.modules.remove(name);
                    match value.as_ref().and_then(|value| scope.evaluate(value)) {
                        Some(held) => scope.variables.insert(name.clone(), held),
                        None => scope.variables.remove(name),
                    };
                }
                Kind::Forget(names) => names.iter().for_each(|name| {
                    scope.variables.remove(name);
                    scope.modules.remove(name);
                }),
                Kind::Import { name, path } => {
                    let mut above = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
                    let missing = above.find_map(|end| path.get(..end).filter(|part| is_missing(part)));
                    if let Some(missing) = missing {
                        tell(Trip::Import, vec![missing.to_owned()]);
                    }
                    scope.variables.remove(name);
                    scope.modules.insert(name.clone(), path.clone());
                }
                Kind::Assert(test) => {
                    if let Some((false, modules)) = truth(&scope, test) {
                        tell(Trip::Assertion, modules);
                    }
                }
                Kind::If(test, body) => match (truth(&scope, test), body) {
                    (Some((true, modules)), Body::Stops) => tell(Trip::Stop, modules),
                    // `if torch.__version__ >= "2": print(…)` tells of something new, and complains of nothing.
                    (Some((true, modules)), Body::Says) if test.denies() => tell(Trip::Complaint, modules),
                    _ => {}
                },
            }
        }
        found
    }
}

/// Whether a test holds, where versions decide it.
fn truth(scope: &Scope<'_>, test: &Expression) -> Option<(bool, Vec<String>)> {
    let Held { value, from } = scope.evaluate(test)?;
    let holds = value.truth()?;
    (!from.is_empty()).then(|| (holds, from.into_iter().collect()))
}

#[derive(Default)]
struct Reader {
    statements: Vec<Statement>,
    /// The blocks around, with their indentation, and whether it is certain to come to their bodies.
    blocks: Vec<(usize, bool)>,
    /// The last `if`, for which the first statement of its body is still to come.
    open: Option<usize>,
}

impl Reader {
    fn line(&mut self, indent: usize, tokens: &[Token]) {
        while self.blocks.last().is_some_and(|(outer, _)| *outer >= indent) {
            self.blocks.pop();
        }
        self.statement(indent, tokens);
    }

    /// One statement, or the head of a block with a body on the same line.
    fn statement(&mut self, indent: usize, tokens: &[Token]) {
        let Some(first) = tokens.first() else { return };
        let body = body(tokens);
        if let Some(open) = self.open.take()
            && let Some(Statement { kind: Kind::If(_, own), .. }) = self.statements.get_mut(open)
        {
            *own = body;
        }
        let word = first.word().unwrap_or_default();
        let is_block = matches!(
            word,
            "if" | "elif"
                | "else"
                | "for"
                | "while"
                | "def"
                | "class"
                | "with"
                | "try"
                | "except"
                | "finally"
                | "async"
        );
        let head = if is_block { colon(tokens) } else { None };
        let Some(head) = head else {
            self.simple(word, tokens);
            return;
        };
        let inner = tokens.get(1..head).unwrap_or_default();
        let mut certain = matches!(word, "def" | "class" | "with");
        match word {
            "if" | "elif" => {
                let is_main = inner.iter().any(|token| token.word() == Some("__name__"));
                certain = is_main;
                if let Some(test) = parse(inner).filter(|_| word == "if") {
                    self.push(span(tokens.get(..head).unwrap_or_default()), Kind::If(test, Body::Other));
                    self.open = self.statements.len().checked_sub(1);
                }
            }
            "def" | "for" | "with" | "async" => {
                let names = inner.iter().filter_map(Token::word).map(str::to_owned).collect();
                self.push(span(inner), Kind::Forget(names));
            }
            _ => {}
        }
        self.blocks.push((indent, certain));
        let rest = tokens.get(head + 1..).unwrap_or_default();
        if !rest.is_empty() {
            self.statement(indent + 1, rest);
            self.blocks.pop();
        }
    }

    fn simple(&mut self, word: &str, tokens: &[Token]) {
        let all = span(tokens);
        let rest = tokens.get(1..).unwrap_or_default();
        match word {
            "assert" => {
                // Behind the comma stands what it says.
                let end = split(rest, ",").unwrap_or(rest.len());
                if let Some(test) = parse(rest.get(..end).unwrap_or_default()) {
                    self.push(all, Kind::Assert(test));
                }
            }
            "import" => {
                for part in rest.split(|token| token.is(",")) {
                    let (path, name) = named(part);
                    let name = name.unwrap_or_else(|| path.split('.').next().unwrap_or_default().to_owned());
                    // `import a.b` makes `a` known.
                    let whole = part.iter().any(|token| token.word() == Some("as"));
                    if !whole && path.contains('.') {
                        self.push(all.clone(), Kind::Import { name: path.clone(), path: path.clone() });
                        self.push(all.clone(), Kind::Import { path: name.clone(), name });
                    } else {
                        self.push(all.clone(), Kind::Import { name, path });
                    }
                }
            }
            "from" => {
                let Some(at) = rest.iter().position(|token| token.word() == Some("import")) else { return };
                let (module, _) = named(rest.get(..at).unwrap_or_default());
                let names = rest.get(at + 1..).unwrap_or_default();
                let names: Vec<Token> =
                    names.iter().filter(|token| !token.is("(") && !token.is(")")).cloned().collect();
                for part in names.split(|token| token.is(",")) {
                    let (own, alias) = named(part);
                    if !own.is_empty() {
                        let name = alias.unwrap_or_else(|| own.clone());
                        self.push(all.clone(), Kind::Import { name, path: format!("{module}.{own}") });
                    }
                }
            }
            _ => {
                let Some(at) = split(tokens, "=") else { return };
                let (left, right) = (tokens.get(..at).unwrap_or_default(), tokens.get(at + 1..).unwrap_or_default());
                let names: Vec<String> = left.iter().filter_map(Token::word).map(str::to_owned).collect();
                match left {
                    [one] if one.word().is_some() => {
                        let certain = self.is_certain();
                        // Nobody knows whether it comes to this value.
                        let value = parse(right).filter(|_| certain);
                        self.push(all, Kind::Assign(names.concat(), value));
                    }
                    _ => self.push(all, Kind::Forget(names)),
                }
            }
        }
    }

    fn is_certain(&self) -> bool {
        self.blocks.iter().all(|(_, certain)| *certain)
    }

    fn push(&mut self, span: Range<usize>, kind: Kind) {
        let certain = self.is_certain();
        self.statements.push(Statement { span, certain, kind });
    }
}

/// `a.b as c`: the path, and the name that it gets.
fn named(tokens: &[Token]) -> (String, Option<String>) {
    let at = tokens.iter().position(|token| token.word() == Some("as"));
    let path = tokens.get(..at.unwrap_or(tokens.len())).unwrap_or_default();
    let text = path.iter().map(Token::text).collect::<String>();
    (text, at.and_then(|at| tokens.get(at + 1)).and_then(Token::word).map(str::to_owned))
}

/// What a statement begins with.
fn body(tokens: &[Token]) -> Body {
    let words: Vec<&str> = tokens.iter().take_while(|token| !token.is("(")).filter_map(Token::word).collect();
    match words.as_slice() {
        ["raise", ..] | ["sys" | "os", "exit" | "_exit"] | ["exit" | "quit"] => Body::Stops,
        ["print"] | ["warn"] | [.., "warn" | "warning" | "error" | "critical" | "exception"] => Body::Says,
        _ => Body::Other,
    }
}

/// The colon that ends the head of a block.
fn colon(tokens: &[Token]) -> Option<usize> {
    split(tokens, ":")
}

/// Where an operator stands outside of all brackets.
fn split(tokens: &[Token], operator: &str) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().position(|token| {
        match token.text() {
            "(" | "[" | "{" if token.kind == TokenKind::Operator => depth += 1,
            ")" | "]" | "}" if token.kind == TokenKind::Operator => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.is(operator)
    })
}

fn span(tokens: &[Token]) -> Range<usize> {
    let start = tokens.first().map_or(0, |token| token.span.start);
    start..tokens.last().map_or(start, |token| token.span.end)
}

/// Names of modules, sorted.
type Modules = BTreeSet<String>;

#[cfg(test)]
mod tests;
