//! Is the environment's interpreter there?

use super::{fail, renew, seen};
use crate::facts::{Python, Reading};
use crate::finding::{Finding, rule};

rule! {
    /// The environment's interpreter is gone.
    ///
    /// The Python that it was made with was removed or upgraded; the packages are still there. Known from the link
    /// `bin/python` and where it leads. Make the environment again around its packages, with a Python of the same
    /// version.
    pub INTERPRETER = "environment/interpreter": Environment, Fail, since "0.1.0", judged on [Python];
}

/// An interpreter that does not start.
pub fn check(python: &Python) -> Option<Finding> {
    let Reading::Unreadable { error } = &python.executable else { return None };
    let finding = fail(
        &INTERPRETER,
        format!("the interpreter is gone: {error}"),
        "The Python that the environment was made with was removed or upgraded. Its packages are still there.",
        seen("interpreter", error.clone(), None),
    );
    Some(finding.remedies(renew(python)))
}

#[cfg(test)]
mod tests {
    use super::Reading;
    use crate::check::environment::made::told;

    #[test]
    fn a_link_that_leads_nowhere_is_made_again() {
        insta::assert_snapshot!(told(|python, _| {
            python.executable = Reading::unreadable("`/v/bin/python` leads to `/opt/python3.11`, which is not there");
            python.management.uv = Some("0.9.5".to_owned());
        }), @"
        Fail environment/interpreter: the interpreter is gone: `/v/bin/python` leads to `/opt/python3.11`, which is not there
        uv venv --allow-existing --python /usr/bin/python3.11 /v
        ");
    }

    #[test]
    fn one_that_starts_is_well_whoever_made_it() {
        let uv = told(|python, _| python.management.uv = Some("0.9.5".to_owned()));
        assert_eq!(uv, "");
    }
}
