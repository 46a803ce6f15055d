//! Is the kernel of WSL new enough for GPUs?

use crate::check::Context;
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::step::Step;

rule! {
    /// The WSL kernel is too old for GPUs.
    ///
    /// Known from the kernel's version. Run `wsl --update` on Windows.
    pub WSL = "system/wsl": System, Warn, since "0.1.0", judged on [System], by check;
}

/// WSL 2 with a kernel from before CUDA on WSL.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let system = &context.facts.system;
    system.wsl.value()?;
    let kernel = system.kernel.value()?;
    let mut numbers = kernel.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return None };
    let rule = &context.db.tables().driver.wsl;
    if (major, minor) >= (rule.kernel.major, rule.kernel.minor) {
        return None;
    }
    Some(
        WSL.found(&[], format!("WSL kernel {kernel} is too old for GPUs in WSL"))
            .message(format!("CUDA on WSL needs {}, and a WSL kernel of at least {}.", rule.windows, rule.kernel))
            .packages(["windows", "wsl-kernel"])
            .evidence([Evidence::host("WSL kernel", kernel.clone())
                .required(format!("{} or newer", rule.kernel))
                .cited(system.kernel.source().map(|source| source.place().to_owned()))])
            .remedies([Remedy::new(
                "Update Windows (10 to 21H2 or newer, under Settings > Windows Update), then the WSL kernel",
                Step::fixed("wsl --update"),
            )])
            .references(["https://github.com/microsoft/WSL/issues/7056"]),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::made::found;
    use crate::facts::{Facts, Origin, Reading};

    #[test]
    fn a_kernel_from_before_gpu_support_is_told_of() {
        let with = |kernel: &str, wsl: Reading<u32>| {
            let mut facts = Facts::unknown(Origin::Report);
            facts.system.wsl = wsl;
            facts.system.kernel = Reading::host(kernel.to_owned(), "the test");
            found(&facts, check)
        };
        let wsl = || Reading::host(2, "the test");
        let old = "system/wsl: WSL kernel 4.19.128 is too old for GPUs in WSL";
        assert_eq!(with("4.19.128", wsl()), [old]);
        assert_eq!(with("5.10.16", wsl()), [""; 0]);
        assert_eq!(with("4.19.128", Reading::Unknown), [""; 0], "another Linux");
    }
}
