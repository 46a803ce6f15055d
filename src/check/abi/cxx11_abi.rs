//! Were an extension and torch compiled with different C++ ABIs, by their published wheels?

use super::other_torch;
use crate::check::{Context, Installed};
use crate::facts::{Origin, TORCH};
use crate::finding::{Evidence, Finding, Severity, rule};
use crate::rules::torch_abi::{Misfit, misfit, needs_torch, row};

rule! {
    /// An extension and torch were compiled with different C++ ABIs.
    ///
    /// Names with `std::string` are mangled differently, so the loader finds none of them: `undefined symbol: …cxx11…`.
    /// Known from the symbols of both libraries. Install the wheel with the other `cxx11abi` label, or compile it here.
    pub CXX11_ABI = "abi/{package}": Abi, Fail, since "0.1.0", judged on [Libraries, Builds];
}

/// What the published wheel needs, where nobody read the installed files.
pub fn finding(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    let torch = context.stack.get(TORCH)?;
    let (release, build) = installed.row?;
    let row = row(installed.package?, release, build, context.db)?;
    let (torch_release, torch_build) = torch.row?;
    let misfit = misfit(&row, &torch_release.version, torch_build, context.db)?;
    let message = match misfit {
        Misfit::Release => "That torch does not export all symbols that its libraries need.",
        Misfit::Cxx11(true) => "It was compiled with the new C++ ABI of libstdc++, and this torch with the old one.",
        Misfit::Cxx11(false) => "It was compiled with the old C++ ABI of libstdc++, and this torch with the new one.",
    };
    // A report names a version, which PyTorch's own indexes serve in another build under the same name.
    let perhaps = context.facts.origin == Origin::Report && misfit != Misfit::Release;
    let unless = if perhaps { " A build from PyTorch's own index may differ." } else { "" };
    Some(
        other_torch(&CXX11_ABI, context, installed, torch)
            .severity(if perhaps { Severity::Warn } else { Severity::Fail })
            .message(format!("{message} Its import fails with `undefined symbol`.{unless}"))
            .evidence([Evidence::rule(format!("the published wheel of {}", installed.title()), needs_torch(&row))
                .required(torch.title())
                .cited(row.source.citation())]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn the_published_wheel_is_for_one_torch() {
        let of = |torch| Case::host().installed("torch", torch).installed("torchaudio", "2.11.0").found(&CXX11_ABI);
        assert_eq!(
            of("2.10.0+cu128"),
            ["abi/torchaudio: torchaudio 2.11.0 was built against a different torch than 2.10.0+cu128"]
        );
        assert!(of("2.11.0+cu128").is_empty());
    }
}
