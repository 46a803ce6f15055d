//! May this environment be changed?

use std::path::Path;

use crate::facts::{Facts, Origin};

/// What the files of an environment say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// It has a `pyvenv.cfg`.
    pub venv: bool,
    /// It has a `conda-meta`.
    pub conda: bool,
}

/// Why the environment of these facts is not gpudoc's to change; none where it is.
///
/// Only what somebody made to install packages in is changed: a virtual environment or one of conda. The system's Python
/// belongs to the distribution (PEP 668), and a report or an image is no environment of this machine.
#[must_use]
pub fn refusal(facts: &Facts, marks: Marks) -> Option<String> {
    match facts.origin {
        Origin::Host => {}
        Origin::Root => return Some("an image is not changed, only this machine's environments".to_owned()),
        Origin::Report => return Some("a report is not this machine".to_owned()),
    }
    let Some(python) = facts.python.value() else { return Some("no Python environment was found".to_owned()) };
    let Some(executable) = python.executable.value() else {
        return Some(format!("the environment in `{}` has no Python that starts", python.prefix));
    };
    if !marks.venv && !marks.conda {
        return Some(format!(
            "`{executable}` is a Python of the system, no virtual environment; make one and install what you need there: \
             `{executable} -m venv .venv`"
        ));
    }
    // Where the environment's own packages lie, e.g. below a link to another disk.
    let own = python.path.iter().any(|folder| Path::new(folder).starts_with(&python.prefix));
    (!own).then(|| format!("the packages of `{}` lie outside it", python.prefix))
}

/// The package of a command whose copy that Python finds lies outside the environment, with its folder.
#[must_use]
pub fn outsider(facts: &Facts, name: &str, prefix: &Path) -> Option<String> {
    let normalised = name.to_ascii_lowercase().replace(['_', '.'], "-");
    let found = facts.distribution(&normalised)?;
    (!found.location.is_empty() && !Path::new(&found.location).starts_with(prefix)).then(|| found.location.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Distribution, Python, PythonImplementation, Reading};

    fn facts(path: &[&str]) -> Facts {
        let python = Python {
            executable: Reading::host("/v/bin/python3".to_owned(), "PATH"),
            prefix: "/v".to_owned(),
            base_prefix: Reading::Unknown,
            version: Reading::Unknown,
            implementation: PythonImplementation::CPython,
            free_threaded: false,
            bits: Reading::Unknown,
            chosen_by: "PATH".to_owned(),
            path: path.iter().map(|folder| (*folder).to_owned()).collect(),
            management: crate::facts::Management::default(),
            place: crate::facts::Place::default(),
        };
        Facts { python: Reading::host(python, "PATH"), ..Facts::unknown(Origin::Host) }
    }

    #[test]
    fn only_what_was_made_to_be_changed_is() {
        let (venv, none) = (Marks { venv: true, conda: false }, Marks { venv: false, conda: false });
        let site = facts(&["/v/lib/python3.11/site-packages"]);
        assert_eq!(refusal(&site, venv), None);
        assert!(refusal(&site, none).is_some_and(|why| why.contains("`/v/bin/python3 -m venv .venv`")));
        assert!(refusal(&facts(&["/mnt/site-packages"]), venv).is_some());
        for origin in [Origin::Root, Origin::Report] {
            assert!(refusal(&Facts { origin, ..site.clone() }, venv).is_some());
        }
        assert!(refusal(&Facts::unknown(Origin::Host), venv).is_some());
    }

    #[test]
    fn a_copy_outside_is_seen() {
        let of = |name: &str, location: &str| Distribution {
            name: name.to_owned(),
            location: location.to_owned(),
            ..Distribution::default()
        };
        let inside = "/v/lib/python3.11/site-packages";
        let user = "/root/.local/lib/python3.11/site-packages";
        let distributions = vec![of("typing-extensions", user), of("typing-extensions", inside), of("torch", inside)];
        let facts = Facts { distributions, ..facts(&[user, inside]) };
        assert_eq!(outsider(&facts, "Typing_Extensions", Path::new("/v")).as_deref(), Some(user));
        assert_eq!(outsider(&facts, "torch", Path::new("/v")), None);
    }
}
