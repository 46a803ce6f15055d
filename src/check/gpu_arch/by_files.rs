//! How does the code in the installed files run on each GPU: by the share of usable containers?

use super::verdict::{Judged, Verdict};
use crate::check::{Context, Installed};
use crate::facts::{CodeGroup, Library};
use crate::finding::Evidence;
use crate::rules::RuleDb;
use crate::rules::driver::ptx_gap;
use crate::rules::kernel::{Share, Way, together};
use crate::version::{CodeTarget, ComputeCapability, CudaVersion};

/// How many libraries are named as evidence.
const NAMED: usize = 3;

/// By the share of usable containers of each library.
pub fn judge_files(context: &Context<'_>, installed: &Installed<'_>, libraries: &[&Library]) -> Judged {
    let (target, db) = (&context.target, context.db);
    let cuda = installed.cuda().flatten().or(libraries.iter().find_map(|library| library.for_cuda));
    let whole = installed.package.is_some_and(|package| package.whole);
    let mut lacking: Vec<&Library> = Vec::new();
    let mut verdicts = Vec::new();
    for gpu in &target.gpus {
        let shares: Vec<_> =
            libraries.iter().map(|library| Share::of(&library.code, gpu.capability, cuda, db)).collect();
        let (way, sum) = together(&shares, whole);
        let gap =
            cuda.zip(target.user_mode_driver()).and_then(|(cuda, driver)| Some((ptx_gap(cuda, driver, db)?, driver)));
        verdicts.push(match (way, gap) {
            (Way::Native, _) | (Way::ThroughPtx, None) => Verdict::Runs,
            (Way::ThroughPtx, Some((gap, driver))) => Verdict::PtxTooNew(gap, driver.clone()),
            (Way::Partly, _) if sum.usable().saturating_mul(2) >= best_served(libraries, cuda, db) => Verdict::Runs,
            (Way::Partly, _) => Verdict::Partly(sum.usable(), sum.containers - sum.specific),
            (Way::OtherGpus, _) => Verdict::OtherGpus,
            (Way::No, _) => Verdict::No,
        });
        for (library, share) in libraries.iter().zip(&shares) {
            let lacks = matches!(share.way(), Way::No | Way::Partly) || share.native == 0 && way != Way::Partly;
            if lacks && !lacking.iter().any(|other| other.path == library.path) {
                lacking.push(library);
            }
        }
    }
    lacking.sort_by_key(|library| std::cmp::Reverse(containers(&library.code)));
    let evidence = lacking.iter().take(NAMED).map(|library| {
        Evidence::binary(library.path.clone(), code_in_words(&library.code))
            .cited(Some(installed.distribution.location.clone()).filter(|folder| !folder.is_empty()))
    });
    Judged {
        verdicts,
        targets: all_targets(libraries.iter().flat_map(|library| &library.code)),
        evidence: evidence.collect(),
        local: installed.distribution.local().map(str::to_owned),
    }
}

/// The most containers that any GPU can use. Libraries such as vLLM's hold other kernels for each sort of GPU: what is a
/// small share of all of them may be as many as any GPU has.
fn best_served(libraries: &[&Library], cuda: Option<CudaVersion>, db: &RuleDb) -> u32 {
    let usable = |gpu: ComputeCapability| {
        libraries.iter().map(|library| Share::of(&library.code, gpu, cuda, db).usable()).sum::<u32>()
    };
    db.capabilities().into_iter().map(|(gpu, _)| usable(gpu)).max().unwrap_or(0)
}

fn containers(code: &[CodeGroup]) -> u32 {
    code.iter().map(|group| group.containers).sum()
}

/// What the containers are compiled for, each once, in order.
pub fn all_targets<'a>(code: impl Iterator<Item = &'a CodeGroup>) -> Vec<CodeTarget> {
    let mut targets: Vec<_> = code.flat_map(|group| &group.targets).copied().collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// `sm_80 sm_90, sm_90a in 3 of 378 containers`: the targets of most containers, and the others with their number.
fn code_in_words(code: &[CodeGroup]) -> String {
    let all = containers(code);
    let mut common = Vec::new();
    let mut special = Vec::new();
    for target in all_targets(code.iter()) {
        let holding =
            code.iter().filter(|group| group.targets.contains(&target)).map(|group| group.containers).sum::<u32>();
        if holding.saturating_mul(2) > all {
            common.push(target.to_string());
        } else {
            special.push(format!("{target} in {holding}"));
        }
    }
    let common = if common.is_empty() { "no common target".to_owned() } else { common.join(" ") };
    let word = if all == 1 { "container" } else { "containers" };
    match special.as_slice() {
        [] => format!("{common} in {all} {word}"),
        special => format!("{common}; {} of {all} {word}", special.join(", ")),
    }
}
