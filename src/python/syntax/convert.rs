//! ruff's tree to ours.

use std::sync::{Arc, OnceLock};

use ruff_python_ast as ast;
use ruff_text_size::{Ranged, TextRange};

use super::skim::BODY;
use super::tree::{
    Alias, Block, Body, Call, Class, Compare, Comprehension, Expr, Function, Handler, Makes, Name, Op, Param,
    ParamKind, Stmt, StmtKind, Try,
};

/// Where the bodies are that are not in a text: their ranges in `original` and their lines from the one it begins on.
pub struct Bodies<'a> {
    pub original: &'a str,
    pub first_line: u32,
    pub ranges: &'a [(std::ops::Range<usize>, u32)],
}

/// Parses a text whose first line has this number. Gives whether something in it yields outside of functions, too.
/// Annotations are read in a module's own statements, and not in those of a function.
pub fn read(text: &str, first_line: u32, bodies: &Bodies<'_>, is_module: bool) -> Option<(Vec<Stmt>, bool)> {
    let parsed = ruff_python_parser::parse_unchecked(
        text,
        ruff_python_parser::ParseOptions::from(ruff_python_parser::Mode::Module),
    );
    if !parsed.errors().is_empty() {
        return None;
    }
    let module = parsed.syntax().as_module()?;
    let annotated = is_module && !module.body.iter().any(is_postponed);
    let mut it = Convert { text: text.as_bytes(), bodies, at: 0, line: first_line, yields: false, annotated };
    let body = it.body(&module.body);
    Some((body, it.yields))
}

/// `from __future__ import annotations`.
fn is_postponed(stmt: &ast::Stmt) -> bool {
    let ast::Stmt::ImportFrom(it) = stmt else { return false };
    it.module.as_ref().is_some_and(|it| it.as_str() == "__future__")
        && it.names.iter().any(|it| it.name.as_str() == "annotations")
}

struct Convert<'a> {
    text: &'a [u8],
    bodies: &'a Bodies<'a>,
    /// Up to where line breaks were counted.
    at: usize,
    line: u32,
    yields: bool,
    /// Annotations are evaluated here.
    annotated: bool,
}

fn name(name: &str) -> Name {
    Arc::from(name)
}

