//! Calls: of functions whose statements are there, of methods of texts, lists and dicts, and of what Python itself brings.

use std::rc::Rc;

use super::Found;
use super::state::{Attribute, Flow, Frame, Walker};
use super::value::{Binding, Closure, Exception, Scope, Table, Value};
use super::weigh::version;
use crate::python::syntax::tree::{Call, Name, ParamKind};

type Evaluated = Result<Value, Box<Exception>>;
type Named = Vec<(Name, Value)>;

impl Walker<'_> {
    pub fn call(&mut self, call: &Call, frame: &mut Frame) -> Evaluated {
        let function = self.eval(&call.function, frame)?;
        let mut args = Vec::with_capacity(call.args.len());
        // Arguments that nobody can count.
        let mut open = false;
        for arg in &call.args {
            if let crate::python::syntax::tree::Expr::Starred(inner) = arg {
                let inner = self.eval(inner, frame)?;
                match self.iterate(&inner) {
                    Some(more) => args.extend(more),
                    None => open = true,
                }
            } else {
                args.push(self.eval(arg, frame)?);
            }
        }
        let mut named = Vec::new();
        for (name, value) in &call.keywords {
            let value = self.eval(value, frame)?;
            match name {
                Some(name) => named.push((name.clone(), value)),
                None => open = true,
            }
        }
        self.here.1 = call.line;
        match &function {
            Value::Function(closure) => {
                let of = self.modules[closure.module].name.clone();
                if is_packaging(&of, &closure.function.name)
                    && let [Value::Str(text)] = args.as_slice()
                {
                    return Ok(version(text));
                }
                return self.call_closure(closure, args, named, open);
            }
            Value::Class(class) => {
                let of = self.modules[class.module].name.clone();
                if is_packaging(&of, &class.name)
                    && let [Value::Str(text)] = args.as_slice()
                {
                    return Ok(version(text));
                }
                self.made_with = Some(args.into_iter().chain(named.into_iter().map(|(_, it)| it)).collect());
                return Ok(Value::Unknown);
            }
            Value::Known(name) => {
                let name = name.clone();
                return self.call_known(&name, &args, &named, frame);
            }
            Value::Method(method) => {
                let method = method.clone();
                return Ok(self.method(&method.0, &method.1, &args, &named));
            }
            _ => {}
        }
        for value in args.iter().chain(named.iter().map(|(_, it)| it)) {
            self.lost(value, frame);
        }
        self.made_with = Some(args.into_iter().chain(named.into_iter().map(|(_, it)| it)).collect());
        Ok(Value::Unknown)
    }

    /// A value goes where nobody can follow it, and may be changed there.
    pub fn lost(&mut self, value: &Value, frame: &Frame) {
        match value {
            Value::Items(items) => items.borrow_mut().open = true,
            Value::Table(table) => table.borrow_mut().open = true,
            Value::Globals(id) => self.modules[*id].open = true,
            // `loader.exec_module(sys.modules['tlz'])` in a part of it.
            Value::Module(id) if self.top(*id) == self.top(frame.module) => self.modules[*id].open = true,
            Value::Str(name) if *name == self.modules[frame.module].name => self.modules[frame.module].open = true,
            _ => {}
        }
    }

    /// Runs a function's statements with these arguments.
    pub fn call_closure(&mut self, closure: &Rc<Closure>, args: Vec<Value>, named: Named, open: bool) -> Evaluated {
        let function = closure.function.clone();
        if self.is_spent() || function.is_async || self.depth > 60 {
            return Ok(Value::Unknown);
        }
        let Some(block) = function.block().filter(|it| !it.is_generator) else { return Ok(Value::Unknown) };
        let scope = Scope::default();
        let mut args = args.into_iter();
        let mut named = named;
        for (at, param) in function.params.iter().enumerate() {
            let by_name = |named: &mut Named| {
                named.iter().position(|(name, _)| *name == param.name).map(|at| named.swap_remove(at).1)
            };
            let value = match param.kind {
                ParamKind::Place => args.next().or_else(|| by_name(&mut named)),
                ParamKind::Keyword => by_name(&mut named),
                ParamKind::Rest => Some(if open { Value::Unknown } else { Value::items(args.by_ref().collect()) }),
                ParamKind::Named => Some(Value::Unknown),
            };
            let default = closure.defaults.get(at).cloned().flatten();
            let value = match value {
                Some(value) => value,
                None if open => Value::Unknown,
                None => default.unwrap_or(Value::Unknown),
            };
            scope.borrow_mut().insert(param.name.clone(), Binding { value, maybe: false });
        }
        let mut frame = Frame::of_function(closure.module, scope, closure.scopes.clone());
        let file = self.modules[closure.module].path.clone().unwrap_or_default();
        let here = std::mem::replace(&mut self.here, (file, 0));
        let level = self.level;
        let limit = self.limit;
        if limit == u64::MAX {
            self.limit = self.steps.get() + super::state::CALL;
        }
        self.depth += 1;
        let done = self.block(&block.body, &mut frame);
        self.depth -= 1;
        self.limit = limit;
        self.level = level;
        self.here = here;
        let done = match done {
            // It has perhaps returned before.
            Err(exception) if !frame.perhaps_returned.is_empty() => {
                self.conditional(&exception);
                return Ok(Value::Unknown);
            }
            // An error that no import makes, in what was followed with less than Python knows: it is not believed.
            Err(exception) if is_doubtful(&exception) && !self.tries.iter().any(|it| it.catches(&exception)) => {
                return Ok(Value::Unknown);
            }
            done => done?,
        };
        let last = match done {
            Flow::Return(value) => value,
            _ => Value::None,
        };
        let same = frame.perhaps_returned.iter().all(|it| it.is_one_with(&last));
        Ok(if same { last } else { Value::Unknown })
    }

    pub fn call_known(&mut self, name: &str, args: &[Value], named: &[(Name, Value)], frame: &mut Frame) -> Evaluated {
        let first = args.first().cloned().unwrap_or(Value::Unknown);
        let second = args.get(1).cloned();
        Ok(match (name, &first) {
            ("importlib.util.find_spec" | "importlib.find_loader" | "pkgutil.find_loader", Value::Str(module)) => {
                return self.find_spec(module);
            }
            ("importlib.import_module" | "builtins.__import__", Value::Str(module)) => {
                let relative = module.starts_with('.');
                let package =
                    second.or_else(|| named.iter().find(|(it, _)| it.as_ref() == "package").map(|(_, it)| it.clone()));
                let full = match (relative, package) {
                    (false, _) => module.to_string(),
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
                Value::Module(id)
            }
            ("importlib.metadata.version", Value::Str(distribution)) => match self.outside.version(distribution) {
                Some(Some(text)) => Value::str(&text),
                Some(None) => {
                    // What stops is that the distribution is not installed.
                    let lack = self.lack(super::Wanted::Module, distribution, "", None);
                    return Err(Exception::new("PackageNotFoundError", Some(lack)));
                }
                None => Value::Unknown,
            },
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
            ("builtins.hasattr", Value::Module(id)) => match &second {
                Some(Value::Str(attribute)) => match self.attribute(*id, attribute) {
                    // What an extension holds is not known.
                    Attribute::Value(Value::Known(_)) if self.modules[*id].open => Value::Unknown,
                    Attribute::Value(_) => Value::Bool(true),
                    Attribute::Unknown => Value::Unknown,
                    Attribute::Missing => self.is_no_module(*id, attribute),
                },
                _ => Value::Unknown,
            },
            ("builtins.getattr", Value::Module(id)) => match (&second, args.get(2)) {
                (Some(Value::Str(attribute)), default) => match self.attribute(*id, attribute) {
                    Attribute::Value(value) => value,
                    Attribute::Unknown => Value::Unknown,
                    Attribute::Missing => match default {
                        Some(default) if matches!(self.is_no_module(*id, attribute), Value::Bool(false)) => {
                            default.clone()
                        }
                        Some(_) => Value::Unknown,
                        None => return self.attribute_of(&first, attribute),
                    },
                },
                _ => Value::Unknown,
            },
            ("builtins.getattr", Value::Known(of)) => match (&second, args.get(2)) {
                (Some(Value::Str(attribute)), None) => self.attribute_of(&Value::Known(of.clone()), attribute)?,
                _ => Value::Unknown,
            },
            ("builtins.setattr", Value::Module(id)) => {
                match (&second, args.get(2)) {
                    (Some(Value::Str(attribute)), Some(value)) => {
                        let scope = self.modules[*id].scope.clone();
                        self.set(&scope, attribute.clone(), Some(Binding { value: value.clone(), maybe: false }));
                    }
                    _ => self.modules[*id].open = true,
                }
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
                match args {
                    [] => Value::items(Vec::new()),
                    // A copy of it is as good.
                    [Value::Known(what)] if what.as_ref() == "sys.modules" => first.clone(),
                    [value] => match self.iterate(value) {
                        Some(values) if name.ends_with("set") => Value::set(values),
                        Some(values) => Value::items(values),
                        None => open_items(value),
                    },
                    _ => Value::Unknown,
                }
            }
            ("builtins.map", Value::Known(function)) => {
                let Some(values) = second.as_ref().and_then(|it| self.iterate(it)) else { return Ok(Value::Unknown) };
                let mut all = Vec::new();
                for value in values {
                    all.push(self.call_known(function, &[value], &[], frame)?);
                }
                Value::items(all)
            }
            ("builtins.zip" | "itertools.chain", _) if name.ends_with("zip") => {
                let columns: Option<Vec<Vec<Value>>> = args.iter().map(|it| self.iterate(it)).collect();
                let Some(columns) = columns else { return Ok(Value::Unknown) };
                let rows = columns.iter().map(Vec::len).min().unwrap_or_default();
                Value::items(
                    (0..rows).map(|row| Value::items(columns.iter().map(|it| it[row].clone()).collect())).collect(),
                )
            }
            ("builtins.dict" | "collections.OrderedDict", _) => {
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
            ("collections.defaultdict", _) => {
                let mut table = Table::default();
                table.open = true;
                Value::table(table)
            }
            ("builtins.any" | "builtins.all", value) => {
                let Some(values) = self.iterate(value) else { return Ok(Value::Unknown) };
                let ends = name == "builtins.any";
                let mut known = true;
                for value in values {
                    match value.truth() {
                        Some(truth) if truth == ends => return Ok(Value::Bool(ends)),
                        Some(_) => {}
                        None => known = false,
                    }
                }
                if known { Value::Bool(!ends) } else { Value::Unknown }
            }
            _ => {
                // Python's own functions change no module but where it is given to them.
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
        })
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

/// Whether an exception was raised by hand and is no error of importing.
pub fn is_doubtful(exception: &Exception) -> bool {
    let by_hand = exception.evidence.as_ref().is_none_or(|it| it.wanted == super::Wanted::Stop);
    by_hand
        && !exception.kinds.iter().any(|it| it.as_ref() == "ImportError" || it.starts_with("Version"))
        && !exception.evidence.as_ref().is_some_and(|it| is_about_versions(&it.name))
}

/// Whether an error says in full that a version is not the one it needs: what was compared was known.
fn is_about_versions(says: &str) -> bool {
    let numbers = says.split_whitespace().filter(|it| {
        let it = it.trim_matches(|it: char| !it.is_ascii_alphanumeric());
        it.contains('.') && it.starts_with(|it: char| it.is_ascii_digit())
    });
    says.contains("version") && !says.contains('…') && numbers.count() > 1
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

/// `packaging` reads versions as PEP 440 says, wherever a copy of it lies.
fn is_packaging(module: &str, name: &str) -> bool {
    (module == "packaging.version" || module.ends_with(".packaging.version")) && matches!(name, "parse" | "Version")
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
