//! Was an installed package built for another Python or platform?

use super::tags::misfit;
use crate::check::{Context, Installed, Stack, again};
use crate::facts::Origin;
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};

rule! {
    /// An installed package was built for another Python or platform.
    ///
    /// Its compiled modules are not found or do not load. Known from the tags in its WHEEL file. Install it again with this
    /// interpreter.
    pub OTHER_TAG = "python/{package}": Python, Fail, since "0.1.0", judged on [Python, Distributions];
}

pub fn finding(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let tags = &installed.distribution.wheel_tags;
    let mut misfits = Vec::new();
    for tag in tags {
        misfits.push(misfit(tag, &context.target)?);
    }
    let (needs, has) = misfits.into_iter().next()?;
    // What the rules know has no modules that do without the compiled ones; glibc is asked for by the wheel, and may do.
    let fails = Stack::is_gpu(installed.name(), context.db)
        || (context.db.package(installed.name()).is_some() && !needs.starts_with("glibc"));
    let title = format!("{} was built for {needs}, but this is {has}", installed.title());
    let place = match installed.distribution.metadata_dir.as_str() {
        "" => installed.distribution.version.source().map(|source| source.place().to_owned()),
        folder => Some(format!("{folder}/WHEEL")),
    };
    // Of a report only the wheel's name is known: it may not be installed at all.
    let named = context.facts.origin == Origin::Report;
    let other = || Remedy::new(format!("Take the wheel of {} for this {has}", installed.name()), []);
    Some(
        OTHER_TAG
            .found(&[installed.name()], title)
            .severity(if fails { Severity::Fail } else { Severity::Warn })
            .message(match named {
                true => "An installer refuses this wheel here; forced, its compiled modules cannot be imported.",
                false => {
                    "Its compiled modules cannot be imported here; the folder was copied from elsewhere, or the wheel \
                     installed by force."
                }
            })
            .packages([installed.name()])
            .remedies(if named { Some(other()) } else { again::remedy(context, installed) })
            .evidence([Evidence::metadata("wheel tag", tags.join(" ")).required(has.clone()).cited(place)]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn a_wheel_is_for_one_python() {
        let of = |python| {
            let case = Case::host().python(python);
            let tags = vec!["cp310-cp310-manylinux_2_28_x86_64".to_owned()];
            case.distribution("torch", "2.7.1+cu126", |own| own.wheel_tags = tags).found(&OTHER_TAG)
        };
        assert_eq!(of("3.12"), ["python/torch: torch 2.7.1+cu126 was built for cp310, but this is Python 3.12"]);
        assert!(of("3.10").is_empty());
    }
}