impl Convert<'_> {
    fn line(&mut self, range: TextRange) -> u32 {
        let to = usize::from(range.start()).min(self.text.len());
        let breaks = |from: usize, to: usize| {
            let count = memchr::memchr_iter(b'\n', &self.text[from..to]).count();
            u32::try_from(count).unwrap_or_default()
        };
        if to >= self.at {
            self.line += breaks(self.at, to);
        } else {
            self.line -= breaks(to, self.at);
        }
        self.at = to;
        self.line
    }

    fn body(&mut self, body: &[ast::Stmt]) -> Vec<Stmt> {
        body.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn aliases(names: &[ast::Alias]) -> Vec<Alias> {
        let alias = |it: &ast::Alias| Alias {
            name: name(it.name.as_str()),
            as_name: it.asname.as_ref().map(|it| name(it.as_str())),
        };
        names.iter().map(alias).collect()
    }

    fn stmt(&mut self, stmt: &ast::Stmt) -> Stmt {
        let line = self.line(stmt.range());
        let kind = match stmt {
            ast::Stmt::Import(it) => StmtKind::Import(Self::aliases(&it.names)),
            ast::Stmt::ImportFrom(it) => StmtKind::From {
                level: it.level,
                module: it.module.as_ref().map(|it| name(it.as_str())),
                names: Self::aliases(&it.names),
            },
            ast::Stmt::Assign(it) => {
                let value = self.expr(&it.value);
                StmtKind::Assign(self.exprs(&it.targets), value)
            }
            ast::Stmt::AnnAssign(it) => match &it.value {
                Some(value) => {
                    let value = self.expr(value);
                    StmtKind::Assign(vec![self.expr(&it.target)], value)
                }
                None if self.annotated => {
                    let mut all = Vec::new();
                    self.annotation(&it.annotation, &mut all);
                    StmtKind::Annotation(all)
                }
                None => StmtKind::Nothing,
            },
            ast::Stmt::AugAssign(it) => {
                let value = self.expr(&it.value);
                StmtKind::Augmented(self.expr(&it.target), value)
            }
            ast::Stmt::TypeAlias(it) => StmtKind::Assign(vec![self.expr(&it.name)], Expr::Other(Vec::new())),
            ast::Stmt::Delete(it) => StmtKind::Delete(self.exprs(&it.targets)),
            ast::Stmt::Expr(it) => StmtKind::Expr(self.expr(&it.value)),
            ast::Stmt::If(it) => {
                let mut branches = vec![(self.expr(&it.test), self.body(&it.body))];
                let mut otherwise = Vec::new();
                for clause in &it.elif_else_clauses {
                    match &clause.test {
                        Some(test) => {
                            let test = self.expr(test);
                            branches.push((test, self.body(&clause.body)));
                        }
                        None => otherwise = self.body(&clause.body),
                    }
                }
                StmtKind::If(branches, otherwise)
            }
            ast::Stmt::For(it) => {
                let (target, iter) = (self.expr(&it.target), self.expr(&it.iter));
                StmtKind::For(target, iter, self.body(&it.body), self.body(&it.orelse))
            }
            ast::Stmt::While(it) => {
                let test = self.expr(&it.test);
                StmtKind::While(test, self.body(&it.body), self.body(&it.orelse))
            }
            ast::Stmt::With(it) => {
                let mut items = Vec::new();
                for item in &it.items {
                    let what = self.expr(&item.context_expr);
                    items.push((what, item.optional_vars.as_ref().map(|it| self.expr(it))));
                }
                StmtKind::With(items, self.body(&it.body))
            }
            ast::Stmt::Try(it) => {
                let body = self.body(&it.body);
                let mut handlers = Vec::new();
                for ast::ExceptHandler::ExceptHandler(handler) in &it.handlers {
                    let types = handler.type_.as_ref().map(|it| self.expr(it));
                    let as_name = handler.name.as_ref().map(|it| name(it.as_str()));
                    handlers.push(Handler { types, name: as_name, body: self.body(&handler.body) });
                }
                let (otherwise, finally) = (self.body(&it.orelse), self.body(&it.finalbody));
                StmtKind::Try(Box::new(Try { body, handlers, otherwise, finally }))
            }
            ast::Stmt::FunctionDef(it) => {
                let decorators = it.decorator_list.iter().map(|it| self.expr(&it.expression)).collect();
                let params = self.params(&it.parameters);
                let annotations = self.annotations(it);
                let body = self.function_body(&it.body);
                let function =
                    Function { name: name(it.name.as_str()), params, annotations, is_async: it.is_async, body };
                StmtKind::Def(Arc::new(function), decorators)
            }
            ast::Stmt::ClassDef(it) => {
                let decorators = it.decorator_list.iter().map(|it| self.expr(&it.expression)).collect();
                let bases = it.arguments.as_ref().map(|it| {
                    let keywords = it.keywords.iter().map(|it| &it.value);
                    it.args.iter().chain(keywords).collect::<Vec<_>>()
                });
                let bases = bases.unwrap_or_default().into_iter().map(|it| self.expr(it)).collect();
                let body = self.body(&it.body);
                StmtKind::Class(Box::new(Class { name: name(it.name.as_str()), bases, decorators, body }))
            }
            ast::Stmt::Return(it) => StmtKind::Return(it.value.as_ref().map(|it| self.expr(it))),
            ast::Stmt::Raise(it) => StmtKind::Raise(it.exc.as_ref().map(|it| self.expr(it))),
            ast::Stmt::Assert(it) => StmtKind::Assert(self.expr(&it.test)),
            ast::Stmt::Global(it) => StmtKind::Global(it.names.iter().map(|it| name(it.as_str())).collect()),
            ast::Stmt::Match(it) => {
                let subject = self.expr(&it.subject);
                StmtKind::Match(subject, it.cases.iter().map(|case| self.body(&case.body)).collect())
            }
            ast::Stmt::Break(_) => StmtKind::Break,
            ast::Stmt::Continue(_) => StmtKind::Continue,
            ast::Stmt::Nonlocal(_) | ast::Stmt::Pass(_) | ast::Stmt::IpyEscapeCommand(_) => StmtKind::Nothing,
        };
        Stmt { line, kind }
    }

    /// A body that stands for one that was left out, or its own statements.
    fn function_body(&mut self, body: &[ast::Stmt]) -> Body {
        if let [ast::Stmt::Expr(only)] = body
            && let ast::Expr::Name(only) = only.value.as_ref()
            && let Some(number) = only.id.strip_prefix(BODY).and_then(|rest| rest.strip_suffix("__"))
            && let Some((range, line)) = number.parse::<usize>().ok().and_then(|number| self.bodies.ranges.get(number))
        {
            let text = self.bodies.original[range.clone()].into();
            return Body::Text { text, line: self.bodies.first_line + line - 1, read: OnceLock::new() };
        }
        let outer = (std::mem::take(&mut self.yields), std::mem::take(&mut self.annotated));
        let body = self.body(body);
        let is_generator = self.yields;
        (self.yields, self.annotated) = outer;
        Body::Block(Block { body, is_generator })
    }

    fn params(&mut self, params: &ast::Parameters) -> Vec<Param> {
        let mut all = Vec::new();
        let simple = |name: &str, kind| Param { name: self::name(name), default: None, kind };
        for it in params.posonlyargs.iter().chain(&params.args) {
            let default = it.default.as_ref().map(|it| self.expr(it));
            all.push(Param { default, ..simple(it.parameter.name.as_str(), ParamKind::Place) });
        }
        all.extend(params.vararg.as_ref().map(|it| simple(it.name.as_str(), ParamKind::Rest)));
        for it in &params.kwonlyargs {
            let default = it.default.as_ref().map(|it| self.expr(it));
            all.push(Param { default, ..simple(it.parameter.name.as_str(), ParamKind::Keyword) });
        }
        all.extend(params.kwarg.as_ref().map(|it| simple(it.name.as_str(), ParamKind::Named)));
        all
    }

    /// What the annotations of a function take from elsewhere: `pb.Result` of `def f(x: List[pb.Result])`.
    fn annotations(&mut self, function: &ast::StmtFunctionDef) -> Vec<Expr> {
        let mut all = Vec::new();
        if self.annotated {
            let params = function.parameters.iter().map(ast::AnyParameterRef::annotation);
            for it in params.chain([function.returns.as_deref()]).flatten() {
                self.annotation(it, &mut all);
            }
        }
        all
    }

    fn annotation(&mut self, expr: &ast::Expr, all: &mut Vec<Expr>) {
        match expr {
            ast::Expr::Attribute(_) => all.push(self.expr(expr)),
            ast::Expr::Subscript(it) => {
                self.annotation(&it.value, all);
                self.annotation(&it.slice, all);
            }
            ast::Expr::Tuple(it) => it.elts.iter().for_each(|it| self.annotation(it, all)),
            ast::Expr::List(it) => it.elts.iter().for_each(|it| self.annotation(it, all)),
            _ => {}
        }
    }

    fn exprs(&mut self, exprs: &[ast::Expr]) -> Vec<Expr> {
        exprs.iter().map(|it| self.expr(it)).collect()
    }

    fn boxed(&mut self, expr: &ast::Expr) -> Box<Expr> {
        Box::new(self.expr(expr))
    }

    fn other(&mut self, parts: &[&ast::Expr]) -> Expr {
        Expr::Other(parts.iter().map(|it| self.expr(it)).collect())
    }

    fn expr(&mut self, expr: &ast::Expr) -> Expr {
        match expr {
            ast::Expr::NoneLiteral(_) => Expr::None,
            ast::Expr::BooleanLiteral(it) => Expr::Bool(it.value),
            ast::Expr::NumberLiteral(it) => match &it.value {
                ast::Number::Int(it) => it.as_i64().map_or(Expr::Other(Vec::new()), Expr::Int),
                _ => Expr::Other(Vec::new()),
            },
            ast::Expr::StringLiteral(it) => Expr::Str(it.value.to_str().into()),
            ast::Expr::Name(it) => Expr::Name(name(it.id.as_str())),
            ast::Expr::Attribute(it) => {
                let value = self.boxed(&it.value);
                let line = self.line(it.attr.range());
                Expr::Attribute(value, name(it.attr.as_str()), line)
            }
            ast::Expr::Call(it) => {
                let function = self.expr(&it.func);
                let line = self.line(it.func.range());
                let args = self.exprs(&it.arguments.args);
                let keywords = it.arguments.keywords.iter();
                let keywords =
                    keywords.map(|it| (it.arg.as_ref().map(|it| name(it.as_str())), self.expr(&it.value))).collect();
                Expr::Call(Box::new(Call { function, args, keywords, line }))
            }
            ast::Expr::Tuple(it) => Expr::Tuple(self.exprs(&it.elts)),
            ast::Expr::List(it) => Expr::List(self.exprs(&it.elts)),
            ast::Expr::Set(it) => Expr::Set(self.exprs(&it.elts)),
            ast::Expr::Dict(it) => {
                let items = it.items.iter();
                Expr::Dict(items.map(|it| (it.key.as_ref().map(|key| self.expr(key)), self.expr(&it.value))).collect())
            }
            ast::Expr::Subscript(it) => Expr::Subscript(self.boxed(&it.value), self.boxed(&it.slice)),
            ast::Expr::Slice(it) => {
                let lower = it.lower.as_ref().map(|it| self.boxed(it));
                let upper = it.upper.as_ref().map(|it| self.boxed(it));
                match it.step {
                    Some(_) => Expr::Other(Vec::new()),
                    None => Expr::Slice(lower, upper),
                }
            }
            ast::Expr::Compare(it) => {
                let left = self.boxed(&it.left);
                let pairs = it.ops.iter().zip(it.comparators.iter());
                Expr::Compare(left, pairs.map(|(op, it)| (compare(*op), self.expr(it))).collect())
            }
            ast::Expr::BoolOp(it) => {
                let values = self.exprs(&it.values);
                if it.op == ast::BoolOp::And { Expr::And(values) } else { Expr::Or(values) }
            }
            ast::Expr::UnaryOp(it) if it.op == ast::UnaryOp::Not => Expr::Not(self.boxed(&it.operand)),
            ast::Expr::UnaryOp(it) => match (it.op, self.expr(&it.operand)) {
                (ast::UnaryOp::USub, Expr::Int(number)) => Expr::Int(number.wrapping_neg()),
                (_, operand) => Expr::Other(vec![operand]),
            },
            ast::Expr::BinOp(it) => {
                let op = match it.op {
                    ast::Operator::Add => Op::Add,
                    ast::Operator::BitOr => Op::Or,
                    ast::Operator::Mod => Op::Percent,
                    _ => Op::Other,
                };
                let left = self.boxed(&it.left);
                Expr::Binary(left, op, self.boxed(&it.right))
            }
            ast::Expr::If(it) => {
                let test = self.boxed(&it.test);
                Expr::If(test, self.boxed(&it.body), self.boxed(&it.orelse))
            }
            ast::Expr::Named(it) => Expr::Named(self.boxed(&it.target), self.boxed(&it.value)),
            ast::Expr::FString(it) => {
                let mut parts = Vec::new();
                for part in &it.value {
                    match part {
                        ast::FStringPart::Literal(it) => parts.push(Expr::Str(it.value.as_ref().into())),
                        ast::FStringPart::FString(it) => {
                            for element in &it.elements {
                                parts.push(match element {
                                    ast::InterpolatedStringElement::Literal(it) => Expr::Str(it.value.as_ref().into()),
                                    // How `{x!r}`, `{x:02d}` and `{x=}` write a value is not followed.
                                    ast::InterpolatedStringElement::Interpolation(it)
                                        if it.format_spec.is_some()
                                            || it.debug_text.is_some()
                                            || it.conversion != ast::ConversionFlag::None =>
                                    {
                                        Expr::Other(vec![self.expr(&it.expression)])
                                    }
                                    ast::InterpolatedStringElement::Interpolation(it) => self.expr(&it.expression),
                                });
                            }
                        }
                    }
                }
                Expr::Format(parts)
            }
            ast::Expr::Lambda(it) => {
                let params = it.parameters.as_ref().map(|it| self.params(it)).unwrap_or_default();
                let outer = std::mem::take(&mut self.yields);
                let line = self.line(it.body.range());
                let value = self.expr(&it.body);
                self.yields = outer;
                let body = vec![Stmt { line, kind: StmtKind::Return(Some(value)) }];
                let body = Body::Block(Block { body, is_generator: false });
                Expr::Lambda(Arc::new(Function {
                    name: name("<lambda>"),
                    params,
                    annotations: Vec::new(),
                    is_async: false,
                    body,
                }))
            }
            ast::Expr::ListComp(it) => self.comprehension(&[&it.elt], &it.generators, Makes::Items),
            ast::Expr::SetComp(it) => self.comprehension(&[&it.elt], &it.generators, Makes::Items),
            ast::Expr::Generator(it) => self.comprehension(&[&it.elt], &it.generators, Makes::Items),
            ast::Expr::DictComp(it) => match &it.key {
                Some(key) => self.comprehension(&[key, &it.value], &it.generators, Makes::Dict),
                None => Expr::Other(Vec::new()),
            },
            ast::Expr::Starred(it) => Expr::Starred(self.boxed(&it.value)),
            ast::Expr::Await(it) => self.other(&[&it.value]),
            ast::Expr::Yield(it) => {
                self.yields = true;
                it.value.as_ref().map_or(Expr::Other(Vec::new()), |it| self.other(&[it]))
            }
            ast::Expr::YieldFrom(it) => {
                self.yields = true;
                self.other(&[&it.value])
            }
            ast::Expr::TString(_)
            | ast::Expr::BytesLiteral(_)
            | ast::Expr::EllipsisLiteral(_)
            | ast::Expr::IpyEscapeCommand(_) => Expr::Other(Vec::new()),
        }
    }

    fn comprehension(&mut self, element: &[&ast::Expr], loops: &[ast::Comprehension], makes: Makes) -> Expr {
        let element = element.iter().map(|it| self.expr(it)).collect();
        let loops = loops.iter();
        let loops = loops.map(|it| (self.expr(&it.target), self.expr(&it.iter), self.exprs(&it.ifs))).collect();
        Expr::Comprehension(Box::new(Comprehension { element, loops, makes }))
    }
}

fn compare(op: ast::CmpOp) -> Compare {
    match op {
        ast::CmpOp::Eq => Compare::Equal,
        ast::CmpOp::NotEq => Compare::Unequal,
        ast::CmpOp::Lt => Compare::Less,
        ast::CmpOp::LtE => Compare::LessEqual,
        ast::CmpOp::Gt => Compare::Greater,
        ast::CmpOp::GtE => Compare::GreaterEqual,
        ast::CmpOp::Is => Compare::Is,
        ast::CmpOp::IsNot => Compare::IsNot,
        ast::CmpOp::In => Compare::In,
        ast::CmpOp::NotIn => Compare::NotIn,
    }
}
