//! Does nvcc accept the gcc of this machine?

use super::observed;
use crate::check::Context;
use crate::facts::Nvcc;
use crate::finding::{Finding, Remedy, rule};
use crate::step::Step;
use crate::text;

rule! {
    /// gcc is newer than this nvcc accepts.
    ///
    /// Compiling ends in `unsupported GNU version`. Known from both versions and NVIDIA's table in the rules. Install
    /// an older gcc and name it in `NVCC_CCBIN` or `CC`.
    pub GCC = "toolchain/gcc": Toolchain, Info, since "0.1.0", judged on [Toolkits];
}

/// A gcc that this nvcc refuses.
pub fn check(context: &Context<'_>, builders: &[String]) -> Option<Finding> {
    let toolchain = &context.facts.toolchain;
    let gcc = *toolchain.gcc.value()?;
    let Nvcc { path, newest_gcc, .. } = toolchain.nvcc.value()?;
    let newest = newest_gcc.filter(|newest| gcc > *newest)?;
    Some(
        GCC.found(&[], format!("gcc {gcc} is newer than this nvcc takes, which is gcc {newest}"))
            .message(format!(
                "What is installed runs. Building {} again fails with `unsupported GNU version`.",
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

#[cfg(test)]
mod tests {
    use super::{GCC, Nvcc};
    use crate::check::cases::Case;
    use crate::facts::Reading;

    #[test]
    fn a_gcc_that_nvcc_refuses_and_the_newest_that_it_takes() {
        let with = |gcc: u32| {
            let case = Case::host().installed("flash-attn", "2.8.3").with(|facts| {
                let nvcc = Nvcc { path: "/usr/bin/nvcc".to_owned(), cuda: None, newest_gcc: Some(13) };
                facts.toolchain.nvcc = Reading::host(nvcc, "the test");
                facts.toolchain.gcc = Reading::host(gcc, "the test");
            });
            case.found(&GCC)
        };
        assert_eq!(with(14), ["toolchain/gcc: gcc 14 is newer than this nvcc takes, which is gcc 13"]);
        assert_eq!(with(13), [""; 0]);
    }
}
