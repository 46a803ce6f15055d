//! Do the wheels that were installed belong on this Python, platform and C library?

use super::{Context, Installed, Stack, again, environment, looked, platform, prebuilt};
use crate::facts::{ASKED, Origin};
use crate::finding::{Basis, Evidence, Finding, Kind, Outcome, Remedy, Severity};
use crate::rules::Target;
use crate::rules::model::PythonTag;
use crate::version::GlibcVersion;

const TORCH: &str = "torch";

/// Compares the tags of the installed wheels with the interpreter, the machine type and glibc.
pub fn check(context: &Context<'_>) -> Outcome {
    let mut findings = environment::findings(context);
    findings.extend(platform::findings(context));
    if context.facts.origin == Origin::Report {
        findings.extend(old_glibc(context));
        findings.extend(narrow(context));
        findings.extend(context.stack.installed.iter().filter_map(|installed| no_wheel(context, installed)));
        return looked(findings);
    }
    let tagged: Vec<_> =
        context.stack.installed.iter().filter(|installed| !installed.distribution.wheel_tags.is_empty()).collect();
    if findings.is_empty() {
        if tagged.is_empty() {
            return Outcome::NotApplicable("nothing is installed from a wheel".to_owned());
        }
        if context.target.python.is_none() {
            return Outcome::Skipped("the Python version".to_owned());
        }
    }
    findings.extend(tagged.into_iter().filter_map(|installed| finding(context, installed)));
    looked(findings)
}

/// By the rules' rows, since a report shows no wheel's tags: builds whose wheels ask for a newer glibc than there is.
fn old_glibc(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = prebuilt::glibc(context);
    let Some(has) = context.target.glibc else { return findings };
    for installed in &context.stack.installed {
        let Some(needs) = installed.row.and_then(|(_, build)| build.glibc).filter(|needs| *needs > has) else {
            continue;
        };
        if installed.name().starts_with("nvidia-") {
            continue;
        }
        let citation = installed.row.map(|(_, build)| build.source.citation());
        findings.push(Finding {
            id: format!("python/{}", installed.name()),
            kind: Kind::Python,
            severity: Severity::Warn,
            title: format!("{} needs glibc {needs}, and this system has {has}", installed.title()),
            message:
                "Its wheels are made for newer systems: pip does not offer them here, and by force they do not load."
                    .to_owned(),
            packages: vec![installed.name().to_owned()],
            gpus: Vec::new(),
            evidence: vec![Evidence {
                fact: "glibc".to_owned(),
                observed: has.to_string(),
                required: Some(format!("{needs} or newer")),
                source: Basis::Rule,
                citation,
            }],
            remedies: Vec::new(),
            references: Vec::new(),
        });
    }
    findings
}

/// A Python for 32-bit processors, for which no build of torch is made.
fn narrow(context: &Context<'_>) -> Option<Finding> {
    if !context.facts.pasted.as_ref()?.narrow_python {
        return None;
    }
    let torch = context.db.package(TORCH)?;
    let build = torch.releases.iter().rev().find_map(|release| release.builds.first())?;
    Some(Finding {
        id: "python/32-bit".to_owned(),
        title: "this Python is a 32-bit build, and torch has wheels for 64-bit Python only".to_owned(),
        message: "pip finds no version of torch for it at all: `from versions: none`.".to_owned(),
        packages: vec!["python".to_owned(), TORCH.to_owned()],
        evidence: vec![Evidence {
            fact: "python".to_owned(),
            observed: "32 bit".to_owned(),
            required: Some("a platform of torch's wheels, all of them 64-bit".to_owned()),
            source: Basis::Rule,
            citation: Some(build.source.citation()),
        }],
        remedies: vec![Remedy::new("Install 64-bit Python, and make the environment again", [])],
        ..Finding::of(Kind::Python, Severity::Fail)
    })
}

