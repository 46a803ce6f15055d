//! What is made of several expressions: lists, dicts, comparisons, choices, texts.

use std::cell::RefCell;
use std::rc::Rc;

use super::state::{Frame, Walker};
use super::value::{Exception, Items, Table, Value};
use crate::python::syntax::tree::{Compare, Expr, Op};

type Evaluated = Result<Value, Box<Exception>>;

impl Walker<'_> {
    /// `(a, *b)`, `[a]`, `{a}`.
    pub fn items_of(&mut self, parts: &[Expr], is_set: bool, frame: &mut Frame) -> Evaluated {
        let mut items = Items { values: Vec::with_capacity(parts.len()), ..Items::default() };
        items.is_set = is_set;
        for part in parts {
            if let Expr::Starred(inner) = part {
                let inner = self.eval(inner, frame)?;
                match self.iterate(&inner) {
                    Some(more) => items.extend(more),
                    None => items.open = true,
                }
            } else {
                items.values.push(self.eval(part, frame)?);
            }
        }
        Ok(Value::Items(Rc::new(RefCell::new(items))))
    }

    /// `{key: value, **other}`.
    pub fn dict_of(&mut self, entries: &[(Option<Expr>, Expr)], frame: &mut Frame) -> Evaluated {
        let mut table = Table::default();
        for (key, value) in entries {
            let key = match key {
                Some(key) => Some(self.eval(key, frame)?),
                None => None,
            };
            match (key, self.eval(value, frame)?) {
                (Some(Value::Str(key)), value) => table.put(key, value),
                (None, Value::Table(other)) => self.take_entries(&mut table, &other.borrow()),
                _ => table.open = true,
            }
        }
        Ok(Value::table(table))
    }

    /// `a < b <= c`.
    pub fn compared(&mut self, left: &Expr, pairs: &[(Compare, Expr)], frame: &mut Frame) -> Evaluated {
        let mut left = self.eval(left, frame)?;
        let mut all = Some(true);
        for (op, right) in pairs {
            let right = self.eval(right, frame)?;
            match self.compare(&left, *op, &right) {
                Some(true) => {}
                Some(false) => return Ok(Value::Bool(false)),
                None => all = None,
            }
            left = right;
        }
        Ok(all.map_or(Value::Unknown, Value::Bool))
    }

    /// `or`, which ends at what is true, and `and`, which ends at what is not.
    pub fn first_that(&mut self, ends: bool, parts: &[Expr], frame: &mut Frame) -> Evaluated {
        let mut last = Value::Unknown;
        let mut unknown = false;
        for part in parts {
            // Behind what is not known, what is not there may never be asked for.
            if unknown {
                let level = std::mem::replace(&mut self.level, 2);
                let value = self.eval(part, frame);
                self.level = level;
                if let Ok(value) = value
                    && value.truth() == Some(ends)
                {
                    return Ok(Value::Bool(ends));
                }
                continue;
            }
            last = self.eval(part, frame)?;
            match last.truth() {
                Some(truth) if truth == ends => return Ok(last),
                Some(_) => {}
                None => unknown = true,
            }
        }
        Ok(if unknown { Value::Unknown } else { last })
    }

    /// `a + b` and `a | b`.
    pub fn joined(&mut self, left: &Value, op: Op, right: &Value) -> Value {
        match op {
            Op::Add => self.add(left, right, false),
            Op::Or => match (left, right) {
                (Value::Table(a), Value::Table(b)) => {
                    let mut table = Table::default();
                    self.take_entries(&mut table, &a.borrow());
                    self.take_entries(&mut table, &b.borrow());
                    Value::table(table)
                }
                _ => Value::Unknown,
            },
            Op::Percent | Op::Other => Value::Unknown,
        }
    }

    /// `a if test else b`; where nobody knows the test, what both are.
    pub fn chosen(&mut self, test: &Expr, then: &Expr, otherwise: &Expr, frame: &mut Frame) -> Evaluated {
        Ok(match self.eval(test, frame)?.truth() {
            Some(true) => self.eval(then, frame)?,
            Some(false) => self.eval(otherwise, frame)?,
            None => {
                let level = std::mem::replace(&mut self.level, 2);
                let (a, b) = (self.eval(then, frame), self.eval(otherwise, frame));
                self.level = level;
                match (a, b) {
                    (Ok(a), Ok(b)) if a.is_one_with(&b) => a,
                    _ => Value::Unknown,
                }
            }
        })
    }

    /// `f"{a} b"`.
    pub fn formatted(&mut self, parts: &[Expr], frame: &mut Frame) -> Evaluated {
        let mut text = String::new();
        let mut known = true;
        for part in parts {
            match self.eval(part, frame)? {
                Value::Str(it) => text.push_str(&it),
                Value::Int(it) => text.push_str(&it.to_string()),
                _ => known = false,
            }
        }
        Ok(if known { self.text(&text) } else { Value::Unknown })
    }
}
