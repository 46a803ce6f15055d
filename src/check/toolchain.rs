//! Would what is compiled on this machine fit torch, and can it be compiled: nvcc, gcc, headers?
//!
//! Most machines compile nothing. On a machine itself only what an installed package needs is judged: one that is known to
//! be built from source ([`crate::rules::RuleDb::source_build`]), and Triton, which compiles a launcher in C while it runs.

use super::{Context, Installer, looked, ptxas};
use crate::facts::{Nvcc, Reading};
use crate::finding::{Basis, Evidence, Finding, Kind, Outcome, Remedy, Severity};
use crate::step::Step;
use crate::text;

/// Judges the compilers that a report or this machine has.
pub fn check(context: &Context<'_>) -> Outcome {
    if context.facts.pasted.is_some() || context.facts.toolchain.is_unknown() {
        return told(context);
    }
    let builders: Vec<String> = context
        .facts
        .active_distributions()
        .filter(|distribution| context.db.source_build(&distribution.name).is_some_and(|row| row.cuda))
        .map(|distribution| distribution.name.clone())
        .collect();
    let triton = context.stack.get("triton");
    let stated = context.uses.iter().any(|item| item == "build-extensions");
    if builders.is_empty() && !stated && triton.is_none() {
        return Outcome::NotApplicable("no installed package compiles anything".to_owned());
    }
    let mut findings: Vec<Finding> = Vec::new();
    if !builders.is_empty() {
        findings.extend(nvcc_of_another_cuda(context, &builders));
        findings.extend(newer_gcc(context, &builders));
    }
    if !builders.is_empty() || stated {
        let severity = if stated { Severity::Warn } else { Severity::Info };
        findings.extend(cuda_home(context, severity));
        findings.extend(no_ninja(context, severity));
    }
    if let Some(triton) = triton {
        findings.extend(no_launcher(context));
        findings.extend(ptxas::named(context, triton));
    }
    looked(findings)
}

/// An nvcc of another CUDA major than torch's.
fn nvcc_of_another_cuda(context: &Context<'_>, builders: &[String]) -> Option<Finding> {
    let nvcc = context.facts.toolchain.nvcc.value()?;
    let cuda = nvcc.cuda?;
    let torch = context.stack.get("torch")?;
    let needed = torch.cuda()??;
    (needed.major != cuda.major).then(|| Finding {
        id: "toolchain/nvcc".to_owned(),
        title: format!("nvcc is of CUDA {cuda}, and {} is built for CUDA {needed}", torch.title()),
        message: format!(
            "What is installed runs. Building {} anew stops, since the majors differ.",
            text::list(builders)
        ),
        evidence: vec![observed("nvcc", cuda.to_string(), &format!("CUDA {}.x", needed.major), &nvcc.path)],
        remedies: vec![Remedy::new(
            format!("To compile, install the CUDA {needed} toolkit and point CUDA_HOME at it"),
            Step::set("CUDA_HOME", format!("/usr/local/cuda-{needed}")),
        )],
        ..Finding::of(Kind::Toolchain, Severity::Info)
    })
}

/// A gcc that this nvcc refuses.
fn newer_gcc(context: &Context<'_>, builders: &[String]) -> Option<Finding> {
    let toolchain = &context.facts.toolchain;
    let gcc = *toolchain.gcc.value()?;
    let Nvcc { path, newest_gcc, .. } = toolchain.nvcc.value()?;
    let newest = newest_gcc.filter(|newest| gcc > *newest)?;
    Some(Finding {
        id: "toolchain/gcc".to_owned(),
        title: format!("gcc {gcc} is newer than this nvcc takes, which is gcc {newest}"),
        message: format!(
            "What is installed runs. Building {} anew stops with `unsupported GNU version`.",
            text::list(builders)
        ),
        evidence: vec![observed(
            "gcc",
            gcc.to_string(),
            &format!("gcc {newest} or older"),
            &format!("crt/host_config.h of {path}"),
        )],
        remedies: vec![Remedy::new(
            format!("To compile, install gcc {newest} and name it to nvcc"),
            [
                Step::set("CC", format!("gcc-{newest}")),
                Step::set("CXX", format!("g++-{newest}")),
                Step::set("NVCC_PREPEND_FLAGS", format!("-ccbin g++-{newest}")),
            ]
            .into_iter()
            .flatten(),
        )],
        ..Finding::of(Kind::Toolchain, Severity::Info)
    })
}

