//! May a process lock as much memory as NCCL over InfiniBand needs?

use super::runs_torch;
use crate::check::Context;
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::step::Step;
use crate::text;

rule! {
    /// The locked-memory limit is too low for NCCL over InfiniBand.
    ///
    /// Registering memory fails beyond the limit. Known from the process's limits. Raise `memlock` for the job or the
    /// container.
    pub MEMLOCK = "system/memlock": System, Warn, since "0.1.0", judged on [Limits], by check;
}

/// A limit of locked memory that InfiniBand does not work with.
///
/// Only NCCL between machines uses InfiniBand, so it matters to who says `distributed`.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    if !runs_torch(context) {
        return None;
    }
    let system = &context.facts.system;
    let devices = *system.infiniband.value()?;
    let limit = *system.memlock_bytes.value()?;
    let (too_little, citation) = context.db.tables().needs.too_little_memlock();
    if limit > too_little {
        return None;
    }
    let stated = context.uses.iter().any(|item| item == "distributed");
    Some(
        MEMLOCK
            .found(&[], format!("a process may lock {}, which NCCL on InfiniBand outgrows", text::bytes(limit)))
            .severity(if stated { Severity::Warn } else { Severity::Info })
            .message(
                "NCCL registers its buffers with the adapter, which locks them; it ends with `ibv_reg_mr … Cannot \
                 allocate memory`. One machine by itself does without.",
            )
            .evidence([
                Evidence::host("RLIMIT_MEMLOCK", text::bytes(limit))
                    .required("unlimited".to_owned())
                    .cited("ulimit -l".to_owned()),
                Evidence::host("InfiniBand", text::count(usize::try_from(devices).unwrap_or(0), "device", "devices"))
                    .cited("/dev/infiniband".to_owned()),
                Evidence::rule("a limit that was too low", text::bytes(too_little)).cited(citation),
            ])
            .remedies([Remedy::new(
                "Start the container with `--ulimit memlock=-1`, or raise `memlock` in /etc/security/limits.conf and \
                 log in anew",
                Step::fixed("docker run --ulimit memlock=-1 …"),
            )]),
    )
}

#[cfg(test)]
mod tests {
    use super::MEMLOCK;
    use crate::check::cases::Case;
    use crate::facts::Reading;

    #[test]
    fn a_limit_that_infiniband_outgrows_and_a_machine_without_it() {
        let with = |limit: u64, infiniband: Reading<u32>| {
            let case = Case::host().torch("2.9.0+cu128", "12.8").with(|facts| {
                facts.system.memlock_bytes = Reading::host(limit, "the test");
                facts.system.infiniband = infiniband;
                facts.system.shm_bytes = Reading::host(1 << 40, "/dev/shm");
            });
            case.found(&MEMLOCK)
        };
        let one = || Reading::host(1, "/dev/infiniband");
        assert_eq!(
            with(64 << 10, one()),
            ["system/memlock: a process may lock 64 KiB, which NCCL on InfiniBand outgrows"]
        );
        assert_eq!(with(u64::MAX, one()), [""; 0]);
        assert_eq!(with(64 << 10, Reading::absent("/dev/infiniband")), [""; 0]);
    }
}
