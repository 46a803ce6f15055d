//! Expressions about version texts, and what they come to.

use super::token::{Kind, Token};

/// Brackets and operators are nested so deep.
const DEEPEST: usize = 40;

/// Of a text that grows no more than this is kept.
pub(super) const LONGEST: usize = 1 << 12;

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
    pub fn path(&self) -> Option<String> {
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
