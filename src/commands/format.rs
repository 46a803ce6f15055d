//! The forms in which commands write what they found.

use clap::ValueEnum;

/// Of findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// Everything, for programs (`gpudoc.report/1`, `gpudoc.lint/1`)
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
}

/// Of everything else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Plain {
    /// For people
    #[default]
    Text,
    /// Everything, for programs; `schema` in it says which form
    Json,
}
