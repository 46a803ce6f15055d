//! How does the code run on each GPU that a row of the rules says a build holds?

use super::verdict::{Judged, Verdict};
use crate::check::{Context, Installed};
use crate::finding::Evidence;
use crate::rules::kernel::{Runs, code_runs};
use crate::rules::model::{Build, Code};
use crate::rules::obstacle::{Obstacle, code_obstacles};
use crate::version::CodeTarget;

/// By a row of the rules, as the solver does.
pub fn judge_row(context: &Context<'_>, installed: &Installed<'_>, build: &Build, code: &[&Code]) -> Judged {
    let (target, db) = (&context.target, context.db);
    let cuda = build.cuda.or(code.iter().find_map(|code| code.for_cuda));
    let mut verdicts: Vec<Verdict> = target
        .gpus
        .iter()
        .map(|gpu| {
            let ways = code.iter().filter(|code| !code.optional).map(|code| code_runs(code, gpu.capability, cuda, db));
            let partly =
                ways.filter_map(|way| if let Runs::Partly(usable, all) = way { Some((usable, all)) } else { None });
            let partly = partly.max().filter(|(usable, _)| usable.saturating_mul(2) < best_served_by_row(code));
            partly.map_or(Verdict::Runs, |(usable, all)| Verdict::Partly(usable, all))
        })
        .collect();
    for obstacle in code_obstacles(code, cuda, target, db) {
        match obstacle {
            Obstacle::NoKernel { gpu, .. } => verdicts[gpu] = Verdict::No,
            Obstacle::Ptx { gpu, gap, driver, .. } => verdicts[gpu] = Verdict::PtxTooNew(gap, driver),
            _ => {}
        }
    }
    let mut targets: Vec<_> = code.iter().flat_map(|code| code.sass.iter().chain(&code.ptx)).copied().collect();
    targets.sort_unstable();
    targets.dedup();
    let evidence = vec![code_evidence(installed, build, code, &targets)];
    Judged { verdicts, targets, evidence, local: build.local.clone() }
}

/// The most containers that any GPU can use, as far as a row tells: those for the target that most of them have.
fn best_served_by_row(code: &[&Code]) -> u32 {
    let counts = code.iter().map(|code| match code.sass.is_empty() && code.ptx.is_empty() {
        true => code.special.iter().map(|(_, count)| *count).max().unwrap_or(0),
        false => code.containers.unwrap_or(0),
    });
    counts.max().unwrap_or(0)
}

fn code_evidence(installed: &Installed<'_>, build: &Build, code: &[&Code], targets: &[CodeTarget]) -> Evidence {
    let words: Vec<_> = targets.iter().map(ToString::to_string).collect();
    let words = if words.is_empty() { "no common target".to_owned() } else { words.join(" ") };
    let library = code.iter().find_map(|code| code.for_cuda);
    let of = library.map_or_else(String::new, |cuda| format!(" in its library for CUDA {cuda}"));
    Evidence::rule(
        format!("{} build", installed.name()),
        format!("{}: {words}{of}", installed.distribution.full_version()),
    )
    .cited(build.source.citation())
}
