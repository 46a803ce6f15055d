//! Exceptions: what is tried, what is caught, and what is raised.

use std::rc::Rc;

use super::Wanted;
use super::state::{Catch, Flow, Frame, Walker};
use super::value::{Exception, TOGETHER, Value, class_kind, lineage};
use crate::python::syntax::tree::{Expr, Stmt, StmtKind, Try};

type Done = Result<Flow, Box<Exception>>;

impl Walker<'_> {
    pub fn with_statement(&mut self, items: &[(Expr, Option<Expr>)], body: &[Stmt], frame: &mut Frame) -> Done {
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
    pub fn manager(&mut self, what: &Expr, frame: &mut Frame) -> Result<Option<Catch>, Box<Exception>> {
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
    pub fn kinds_of(&self, value: &Value) -> Option<Vec<Rc<str>>> {
        self.kinds_within(value, &mut TOGETHER.clone())
    }

    fn kinds_within(&self, value: &Value, most: &mut u32) -> Option<Vec<Rc<str>>> {
        *most = most.checked_sub(1)?;
        match value {
            Value::Known(name) => Some(vec![name.rsplit('.').next().unwrap_or_default().into()]),
            Value::Class(class) => Some(vec![class_kind(class.name.as_ref(), class.module)]),
            Value::Items(items) => {
                let items = items.borrow();
                let all: Option<Vec<_>> = items.values.iter().map(|it| self.kinds_within(it, most)).collect();
                all.filter(|_| !items.open).map(|it| it.into_iter().flatten().collect())
            }
            _ => None,
        }
    }

    pub fn try_statement(&mut self, it: &Try, frame: &mut Frame) -> Done {
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

    /// The exception that a statement raises.
    pub fn raise(&mut self, value: Option<&Expr>, frame: &mut Frame) -> Result<Box<Exception>, Box<Exception>> {
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
    pub fn says(&mut self, value: &Expr, frame: &mut Frame) -> String {
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
