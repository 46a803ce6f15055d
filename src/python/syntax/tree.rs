//! What a module's text says, as far as an import needs it: statements in their order, and expressions.
//!
//! Bodies of functions are texts until somebody calls the function: most never are.

use std::sync::{Arc, OnceLock};

/// A name of Python.
pub type Name = Arc<str>;

/// A statement and the line it begins on, from 1.
#[derive(Debug)]
pub struct Stmt {
    /// From 1.
    pub line: u32,
    /// Which one.
    pub kind: StmtKind,
}

/// A name and the one that it gets: `import a as b`.
#[derive(Debug)]
pub struct Alias {
    /// `a.b` of `import a.b as c`.
    pub name: Name,
    /// `c`.
    pub as_name: Option<Name>,
}

/// The statements.
#[derive(Debug)]
pub enum StmtKind {
    /// `import a.b, c as d`.
    Import(Vec<Alias>),
    /// `from ..a import b`; the name `*` stands for all.
    From {
        /// How many dots.
        level: u32,
        /// `a`; none of `from . import b`.
        module: Option<Name>,
        /// What is taken.
        names: Vec<Alias>,
    },
    /// `a = b = value`, also `a: int = value`.
    Assign(Vec<Expr>, Expr),
    /// `a += value`.
    Augmented(Expr, Expr),
    /// `del a`.
    Delete(Vec<Expr>),
    /// An expression by itself.
    Expr(Expr),
    /// Its branches in order, with their tests, and what else.
    If(Vec<(Expr, Vec<Stmt>)>, Vec<Stmt>),
    /// `for target in items: body else: otherwise`.
    For(Expr, Expr, Vec<Stmt>, Vec<Stmt>),
    /// `while test: body else: otherwise`.
    While(Expr, Vec<Stmt>, Vec<Stmt>),
    /// `with a as b: body`.
    With(Vec<(Expr, Option<Expr>)>, Vec<Stmt>),
    /// `try`.
    Try(Box<Try>),
    /// `def`.
    Def(Arc<Function>, Vec<Expr>),
    /// `class`.
    Class(Box<Class>),
    /// `return`.
    Return(Option<Expr>),
    /// `raise a from b`.
    Raise(Option<Expr>),
    /// `assert test`.
    Assert(Expr),
    /// `global a`.
    Global(Vec<Name>),
    /// `match`: its subject and the bodies of its cases.
    Match(Expr, Vec<Vec<Stmt>>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// What does nothing here.
    Nothing,
    /// What the annotation of a name without a value takes from elsewhere: `x: pb.Result`.
    Annotation(Vec<Expr>),
}

/// A `try` statement.
#[derive(Debug)]
pub struct Try {
    /// What is tried.
    pub body: Vec<Stmt>,
    /// What is done of an exception.
    pub handlers: Vec<Handler>,
    /// After it, where none came.
    pub otherwise: Vec<Stmt>,
    /// In any case.
    pub finally: Vec<Stmt>,
}

/// `except ImportError as name:`.
#[derive(Debug)]
pub struct Handler {
    /// What it takes; none takes all.
    pub types: Option<Expr>,
    /// What it calls it.
    pub name: Option<Name>,
    /// What it does.
    pub body: Vec<Stmt>,
}

/// A class statement.
#[derive(Debug)]
pub struct Class {
    /// Its name.
    pub name: Name,
    /// Bases and keywords, in order.
    pub bases: Vec<Expr>,
    /// Applied to it.
    pub decorators: Vec<Expr>,
    /// Run when the statement is.
    pub body: Vec<Stmt>,
}

/// A parameter of a function.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its default, evaluated where the function is defined.
    pub default: Option<Expr>,
    /// Which arguments it takes.
    pub kind: ParamKind,
}

/// Which arguments a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// By place, and perhaps by name.
    Place,
    /// By name alone.
    Keyword,
    /// `*args`.
    Rest,
    /// `**kwargs`.
    Named,
}

/// A function or lambda.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: Name,
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// What its annotations take from elsewhere, e.g. `pb.Result`; none where they are not evaluated when it is defined.
    pub annotations: Vec<Expr>,
    /// `async def`.
    pub is_async: bool,
    /// What it does.
    pub body: Body,
}

/// What a function does.
#[derive(Debug)]
pub enum Body {
    /// As text, until it is called.
    Text {
        /// Its lines, as they stand in the module.
        text: Box<str>,
        /// The line of the first of them.
        line: u32,
        /// What it says, once it was read; none where it cannot be.
        read: OnceLock<Option<Block>>,
    },
    /// Of one line, or a lambda.
    Block(Block),
}

/// The statements of a function.
#[derive(Debug)]
pub struct Block {
    /// In order.
    pub body: Vec<Stmt>,
    /// It yields: a call runs nothing.
    pub is_generator: bool,
}

/// The operators that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `+`
    Add,
    /// `|`
    Or,
    /// `%`
    Percent,
    /// Another one.
    Other,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `is`
    Is,
    /// `is not`
    IsNot,
    /// `in`
    In,
    /// `not in`
    NotIn,
}

/// A call.
#[derive(Debug)]
pub struct Call {
    /// What is called.
    pub function: Expr,
    /// Arguments by place.
    pub args: Vec<Expr>,
    /// Arguments by name; no name of `**more`.
    pub keywords: Vec<(Option<Name>, Expr)>,
    /// Its line.
    pub line: u32,
}

/// An expression.
#[derive(Debug)]
pub enum Expr {
    /// `None`
    None,
    /// `True`, `False`
    Bool(bool),
    /// An integer that fits.
    Int(i64),
    /// A text, parts of it joined.
    Str(Arc<str>),
    /// A name.
    Name(Name),
    /// `value.name`, and its line.
    Attribute(Box<Expr>, Name, u32),
    /// A call.
    Call(Box<Call>),
    /// `(a, b)`
    Tuple(Vec<Expr>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{a, b}`
    Set(Vec<Expr>),
    /// `{a: b, **c}`
    Dict(Vec<(Option<Expr>, Expr)>),
    /// `a[b]`
    Subscript(Box<Expr>, Box<Expr>),
    /// `a[b:c]`'s `b:c`: lower and upper end.
    Slice(Option<Box<Expr>>, Option<Box<Expr>>),
    /// `a < b`; of a chain the first comparison, and then the others.
    Compare(Box<Expr>, Vec<(Compare, Expr)>),
    /// `a and b`
    And(Vec<Expr>),
    /// `a or b`
    Or(Vec<Expr>),
    /// `not a`
    Not(Box<Expr>),
    /// `a + b`
    Binary(Box<Expr>, Op, Box<Expr>),
    /// `a if test else b`: test, a, b.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `(a := b)`
    Named(Box<Expr>, Box<Expr>),
    /// An f-string: texts and what stands between them.
    Format(Vec<Expr>),
    /// `lambda`
    Lambda(Arc<Function>),
    /// A comprehension: what each element is (key and value of a dict), and where from.
    Comprehension(Box<Comprehension>),
    /// `*a`
    Starred(Box<Expr>),
    /// Anything else, with its parts, which are evaluated all the same.
    Other(Vec<Expr>),
}

/// `[element for target in items if test]`.
#[derive(Debug)]
pub struct Comprehension {
    /// One, or key and value.
    pub element: Vec<Expr>,
    /// Target, items and tests of each `for`.
    pub loops: Vec<(Expr, Expr, Vec<Expr>)>,
    /// What it makes.
    pub makes: Makes,
}

/// What a comprehension makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Makes {
    /// A list, set or generator.
    Items,
    /// A dict.
    Dict,
}
