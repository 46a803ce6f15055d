//! Does a wheel with these tags belong on this Python, platform and C library?

use crate::rules::Target;
use crate::rules::python_tag::PythonTag;
use crate::version::GlibcVersion;

/// Whether a wheel of these tags may be installed there.
#[must_use]
pub fn suits(tags: &[String], target: &Target) -> bool {
    tags.iter().any(|tag| misfit(tag, target).is_none())
}

/// What one tag demands that is not there, in words; none where it fits.
pub fn misfit(tag: &str, target: &Target) -> Option<(String, String)> {
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
