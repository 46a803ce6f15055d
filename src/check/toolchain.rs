//! Would what is compiled on this machine fit torch? So far: is nvcc of torch's CUDA major?

use super::{Context, looked};
use crate::finding::{Basis, Evidence, Finding, Kind, Outcome, Remedy, Severity};

/// Compares nvcc, where a report tells of it, with torch's CUDA.
pub fn check(context: &Context<'_>) -> Outcome {
    let Some(nvcc) = context.facts.pasted.as_ref().and_then(|pasted| pasted.nvcc) else {
        return Outcome::NotApplicable("no CUDA toolkit is known".to_owned());
    };
    let Some(torch) = context.stack.get("torch") else {
        return Outcome::NotApplicable("torch is not installed".to_owned());
    };
    let Some(Some(cuda)) = torch.cuda() else {
        return Outcome::Skipped("the CUDA version that torch was built for".to_owned());
    };
    if nvcc.major == cuda.major {
        return Outcome::Pass;
    }
    looked(vec![Finding {
        id: "toolchain/nvcc".to_owned(),
        kind: Kind::Toolchain,
        severity: Severity::Warn,
        title: format!("nvcc is of CUDA {nvcc}, and {} is built for CUDA {cuda}", torch.title()),
        message: "Nothing that is installed is affected. Compiling an extension of torch stops with `The detected CUDA version \
                  mismatches the version that was used to compile PyTorch`, since the majors differ."
            .to_owned(),
        packages: vec!["torch".to_owned()],
        gpus: Vec::new(),
        evidence: vec![
            Evidence {
                fact: "nvcc".to_owned(),
                observed: nvcc.to_string(),
                required: Some(format!("CUDA {}.x", cuda.major)),
                source: Basis::Host,
                citation: None,
            },
            Evidence {
                fact: "torch build".to_owned(),
                observed: format!("{}, CUDA {cuda}", torch.distribution.full_version()),
                required: None,
                source: Basis::Binary,
                citation: Some(torch.cuda_place()),
            },
        ],
        remedies: vec![Remedy {
            summary: format!("To compile extensions, install the CUDA {cuda} toolkit and point CUDA_HOME at it"),
            requirements: Vec::new(),
            commands: vec![format!("export CUDA_HOME=/usr/local/cuda-{cuda}")],
            change: None,
            verified: false,
        }],
        references: Vec::new(),
    }])
}
