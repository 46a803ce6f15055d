//! Is there what Triton compiles its launchers with?

use super::observed;
use crate::check::Context;
use crate::facts::Reading;
use crate::finding::{Finding, Remedy, Severity, rule};
use crate::step::Step;

rule! {
    /// What Triton compiles with is missing.
    ///
    /// Triton needs a C compiler and Python.h for `torch.compile` and its kernels. Known from PATH, CC and the
    /// interpreter's headers. Install the compiler or the headers.
    pub TRITON = "toolchain/triton": Toolchain, Warn, since "0.1.0", judged on [Toolkits, Python];
}

/// Triton compiles its launcher against Python.h with the C compiler.
pub fn check(context: &Context<'_>) -> Option<Finding> {
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

#[cfg(test)]
mod tests {
    use super::{Reading, TRITON};
    use crate::check::cases::Case;

    #[test]
    fn a_machine_without_a_compiler() {
        let with = |gcc: Reading<u32>| {
            let case = Case::host().installed("triton", "3.5.0").with(|facts| facts.toolchain.gcc = gcc);
            case.found(&TRITON)
        };
        let title = "toolchain/triton: Triton finds no C compiler here: `torch.compile` needs it";
        assert_eq!(with(Reading::absent("PATH")), [title]);
        assert_eq!(with(Reading::host(13, "the test")), [""; 0]);
    }
}
