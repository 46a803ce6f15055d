//! Values of TOML tables as what they should be; what they are instead is gathered as an error at its place.

use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::GroupItem;
use crate::pep::VersionSpecifiers;
use crate::project::dependency::{Problem, Style, WrittenRequirement, parse};
use crate::project::mend;
use crate::project::place::{InputError, Lines, Place, Placed};

/// A text and what was found wrong in it.
pub struct Reader<'t> {
    text: &'t str,
    lines: Lines<'t>,
    errors: Vec<InputError>,
    warnings: Vec<InputError>,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, lines: Lines::of(text), errors: Vec::new(), warnings: Vec::new() }
    }

    /// Errors and warnings, in the order of the file.
    pub fn finish(self) -> (Vec<InputError>, Vec<InputError>) {
        let sorted = |mut found: Vec<InputError>| {
            found.sort_by_key(|error| (error.place.span.start, error.place.span.end));
            found
        };
        (sorted(self.errors), sorted(self.warnings))
    }

    pub fn place(&self, span: Range<usize>) -> Place {
        // The parser may point behind the end, or into the middle of a character.
        let mut start = span.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = span.end.clamp(start, self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        self.lines.place(start..end)
    }

    pub fn wrong(&mut self, span: Range<usize>, message: String) {
        self.problem(Problem { range: span, message, hint: None });
    }

    pub fn problem(&mut self, problem: Problem) {
        let error = problem.at(|span| self.place(span));
        self.errors.push(error);
    }

    pub fn warn(&mut self, problem: Problem) {
        let warning = problem.at(|span| self.place(span));
        self.warnings.push(warning);
    }

    fn mismatch(&mut self, value: &Spanned<DeValue<'_>>, key: &str, expected: &str) {
        let found = value.get_ref().type_str();
        self.wrong(value.span(), format!("`{key}` must be {expected}, not {} {found}", article(found)));
    }

    pub fn table<'v>(&mut self, table: &'v DeTable<'t>, key: &str) -> Option<&'v DeTable<'t>> {
        let value = table.get(key)?;
        let found = value.get_ref().as_table();
        if found.is_none() {
            self.mismatch(value, key, "a table");
        }
        found
    }

    pub fn string(&mut self, table: &DeTable<'_>, key: &str) -> Option<Placed<String>> {
        let value = table.get(key)?;
        self.text_of(value, key)
    }

    /// A string value; its place is what stands within the quotes.
    pub fn text_of(&mut self, value: &Spanned<DeValue<'_>>, key: &str) -> Option<Placed<String>> {
        let Some(text) = value.get_ref().as_str() else {
            self.mismatch(value, key, "a string");
            return None;
        };
        let inner = self.inside(value.span(), text).unwrap_or_else(|| value.span());
        Some(Placed { value: text.to_owned(), place: self.place(inner) })
    }

    /// The bytes within the quotes, if the string stands there letter by letter.
    fn inside(&self, span: Range<usize>, text: &str) -> Option<Range<usize>> {
        let raw = self.text.get(span.clone())?;
        let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
        let start = span.start + quotes;
        let inner = start..start.checked_add(text.len())?;
        (self.text.get(inner.clone()) == Some(text) && inner.end + quotes == span.end).then_some(inner)
    }

    pub fn flag(&mut self, table: &DeTable<'_>, key: &str) -> bool {
        let Some(value) = table.get(key) else { return false };
        match value.get_ref().as_bool() {
            Some(flag) => flag,
            None => {
                self.mismatch(value, key, "`true` or `false`");
                false
            }
        }
    }

    /// The items of a list; nothing where it is missing.
    pub fn list<'v>(&mut self, table: &'v DeTable<'t>, key: &str) -> &'v [Spanned<DeValue<'t>>] {
        let Some(value) = table.get(key) else { return &[] };
        match value.get_ref().as_array() {
            Some(list) => list,
            None => {
                self.mismatch(value, key, "a list");
                &[]
            }
        }
    }

    pub fn strings(&mut self, table: &DeTable<'t>, key: &str) -> Vec<Placed<String>> {
        self.list(table, key).iter().filter_map(|value| self.text_of(value, key)).collect()
    }

    pub fn dependencies(&mut self, table: &DeTable<'t>, key: &str) -> Vec<WrittenRequirement> {
        self.list(table, key).iter().filter_map(|value| self.dependency(value, key)).collect()
    }

    /// A string as PEP 508 has it.
    pub fn dependency(&mut self, value: &Spanned<DeValue<'_>>, key: &str) -> Option<WrittenRequirement> {
        let Some(text) = value.get_ref().as_str() else {
            self.mismatch(value, key, "a list of strings such as `\"torch>=2.6\"`");
            return None;
        };
        let inside = self.inside(value.span(), text);
        match parse(text, Style::Pep508) {
            Ok((what, versions)) => {
                let start = inside.as_ref().map(|inside| inside.start);
                let versions = versions.zip(start).map(|(at, start)| self.place(start + at.start..start + at.end));
                let place = self.place(inside.unwrap_or_else(|| value.span()));
                Some(WrittenRequirement { text: text.to_owned(), place, versions, what })
            }
            Err(problem) => {
                let range = match inside {
                    Some(inside) => inside.start + problem.range.start..inside.start + problem.range.end,
                    None => value.span(),
                };
                self.problem(Problem { range, ..problem });
                None
            }
        }
    }

    pub fn requires_python(&mut self, table: &DeTable<'_>) -> Option<Placed<VersionSpecifiers>> {
        let Placed { value, place } = self.string(table, "requires-python")?;
        // A comma may end the list.
        let text = value.trim().trim_end_matches(',');
        match VersionSpecifiers::from_str(text) {
            Ok(specifiers) => Some(Placed { value: specifiers, place }),
            Err(_) => {
                let message = format!("`{value}` is not a range of Python versions, such as `>=3.10`");
                let problem = Problem::new(place.span, message);
                self.problem(match mend::versions(text) {
                    Some(meant) => problem.or_write(&meant),
                    None => problem,
                });
                None
            }
        }
    }

    /// The items of a dependency group.
    pub fn group(&mut self, name: &str, value: &Spanned<DeValue<'t>>) -> Vec<GroupItem> {
        let Some(list) = value.get_ref().as_array() else {
            self.mismatch(value, name, "a list of requirements");
            return Vec::new();
        };
        let mut items = Vec::new();
        for value in list {
            if let Some(table) = value.get_ref().as_table() {
                match (table.get("include-group"), table.len()) {
                    (Some(inner), 1) => items.extend(self.text_of(inner, "include-group").map(GroupItem::Include)),
                    _ => {
                        let message = "a table in a group must be `{ include-group = \"NAME\" }`".to_owned();
                        self.wrong(value.span(), message);
                    }
                }
            } else {
                items.extend(self.dependency(value, name).map(|one| GroupItem::Dependency(Box::new(one))));
            }
        }
        items
    }

    /// `dependencies = { file = ["requirements.txt"] }` of `[tool.setuptools.dynamic]`.
    pub fn dependency_files(&mut self, table: &DeTable<'t>) -> Vec<Placed<String>> {
        let Some(inner) = table.get("dependencies").and_then(|value| value.get_ref().as_table()) else {
            return Vec::new();
        };
        match inner.get("file") {
            Some(value) if value.get_ref().is_str() => self.text_of(value, "file").into_iter().collect(),
            _ => self.strings(inner, "file"),
        }
    }
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// The keys of a table in the order of the file.
pub fn in_order<'v, 't>(table: &'v DeTable<'t>) -> Vec<(&'v str, &'v Spanned<DeValue<'t>>)> {
    let mut entries: Vec<_> =
        table.iter().map(|(key, value)| (key.span().start, key.get_ref().as_ref(), value)).collect();
    entries.sort_by_key(|(start, ..)| *start);
    entries.into_iter().map(|(_, key, value)| (key, value)).collect()
}
