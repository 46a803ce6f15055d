//! Does the ptxas that a variable names to Triton know the GPUs?

use super::compat::named_cuda;
use super::solver::Pins;
use super::view::View;
use super::{finding, is_told};
use crate::finding::Severity;
use crate::lint::{Finding, Rule};
use crate::rules::Target;
use crate::text::list;

/// A variable names to Triton a ptxas that does not know a GPU of a declared target.
pub static FOREIGN_PTXAS: Rule = Rule {
    id: "foreign-ptxas",
    title: "A variable names to Triton a ptxas that does not know a GPU of a declared target",
    help: "Triton brings a ptxas of its own. With an older one in its place torch.compile stops with `ptxas fatal: Value \
           'sm_…' is not defined for option 'gpu-name'`. Take the variable out.",
    judge: None,
};

/// The package whose compiler reads the variables.
const TRITON: &str = "triton";

/// The variables that Triton takes a ptxas from, by the releases that an installer takes.
pub fn judge(view: &View<'_>, target: &Target, pins: &Pins, out: &mut Vec<Finding>) {
    let Some((_, triton)) = pins.iter().find(|(name, _)| name == TRITON) else { return };
    let needs = &view.db.tables().needs;
    for setting in view.environment.settings.iter().filter(|setting| setting.value.known) {
        let path = setting.value.text();
        let Some(page) = needs.ptxas_citation(&setting.name).filter(|_| !path.is_empty()) else { continue };
        // `/usr/local/cuda` is the toolkit of the image.
        let of_image = || path.contains("/cuda/").then(|| view.toolkit().map(|toolkit| toolkit.cuda)).flatten();
        let Some(row) = named_cuda(path).or_else(of_image).and_then(|cuda| view.db.toolkit(cuda)) else { continue };
        let refused = target.gpus.iter().filter(|gpu| {
            needs.takes_ptxas(&setting.name, gpu.capability, triton)
                && !row.compiles_for.is_empty()
                && !row.compiles_for.contains(&gpu.capability)
        });
        let refused: Vec<String> = refused.map(|gpu| format!("{} of {}", gpu.capability, gpu.label)).collect();
        if refused.is_empty() || is_told(view, &FOREIGN_PTXAS, setting.file, &setting.value.place, out) {
            continue;
        }
        let message = format!(
            "`{}` names the ptxas of CUDA {}, which does not know {}",
            setting.name,
            row.version,
            list(&refused)
        );
        let place = &setting.value.place;
        let mut found = finding(view, &FOREIGN_PTXAS, Severity::Fail, setting.file, place, message);
        found.notes = vec![format!("{TRITON} {triton} takes it in the place of its own: {page}")];
        found.notes.extend(view.db.compiles_for_citation(row));
        found.hint = Some(format!("take `{}` out: Triton brings a ptxas of its own", setting.name));
        out.push(found);
    }
}
