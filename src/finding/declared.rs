//! Which rules the sources declare, for the build script: a rule is one file, and no list names it a second time.
//!
//! The script writes what [`listing`] gives into three macros: `modules!` declares the files of a folder of rules as modules,
//! `declared!` is the list of all rules, and `judged!` the list of those judgements that their family does not call, as
//! `rule! { … by check; }` says.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The macros for these sources, each a path below `src` with `/` and the text; only files of `check/` and `lint/` declare rules.
#[must_use]
pub fn listing(sources: &BTreeMap<String, String>) -> String {
    let mut out = String::from("macro_rules! modules {\n");
    let mut folders: BTreeMap<&str, String> = BTreeMap::new();
    for path in sources.keys() {
        if let Some((folder, file)) = path.rsplit_once('/').filter(|(folder, _)| is_of_rules(folder))
            && let Some(name) = file.strip_suffix(".rs").filter(|name| *name != "mod")
        {
            let _ = write!(folders.entry(folder).or_default(), " pub mod {name};");
        }
    }
    for (folder, modules) in folders {
        let _ = writeln!(out, "({}) => {{{modules} }};", folder.replace('/', "::"));
    }
    out.push_str("}\nmacro_rules! declared {\n");
    for top in ["check", "lint"] {
        let rules = sources.iter().filter_map(|(path, text)| Some((module(path, top)?, text)));
        let names =
            rules.flat_map(|(module, text)| declared(text).map(move |(name, _)| format!("&super::{module}{name}")));
        let _ = writeln!(out, "({top}) => {{ &[{}] }};", names.collect::<Vec<_>>().join(", "));
    }
    out.push_str("}\nmacro_rules! judged {\n() => { &[");
    for (path, text) in sources {
        let Some(module) = module(path, "check") else { continue };
        let mut functions: Vec<_> = declared(text).filter_map(|(_, by)| by).collect();
        functions.dedup();
        for function in functions {
            let family = module.split("::").next().unwrap_or_default().replace('_', "-");
            let _ = write!(out, "(\"{family}\", |context| super::{module}{function}(context).into_iter().collect()),");
        }
    }
    out.push_str("] };\n}\n");
    out
}

/// The folders whose files nobody declares as modules: those of the families of checks, and that of lint.
fn is_of_rules(folder: &str) -> bool {
    folder == "lint/rules" || folder.strip_prefix("check/").is_some_and(|family| !family.contains('/'))
}

/// `abi::numpy_1::` of `check/abi/numpy_1.rs`, from `check` on, and `read::` of `lint/read/mod.rs`.
fn module(path: &str, top: &str) -> Option<String> {
    let below = path.strip_prefix(top)?.strip_prefix('/')?.strip_suffix(".rs")?;
    Some(below.split('/').filter(|name| *name != "mod").map(|name| format!("{name}::")).collect())
}

/// The rules of a source, `NO_KERNEL`, with the function that judges by itself, if they name one.
fn declared(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let of_checks = code.split("\nrule! {").skip(1).filter_map(|rest| {
        let (declaration, _) = rest.split_once("\n}")?;
        let (_, named) = declaration.split_once("\n    pub ")?;
        let by = named.rsplit_once("by ").and_then(|(_, by)| by.strip_suffix(';'));
        Some((named.split_once(' ')?.0, by))
    });
    let of_lint = code.split("\npub static ").skip(1).filter_map(|rest| Some((rest.split_once(": Rule =")?.0, None)));
    of_checks.chain(of_lint.filter(|(name, _)| !name.contains(char::is_whitespace)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_folder_of_rules_is_listed_whoever_names_it() {
        let wsl = "use x;\n\nrule! {\n    /// Old.\n    ///\n    /// Seen by the kernel.\n    pub WSL = \"system/wsl\": System, \
                   Warn, since \"0.1.0\", judged on [System], by check;\n}\n\nrule! {\n    /// Other.\n    pub TWO = \"system/two\": \
                   System, Warn, since \"0.1.0\",\n        judged on [System];\n}\n#[cfg(test)]\nrule! {\n    pub NO = \"n\";\n}\n";
        let lint = "\npub static FORCED: Rule =\n    Rule {\n\npub static OTHER: &[u8] = &[];\n";
        let sources = [
            ("check/system/wsl.rs", wsl),
            ("check/system/mod.rs", "modules!(check::system);"),
            ("check/cases.rs", ""),
            ("lint/rules/forced.rs", lint),
            ("lint/read/mod.rs", lint),
            ("lint/read/files.rs", ""),
        ];
        let sources = sources.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let expected = "macro_rules! modules {
(check::system) => { pub mod wsl; };
(lint::rules) => { pub mod forced; };
}
macro_rules! declared {
(check) => { &[&super::system::wsl::WSL, &super::system::wsl::TWO] };
(lint) => { &[&super::read::FORCED, &super::rules::forced::FORCED] };
}
macro_rules! judged {
() => { &[(\"system\", |context| super::system::wsl::check(context).into_iter().collect()),] };
}
";
        assert_eq!(listing(&sources), expected);
    }
}
