//! The forms in which commands write what they found, and which of them a command has.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::report::ci::{FORMS, Form};

/// A form.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// Everything, for programs.
    Json,
    /// An answer or a summary to paste.
    Markdown,
    /// What a CI system reads.
    Ci(&'static Form),
    /// A script for the shell of the machine.
    Script,
    /// One page for a browser.
    Html,
}

impl Format {
    /// Those of findings.
    pub fn of_findings() -> impl TypedValueParser<Value = Self> {
        let ci: Vec<Self> = FORMS.iter().map(Self::Ci).collect();
        only(&[[Self::Text, Self::Json, Self::Markdown].as_slice(), &ci].concat())
    }

    /// For people and for programs.
    pub fn plain() -> impl TypedValueParser<Value = Self> {
        only(&[Self::Text, Self::Json])
    }

    /// Those of a grid of builds.
    pub fn of_grid() -> impl TypedValueParser<Value = Self> {
        only(&[Self::Text, Self::Html, Self::Json])
    }

    /// Those of a plan.
    pub fn of_plan() -> impl TypedValueParser<Value = Self> {
        only(&[Self::Script, Self::Json])
    }

    /// Its name on the command line, and what `--help` says of it.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("text", "For people"),
            Self::Json => ("json", "Everything, for programs; `schema` in it says which form"),
            Self::Markdown => ("markdown", "An answer or a summary to paste under an issue or a pull request"),
            Self::Ci(form) => (form.name, form.help),
            Self::Script => ("script", "A script for the shell of the machine"),
            Self::Html => ("html", "One page for a browser, with filters for GPU and driver"),
        }
    }
}

fn only(formats: &[Format]) -> impl TypedValueParser<Value = Format> + use<> {
    let values: Vec<_> = formats.iter().map(|format| format.words()).collect();
    let values = values.into_iter().map(|(name, help)| PossibleValue::new(name).help(help));
    let formats = formats.to_vec();
    let read = move |name: String| formats.iter().copied().find(|it| it.words().0 == name).unwrap_or_default();
    PossibleValuesParser::new(values).map(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_its_forms_and_no_other() {
        let command = |name: &'static str| {
            let argument = clap::Arg::new("format").long("format");
            let argument = match name {
                "findings" => argument.value_parser(Format::of_findings()),
                "plain" => argument.value_parser(Format::plain()),
                _ => argument.value_parser(Format::of_plan()),
            };
            clap::Command::new(name).arg(argument)
        };
        let read = |name: &'static str, value: &str| {
            let matches = command(name).try_get_matches_from([name, "--format", value]).ok()?;
            matches.get_one::<Format>("format").copied()
        };
        let sarif = FORMS.iter().find(|form| form.name == "sarif").map(Format::Ci);
        assert!(sarif.is_some() && read("findings", "sarif") == sarif);
        assert_eq!((read("findings", "script"), read("plain", "sarif"), read("plan", "text")), (None, None, None));
        assert_eq!((read("plain", "json"), read("plan", "script")), (Some(Format::Json), Some(Format::Script)));
    }
}
