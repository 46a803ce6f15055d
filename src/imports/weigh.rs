//! What operators make of values: sums, parts, comparisons.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::rc::Rc;
use std::str::FromStr;

use crate::pep::Version;

use super::state::Walker;
use super::value::TOGETHER;
use super::value::{Items, Table, Value};
use crate::python::syntax::tree::Compare;

impl Walker<'_> {
    pub fn add(&mut self, left: &Value, right: &Value, in_place: bool) -> Value {
        match (left, right) {
            (Value::Str(a), Value::Str(b)) => self.text(&format!("{a}{b}")),
            (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map_or(Value::Unknown, Value::Int),
            (Value::Items(a), b) => {
                let more = self.iterate(b);
                let open = more.is_none();
                if in_place {
                    let mut a = a.borrow_mut();
                    a.extend(more.unwrap_or_default());
                    a.open |= open;
                    a.perhaps |= self.level > 0;
                    return left.clone();
                }
                let a = a.borrow();
                self.charge(a.values.len());
                let mut sum =
                    Items { values: a.values.clone(), open: a.open || open, perhaps: a.perhaps, is_set: a.is_set };
                sum.extend(more.unwrap_or_default());
                Value::Items(Rc::new(RefCell::new(sum)))
            }
            _ => Value::Unknown,
        }
    }

    /// The values that a loop gets, where all of them are known.
    pub fn iterate(&self, value: &Value) -> Option<Vec<Value>> {
        let values: Vec<Value> = match value {
            Value::Items(items) => {
                Some(items.borrow()).filter(|it| !it.open && !it.perhaps).map(|it| it.values.clone())?
            }
            Value::Table(table) => {
                let table = table.borrow();
                (!table.open).then(|| table.order.iter().map(|it| Value::Str(it.clone())).collect())?
            }
            _ => return None,
        };
        self.charge(values.len());
        Some(values)
    }

    /// Takes over the entries of another dict.
    pub fn take_entries(&self, table: &mut Table, other: &Table) {
        self.charge(other.order.len() * 4);
        for key in &other.order {
            if let Some(value) = other.entries.get(key) {
                table.put(key.clone(), value.clone());
            }
        }
        table.open |= other.open;
    }

    pub fn slice(&self, value: &Value, lower: Option<Value>, upper: Option<Value>) -> Value {
        let values = self.iterate(value);
        let len = match (value, &values) {
            (Value::Str(text), _) if text.is_ascii() => text.len(),
            (_, Some(values)) => values.len(),
            _ => return Value::Unknown,
        };
        let len = i64::try_from(len).unwrap_or(i64::MAX);
        let place = |it: Option<Value>, or: i64| match it {
            None => Some(or),
            Some(Value::Int(it)) => Some(if it < 0 { (len + it).max(0) } else { it.min(len) }),
            _ => None,
        };
        let (Some(lower), Some(upper)) = (place(lower, 0), place(upper, len)) else { return Value::Unknown };
        let (Ok(lower), Ok(upper)) = (usize::try_from(lower), usize::try_from(upper)) else { return Value::Unknown };
        match value {
            Value::Str(text) => text.get(lower..upper.max(lower)).map_or(Value::Unknown, Value::str),
            _ => Value::items(values.unwrap_or_default().get(lower..upper.max(lower)).unwrap_or_default().to_vec()),
        }
    }

    pub fn subscript(&self, value: &Value, index: &Value) -> Value {
        match (value, index) {
            (Value::Items(_), Value::Int(at)) => {
                let Some(values) = self.iterate(value) else { return Value::Unknown };
                let at = if *at < 0 { i64::try_from(values.len()).unwrap_or(0) + at } else { *at };
                usize::try_from(at).ok().and_then(|at| values.get(at)).cloned().unwrap_or(Value::Unknown)
            }
            (Value::Str(text), Value::Int(at)) => {
                let len = i64::try_from(text.len()).unwrap_or(i64::MAX);
                let at = usize::try_from(if *at < 0 { len + at } else { *at }).ok();
                let letter = at.filter(|_| text.is_ascii()).and_then(|at| text.get(at..=at));
                letter.map_or(Value::Unknown, Value::str)
            }
            (Value::Table(table), Value::Str(key)) => {
                table.borrow().entries.get(key).cloned().unwrap_or(Value::Unknown)
            }
            (Value::Known(what), Value::Str(name)) if what.as_ref() == "sys.modules" => {
                self.by_name.get(name).map_or(Value::Unknown, |id| Value::Module(*id))
            }
            (Value::Known(what), Value::Str(name)) if what.as_ref() == "os.environ" => {
                self.outside.variable(name).flatten().map_or(Value::Unknown, |it| Value::str(&it))
            }
            (Value::Globals(id), Value::Str(name)) => {
                let scope = self.modules[*id].scope.borrow();
                scope.get(name).filter(|it| !it.maybe).map_or(Value::Unknown, |it| it.value.clone())
            }
            _ => Value::Unknown,
        }
    }

    pub fn compare(&self, left: &Value, op: Compare, right: &Value) -> Option<bool> {
        let same = || left.same(right);
        match op {
            Compare::Equal => same(),
            Compare::Unequal => same().map(|it| !it),
            Compare::Is | Compare::IsNot => {
                let is = match (left, right) {
                    (Value::None, Value::None) => Some(true),
                    (Value::Unknown | Value::Known(_) | Value::Method(_), _)
                    | (_, Value::Unknown | Value::Known(_) | Value::Method(_)) => None,
                    (Value::None, _) | (_, Value::None) => Some(false),
                    _ => same(),
                };
                is.map(|it| it == (op == Compare::Is))
            }
            Compare::In | Compare::NotIn => self.contains(right, left).map(|it| it == (op == Compare::In)),
            Compare::Less | Compare::LessEqual | Compare::Greater | Compare::GreaterEqual => {
                let order = order(left, right, &mut TOGETHER.clone())?;
                Some(match op {
                    Compare::Less => order.is_lt(),
                    Compare::LessEqual => order.is_le(),
                    Compare::Greater => order.is_gt(),
                    _ => order.is_ge(),
                })
            }
        }
    }

    pub fn contains(&self, all: &Value, one: &Value) -> Option<bool> {
        match (all, one) {
            (Value::Str(all), Value::Str(one)) => Some(all.contains(one.as_ref())),
            (Value::Items(items), one) => {
                let items = items.borrow();
                let mut known = !items.open;
                self.charge(items.values.len());
                for it in &items.values {
                    match it.same(one) {
                        Some(true) if !items.perhaps => return Some(true),
                        Some(true) => known = false,
                        Some(false) => {}
                        None => known = false,
                    }
                }
                known.then_some(false)
            }
            (Value::Table(table), Value::Str(one)) => {
                let table = table.borrow();
                if table.entries.contains_key(one) { Some(true) } else { (!table.open).then_some(false) }
            }
            (Value::Known(what), Value::Str(name)) if what.as_ref() == "os.environ" => {
                self.outside.variable(name).map(|it| it.is_some())
            }
            (Value::Known(what), Value::Str(name)) if what.as_ref() == "sys.modules" => {
                self.by_name.contains_key(name).then_some(true)
            }
            (Value::Globals(id), Value::Str(name)) => {
                let module = &self.modules[*id];
                let is_there = module.scope.borrow().get(name).map(|it| !it.maybe);
                match is_there {
                    Some(true) => Some(true),
                    Some(false) => None,
                    None => (!module.open).then_some(false),
                }
            }
            _ => None,
        }
    }
}

/// A version, as `packaging` reads it.
pub fn version(text: &str) -> Value {
    Version::from_str(text.trim()).map_or(Value::Unknown, |it| Value::Version(Rc::new(it)))
}

fn order(left: &Value, right: &Value, most: &mut u32) -> Option<Ordering> {
    *most = most.checked_sub(1)?;
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
        (Value::Version(a), Value::Version(b)) => Some(a.cmp(b)),
        (Value::Items(a), Value::Items(b)) => {
            let (a, b) = (a.borrow(), b.borrow());
            if a.open || b.open || a.is_set || b.is_set {
                return None;
            }
            for (a, b) in a.values.iter().zip(&b.values) {
                match order(a, b, most)? {
                    Ordering::Equal => {}
                    other => return Some(other),
                }
            }
            Some(a.values.len().cmp(&b.values.len()))
        }
        _ => None,
    }
}
