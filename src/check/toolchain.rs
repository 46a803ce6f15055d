//! Would what is compiled on this machine fit torch, and can it be compiled: nvcc, gcc, headers?
//!
//! Most machines compile nothing. On a machine itself only what an installed package needs is judged: one that is known to
//! be built from source ([`crate::rules::RuleDb::source_build`]), and Triton, which compiles a launcher in C while it runs.

use super::{Context, Installer, looked, ptxas};
use crate::facts::{Nvcc, Reading};
use crate::finding::{Evidence, Finding, Outcome, Remedy, Severity, rule};
use crate::step::Step;
use crate::text;

rule! {
    /// nvcc is from another minor CUDA release than torch.
    ///
    /// Extensions still compile, with a warning. Known from nvcc and torch's build.
    pub NVCC_OTHER = "toolchain/nvcc": Toolchain, Info, since "0.1.0", judged on [Toolkits, Builds];
}

rule! {
    /// gcc is newer than this nvcc accepts.
    ///
    /// Compiling ends in `unsupported GNU version`. Known from both versions and NVIDIA's table in the rules. Install
    /// an older gcc and name it in `NVCC_CCBIN` or `CC`.
    pub GCC = "toolchain/gcc": Toolchain, Info, since "0.1.0", judged on [Toolkits];
}

rule! {
    /// CUDA_HOME names a folder without nvcc.
    ///
    /// Extensions are compiled with that nvcc, so they cannot be. Known from the variable and the folder. Set it to a
    /// toolkit, or unset it.
    pub HOME_WITHOUT_NVCC = "toolchain/cuda-home": Toolchain, Warn, since "0.1.0", judged on [Environment, Toolkits];
}

rule! {
    /// CUDA_HOME and PATH lead to different toolkits.
    ///
    /// torch compiles with the one in CUDA_HOME, other tools with the one on PATH. Known from both. Let both name one
    /// toolkit.
    pub HOME_OTHER = "toolchain/cuda-home": Toolchain, Warn, since "0.1.0", judged on [Environment, Toolkits];
}

rule! {
    /// ninja is missing.
    ///
    /// torch builds extensions with it. Known from PATH and the environment. Install `ninja`.
    pub NINJA = "toolchain/ninja": Toolchain, Warn, since "0.1.0", judged on [Toolkits, Distributions];
}

rule! {
    /// What Triton compiles with is missing.
    ///
    /// Triton needs a C compiler and Python.h for `torch.compile` and its kernels. Known from PATH, CC and the
    /// interpreter's headers. Install the compiler or the headers.
    pub TRITON = "toolchain/triton": Toolchain, Warn, since "0.1.0", judged on [Toolkits, Python];
}

rule! {
    /// nvcc is from another major CUDA release than torch.
    ///
    /// torch refuses to compile extensions: `The detected CUDA version mismatches the version that was used to compile
    /// PyTorch`. Known from nvcc and torch's build. Install the toolkit of torch's CUDA, or another variant of torch.
    pub NVCC_OTHER_MAJOR = "toolchain/nvcc": Toolchain, Warn, since "0.1.0", judged on [Toolkits, Builds];
}

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
    (needed.major != cuda.major).then(|| {
        NVCC_OTHER
            .found(&[], format!("nvcc is of CUDA {cuda}, and {} is built for CUDA {needed}", torch.title()))
            .message(format!(
                "What is installed runs. Building {} anew stops, since the majors differ.",
                text::list(builders)
            ))
            .evidence([observed("nvcc", cuda.to_string(), &format!("CUDA {}.x", needed.major), &nvcc.path)])
            .remedies([Remedy::new(
                format!("To compile, install the CUDA {needed} toolkit and point CUDA_HOME at it"),
                Step::set("CUDA_HOME", format!("/usr/local/cuda-{needed}")),
            )])
    })
}

