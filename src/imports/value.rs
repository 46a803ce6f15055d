//! What a name may stand for while a module is followed. What cannot be told is [`Value::Unknown`].

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use crate::pep::Version;

use super::Evidence;
use crate::python::syntax::tree::{Function, Name};

/// A value, as far as it is known.
#[derive(Debug, Clone)]
pub enum Value {
    /// Anything.
    Unknown,
    /// Something that is true and is not None.
    Something,
    None,
    Bool(bool),
    Int(i64),
    Str(Arc<str>),
    /// A version that compares as PEP 440 says.
    Version(Rc<Version>),
    /// A list, tuple or set.
    Items(Rc<RefCell<Items>>),
    /// A dict whose keys are texts.
    Table(Rc<RefCell<Table>>),
    /// The namespace of a module, as `globals()` gives it.
    Globals(usize),
    Module(usize),
    Function(Rc<Closure>),
    Class(Rc<Class>),
    /// Something of the standard library by its full name, e.g. `importlib.util.find_spec`.
    Known(Rc<str>),
    /// A method of a value.
    Method(Rc<(Value, Name)>),
}

/// No list or dict is kept that is longer, nor a text, in bytes.
pub const MOST: usize = 64 << 10;
/// So many values are compared at most to tell whether two are the same: a list may hold itself.
pub const TOGETHER: u32 = 2000;

/// What is in a list.
#[derive(Debug, Default)]
pub struct Items {
    pub values: Vec<Value>,
    /// There may be more.
    pub open: bool,
    /// Some of them are perhaps not there: they came where it is not known whether it runs.
    pub perhaps: bool,
    /// In no order: a set, or the keys of a dict.
    pub is_set: bool,
}

impl Items {
    /// Appends what another holds.
    pub fn extend(&mut self, more: Vec<Value>) {
        match self.values.len() + more.len() > MOST {
            true => self.open = true,
            false => self.values.extend(more),
        }
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        bury(std::mem::take(&mut self.values));
    }
}

/// What is in a dict.
#[derive(Debug, Default)]
pub struct Table {
    pub entries: Map<Value>,
    /// In the order in which they came.
    pub order: Vec<Name>,
    /// There may be more.
    pub open: bool,
}

impl Table {
    pub fn put(&mut self, key: Name, value: Value) {
        if self.order.len() >= MOST {
            self.open = true;
        } else if self.entries.insert(key.clone(), value).is_none() {
            self.order.push(key);
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        bury(std::mem::take(&mut self.entries).into_values());
    }
}

thread_local! {
    /// What is to be dropped, while something is.
    static GRAVES: RefCell<Option<Vec<Value>>> = const { RefCell::new(None) };
}

/// Drops values one after the other: what holds what holds the next, a million deep, would leave no stack.
fn bury(values: impl IntoIterator<Item = Value>) {
    let held = values.into_iter().filter(|it| matches!(it, Value::Items(_) | Value::Table(_) | Value::Function(_)));
    let held: Vec<Value> = held.collect();
    if held.is_empty() {
        return;
    }
    let is_first = GRAVES.with_borrow_mut(|graves| {
        let is_first = graves.is_none();
        graves.get_or_insert_default().extend(held);
        is_first
    });
    if !is_first {
        return;
    }
    while let Some(next) = GRAVES.with_borrow_mut(|graves| graves.as_mut().and_then(Vec::pop)) {
        drop(next);
    }
    GRAVES.set(None);
}

/// A function where it was defined.
#[derive(Debug)]
pub struct Closure {
    pub function: Arc<Function>,
    pub module: usize,
    /// The scopes around it, the innermost last, without the module's.
    pub scopes: Vec<Scope>,
    /// Values of the defaults of its parameters, in their order.
    pub defaults: Vec<Option<Value>>,
}

impl Drop for Closure {
    fn drop(&mut self) {
        bury(self.defaults.drain(..).flatten());
        for scope in self.scopes.drain(..).filter_map(|it| Rc::try_unwrap(it).ok()) {
            bury(scope.into_inner().into_values().map(|it| it.value));
        }
    }
}

/// A class.
#[derive(Debug)]
pub struct Class {
    pub name: Name,
    pub module: usize,
    /// Names of what it is: its own, those of its bases, as `except` asks.
    pub kinds: Vec<Rc<str>>,
    /// A base is not known.
    pub open: bool,
}

/// What a name is bound to.
#[derive(Debug, Clone)]
pub struct Binding {
    pub value: Value,
    /// Perhaps it is not bound.
    pub maybe: bool,
}

/// Names and what they are bound to.
pub type Map<T> = HashMap<Name, T, BuildHasherDefault<Quick>>;
/// The namespace of a module, function or class.
pub type Scope = Rc<RefCell<Map<Binding>>>;

/// An exception on its way.
#[derive(Debug, Clone)]
pub struct Exception {
    /// Names of its class and of those above it.
    pub kinds: Vec<Rc<str>>,
    /// It may be of other classes, too.
    pub open: bool,
    /// What it comes from, where that is an import.
    pub evidence: Option<Rc<Evidence>>,
}

impl Exception {
    pub fn new(kind: &str, evidence: Option<Evidence>) -> Box<Self> {
        Box::new(Self { kinds: lineage(kind), open: false, evidence: evidence.map(Rc::new) })
    }
}

/// What Python's own exceptions are, from the special to the general.
pub fn lineage(kind: &str) -> Vec<Rc<str>> {
    let above: &[&str] = match kind {
        "ModuleNotFoundError" => &["ImportError", "Exception", "BaseException"],
        "PackageNotFoundError" => &["ModuleNotFoundError", "ImportError", "Exception", "BaseException"],
        "KeyError" | "IndexError" => &["LookupError", "Exception", "BaseException"],
        "NotImplementedError" | "RecursionError" => &["RuntimeError", "Exception", "BaseException"],
        "FileNotFoundError" | "PermissionError" => &["OSError", "Exception", "BaseException"],
        "BaseException" => &[],
        "Exception" | "KeyboardInterrupt" | "SystemExit" => &["BaseException"],
        _ => &["Exception", "BaseException"],
    };
    std::iter::once(kind).chain(above.iter().copied()).map(Rc::from).collect()
}

impl Value {
    pub fn str(text: &str) -> Self {
        Self::Str(Arc::from(text))
    }

