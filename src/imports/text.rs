//! What the text of a module tells without being followed.

use crate::python::syntax::Module;
use crate::python::syntax::tree::{Expr, Stmt, StmtKind};

/// A module that was read, ready to be followed.
#[derive(Debug)]
pub struct Prepared {
    /// Its statements.
    pub module: Module,
    /// What else it does.
    pub signs: Signs,
}

impl Prepared {
    /// Reads a module; `own` is its name, e.g. `numpy.dtypes`. None where the text is no Python.
    #[must_use]
    pub fn read(text: &str, own: &str) -> Option<Self> {
        let module = Module::parse(text)?;
        let signs = Signs::of(&module, own.rsplit('.').next().unwrap_or_default());
        Some(Self { module, signs })
    }

    /// The full names of the modules that its import is likely to import; `own` is its name. Some may be names in a module.
    #[must_use]
    pub fn imports(&self, own: &str, package: bool) -> Vec<String> {
        let mut names = Vec::new();
        collect(&self.module.body, own, package, &mut names);
        names
    }
}

fn collect(body: &[Stmt], own: &str, package: bool, names: &mut Vec<String>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::Import(aliases) => names.extend(aliases.iter().map(|it| it.name.to_string())),
            StmtKind::From { level, module, names: aliases } => {
                let Some(full) = absolute(own, package, *level, module.as_deref()) else { continue };
                // A package's own parts may be what it takes.
                if *level > 0 || full.split('.').next() == own.split('.').next() {
                    names.extend(aliases.iter().map(|it| format!("{full}.{}", it.name)));
                }
                names.push(full);
            }
            StmtKind::If(branches, otherwise) => {
                let taken = branches.iter().filter(|(test, _)| !is_type_checking(test));
                taken.for_each(|(_, body)| collect(body, own, package, names));
                collect(otherwise, own, package, names);
            }
            StmtKind::Try(it) => {
                collect(&it.body, own, package, names);
                collect(&it.otherwise, own, package, names);
            }
            StmtKind::With(_, body) => collect(body, own, package, names),
            StmtKind::Class(it) => collect(&it.body, own, package, names),
            _ => {}
        }
    }
}

/// Signs that a module does more with names than its statements show.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signs {
    /// It puts modules of other names into `sys.modules`.
    pub registers: bool,
    /// It changes its own `__path__`.
    pub path: bool,
    /// It changes `sys.path`.
    pub sys_path: bool,
    /// It has a finder of its own.
    pub finder: bool,
    /// That is one without `find_spec`, as Python before 3.12 asked.
    pub old_finder: bool,
    /// A function of it gives it names, when somebody calls it.
    pub sets_names: bool,
}

impl Signs {
    /// Reads them; `own` is the last part of the module's name.
    pub fn of(module: &Module, own: &str) -> Self {
        let text = module.text.as_ref();
        let finder = text.contains("meta_path");
        // What a finder's own `load_module` puts there is what was asked of it.
        let by_finder =
            |at: usize| text[..at].rfind("def ").is_some_and(|at| text[at..].starts_with("def load_module("));
        let put = |at: usize| registers(&text[at + "sys.modules".len()..]) && !(finder && by_finder(at));
        let registers = text.match_indices("sys.modules").any(|(at, _)| put(at));
        let sys_path = ["sys.path.", "sys.path =", "sys.path[", "addsitedir"].iter().any(|it| text.contains(it));
        let sets = format!("setattr({own},");
        let by_globals =
            || text.contains("globals().update") || text.match_indices("globals()[").any(|(at, _)| is_set(&text[at..]));
        Self {
            registers,
            path: text.match_indices("__path__").any(|(at, _)| is_path(&text[..at], &text[at..])),
            sys_path,
            finder,
            old_finder: finder && !text.contains("find_spec"),
            sets_names: !own.is_empty() && (text.contains(&sets) || by_globals()),
        }
    }
}

/// Whether a `__path__` is one that names folders: it is not in quotes, and not the empty one of a module that is no package.
fn is_path(before: &str, rest: &str) -> bool {
    !before.ends_with(['"', '\''])
        && !rest.strip_prefix("__path__ = []").is_some_and(|rest| rest.starts_with(['\n', '\r', ' ']))
}

/// Whether what follows `sys.modules` puts another module into it.
fn registers(rest: &str) -> bool {
    let Some(key) = rest.strip_prefix('[') else {
        let harmless =
            [".get", ".pop", ".keys", ".items", ".values", ".copy", ":", ")", "\n", " ", "`", "'", "\"", "]"];
        return !harmless.iter().any(|it| rest.starts_with(it));
    };
    if key.starts_with("__name__]") {
        return false;
    }
    is_set(key)
}

/// Whether what stands behind the next bracket is `=`.
pub fn is_set(text: &str) -> bool {
    let line = text.split('\n').next().unwrap_or_default();
    line.split_once(']').is_some_and(|(_, after)| {
        let after = after.trim_start();
        after.starts_with('=') && !after.starts_with("==")
    })
}

/// Whether a test is one that only type checkers pass.
pub fn is_type_checking(test: &Expr) -> bool {
    match test {
        Expr::Name(name) => name.as_ref() == "TYPE_CHECKING",
        Expr::Attribute(_, name, _) => name.as_ref() == "TYPE_CHECKING",
        _ => false,
    }
}

/// The full name of what a relative import names; none beyond the top.
pub fn absolute(own: &str, package: bool, level: u32, module: Option<&str>) -> Option<String> {
    if level == 0 {
        return module.map(str::to_owned);
    }
    let mut base = own;
    let up = if package { level - 1 } else { level };
    for _ in 0..up {
        base = base.rsplit_once('.')?.0;
    }
    Some(match module {
        Some(module) => format!("{base}.{module}"),
        None => base.to_owned(),
    })
}