/// A variable that names a folder without nvcc, or another CUDA than the nvcc on PATH.
fn cuda_home(context: &Context<'_>, severity: Severity) -> Option<Finding> {
    let environment = &context.facts.system.environment;
    let set = |name: &&&str| environment.get(**name).is_some_and(|home| !home.is_empty());
    let variable = ["CUDA_HOME", "CUDA_PATH"].iter().find(set)?;
    let home = environment.get(*variable)?;
    let toolchain = &context.facts.toolchain;
    let other = toolchain.path_nvcc.value();
    if let Reading::Absent { looked } = &toolchain.nvcc {
        let command = other.and_then(|nvcc| nvcc.path.strip_suffix("/bin/nvcc"));
        return Some(Finding {
            id: "toolchain/cuda-home".to_owned(),
            title: format!("`{variable}={home}` holds no nvcc"),
            message: "torch's builds of extensions believe the variable, and stop there. What is installed runs."
                .to_owned(),
            evidence: vec![observed(variable, "not there".to_owned(), "bin/nvcc", looked)],
            remedies: vec![Remedy::new(
                "Unset the variable, or point it at a toolkit".to_owned(),
                command.map_or_else(|| Step::unset(variable), |home| Step::set(variable, home)),
            )],
            ..Finding::of(Kind::Toolchain, severity)
        });
    }
    let (nvcc, other) = (toolchain.nvcc.value()?, other?);
    let (ours, theirs) = (nvcc.cuda?, other.cuda?);
    (ours != theirs).then(|| Finding {
        id: "toolchain/cuda-home".to_owned(),
        title: format!("`{variable}` is CUDA {ours}, and the nvcc on PATH is of CUDA {theirs}"),
        message: "torch's builds of extensions take the one of the variable, builds with CMake the one on PATH. What is installed \
                  runs."
            .to_owned(),
        evidence: vec![
            observed(variable, ours.to_string(), "one CUDA", &nvcc.path),
            observed("nvcc on PATH", theirs.to_string(), "one CUDA", &other.path),
        ],
        remedies: vec![Remedy::new("To compile, put the toolkit of the variable first on PATH".to_owned(), Step::prepend("PATH", format!("{}/bin", home.trim_end_matches('/'))))],
        ..Finding::of(Kind::Toolchain, severity)
    })
}

/// torch's builds of extensions start the program of that name.
fn no_ninja(context: &Context<'_>, severity: Severity) -> Option<Finding> {
    let Reading::Absent { looked } = &context.facts.toolchain.ninja else { return None };
    let mut evidence = vec![observed("ninja", "not found".to_owned(), "on PATH", looked)];
    evidence.push(Evidence {
        fact: "torch.utils.cpp_extension".to_owned(),
        observed: "runs `ninja`".to_owned(),
        required: None,
        source: Basis::Rule,
        citation: Some(context.db.ninja_citation()),
    });
    Some(Finding {
        id: "toolchain/ninja".to_owned(),
        title: "there is no `ninja`, with which torch builds extensions".to_owned(),
        message: "`torch.utils.cpp_extension.load` stops with `Ninja is required to load C++ extensions`; a setup.py compiles \
                  one file after the other."
            .to_owned(),
        evidence,
        remedies: vec![Remedy::new("Install ninja into the environment".to_owned(), Installer::of(context.facts).install(&[], &["ninja".to_owned()]))],
        ..Finding::of(Kind::Toolchain, severity)
    })
}

/// Triton compiles its launcher against Python.h with the C compiler.
fn no_launcher(context: &Context<'_>) -> Option<Finding> {
    let toolchain = &context.facts.toolchain;
    let (missing, looked) = match (&toolchain.gcc, &toolchain.python_h) {
        (Reading::Absent { looked }, _) => ("a C compiler", looked),
        (_, Reading::Absent { looked }) => ("Python.h", looked),
        _ => return None,
    };
    let used = context.uses.iter().any(|use_| use_ == "torch.compile");
    Some(Finding {
        id: "toolchain/triton".to_owned(),
        title: format!("Triton finds no {} here: `torch.compile` needs it", missing.trim_start_matches("a ")),
        message: "Triton compiles a small launcher in C for each kernel. Eager torch does without.".to_owned(),
        evidence: vec![observed(missing, "not found".to_owned(), missing, looked)],
        remedies: vec![Remedy::new(
            "Install the compiler and Python's headers".to_owned(),
            Step::fixed("sudo apt-get install gcc python3-dev"),
        )],
        packages: vec!["triton".to_owned()],
        ..Finding::of(Kind::Toolchain, if used { Severity::Warn } else { Severity::Info })
    })
}

fn observed(fact: &str, observed: String, required: &str, place: &str) -> Evidence {
    Evidence {
        fact: fact.to_owned(),
        observed,
        required: Some(required.to_owned()),
        source: Basis::Host,
        citation: Some(place.to_owned()),
    }
}

/// Compares nvcc, where a report tells of it, with torch's CUDA.
fn told(context: &Context<'_>) -> Outcome {
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
            steps: Step::set("CUDA_HOME", format!("/usr/local/cuda-{cuda}")).into_iter().collect(),
            change: None,
            verified: false,
        }],
        references: Vec::new(),
    }])
}
