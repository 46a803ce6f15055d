//! Which base image and which Ubuntu a Dockerfile starts from.

use std::cmp::Reverse;

use super::Answer;
use super::answer::Interpreter;
use crate::rules::schema::{ImageRow, UbuntuRelease};
use crate::version::CudaVersion;

/// A base image.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BaseImage<'a> {
    /// For `FROM`, e.g. `nvidia/cuda:12.8.1-base-ubuntu24.04`.
    pub tag: String,
    /// Its CUDA; none without.
    pub cuda: Option<CudaVersion>,
    /// Its Ubuntu.
    pub ubuntu: &'a UbuntuRelease,
    /// The container runtime would not start it on this driver, by the image's own check.
    pub refused: bool,
}

/// The image: `-devel` where something is compiled, else `-base`, since wheels bring CUDA's libraries along; plain Ubuntu where
/// nothing is for CUDA.
///
/// A compiler must know the GPUs that torch was built for, so `-devel` is of torch's CUDA, or the newest below it of the same
/// major release. Of `-base` next to nothing is used: it is of a CUDA that the driver has natively, since the container runtime
/// refuses images with a newer one. None where the rules know no Ubuntu that is new enough.
pub(super) fn base_image<'a>(answer: &Answer<'a>, python: Option<Interpreter>) -> Option<BaseImage<'a>> {
    let images = &answer.db.tables().images;
    let own_python = |ubuntu: &UbuntuRelease| python.is_some_and(|python| has(ubuntu, python));
    let newest = |names: Option<&[String]>| {
        let fits = images.ubuntus.iter().filter(|ubuntu| {
            names.is_none_or(|names| names.contains(&ubuntu.version))
                && answer.glibc().is_none_or(|needs| needs <= ubuntu.glibc)
        });
        fits.max_by_key(|ubuntu| (own_python(ubuntu), ubuntu.glibc))
    };
    let cuda = answer.resolution.pins.iter().filter_map(|pin| pin.build.cuda);
    let Some(cuda) = answer.torch().and_then(|torch| torch.build.cuda).or_else(|| cuda.max()) else {
        let ubuntu = newest(None)?;
        return Some(BaseImage { tag: format!("ubuntu:{}", ubuntu.version), cuda: None, ubuntu, refused: false });
    };
    let native = answer.driver().and_then(|driver| answer.db.native_cuda(driver));
    let rank = |image: &ImageRow| {
        let own = image.cuda()?;
        let (same, runs, below) = (own.major == cuda.major, native.is_none_or(|native| own <= native), own <= cuda);
        let first = if answer.builds() { (same, false) } else { (runs, same) };
        let near = if below { (Some(own), None) } else { (None, Some(Reverse(own))) };
        Some((first, below, near))
    };
    let fitting = images.images.iter().filter_map(|image| Some((image, newest(Some(&image.ubuntu))?)));
    let (image, ubuntu) = fitting.max_by_key(|(image, _)| rank(image))?;
    let flavour = if answer.builds() { "devel" } else { "base" };
    let tag = format!("{}:{}-{flavour}-ubuntu{}", images.repository, image.version, ubuntu.version);
    let refused = native.zip(image.cuda()).is_some_and(|(native, own)| own > native);
    Some(BaseImage { tag, cuda: image.cuda(), ubuntu, refused })
}

/// Whether Ubuntu's own packages have this Python.
pub(super) fn has(ubuntu: &UbuntuRelease, python: Interpreter) -> bool {
    (ubuntu.python.major, ubuntu.python.minor) == (python.major, python.minor) && !python.free_threaded
}
