//! What an expression is worth, as far as an installed set tells.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::expression::LONGEST;
use super::{Expression, Modules};
use crate::pep::Version;

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    /// torch's own, a string that compares as versions do.
    Compared(String),
    Version(Version),
    Whole(i64),
    Real(f64),
    Truth(bool),
    List(Vec<Value>),
}

impl Value {
    /// Whether a test of it holds.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Truth(holds) => Some(*holds),
            _ => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Compared(text) => Some(text),
            _ => None,
        }
    }
}

/// A value, and the modules whose versions it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    pub value: Value,
    pub from: Modules,
}

/// What names stand for.
pub struct Scope<'s> {
    /// `__version__` of a module.
    pub version: &'s dyn Fn(&str) -> Option<String>,
    /// Names of modules and of what is imported from them, with their paths.
    pub modules: BTreeMap<String, String>,
    pub variables: BTreeMap<String, Held>,
}

impl Scope<'_> {
    /// What an expression comes to; none where that is not known.
    pub fn evaluate(&self, expression: &Expression) -> Option<Held> {
        let mut from = Modules::new();
        let value = self.value(expression, None, &mut from)?;
        Some(Held { value, from })
    }

    /// `bound` is the variable of a comprehension.
    fn value(&self, expression: &Expression, bound: Option<(&str, &Value)>, from: &mut Modules) -> Option<Value> {
        let mut of = |inner: &Expression| self.value(inner, bound, from);
        Some(match expression {
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Number(number) => match number.parse() {
                Ok(whole) => Value::Whole(whole),
                Err(_) => Value::Real(number.parse().ok()?),
            },
            Expression::Truth(holds) => Value::Truth(*holds),
            Expression::List(all) => Value::List(all.iter().map(of).collect::<Option<_>>()?),
            Expression::Not(one) => Value::Truth(!of(one)?.truth()?),
            Expression::All(parts) | Expression::Any(parts) => {
                let all: Vec<bool> = parts.iter().map(|part| of(part)?.truth()).collect::<Option<_>>()?;
                let is_all = matches!(expression, Expression::All(_));
                Value::Truth(if is_all { all.into_iter().all(|one| one) } else { all.into_iter().any(|one| one) })
            }
            Expression::Compare(left, parts) => {
                let mut left = of(left)?;
                let mut holds = true;
                for (operator, right) in parts {
                    let right = of(right)?;
                    holds &= compare(&left, operator, &right)?;
                    left = right;
                }
                Value::Truth(holds)
            }
            Expression::Index(list, at) => {
                let (list, Value::Whole(at)) = (of(list)?, of(at)?) else { return None };
                let Value::List(all) = list else { return None };
                let at = if at < 0 { i64::try_from(all.len()).ok()? + at } else { at };
                all.get(usize::try_from(at).ok()?)?.clone()
            }
            Expression::Slice(whole, start, end) => {
                let whole = of(whole)?;
                let mut bound = |one: &Option<Box<Expression>>| match one {
                    Some(one) => match of(one)? {
                        Value::Whole(at) => Some(Some(at)),
                        _ => None,
                    },
                    None => Some(None),
                };
                let (start, end) = (bound(start)?, bound(end)?);
                slice(&whole, start, end)?
            }
            Expression::Name(_) | Expression::Attribute(..) => self.named(expression, bound, from)?,
            Expression::Call(function, arguments) => self.call(function, arguments, bound, from)?,
            Expression::Each(..) | Expression::Unknown => return None,
        })
    }

    fn named(&self, expression: &Expression, bound: Option<(&str, &Value)>, from: &mut Modules) -> Option<Value> {
        let path = expression.path()?;
        if let Some((_, value)) = bound.filter(|(name, _)| *name == path) {
            return Some(value.clone());
        }
        if let Some(held) = self.variables.get(&path) {
            from.extend(held.from.iter().cloned());
            return Some(held.value.clone());
        }
        let full = self.resolved(&path)?;
        let module = full.strip_suffix(".__version__")?;
        self.version_of(module, from)
    }

    fn version_of(&self, module: &str, from: &mut Modules) -> Option<Value> {
        let text = (self.version)(module)?;
        from.insert(module.to_owned());
        Some(if module == "torch" { Value::Compared(text) } else { Value::Text(text) })
    }

    /// A path with what was imported in the place of its first name.
    fn resolved(&self, path: &str) -> Option<String> {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let module = self.modules.get(first)?;
        Some(rest.map_or_else(|| module.clone(), |rest| format!("{module}.{rest}")))
    }

    fn call(
        &self,
        function: &Expression,
        arguments: &[Expression],
        bound: Option<(&str, &Value)>,
        from: &mut Modules,
    ) -> Option<Value> {
        if let [Expression::Each(one, name, over)] = arguments {
            let Value::List(all) = self.value(over, bound, from)? else { return None };
            let each: Vec<Value> =
                all.iter().map(|item| self.value(one, Some((name, item)), from)).collect::<Option<_>>()?;
            return self.apply(function, &[Value::List(each)], bound, from);
        }
        if let (Expression::Name(name), [Expression::Name(each), over]) = (function, arguments)
            && name == "map"
        {
            let Value::List(all) = self.value(over, bound, from)? else { return None };
            let each: Option<Vec<Value>> = all.iter().map(|item| builtin(each, std::slice::from_ref(item))).collect();
            return each.map(Value::List);
        }
        let arguments: Vec<Value> = arguments.iter().map(|one| self.value(one, bound, from)).collect::<Option<_>>()?;
        self.apply(function, &arguments, bound, from)
    }

    fn apply(
        &self,
        function: &Expression,
        arguments: &[Value],
        bound: Option<(&str, &Value)>,
        from: &mut Modules,
    ) -> Option<Value> {
        let path = function.path();
        let full = path.as_deref().and_then(|path| self.resolved(path));
        if let (Some(full), [argument]) = (&full, arguments) {
            let makes = ["packaging.version.Version", "packaging.version.parse", "pkg_resources.parse_version"];
            if makes.contains(&full.as_str()) || full.ends_with(".LooseVersion") {
                return Some(Value::Version(argument.text()?.parse().ok()?));
            }
            if full == "importlib.metadata.version" || full == "importlib_metadata.version" {
                return match self.version_of(argument.text()?, from)? {
                    Value::Compared(text) => Some(Value::Text(text)),
                    other => Some(other),
                };
            }
        }
        match function {
            Expression::Name(name) if full.is_none() && !self.variables.contains_key(name) => builtin(name, arguments),
            Expression::Attribute(of, name) => method(&self.value(of, bound, from)?, name, arguments),
            _ => None,
        }
    }
}

