//! Base images: their toolkit and torch's CUDA, and the driver that they need.

use super::view::{TORCH, Toolkit, View};
use super::{edit, finding, on};
use crate::finding::Severity;
use crate::lint::{Finding, Fix};
use crate::rules::driver::{compat_offer, runtime_gap};
use crate::version::CudaVersion;

/// Judges the base image.
pub fn judge(view: &View<'_>, out: &mut Vec<Finding>) {
    let Some(toolkit) = view.toolkit() else { return };
    mismatch(view, &toolkit, out);
    // Without the check of the image, what is in it decides.
    let off = view.db.images().driver_check.off.as_str();
    if view.setting(off.split('=').next().unwrap_or(off)).is_some() {
        return;
    }
    for target in view.targets {
        let Some(driver) = target.driver.as_ref().filter(|_| target.compat.is_none()) else { continue };
        let Some(gap) = runtime_gap(toolkit.cuda, driver, view.db) else { continue };
        // The images hold the cuda-compat package, which is put in place where it works.
        if compat_offer(toolkit.cuda, target, view.db).is_some() {
            continue;
        }
        let image = toolkit.image;
        let message = format!(
            "an image with CUDA {} needs driver {} or newer, not {driver} {}",
            toolkit.cuda,
            gap.needs,
            on(target)
        );
        let mut found = finding(view, "image-driver", Severity::Warn, image.file, &image.name.place, message);
        found.notes = vec![gap.citation];
        out.push(found);
    }
}

/// The toolkit against torch's CUDA: that of the index, or of a pinned label.
fn mismatch(view: &View<'_>, toolkit: &Toolkit<'_>, out: &mut Vec<Finding>) {
    let label = view.lines.iter().find(|line| line.name == TORCH).and_then(|line| {
        let label = line.text.split_once('+')?.1;
        let end = label.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(label.len());
        CudaVersion::from_variant(label.get(..end)?)
    });
    let Some(cuda) = label.or_else(|| view.cuda_index().map(|(_, cuda, _)| cuda)) else { return };
    if cuda == toolkit.cuda {
        return;
    }
    let compiled = view.compiles();
    if compiled.is_none() && !toolkit.devel {
        return;
    }
    let severity = if cuda.major != toolkit.cuda.major && compiled.is_some() { Severity::Fail } else { Severity::Warn };
    let image = toolkit.image;
    let message = format!("the image's toolkit is CUDA {}, and torch is for CUDA {cuda}", toolkit.cuda);
    let mut found = finding(view, "cuda-mismatch", severity, image.file, &image.name.place, message);
    if let Some(line) = compiled {
        found.notes.push(format!("`{}` is compiled by it, for that torch", line.text));
    }
    let tag = image.name.text();
    let ubuntu = tag.rsplit_once("ubuntu").map(|(_, version)| version);
    let row = view.db.images().images.iter().rfind(|row| {
        row.cuda() == Some(cuda) && ubuntu.is_none_or(|ubuntu| row.ubuntu.iter().any(|own| own == ubuntu))
    });
    let ours = tag.rsplit_once(':').is_some_and(|(name, _)| name.ends_with(view.db.images().repository.as_str()));
    if let (Some(row), true) = (row, ours) {
        found.hint = Some(format!("take the image of CUDA {}", row.version));
        let span = image.name.value.source(toolkit.version.clone());
        let place = crate::parse::place::Place { span, ..image.name.place.clone() };
        let now = tag.get(toolkit.version.clone()).unwrap_or_default();
        if view.project.written(image.file, &place) == now {
            let summary = format!("take the image of CUDA {}", row.version);
            found.fix = Some(Fix { summary, edits: vec![edit(view, image.file, &place, row.version.clone())] });
        }
        // cuDNN is named by its major release in newer tags.
    } else {
        found.hint = Some(format!("take an image with CUDA {cuda}, or torch for CUDA {}", toolkit.cuda));
    }
    out.push(found);
}
