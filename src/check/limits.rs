//! Does the machine allow what NCCL and a new torch need: locked memory for InfiniBand, room on disks?

use super::Context;
use crate::facts::Disk;
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::step::Step;
use crate::text;

rule! {
    /// The locked-memory limit is too low for NCCL over InfiniBand.
    ///
    /// Registering memory fails beyond the limit. Known from the process's limits. Raise `memlock` for the job or the
    /// container.
    pub MEMLOCK = "system/memlock": System, Warn, since "0.1.0", judged on [Limits];
}

rule! {
    /// A disk that the environment needs is full.
    ///
    /// Installers and caches stop halfway. Known from the file system. Make room before anything is installed.
    pub DISK_FULL = "system/disk-full": System, Warn, since "0.1.0", judged on [Limits];
}

rule! {
    /// There may be too little room for another build of torch.
    ///
    /// Known from the file system and the size of the wheels in the rules. Make room before a change of torch.
    pub DISK = "system/disk": System, Info, since "0.1.0", judged on [Limits];
}

/// A limit of locked memory that InfiniBand does not work with.
///
/// Only NCCL between machines uses InfiniBand, so it matters to who says `distributed`.
pub fn memlock(context: &Context<'_>) -> Option<Finding> {
    let system = &context.facts.system;
    let devices = *system.infiniband.value()?;
    let limit = *system.memlock_bytes.value()?;
    let (too_little, citation) = context.db.memlock();
    if limit > too_little {
        return None;
    }
    let stated = context.uses.iter().any(|item| item == "distributed");
    Some(MEMLOCK.found(&[], format!("a process may lock {}, which NCCL on InfiniBand outgrows", text::bytes(limit))).severity(if stated { Severity::Warn } else { Severity::Info }).message("NCCL registers its buffers with the adapter, which locks them; it ends with `ibv_reg_mr … Cannot allocate \
                  memory`. One machine by itself does without.").evidence([
            host("RLIMIT_MEMLOCK", text::bytes(limit), Some("unlimited"), "ulimit -l"),
            host(
                "InfiniBand",
                text::count(usize::try_from(devices).unwrap_or(0), "device", "devices"),
                None,
                "/dev/infiniband",
            ),
            rule("a limit that was too low", text::bytes(too_little), citation),
        ]).remedies([Remedy::new(
            "Start the container with `--ulimit memlock=-1`, or raise `memlock` in /etc/security/limits.conf and log in anew",
            Step::fixed("docker run --ulimit memlock=-1 …"),
        )]))
}

/// Disks with less room than another build of torch takes, those that are full first.
pub fn disks(context: &Context<'_>) -> Vec<Finding> {
    let disks = &context.facts.system.disks;
    let (needed, citation) = context.db.torch_on_disk();
    let mut findings = Vec::new();
    // Often it is one disk for all.
    let full: Vec<&Disk> = disks.iter().filter(|disk| disk.free_bytes == 0).collect();
    if !full.is_empty() {
        let held: Vec<&str> = full.iter().map(|disk| disk.holds.as_str()).collect();
        findings.push(
            DISK_FULL
                .found(&[], format!("there is no room left on the disk for {}", text::list(&held)))
                .message("What writes there fails: pip and uv, the caches of Triton and `torch.compile`, checkpoints.")
                .evidence(full.iter().map(|disk| host(&disk.path, "no room".to_owned(), None, "statvfs")))
                .remedies([Remedy::new(
                    "Make room, or point TMPDIR and XDG_CACHE_HOME at another disk",
                    Step::fixed("df -h"),
                )]),
        );
    }
    let small = disks.iter().find(|disk| disk.holds == ENVIRONMENT && (1..needed).contains(&disk.free_bytes));
    findings.extend(small.map(|disk| {
        DISK.found(
            &[],
            format!(
                "the disk that holds {} has {} left: another build of torch takes {}",
                disk.holds,
                text::bytes(disk.free_bytes),
                text::bytes(needed)
            ),
        )
        .message("What is installed runs. An upgrade of torch with its CUDA libraries may not fit.")
        .evidence([
            host(&disk.path, text::bytes(disk.free_bytes), None, "statvfs"),
            rule("torch with its libraries", text::bytes(needed), citation),
        ])
        .remedies([Remedy::new("Make room before an upgrade", Step::fixed("python3 -m pip cache purge"))])
    }));
    findings
}

/// As the probe calls the disk that holds the environment.
const ENVIRONMENT: &str = "the environment";

fn host(fact: &str, observed: String, required: Option<&str>, place: &str) -> Evidence {
    Evidence::host(fact.to_owned(), observed).required(required.map(str::to_owned)).cited(place.to_owned())
}

fn rule(fact: &str, observed: String, citation: String) -> Evidence {
    Evidence::rule(fact.to_owned(), observed).cited(citation)
}
