//! Does CUDA_HOME name the toolkit that is on PATH, or one at all?

use super::observed;
use crate::check::Context;
use crate::facts::Reading;
use crate::finding::{Finding, Remedy, Severity, rule};
use crate::step::Step;

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

/// A variable that names a folder without nvcc, or another CUDA than the nvcc on PATH.
pub fn check(context: &Context<'_>, severity: Severity) -> Option<Finding> {
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
    (ours != theirs).then(|| {
        HOME_OTHER
            .found(&[], format!("`{variable}` is CUDA {ours}, and the nvcc on PATH is of CUDA {theirs}"))
            .severity(severity)
            .message(
                "torch's builds of extensions take the one of the variable, builds with CMake the one on PATH. What \
                 is installed runs.",
            )
            .evidence([
                observed(variable, ours.to_string(), "one CUDA", &nvcc.path),
                observed("nvcc on PATH", theirs.to_string(), "one CUDA", &other.path),
            ])
            .remedies([Remedy::new(
                "To compile, put the toolkit of the variable first on PATH".to_owned(),
                Step::prepend("PATH", format!("{}/bin", home.trim_end_matches('/'))),
            )])
    })
}
