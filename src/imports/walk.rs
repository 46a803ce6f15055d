//! Modules: found, run once, and asked for their names.

use std::cell::RefCell;
use std::rc::Rc;

use super::names::{Names, names};
use super::state::{Attribute, Catch, DEPTH, Module, State, Walker};
use super::value::{Binding, Exception, Table, Value};
use super::{Evidence, Found, Modules, Wanted};
use crate::python::syntax::tree::Name;

/// What came of following imports.
/// Follows the import of modules, one after the other, as in one process.
pub struct Walk<'a>(Walker<'a>);

impl<'a> Walk<'a> {
    /// Nothing is imported yet.
    #[must_use]
    pub fn new(modules: &'a dyn Modules) -> Self {
        Self(Walker::new(modules))
    }

    /// Follows the import of a module; whether it comes through, as far as is known.
    pub fn import(&mut self, root: &str) -> bool {
        let walker = &mut self.0;
        walker.here = (String::new(), 0);
        let Err(exception) = walker.import(root) else { return true };
        if let Some(evidence) = &exception.evidence
            && !evidence.file.is_empty()
        {
            walker.evidence.push((evidence.as_ref().clone(), Some(root.to_owned())));
        }
        false
    }

    /// The same for a module below a package: what stops it for certain, and what it refuses itself is its own affair.
    pub fn import_part(&mut self, root: &str) {
        let before = self.0.evidence.len();
        self.import(root);
        let kept = |(it, stops): &(Evidence, Option<String>)| stops.is_some() && it.wanted != Wanted::Stop;
        let mut told = self.0.evidence.split_off(before);
        told.retain(kept);
        self.0.evidence.extend(told);
    }

    /// What stops, and the module whose import it stops; none where a condition decides.
    #[must_use]
    pub fn end(self) -> Vec<(Evidence, Option<String>)> {
        self.0.evidence
    }
}

