//! Versions and requirements as Python has them, by PEP 440 and PEP 508: the one file that knows the crates behind them.
//!
//! A requirement keeps its name on its way from a file to the solver, and each step that adds something is a type: a
//! [`Requirement`] is one line, `torch>=2.6; python_version > "3.9"`; a `WrittenRequirement` has its place in a file, a
//! `GivenRequirement` is what files and command line ask for together, an `AskedRequirement` is asked of the solver for somebody, a
//! `NumberedRequirement` is that in the solver's releases and builds, and a `DeclaredRequirement` what a release says of another
//! package in the same way.

pub use pep440_rs::{
    Operator, Version, VersionParseError, VersionSpecifier, VersionSpecifiers, release_specifiers_to_ranges,
};
pub use pep508_rs::{
    ExtraName, ExtraOperator, MarkerEnvironment, MarkerEnvironmentBuilder, MarkerExpression, MarkerOperator,
    MarkerTree, MarkerValueExtra, MarkerValueString, PackageName, VerbatimUrl, VersionOrUrl,
};

/// A requirement as metadata and users write it, e.g. `triton==3.3.1; platform_system == "Linux"`.
pub type Requirement = pep508_rs::Requirement<VerbatimUrl>;
