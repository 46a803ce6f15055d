//! Expressions: their values, as far as they are known, and the names of modules that they use.

use std::rc::Rc;

use super::state::{Attribute, Frame, Walker};
use super::value::{Binding, Exception, Scope, Table, Value};
use super::{Found, Wanted};
use crate::python::syntax::tree::{Comprehension, Expr, Makes, Name};

type Evaluated = Result<Value, Box<Exception>>;

impl Walker<'_> {
    /// What a name is bound to.
    pub fn name(&self, name: &Name, frame: &Frame) -> Evaluated {
        let value = self.name_or_builtin(name, frame);
        match &value {
            Value::Known(known) if is_no_builtin(known) && self.tries.iter().any(|it| it.names("NameError")) => {
                Err(Exception::new("NameError", None))
            }
            _ => Ok(value),
        }
    }

    pub fn name_or_builtin(&self, name: &Name, frame: &Frame) -> Value {
        let module = &self.modules[frame.module];
        let scopes = std::iter::once(&frame.scope).chain(frame.scopes.iter().rev()).chain([&module.scope]);
        for scope in scopes {
            if let Some(binding) = scope.borrow().get(name) {
                return if binding.maybe { Value::Unknown } else { binding.value.clone() };
            }
        }
        if module.open && !is_builtin(name) {
            return Value::Unknown;
        }
        match name.as_ref() {
            "__file__" | "__path__" | "__spec__" | "__package__" | "__loader__" | "__doc__" | "__class__" => {
                Value::Unknown
            }
            "__debug__" => Value::Bool(true),
            name => Value::known(&format!("builtins.{name}")),
        }
    }

    pub fn eval(&mut self, expr: &Expr, frame: &mut Frame) -> Evaluated {
        if self.is_spent() {
            return Ok(Value::Unknown);
        }
        Ok(match expr {
            Expr::None => Value::None,
            Expr::Bool(it) => Value::Bool(*it),
            Expr::Int(it) => Value::Int(*it),
            Expr::Str(it) => Value::Str(it.clone()),
            Expr::Name(name) => return self.name(name, frame),
            Expr::Attribute(value, name, line) => {
                let value = self.eval(value, frame)?;
                self.here.1 = *line;
                return self.attribute_of(&value, name);
            }
            Expr::Call(call) => return self.call(call, frame),
            Expr::Tuple(parts) | Expr::List(parts) => return self.items_of(parts, false, frame),
            Expr::Set(parts) => return self.items_of(parts, true, frame),
            Expr::Dict(entries) => return self.dict_of(entries, frame),
            Expr::Subscript(value, index) => {
                let value = self.eval(value, frame)?;
                if let Expr::Slice(lower, upper) = index.as_ref() {
                    let lower = lower.as_ref().map(|it| self.eval(it, frame)).transpose()?;
                    let upper = upper.as_ref().map(|it| self.eval(it, frame)).transpose()?;
                    return Ok(self.slice(&value, lower, upper));
                }
                let index = self.eval(index, frame)?;
                self.subscript(&value, &index)
            }
            Expr::Slice(..) => Value::Unknown,
            Expr::Compare(left, pairs) => return self.compared(left, pairs, frame),
            Expr::And(parts) => return self.first_that(false, parts, frame),
            Expr::Or(parts) => return self.first_that(true, parts, frame),
            Expr::Not(it) => self.eval(it, frame)?.truth().map_or(Value::Unknown, |it| Value::Bool(!it)),
            Expr::Binary(left, op, right) => {
                let (left, right) = (self.eval(left, frame)?, self.eval(right, frame)?);
                self.joined(&left, *op, &right)
            }
            Expr::If(test, then, otherwise) => return self.chosen(test, then, otherwise, frame),
            Expr::Named(target, value) => {
                let value = self.eval(value, frame)?;
                self.assign(target, value.clone(), frame)?;
                value
            }
            Expr::Format(parts) => return self.formatted(parts, frame),
            Expr::Lambda(function) => Value::Function(self.closure(function, frame)?),
            Expr::Comprehension(it) => return self.comprehension(it, frame),
            Expr::Starred(it) => {
                self.eval(it, frame)?;
                Value::Unknown
            }
            Expr::Other(parts) => {
                for part in parts {
                    self.eval(part, frame)?;
                }
                Value::Unknown
            }
        })
    }

    pub fn comprehension(&mut self, it: &Comprehension, frame: &mut Frame) -> Evaluated {
        let scope = Scope::default();
        let mut scopes = frame.scopes.clone();
        if !frame.is_module {
            scopes.push(frame.scope.clone());
        }
        let mut inner = Frame::of_function(frame.module, scope, scopes);
        inner.is_class = false;
        let mut made = Made { values: Vec::new(), table: Table::default(), open: false };
        // Its tests may be what is caught, and its items what is empty.
        let level = self.level;
        let done = self.comprehend(it, 0, &mut inner, &mut made);
        self.level = level;
        done?;
        Ok(match it.makes {
            Makes::Items => {
                let items = Value::items(made.values);
                if let Value::Items(items) = &items {
                    items.borrow_mut().open = made.open;
                }
                items
            }
            Makes::Dict => {
                made.table.open |= made.open;
                Value::table(made.table)
            }
        })
    }

    fn comprehend(
        &mut self,
        it: &Comprehension,
        depth: usize,
        frame: &mut Frame,
        made: &mut Made,
    ) -> Result<(), Box<Exception>> {
        let Some((target, items, tests)) = it.loops.get(depth) else {
            let mut values = Vec::new();
            for element in &it.element {
                values.push(self.eval(element, frame)?);
            }
            match values.as_slice() {
                [value] => made.values.push(value.clone()),
                [Value::Str(key), value] => made.table.put(key.clone(), value.clone()),
                _ => made.open = true,
            }
            return Ok(());
        };
        let items = self.eval(items, frame)?;
        let Some(values) = self.iterate(&items).filter(|it| it.len() < 20_000) else {
            made.open = true;
            return Ok(());
        };
        'values: for value in values {
            if self.is_spent() {
                made.open = true;
                break;
            }
            self.assign(target, value, frame)?;
            for test in tests {
                match self.eval(test, frame)?.truth() {
                    Some(true) => {}
                    Some(false) => continue 'values,
                    None => {
                        made.open = true;
                        continue 'values;
                    }
                }
            }
            self.comprehend(it, depth + 1, frame, made)?;
        }
        Ok(())
    }

    /// `value.name`.
    pub fn attribute_of(&mut self, value: &Value, name: &Name) -> Evaluated {
        Ok(match value {
            Value::Module(id) => match self.attribute(*id, name) {
                Attribute::Value(value) => value,
                Attribute::Unknown => Value::Unknown,
                Attribute::Missing => {
                    let module = self.modules[*id].name.clone();
                    // A module below it may have been imported by what nobody can follow.
                    if self.outside.find(&format!("{module}.{name}")) != Found::Missing {
                        return Ok(Value::Unknown);
                    }
                    let owner = self.modules[*id].path.clone();
                    return Err(Exception::new(
                        "AttributeError",
                        Some(self.lack(Wanted::Attribute, &module, name, owner)),
                    ));
                }
            },
            Value::Known(of) => self.known_attribute(of, name),
            Value::Str(_) | Value::Items(_) | Value::Table(_) | Value::Globals(_) => {
                Value::Method(Rc::new((value.clone(), name.clone())))
            }
            Value::Version(version) => {
                let part =
                    |at: usize| Value::Int(version.release().get(at).map_or(0, |it| i64::try_from(*it).unwrap_or(0)));
                match name.as_ref() {
                    "major" => part(0),
                    "minor" => part(1),
                    "micro" => part(2),
                    "release" => Value::items(
                        version.release().iter().map(|it| Value::Int(i64::try_from(*it).unwrap_or(0))).collect(),
                    ),
                    "base_version" => {
                        let numbers: Vec<String> = version.release().iter().map(ToString::to_string).collect();
                        Value::str(&numbers.join("."))
                    }
                    _ => Value::Unknown,
                }
            }
            _ => Value::Unknown,
        })
    }

    pub fn known_attribute(&self, of: &str, name: &str) -> Value {
        let (major, minor, micro) = self.outside.python();
        match (of, name) {
            ("sys", "version_info") => {
                let numbers = [major, minor, micro].map(Value::Int);
                Value::items(numbers.into_iter().chain([Value::str("final"), Value::Int(0)]).collect())
            }
            ("sys", "platform") => Value::str("linux"),
            ("sys", "hexversion") => Value::Int((major << 24) | (minor << 16) | (micro << 8) | 0xf0),
            ("sys", "byteorder") => Value::str("little"),
            ("os", "name") => Value::str("posix"),
            ("os", "sep") => Value::str("/"),
            ("typing", "TYPE_CHECKING") => Value::Bool(false),
            _ => Value::known(&format!("{of}.{name}")),
        }
    }

    /// Binds what stands on the left of `=`.
    pub fn assign(&mut self, target: &Expr, value: Value, frame: &mut Frame) -> Result<(), Box<Exception>> {
        match target {
            Expr::Name(name) => self.bind(name, value, frame),
            Expr::Tuple(parts) | Expr::List(parts) => {
                let values = self.iterate(&value).filter(|it| it.len() == parts.len());
                for (at, part) in parts.iter().enumerate() {
                    let value = values.as_ref().and_then(|it| it.get(at)).cloned().unwrap_or(Value::Unknown);
                    self.assign(part, value, frame)?;
                }
            }
            Expr::Starred(inner) => self.assign(inner, Value::Unknown, frame)?,
            Expr::Attribute(of, name, _) => {
                if let Value::Module(id) = self.eval(of, frame)? {
                    let scope = self.modules[id].scope.clone();
                    self.set(&scope, name.clone(), Some(Binding { value, maybe: false }));
                }
            }
            Expr::Subscript(of, index) => {
                let of = self.eval(of, frame)?;
                let index = self.eval(index, frame)?;
                match (&of, index) {
                    (Value::Known(what), Value::Str(name)) if what.as_ref() == "sys.modules" => {
                        self.put_module(&name, value, frame);
                    }
                    (Value::Known(what), _) if what.as_ref() == "sys.modules" => {
                        self.modules[frame.module].signs.registers = true;
                    }
                    (Value::Table(table), Value::Str(key)) => table.borrow_mut().put(key, value),
                    (Value::Table(table), _) => table.borrow_mut().open = true,
                    (Value::Items(items), _) => items.borrow_mut().open = true,
                    (Value::Globals(id), Value::Str(name)) => {
                        let scope = self.modules[*id].scope.clone();
                        self.set(&scope, name, Some(Binding { value, maybe: false }));
                    }
                    (Value::Globals(id), _) => self.modules[*id].open = true,
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// `sys.modules[name] = value`.
    pub fn put_module(&mut self, name: &Name, value: Value, frame: &Frame) {
        let own = self.modules[frame.module].name.clone();
        match value {
            Value::Module(id) => drop(self.by_name.insert(name.clone(), id)),
            _ if *name == own => {
                let args = self.made_with.take().unwrap_or_default();
                self.stands_for(frame.module, &args);
            }
            _ => {
                let id = self.opaque(name);
                self.by_name.insert(name.clone(), id);
            }
        }
    }
}

struct Made {
    values: Vec<Value>,
    table: Table,
    open: bool,
}

/// Names that some code asks for to learn which Python it is, or that a caller may have set.
fn is_no_builtin(name: &str) -> bool {
    const GONE: [&str; 11] = [
        "unicode",
        "basestring",
        "xrange",
        "raw_input",
        "long",
        "unichr",
        "reduce",
        "file",
        "cmp",
        "reload",
        "WindowsError",
    ];
    let Some(name) = name.strip_prefix("builtins.") else { return false };
    let own = ["__build_class__", "__import__", "__name__", "__debug__", "__file__"];
    GONE.contains(&name) || (name.starts_with("__") && name.ends_with("__") && !own.contains(&name))
}

/// What nobody calls his own functions.
fn is_builtin(name: &str) -> bool {
    const OFTEN: [&str; 18] = [
        "hasattr",
        "getattr",
        "setattr",
        "globals",
        "locals",
        "vars",
        "isinstance",
        "len",
        "int",
        "str",
        "bool",
        "tuple",
        "list",
        "set",
        "dict",
        "any",
        "all",
        "__import__",
    ];
    OFTEN.contains(&name) || name.ends_with("Error") || name == "Exception"
}
