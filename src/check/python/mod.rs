//! Do the wheels that were installed belong on this Python, platform and C library?

modules!(check::python);

pub use self::tags::suits;
use crate::check::{Context, environment, looked};
use crate::facts::Origin;
use crate::finding::Outcome;

/// Compares the tags of the installed wheels with the interpreter, the machine type and glibc.
pub fn check(context: &Context<'_>) -> Outcome {
    let mut findings = environment::check(context);
    findings.extend(library_old::findings(context));
    let tagged: Vec<_> =
        context.stack.installed.iter().filter(|installed| !installed.distribution.wheel_tags.is_empty()).collect();
    if context.facts.origin == Origin::Report {
        findings.extend(wheels_glibc::findings(context));
        findings.extend(glibc::findings(context));
        findings.extend(bits_32::finding(context));
        findings.extend(no_wheel::findings(context));
        findings.extend(tagged.into_iter().filter_map(|installed| other_tag::finding(context, installed)));
        return looked(findings);
    }
    if findings.is_empty() {
        if tagged.is_empty() {
            return Outcome::NotApplicable("nothing is installed from a wheel".to_owned());
        }
        if context.target.python.is_none() {
            return Outcome::Skipped("the Python version".to_owned());
        }
    }
    findings.extend(tagged.into_iter().filter_map(|installed| other_tag::finding(context, installed)));
    looked(findings)
}
