//! The state of a walk: modules, the place, what is caught there, and how much was done.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use super::names::Names;
use super::text::{Prepared, Signs};
use super::value::{Binding, Exception, Map, Scope, Table, Value};
use super::{Evidence, Modules, Wanted};
use crate::python::syntax::tree::Name;

/// Statements and expressions that are followed at most, for one environment.
pub const STEPS: u64 = 40_000_000;
/// The same for one call by a module.
pub const CALL: u64 = 20_000;
/// As deep as Python itself calls.
pub const DEPTH: usize = 120;

/// How far an import has come.
#[derive(Debug, Clone)]
pub enum State {
    Running,
    Done,
    Failed(Box<Exception>),
}

/// A module.
pub struct Module {
    pub name: Name,
    pub state: State,
    pub scope: Scope,
    /// It has names that nobody can tell.
    pub open: bool,
    pub signs: Signs,
    pub package: bool,
    pub path: Option<String>,
    /// The names of a module that is not run: of the standard library, or of a package that is not followed.
    pub library: Option<Rc<Names>>,
    /// It is of such a package: nobody knows what its names are bound to.
    pub by_names: bool,
    /// What stands for it in `sys.modules`: names and the modules below it that hold them.
    pub lazy: Option<Rc<RefCell<Table>>>,
    /// Names that are stated for type checkers.
    pub stated: Vec<Name>,
    /// Kept, since functions borrow from it.
    pub text: Option<Arc<Prepared>>,
}

/// What a module says of a name.
pub enum Attribute {
    Value(Value),
    Unknown,
    Missing,
}

/// The state of the walk.
pub struct Walker<'a> {
    pub outside: &'a dyn Modules,
    pub modules: Vec<Module>,
    pub by_name: Map<usize>,
    pub evidence: Vec<(Evidence, Option<String>)>,
    /// 0 where what happens is certain, 1 where a condition decides, 2 where it is unlikely.
    pub level: u8,
    /// What the `try` statements around this place catch.
    pub tries: Vec<Catch>,
    /// What branches have changed, to be taken back.
    pub log: Vec<Vec<(Scope, Name, Option<Binding>)>>,
    /// File and line.
    pub here: (String, u32),
    /// A value that takes long to make counts as many, so that no few statements make much.
    pub steps: Cell<u64>,
    /// Where the call ends that a module makes.
    pub limit: u64,
    pub depth: usize,
    /// The exceptions that are being handled, the innermost last.
    pub handled: Vec<Exception>,
    pub library: Map<Rc<Names>>,
    /// The arguments of the last call that made something of a class.
    pub made_with: Option<Vec<Value>>,
}

impl<'a> Walker<'a> {
    pub fn new(outside: &'a dyn Modules) -> Self {
        Self {
            outside,
            modules: Vec::new(),
            by_name: Map::default(),
            evidence: Vec::new(),
            level: 0,
            tries: Vec::new(),
            log: Vec::new(),
            here: (String::new(), 0),
            steps: Cell::new(0),
            limit: u64::MAX,
            depth: 0,
            handled: Vec::new(),
            library: Map::default(),
            made_with: None,
        }
    }

    /// The package at the top of a module's name.
    pub fn top(&self, module: usize) -> &str {
        self.modules[module].name.split('.').next().unwrap_or_default()
    }

    /// A module of which nobody can say what it holds.
    pub fn opaque(&mut self, name: &str) -> usize {
        let id = self.enter(name, None, true);
        self.modules[id].open = true;
        id
    }

    /// Counts a step. After too many, or too deep, nothing is known any more.
    pub fn is_spent(&mut self) -> bool {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        steps > STEPS || steps > self.limit || self.depth > DEPTH
    }

    /// Counts what it takes to copy so many bytes or values.
    pub fn charge(&self, size: usize) {
        self.steps.set(self.steps.get().saturating_add(size as u64 / 16));
    }

    /// A text that was put together; one that no person would write is not kept.
    pub fn text(&self, text: &str) -> Value {
        self.charge(text.len());
        if text.len() > super::value::MOST { Value::Unknown } else { Value::str(text) }
    }

    /// What is not there, at this place.
    pub fn lack(&self, wanted: Wanted, module: &str, name: &str, owner: Option<String>) -> Evidence {
        let (file, line) = self.here.clone();
        Evidence { file, line, wanted, module: module.to_owned(), name: name.to_owned(), owner }
    }

    pub fn enter(&mut self, name: &str, path: Option<String>, package: bool) -> usize {
        let id = self.modules.len();
        self.modules.push(Module {
            name: Name::from(name),
            state: State::Done,
            scope: Scope::default(),
            open: false,
            signs: Signs::default(),
            package,
            path,
            library: None,
            by_names: false,
            lazy: None,
            stated: Vec::new(),
            text: None,
        });
        self.by_name.insert(Name::from(name), id);
        id
    }
}

/// How a block was left.
#[derive(Debug)]
pub enum Flow {
    Next,
    Return(Value),
    Break,
    Continue,
}

/// What a `try` catches.
#[derive(Debug, Clone)]
pub enum Catch {
    All,
    Kinds(Vec<Rc<str>>),
}

impl Catch {
    /// Whether it names this kind, or all.
    pub fn names(&self, kind: &str) -> bool {
        match self {
            Self::All => true,
            Self::Kinds(kinds) => kinds.iter().any(|it| it.as_ref() == kind || it.as_ref() == "Exception"),
        }
    }

    pub fn catches(&self, exception: &Exception) -> bool {
        match self {
            Self::All => true,
            Self::Kinds(kinds) => exception.open || kinds.iter().any(|kind| exception.kinds.contains(kind)),
        }
    }
}

/// Where statements run.
pub struct Frame {
    pub module: usize,
    pub scope: Scope,
    /// The scopes of the functions around, the innermost last.
    pub scopes: Vec<Scope>,
    /// It is a module's own or a class's in it.
    pub is_module: bool,
    pub is_class: bool,
    /// Names that the function has declared global.
    pub globals: HashSet<Name>,
    /// What it has perhaps returned before this place.
    pub perhaps_returned: Vec<Value>,
}

impl Frame {
    pub fn of_module(module: usize, scope: Scope) -> Self {
        Self {
            module,
            scope,
            scopes: Vec::new(),
            is_module: true,
            is_class: false,
            globals: HashSet::new(),
            perhaps_returned: Vec::new(),
        }
    }

    pub fn of_function(module: usize, scope: Scope, scopes: Vec<Scope>) -> Self {
        Self { is_module: false, scopes, ..Self::of_module(module, scope) }
    }

    /// The body of a class in this place.
    pub fn inside(&self, scope: Scope) -> Self {
        Self { is_class: true, ..Self::of_function(self.module, scope, self.around()) }
    }

    /// The scopes that a function defined here sees, without the module's.
    pub fn around(&self) -> Vec<Scope> {
        let mut scopes = self.scopes.clone();
        if !self.is_module && !self.is_class {
            scopes.push(self.scope.clone());
        }
        scopes
    }

    pub fn set_quietly(&mut self, name: &str, value: Value) {
        self.scope.borrow_mut().insert(Name::from(name), Binding { value, maybe: false });
    }
}
