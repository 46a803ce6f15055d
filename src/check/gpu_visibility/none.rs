//! Was a report taken where there is neither driver nor GPU?

use crate::check::Context;
use crate::facts::Reading;
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::step::Step;

rule! {
    /// No GPU is visible where the report was taken.
    ///
    /// Neither driver nor device was found, as in a container started without GPUs. Known from the report. Start the
    /// container with its GPUs, or install the driver on the host.
    pub NONE = "gpu-visibility/none": GpuVisibility, Fail, since "0.1.0", judged on [Report];
}

/// A report in which torch, or somebody, says that CUDA is not available.
pub fn is_blind(context: &Context<'_>) -> bool {
    let seen = &context.facts.visibility;
    let cpu_build = context.stack.torch_cuda() == Some(None);
    (seen.available.value() == Some(&false) || seen.without_gpus.value().is_some()) && !cpu_build
}

/// A report of an environment for CUDA in which neither driver nor GPU was found.
pub fn found(context: &Context<'_>) -> Finding {
    let facts = context.facts;
    let looked = match &facts.gpus {
        Reading::Absent { looked } => looked.clone(),
        _ => "the report".to_owned(),
    };
    let docker = facts.visibility.without_gpus.value();
    let wsl = facts.system.wsl.value().is_some();
    let mut evidence = vec![
        Evidence::host("GPUs", "none found, and CUDA is not available")
            .required("a driver and its device files in this container or machine".to_owned())
            .cited(looked),
    ];
    evidence.extend(
        docker.map(|command| Evidence::host("docker", format!("`{command}`")).required("--gpus all".to_owned())),
    );
    let remedy = if wsl {
        (
            "Install a Windows driver with WSL support, and let the loader find /usr/lib/wsl/lib",
            "ls -l /usr/lib/wsl/lib/libcuda.so.1",
        )
    } else {
        (
            "Start the container with `--gpus all`, or install the driver; a scheduler (Ray, SLURM) must give the \
             process a GPU",
            "docker run --gpus all …",
        )
    };
    NONE.found(
        &[],
        format!(
            "no GPU is visible where this report was taken{}: neither driver nor device was found",
            if wsl { " (WSL)" } else { "" }
        ),
    )
    .severity(if context.stack.torch_cuda().flatten().is_some() { Severity::Fail } else { Severity::Warn })
    .message(
        "`torch.cuda.is_available()` is False there. A container that was started without GPUs looks like this, and \
         so does a machine without a driver.",
    )
    .packages(["container-runtime"])
    .evidence(evidence)
    .remedies([Remedy::new(remedy.0.to_owned(), Step::fixed(remedy.1))])
}

#[cfg(test)]
mod tests {
    use super::{found, is_blind};
    use crate::check::made;
    use crate::facts::{Facts, Origin, Reading};

    #[test]
    fn a_report_in_which_cuda_is_not_available() {
        let with = |available: Reading<bool>| {
            let mut facts = Facts::unknown(Origin::Report);
            facts.visibility.available = available;
            made::found(&facts, |context| is_blind(context).then(|| found(context)))
        };
        let title =
            "gpu-visibility/none: no GPU is visible where this report was taken: neither driver nor device was found";
        assert_eq!(with(Reading::told(false, "line 1")), [title]);
        assert_eq!(with(Reading::told(true, "line 1")), [""; 0]);
        assert_eq!(with(Reading::Unknown), [""; 0]);
    }
}
