//! Methods of texts, lists, dicts and namespaces.

use std::cell::RefCell;
use std::rc::Rc;

use super::state::Walker;
use super::value::{Binding, Items, MOST, Table, Value};
use crate::python::syntax::tree::Name;

impl Walker<'_> {
    pub fn method(&mut self, of: &Value, name: &str, args: &[Value], named: &[(Name, Value)]) -> Value {
        match (of, name) {
            (Value::Str(text), _) => self.charge(text.len()),
            (Value::Table(table), "items" | "keys" | "values" | "copy") => self.charge(table.borrow().order.len() * 4),
            _ => {}
        }
        match of {
            Value::Str(text) => self.text_method(text, name, args),
            Value::Items(items) => self.items_method(items, name, args),
            Value::Table(table) => self.table_method(table, name, args, named),
            Value::Globals(id) => self.globals_method(*id, name, args),
            _ => Value::Unknown,
        }
    }

    fn text_method(&mut self, text: &Name, name: &str, args: &[Value]) -> Value {
        match (name, args) {
            ("upper", []) => Value::str(&text.to_uppercase()),
            ("lower", []) => Value::str(&text.to_lowercase()),
            ("strip", []) => Value::str(text.trim()),
            ("startswith" | "endswith", [Value::Str(part)]) => Value::Bool(match name {
                "startswith" => text.starts_with(part.as_ref()),
                _ => text.ends_with(part.as_ref()),
            }),
            ("replace", [Value::Str(a), Value::Str(b)]) => {
                let most = text.len().saturating_mul(b.len().max(1));
                if most > MOST * 16 { Value::Unknown } else { self.text(&text.replace(a.as_ref(), b)) }
            }
            ("split", []) => Value::items(text.split_whitespace().map(Value::str).collect()),
            ("split" | "rsplit", [Value::Str(by)]) if !by.is_empty() => {
                Value::items(text.split(by.as_ref()).map(Value::str).collect())
            }
            ("split", [Value::Str(by), Value::Int(most)]) if !by.is_empty() && *most >= 0 => {
                let most = usize::try_from(*most).unwrap_or(usize::MAX).saturating_add(1);
                Value::items(text.splitn(most, by.as_ref()).map(Value::str).collect())
            }
            ("rpartition", [Value::Str(by)]) => match text.rsplit_once(by.as_ref()) {
                Some((a, b)) => Value::items(vec![Value::str(a), Value::Str(by.clone()), Value::str(b)]),
                None => Value::Unknown,
            },
            ("isdigit", []) => Value::Bool(!text.is_empty() && text.chars().all(|it| it.is_ascii_digit())),
            ("join", [value]) => {
                let texts = self.iterate(value).filter(|it| it.len() * text.len() <= MOST).and_then(|values| {
                    values.iter().map(|it| if let Value::Str(it) = it { Some(it.to_string()) } else { None }).collect()
                });
                texts.map_or(Value::Unknown, |texts: Vec<String>| self.text(&texts.join(text)))
            }
            _ => Value::Unknown,
        }
    }

    fn items_method(&mut self, items: &Rc<RefCell<Items>>, name: &str, args: &[Value]) -> Value {
        match (name, args) {
            ("append" | "add", [value]) => {
                let mut items = items.borrow_mut();
                items.perhaps |= self.level > 0;
                items.extend(vec![value.clone()]);
                Value::None
            }
            ("extend" | "update", [value]) => {
                let more = self.iterate(value);
                let mut items = items.borrow_mut();
                items.open |= more.is_none();
                items.perhaps |= self.level > 0;
                items.extend(more.unwrap_or_default());
                Value::None
            }
            ("copy", []) => Value::Items(items.clone()),
            ("index" | "count", _) => Value::Unknown,
            _ => {
                items.borrow_mut().open = true;
                Value::Unknown
            }
        }
    }

    fn table_method(
        &mut self,
        table: &Rc<RefCell<Table>>,
        name: &str,
        args: &[Value],
        named: &[(Name, Value)],
    ) -> Value {
        match (name, args) {
            ("get", [Value::Str(key), rest @ ..]) => {
                let table = table.borrow();
                match table.entries.get(key) {
                    Some(value) => value.clone(),
                    None if table.open => Value::Unknown,
                    None => rest.first().cloned().unwrap_or(Value::None),
                }
            }
            ("items" | "keys" | "values", []) => {
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
            ("update", _) => {
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
            ("setdefault", [Value::Str(key), value]) => {
                let mut table = table.borrow_mut();
                if let Some(before) = table.entries.get(key) {
                    return before.clone();
                }
                table.put(key.clone(), value.clone());
                if table.open { Value::Unknown } else { value.clone() }
            }
            ("copy", []) => {
                let mut copy = Table::default();
                self.take_entries(&mut copy, &table.borrow());
                Value::table(copy)
            }
            _ => {
                table.borrow_mut().open = true;
                Value::Unknown
            }
        }
    }

    fn globals_method(&mut self, id: usize, name: &str, args: &[Value]) -> Value {
        match (name, args) {
            ("update", [Value::Table(table)]) => {
                let table = table.borrow();
                let scope = self.modules[id].scope.clone();
                for key in &table.order {
                    let value = table.entries.get(key).cloned().unwrap_or(Value::Unknown);
                    self.set(&scope, key.clone(), Some(Binding { value, maybe: false }));
                }
                self.modules[id].open |= table.open;
                Value::None
            }
            ("get" | "pop", [Value::Str(key), rest @ ..]) => {
                let scope = self.modules[id].scope.borrow();
                match scope.get(key) {
                    Some(it) if !it.maybe => it.value.clone(),
                    None if !self.modules[id].open => rest.first().cloned().unwrap_or(Value::None),
                    _ => Value::Unknown,
                }
            }
            ("update" | "setdefault" | "__setitem__", _) => {
                self.modules[id].open = true;
                Value::Unknown
            }
            _ => Value::Unknown,
        }
    }
}
