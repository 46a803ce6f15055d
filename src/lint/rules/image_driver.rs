//! Does the base image need a newer driver than a target has?

use super::view::View;
use super::{finding, on};
use crate::finding::Severity;
use crate::lint::{Finding, Rule};
use crate::rules::driver::{compat_offer, runtime_gap};

/// A base image needs a newer driver than a declared target has.
pub static IMAGE_DRIVER: Rule = Rule {
    id: "image-driver",
    title: "A base image needs a newer driver than a declared target has",
    help: "The CUDA libraries of the image do not run on that driver, and NVIDIA's container runtime may refuse to \
           start it.",
    judge: Some(judge),
};

/// The toolkit's CUDA against the drivers of the targets.
pub fn judge(view: &View<'_>, out: &mut Vec<Finding>) {
    let Some(toolkit) = view.toolkit() else { return };
    // Without the check of the image, what is in it decides.
    let off = view.db.tables().images.driver_check.off.as_str();
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
        let mut found = finding(view, &IMAGE_DRIVER, Severity::Warn, image.file, &image.name.place, message);
        found.notes = vec![gap.citation];
        out.push(found);
    }
}