impl Walker<'_> {
    /// Imports a module and its parents; gives the module itself.
    pub fn import(&mut self, name: &str) -> Result<usize, Box<Exception>> {
        let mut parent: Option<usize> = None;
        // No person writes such a name.
        if name.len() > 1000 {
            return Ok(self.opaque("…"));
        }
        let ends = name.match_indices('.').map(|(at, _)| at).chain([name.len()]);
        for end in ends {
            let id = self.load(&name[..end], parent)?;
            if let Some(parent) = parent {
                let last = name[..end].rsplit('.').next().unwrap_or_default();
                let above = &self.modules[parent];
                // `from .tqdm import tqdm` binds another thing to the name of the module.
                let names = above.library.as_ref().filter(|_| above.by_names);
                let maybe = names.is_some_and(|it| it.open || it.all.contains(last));
                let scope = above.scope.clone();
                // A module stays bound in its parent, whatever becomes of the branch.
                scope.borrow_mut().insert(Name::from(last), Binding { value: Value::Module(id), maybe });
            }
            parent = Some(id);
        }
        Ok(parent.unwrap_or_default())
    }

    pub fn load(&mut self, name: &str, parent: Option<usize>) -> Result<usize, Box<Exception>> {
        if let Some(id) = self.by_name.get(name) {
            return match &self.modules[*id].state {
                State::Failed(exception) => Err(exception.clone()),
                _ => Ok(*id),
            };
        }
        // `requests.packages.urllib3.util`, where the part before is urllib3 itself.
        if let (Some(parent), Some((above, last))) = (parent, name.rsplit_once('.'))
            && self.modules[parent].name.as_ref() != above
        {
            let real = format!("{}.{last}", self.modules[parent].name);
            let id = self.load(&real, Some(parent))?;
            self.by_name.insert(Name::from(name), id);
            return Ok(id);
        }
        let known = parent.is_none_or(|parent| {
            let it = &self.modules[parent];
            !(self.registers(it) || it.signs.path || self.is_hidden(it, name))
        });
        let found = match self.outside.find(name) {
            Found::Missing if !known || self.is_spent() || self.is_elsewhere(name) => {
                // Who asks next may know more.
                let id = self.opaque(name);
                self.by_name.remove(name);
                return Ok(id);
            }
            found => found,
        };
        match found {
            Found::Missing => {
                let owner = parent.and_then(|parent| self.modules[parent].path.clone());
                let lack = self.lack(Wanted::Module, name, "", owner);
                Err(Exception::new("ModuleNotFoundError", Some(lack)))
            }
            Found::Text { path, package } => self.run(name, path, package),
            Found::Library(path) => {
                let names = self.library(&path, name);
                let id = self.enter(name, Some(path), true);
                if let Some(lack) = self.lacking(&names) {
                    let exception = Exception::new("ModuleNotFoundError", Some(lack));
                    self.modules[id].state = State::Failed(exception.clone());
                    return Err(exception);
                }
                self.modules[id].signs.registers = names.signs.registers || names.signs.finder;
                self.modules[id].library = Some(names);
                Ok(id)
            }
            Found::Names(path) => {
                let names = self.library(&path, name);
                let package = path.ends_with("/__init__.py");
                let id = self.enter(name, Some(path), package);
                let module = &mut self.modules[id];
                (module.signs, module.by_names) = (names.signs, true);
                module.library = Some(names);
                Ok(id)
            }
            Found::Opaque | Found::Unknown => {
                let id = self.enter(name, None, true);
                self.modules[id].open = true;
                Ok(id)
            }
            Found::Namespace => Ok(self.enter(name, None, true)),
        }
    }

    /// Whether something that ran may find a module where Python would not.
    pub fn is_elsewhere(&self, name: &str) -> bool {
        let above = name.match_indices('.').map(|(at, _)| &name[..at]).chain([name]);
        let quoted: Vec<String> = above.flat_map(|it| [format!("'{it}'"), format!("\"{it}\"")]).collect();
        let importer = self.modules.iter().rev().find(|it| it.path.as_deref() == Some(self.here.0.as_str()));
        let top = importer.map_or("", |it| it.name.split('.').next().unwrap_or_default());
        let paths = |it: &Module| it.signs.sys_path && it.name.split('.').next() == Some(top);
        let finds = |it: &Module| {
            self.finds(it)
                && it.text.as_ref().is_some_and(|it| quoted.iter().any(|name| it.module.text.contains(name.as_str())))
        };
        self.modules.iter().any(|it| finds(it) || (paths(it) && !name.contains('.')))
    }

    /// Whether a module's finder is one that this Python asks: `find_module` is gone from 3.12.
    pub fn finds(&self, it: &Module) -> bool {
        it.signs.finder && !(it.signs.old_finder && self.outside.python() >= (3, 12, 0))
    }

    /// Whether a module may put others into `sys.modules`.
    pub fn registers(&self, it: &Module) -> bool {
        it.signs.registers || self.finds(it)
    }

    /// Whether a module below one that is no text may be in it: an extension that spells its name.
    pub fn is_hidden(&self, it: &Module, name: &str) -> bool {
        let last = name.rsplit('.').next().unwrap_or_default();
        it.path.is_none() && it.open && self.outside.spells(&it.name, last)
    }

    /// The module of the interpreter itself that one of the standard library needs and does not have.
    pub fn lacking(&self, names: &Names) -> Option<Evidence> {
        let missing = names.needs.iter().find(|(name, _)| self.outside.find(name) == Found::Missing)?;
        Some(self.lack(Wanted::Module, &missing.0, "", None))
    }

    /// The names of the module at a path, by its full name.
    pub fn library(&mut self, path: &str, name: &str) -> Rc<Names> {
        if let Some(names) = self.library.get(path) {
            return names.clone();
        }
        // Those that import each other by a star.
        self.library.insert(Name::from(path), Rc::default());
        let package = path.ends_with("/__init__.py");
        let names = match self.outside.read(path, "") {
            Some(text) => {
                let mut names = names(&text.module, text.signs, (name, package));
                for star in std::mem::take(&mut names.stars) {
                    match self.outside.find(&star) {
                        Found::Library(path) | Found::Names(path) => {
                            let other = self.library(&path, &star);
                            if let Some(listed) = &other.listed {
                                names.all.extend(listed.iter().cloned());
                                continue;
                            }
                            names.all.extend(other.all.iter().cloned());
                            names.extensions.extend(other.extensions.iter().cloned());
                            names.open |= other.open;
                        }
                        Found::Opaque => names.extensions.push(star),
                        _ => names.open = true,
                    }
                }
                Rc::new(names)
            }
            None => Rc::new(Names { open: true, ..Names::default() }),
        };
        self.library.insert(Name::from(path), names.clone());
        names
    }

    pub fn run(&mut self, name: &str, path: String, package: bool) -> Result<usize, Box<Exception>> {
        let text = self.outside.read(&path, name);
        let id = self.enter(name, Some(path.clone()), package);
        let Some(text) = text else {
            self.modules[id].open = true;
            return Ok(id);
        };
        if self.depth > DEPTH {
            self.modules[id].open = true;
            return Ok(id);
        }
        let signs = text.signs;
        self.modules[id].signs = signs;
        self.modules[id].open = signs.sets_names;
        self.modules[id].text = Some(text.clone());
        self.modules[id].state = State::Running;
        let here = std::mem::replace(&mut self.here, (path, 0));
        let log = std::mem::take(&mut self.log);
        let handled = std::mem::take(&mut self.handled);
        let limit = std::mem::replace(&mut self.limit, u64::MAX);
        self.depth += 1;
        let done = self.module_body(id, &text.module.body);
        self.depth -= 1;
        (self.here, self.log, self.handled, self.limit) = (here, log, handled, limit);
        match done {
            Ok(()) => {
                self.modules[id].state = State::Done;
                // Another module may stand for it now.
                Ok(self.by_name.get(name).copied().unwrap_or(id))
            }
            Err(exception) => {
                self.modules[id].state = State::Failed(exception.clone());
                Err(exception)
            }
        }
    }

    /// What `module.name` is.
    pub fn attribute(&mut self, id: usize, name: &str) -> Attribute {
        let module = &self.modules[id];
        if let Some(binding) = module.scope.borrow().get(name) {
            return if binding.maybe { Attribute::Unknown } else { Attribute::Value(binding.value.clone()) };
        }
        if let Some(names) = &module.library {
            let spelt = || names.extensions.iter().any(|it| self.outside.spells(it, name));
            let is_there = names.open || names.all.contains(name) || name.starts_with("__") || spelt();
            if module.by_names {
                // What many ask before they take anything else.
                if let ("__version__", Some(Some(version))) = (name, self.outside.version(&module.name)) {
                    return Attribute::Value(Value::str(&version));
                }
                return if is_there { Attribute::Unknown } else { Attribute::Missing };
            }
            if is_there || self.outside.find(&format!("{}.{name}", module.name)) != Found::Missing {
                return Attribute::Value(self.known_attribute(&module.name, name));
            }
            return Attribute::Missing;
        }
        if module.path.is_none() && module.open {
            // An extension that is a part of a package is of its release.
            let top = module.name.split('.').next().unwrap_or_default();
            if let ("__version__", Some(Some(version))) = (name, self.outside.version(top))
                && version.bytes().all(|it| it.is_ascii_digit() || it == b'.')
            {
                return Attribute::Value(Value::str(&version));
            }
            // Built into the interpreter, or an extension.
            return match self.outside.find(&module.name) {
                Found::Opaque if !module.name.contains('.') => {
                    Attribute::Value(self.known_attribute(&module.name, name))
                }
                _ => Attribute::Unknown,
            };
        }
        if module.open || matches!(module.state, State::Running) {
            return Attribute::Unknown;
        }
        if let Some(lazy) = module.lazy.clone() {
            return self.lazy_attribute(id, &lazy, name);
        }
        let always =
            ["__name__", "__file__", "__doc__", "__spec__", "__loader__", "__package__", "__dict__", "__class__"];
        let of_package = ["__path__", "__getattr__", "__builtins__", "__cached__", "__dir__", "__annotations__"];
        if always.contains(&name) || of_package.contains(&name) {
            return Attribute::Unknown;
        }
        let by_function = module.scope.borrow().get("__getattr__").cloned();
        if let Some(binding) = by_function {
            let Value::Function(closure) = binding.value else { return Attribute::Unknown };
            if binding.maybe || self.depth > DEPTH / 2 {
                return Attribute::Unknown;
            }
            let (evidence, level) = (self.evidence.len(), self.level);
            let here = self.here.clone();
            self.tries.push(Catch::Kinds(vec!["AttributeError".into()]));
            let called = self.call_closure(&closure, vec![Value::str(name)], Vec::new(), false);
            self.tries.pop();
            self.here = here;
            self.evidence.truncate(evidence);
            self.level = level;
            return match called {
                Ok(Value::None) => Attribute::Unknown,
                Ok(value) => Attribute::Value(value),
                Err(exception) if exception.kinds.iter().any(|kind| kind.as_ref() == "AttributeError") => {
                    if self.modules[id].stated.iter().any(|it| it.as_ref() == name) {
                        return Attribute::Unknown;
                    }
                    Attribute::Missing
                }
                Err(_) => Attribute::Unknown,
            };
        }
        if module.stated.iter().any(|it| it.as_ref() == name) {
            return Attribute::Unknown;
        }
        Attribute::Missing
    }

    /// What a module that stands for a table of names gives.
    pub fn lazy_attribute(&mut self, id: usize, lazy: &Rc<RefCell<Table>>, name: &str) -> Attribute {
        if self.modules[id].stated.iter().any(|it| it.as_ref() == name) && !lazy.borrow().entries.contains_key(name) {
            return Attribute::Unknown;
        }
        let lazy = lazy.borrow();
        if lazy.entries.contains_key(name) || lazy.open || name.starts_with("__") {
            return Attribute::Unknown;
        }
        Attribute::Missing
    }

    /// `from module import name`: its value, a module below it, or nothing.
    pub fn take(&mut self, id: usize, name: &str) -> Result<Value, Box<Exception>> {
        let lazy = self.modules[id].lazy.clone();
        if let Some(lazy) = lazy {
            let below = lazy.borrow().entries.get(name).cloned();
            if let Some(Value::Str(below)) = below {
                let full = format!("{}.{below}", self.modules[id].name);
                let id = self.import(&full)?;
                return self.take(id, name);
            }
        }
        match self.attribute(id, name) {
            Attribute::Value(value) => return Ok(value),
            Attribute::Unknown => {
                // It may still be a module, which then runs.
                let full = format!("{}.{name}", self.modules[id].name);
                let is_plain = matches!(self.modules[id].state, State::Running) && self.modules[id].package;
                if is_plain && matches!(self.outside.find(&full), Found::Text { .. }) {
                    return self.import(&full).map(Value::Module);
                }
                return Ok(Value::Unknown);
            }
            Attribute::Missing => {}
        }
        let (module, package, owner) = {
            let it = &self.modules[id];
            (it.name.clone(), it.package, it.path.clone())
        };
        let full = format!("{module}.{name}");
        if package {
            if self.by_name.contains_key(full.as_str()) || self.outside.find(&full) != Found::Missing {
                return self.import(&full).map(Value::Module);
            }
            let signs = self.modules[id].signs;
            if self.registers(&self.modules[id]) || signs.path || self.is_spent() {
                return Ok(Value::Unknown);
            }
        }
        Err(Exception::new("ImportError", Some(self.lack(Wanted::Name, &module, name, owner))))
    }
}
