//! Statements, followed in their order.

use std::rc::Rc;

use super::Found;
use super::call::is_doubtful;
use super::state::{Attribute, Flow, Frame, State, Walker};
use super::text::absolute;
use super::value::{Binding, Class, Closure, Exception, Scope, Table, Value, class_kind, lineage};
use crate::python::syntax::tree::{self, Alias, Expr, Name, Stmt, StmtKind};

type Done = Result<Flow, Box<Exception>>;

impl Walker<'_> {
    /// Runs a module's own statements.
    pub fn module_body(&mut self, id: usize, body: &[Stmt]) -> Result<(), Box<Exception>> {
        let scope = self.modules[id].scope.clone();
        let mut frame = Frame::of_module(id, scope);
        let name = self.modules[id].name.clone();
        frame.set_quietly("__name__", Value::Str(name));
        self.block(body, &mut frame).map(drop)
    }

    pub fn block(&mut self, body: &[Stmt], frame: &mut Frame) -> Done {
        for stmt in body {
            if self.is_spent() {
                self.modules[frame.module].open = true;
                return Ok(Flow::Next);
            }
            self.here.1 = stmt.line;
            match self.statement(stmt, frame)? {
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    pub fn statement(&mut self, stmt: &Stmt, frame: &mut Frame) -> Done {
        match &stmt.kind {
            StmtKind::Import(names) => self.import_statement(names, frame)?,
            StmtKind::From { level, module, names } => self.take_statement(*level, module.as_ref(), names, frame)?,
            StmtKind::Assign(targets, value) => {
                let value = self.eval(value, frame)?;
                for target in targets {
                    self.assign(target, value.clone(), frame)?;
                }
            }
            StmtKind::Augmented(target, value) => {
                let value = self.eval(value, frame)?;
                let before = self.eval(target, frame)?;
                let after = self.add(&before, &value, true);
                if matches!(target, Expr::Name(_)) {
                    self.assign(target, after, frame)?;
                }
            }
            StmtKind::Delete(targets) => {
                for target in targets {
                    match target {
                        Expr::Name(name) => self.unbind(name, frame),
                        other => self.eval(other, frame).map(drop)?,
                    }
                }
            }
            StmtKind::Expr(value) => self.eval(value, frame).map(drop)?,
            StmtKind::If(branches, otherwise) => return self.branches(branches, otherwise, frame),
            StmtKind::For(target, items, body, otherwise) => {
                return self.for_statement(target, items, body, otherwise, frame);
            }
            StmtKind::While(test, body, otherwise) => {
                let test = self.eval(test, frame)?.truth();
                if test != Some(false) {
                    self.perhaps(frame, |walker, frame| walker.block(body, frame))?;
                }
                self.perhaps(frame, |walker, frame| walker.block(otherwise, frame))?;
            }
            StmtKind::With(items, body) => return self.with_statement(items, body, frame),
            StmtKind::Try(it) => return self.try_statement(it, frame),
            StmtKind::Def(function, decorators) => {
                let closure = self.closure(function, frame)?;
                let value = self.decorated(Value::Function(closure), decorators, frame)?;
                self.bind(&function.name, value, frame);
            }
            StmtKind::Class(it) => self.class_statement(it, frame)?,
            StmtKind::Return(value) => {
                let value = value.as_ref().map_or(Ok(Value::None), |value| self.eval(value, frame))?;
                return Ok(Flow::Return(value));
            }
            StmtKind::Raise(value) => {
                let exception = self.raise(value.as_ref(), frame)?;
                let is_caught = self.tries.iter().any(|it| it.catches(&exception));
                if frame.is_module && self.level == 0 && !is_caught && is_doubtful(&exception) {
                    self.modules[frame.module].open = true;
                    return Ok(Flow::Next);
                }
                return Err(exception);
            }
            StmtKind::Assert(test) => {
                let value = self.eval(test, frame)?;
                let exception = Exception::new("AssertionError", None);
                // No import fails for it but where somebody waits for it.
                if value.truth() == Some(false) && self.tries.iter().any(|it| it.catches(&exception)) {
                    return Err(exception);
                }
            }
            StmtKind::Global(names) => frame.globals.extend(names.iter().cloned()),
            StmtKind::Match(subject, cases) => {
                self.eval(subject, frame)?;
                for body in cases {
                    self.perhaps(frame, |walker, frame| walker.block(body, frame))?;
                }
            }
            StmtKind::Break => return Ok(Flow::Break),
            StmtKind::Continue => return Ok(Flow::Continue),
            StmtKind::Annotation(all) => self.annotations(all, frame)?,
            StmtKind::Nothing => {}
        }
        Ok(Flow::Next)
    }

    pub fn import_statement(&mut self, names: &[Alias], frame: &mut Frame) -> Result<(), Box<Exception>> {
        for it in names {
            let id = self.import(&it.name)?;
            match &it.as_name {
                Some(name) => {
                    let parts = it.name.rsplit_once('.');
                    let above = parts.and_then(|(above, last)| Some((*self.by_name.get(above)?, last)));
                    // Python takes the name from the package.
                    let is_other = above.is_some_and(|(above, last)| {
                        self.modules[above].by_names && matches!(self.attribute(above, last), Attribute::Unknown)
                    });
                    self.bind(name, if is_other { Value::Unknown } else { Value::Module(id) }, frame);
                }
                None => {
                    let first = it.name.split('.').next().unwrap_or_default();
                    let id = self.import(first)?;
                    self.bind(&Name::from(first), Value::Module(id), frame);
                }
            }
        }
        Ok(())
    }

    pub fn take_statement(
        &mut self,
        level: u32,
        module: Option<&Name>,
        names: &[Alias],
        frame: &mut Frame,
    ) -> Result<(), Box<Exception>> {
        let own = &self.modules[frame.module];
        let Some(full) = absolute(&own.name, own.package, level, module.map(AsRef::as_ref)) else {
            for it in names {
                self.bind(it.as_name.as_ref().unwrap_or(&it.name), Value::Unknown, frame);
            }
            return Ok(());
        };
        let id = self.import(&full)?;
        for it in names {
            if it.name.as_ref() == "*" {
                self.star(id, frame)?;
                continue;
            }
            let value = self.take(id, &it.name)?;
            self.bind(it.as_name.as_ref().unwrap_or(&it.name), value, frame);
        }
        Ok(())
    }

    /// `from module import *`.
    pub fn star(&mut self, id: usize, frame: &mut Frame) -> Result<(), Box<Exception>> {
        let module = &self.modules[id];
        if let Some(names) = module.library.clone() {
            let (module, by_names) = (module.name.clone(), module.by_names);
            // What `__all__` lists may be modules below it.
            let is_open = names.open || !names.extensions.is_empty() || (by_names && names.all.contains("__all__"));
            for name in &names.all {
                let known = || Value::known(&format!("{module}.{name}"));
                self.bind(name, if by_names { Value::Unknown } else { known() }, frame);
            }
            self.modules[frame.module].open |= is_open;
            return Ok(());
        }
        let is_open = module.open || module.lazy.is_some() || matches!(module.state, State::Running);
        let all = module.scope.borrow().get("__all__").map(|binding| binding.value.clone());
        let mut listed = None;
        if let Some(Value::Items(items)) = &all {
            let items = items.borrow();
            let names = items.values.iter().map(|it| if let Value::Str(it) = it { Some(it.clone()) } else { None });
            listed = names.collect::<Option<Vec<Name>>>().filter(|_| !items.open);
        }
        let is_known = match (&all, &listed) {
            (None, _) => !is_open,
            (Some(_), Some(_)) => true,
            (Some(_), None) => false,
        };
        let names = listed.unwrap_or_else(|| {
            let scope = self.modules[id].scope.borrow();
            let mut names: Vec<Name> = scope.keys().filter(|name| !name.starts_with('_')).cloned().collect();
            names.sort();
            names
        });
        for name in names {
            let value = match self.attribute(id, &name) {
                Attribute::Value(value) => value,
                Attribute::Unknown => Value::Unknown,
                Attribute::Missing => {
                    let full = format!("{}.{name}", self.modules[id].name);
                    match self.modules[id].package && self.outside.find(&full) != Found::Missing {
                        true => Value::Module(self.import(&full)?),
                        false => Value::Unknown,
                    }
                }
            };
            let maybe = self.modules[id].scope.borrow().get(&name).is_some_and(|it| it.maybe);
            self.bind_as(&name, Binding { value, maybe }, frame);
        }
        self.modules[frame.module].open |= !is_known;
        Ok(())
    }

    pub fn for_statement(
        &mut self,
        target: &Expr,
        items: &Expr,
        body: &[Stmt],
        otherwise: &[Stmt],
        frame: &mut Frame,
    ) -> Done {
        let items = self.eval(items, frame)?;
        if matches!(&items, Value::Known(what) if what.as_ref() == "sys.modules") {
            // Those that were followed are among them for certain; the others are seen below.
            let mut names: Vec<Name> = self.by_name.keys().cloned().collect();
            names.sort();
            for name in names {
                self.assign(target, Value::Str(name), frame)?;
                match self.block(body, frame)? {
                    Flow::Next | Flow::Continue => {}
                    _ => break,
                }
            }
        }
        if let Some(values) = self.iterate(&items).filter(|values| values.len() <= 400) {
            for value in values {
                self.assign(target, value, frame)?;
                match self.block(body, frame)? {
                    Flow::Next | Flow::Continue => {}
                    Flow::Break => return Ok(Flow::Next),
                    flow => return Ok(flow),
                }
            }
            return self.block(otherwise, frame);
        }
        self.perhaps(frame, |walker, frame| {
            walker.assign(target, Value::Unknown, frame)?;
            walker.block(body, frame)
        })?;
        self.perhaps(frame, |walker, frame| walker.block(otherwise, frame))?;
        Ok(Flow::Next)
    }

    pub fn class_statement(&mut self, it: &tree::Class, frame: &mut Frame) -> Result<(), Box<Exception>> {
        let mut kinds = vec![class_kind(&it.name, frame.module)];
        let mut open = false;
        for base in &it.bases {
            match self.eval(base, frame)? {
                Value::Class(base) => {
                    kinds.extend(base.kinds.iter().cloned());
                    open |= base.open;
                }
                Value::Known(name) => kinds.extend(lineage(name.rsplit('.').next().unwrap_or_default())),
                _ => open = true,
            }
        }
        // `class A(A, A)` in a loop.
        if kinds.len() > 500 {
            kinds.truncate(500);
            open = true;
        }
        let scope = Scope::default();
        let mut inner = frame.inside(scope);
        self.block(&it.body, &mut inner)?;
        let class = Class { name: it.name.clone(), module: frame.module, kinds, open };
        let value = self.decorated(Value::Class(Rc::new(class)), &it.decorators, frame)?;
        self.bind(&it.name, value, frame);
        Ok(())
    }

    /// What decorators make of a function or class: that of the standard library that keep what it does leave it.
    pub fn decorated(&mut self, value: Value, decorators: &[Expr], frame: &mut Frame) -> Result<Value, Box<Exception>> {
        const TRANSPARENT: [&str; 6] = [
            "functools.lru_cache",
            "functools.cache",
            "functools.wraps",
            "builtins.staticmethod",
            "contextlib.contextmanager",
            "dataclasses.dataclass",
        ];
        let mut value = value;
        for decorator in decorators.iter().rev() {
            let function = match decorator {
                Expr::Call(call) => {
                    let function = self.eval(&call.function, frame)?;
                    for arg in call.args.iter().chain(call.keywords.iter().map(|(_, it)| it)) {
                        self.eval(arg, frame)?;
                    }
                    function
                }
                other => self.eval(other, frame)?,
            };
            if matches!(&function, Value::Known(name) if name.as_ref() == "enum.global_enum") {
                self.modules[frame.module].open = true;
            }
            let keeps = matches!(&function, Value::Known(name) if TRANSPARENT.contains(&name.as_ref()));
            if !keeps {
                value = Value::Unknown;
            }
        }
        Ok(value)
    }

    /// Puts a module's table of names in its place.
    pub fn stands_for(&mut self, id: usize, args: &[Value]) {
        let mut all = Table::default();
        let mut found = false;
        for value in args {
            let Value::Table(table) = value else { continue };
            let table = table.borrow();
            found = true;
            all.open |= table.open;
            for key in &table.order {
                let Some(Value::Items(items)) = table.entries.get(key) else {
                    all.put(key.clone(), Value::None);
                    continue;
                };
                let items = items.borrow();
                all.open |= items.open;
                // A module below it, by the last part of its name.
                all.put(key.clone(), Value::None);
                for item in &items.values {
                    match item {
                        Value::Str(name) => all.put(name.clone(), Value::Str(key.clone())),
                        _ => all.open = true,
                    }
                }
            }
        }
        all.open |= !found;
        let module = &mut self.modules[id];
        let scope = module.scope.borrow();
        for name in scope.keys() {
            if !all.entries.contains_key(name) {
                all.put(name.clone(), Value::None);
            }
        }
        drop(scope);
        all.open |= module.stated.iter().any(|it| it.as_ref() == "*");
        module.lazy = Some(Rc::new(std::cell::RefCell::new(all)));
    }

    /// Python before 3.14 evaluates annotations where it comes to them.
    pub fn annotations(&mut self, all: &[Expr], frame: &mut Frame) -> Result<(), Box<Exception>> {
        if self.outside.python() < (3, 14, 0) {
            for it in all {
                self.eval(it, frame)?;
            }
        }
        Ok(())
    }

    pub fn closure(
        &mut self,
        function: &std::sync::Arc<tree::Function>,
        frame: &mut Frame,
    ) -> Result<Rc<Closure>, Box<Exception>> {
        let mut defaults = Vec::new();
        for param in &function.params {
            defaults.push(match &param.default {
                Some(default) => Some(self.eval(default, frame)?),
                None => None,
            });
        }
        self.annotations(&function.annotations, frame)?;
        let scopes = frame.around();
        Ok(Rc::new(Closure { function: function.clone(), module: frame.module, scopes, defaults }))
    }
}
