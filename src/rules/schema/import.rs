//! `[[import]]` of a package: a name that it takes from another one when it is imported, and the releases that do not have it,
//! though its metadata accepts them.

use serde::{Deserialize, Serialize};

use super::advisory::{Advisory, AdvisoryRemedy, Condition, Import, Level};
use super::fault::{Fault, day};
use super::line::Line;
use super::page::{Page, Row, normalised};
use super::range::Range;

/// A name that some releases of a package want of another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImportRow {
    /// The releases that want it: PEP 440 specifiers, `>=` first and then `<` where it ends, or `==` of one.
    pub versions: Range,
    /// The distribution that it is wanted of, e.g. `transformers`.
    pub of: String,
    /// The module, e.g. `transformers.modeling_layers`.
    pub module: String,
    /// The name in it; none where the module itself is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// It is used as `module.name` while the package is imported, not taken out of the module.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub attribute: bool,
    /// The releases that do not have it: `<4.52` or `>=5`.
    pub without: Range,
    /// Only a part of the package asks for it: the package itself is imported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub part: bool,
    /// Where this was read: the files and lines on both sides.
    pub source: Page,
}

impl Row for ImportRow {
    const TABLE: &str = "import";

    fn check(&self) -> Result<(), Fault> {
        self.versions.check()?;
        self.without.check()?;
        normalised(&self.of).map_err(Fault::new)?;
        if self.bound().is_none() {
            return Err(Fault::new(format!(
                "`without = \"{}\"`: one bound, `<` or `>=` and a release",
                &*self.without
            )));
        }
        let dotted = |text: &str| text.split('.').all(|part| !part.is_empty() && !part.contains([' ', '\'', ':']));
        if !dotted(&self.module) || !self.name.as_deref().is_none_or(dotted) {
            return Err(Fault::new("`module` and `name` are Python's words, with dots between"));
        }
        day(&self.source.read)
    }
}

impl ImportRow {
    /// The way that [`Self::without`] goes, and the release at its end.
    fn bound(&self) -> Option<(Way, &str)> {
        let text = &*self.without;
        let found = text.strip_prefix("<").map(|end| (Way::Younger, end));
        let found = found.or_else(|| text.strip_prefix(">=").map(|end| (Way::Gone, end)));
        found.filter(|(_, end)| !end.is_empty() && !end.contains(['=', ',', '<', '>', '*', ' ']))
    }

    /// What is wanted, e.g. `transformers.modeling_layers` or `accelerate.utils.memory.clear_device_cache`.
    #[must_use]
    pub fn wanted(&self) -> String {
        self.name.as_ref().map_or_else(|| self.module.clone(), |name| format!("{}.{name}", self.module))
    }

    /// The row of a package as an advisory, which checks, solver and messages are asked with like any other: its id is
    /// `import/PACKAGE/WANTED`.
    #[must_use]
    pub fn advisory(&self, package: &str) -> Option<Advisory> {
        let (way, end) = self.bound()?;
        let (of, wanted) = (&self.of, self.wanted());
        let versions = &*self.versions;
        let bound = |sign: &str| versions.split(',').find_map(|part| part.trim().strip_prefix(sign));
        // A release of it after those that want the name has learnt of the change; one before them does not want it yet.
        let (has, remedies) = match way {
            Way::Younger => (
                format!("which {of} has from {end} on"),
                [
                    Some((format!("Upgrade {of}"), format!("{of}>={end}"))),
                    bound(">=").map(|start| (format!("Go back to an older {package}"), format!("{package}<{start}"))),
                ],
            ),
            Way::Gone => (
                format!("which {of} has no longer from {end} on"),
                [
                    bound("<")
                        .filter(|end| !end.starts_with('='))
                        .map(|end| (format!("Upgrade {package}"), format!("{package}>={end}"))),
                    Some((format!("Go back to an older {of}"), format!("{of}<{end}"))),
                ],
            ),
        };
        let imports = match &self.name {
            Some(_) if self.attribute => format!("uses `{wanted}`"),
            Some(name) => format!("imports `{name}` from `{}`", self.module),
            None => format!("imports `{}`", self.module),
        };
        let remedy = |(summary, line): (String, String)| AdvisoryRemedy {
            summary,
            requirements: vec![line],
            removes: Vec::new(),
            commands: Vec::new(),
            spelled_out: false,
        };
        let message = match &self.name {
            Some(name) if self.attribute => format!("module '{}' has no attribute '{name}'", self.module),
            Some(name) => format!("cannot import name '{name}' from '{}'", self.module),
            None => format!("No module named '{}'", self.module),
        };
        let lines = [format!("{package}{versions}"), format!("{of}{}", &*self.without)];
        Some(Advisory {
            id: format!("import/{package}/{wanted}"),
            title: format!("{package} {imports}, {has}"),
            story: format!(
                "{} Its metadata accepts the release all the same.",
                if self.part {
                    format!("The part of {package} that asks for it stops when it is imported.")
                } else {
                    format!("`import {}` stops.", package.replace('-', "_"))
                }
            ),
            severity: if self.part { Level::Warn } else { Level::Fail },
            kind: "import".to_owned(),
            date: self.source.read.clone(),
            withdrawn: None,
            import: Some(Import { package: package.to_owned(), wanted, module: self.name.is_none() }),
            when: vec![Condition { installed: lines.into_iter().map(Line::from).collect(), ..Condition::default() }],
            symptoms: vec![message],
            needs_symptom: false,
            one_of: Vec::new(),
            remedies: remedies.into_iter().flatten().map(remedy).collect(),
            references: vec![self.source.clone()],
            examples: Vec::new(),
        })
    }
}

/// On which side the releases without a name are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It came later.
    Younger,
    /// It went.
    Gone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_an_advisory() {
        let row = |text: &str| toml::from_str::<ImportRow>(text).expect("a row");
        let source = "source = { page = \"a wheel\", read = \"2026-12-01\" }";
        let younger = row(&format!(
            "versions = \">=0.15,<0.22\"\nof = \"accelerate\"\nmodule = \"accelerate.utils.memory\"\nname = \
             \"clear_device_cache\"\nwithout = \"<0.32\"\n{source}"
        ));
        assert!(younger.check().is_ok());
        let made = younger.advisory("peft").expect("one");
        assert_eq!(
            (made.id.as_str(), made.title.as_str()),
            (
                "import/peft/accelerate.utils.memory.clear_device_cache",
                "peft imports `clear_device_cache` from `accelerate.utils.memory`, which accelerate has from 0.32 on"
            )
        );
        let asked = |made: &Advisory| made.remedies.iter().flat_map(|it| it.requirements.clone()).collect::<Vec<_>>();
        assert_eq!(asked(&made), ["accelerate>=0.32", "peft<0.15"]);
        assert_eq!(made.symptoms, ["cannot import name 'clear_device_cache' from 'accelerate.utils.memory'"]);
        let gone = row(&format!(
            "versions = \">=1.3,<1.26\"\nof = \"transformers\"\nmodule = \"transformers.onnx\"\nwithout = \">=5\"\n{source}"
        ));
        let made = gone.advisory("optimum").expect("one");
        assert_eq!(asked(&made), ["optimum>=1.26", "transformers<5"]);
        assert_eq!(made.symptoms, ["No module named 'transformers.onnx'"]);
        let both = row(&format!("versions = \">=1\"\nof = \"a\"\nmodule = \"a\"\nwithout = \">=5,<6\"\n{source}"));
        assert!(both.check().is_err());
    }
}
