//! Is this Python a 32-bit build?

use crate::check::Context;
use crate::facts::TORCH;
use crate::finding::{Evidence, Finding, Remedy, rule};

rule! {
    /// This Python is a 32-bit build.
    ///
    /// torch has wheels for 64-bit Python only. Known from the interpreter. Install a 64-bit Python.
    pub BITS_32 = "python/32-bit": Python, Fail, since "0.1.0", judged on [Python];
}

/// A Python for 32-bit processors, for which no build of torch is made.
pub fn finding(context: &Context<'_>) -> Option<Finding> {
    if context.facts.python.value().is_none_or(|python| python.bits.value() != Some(&32)) {
        return None;
    }
    let torch = context.db.package(TORCH)?;
    let build = torch.releases.iter().rev().find_map(|release| release.builds.first())?;
    Some(
        BITS_32
            .found(&[], "this Python is a 32-bit build, and torch has wheels for 64-bit Python only")
            .message("pip finds no version of torch for it at all: `from versions: none`.")
            .packages(["python", TORCH])
            .evidence([Evidence::rule("python", "32 bit")
                .required("a platform of torch's wheels, all of them 64-bit".to_owned())
                .cited(build.source.citation())])
            .remedies([Remedy::new("Install 64-bit Python, and make the environment again", [])]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;
    use crate::facts::Reading;

    #[test]
    fn a_report_shows_a_32_bit_python() {
        let of = |bits: u32| {
            let report = Case::report().python("3.12").with(|facts| {
                let Reading::Known { value, .. } = &mut facts.python else { panic!("it has a Python") };
                value.bits = Reading::told(bits, "line 1");
            });
            report.found(&BITS_32)
        };
        assert_eq!(
            of(32),
            ["python/32-bit: this Python is a 32-bit build, and torch has wheels for 64-bit Python only"]
        );
        assert!(of(64).is_empty());
    }
}
