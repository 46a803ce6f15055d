//! Is the environment itself in order: its interpreter, its folder, its scripts, where its packages come from?

use super::{Context, Installed, Installer, again, in_front};
use crate::facts::{Origin, Place, Python, Reading, Stray};
use crate::finding::{Basis, Change, Evidence, Finding, Kind, Remedy, Severity};
use crate::step::{self, Step};
use crate::text;

/// What is out of order, the interpreter first.
pub fn findings(context: &Context<'_>) -> Vec<Finding> {
    let Some(python) = context.facts.python.value().filter(|_| context.facts.origin != Origin::Report) else {
        return Vec::new();
    };
    let mut findings: Vec<Finding> =
        [interpreter(python), home(&python.place), scripts(python)].into_iter().flatten().collect();
    findings.extend(in_front::findings(context));
    findings.extend(context.stack.installed.iter().filter_map(|installed| source(context, installed)));
    findings.extend(context.stack.installed.iter().filter_map(|installed| record(context, installed)));
    findings
}

fn fail(id: &str, title: String, message: &str, evidence: Evidence) -> Finding {
    Finding {
        id: format!("environment/{id}"),
        title,
        message: message.to_owned(),
        packages: vec!["python".to_owned()],
        evidence: vec![evidence],
        ..Finding::of(Kind::Environment, Severity::Fail)
    }
}

fn seen(fact: &str, observed: impl Into<String>, required: Option<String>) -> Evidence {
    let (fact, observed) = (fact.to_owned(), observed.into());
    Evidence { fact, observed, required, source: Basis::Host, citation: None }
}

/// An interpreter that does not start, or does not look at the packages beside it.
fn interpreter(python: &Python) -> Option<Finding> {
    let Place { without_cfg, packages_of, .. } = &python.place;
    let version = python.version.value().map(|version| format!("{}.{}", version.major, version.minor));
    let mut finding = if let Reading::Unreadable { error } = &python.executable {
        fail(
            "interpreter",
            format!("the interpreter is gone: {error}"),
            "The Python that the environment was made with was removed or upgraded. Its packages are still there.",
            seen("interpreter", error.clone(), None),
        )
    } else if let Some(folder) = without_cfg {
        fail(
            "pyvenv-cfg",
            format!("`{folder}` has packages and an interpreter, but no pyvenv.cfg"),
            "Without it the interpreter looks for packages where its link leads, and finds none of the environment's own.",
            seen("pyvenv.cfg", "is missing", Some(format!("{folder}/pyvenv.cfg"))),
        )
    } else if let (Some(folder), Some(version)) = (packages_of, &version) {
        fail(
            "packages",
            format!("the interpreter is Python {version}, but the packages are in lib/{folder}"),
            "Python looks into the folder of its own version only: nothing of what is installed there can be imported.",
            seen("interpreter", version.clone(), Some(folder.clone())),
        )
    } else {
        return None;
    };
    finding.remedies.extend(renew(python));
    Some(finding)
}

/// The environment made again around its packages, with an interpreter of the version that they are for.
fn renew(python: &Python) -> Option<Remedy> {
    let prefix = python.prefix.as_str();
    let summary = format!("Make `{prefix}` again around its packages");
    let Some(other) = &python.place.other_python else {
        return Some(Remedy::new(
            "Make the environment again with the Python that its packages are for, and install them",
            [],
        ));
    };
    let steps: Vec<Step> = if python.management.uv.is_some() {
        Step::run(["uv", "venv", "--allow-existing", "--python", other, prefix]).into_iter().collect()
    } else {
        // `venv` leaves a link that is there as it is.
        let own = other.rsplit('/').next().unwrap_or_default();
        let links = ["python", "python3", own].map(|name| format!("{prefix}/bin/{name}"));
        let remove = ["rm", "-f"].map(str::to_owned).into_iter().chain(links);
        let make = [other.as_str(), "-m", "venv", "--without-pip", prefix];
        [Step::run(remove), Step::run(make)].into_iter().flatten().collect()
    };
    Some(Remedy { change: Some(Change::Renew), ..Remedy::new(summary, steps) })
}

/// PYTHONHOME that names a folder without a standard library.
fn home(place: &Place) -> Option<Finding> {
    let home = place.home.as_ref()?;
    let finding = fail(
        "pythonhome",
        format!("PYTHONHOME names `{home}`, which holds no standard library of this Python"),
        "The interpreter looks for its own modules there, and does not start.",
        seen("PYTHONHOME", home.clone(), None),
    );
    let remedy = Remedy {
        change: Some(Change::Unset("PYTHONHOME".to_owned())),
        ..Remedy::new("Unset PYTHONHOME", Step::unset("PYTHONHOME"))
    };
    Some(Finding { remedies: vec![remedy], ..finding })
}

