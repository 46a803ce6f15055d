//! Are the CUDA libraries there that the installed packages load, and are they the right ones?
//!
//! What each library would get was found by following its needs as the loader would (the probe does that). Here is told
//! which of them it does not get, which come from `LD_LIBRARY_PATH` instead of from a wheel, which files two distributions
//! claim, and which are no longer what was installed.

modules!(check::cuda_libs);

use super::environment::files;
use super::{Context, Installed, looked};
use crate::finding::Outcome;
use crate::text;

/// How many files or libraries are named.
const NAMED: usize = 5;

/// Looks at the files that packages hold. What they choose, need and share is judged by its rules alone.
pub fn check(context: &Context<'_>) -> Outcome {
    let open = |installed: &Installed<'_>| !installed.distribution.libraries.is_absent();
    let read = context.stack.installed.iter().any(|installed| installed.distribution.libraries.value().is_some())
        || !context.stack.installed.iter().any(open);
    let chooses = context.stack.installed.iter().any(|installed| {
        let rule = installed.package.zip(installed.version.as_ref());
        rule.is_some_and(|(package, version)| context.db.library_pick(package, version).is_some())
    });
    let linked = context.stack.installed.iter().any(|installed| {
        let libraries = installed.distribution.libraries.value();
        libraries.is_some_and(|libraries| libraries.iter().any(|library| !library.links.is_empty()))
    });
    let findings: Vec<_> =
        context.stack.installed.iter().filter_map(|installed| files::check(context, installed)).collect();
    match (findings.is_empty(), read, linked || chooses) {
        (true, true, false) => Outcome::NotApplicable("nothing is installed that loads CUDA libraries".to_owned()),
        (true, false, false) => Outcome::Skipped("the files of the installed libraries".to_owned()),
        _ => looked(findings),
    }
}

/// The first few, and how many more.
fn some(names: &[&str]) -> String {
    match names.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{} and {more} more", names[..NAMED].join(", ")),
        _ => text::list(names),
    }
}