/// A release that somebody asks for and that has no wheel for this Python.
fn no_wheel(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let source = installed.distribution.version.source()?;
    let python = context.target.python.filter(|_| source.place().starts_with(ASKED))?;
    let (release, build) = installed.row?;
    let mut tags = release.builds.iter().flat_map(|build| &build.python).peekable();
    tags.peek()?;
    if tags.any(|tag| tag.accepts(python, context.target.free_threaded)) {
        return None;
    }
    let mut wheels: Vec<String> =
        release.builds.iter().flat_map(|build| &build.python).map(ToString::to_string).collect();
    wheels.sort();
    wheels.dedup();
    Some(Finding {
        id: format!("python/{}", installed.name()),
        title: format!("{} has no wheel for Python {}.{}", installed.title(), python.major, python.minor),
        message: "pip and uv find no version that satisfies the requirement on this Python.".to_owned(),
        packages: vec![installed.name().to_owned(), "python".to_owned()],
        evidence: vec![Evidence {
            fact: "python".to_owned(),
            observed: python.to_string(),
            required: Some(wheels.join(" ")),
            source: Basis::Rule,
            citation: Some(build.source.citation()),
        }],
        remedies: vec![Remedy::new(
            format!("Make the environment with a Python that it has wheels for, or take another {}", installed.name()),
            [],
        )],
        ..Finding::of(Kind::Python, Severity::Warn)
    })
}

/// Whether a wheel of these tags may be installed there.
#[must_use]
pub fn suits(tags: &[String], target: &Target) -> bool {
    tags.iter().any(|tag| misfit(tag, target).is_none())
}

/// What one tag demands that is not there, in words; none where it fits.
fn misfit(tag: &str, target: &Target) -> Option<(String, String)> {
    let mut parts = tag.split('-');
    let (python, abi, platform) = (parts.next()?, parts.next()?, parts.next()?);
    if let Some(version) = target.python {
        let tag = if abi == "abi3" { format!("{python}-abi3") } else { python.to_owned() };
        let tag = if abi.starts_with("cp") && abi.ends_with('t') { abi.to_owned() } else { tag };
        if let Ok(tag) = tag.parse::<PythonTag>()
            && !tag.accepts(version, target.free_threaded)
        {
            let kind = if target.free_threaded { "free-threaded Python" } else { "Python" };
            return Some((python.to_owned(), format!("{kind} {}.{}", version.major, version.minor)));
        }
    }
    if platform == "any" {
        return None;
    }
    if let Some(wanted) = &target.platform {
        let (os, machine) = wanted.split_once('_')?;
        let foreign = !platform.ends_with(machine)
            || (os == "linux"
                && !platform.starts_with("linux")
                && !platform.starts_with("manylinux")
                && !platform.starts_with("musllinux"));
        // macOS and Windows name their machines in other ways; only Linux is judged.
        if os == "linux" && foreign {
            return Some((platform.to_owned(), wanted.clone()));
        }
    }
    let has = target.glibc?;
    // Another C library: its modules carry another name, and Python does not see them.
    if platform.starts_with("musllinux") {
        return Some(("musl".to_owned(), format!("glibc {has}")));
    }
    let needs = GlibcVersion::from_platform_tag(platform)?;
    (needs > has).then(|| (format!("glibc {needs}"), format!("glibc {has}")))
}

fn finding(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let tags = &installed.distribution.wheel_tags;
    let mut misfits = Vec::new();
    for tag in tags {
        misfits.push(misfit(tag, &context.target)?);
    }
    let (needs, has) = misfits.into_iter().next()?;
    Some(Finding {
        id: format!("python/{}", installed.name()),
        kind: Kind::Python,
        // What the rules know has no modules that do without the compiled ones; glibc is asked for by the wheel, and may do.
        severity: if Stack::is_gpu(installed.name(), context.db)
            || (context.db.package(installed.name()).is_some() && !needs.starts_with("glibc"))
        {
            Severity::Fail
        } else {
            Severity::Warn
        },
        title: format!("{} was built for {needs}, but this is {has}", installed.title()),
        message: "Its compiled modules cannot be imported here; the folder was copied from elsewhere, or the wheel \
                  installed by force."
            .to_owned(),
        packages: vec![installed.name().to_owned()],
        gpus: Vec::new(),
        evidence: vec![Evidence {
            fact: "wheel tag".to_owned(),
            observed: tags.join(" "),
            required: Some(has),
            source: Basis::Metadata,
            citation: Some(format!("{}/WHEEL", installed.distribution.metadata_dir)),
        }],
        remedies: again::remedy(context, installed).into_iter().collect(),
        references: Vec::new(),
    })
}