/// Scripts that start an interpreter which is not there.
fn scripts(python: &Python) -> Option<Finding> {
    let scripts = python.place.scripts.as_ref()?;
    let name = |path: &String| path.rsplit('/').next().unwrap_or_default().to_owned();
    let names: Vec<String> = scripts.paths.iter().take(3).map(name).collect();
    let more = scripts.paths.len() - names.len();
    let named = if more == 0 { text::list(&names) } else { format!("{} and {more} more", names.join(", ")) };
    let finding = fail(
        "scripts",
        format!("scripts start `{}`, which is not there: {named}", scripts.interpreter),
        "The environment was moved or copied after its scripts were written: they end in `No such file or directory`.",
        seen("first line", format!("#!{}", scripts.interpreter), Some(format!("#!{}/bin/python3", python.prefix))),
    );
    let plain = |path: &str| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte));
    let own = python.executable.value()?;
    let words = ["sed".to_owned(), "-i".to_owned(), format!("1s|^#!{}|#!{own}|", scripts.interpreter)];
    let step = Step::run(words.into_iter().chain(scripts.paths.iter().cloned()));
    let step = step.filter(|_| plain(&scripts.interpreter) && plain(own));
    let change = step.is_some().then_some(Change::Scripts);
    let remedy = Remedy { change, ..Remedy::new("Let the scripts start the environment's own interpreter", step) };
    Some(Finding { remedies: vec![remedy], ..finding })
}

/// A development installation whose folder is no longer there.
fn source(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let distribution = installed.distribution;
    let folder = distribution.source_gone.as_ref()?;
    let step = || {
        let pin = step::pin(installed.name(), distribution.version.value()?)?;
        Installer::of(context.facts).again(&[pin])
    };
    let version = distribution.full_version();
    Some(Finding {
        id: format!("environment/{}/source", installed.name()),
        title: format!("{} is installed from `{folder}`, which is not there", installed.title()),
        message: "It is a development installation: only that folder holds its code, and it was moved or removed."
            .to_owned(),
        packages: vec![installed.name().to_owned()],
        evidence: vec![Evidence {
            fact: format!("{} direct_url.json", installed.name()),
            observed: folder.clone(),
            required: None,
            source: Basis::Metadata,
            citation: Some(format!("{}/direct_url.json", distribution.metadata_dir)),
        }],
        remedies: vec![Remedy {
            change: again::change(context, installed),
            ..Remedy::new(
                format!("Put the folder back, or install {} {version} from its index", installed.name()),
                step(),
            )
        }],
        ..Finding::of(Kind::Environment, Severity::Fail)
    })
}

