//! Are the CUDA libraries there that the installed packages load?

use super::{Context, looked};
use crate::finding::{Basis, Evidence, Finding, Kind, Outcome, Severity};
use crate::rules::partner::{loaded_code, pick_library};
use crate::text;

/// Looks for packages that choose one of several libraries by torch's CUDA, and have none for it.
pub fn check(context: &Context<'_>) -> Outcome {
    let choosing: Vec<_> = context
        .stack
        .installed
        .iter()
        .filter_map(|installed| {
            let (package, version) = (installed.package?, installed.version.as_ref()?);
            let (pick, source) = context.db.library_pick(package, version)?;
            Some((installed, package, version, pick, source))
        })
        .collect();
    if choosing.is_empty() {
        return Outcome::NotApplicable("nothing is installed that chooses its library by torch's CUDA".to_owned());
    }
    let Some(torch) = context.stack.get("torch") else {
        return Outcome::NotApplicable("torch is not installed".to_owned());
    };
    let Some(Some(cuda)) = torch.cuda() else {
        return Outcome::NotApplicable("torch is not built for CUDA".to_owned());
    };
    let mut findings = Vec::new();
    for (installed, package, version, pick, source) in choosing {
        // What lies in the folder is stronger than the row.
        let shipped = &installed.distribution.build.cuda_libraries;
        let (missing, basis, citation) = if shipped.is_empty() {
            let Some((_, build)) = installed.row else { continue };
            match loaded_code(package, version, build, Some(cuda), context.db) {
                Ok(_) => continue,
                Err(shipped) => (shipped, Basis::Rule, build.source.citation()),
            }
        } else if pick_library(pick, cuda, shipped).is_some() {
            continue;
        } else {
            (shipped.clone(), Basis::Binary, installed.distribution.location.clone())
        };
        let words: Vec<_> = missing.iter().map(ToString::to_string).collect();
        findings.push(Finding {
            id: format!("cuda-libs/{}", installed.name()),
            kind: Kind::CudaLibs,
            severity: Severity::Fail,
            title: format!("{} ships no library for CUDA {cuda}, which {} uses", installed.title(), torch.title()),
            message: format!(
                "It has libraries for CUDA {}, and loads the one that fits torch's CUDA. Without one its GPU functions \
                 fail when they are called, or at import.",
                text::list(&words)
            ),
            packages: vec![installed.name().to_owned(), "torch".to_owned()],
            gpus: Vec::new(),
            evidence: vec![
                Evidence {
                    fact: format!("{} libraries", installed.name()),
                    observed: format!("CUDA {}", words.join(" ")),
                    required: Some(cuda.to_string()),
                    source: basis,
                    citation: Some(citation),
                },
                Evidence {
                    fact: "choice of library".to_owned(),
                    observed: "by torch's CUDA version".to_owned(),
                    required: None,
                    source: Basis::Rule,
                    citation: Some(source),
                },
            ],
            remedies: Vec::new(),
            references: Vec::new(),
        });
    }
    looked(findings)
}
