//! The names that a module holds which is not run (of the standard library, of a large package), told from its statements without following them.
//!
//! Every branch counts, so that none is missing that may be there.

use std::collections::HashSet;

use super::text::{Signs, absolute, is_set};
use crate::python::syntax::Module;
use crate::python::syntax::tree::{Expr, Name, Stmt, StmtKind};

/// What a module holds.
#[derive(Debug, Default)]
pub struct Names {
    /// All names that it may bind.
    pub all: HashSet<Name>,
    /// Those that a star takes, where a list states them.
    pub listed: Option<HashSet<Name>>,
    /// Modules whose names it takes over.
    pub stars: Vec<String>,
    /// Extensions whose names it takes over.
    pub extensions: Vec<String>,
    /// There may be more.
    pub open: bool,
    /// Modules of the interpreter that it cannot be imported without, and the lines.
    pub needs: Vec<(String, u32)>,
    /// What else its text does.
    pub signs: Signs,
}

/// Reads them.
pub fn names(module: &Module, signs: Signs, (own, package): (&str, bool)) -> Names {
    let mut names = Names::default();
    let text = module.text.as_ref();
    let makes = ["sys.modules[__name__]", "exec(", "_convert_(", "global_enum"];
    names.open = makes.iter().any(|sign| text.contains(sign)) || signs.sets_names;
    names.open |= ["globals()", "vars()", "locals()"].iter().any(|it| gives_away(text, it));
    // A function that somebody calls later binds them.
    let globals = text.lines().filter_map(|line| line.trim_start().strip_prefix("global "));
    names.all.extend(globals.flat_map(|it| it.split(',')).map(|it| Name::from(it.trim())));
    names.signs = signs;
    for stmt in &module.body {
        // `_ssl` of ssl, `_ctypes` of ctypes: what is not there in some builds of Python.
        let needed: Vec<&Name> = match &stmt.kind {
            StmtKind::Import(names) => names.iter().map(|it| &it.name).collect(),
            StmtKind::From { level: 0, module: Some(module), .. } => vec![module],
            _ => Vec::new(),
        };
        let needed = needed.into_iter().filter(|name| name.starts_with('_') && !name.contains('.'));
        names.needs.extend(needed.map(|name| (name.to_string(), stmt.line)));
    }
    block(&module.body, (own, package), &mut names);
    names.open |= names.all.contains("__getattr__");
    names.listed = listed(module);
    names
}

/// What `__all__` lists, where it is one list of texts and nothing else is done with it.
fn listed(module: &Module) -> Option<HashSet<Name>> {
    let value = module.body.iter().find_map(|stmt| match &stmt.kind {
        StmtKind::Assign(targets, value) => {
            matches!(targets.as_slice(), [Expr::Name(name)] if name.as_ref() == "__all__").then_some(value)
        }
        _ => None,
    })?;
    let (Expr::List(parts) | Expr::Tuple(parts)) = value else { return None };
    let is_once = module.text.matches("__all__").count() == 1;
    let texts = parts.iter().map(|it| if let Expr::Str(it) = it { Some(it.clone()) } else { None });
    texts.collect::<Option<HashSet<Name>>>().filter(|_| is_once)
}

/// Whether a namespace, as `globals()` gives it, is changed or goes where nobody sees it.
fn gives_away(text: &str, call: &str) -> bool {
    text.match_indices(call).any(|(at, _)| {
        let rest = &text[at + call.len()..];
        match rest.strip_prefix('[') {
            Some(_) => is_set(rest),
            None => ![".get(", ".items()", ".keys()", ".values()", ".copy()"].iter().any(|it| rest.starts_with(it)),
        }
    })
}

fn block(body: &[Stmt], own: (&str, bool), names: &mut Names) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::Import(aliases) => {
                for it in aliases {
                    let first = it.name.split('.').next().unwrap_or_default();
                    names.all.insert(it.as_name.clone().unwrap_or_else(|| first.into()));
                }
            }
            StmtKind::From { level, module, names: aliases } => {
                for it in aliases {
                    if it.name.as_ref() != "*" {
                        names.all.insert(it.as_name.clone().unwrap_or_else(|| it.name.clone()));
                    } else if let Some(module) = absolute(own.0, own.1, *level, module.as_deref()) {
                        names.stars.push(module);
                    } else {
                        names.open = true;
                    }
                }
            }
            StmtKind::Assign(targets, _) => targets.iter().for_each(|it| bind(it, names)),
            StmtKind::Augmented(target, _) => bind(target, names),
            StmtKind::If(branches, otherwise) => {
                branches.iter().for_each(|(_, body)| block(body, own, names));
                block(otherwise, own, names);
            }
            StmtKind::For(target, _, body, otherwise) => {
                bind(target, names);
                block(body, own, names);
                block(otherwise, own, names);
            }
            StmtKind::While(_, body, otherwise) => {
                block(body, own, names);
                block(otherwise, own, names);
            }
            StmtKind::With(items, body) => {
                items.iter().filter_map(|(_, it)| it.as_ref()).for_each(|it| bind(it, names));
                block(body, own, names);
            }
            StmtKind::Try(it) => {
                let handlers = it.handlers.iter().map(|it| &it.body);
                for body in [&it.body, &it.otherwise, &it.finally].into_iter().chain(handlers) {
                    block(body, own, names);
                }
            }
            StmtKind::Match(_, cases) => cases.iter().for_each(|body| block(body, own, names)),
            StmtKind::Def(it, _) => drop(names.all.insert(it.name.clone())),
            StmtKind::Class(it) => drop(names.all.insert(it.name.clone())),
            _ => {}
        }
    }
}

fn bind(target: &Expr, names: &mut Names) {
    match target {
        Expr::Name(name) => drop(names.all.insert(name.clone())),
        Expr::Tuple(parts) | Expr::List(parts) => parts.iter().for_each(|it| bind(it, names)),
        Expr::Starred(it) => bind(it, names),
        _ => {}
    }
}
