//! Calls of what Python itself brings: importlib, the environment, and the built-in functions.

use super::Found;
use super::state::{Attribute, Frame, Walker};
use super::value::{Binding, Exception, Table, Value};
use crate::python::syntax::tree::Name;

type Evaluated = Result<Value, Box<Exception>>;

impl Walker<'_> {
    /// The value of a call of a function by its full name, e.g. `importlib.metadata.version`.
    pub fn call_known(&mut self, name: &str, args: &[Value], named: &[(Name, Value)], frame: &mut Frame) -> Evaluated {
        let first = args.first().cloned().unwrap_or(Value::Unknown);
        let second = args.get(1).cloned();
        Ok(match (name, &first) {
            ("importlib.util.find_spec" | "importlib.find_loader" | "pkgutil.find_loader", Value::Str(module)) => {
                return self.find_spec(module);
            }
            ("importlib.import_module" | "builtins.__import__", Value::Str(module)) => {
                return self.import_by_name(name, module, args, named);
            }
            ("importlib.metadata.version", Value::Str(distribution)) => return self.version_of(distribution),
            ("os.environ.get" | "os.getenv", Value::Str(variable)) => match self.outside.variable(variable) {
                Some(Some(text)) => Value::str(&text),
                Some(None) => second.unwrap_or(Value::None),
                None => Value::Unknown,
            },
            ("platform.system", _) => Value::str("Linux"),
            ("platform.python_implementation", _) => Value::str("CPython"),
            ("platform.python_version", _) => {
                let (major, minor, micro) = self.outside.python();
                Value::str(&format!("{major}.{minor}.{micro}"))
            }
            ("builtins.globals", _) => Value::Globals(frame.module),
            ("builtins.locals" | "builtins.vars", _) if frame.is_module && args.is_empty() => {
                Value::Globals(frame.module)
            }
            ("builtins.vars", Value::Module(id)) => Value::Globals(*id),
            ("builtins.exec" | "builtins.eval" | "builtins.execfile", _) => {
                self.modules[frame.module].open = true;
                Value::Unknown
            }
            ("builtins.hasattr", Value::Module(id)) => self.has_attribute(*id, second.as_ref()),
            ("builtins.getattr", Value::Module(_) | Value::Known(_)) => {
                return self.get_attribute(&first, second.as_ref(), args.get(2));
            }
            ("builtins.setattr", Value::Module(id)) => {
                self.set_attribute(*id, second.as_ref(), args.get(2));
                Value::None
            }
            ("builtins.isinstance", _) => Value::Unknown,
            ("builtins.len", value) => match self.iterate(value) {
                Some(values) => i64::try_from(values.len()).map_or(Value::Unknown, Value::Int),
                None => Value::Unknown,
            },
            ("builtins.int", Value::Str(text)) => text.trim().parse().map_or(Value::Unknown, Value::Int),
            ("builtins.int", Value::Int(_)) => first,
            ("builtins.str", Value::Str(_)) => first,
            ("builtins.str", Value::Int(it)) => Value::str(&it.to_string()),
            ("builtins.str", Value::Version(it)) => Value::str(&it.to_string()),
            ("builtins.bool", value) => value.truth().map_or(Value::Unknown, Value::Bool),
            ("builtins.tuple" | "builtins.list" | "builtins.set" | "builtins.frozenset" | "builtins.sorted", _) => {
                self.collected(args, name.ends_with("set"))
            }
            ("builtins.map", Value::Known(function)) => return self.mapped(function, second.as_ref(), frame),
            ("builtins.zip", _) => self.zipped(args),
            ("builtins.dict" | "collections.OrderedDict", _) => self.dict(args, named),
            ("collections.defaultdict", _) => {
                let mut table = Table::default();
                table.open = true;
                Value::table(table)
            }
            ("builtins.any" | "builtins.all", value) => self.any_or_all(value, name == "builtins.any"),
            _ => self.any_other(name, args),
        })
    }

    /// `importlib.import_module(module, package)` and `__import__(module, …)`.
    fn import_by_name(&mut self, name: &str, module: &str, args: &[Value], named: &[(Name, Value)]) -> Evaluated {
        let by_name = || named.iter().find(|(it, _)| it.as_ref() == "package").map(|(_, it)| it.clone());
        let full = match (module.starts_with('.'), args.get(1).cloned().or_else(by_name)) {
            (false, _) => module.to_owned(),
            (true, Some(Value::Str(package))) => match up(&package, module) {
                Some(full) => full,
                None => return Ok(Value::Unknown),
            },
            _ => return Ok(Value::Unknown),
        };
        let id = self.import(&full)?;
        if name == "builtins.__import__" {
            // Without a list of names the package at the top.
            let top = full.split('.').next().unwrap_or_default().to_owned();
            let with_names = args.len() > 3 || named.iter().any(|(it, _)| it.as_ref() == "fromlist");
            return Ok(Value::Module(if with_names { id } else { self.import(&top)? }));
        }
        Ok(Value::Module(id))
    }

    /// `importlib.metadata.version`: it stops where the distribution is not installed.
    fn version_of(&mut self, distribution: &str) -> Evaluated {
        match self.outside.version(distribution) {
            Some(Some(text)) => Ok(Value::str(&text)),
            Some(None) => {
                let lack = self.lack(super::Wanted::Module, distribution, "", None);
                Err(Exception::new("PackageNotFoundError", Some(lack)))
            }
            None => Ok(Value::Unknown),
        }
    }

    /// `hasattr` of a module.
    fn has_attribute(&mut self, id: usize, attribute: Option<&Value>) -> Value {
        let Some(Value::Str(attribute)) = attribute else { return Value::Unknown };
        match self.attribute(id, attribute) {
            // What an extension holds is not known.
            Attribute::Value(Value::Known(_)) if self.modules[id].open => Value::Unknown,
            Attribute::Value(_) => Value::Bool(true),
            Attribute::Unknown => Value::Unknown,
            Attribute::Missing => self.is_no_module(id, attribute),
        }
    }

    /// `getattr` of a module, or of something that is known by its name.
    fn get_attribute(&mut self, of: &Value, attribute: Option<&Value>, default: Option<&Value>) -> Evaluated {
        let Some(Value::Str(attribute)) = attribute else { return Ok(Value::Unknown) };
        let Value::Module(id) = of else {
            return if default.is_none() { self.attribute_of(of, attribute) } else { Ok(Value::Unknown) };
        };
        Ok(match self.attribute(*id, attribute) {
            Attribute::Value(value) => value,
            Attribute::Unknown => Value::Unknown,
            Attribute::Missing => match default {
                Some(default) if matches!(self.is_no_module(*id, attribute), Value::Bool(false)) => default.clone(),
                Some(_) => Value::Unknown,
                None => return self.attribute_of(of, attribute),
            },
        })
    }

    /// `setattr` of a module.
    fn set_attribute(&mut self, id: usize, attribute: Option<&Value>, value: Option<&Value>) {
        match (attribute, value) {
            (Some(Value::Str(attribute)), Some(value)) => {
                let scope = self.modules[id].scope.clone();
                self.set(&scope, attribute.clone(), Some(Binding { value: value.clone(), maybe: false }));
            }
            _ => self.modules[id].open = true,
        }
    }

    /// `list`, `set` and their like.
    fn collected(&mut self, args: &[Value], is_set: bool) -> Value {
        match args {
            [] => Value::items(Vec::new()),
            // A copy of it is as good.
            [Value::Known(what)] if what.as_ref() == "sys.modules" => args[0].clone(),
            [value] => match self.iterate(value) {
                Some(values) if is_set => Value::set(values),
                Some(values) => Value::items(values),
                None => open_items(value),
            },
            _ => Value::Unknown,
        }
    }

    /// `map` of one list.
    fn mapped(&mut self, function: &str, over: Option<&Value>, frame: &mut Frame) -> Evaluated {
        let Some(values) = over.and_then(|it| self.iterate(it)) else { return Ok(Value::Unknown) };
        let mut all = Vec::new();
        for value in values {
            all.push(self.call_known(function, &[value], &[], frame)?);
        }
        Ok(Value::items(all))
    }

    /// `zip`: as many rows as the shortest has.
    fn zipped(&mut self, args: &[Value]) -> Value {
        let columns: Option<Vec<Vec<Value>>> = args.iter().map(|it| self.iterate(it)).collect();
        let Some(columns) = columns else { return Value::Unknown };
        let rows = columns.iter().map(Vec::len).min().unwrap_or_default();
        let row = |at: usize| Value::items(columns.iter().map(|it| it[at].clone()).collect());
        Value::items((0..rows).map(row).collect())
    }

    /// `dict`, of nothing or of another one, and of names.
    fn dict(&mut self, args: &[Value], named: &[(Name, Value)]) -> Value {
        let mut table = Table::default();
        match args {
            [] => {}
            [Value::Table(other)] => self.take_entries(&mut table, &other.borrow()),
            _ => table.open = true,
        }
        for (name, value) in named {
            table.put(name.clone(), value.clone());
        }
        Value::table(table)
    }

    /// `any`, which ends at what is true, and `all`, which ends at what is not.
    fn any_or_all(&mut self, of: &Value, ends: bool) -> Value {
        let Some(values) = self.iterate(of) else { return Value::Unknown };
        let mut known = true;
        for value in values {
            match value.truth() {
                Some(truth) if truth == ends => return Value::Bool(ends),
                Some(_) => {}
                None => known = false,
            }
        }
        if known { Value::Bool(!ends) } else { Value::Unknown }
    }

    /// Python's own functions change no module but where it is given to them.
    fn any_other(&mut self, name: &str, args: &[Value]) -> Value {
        for value in args {
            match value {
                Value::Globals(id) => self.modules[*id].open = true,
                Value::Items(items) if !is_harmless(name) => items.borrow_mut().open = true,
                Value::Table(table) if !is_harmless(name) => table.borrow_mut().open = true,
                _ => {}
            }
        }
        if name == "types.ModuleType" {
            self.made_with = Some(args.to_vec());
        }
        if is_query(name) { Value::Unknown } else { Value::known(&format!("{name}()")) }
    }

    /// Whether an attribute that is missing is no module below either.
    pub fn is_no_module(&self, id: usize, name: &str) -> Value {
        match self.outside.find(&format!("{}.{name}", self.modules[id].name)) {
            Found::Missing => Value::Bool(false),
            _ => Value::Unknown,
        }
    }

    /// None or something, as `importlib.util.find_spec` says; a parent is imported by it.
    pub fn find_spec(&mut self, module: &str) -> Evaluated {
        if module.starts_with('.') {
            return Ok(Value::Unknown);
        }
        if let Some((parent, _)) = module.rsplit_once('.') {
            let id = self.import(parent)?;
            if self.modules[id].signs.path || self.registers(&self.modules[id]) {
                return Ok(Value::Unknown);
            }
        }
        if self.by_name.contains_key(module) {
            return Ok(Value::Something);
        }
        Ok(match self.outside.find(module) {
            Found::Missing => Value::None,
            Found::Unknown => Value::Unknown,
            _ => Value::Something,
        })
    }
}

