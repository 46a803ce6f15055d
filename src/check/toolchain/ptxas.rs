//! Is the ptxas that a variable names to Triton there, and does it know the GPUs?

use crate::check::{Context, Installed};
use crate::facts::Ptxas;
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::rules::target::gpu_words;
use crate::step::Step;
use crate::version::ComputeCapability;

rule! {
    /// TRITON_PTXAS_PATH or its like names a ptxas that does not fit.
    ///
    /// Triton then assembles with it and fails for this GPU or PTX version. Known from the variable and the CUDA of the
    /// file. Unset the variable, or name the ptxas of a newer toolkit.
    pub PTXAS_VARIABLE = "toolchain/{variable}": Toolchain, Warn, since "0.1.0", judged on [Environment, Toolkits];
}

/// Whether the ptxas that is named for a GPU writes code for it; none where none is named, or nobody knows.
pub fn knows(context: &Context<'_>, gpu: ComputeCapability) -> Option<bool> {
    let triton = context.stack.get("triton")?.version.as_ref()?;
    let is_for = |ptxas: &&Ptxas| context.db.tables().needs.takes_ptxas(&ptxas.variable, gpu, triton);
    let ptxas = context.facts.toolchain.ptxas.iter().filter(|ptxas| ptxas.found).find(is_for)?;
    let toolkit = context.db.toolkit(ptxas.cuda?).filter(|toolkit| !toolkit.compiles_for.is_empty())?;
    Some(toolkit.compiles_for.contains(&gpu))
}

/// Variables that name no file, and those that name a ptxas of a toolkit too old for a GPU.
pub fn check(context: &Context<'_>, triton: &Installed<'_>) -> Vec<Finding> {
    context.facts.toolchain.ptxas.iter().filter_map(|ptxas| judge(context, triton, ptxas)).collect()
}

fn judge(context: &Context<'_>, triton: &Installed<'_>, ptxas: &Ptxas) -> Option<Finding> {
    let citation = context.db.tables().needs.ptxas_citation(&ptxas.variable)?;
    let variable = &ptxas.variable;
    let finding = |severity, title, message: &str, required: &str, evidence| {
        PTXAS_VARIABLE
            .found(&[&variable.to_lowercase().replace('_', "-")], title)
            .severity(severity)
            .message(message.to_owned())
            .packages([triton.name()])
            .evidence(
                [
                    vec![
                        Evidence::host(variable.clone(), ptxas.path.clone())
                            .required(required.to_owned())
                            .cited("environment".to_owned()),
                    ],
                    evidence,
                ]
                .concat(),
            )
            .remedies([Remedy::new("Unset the variable, or name a ptxas that knows the GPU", Step::unset(variable))])
    };
    let rule =
        |fact: &str, observed: String, citation: String| Evidence::rule(fact.to_owned(), observed).cited(citation);
    if !ptxas.found {
        let title = format!("`{variable}` names no file: `{}`", ptxas.path);
        let evidence = vec![rule("Triton", "takes its own ptxas instead".to_owned(), citation)];
        let message = "Triton takes the ptxas of its wheel instead, without a word.";
        return Some(finding(Severity::Info, title, message, "a file", evidence));
    }
    let (cuda, version) = (ptxas.cuda?, triton.version.as_ref()?);
    let toolkit = context.db.toolkit(cuda).filter(|toolkit| !toolkit.compiles_for.is_empty())?;
    let gpus = context.target.gpus.iter();
    let takes = |gpu: ComputeCapability| context.db.tables().needs.takes_ptxas(&ptxas.variable, gpu, version);
    let gpus: Vec<_> =
        gpus.filter(|gpu| takes(gpu.capability) && !toolkit.compiles_for.contains(&gpu.capability)).collect();
    let first = gpus.first()?.capability;
    let targets: Vec<_> = toolkit.compiles_for.iter().map(|target| format!("sm_{}", target.sm())).collect();
    let evidence = vec![rule(
        &format!("CUDA {cuda}"),
        format!("compiles for {}", targets.join(" ")),
        context.db.compiles_for_citation(toolkit).unwrap_or_default(),
    )];
    let title =
        format!("the ptxas of `{variable}` is of CUDA {cuda}, which has no sm_{} ({})", first.sm(), gpu_words(&gpus));
    let message = "`torch.compile` and Triton kernels fail on this GPU (`ptxas fatal: Value 'sm_…' is not defined`); \
                   eager torch is not affected.";
    let mut finding = finding(Severity::Warn, title, message, &format!("a ptxas for sm_{}", first.sm()), evidence);
    finding.gpus = gpus.iter().filter_map(|gpu| gpu.index).collect();
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::{PTXAS_VARIABLE, Ptxas};
    use crate::check::cases::Case;
    use crate::version::CudaVersion;

    #[test]
    fn a_variable_that_names_no_file() {
        let with = |found: bool| {
            let (variable, path) = ("TRITON_PTXAS_PATH".to_owned(), "/opt/ptxas".to_owned());
            let ptxas = Ptxas { variable, path, found, cuda: None };
            let case = Case::host().installed("triton", "3.5.0").with(|facts| facts.toolchain.ptxas = vec![ptxas]);
            case.found(&PTXAS_VARIABLE)
        };
        assert_eq!(with(false), ["toolchain/triton-ptxas-path: `TRITON_PTXAS_PATH` names no file: `/opt/ptxas`"]);
        assert_eq!(with(true), [""; 0]);
    }

    /// 3.4 and 3.5 have one ptxas for all, 3.6 another for Blackwell.
    #[test]
    fn a_ptxas_of_cuda_12_4_before_blackwell() {
        let with = |triton: &str| {
            let (variable, path) = ("TRITON_PTXAS_PATH".to_owned(), "/usr/local/cuda-12.4/bin/ptxas".to_owned());
            let ptxas = Ptxas { variable, path, found: true, cuda: Some(CudaVersion::new(12, 4)) };
            let case = Case::host().gpu("NVIDIA GeForce RTX 5090", "12.0").installed("triton", triton);
            case.with(|facts| facts.toolchain.ptxas = vec![ptxas]).found(&PTXAS_VARIABLE)
        };
        let title =
            "the ptxas of `TRITON_PTXAS_PATH` is of CUDA 12.4, which has no sm_120 (GPU 0 NVIDIA GeForce RTX 5090)";
        assert_eq!(with("3.5.0"), [format!("toolchain/triton-ptxas-path: {title}")]);
        assert_eq!(with("3.6.0"), [""; 0]);
        assert_eq!(with("3.3.1"), [""; 0]);
    }
}
