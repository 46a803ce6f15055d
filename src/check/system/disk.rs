//! Is there room on the disks, for caches and for another build of torch?

use super::runs_torch;
use crate::check::Context;
use crate::facts::Disk;
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::step::Step;
use crate::text;

rule! {
    /// A disk that the environment needs is full.
    ///
    /// Installers and caches stop halfway. Known from the file system. Make room before anything is installed.
    pub DISK_FULL = "system/disk-full": System, Warn, since "0.1.0", judged on [Limits], by check;
}

rule! {
    /// There may be too little room for another build of torch.
    ///
    /// Known from the file system and the size of the wheels in the rules. Make room before a change of torch.
    pub DISK = "system/disk": System, Info, since "0.1.0", judged on [Limits];
}

/// As the probe calls the disk that holds the environment.
const ENVIRONMENT: &str = "the environment";

/// Disks with less room than another build of torch takes, those that are full first.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    if !runs_torch(context) {
        return Vec::new();
    }
    let disks = &context.facts.system.disks;
    let (needed, citation) = context.db.tables().needs.torch_on_disk();
    let mut findings = Vec::new();
    // Often it is one disk for all.
    let full: Vec<&Disk> = disks.iter().filter(|disk| disk.free_bytes == 0).collect();
    if !full.is_empty() {
        let held: Vec<&str> = full.iter().map(|disk| disk.holds.as_str()).collect();
        findings.push(
            DISK_FULL
                .found(&[], format!("there is no room left on the disk for {}", text::list(&held)))
                .message("What writes there fails: pip and uv, the caches of Triton and `torch.compile`, checkpoints.")
                .evidence(full.iter().map(|disk| seen(disk, "no room".to_owned())))
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
            seen(disk, text::bytes(disk.free_bytes)),
            Evidence::rule("torch with its libraries", text::bytes(needed)).cited(citation),
        ])
        .remedies([Remedy::new("Make room before an upgrade", Step::fixed("python3 -m pip cache purge"))])
    }));
    findings
}

fn seen(disk: &Disk, room: String) -> Evidence {
    Evidence::host(disk.path.clone(), room).cited("statvfs".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{DISK, DISK_FULL, Disk, ENVIRONMENT};
    use crate::check::cases::Case;

    #[test]
    fn a_full_disk_a_small_one_and_one_with_room() {
        let with = |free_bytes: u64| {
            let disk = Disk { holds: ENVIRONMENT.to_owned(), path: "/".to_owned(), free_bytes };
            Case::host().torch("2.9.0+cu128", "12.8").with(|facts| facts.system.disks = vec![disk])
        };
        let full = "system/disk-full: there is no room left on the disk for the environment";
        assert_eq!(with(0).found(&DISK_FULL), [full]);
        assert_eq!(with(1 << 30).found(&DISK_FULL), [""; 0]);
        let small = with(1 << 30).found(&DISK).concat();
        let title = "the disk that holds the environment has 1 GiB left: another build of torch takes ";
        assert!(small.starts_with(&format!("system/disk: {title}")), "{small}");
        assert_eq!(with(1 << 40).found(&DISK), [""; 0]);
    }
}
