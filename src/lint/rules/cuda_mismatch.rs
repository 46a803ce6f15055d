//! Is the toolkit of the base image, or that which conda installs, of the CUDA release that torch is for?

use super::view::{TORCH, View};
use super::{edit, finding};
use crate::finding::Severity;
use crate::lint::project::Line;
use crate::lint::{Finding, Fix, Rule};
use crate::project::place::Place;
use crate::version::CudaVersion;

/// Base image or toolkit and torch are for different CUDA releases.
pub static CUDA_MISMATCH: Rule = Rule {
    id: "cuda-mismatch",
    title: "Base image or toolkit and torch are for different CUDA releases",
    help: "What is compiled in the image is compiled by its toolkit, and must fit torch's CUDA runtime: another major \
           release is refused by torch.utils.cpp_extension, another minor release is warned of.",
    judge: Some(judge),
};

/// torch's CUDA: that of a pinned label, or of the index.
fn cuda_of_torch(view: &View<'_>) -> Option<CudaVersion> {
    let label = view.lines.iter().find(|line| line.name == TORCH).and_then(|line| {
        let label = line.text.split_once('+')?.1;
        let end = label.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(label.len());
        CudaVersion::from_variant(label.get(..end)?)
    });
    label.or_else(|| view.cuda_index().map(|(_, cuda, _)| cuda))
}

/// The toolkits that conda installs, and that of the image, against torch's CUDA.
pub fn judge(view: &View<'_>, out: &mut Vec<Finding>) {
    let Some(cuda) = cuda_of_torch(view) else { return };
    let compiled = view.compiles();
    of_conda(view, cuda, compiled, out);
    of_image(view, cuda, compiled, out);
}

/// The toolkits that conda installs stand before the image's own: what is compiled is compiled by them.
fn of_conda(view: &View<'_>, cuda: CudaVersion, compiled: Option<&Line>, out: &mut Vec<Finding>) {
    for (file, toolkit) in view.environment.toolkits.iter().filter(|(_, toolkit)| toolkit.cuda != cuda) {
        let severity = severity(cuda, toolkit.cuda, compiled);
        let message = format!("conda's toolkit is CUDA {}, and torch is for CUDA {cuda}", toolkit.cuda);
        let mut found = finding(view, &CUDA_MISMATCH, severity, *file, &toolkit.place, message);
        found.notes.extend(compiled.map(by_it));
        if let Some(row) = view.db.tables().images.images.iter().rfind(|row| row.cuda() == Some(cuda)) {
            let release = toolkit.written(&row.version);
            let summary = format!("take the toolkit of CUDA {release}");
            let edits = vec![edit(view, *file, &toolkit.place, release)];
            (found.hint, found.fix) = (Some(summary.clone()), Some(Fix { summary, edits }));
        }
        out.push(found);
    }
}

fn severity(cuda: CudaVersion, toolkit: CudaVersion, compiled: Option<&Line>) -> Severity {
    if cuda.major != toolkit.major && compiled.is_some() { Severity::Fail } else { Severity::Warn }
}

fn by_it(line: &Line) -> String {
    format!("`{}` is compiled by it, for that torch", line.text)
}

fn of_image(view: &View<'_>, cuda: CudaVersion, compiled: Option<&Line>, out: &mut Vec<Finding>) {
    let Some(toolkit) = view.toolkit().filter(|toolkit| toolkit.cuda != cuda) else { return };
    if compiled.is_none() && !toolkit.devel {
        return;
    }
    let severity = severity(cuda, toolkit.cuda, compiled);
    let image = toolkit.image;
    let message = format!("the image's toolkit is CUDA {}, and torch is for CUDA {cuda}", toolkit.cuda);
    let mut found = finding(view, &CUDA_MISMATCH, severity, image.file, &image.name.place, message);
    found.notes.extend(compiled.map(by_it));
    let tag = image.name.text();
    let ubuntu = tag.rsplit_once("ubuntu").map(|(_, version)| version);
    let row = view.db.tables().images.images.iter().rfind(|row| {
        row.cuda() == Some(cuda) && ubuntu.is_none_or(|ubuntu| row.ubuntu.iter().any(|own| own == ubuntu))
    });
    let ours =
        tag.rsplit_once(':').is_some_and(|(name, _)| name.ends_with(view.db.tables().images.repository.as_str()));
    if let (Some(row), true) = (row, ours) {
        found.hint = Some(format!("take the image of CUDA {}", row.version));
        let span = image.name.value.source(toolkit.version.clone());
        let place = Place { span, ..image.name.place.clone() };
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