/// A list that may hold more than what is known of it.
fn open_items(value: &Value) -> Value {
    match value {
        Value::Items(items) => {
            let copy = Value::items(items.borrow().values.clone());
            if let Value::Items(copy) = &copy {
                copy.borrow_mut().open = true;
            }
            copy
        }
        _ => Value::Unknown,
    }
}

/// Python's functions that change nothing that they are given.
fn is_harmless(name: &str) -> bool {
    let kept = ["builtins.print", "builtins.isinstance", "builtins.len", "builtins.sorted", "builtins.enumerate"];
    kept.contains(&name)
        || name.starts_with("logging.")
        || name.starts_with("warnings.")
        || name.starts_with("typing.")
        || name.starts_with("collections.namedtuple")
        || name.starts_with("re.")
        || name.starts_with("os.path.")
        || name.starts_with("enum.")
}

/// Calls whose answer may be anything, None too.
fn is_query(name: &str) -> bool {
    !name.starts_with("logging.")
}

/// The full name of `..module` seen from a package.
fn up(package: &str, module: &str) -> Option<String> {
    let rest = module.trim_start_matches('.');
    let mut base = package;
    for _ in 1..module.len() - rest.len() {
        base = base.rsplit_once('.')?.0;
    }
    Some(if rest.is_empty() { base.to_owned() } else { format!("{base}.{rest}") })
}
