//! Calls: of functions whose statements are there, of classes and of methods; what Python itself brings is in [`super::builtin`].

use std::rc::Rc;

use super::state::{Flow, Frame, Walker};
use super::value::{Binding, Closure, Exception, Scope, Value};
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

/// `packaging` reads versions as PEP 440 says, wherever a copy of it lies.
fn is_packaging(module: &str, name: &str) -> bool {
    (module == "packaging.version" || module.ends_with(".packaging.version")) && matches!(name, "parse" | "Version")
}
