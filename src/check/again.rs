//! What is there, installed once more from its index: for files that are damaged, gone, or of another machine.

use super::{Context, Installed, Installer};
use crate::facts::{Distribution, Origin};
use crate::finding::{Change, Remedy};
use crate::step;

/// The remedy that puts a distribution's own files back, of the version that is there; none where no installer has that one:
/// what a folder or a URL was installed from, or what names no version.
pub fn remedy(context: &Context<'_>, installed: &Installed<'_>) -> Option<Remedy> {
    let distribution = installed.distribution;
    let version = version(distribution)?;
    if distribution.editable || distribution.direct_url.value().is_some() {
        return None;
    }
    let pin = step::pin(installed.name(), version)?;
    let step = Installer::of(context.facts).again(&[pin])?;
    Some(Remedy {
        change: change(context, installed),
        ..Remedy::new(format!("Install {} {version} again", installed.name()), [step])
    })
}

/// The version that METADATA says, else the name of its folder: `huggingface_hub-0.36.2.dist-info`.
fn version(distribution: &Distribution) -> Option<&str> {
    let of_folder = || Some(distribution.metadata_dir.strip_suffix(".dist-info")?.rsplit_once('-')?.1);
    distribution.version.value().map(String::as_str).or_else(of_folder)
}

/// What that changes; none in a report, which shows no files.
pub fn change(context: &Context<'_>, installed: &Installed<'_>) -> Option<Change> {
    let name = installed.name().to_owned();
    let location = installed.distribution.location.clone();
    (context.facts.origin != Origin::Report).then_some(Change::Again { name, location })
}