/// A metadata folder with the RECORD of another release.
fn record(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let distribution = installed.distribution;
    let Some(Stray::Of(other)) = &distribution.record else { return None };
    let version = other.strip_suffix(".dist-info")?.rsplit_once('-')?.1;
    let folder = format!("{}/{}", distribution.location, distribution.metadata_dir);
    let again = Installer::of(context.facts).again(&[step::pin(installed.name(), version)?]);
    let steps = again.into_iter().flat_map(|again| Step::run(["rm", "-r", folder.as_str()]).into_iter().chain([again]));
    Some(Finding {
        id: format!("environment/{}/metadata", installed.name()),
        title: format!("`{}` holds the RECORD of `{other}`", distribution.metadata_dir),
        message: format!(
            "The folder was renamed or written over: what says {} {} is not what is installed, and no installer can \
             remove it.",
            installed.name(),
            distribution.full_version()
        ),
        packages: vec![installed.name().to_owned()],
        evidence: vec![Evidence {
            fact: "RECORD".to_owned(),
            observed: other.clone(),
            required: Some(distribution.metadata_dir.clone()),
            source: Basis::Metadata,
            citation: Some(format!("{folder}/RECORD")),
        }],
        remedies: vec![Remedy {
            change: Some(Change::Forget {
                location: distribution.location.clone(),
                metadata_dir: distribution.metadata_dir.clone(),
                instead: Some(version.to_owned()),
            }),
            ..Remedy::new(format!("Remove the folder, and install {} {version} again", installed.name()), steps)
        }],
        ..Finding::of(Kind::Environment, Severity::Fail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::made::distribution;
    use crate::facts::{Facts, Management, PythonImplementation, Scripts};
    use crate::rules::symptom::Heard;
    use crate::rules::{Workload, embedded};
    use crate::step::{Shell, print};

    /// What is told of an environment, with the commands.
    fn told(change: impl FnOnce(&mut Python, &mut Vec<crate::facts::Distribution>)) -> String {
        let mut facts = Facts::unknown(Origin::Host);
        let mut python = Python {
            executable: Reading::host("/v/bin/python".to_owned(), "the test"),
            prefix: "/v".to_owned(),
            base_prefix: Reading::Unknown,
            version: Reading::host("3.12.1".parse().expect("a version"), "the test"),
            implementation: PythonImplementation::CPython,
            free_threaded: false,
            chosen_by: "the test".to_owned(),
            path: Vec::new(),
            management: Management::default(),
            place: Place { other_python: Some("/usr/bin/python3.11".to_owned()), ..Place::default() },
        };
        facts.distributions = vec![distribution("peft", "0.18.0", &[])];
        change(&mut python, &mut facts.distributions);
        facts.python = Reading::host(python, "the test");
        let (workload, heard) = (Workload::default(), Heard::default());
        let context = Context::new(&facts, embedded(), &workload, &heard);
        let mut lines = Vec::new();
        for finding in findings(&context) {
            lines.push(format!("{:?} {}: {}", finding.severity, finding.id, finding.title));
            lines.extend(finding.remedies.iter().flat_map(|remedy| print(&remedy.steps, Shell::Sh)));
        }
        lines.join("\n")
    }

    #[test]
    fn an_environment_in_order_is_not_told_of() {
        assert_eq!(told(|_, _| ()), "");
    }

    #[test]
    fn an_interpreter_that_does_not_find_its_packages() {
        insta::assert_snapshot!(told(|python, _| {
            python.executable = Reading::unreadable("`/v/bin/python` leads to `/opt/python3.11`, which is not there");
            python.management.uv = Some("0.9.5".to_owned());
        }), @"
        Fail environment/interpreter: the interpreter is gone: `/v/bin/python` leads to `/opt/python3.11`, which is not there
        uv venv --allow-existing --python /usr/bin/python3.11 /v
        ");
        insta::assert_snapshot!(told(|python, _| python.place.without_cfg = Some("/v".to_owned())), @"
        Fail environment/pyvenv-cfg: `/v` has packages and an interpreter, but no pyvenv.cfg
        rm -f /v/bin/python /v/bin/python3 /v/bin/python3.11
        /usr/bin/python3.11 -m venv --without-pip /v
        ");
        insta::assert_snapshot!(told(|python, _| python.place.packages_of = Some("python3.11".to_owned())), @"
        Fail environment/packages: the interpreter is Python 3.12, but the packages are in lib/python3.11
        rm -f /v/bin/python /v/bin/python3 /v/bin/python3.11
        /usr/bin/python3.11 -m venv --without-pip /v
        ");
        insta::assert_snapshot!(told(|python, _| python.place.home = Some("/opt/py".to_owned())), @"
        Fail environment/pythonhome: PYTHONHOME names `/opt/py`, which holds no standard library of this Python
        unset PYTHONHOME
        ");
        // Nothing to make it again with: words, and no command.
        let without = told(|python, _| {
            python.place = Place { without_cfg: Some("/v".to_owned()), ..Place::default() };
        });
        assert_eq!(without.lines().count(), 1, "{without}");
    }

    #[test]
    fn an_environment_that_was_moved_and_a_source_that_is_gone() {
        let moved = |interpreter: &str| {
            let scripts = Scripts { interpreter: interpreter.to_owned(), paths: vec!["/v/bin/hf".to_owned()] };
            told(|python, _| python.place.scripts = Some(scripts))
        };
        insta::assert_snapshot!(moved("/old/bin/python"), @"
        Fail environment/scripts: scripts start `/old/bin/python`, which is not there: hf
        sed -i '1s|''^#!/old/bin/python|#!/v/bin/python|' /v/bin/hf
        ");
        assert_eq!(moved("/a|e touch b/bin/python").lines().count(), 1, "no such path enters the command");
        insta::assert_snapshot!(told(|_, all| all[0].source_gone = Some("/src/peft".to_owned())), @"
        Fail environment/peft/source: peft 0.18.0 is installed from `/src/peft`, which is not there
        /v/bin/python -m pip install --force-reinstall --no-deps peft==0.18.0
        ");
        insta::assert_snapshot!(told(|_, all| {
            all[0].metadata_dir = "peft-0.18.0.dist-info".to_owned();
            all[0].record = Some(Stray::Of("peft-0.17.1.dist-info".to_owned()));
        }), @"
        Fail environment/peft/metadata: `peft-0.18.0.dist-info` holds the RECORD of `peft-0.17.1.dist-info`
        rm -r /peft-0.18.0.dist-info
        /v/bin/python -m pip install --force-reinstall --no-deps peft==0.17.1
        ");
    }
}
