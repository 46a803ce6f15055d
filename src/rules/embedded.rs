use std::sync::OnceLock;

use super::RuleDb;

/// The rules that this program was built with.
///
/// # Panics
///
/// Never: the build script packed them, and a test unpacks them all.
#[must_use]
pub fn embedded() -> &'static RuleDb {
    static DB: OnceLock<RuleDb> = OnceLock::new();
    DB.get_or_init(|| {
        let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));
        #[expect(clippy::expect_used, reason = "the build script wrote these bytes, and a test unpacks them")]
        RuleDb::new(postcard::from_bytes(bytes).expect("the embedded rules are what the build script packed"))
    })
}
