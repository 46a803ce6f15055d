use std::sync::OnceLock;

use super::db::RuleDb;
use super::overlay::Overlay;
use super::pack::Packed;
use crate::pep::Version;

static DB: OnceLock<RuleDb> = OnceLock::new();

fn packed() -> Packed {
    let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));
    #[expect(clippy::expect_used, reason = "the build script wrote these bytes, and a test unpacks them")]
    postcard::from_bytes(bytes).expect("the embedded rules are what the build script packed")
}

/// The rules that this program was built with, and newer ones over them if [`install`] was called before.
///
/// # Panics
///
/// Never: the build script packed them, and a test unpacks them all.
#[must_use]
pub fn embedded() -> &'static RuleDb {
    DB.get_or_init(|| RuleDb::new(packed()))
}

/// The rules that this program was built with, but that nobody read what the releases of a package require.
#[cfg(test)]
pub(crate) fn without_requirements(name: &str) -> RuleDb {
    RuleDb::new(packed()).without_requirements(name)
}

/// Puts newer rules over the program's own. Only what is installed before the first question counts.
pub fn install(overlay: Overlay) {
    let _ = DB.set(RuleDb::with_overlay(packed(), overlay));
}

/// The day of the newest row that this program was built with, e.g. `2026-11-21`.
#[must_use]
pub fn embedded_day() -> &'static str {
    env!("GPUDOC_RULES_DAY")
}

/// The newest release of a package that this program was built with.
#[must_use]
pub fn embedded_last(name: &str) -> Option<Version> {
    embedded().own_last(name)
}
