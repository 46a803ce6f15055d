//! What lies below a package: the modules that others are meant to import, and what its extensions spell.

use std::collections::HashSet;

use memchr::memmem;

use super::{Finder, LARGEST, is_name};
use crate::facts::Distribution;
use crate::imports::Found;

impl Finder<'_> {
    /// The modules directly below a package that others are meant to import: packages, `api`, and those of its commands.
    #[must_use]
    pub fn below(&self, package: &str, scripts: &HashSet<String>) -> Vec<String> {
        const OWN: [&str; 8] = ["tests", "test", "testing", "conftest", "setup", "docs", "examples", "benchmarks"];
        let (found, folders) = self.located(package);
        let Found::Text { path, package: true } = found else { return Vec::new() };
        let is_bare = self.is_bare(&path);
        let mut below: Vec<String> = Vec::new();
        for folder in folders.iter() {
            for name in self.names(folder).iter().flat_map(|it| it.iter()) {
                let name = name.strip_suffix(".py").unwrap_or(name);
                let full = format!("{package}.{name}");
                if is_name(name)
                    && !name.starts_with('_')
                    && !OWN.contains(&name)
                    && match self.find(&full) {
                        Found::Text { package, .. } => is_bare || package || name == "api" || scripts.contains(&full),
                        _ => false,
                    }
                {
                    below.push(full);
                }
            }
        }
        below.sort();
        below.dedup();
        if is_bare && package.matches('.').count() < 3 {
            let deeper: Vec<String> = below.iter().flat_map(|it| self.below(it, scripts)).collect();
            below.extend(deeper);
        }
        below
    }

    /// Whether a module imports nothing: of a package that begins so the parts are what is meant to be imported.
    fn is_bare(&self, path: &str) -> bool {
        let text = self.place.root.read(path, 4 << 10).unwrap_or_default();
        let mut lines = text.split(|it| *it == b'\n');
        self.place.root.size(path).is_ok_and(|size| size < 4 << 10)
            && !lines.any(|it| it.starts_with(b"import ") || it.starts_with(b"from "))
    }

    /// The modules that the commands of a distribution start: `tensorboard.main`.
    #[must_use]
    pub fn scripts(&self, distribution: &Distribution) -> Vec<String> {
        let path = format!("{}/{}/entry_points.txt", distribution.location, distribution.metadata_dir);
        let text = self.place.root.read_text(&path).unwrap_or_default();
        let mut groups = text.split("\n[").map(|it| it.trim_start_matches('['));
        let commands = groups.find_map(|it| it.strip_prefix("console_scripts]")).unwrap_or_default();
        let targets = commands.lines().filter_map(|line| line.split_once('='));
        targets.filter_map(|(_, target)| target.trim().split([':', ' ', '[']).next().map(str::to_owned)).collect()
    }

    /// Whether the file of an extension spells a name. True where that cannot be told: it is not there, or it is not of those that
    /// keep all names as they are (Cython, unless it has packed them; f2py). Others take theirs from libraries.
    #[must_use]
    pub fn spells(&self, extension: &str, name: &str) -> bool {
        let has = |bytes: &[u8], what: &str| memmem::find(bytes, what.as_bytes()).is_some();
        let Some(bytes) = self.extension(extension).and_then(|it| self.place.root.read(&it, LARGEST).ok()) else {
            return true;
        };
        let is_plain = if has(&bytes, "__pyx_") { has(&bytes, "__test__") } else { has(&bytes, "f2py") };
        !is_plain || has(&bytes, name)
    }

    /// The file of an extension, by its full name.
    fn extension(&self, name: &str) -> Option<String> {
        let folder = match name.rsplit_once('.') {
            Some((parent, _)) => self.located(parent).1.to_vec(),
            None => self.path.clone(),
        };
        let last = name.rsplit('.').next().unwrap_or_default();
        folder.iter().find_map(|folder| {
            let package = format!("{folder}/{last}");
            self.extension_in(&package, "__init__").or_else(|| self.extension_in(folder, last))
        })
    }
}
