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

#[cfg(test)]
mod tests {
    use super::{HOME_OTHER, HOME_WITHOUT_NVCC, Reading};
    use crate::check::cases::{Case, value};
    use crate::facts::Nvcc;

    #[test]
    fn a_folder_without_nvcc_and_one_of_another_cuda_than_that_on_path() {
        let nvcc = |path: &str, cuda: &str| {
            let nvcc = Nvcc { path: path.to_owned(), cuda: Some(value(cuda)), newest_gcc: None };
            Reading::host(nvcc, "the test")
        };
        let with = |own: Reading<Nvcc>, on_path: &str| {
            Case::host().installed("flash-attn", "2.8.3").with(|facts| {
                facts.system.environment.insert("CUDA_HOME".to_owned(), "/opt/cuda".to_owned());
                facts.toolchain.nvcc = own;
                facts.toolchain.path_nvcc = nvcc("/usr/bin/nvcc", on_path);
            })
        };
        let own = || nvcc("/opt/cuda/bin/nvcc", "12.8");
        let without = with(Reading::absent("/opt/cuda/bin/nvcc"), "12.8").found(&HOME_WITHOUT_NVCC);
        assert_eq!(without, ["toolchain/cuda-home: `CUDA_HOME=/opt/cuda` holds no nvcc"]);
        assert_eq!(with(own(), "12.8").found(&HOME_WITHOUT_NVCC), [""; 0]);
        let title = "`CUDA_HOME` is CUDA 12.8, and the nvcc on PATH is of CUDA 12.2";
        assert_eq!(with(own(), "12.2").found(&HOME_OTHER), [format!("toolchain/cuda-home: {title}")]);
        assert_eq!(with(own(), "12.8").found(&HOME_OTHER), [""; 0]);
    }
}