/// A gcc that this nvcc refuses.
fn newer_gcc(context: &Context<'_>, builders: &[String]) -> Option<Finding> {
    let toolchain = &context.facts.toolchain;
    let gcc = *toolchain.gcc.value()?;
    let Nvcc { path, newest_gcc, .. } = toolchain.nvcc.value()?;
    let newest = newest_gcc.filter(|newest| gcc > *newest)?;
    Some(
        GCC.found(&[], format!("gcc {gcc} is newer than this nvcc takes, which is gcc {newest}"))
            .message(format!(
                "What is installed runs. Building {} anew stops with `unsupported GNU version`.",
                text::list(builders)
            ))
            .evidence([observed(
                "gcc",
                gcc.to_string(),
                &format!("gcc {newest} or older"),
                &format!("crt/host_config.h of {path}"),
            )])
            .remedies([Remedy::new(
                format!("To compile, install gcc {newest} and name it to nvcc"),
                [
                    Step::set("CC", format!("gcc-{newest}")),
                    Step::set("CXX", format!("g++-{newest}")),
                    Step::set("NVCC_PREPEND_FLAGS", format!("-ccbin g++-{newest}")),
                ]
                .into_iter()
                .flatten(),
            )]),
    )
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
        return Some(
            HOME_WITHOUT_NVCC
                .found(&[], format!("`{variable}={home}` holds no nvcc"))
                .severity(severity)
                .message("torch's builds of extensions believe the variable, and stop there. What is installed runs.")
                .evidence([observed(variable, "not there".to_owned(), "bin/nvcc", looked)])
                .remedies([Remedy::new(
                    "Unset the variable, or point it at a toolkit".to_owned(),
                    command.map_or_else(|| Step::unset(variable), |home| Step::set(variable, home)),
                )]),
        );
    }
    let (nvcc, other) = (toolchain.nvcc.value()?, other?);
    let (ours, theirs) = (nvcc.cuda?, other.cuda?);
    (ours != theirs).then(|| HOME_OTHER.found(&[], format!("`{variable}` is CUDA {ours}, and the nvcc on PATH is of CUDA {theirs}")).severity(severity).message("torch's builds of extensions take the one of the variable, builds with CMake the one on PATH. What is installed \
                  runs.").evidence([
            observed(variable, ours.to_string(), "one CUDA", &nvcc.path),
            observed("nvcc on PATH", theirs.to_string(), "one CUDA", &other.path),
        ]).remedies([Remedy::new("To compile, put the toolkit of the variable first on PATH".to_owned(), Step::prepend("PATH", format!("{}/bin", home.trim_end_matches('/'))))]))
}

/// torch's builds of extensions start the program of that name.
fn no_ninja(context: &Context<'_>, severity: Severity) -> Option<Finding> {
    let Reading::Absent { looked } = &context.facts.toolchain.ninja else { return None };
    let mut evidence = vec![observed("ninja", "not found".to_owned(), "on PATH", looked)];
    evidence.push(Evidence::rule("torch.utils.cpp_extension", "runs `ninja`").cited(context.db.ninja_citation()));
    Some(NINJA.found(&[], "there is no `ninja`, with which torch builds extensions").severity(severity).message("`torch.utils.cpp_extension.load` stops with `Ninja is required to load C++ extensions`; a setup.py compiles \
                  one file after the other.").evidence(evidence).remedies([Remedy::new("Install ninja into the environment".to_owned(), Installer::of(context.facts).install(&[], &["ninja".to_owned()]))]))
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
    Some(
        TRITON
            .found(&[], format!("Triton finds no {} here: `torch.compile` needs it", missing.trim_start_matches("a ")))
            .severity(if used { Severity::Warn } else { Severity::Info })
            .message("Triton compiles a small launcher in C for each kernel. Eager torch does without.")
            .packages(["triton"])
            .evidence([observed(missing, "not found".to_owned(), missing, looked)])
            .remedies([Remedy::new(
                "Install the compiler and Python's headers".to_owned(),
                Step::fixed("sudo apt-get install gcc python3-dev"),
            )]),
    )
}

fn observed(fact: &str, observed: String, required: &str, place: &str) -> Evidence {
    Evidence::host(fact.to_owned(), observed).required(required.to_owned()).cited(place.to_owned())
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
    looked(vec![NVCC_OTHER_MAJOR.found(&[], format!("nvcc is of CUDA {nvcc}, and {} is built for CUDA {cuda}", torch.title())).message("Nothing that is installed is affected. Compiling an extension of torch stops with `The detected CUDA version \
                  mismatches the version that was used to compile PyTorch`, since the majors differ.").packages(["torch"]).evidence([
            Evidence::host("nvcc", nvcc.to_string()).required(format!("CUDA {}.x", cuda.major)),
            Evidence::binary("torch build", format!("{}, CUDA {cuda}", torch.distribution.full_version())).cited(torch.cuda_place()),
        ]).remedies([Remedy {
            summary: format!("To compile extensions, install the CUDA {cuda} toolkit and point CUDA_HOME at it"),
            requirements: Vec::new(),
            steps: Step::set("CUDA_HOME", format!("/usr/local/cuda-{cuda}")).into_iter().collect(),
            change: None,
            verified: false,
        }])])
}
