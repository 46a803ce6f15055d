//! Expressions about version texts, and what they come to.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use pep440_rs::Version;

use super::Modules;
use super::token::{Kind, Token};

/// Brackets and operators are nested so deep.
const DEEPEST: usize = 40;

/// Of a text that grows no more than this is kept.
const LONGEST: usize = 1 << 12;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    Name(String),
    Attribute(Box<Self>, String),
    Call(Box<Self>, Vec<Self>),
    Index(Box<Self>, Box<Self>),
    Slice(Box<Self>, Option<Box<Self>>, Option<Box<Self>>),
    Text(String),
    Number(String),
    Truth(bool),
    List(Vec<Self>),
    /// `f(x) for x in y`.
    Each(Box<Self>, String, Box<Self>),
    Compare(Box<Self>, Vec<(String, Self)>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// What only Python can tell.
    Unknown,
}

impl Expression {
    /// Whether it holds where something is *not* as expected: `v != '2.6'`, `not v.startswith('2.')`.
    pub fn denies(&self) -> bool {
        match self {
            Self::Not(_) => true,
            Self::Compare(_, parts) => parts.iter().all(|(operator, _)| operator == "!=" || operator == "not in"),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::denies),
            _ => false,
        }
    }

    /// `torch.__version__` as a path.
    fn path(&self) -> Option<String> {
        match self {
            Self::Name(name) => Some(name.clone()),
            Self::Attribute(of, name) => Some(format!("{}.{name}", of.path()?)),
            _ => None,
        }
    }
}

/// Reads an expression; none where a part is not understood.
pub fn parse(tokens: &[Token]) -> Option<Expression> {
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let found = parser.any()?;
    (parser.at == tokens.len()).then_some(found)
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn word(&self) -> Option<&str> {
        self.peek().and_then(Token::word)
    }

    fn take(&mut self, operator: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.is(operator));
        self.at += usize::from(is);
        is
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is = self.word() == Some(word);
        self.at += usize::from(is);
        is
    }

    fn any(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut parts = vec![self.all()?];
        while self.take_word("or") {
            parts.push(self.all()?);
        }
        self.depth -= 1;
        if parts.len() == 1 { parts.pop() } else { Some(Expression::Any(parts)) }
    }

    fn all(&mut self) -> Option<Expression> {
        let mut parts = vec![self.not()?];
        while self.take_word("and") {
            parts.push(self.not()?);
        }
        if parts.len() == 1 { parts.pop() } else { Some(Expression::All(parts)) }
    }

    fn not(&mut self) -> Option<Expression> {
        let mut times = 0;
        while self.take_word("not") {
            times += 1;
        }
        let found = self.comparison()?;
        Some(if times % 2 == 1 { Expression::Not(Box::new(found)) } else { found })
    }

    fn comparison(&mut self) -> Option<Expression> {
        let left = self.primary()?;
        let mut parts = Vec::new();
        loop {
            let operator = match self.peek() {
                Some(token) if ["==", "!=", "<", "<=", ">", ">="].iter().any(|one| token.is(one)) => {
                    token.text().to_owned()
                }
                _ if self.word() == Some("in") => "in".to_owned(),
                _ if self.word() == Some("not") && self.tokens.get(self.at + 1).and_then(Token::word) == Some("in") => {
                    self.at += 1;
                    "not in".to_owned()
                }
                _ => break,
            };
            self.at += 1;
            parts.push((operator, self.primary()?));
        }
        Some(if parts.is_empty() { left } else { Expression::Compare(Box::new(left), parts) })
    }

    fn primary(&mut self) -> Option<Expression> {
        let mut found = self.atom()?;
        loop {
            if self.take(".") {
                let name = self.word()?.to_owned();
                self.at += 1;
                found = Expression::Attribute(Box::new(found), name);
            } else if self.take("(") {
                found = Expression::Call(Box::new(found), self.arguments(")")?);
            } else if self.take("[") {
                found = self.subscript(found)?;
            } else {
                return Some(found);
            }
        }
    }

    fn atom(&mut self) -> Option<Expression> {
        let token = self.peek()?.clone();
        self.at += 1;
        Some(match token.kind {
            Kind::Text => {
                // Strings side by side are one.
                let mut text = token.text().to_owned();
                while let Some(next) = self.peek().filter(|next| next.kind == Kind::Text) {
                    text.push_str(next.text());
                    self.at += 1;
                }
                Expression::Text(text)
            }
            Kind::Number => Expression::Number(token.text().to_owned()),
            Kind::Unknown => Expression::Unknown,
            Kind::Word => match token.text() {
                "True" => Expression::Truth(true),
                "False" => Expression::Truth(false),
                "lambda" | "if" | "else" | "for" | "await" | "yield" | "is" => return None,
                name => Expression::Name(name.to_owned()),
            },
            Kind::Operator => match token.text() {
                "(" => {
                    let before = self.at;
                    let mut parts = self.arguments(")")?;
                    let single = parts.len() == 1
                        && !self.tokens.get(before..self.at.saturating_sub(1)).unwrap_or_default().last()?.is(",");
                    if single { parts.pop()? } else { Expression::List(parts) }
                }
                "[" => Expression::List(self.arguments("]")?),
                "{" => Expression::List(self.arguments("}")?),
                "-" => match self.primary()? {
                    Expression::Number(number) => Expression::Number(format!("-{number}")),
                    _ => return None,
                },
                _ => return None,
            },
        })
    }

    /// What stands between commas, up to a bracket.
    fn arguments(&mut self, close: &str) -> Option<Vec<Expression>> {
        let mut found = Vec::new();
        while !self.take(close) {
            let named = self.word().is_some() && self.tokens.get(self.at + 1).is_some_and(|token| token.is("="));
            if named {
                self.at += 2;
            }
            let mut one = self.any()?;
            if self.take_word("for") {
                let name = self.word()?.to_owned();
                self.at += 1;
                if !self.take_word("in") {
                    return None;
                }
                let over = self.primary()?;
                one = Expression::Each(Box::new(one), name, Box::new(over));
            }
            // What an argument by name means, only the function says.
            found.push(if named { Expression::Unknown } else { one });
            if !self.take(",") && !self.peek()?.is(close) {
                return None;
            }
        }
        Some(found)
    }

    fn subscript(&mut self, of: Expression) -> Option<Expression> {
        let start = if self.peek()?.is(":") { None } else { Some(Box::new(self.any()?)) };
        if self.take(":") {
            let end = if self.peek()?.is("]") { None } else { Some(Box::new(self.any()?)) };
            return self.take("]").then(|| Expression::Slice(Box::new(of), start, end));
        }
        let index = start?;
        self.take("]").then(|| Expression::Index(Box::new(of), index))
    }
}

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