fn builtin(name: &str, arguments: &[Value]) -> Option<Value> {
    let [one] = arguments else { return None };
    match (name, one) {
        ("int", Value::Text(text)) => text.trim().parse().ok().map(Value::Whole),
        ("float", Value::Text(text)) => text.trim().parse().ok().map(Value::Real),
        ("str", _) => one.text().map(|text| Value::Text(text.to_owned())),
        ("tuple" | "list", Value::List(_)) | ("int", Value::Whole(_)) => Some(one.clone()),
        _ => None,
    }
}

fn method(of: &Value, name: &str, arguments: &[Value]) -> Option<Value> {
    let list = |parts: Vec<&str>| Value::List(parts.into_iter().map(|part| Value::Text(part.to_owned())).collect());
    if let Value::Version(version) = of {
        return None.or(match (name, arguments) {
            ("__str__", []) => Some(Value::Text(version.to_string())),
            _ => None,
        });
    }
    let text = of.text()?;
    Some(match (name, arguments) {
        ("split", [separator]) => list(text.split(nonempty(separator)?).collect()),
        ("split", [separator, Value::Whole(most)]) => {
            list(text.splitn(usize::try_from(*most).ok()? + 1, nonempty(separator)?).collect())
        }
        ("startswith", [one]) => Value::Truth(each(one)?.iter().any(|start| text.starts_with(start))),
        ("endswith", [one]) => Value::Truth(each(one)?.iter().any(|end| text.ends_with(end))),
        ("strip", []) => Value::Text(text.trim().to_owned()),
        ("lower", []) => Value::Text(text.to_lowercase()),
        ("replace", [old, new]) => {
            let found = text.replace(nonempty(old)?, new.text()?);
            (found.len() <= LONGEST).then_some(Value::Text(found))?
        }
        ("join", [Value::List(all)]) => {
            let parts: Vec<&str> = all.iter().map(Value::text).collect::<Option<_>>()?;
            let found = parts.join(text);
            (found.len() <= LONGEST).then_some(Value::Text(found))?
        }
        _ => return None,
    })
}

