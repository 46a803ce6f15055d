//! The forms in which commands write what they found, and which of them a command has.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// A form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// Everything, for programs; `schema` in it says which form
    Json,
    /// An answer or a summary to paste under an issue or a pull request
    Markdown,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML
    Junit,
    /// GitHub annotations
    Github,
    /// GitLab code quality
    Gitlab,
    /// A script for the shell of the machine
    Script,
    /// One page for a browser, with filters for GPU and driver
    Html,
}

impl Format {
    /// Those of findings.
    pub fn of_findings() -> impl TypedValueParser<Value = Self> {
        only(&[Self::Text, Self::Json, Self::Markdown, Self::Sarif, Self::Junit, Self::Github, Self::Gitlab])
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
}

fn only(formats: &[Format]) -> impl TypedValueParser<Value = Format> + use<> {
    let values: Vec<_> = formats.iter().filter_map(ValueEnum::to_possible_value).collect();
    PossibleValuesParser::new(values).map(|name| Format::from_str(&name, true).unwrap_or_default())
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
        assert_eq!(read("findings", "sarif"), Some(Format::Sarif));
        assert_eq!((read("findings", "script"), read("plain", "sarif"), read("plan", "text")), (None, None, None));
        assert_eq!((read("plain", "json"), read("plan", "script")), (Some(Format::Json), Some(Format::Script)));
    }
}
