//! A name that is not there: which of the two packages is of another time, the one that takes it or the one that should have it?
//!
//! Who takes a name and is the older of the two knows it from before it went; who is the newer knows it from after it came. So the
//! first release that came after the other one, or the last that came before it, is what each goes with.

use crate::check::{Context, Installed};
use crate::finding::Remedy;
use crate::log::Log;
use crate::rules::model::Release;
use crate::rules::symptom::Seen;

/// A traceback is looked at so many bytes back.
const BACK: usize = 1_500;

/// Who takes the name, and what to do about it.
pub struct Moved {
    /// The importer's name.
    pub importer: String,
    /// None where the rules do not know both releases.
    pub remedies: Vec<Remedy>,
}

/// Looks for the package that takes a name which one of some others lacks.
pub fn moved(context: &Context<'_>, lacking: &[String], seen: &Seen<'_>, text: &Log) -> Option<Moved> {
    let importer = importer(context, lacking, seen, text)?;
    let other = lacking.iter().find_map(|name| context.stack.get(name));
    let remedies = other.map(|other| remedies(importer, other)).unwrap_or_default();
    Some(Moved { importer: importer.name().to_owned(), remedies })
}

/// The older of two packages goes up to the other's time, or the newer one back.
fn remedies(importer: &Installed<'_>, other: &Installed<'_>) -> Vec<Remedy> {
    let (Some(own), Some(there)) = (released(importer), released(other)) else { return Vec::new() };
    let ((old, before), (new, after)) = match own.date < there.date {
        true => ((importer, own), (other, there)),
        false => ((other, there), (importer, own)),
    };
    let by_version = |one: &&Release, two: &&Release| one.version.cmp(&two.version);
    let up = releases(old).filter(|it| it.date >= after.date && it.version > before.version).min_by(by_version);
    let down = releases(new).filter(|it| it.date <= before.date && it.version < after.version).max_by(by_version);
    let remedy = |words: &str, it: &Installed<'_>, line: String| Remedy {
        requirements: vec![line],
        ..Remedy::new(format!("{words} {}", it.name()), [])
    };
    let up = up.map(|it| remedy("Upgrade", old, format!("{}>={}", old.name(), it.version)));
    let down = down.map(|it| remedy("Or go back with", new, format!("{}<={}", new.name(), it.version)));
    up.into_iter().chain(down).collect()
}

/// The package of the last file that a traceback names before the message, where it is not the one that lacks the name.
fn importer<'c>(
    context: &'c Context<'_>,
    lacking: &[String],
    seen: &Seen<'_>,
    text: &Log,
) -> Option<&'c Installed<'c>> {
    let start = (0..=seen.place.saturating_sub(BACK)).rev().find(|at| text.flat.is_char_boundary(*at))?;
    let before = text.flat.get(start..seen.place)?;
    let folders = before.rmatch_indices("-packages/").filter_map(|(at, words)| before.get(at + words.len()..));
    let mut packages = folders.filter_map(|path| {
        let module = path.split(['/', '"', ' ', '.']).next()?;
        let name = context.db.distribution_of_module(module)?;
        context.stack.get(&name)
    });
    packages.next().filter(|it| !lacking.iter().any(|name| name == it.name()))
}

/// The installed release in the rules.
fn released<'c>(installed: &'c Installed<'c>) -> Option<&'c Release> {
    let version = installed.version.as_ref()?.clone().without_local();
    installed.package?.releases.iter().find(|release| release.version == version)
}

/// What an installer takes by itself.
fn releases<'c>(installed: &'c Installed<'c>) -> impl Iterator<Item = &'c Release> {
    let all = installed.package.into_iter().flat_map(|package| &package.releases);
    all.filter(|release| !release.yanked && !release.version.any_prerelease())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;
    use crate::rules::symptom::Heard;
    use crate::rules::{Workload, embedded};

    #[test]
    fn the_older_of_the_two_goes_up() {
        let of = |trl: &str, transformers: &str| {
            let case = Case::report().installed("trl", trl).installed("transformers", transformers);
            let mut text = Log::default();
            text.push("  File \"/venv/lib/python3.11/site-packages/trl/core.py\", line 25, in <module>", 1, false);
            text.push(
                "ImportError: cannot import name 'a_name_that_went' from 'transformers' (/x/__init__.py)",
                2,
                false,
            );
            let (db, workload) = (embedded(), Workload::default());
            let heard = db.heard_in(&text.flat);
            let none = Heard::default();
            let context = Context::new(&case.facts, db, &workload, &none);
            let seen = heard.symptoms.iter().find(|it| it.symptom.id == "transformers-name-gone").expect("heard");
            let found = moved(&context, &["transformers".to_owned()], seen, &text).expect("an importer");
            assert_eq!(found.importer, "trl");
            found.remedies.into_iter().flat_map(|it| it.requirements).collect::<Vec<_>>()
        };
        // trl 0.7.11 is of 2024-02-16, transformers 4.44.2 of 2024-08-22: trl 0.10.1 came on 2024-08-29.
        assert_eq!(of("0.7.11", "4.44.2").first().map(String::as_str), Some("trl>=0.10.1"));
        // trl 0.12.0 is of 2024-11-04, transformers 4.30.2 of 2023-06-13.
        let newer = of("0.12.0", "4.30.2");
        assert!(newer[0].starts_with("transformers>=4.46"), "{newer:?}");
        assert!(newer[1].starts_with("trl<=0.4"), "{newer:?}");
    }
}
