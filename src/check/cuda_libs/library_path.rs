//! Does the LD_LIBRARY_PATH of a report put another cuDNN in front of torch's?

use crate::check::Context;
use crate::facts::{Distribution, TORCH};
use crate::finding::{Change, Evidence, Finding, Remedy, rule};
use crate::step::Step;

rule! {
    /// LD_LIBRARY_PATH puts another cuDNN in front of torch's.
    ///
    /// torch then loads a cuDNN it was not built with, and fails with a version mismatch or an undefined symbol. Known
    /// from a report's environment lines. Unset LD_LIBRARY_PATH for this program.
    pub LIBRARY_PATH = "cuda-libs/library-path": CudaLibs, Warn, since "0.1.0", judged on [Environment, Report], by check;
}

/// A report whose LD_LIBRARY_PATH names a cuDNN of its own, where nobody read what the libraries of the wheels get.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    // Where the files of torch were read, the loader's order says which cuDNN they get; and there must be a torch to bring one.
    let torch = facts.distribution(TORCH);
    if torch.is_some_and(Distribution::were_files_read) || torch.is_none() && facts.lists_all() {
        return None;
    }
    let value = facts.system.environment.get("LD_LIBRARY_PATH")?;
    // The wheels' own folders are no second copy.
    let foreign = |folder: &&str| folder.to_lowercase().contains("cudnn") && !folder.contains("site-packages");
    let folders: Vec<&str> = value.split(':').filter(foreign).collect();
    let first = folders.first()?;
    Some(
        LIBRARY_PATH
            .found(&[], "LD_LIBRARY_PATH puts another cuDNN in front of the one that torch brings")
            .message(
                "torch's wheels bring the cuDNN that they were compiled with. An older one in front ends in `cuDNN \
                 version incompatibility`, or in `CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH`.",
            )
            .packages(["LD_LIBRARY_PATH", "cudnn"])
            .evidence(
                [Evidence::host("LD_LIBRARY_PATH", (*first).to_owned()).required("no folder of cuDNN".to_owned())],
            )
            .remedies([Remedy {
                change: Some(Change::Unset("LD_LIBRARY_PATH".to_owned())),
                ..Remedy::new("Take the cuDNN folders out of LD_LIBRARY_PATH", Step::fixed("unset LD_LIBRARY_PATH"))
            }]),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::made::found;
    use crate::facts::{Facts, Origin};

    #[test]
    fn a_cudnn_of_the_path_stands_in_front_and_the_wheels_own_does_not() {
        let with = |value: &str| {
            let mut facts = Facts::unknown(Origin::Report);
            facts.system.environment.insert("LD_LIBRARY_PATH".to_owned(), value.to_owned());
            found(&facts, check)
        };
        let title = "LD_LIBRARY_PATH puts another cuDNN in front of the one that torch brings";
        assert_eq!(with("/usr/lib:/opt/cudnn-8.9/lib"), [format!("cuda-libs/library-path: {title}")]);
        assert_eq!(with("/v/lib/python3.12/site-packages/nvidia/cudnn/lib:/usr/local/cuda/lib64"), [""; 0]);
    }
}
