//! Python's text to what an import needs to know of it.
//!
//! The parser is ruff's, whose crates say that they are internal: nothing outside of this folder names them, and
//! `Cargo.toml` pins them exactly. What goes in is the text of a module, what comes out are its statements ([`tree`]);
//! nothing is run, and nothing says which of them are.

mod convert;
mod skim;
pub mod tree;

use std::sync::Arc;

use convert::Bodies;
use tree::{Block, Body, Function, Stmt, StmtKind};

/// A module that was read.
#[derive(Debug)]
pub struct Module {
    /// Its statements, in order.
    pub body: Vec<Stmt>,
    /// Its whole text.
    pub text: Arc<str>,
}

impl Module {
    /// Reads a module; none where it is no Python, or nests deeper than a parser may follow.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let body = statements(text)?;
        Some(Self { body, text: text.into() })
    }
}

impl Function {
    /// What it does; none where that cannot be read.
    #[must_use]
    pub fn block(&self) -> Option<&Block> {
        match &self.body {
            Body::Block(block) => Some(block),
            Body::Text { text, line, read } => read.get_or_init(|| body_of(text, *line, self.is_async)).as_ref(),
        }
    }
}

/// The statements of a text, without the bodies of its functions.
fn statements(text: &str) -> Option<Vec<Stmt>> {
    let skimmed = skim::skim(text)?;
    let bodies = Bodies { original: text, first_line: 1, ranges: &skimmed.bodies };
    Some(convert::read(&skimmed.text, 1, &bodies, true)?.0)
}

/// The statements of a function's body, whose first line has this number, without the bodies of those in it.
fn body_of(text: &str, line: u32, is_async: bool) -> Option<Block> {
    let skimmed = skim::skim(text)?;
    let bodies = Bodies { original: text, first_line: line, ranges: &skimmed.bodies };
    let around = format!("{}def f():\n{}", if is_async { "async " } else { "" }, skimmed.text);
    let (mut body, _) = convert::read(&around, line.saturating_sub(1), &bodies, false)?;
    match body.pop()?.kind {
        StmtKind::Def(function, _) => match Arc::into_inner(function)?.body {
            Body::Block(block) => Some(block),
            Body::Text { .. } => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Module;
    use super::tree::StmtKind;

    #[test]
    fn bodies_wait_until_somebody_asks_and_lines_keep_their_numbers() {
        let text = "\u{feff}def one(a, b=\"):\"): # why\n    '''a\ndef no(): pass\n'''\n\n    return f\"{x['\\'']!r:>{w}}\"\n\nclass A:\n    \
                    async def two(self):\n        # nothing\n        x = {\n1: 2}\n    y = 3\n@three\ndef three(): pass\nz = 1\n";
        let module = Module::parse(text).unwrap();
        let lines: Vec<u32> = module.body.iter().map(|it| it.line).collect();
        assert_eq!(lines, [1, 8, 14, 16]);
        let StmtKind::Def(one, _) = &module.body[0].kind else { panic!("a function comes first") };
        let block = one.block().unwrap();
        assert_eq!(block.body.iter().map(|it| it.line).collect::<Vec<_>>(), [2, 6]);
        let StmtKind::Class(class) = &module.body[1].kind else { panic!("then a class") };
        let StmtKind::Def(two, _) = &class.body[0].kind else { panic!("with a function") };
        assert!(two.is_async && two.block().unwrap().body.len() == 1);
        assert_eq!(class.body[1].line, 13);
    }

    #[test]
    fn what_is_no_python_is_refused() {
        assert!(Module::parse("print 'a'\n").is_none());
        assert!(Module::parse("def f(:\n    pass\n").is_none());
        // Cut off behind a backslash, where nothing follows any more.
        for text in ["def f():\\", "x = 1 \\", "def f(): '\\", "async def f():  \\"] {
            assert!(Module::parse(text).is_none_or(|module| module.body.len() <= 1), "{text}");
        }
    }
}
