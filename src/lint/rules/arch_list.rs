//! The GPUs that extensions are compiled for: all of the fleet's, and none that the toolkit does not know.

use super::view::View;
use super::{edit, finding};
use crate::finding::Severity;
use crate::lint::{Finding, Fix, Rule};
use crate::project::shell::Word;
use crate::rules::kernel::image_runs;
use crate::rules::{RuleDb, Target};
use crate::text::list;
use crate::version::{CodeTarget, ComputeCapability, Reach};

/// The list of GPUs to compile for leaves out one of a declared target.
pub static ARCH_LIST_WITHOUT_GPU: Rule = Rule {
    id: "arch-list-without-gpu",
    title: "The list of GPUs to compile for leaves out one of a declared target",
    help: "An extension that is compiled with this list has no kernel for that GPU.",
    judge: Some(judge),
};

/// The list of GPUs to compile for names one that the toolkit does not know.
pub static ARCH_LIST_REFUSED: Rule = Rule {
    id: "arch-list-refused",
    title: "The list of GPUs to compile for names one that the toolkit does not know",
    help: "The toolkit stops with `Unsupported gpu architecture`.",
    judge: None,
};

/// What torch.utils.cpp_extension reads.
const VARIABLE: &str = "TORCH_CUDA_ARCH_LIST";

/// Judges the list in the end, and those of single commands.
pub fn judge(view: &View<'_>, out: &mut Vec<Finding>) {
    let Some(setting) = view.setting(VARIABLE).filter(|setting| setting.value.known) else { return };
    let Some(listed) = targets(setting.value.text()) else { return };
    let place = &setting.value.place;
    let mut wanted: Vec<ComputeCapability> = Vec::new();
    let mut who: Vec<String> = Vec::new();
    for (gpu, target) in view.targets.iter().flat_map(|target| target.gpus.iter().map(move |gpu| (gpu, target))) {
        if !runs(&listed, gpu.capability, view.db) && !wanted.contains(&gpu.capability) {
            wanted.push(gpu.capability);
            who.push(format!("{} of {}", gpu.capability, called(&gpu.label, target)));
        }
    }
    let toolkit = view.toolkit();
    let row = toolkit.as_ref().and_then(|toolkit| view.db.toolkit(toolkit.cuda));
    let knows = |capability: ComputeCapability| {
        row.is_none_or(|row| row.compiles_for.is_empty() || row.compiles_for.contains(&capability))
    };
    if !wanted.is_empty() {
        let message = format!("`{VARIABLE}={}` leaves out {}", setting.value.text(), list(&who));
        let mut found = finding(view, &ARCH_LIST_WITHOUT_GPU, Severity::Fail, setting.file, place, message);
        found.notes = vec!["what is compiled with this list has no kernel for that GPU".to_owned()];
        let added: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        let ptx = setting.value.text().trim_end().ends_with("+PTX");
        let separator =
            if setting.value.text().contains(';') || !setting.value.text().contains(' ') { ";" } else { " " };
        let text = if ptx {
            format!("{}{separator}{}", added.join(separator), setting.value.text())
        } else {
            format!("{}{separator}{}", setting.value.text(), added.join(separator))
        };
        found.hint = Some(format!("write `{text}`"));
        found.fix = literal(view, setting.file, &setting.value).map(|place| Fix {
            summary: format!("write `{text}`"),
            edits: vec![edit(view, setting.file, &place, text.clone())],
        });
        // With a toolkit that knows none of them, another toolkit comes first.
        if let Some(toolkit) = toolkit.as_ref().filter(|_| wanted.iter().any(|capability| !knows(*capability))) {
            found.notes.push(format!("the toolkit of CUDA {} in the image does not know it either", toolkit.cuda));
        }
        out.push(found);
    }
    let refused: Vec<String> =
        listed.iter().filter(|one| !knows(one.capability)).map(|one| one.capability.to_string()).collect();
    if let (false, Some(toolkit), Some(row)) = (refused.is_empty(), &toolkit, row) {
        let message = format!("the toolkit of CUDA {} does not compile for {}", toolkit.cuda, list(&refused));
        let mut found = finding(view, &ARCH_LIST_REFUSED, Severity::Fail, setting.file, place, message);
        found.notes.extend(view.db.compiles_for_citation(row));
        let can = |row: &&crate::rules::schema::ToolkitRelease| {
            listed.iter().all(|one| row.compiles_for.contains(&one.capability))
        };
        found.hint = Some(match view.db.toolkits().iter().find(can) {
            Some(row) => format!("take an image with CUDA {} or leave them out", row.version),
            None => "no one toolkit compiles for all of them; leave some out".to_owned(),
        });
        out.push(found);
    }
}

fn called(label: &str, target: &Target) -> String {
    match &target.name {
        Some(name) => format!("{label} (`{name}`)"),
        None => label.to_owned(),
    }
}

/// The value's place, if it stands there as it is.
fn literal(view: &View<'_>, file: usize, value: &Word) -> Option<crate::project::place::Place> {
    let span = value.value.whole();
    let place = crate::project::place::Place { span, ..value.place.clone() };
    (view.project.written(file, &place) == value.text()).then_some(place)
}

/// `8.0;8.6+PTX 9.0a`; none where a word is no such target, e.g. `Ampere`.
fn targets(text: &str) -> Option<Vec<CodeTarget>> {
    let mut found = Vec::new();
    for word in text.split([';', ' ', ',']).filter(|word| !word.is_empty()) {
        let (number, ptx) = word.strip_suffix("+PTX").map_or((word, false), |number| (number, true));
        let plain = number.trim_end_matches(['a', 'f']);
        if !plain.contains('.') {
            return None;
        }
        let capability: ComputeCapability = plain.parse().ok()?;
        let reach = match number.chars().last() {
            Some('a') => Reach::Exact,
            Some('f') => Reach::Family,
            _ => Reach::Forward,
        };
        found.push(CodeTarget { ptx: false, capability, reach });
        if ptx {
            found.push(CodeTarget { ptx: true, capability, reach });
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Whether code for some of the targets runs on a GPU, as it is or compiled there.
fn runs(listed: &[CodeTarget], gpu: ComputeCapability, db: &RuleDb) -> bool {
    listed.iter().any(|one| image_runs(*one, gpu, None, db))
}
