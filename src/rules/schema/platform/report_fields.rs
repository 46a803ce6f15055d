//! `platform/report_fields.toml`: how fields of reports are called.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::facts::field::Field;
use crate::rules::schema::fault::Fault;
use crate::rules::schema::page::{Page, Table, cited, fault, pages};

/// `rules/platform/report_fields.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReportFieldTable {
    /// Pages by key.
    pub sources: BTreeMap<String, Page>,
    /// Headings whose value stands below.
    pub heading: HeadingRow,
    /// Names of fields.
    #[serde(rename = "field")]
    pub rows: Vec<FieldRow>,
}

/// Headings of issue forms whose value stands below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HeadingRow {
    /// The whole heading, in lower case.
    pub names: Vec<String>,
    /// What it may hold.
    pub parts: Vec<String>,
}

/// Names with which a field is about the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FieldRow {
    /// What it is about; none for the version of the package that it names.
    #[serde(default)]
    pub about: Option<Field>,
    /// In lower case, e.g. `nvidia driver version`.
    pub names: Vec<String>,
    /// Whether a program prints it of the environment that it runs in.
    #[serde(default)]
    pub running: bool,
    /// A key of `sources`; none for the words of people.
    #[serde(default)]
    pub source: Option<String>,
}

impl ReportFieldTable {
    /// All rows by their names: a report is asked for each of its lines.
    #[must_use]
    pub fn by_name(&self) -> HashMap<&str, &FieldRow> {
        self.rows.iter().flat_map(|row| row.names.iter().map(move |name| (name.as_str(), row))).collect()
    }

    /// Whether the value of a heading stands on the line below.
    #[must_use]
    pub fn is_heading(&self, name: &str) -> bool {
        let HeadingRow { names, parts } = &self.heading;
        names.iter().any(|own| own == name) || parts.iter().any(|part| name.contains(part.as_str()))
    }
}

impl Table for ReportFieldTable {
    fn check(&self) -> Result<(), Fault> {
        pages(&self.sources)?;
        let mut seen = BTreeSet::new();
        for (index, row) in self.rows.iter().enumerate() {
            if let Some(source) = &row.source {
                cited(&self.sources, source, "field", index)?;
            }
            for name in &row.names {
                if name.to_lowercase() != *name || name.trim() != name || name.is_empty() {
                    return Err(fault("field", index, &format!("`{name}` is not in lower case")));
                }
                if !seen.insert(name) {
                    return Err(fault("field", index, &format!("`{name}` is there twice")));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::field::Field;
    use crate::rules::store::embedded;

    #[test]
    fn a_field_is_known_by_its_whole_name() {
        let fields = &embedded().tables().report_fields;
        let names = fields.by_name();
        let row = |name: &str| names.get(name).map(|row| (row.about, row.running));
        assert_eq!(row("nvidia driver version"), Some((Some(Field::Driver), true)));
        assert_eq!(row("nvidia driver"), Some((Some(Field::Driver), false)));
        assert_eq!(row("显卡"), Some((Some(Field::Gpu), false)));
        assert_eq!(row("vllm version"), Some((None, true)));
        assert_eq!(row("nvidia driver versio"), None);
        assert!(fields.is_heading("your gpu") && fields.is_heading("torch") && !fields.is_heading("torches"));
    }
}