    pub fn items(values: Vec<Value>) -> Self {
        Self::Items(Rc::new(RefCell::new(Items { values, ..Items::default() })))
    }

    /// A set, or what is as one.
    pub fn set(values: Vec<Value>) -> Self {
        Self::Items(Rc::new(RefCell::new(Items { values, is_set: true, ..Items::default() })))
    }

    pub fn known(name: &str) -> Self {
        Self::Known(Rc::from(name))
    }

    pub fn table(table: Table) -> Self {
        Self::Table(Rc::new(RefCell::new(table)))
    }

    /// Whether it is true, where that is known.
    pub fn truth(&self) -> Option<bool> {
        Some(match self {
            Self::None => false,
            Self::Bool(it) => *it,
            Self::Int(it) => *it != 0,
            Self::Str(it) => !it.is_empty(),
            Self::Items(it) => {
                let it = it.borrow();
                if it.perhaps || it.values.is_empty() && it.open {
                    return None;
                }
                !it.values.is_empty()
            }
            Self::Table(it) => {
                let it = it.borrow();
                if it.order.is_empty() && it.open {
                    return None;
                }
                !it.order.is_empty()
            }
            Self::Something | Self::Version(_) | Self::Module(_) | Self::Function(_) | Self::Class(_) => true,
            Self::Unknown | Self::Globals(_) | Self::Known(_) | Self::Method(_) => return None,
        })
    }

    /// Whether two are the same value, where that is known.
    pub fn same(&self, other: &Self) -> Option<bool> {
        self.same_within(other, &mut TOGETHER.clone())
    }

    fn same_within(&self, other: &Self, most: &mut u32) -> Option<bool> {
        *most = most.checked_sub(1)?;
        Some(match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Version(a), Self::Version(b)) => a == b,
            (Self::Module(a), Self::Module(b)) => a == b,
            (Self::Known(a), Self::Known(b)) if a == b => true,
            (Self::Items(a), Self::Items(b)) => {
                let (a, b) = (a.borrow(), b.borrow());
                if a.open || b.open {
                    return None;
                }
                let in_order = !(a.is_set || b.is_set);
                if a.values.len() != b.values.len() {
                    return in_order.then_some(false);
                }
                for (a, b) in a.values.iter().zip(&b.values) {
                    if !a.same_within(b, most)? {
                        return in_order.then_some(false);
                    }
                }
                true
            }
            (Self::Unknown | Self::Known(_) | Self::Method(_) | Self::Something, _)
            | (_, Self::Unknown | Self::Known(_) | Self::Method(_) | Self::Something)
            | (Self::Table(_), Self::Table(_))
            | (Self::Class(_), Self::Class(_))
            | (Self::Function(_), Self::Function(_)) => return None,
            _ => false,
        })
    }

    /// Whether nothing has to be forgotten where two ways meet.
    pub fn is_one_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unknown, Self::Unknown) => true,
            (Self::Table(a), Self::Table(b)) => Rc::ptr_eq(a, b),
            (Self::Items(a), Self::Items(b)) if Rc::ptr_eq(a, b) => true,
            (Self::Class(a), Self::Class(b)) => Rc::ptr_eq(a, b),
            (Self::Function(a), Self::Function(b)) => Rc::ptr_eq(a, b),
            _ => self.same(other) == Some(true),
        }
    }
}

/// A hash that is quick for short names.
#[derive(Debug, Default, Clone, Copy)]
pub struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }
}

/// The name of a class among those that `except` asks for: two modules may each have one of that name.
pub fn class_kind(name: &str, module: usize) -> Rc<str> {
    format!("{name}@{module}").into()
}