fn nonempty(value: &Value) -> Option<&str> {
    value.text().filter(|text| !text.is_empty())
}

/// One text, or each of a tuple of them.
fn each(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::List(all) => all.iter().map(Value::text).collect(),
        other => Some(vec![other.text()?]),
    }
}

fn slice(whole: &Value, start: Option<i64>, end: Option<i64>) -> Option<Value> {
    let bounds = |length: usize| {
        let length = i64::try_from(length).ok()?;
        let from_end = |at: i64| if at < 0 { (length + at).max(0) } else { at.min(length) };
        let (start, end) = (from_end(start.unwrap_or(0)), from_end(end.unwrap_or(length)));
        Some((usize::try_from(start).ok()?, usize::try_from(end.max(start)).ok()?))
    };
    match whole {
        Value::List(all) => {
            let (start, end) = bounds(all.len())?;
            all.get(start..end).map(|part| Value::List(part.to_vec()))
        }
        Value::Text(text) | Value::Compared(text) if text.is_ascii() => {
            let (start, end) = bounds(text.len())?;
            text.get(start..end).map(|part| Value::Text(part.to_owned()))
        }
        _ => None,
    }
}

fn compare(left: &Value, operator: &str, right: &Value) -> Option<bool> {
    if let "in" | "not in" = operator {
        let is_in = match right {
            Value::List(all) => {
                let mut same = all.iter().map(|one| order(left, one).map(|order| order == Ordering::Equal));
                same.try_fold(false, |found, same| same.map(|same| found || same))?
            }
            other => other.text()?.contains(left.text()?),
        };
        return Some(is_in == (operator == "in"));
    }
    let order = order(left, right)?;
    Some(match operator {
        "==" => order == Ordering::Equal,
        "!=" => order != Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        ">=" => order != Ordering::Less,
        _ => return None,
    })
}

/// How two values compare; none for values that Python would not compare, or not as one expects.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Compared(one), Value::Text(other) | Value::Compared(other))
        | (Value::Text(one), Value::Compared(other)) => {
            Some(one.parse::<Version>().ok()?.cmp(&other.parse::<Version>().ok()?))
        }
        (Value::Text(one), Value::Text(other)) => Some(one.cmp(other)),
        (Value::Version(one), Value::Version(other)) => Some(one.cmp(other)),
        (Value::Compared(one), Value::Version(other)) => Some(one.parse::<Version>().ok()?.cmp(other)),
        (Value::Whole(one), Value::Whole(other)) => Some(one.cmp(other)),
        (Value::Real(one), Value::Real(other)) => one.partial_cmp(other),
        #[expect(clippy::cast_precision_loss, reason = "numbers of versions are small")]
        (Value::Whole(one), Value::Real(other)) => (*one as f64).partial_cmp(other),
        #[expect(clippy::cast_precision_loss, reason = "numbers of versions are small")]
        (Value::Real(one), Value::Whole(other)) => one.partial_cmp(&(*other as f64)),
        (Value::List(one), Value::List(other)) => {
            for (one, other) in one.iter().zip(other) {
                let order = order(one, other)?;
                if order != Ordering::Equal {
                    return Some(order);
                }
            }
            Some(one.len().cmp(&other.len()))
        }
        _ => None,
    }
}
