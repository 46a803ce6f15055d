//! Methods of texts, lists, dicts and namespaces.

use std::rc::Rc;

use super::state::Walker;
use super::value::{Binding, MOST, Table, Value};
use crate::python::syntax::tree::Name;

impl Walker<'_> {
    pub fn method(&mut self, of: &Value, name: &str, args: &[Value], named: &[(Name, Value)]) -> Value {
        match (of, name) {
            (Value::Str(text), _) => self.charge(text.len()),
            (Value::Table(table), "items" | "keys" | "values" | "copy") => self.charge(table.borrow().order.len() * 4),
            _ => {}
        }
        match (of, name, args) {
            (Value::Str(text), "upper", []) => Value::str(&text.to_uppercase()),
            (Value::Str(text), "lower", []) => Value::str(&text.to_lowercase()),
            (Value::Str(text), "strip", []) => Value::str(text.trim()),
            (Value::Str(text), "startswith" | "endswith", [Value::Str(part)]) => Value::Bool(match name {
                "startswith" => text.starts_with(part.as_ref()),
                _ => text.ends_with(part.as_ref()),
            }),
            (Value::Str(text), "replace", [Value::Str(a), Value::Str(b)]) => {
                let most = text.len().saturating_mul(b.len().max(1));
                if most > MOST * 16 { Value::Unknown } else { self.text(&text.replace(a.as_ref(), b)) }
            }
            (Value::Str(text), "split", []) => Value::items(text.split_whitespace().map(Value::str).collect()),
            (Value::Str(text), "split" | "rsplit", [Value::Str(by)]) if !by.is_empty() => {
                Value::items(text.split(by.as_ref()).map(Value::str).collect())
            }
            (Value::Str(text), "split", [Value::Str(by), Value::Int(most)]) if !by.is_empty() && *most >= 0 => {
                let most = usize::try_from(*most).unwrap_or(usize::MAX).saturating_add(1);
                Value::items(text.splitn(most, by.as_ref()).map(Value::str).collect())
            }
            (Value::Str(text), "rpartition", [Value::Str(by)]) => match text.rsplit_once(by.as_ref()) {
                Some((a, b)) => Value::items(vec![Value::str(a), Value::Str(by.clone()), Value::str(b)]),
                None => Value::Unknown,
            },
            (Value::Str(text), "isdigit", []) => {
                Value::Bool(!text.is_empty() && text.chars().all(|it| it.is_ascii_digit()))
            }
            (Value::Str(by), "join", [value]) => {
                let texts = self.iterate(value).filter(|it| it.len() * by.len() <= MOST).and_then(|values| {
                    values.iter().map(|it| if let Value::Str(it) = it { Some(it.to_string()) } else { None }).collect()
                });
                texts.map_or(Value::Unknown, |texts: Vec<String>| self.text(&texts.join(by)))
            }
            (Value::Str(_), ..) => Value::Unknown,
            (Value::Items(items), "append" | "add", [value]) => {
                let mut items = items.borrow_mut();
                items.perhaps |= self.level > 0;
                items.extend(vec![value.clone()]);
                Value::None
            }
            (Value::Items(items), "extend" | "update", [value]) => {
                let more = self.iterate(value);
                let mut items = items.borrow_mut();
                items.open |= more.is_none();
                items.perhaps |= self.level > 0;
                items.extend(more.unwrap_or_default());
                Value::None
            }
            (Value::Items(items), "copy", []) => Value::Items(items.clone()),
            (Value::Items(items), "index" | "count", _) => {
                let _ = items;
                Value::Unknown
            }
            (Value::Items(items), ..) => {
                items.borrow_mut().open = true;
                Value::Unknown
            }
            (Value::Table(table), "get", [Value::Str(key), rest @ ..]) => {
                let table = table.borrow();
                match table.entries.get(key) {
                    Some(value) => value.clone(),
                    None if table.open => Value::Unknown,
                    None => rest.first().cloned().unwrap_or(Value::None),
                }
            }
            (Value::Table(table), "items" | "keys" | "values", []) => {
                let table = table.borrow();
                let entry = |key: &Name| {
                    let value = table.entries.get(key).cloned().unwrap_or(Value::Unknown);
                    match name {
                        "items" => Value::items(vec![Value::Str(key.clone()), value]),
                        "keys" => Value::Str(key.clone()),
                        _ => value,
                    }
                };
                let items = Value::items(table.order.iter().map(entry).collect());
                if let Value::Items(items) = &items {
                    let mut items = items.borrow_mut();
                    (items.open, items.is_set) = (table.open, name != "values");
                }
                items
            }
            (Value::Table(table), "update", _) => {
                match args {
                    [Value::Table(other)] if !Rc::ptr_eq(table, other) => {
                        self.take_entries(&mut table.borrow_mut(), &other.borrow());
                    }
                    [] => {}
                    _ => table.borrow_mut().open = true,
                }
                for (name, value) in named {
                    table.borrow_mut().put(name.clone(), value.clone());
                }
                Value::None
            }
            (Value::Table(table), "setdefault", [Value::Str(key), value]) => {
                let mut table = table.borrow_mut();
                if let Some(before) = table.entries.get(key) {
                    return before.clone();
                }
                table.put(key.clone(), value.clone());
                if table.open { Value::Unknown } else { value.clone() }
            }
            (Value::Table(table), "copy", []) => {
                let mut copy = Table::default();
                self.take_entries(&mut copy, &table.borrow());
                Value::table(copy)
            }
            (Value::Table(table), ..) => {
                table.borrow_mut().open = true;
                Value::Unknown
            }
            (Value::Globals(id), "update", [Value::Table(table)]) => {
                let table = table.borrow();
                let scope = self.modules[*id].scope.clone();
                for key in &table.order {
                    let value = table.entries.get(key).cloned().unwrap_or(Value::Unknown);
                    self.set(&scope, key.clone(), Some(Binding { value, maybe: false }));
                }
                self.modules[*id].open |= table.open;
                Value::None
            }
            (Value::Globals(id), "get" | "pop", [Value::Str(key), rest @ ..]) => {
                let scope = self.modules[*id].scope.borrow();
                match scope.get(key) {
                    Some(it) if !it.maybe => it.value.clone(),
                    None if !self.modules[*id].open => rest.first().cloned().unwrap_or(Value::None),
                    _ => Value::Unknown,
                }
            }
            (Value::Globals(id), "update" | "setdefault" | "__setitem__", _) => {
                self.modules[*id].open = true;
                Value::Unknown
            }
            _ => Value::Unknown,
        }
    }
}
