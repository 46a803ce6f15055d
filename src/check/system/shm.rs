//! Is /dev/shm large enough for DataLoader workers, Ray and NCCL?

use super::runs_torch;
use crate::check::Context;
use crate::facts::Origin;
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::rules::machine;
use crate::step::Step;
use crate::text;

rule! {
    /// /dev/shm is small.
    ///
    /// DataLoader workers, Ray and NCCL share memory there and fail with `Bus error` or `No space left on device`. Known
    /// from the file system. Start the container with a larger `--shm-size`, or with `--ipc=host`.
    pub SHM = "system/shm": System, Warn, since "0.1.0", judged on [Limits, System], by check;
}

/// Less than what they need, where several GPUs or a report make it matter.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let reading = &context.facts.system.shm_bytes;
    let size = *reading.value()?;
    if context.facts.origin != Origin::Report && !runs_torch(context) {
        return None;
    }
    if size >= context.db.tables().needs.enough_shm() {
        return None;
    }
    // One process on one GPU does without; NCCL between GPUs does not, and who pastes a report has a reason.
    let several = context.facts.gpus.value().is_some_and(|gpus| gpus.len() > 1);
    let severity = if several || context.facts.origin == Origin::Report { Severity::Warn } else { Severity::Info };
    Some(
        SHM.found(
            &[],
            format!("/dev/shm is only {}, and NCCL, Ray and DataLoader workers need more", text::bytes(size)),
        )
        .severity(severity)
        .message(
            "Docker gives a container 64 MB by default. NCCL then fails with a system error, workers with a bus \
                 error.",
        )
        .packages(["container-runtime"])
        .evidence([Evidence::host("/dev/shm", text::bytes(size))
            .required("several GiB".to_owned())
            .cited(reading.source().map(|source| source.place().to_owned()))])
        .remedies([match machine::shared_memory(context.facts, context.db) {
            Some(task) => Remedy::new(text::sentence(&task.words), task.steps),
            // Most who have so little of it run in a container, also where that is not seen.
            None => Remedy::new("Start the container with more", Step::fixed("docker run --shm-size=16g …")),
        }])
        .references(["https://github.com/pytorch/pytorch/issues/5040"]),
    )
}

#[cfg(test)]
mod tests {
    use super::SHM;
    use crate::check::cases::Case;
    use crate::facts::Reading;

    #[test]
    fn what_docker_gives_and_what_is_enough() {
        let with = |mib: u64| {
            let case = Case::report().with(|facts| facts.system.shm_bytes = Reading::host(mib << 20, "the test"));
            case.found(&SHM)
        };
        assert_eq!(with(64), ["system/shm: /dev/shm is only 64 MiB, and NCCL, Ray and DataLoader workers need more"]);
        assert_eq!(with(128), [""; 0]);
    }
}
