//! A name that is taken from a module which does not have it.

use super::{holder, subject, told};
use crate::check::{Context, Installed};
use crate::facts::{Want, Wanted};
use crate::finding::{Finding, rule};

rule! {
    /// An installed package takes a name from a module that does not have it.
    ///
    /// `from other import name`, or `other.name` used while the package is imported: the other package's release, or this
    /// Python, has removed it or does not have it yet. Known by following in the files what the import runs; a module that
    /// makes its names at run time is never accused. Install another release of the one or of the other.
    pub MISSING_NAME = "import/{package}/{wanted}": Import, Fail, since "0.1.0", judged on [Python, Distributions];
}

/// The finding.
pub fn finding(context: &Context<'_>, want: &Want, importer: &Installed<'_>, owner: Option<&Installed<'_>>) -> Finding {
    let subject = subject(want);
    let holder = holder(context, owner);
    let title = match want.wanted {
        Wanted::Attribute => format!("{} uses `{subject}`, which {holder} does not have", importer.title()),
        _ => {
            format!("{} imports `{}` from `{}`, which {holder} does not have", importer.title(), want.name, want.module)
        }
    };
    let observed = format!("`{}` of {holder} has no `{}`", want.module, want.name);
    told(context, &MISSING_NAME, want, (importer, owner), (&subject, title, observed))
}

#[cfg(test)]
mod tests {
    use super::super::made::case;
    use super::{MISSING_NAME, Wanted};

    #[test]
    fn a_name_of_another_package_and_one_of_python() {
        let name = case(|want| {
            (want.wanted, want.module, want.name) =
                (Wanted::Name, "transformers.activations".to_owned(), "X".to_owned());
        });
        assert_eq!(
            name.found(&MISSING_NAME),
            ["import/peft/transformers.activations.X: peft 0.18.0 imports `X` from `transformers.activations`, which \
              transformers 4.46.3 does not have"]
        );
        let own = case(|want| {
            (want.wanted, want.module, want.name) = (Wanted::Attribute, "collections".to_owned(), "Mapping".to_owned());
            want.owner = None;
        });
        assert_eq!(
            own.found(&MISSING_NAME),
            [
                "import/peft/collections.Mapping: peft 0.18.0 uses `collections.Mapping`, which Python 3.12 does not have"
            ]
        );
    }
}
