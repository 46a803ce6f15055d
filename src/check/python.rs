//! Do the wheels that were installed belong on this Python, platform and C library?

use super::{Context, Installed, Stack, again, environment, looked, platform, prebuilt};
use crate::facts::{ASKED, Origin};
use crate::finding::{Evidence, Finding, Outcome, Remedy, Severity, rule};
use crate::rules::Target;
use crate::rules::model::PythonTag;
use crate::version::GlibcVersion;

rule! {
    /// An installed package was built for another Python or platform.
    ///
    /// Its compiled modules are not found or do not load. Known from the tags in its WHEEL file. Install it again with this
    /// interpreter.
    pub OTHER_TAG = "python/{package}": Python, Fail, since "0.1.0", judged on [Python, Distributions];
}

rule! {
    /// A package needs a newer glibc than this system has.
    ///
    /// Known from the wheel's platform tag and the system's C library. Take a release with a wheel for older systems,
    /// or a newer base image.
    pub GLIBC = "python/{package}": Python, Warn, since "0.1.0", judged on [Distributions, System];
}

rule! {
    /// This Python is a 32-bit build.
    ///
    /// torch has wheels for 64-bit Python only. Known from the interpreter. Install a 64-bit Python.
    pub BITS_32 = "python/32-bit": Python, Fail, since "0.1.0", judged on [Python];
}

rule! {
    /// A package has no wheel for this Python.
    ///
    /// pip then takes an older release or tries to compile. Known from the published wheels in the rules. Use a Python
    /// that the release supports.
    pub NO_WHEEL = "python/{package}": Python, Warn, since "0.1.0", judged on [Python, Distributions];
}

const TORCH: &str = "torch";

/// Compares the tags of the installed wheels with the interpreter, the machine type and glibc.
pub fn check(context: &Context<'_>) -> Outcome {
    let mut findings = environment::check(context);
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
        findings.push(GLIBC.found(&[installed.name()], format!("{} needs glibc {needs}, and this system has {has}", installed.title())).message("Its wheels are made for newer systems: pip does not offer them here, and by force they do not load.").packages([installed.name()]).evidence([Evidence::rule("glibc", has.to_string()).required(format!("{needs} or newer")).cited(citation)]));
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
    Some(
        NO_WHEEL
            .found(
                &[installed.name()],
                format!("{} has no wheel for Python {}.{}", installed.title(), python.major, python.minor),
            )
            .message("pip and uv find no version that satisfies the requirement on this Python.")
            .packages([installed.name(), "python"])
            .evidence([Evidence::rule("python", python.to_string())
                .required(wheels.join(" "))
                .cited(build.source.citation())])
            .remedies([Remedy::new(
                format!(
                    "Make the environment with a Python that it has wheels for, or take another {}",
                    installed.name()
                ),
                [],
            )]),
    )
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
    // What the rules know has no modules that do without the compiled ones; glibc is asked for by the wheel, and may do.
    let fails = Stack::is_gpu(installed.name(), context.db)
        || (context.db.package(installed.name()).is_some() && !needs.starts_with("glibc"));
    let title = format!("{} was built for {needs}, but this is {has}", installed.title());
    let place = format!("{}/WHEEL", installed.distribution.metadata_dir);
    Some(
        OTHER_TAG
            .found(&[installed.name()], title)
            .severity(if fails { Severity::Fail } else { Severity::Warn })
            .message(
                "Its compiled modules cannot be imported here; the folder was copied from elsewhere, or the wheel installed by \
                 force.",
            )
            .packages([installed.name()])
            .evidence([Evidence::metadata("wheel tag", tags.join(" ")).required(has).cited(place)])
            .remedies(again::remedy(context, installed)),
    )
}
