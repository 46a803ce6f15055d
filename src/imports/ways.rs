//! Ways that are perhaps gone: both arms of a test that nobody can decide, and where they meet.

use std::rc::Rc;

use super::Wanted;
use super::state::{Flow, Frame, Walker};
use super::text::is_type_checking;
use super::value::{Binding, Exception, Scope, Value};
use crate::python::syntax::tree::{Expr, Name, Stmt, StmtKind};

type Done = Result<Flow, Box<Exception>>;

impl Walker<'_> {
    /// The branches of an `if`: those whose test is known are taken or left, the others perhaps.
    pub fn branches(&mut self, branches: &[(Expr, Vec<Stmt>)], otherwise: &[Stmt], frame: &mut Frame) -> Done {
        let mut branches = branches;
        let (body, rest) = loop {
            let Some(((test, body), rest)) = branches.split_first() else { return self.block(otherwise, frame) };
            if is_type_checking(test) {
                self.state_names(body, frame);
            } else {
                match self.eval(test, frame)?.truth() {
                    Some(true) => return self.block(body, frame),
                    Some(false) => {}
                    None => break (body, rest),
                }
            }
            branches = rest;
        };
        self.either(frame, &mut |walker, frame| walker.block(body, frame), &mut |walker, frame| {
            // Each `elif` stands in the `else` of the one before: too many of them nest too deep.
            walker.depth += 1;
            let done = match walker.is_spent() {
                true => Ok(Flow::Next),
                false => walker.branches(rest, otherwise, frame),
            };
            walker.depth -= 1;
            done
        })
    }

    /// What is stated for type checkers alone.
    pub fn state_names(&mut self, body: &[Stmt], frame: &Frame) {
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
        if names.iter().any(|it| it.as_ref() == "*")
            && let Some(lazy) = &module.lazy
        {
            lazy.borrow_mut().open = true;
        }
        module.stated.extend(names);
    }

    /// Runs one way and the other, and keeps what both agree on.
    pub fn either(
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
    pub fn perhaps(
        &mut self,
        frame: &mut Frame,
        mut body: impl FnMut(&mut Self, &mut Frame) -> Done,
    ) -> Result<(), Box<Exception>> {
        self.either(frame, &mut body, &mut |_, _| Ok(Flow::Next)).map(drop)
    }

    /// Runs something whose changes are taken back, and gives them.
    pub fn tentative(
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
    pub fn apply(&mut self, changes: Vec<(Scope, Name, Option<Binding>)>) {
        for (scope, name, now) in last(changes) {
            self.set(&scope, name, now);
        }
    }

    pub fn merge(&mut self, first: Vec<(Scope, Name, Option<Binding>)>, second: Vec<(Scope, Name, Option<Binding>)>) {
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

    pub fn bind_as(&mut self, name: &Name, binding: Binding, frame: &Frame) {
        let scope = match frame.globals.contains(name) {
            true => self.modules[frame.module].scope.clone(),
            false => frame.scope.clone(),
        };
        self.set(&scope, name.clone(), Some(binding));
    }

    pub fn unbind(&mut self, name: &Name, frame: &Frame) {
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
