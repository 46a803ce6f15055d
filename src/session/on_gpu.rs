//! `gpudoc explain 'torch==2.7.1+cu126 on "RTX 5090"'` and claims such as `torch 2.6.0 supports sm_120`.

use crate::facts::TORCH;
use crate::pep::Version;
use crate::report::symptom::{BuildVerdict, OnGpu};
use crate::rules::RuleDb;
use crate::rules::kernel::{Runs, code_runs};
use crate::rules::model::{Build, Release};
use crate::version::ComputeCapability;

/// A question about builds of a release and a GPU.
struct Question {
    name: String,
    version: Version,
    gpu: String,
    /// The claim says that it does not run.
    denies: bool,
}

/// Words between a build and a GPU, and whether they deny.
const VERBS: [(&str, bool); 14] = [
    (" does not support ", true),
    (" doesn't support ", true),
    (" does not run on ", true),
    (" does not work on ", true),
    (" lacks ", true),
    (" dropped ", true),
    (" removed ", true),
    (" supports ", false),
    (" support ", false),
    (" runs on ", false),
    (" works on ", false),
    (" works with ", false),
    (" includes ", false),
    (" on ", false),
];

/// Answers a question about a build and a GPU; none for a text that is no such question.
#[must_use]
pub fn answer(text: &str, db: &RuleDb) -> Option<OnGpu> {
    let question = question(text, db)?;
    let (capability, gpu) = capability(&question.gpu, db)?;
    let release = db.release(&question.name, &question.version)?;
    let local = question.version.local().iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
    let builds = release.builds.iter().filter(|build| build.platform == "linux_x86_64" || build.platform == "any");
    let builds: Vec<_> = builds
        .filter(|build| local.is_empty() || build.local.as_deref() == Some(&local))
        .map(|build| verdict(release, build, capability, db))
        .collect();
    let (name, version) = (&question.name, &question.version);
    let yes: Vec<&str> = builds.iter().filter(|row| row.runs == Some(true)).map(|row| row.build.as_str()).collect();
    let known = builds.iter().filter(|row| row.runs.is_some()).count();
    let runs = match (known, yes.len()) {
        (0, _) => return Some(unknown(text, name, version, builds)),
        (_, 0) => format!("No: no build of {name} {version} holds code for {gpu}"),
        (all, some) if all == some => format!("Yes: {name} {version} holds code for {gpu}"),
        _ => format!("It depends on the build: {} for {gpu}, the others not", crate::text::list(&yes)),
    };
    let good = !yes.is_empty();
    let answer = match (question.denies, good) {
        (true, true) => format!("The claim is wrong as it stands. {runs}"),
        (true, false) => format!("The claim holds. {runs}"),
        _ => runs,
    };
    Some(OnGpu { question: text.to_owned(), answer, good, builds })
}

fn unknown(text: &str, name: &str, version: &Version, builds: Vec<BuildVerdict>) -> OnGpu {
    let answer = format!("Not known: the rules have no device code of {name} {version}");
    OnGpu { question: text.to_owned(), answer, good: false, builds }
}

fn verdict(release: &Release, build: &Build, capability: ComputeCapability, db: &RuleDb) -> BuildVerdict {
    let local = build.local.as_ref().map_or_else(String::new, |local| format!("+{local}"));
    let targets: Vec<String> =
        build.code.iter().flat_map(|code| code.sass.iter().chain(&code.ptx)).map(ToString::to_string).collect();
    let runs = (!build.code.is_empty())
        .then(|| build.code.iter().any(|code| code_runs(code, capability, build.cuda, db) != Runs::No));
    let cpu = build.cuda.is_none() && build.local.as_deref() == Some("cpu");
    BuildVerdict {
        build: format!("{}{local}", release.version),
        runs: if cpu { Some(false) } else { runs },
        code: match (cpu, targets.is_empty()) {
            (true, _) => "a CPU build".to_owned(),
            (_, true) => "its device code was not read".to_owned(),
            _ => targets.join(" "),
        },
        source: build.source.citation(),
    }
}

fn question(text: &str, db: &RuleDb) -> Option<Question> {
    let (verb, denies) = VERBS.iter().find(|(verb, _)| text.contains(verb))?;
    let (build, gpu) = text.split_once(verb)?;
    let (name, version) = build.trim().split_once("==").or_else(|| build.trim().rsplit_once(' '))?;
    let name = match name.trim().to_lowercase().as_str() {
        "pytorch" => TORCH.to_owned(),
        name => name.replace('_', "-"),
    };
    db.package(&name)?;
    let version = version.trim().trim_start_matches('v').parse().ok()?;
    let gpu = gpu.trim().trim_matches(['"', '\'', '?', '.', '`']).trim_start_matches("the ").trim_start_matches("an ");
    Some(Question { name, version, gpu: gpu.trim_start_matches("a ").to_owned(), denies: *denies })
}

/// A GPU by its name, `sm_120`, `compute capability 12.0` or `12.0`.
fn capability(text: &str, db: &RuleDb) -> Option<(ComputeCapability, String)> {
    let plain = text.to_lowercase().replace("compute capability ", "").replace("capability ", "");
    if let Ok(capability) = plain.trim().parse::<ComputeCapability>() {
        return Some((capability, format!("compute capability {capability}")));
    }
    let model = db.gpu_by_loose_name(text)?;
    Some((model.capability, format!("{text} (compute capability {})", model.capability)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::embedded;

    #[test]
    fn what_decides_is_the_cuda_variant() {
        let told = |text: &str| answer(text, embedded()).unwrap();
        assert!(!told("torch==2.7.1+cu126 on \"RTX 5090\"").good);
        assert!(told("torch==2.7.1+cu128 on RTX 5090").good);
        let mixed = told("torch 2.7.1 supports sm_120");
        assert!(mixed.answer.starts_with("It depends on the build: 2.7.1+cu128"), "{}", mixed.answer);
        assert!(told("PyTorch 2.6.0 supports sm_120").answer.starts_with("No: no build of torch 2.6.0"));
        assert!(told("torch 2.7.0 dropped the RTX 5090").answer.starts_with("The claim is wrong as it stands"));
    }

    #[test]
    fn other_texts_are_no_questions() {
        assert!(answer("a printer on fire", embedded()).is_none());
        assert!(answer("torch 2.7.1 on a typewriter", embedded()).is_none());
        assert!(answer("No module named 'triton.ops'", embedded()).is_none());
    }
}
