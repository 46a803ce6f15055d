//! Statements, followed in their order.

use std::rc::Rc;

use super::Wanted;
use super::eval::Frame;
use super::value::{Binding, Class, Closure, Exception, Scope, Table, Value, lineage};
use super::walk::{Attribute, Walker};
use crate::python::syntax::tree::{self, Alias, Expr, Name, Stmt, StmtKind, Try};

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

    fn statement(&mut self, stmt: &Stmt, frame: &mut Frame) -> Done {
        match &stmt.kind {
            StmtKind::Import(names) => self.import_statement(names, frame)?,
            StmtKind::From { level, module, names } => self.from_statement(*level, module.as_ref(), names, frame)?,
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
                if frame.is_module && self.level == 0 && !is_caught && super::call::is_doubtful(&exception) {
                    self.modules[frame.module].open = true;
                    return Ok(Flow::Next);
                }
                return Err(exception);
            }
            StmtKind::Assert(test) => {
                let value = self.eval(test, frame)?;
                if value.truth() == Some(false) {
                    return Err(Exception::new("AssertionError", None));
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
            StmtKind::Nothing => {}
        }
        Ok(Flow::Next)
    }

    fn import_statement(&mut self, names: &[Alias], frame: &mut Frame) -> Result<(), Box<Exception>> {
        for it in names {
            let id = self.import(&it.name)?;
            match &it.as_name {
                Some(name) => self.bind(name, Value::Module(id), frame),
                None => {
                    let first = it.name.split('.').next().unwrap_or_default();
                    let id = self.import(first)?;
                    self.bind(&Name::from(first), Value::Module(id), frame);
                }
            }
        }
        Ok(())
    }

    fn from_statement(
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
    fn star(&mut self, id: usize, frame: &mut Frame) -> Result<(), Box<Exception>> {
        let module = &self.modules[id];
        if let Some(names) = module.library.clone() {
            let module = module.name.clone();
            for name in &names.all {
                self.bind(name, Value::known(&format!("{module}.{name}")), frame);
            }
            self.modules[frame.module].open |= names.open;
            return Ok(());
        }
        let is_open = module.open || module.lazy.is_some() || matches!(module.state, super::walk::State::Running);
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
                    match self.modules[id].package && self.outside.find(&full) != super::Found::Missing {
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

    /// The branches of an `if`: those whose test is known are taken or left, the others perhaps.
    fn branches(&mut self, branches: &[(Expr, Vec<Stmt>)], otherwise: &[Stmt], frame: &mut Frame) -> Done {
        let Some(((test, body), rest)) = branches.split_first() else { return self.block(otherwise, frame) };
        if is_type_checking(test) {
            self.state_names(body, frame);
            return self.branches(rest, otherwise, frame);
        }
        match self.eval(test, frame)?.truth() {
            Some(true) => self.block(body, frame),
            Some(false) => self.branches(rest, otherwise, frame),
            None => self.either(frame, &mut |walker, frame| walker.block(body, frame), &mut |walker, frame| {
                walker.branches(rest, otherwise, frame)
            }),
        }
    }

    /// What is stated for type checkers alone.
    fn state_names(&mut self, body: &[Stmt], frame: &Frame) {
        let mut names = Vec::new();
        for stmt in body {
            match &stmt.kind {
                StmtKind::Import(aliases) | StmtKind::From { names: aliases, .. } => {
                    let own = aliases.iter().map(|it| it.as_name.as_ref().unwrap_or(&it.name));
                    names.extend(own.map(|it| Name::from(it.split('.').next().unwrap_or_default())));
                }
                StmtKind::Def(it, _) => names.push(it.name.clone()),
                StmtKind::Class(it) => names.push(it.name.clone()),
                StmtKind::Try(it) => {
                    self.state_names(&it.body, frame);
                    self.state_names(&it.otherwise, frame);
                }
                StmtKind::If(branches, otherwise) => {
                    branches.iter().for_each(|(_, body)| self.state_names(body, frame));
                    self.state_names(otherwise, frame);
                }
                StmtKind::Assign(targets, _) => {
                    names.extend(targets.iter().filter_map(|it| match it {
                        Expr::Name(name) => Some(name.clone()),
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
        let module = &mut self.modules[frame.module];
        // `from .models import *` for type checkers states what nobody follows.
        if names.iter().any(|it| it.as_ref() == "*") {
            if let Some(lazy) = &module.lazy {
                lazy.borrow_mut().open = true;
            }
            frame.open_stated.set(true);
        }
        module.stated.extend(names);
    }

    /// Runs one way and the other, and keeps what both agree on.
    fn either(
        &mut self,
        frame: &mut Frame,
        one: &mut dyn FnMut(&mut Self, &mut Frame) -> Done,
        other: &mut dyn FnMut(&mut Self, &mut Frame) -> Done,
    ) -> Done {
        let (first, first_changes) = self.tentative(frame, one);
        let (second, second_changes) = self.tentative(frame, other);
        let (first_fails, second_fails) = (first.is_err(), second.is_err());
        // Two ways that both fail leave none.
        if let (Err(exception), Err(_)) = (&first, &second) {
            return Err(exception.clone());
        }
        for done in [&first, &second] {
            if let Err(exception) = done {
                self.conditional(exception);
            }
        }
        // What a way that ends here has changed is not seen after it.
        let leaves = |done: &Done| matches!(done, Ok(Flow::Return(_) | Flow::Break | Flow::Continue));
        let (first_gone, second_gone) = (first_fails || leaves(&first), second_fails || leaves(&second));
        match (first_gone, second_gone) {
            (true, true) => {}
            (true, false) => self.apply(second_changes),
            (false, true) => self.apply(first_changes),
            (false, false) => self.merge(first_changes, second_changes),
        }
        let mut flows = [first, second].into_iter().filter_map(Result::ok);
        let (Some(a), b) = (flows.next(), flows.next()) else { return Ok(Flow::Next) };
        Ok(match (a, b) {
            (flow, None) => flow,
            (Flow::Return(a), Some(Flow::Return(b))) => {
                Flow::Return(if a.is_one_with(&b) { a } else { Value::Unknown })
            }
            (Flow::Return(value), Some(_)) | (_, Some(Flow::Return(value))) => {
                frame.perhaps_returned.push(value);
                // The rest of the function runs perhaps.
                self.level = self.level.max(1);
                Flow::Next
            }
            (Flow::Break, Some(Flow::Break)) => Flow::Break,
            (Flow::Continue, Some(Flow::Continue)) => Flow::Continue,
            _ => Flow::Next,
        })
    }

    /// Runs what may not run at all.
    fn perhaps(
        &mut self,
        frame: &mut Frame,
        mut body: impl FnMut(&mut Self, &mut Frame) -> Done,
    ) -> Result<(), Box<Exception>> {
        self.either(frame, &mut body, &mut |_, _| Ok(Flow::Next)).map(drop)
    }

    /// Runs something whose changes are taken back, and gives them.
    fn tentative(
        &mut self,
        frame: &mut Frame,
        body: &mut dyn FnMut(&mut Self, &mut Frame) -> Done,
    ) -> (Done, Vec<(Scope, Name, Option<Binding>)>) {
        let level = self.level;
        self.level = level.max(1);
        self.log.push(Vec::new());
        let here = self.here.1;
        let done = body(self, frame);
        self.here.1 = here;
        // Where it has perhaps returned, the rest runs perhaps.
        self.level = if frame.perhaps_returned.is_empty() { level } else { level.max(1) };
        let mut log = self.log.pop().unwrap_or_default();
        for (scope, name, before) in log.iter_mut().rev() {
            let mut names = scope.borrow_mut();
            let now = match before.take() {
                Some(binding) => names.insert(name.clone(), binding),
                None => names.remove(name),
            };
            *before = now;
        }
        (done, log)
    }

    /// Of changes in the order in which they came, the last of each name.
    fn apply(&mut self, changes: Vec<(Scope, Name, Option<Binding>)>) {
        for (scope, name, now) in last(changes) {
            self.set(&scope, name, now);
        }
    }

    fn merge(&mut self, first: Vec<(Scope, Name, Option<Binding>)>, second: Vec<(Scope, Name, Option<Binding>)>) {
        let (first, mut second) = (last(first), last(second));
        for (scope, name, now) in first {
            let before = scope.borrow().get(&name).cloned();
            let at = second.iter().position(|(other, its, _)| Rc::ptr_eq(other, &scope) && *its == name);
            let other = at.map_or(before, |at| second.swap_remove(at).2);
            self.set(&scope, name, both(now, other));
        }
        for (scope, name, now) in second {
            let before = scope.borrow().get(&name).cloned();
            self.set(&scope, name, both(now, before));
        }
    }

    /// Binds a name in a scope, and remembers what it was.
    pub fn set(&mut self, scope: &Scope, name: Name, binding: Option<Binding>) {
        let mut names = scope.borrow_mut();
        let before = match binding {
            Some(binding) => names.insert(name.clone(), binding),
            None => names.remove(&name),
        };
        drop(names);
        if let Some(log) = self.log.last_mut() {
            log.push((scope.clone(), name, before));
        }
    }

    pub fn bind(&mut self, name: &Name, value: Value, frame: &Frame) {
        self.bind_as(name, Binding { value, maybe: false }, frame);
    }

    fn bind_as(&mut self, name: &Name, binding: Binding, frame: &Frame) {
        let scope = match frame.globals.contains(name) {
            true => self.modules[frame.module].scope.clone(),
            false => frame.scope.clone(),
        };
        self.set(&scope, name.clone(), Some(binding));
    }

    fn unbind(&mut self, name: &Name, frame: &Frame) {
        let scope = frame.scope.clone();
        self.set(&scope, name.clone(), None);
    }

    /// Remembers what fails on one of two ways, unless something around catches it.
    pub fn conditional(&mut self, exception: &Exception) {
        let Some(evidence) = &exception.evidence else { return };
        // A whole package that is not there is an option that nobody chose, and a part of its own one that was left out.
        let top = evidence.module.split('.').next().unwrap_or_default();
        let own = self.modules.iter().find(|it| it.path.as_deref() == Some(evidence.file.as_str()));
        let is_own = own.is_some_and(|it| it.name.split('.').next() == Some(top));
        let is_option = is_own || (evidence.wanted == Wanted::Module && evidence.owner.is_none());
        if evidence.wanted == Wanted::Stop
            || is_option
            || self.level > 1
            || self.tries.iter().any(|it| it.catches(exception))
        {
            return;
        }
        self.evidence.push((evidence.as_ref().clone(), None));
    }

    fn for_statement(
        &mut self,
        target: &Expr,
        items: &Expr,
        body: &[Stmt],
        otherwise: &[Stmt],
        frame: &mut Frame,
    ) -> Done {
        let items = self.eval(items, frame)?;
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

    fn with_statement(&mut self, items: &[(Expr, Option<Expr>)], body: &[Stmt], frame: &mut Frame) -> Done {
        let mut catches = None;
        for (what, target) in items {
            let catch = self.manager(what, frame)?;
            catches = catches.or(catch);
            if let Some(target) = target {
                self.assign(target, Value::Unknown, frame)?;
            }
        }
        let Some(catch) = catches else { return self.block(body, frame) };
        self.tries.push(catch.clone());
        let done = self.block(body, frame);
        self.tries.pop();
        match done {
            Err(exception) if catch.catches(&exception) => Ok(Flow::Next),
            done => done,
        }
    }

    /// What a context manager catches; one that is not known may catch anything.
    fn manager(&mut self, what: &Expr, frame: &mut Frame) -> Result<Option<Catch>, Box<Exception>> {
        if let Expr::Call(call) = what {
            let function = self.eval(&call.function, frame)?;
            if let Value::Known(name) = &function {
                if name.as_ref() == "contextlib.suppress" {
                    let mut kinds = Vec::new();
                    for arg in &call.args {
                        let value = self.eval(arg, frame)?;
                        match self.kinds_of(&value) {
                            Some(of) => kinds.extend(of),
                            None => return Ok(Some(Catch::All)),
                        }
                    }
                    return Ok(Some(Catch::Kinds(kinds)));
                }
                self.eval(what, frame)?;
                return Ok(None);
            }
        }
        let value = self.eval(what, frame)?;
        Ok(if matches!(value, Value::Known(_)) { None } else { Some(Catch::All) })
    }

    /// The kinds that an `except` clause names by this value; none where that is not known.
    fn kinds_of(&self, value: &Value) -> Option<Vec<Rc<str>>> {
        match value {
            Value::Known(name) => Some(vec![name.rsplit('.').next().unwrap_or_default().into()]),
            Value::Class(class) => Some(vec![class_kind(class.name.as_ref(), class.module)]),
            Value::Items(items) => {
                let items = items.borrow();
                let all: Option<Vec<_>> = items.values.iter().map(|it| self.kinds_of(it)).collect();
                all.filter(|_| !items.open).map(|it| it.into_iter().flatten().collect())
            }
            _ => None,
        }
    }

    fn try_statement(&mut self, it: &Try, frame: &mut Frame) -> Done {
        let mut handlers = Vec::new();
        for handler in &it.handlers {
            let catch = match &handler.types {
                None => Catch::All,
                Some(types) => {
                    let value = self.eval(types, frame)?;
                    self.kinds_of(&value).map_or(Catch::All, Catch::Kinds)
                }
            };
            handlers.push((catch, handler));
        }
        let all = match handlers.iter().any(|(catch, _)| matches!(catch, Catch::All)) {
            true => Catch::All,
            false => Catch::Kinds(
                handlers
                    .iter()
                    .flat_map(|(it, _)| if let Catch::Kinds(it) = it { it.clone() } else { Vec::new() })
                    .collect(),
            ),
        };
        let level = self.level;
        self.tries.push(all);
        let mut done = self.block(&it.body, frame);
        self.tries.pop();
        if let Err(exception) = &done {
            let exception = exception.clone();
            if let Some((_, handler)) = handlers.iter().find(|(catch, _)| catch.catches(&exception)) {
                self.level = level;
                if let Some(name) = &handler.name {
                    self.bind(name, Value::Something, frame);
                }
                self.handled.push(*exception);
                done = self.block(&handler.body, frame);
                self.handled.pop();
            }
        } else if matches!(done, Ok(Flow::Next)) {
            // A call that nobody can follow may raise what is handled here.
            if !handlers.is_empty() && !is_plain(&it.body) {
                for (_, handler) in &handlers {
                    let level = std::mem::replace(&mut self.level, 2);
                    self.tries.push(Catch::All);
                    let body = |walker: &mut Self, frame: &mut Frame| {
                        if let Some(name) = &handler.name {
                            walker.bind(name, Value::Something, frame);
                        }
                        walker.block(&handler.body, frame)
                    };
                    let done = self.perhaps(frame, body);
                    self.tries.pop();
                    self.level = level;
                    drop(done);
                }
            }
            done = self.block(&it.otherwise, frame);
        }
        match self.block(&it.finally, frame)? {
            Flow::Next => done,
            flow => Ok(flow),
        }
    }

    fn class_statement(&mut self, it: &tree::Class, frame: &mut Frame) -> Result<(), Box<Exception>> {
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
        let scope = Scope::default();
        let mut inner = frame.inside(scope);
        self.block(&it.body, &mut inner)?;
        let class = Class { name: it.name.clone(), module: frame.module, kinds, open };
        let value = self.decorated(Value::Class(Rc::new(class)), &it.decorators, frame)?;
        self.bind(&it.name, value, frame);
        Ok(())
    }

    /// What decorators make of a function or class: that of the standard library that keep what it does leave it.
    fn decorated(&mut self, value: Value, decorators: &[Expr], frame: &mut Frame) -> Result<Value, Box<Exception>> {
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

    /// The exception that a statement raises.
    fn raise(&mut self, value: Option<&Expr>, frame: &mut Frame) -> Result<Box<Exception>, Box<Exception>> {
        let handled = self.handled.last().cloned();
        let Some(value) = value else {
            return Ok(Box::new(handled.unwrap_or(Exception { kinds: Vec::new(), open: true, evidence: None })));
        };
        let (line, says) = (self.here.1, self.says(value, frame));
        let class = match value {
            Expr::Call(call) => {
                let function = self.eval(&call.function, frame)?;
                for arg in &call.args {
                    self.eval(arg, frame)?;
                }
                function
            }
            other => self.eval(other, frame)?,
        };
        self.here.1 = line;
        let (kinds, open) = match &class {
            Value::Known(name) => (lineage(name.rsplit('.').next().unwrap_or_default()), false),
            Value::Class(class) => (class.kinds.clone(), class.open),
            _ => (Vec::new(), true),
        };
        let cause = handled.and_then(|it| it.evidence);
        let module = self.modules[frame.module].name.clone();
        let own = || Rc::new(self.lack(Wanted::Stop, &module, &says, None));
        Ok(Box::new(Exception { kinds, open, evidence: Some(cause.unwrap_or_else(own)) }))
    }

    /// What an error says, as far as it is known.
    fn says(&mut self, value: &Expr, frame: &mut Frame) -> String {
        let Expr::Call(call) = value else { return String::new() };
        let Some(first) = call.args.first() else { return String::new() };
        let text = match self.eval(first, frame) {
            Ok(Value::Str(text)) => text.to_string(),
            _ => match first {
                Expr::Format(parts) => {
                    let mut text = String::new();
                    for part in parts {
                        match self.eval(part, frame) {
                            Ok(Value::Str(it)) => text.push_str(&it),
                            Ok(Value::Int(it)) => text.push_str(&it.to_string()),
                            Ok(Value::Version(it)) => text.push_str(&it.to_string()),
                            _ => text.push('…'),
                        }
                    }
                    text
                }
                _ => String::new(),
            },
        };
        text.split_whitespace().collect::<Vec<_>>().join(" ")
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
        let scopes = frame.around();
        Ok(Rc::new(Closure { function: function.clone(), module: frame.module, scopes, defaults }))
    }
}

fn class_kind(name: &str, module: usize) -> Rc<str> {
    format!("{name}@{module}").into()
}

/// The last change of each name.
fn last(changes: Vec<(Scope, Name, Option<Binding>)>) -> Vec<(Scope, Name, Option<Binding>)> {
    let mut seen = std::collections::HashSet::new();
    let mut is_last = |(scope, name, _): &(Scope, Name, Option<Binding>)| {
        seen.insert((Rc::as_ptr(scope).cast::<()>() as usize, name.clone()))
    };
    let mut last: Vec<_> = changes.into_iter().rev().filter(|it| is_last(it)).collect();
    last.reverse();
    last
}

/// What a name is bound to where two ways meet.
fn both(a: Option<Binding>, b: Option<Binding>) -> Option<Binding> {
    match (a, b) {
        (Some(a), Some(b)) => {
            let value = if a.value.is_one_with(&b.value) { a.value } else { Value::Unknown };
            Some(Binding { value, maybe: a.maybe || b.maybe })
        }
        (Some(it), None) | (None, Some(it)) => Some(Binding { maybe: true, ..it }),
        (None, None) => None,
    }
}

/// Statements that raise nothing but what an import does.
fn is_plain(body: &[Stmt]) -> bool {
    let plain =
        |value: &Expr| matches!(value, Expr::Name(_) | Expr::Bool(_) | Expr::None | Expr::Int(_) | Expr::Str(_));
    body.iter().all(|stmt| match &stmt.kind {
        StmtKind::Import(_) | StmtKind::From { .. } | StmtKind::Nothing | StmtKind::Def(..) | StmtKind::Class(_) => {
            true
        }
        StmtKind::Assign(_, value) => plain(value),
        StmtKind::Expr(value) => matches!(value, Expr::Str(_)),
        _ => false,
    })
}

pub fn is_type_checking(test: &Expr) -> bool {
    match test {
        Expr::Name(name) => name.as_ref() == "TYPE_CHECKING",
        Expr::Attribute(_, name, _) => name.as_ref() == "TYPE_CHECKING",
        _ => false,
    }
}

/// The full name of what a relative import names; none beyond the top.
pub fn absolute(own: &str, package: bool, level: u32, module: Option<&str>) -> Option<String> {
    if level == 0 {
        return module.map(str::to_owned);
    }
    let mut base = own;
    let up = if package { level - 1 } else { level };
    for _ in 0..up {
        base = base.rsplit_once('.')?.0;
    }
    Some(match module {
        Some(module) => format!("{base}.{module}"),
        None => base.to_owned(),
    })
}
