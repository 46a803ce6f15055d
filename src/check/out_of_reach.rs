//! What is left where no driver, or no build, serves a GPU any more.

use super::{Context, Installer};
use crate::facts::TORCH;
use crate::finding::Remedy;
use crate::rules::matrix::{Cell, rows};
use crate::rules::model::Package;
use crate::rules::obstacle::obstacles;
use crate::step::{self, Step};
use crate::text;
use crate::version::{ComputeCapability, CudaVersion};

/// The platform whose builds are looked at where a report names none.
const USUAL: &str = "linux_x86_64";

/// For GPUs that no known build of a package has a kernel for: another GPU, or none.
#[must_use]
pub fn remedy(context: &Context<'_>, package: &Package, capabilities: &[ComputeCapability]) -> Option<Remedy> {
    let platform = context.target.platform.as_deref().unwrap_or(USUAL);
    let all = rows(package, platform, capabilities, context.db);
    let lacking: Vec<String> = capabilities
        .iter()
        .enumerate()
        .filter(|(at, _)| !all.is_empty() && all.iter().all(|row| row.cells.get(*at) == Some(&Cell::No)))
        .map(|(_, capability)| capability.to_string())
        .collect();
    let oldest = &package.releases.first()?.version;
    (!lacking.is_empty()).then(|| {
        Remedy::new(
            format!(
                "No build of {} from {oldest} on has a kernel for compute capability {}: take another GPU, or the CPU alone",
                package.name,
                text::list(&lacking)
            ),
            // An index that names no GPU hides them all.
            Step::set("CUDA_VISIBLE_DEVICES", "-1"),
        )
    })
}

/// For a GPU whose last driver is too old for newer CUDAs: the newest torch for a CUDA that it serves, or what is left.
#[must_use]
pub fn older_torch(context: &Context<'_>, gpu: ComputeCapability, toolkit: CudaVersion) -> Option<Remedy> {
    let torch = context.db.package(TORCH)?;
    if let Some(remedy) = remedy(context, torch, &[gpu]) {
        return Some(remedy);
    }
    let platform = context.target.platform.as_deref().unwrap_or(USUAL);
    let all = rows(torch, platform, &[gpu], context.db);
    let row = all.iter().find(|row| {
        row.cuda.is_some_and(|cuda| cuda <= toolkit)
            && matches!(row.cells.as_slice(), [Cell::Native | Cell::Ptx])
            && obstacles(torch, row.release, row.build, &context.target, context.db).is_empty()
    })?;
    let pin = step::pin(TORCH, &row.release.full_version(row.build))?;
    let index = context.db.index_url(&row.build.index)?;
    let install = Installer::of(context.facts).install_from(std::slice::from_ref(&pin), &[index]);
    Some(Remedy::new(format!("Install {pin}, the newest torch for this GPU and its last driver"), install))
}
