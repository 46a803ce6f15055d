//! Are all NVLinks of a GPU up?

use crate::check::Context;
use crate::check::gpus::{names, on, those};
use crate::finding::{Finding, Remedy, rule};
use crate::step::Step;

rule! {
    /// Some NVLinks of a GPU are down.
    ///
    /// Traffic between GPUs may be slower than it could be. Known from NVML. Look at the links and their errors.
    pub NVLINK = "system/nvlink": System, Info, since "0.1.0", judged on [GpuState], by check;
}

/// GPUs of which some NVLinks are down and others up.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let found = those(context, |_, state| state.nvlinks.filter(|links| links.active > 0 && links.active < links.all));
    (!found.is_empty()).then(|| {
        on(
            NVLINK
                .found(&[], format!("some NVLinks of {} are down", names(&found)))
                .message("Where the board wires all of them, traffic between GPUs is slower than it could be.")
                .remedies([Remedy::new(
                    "Look at the links and their errors",
                    Step::fixed("nvidia-smi nvlink -s && nvidia-smi nvlink -e"),
                )]),
            &found,
            "NVLinks",
            |links| format!("{} of {} up", links.active, links.all),
            "",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::NVLINK;
    use crate::check::cases::Case;
    use crate::facts::NvLinks;

    #[test]
    fn links_that_are_down_beside_others_that_are_up() {
        let with =
            |active| Case::host().h100(|_, state| state.nvlinks = Some(NvLinks { active, all: 18 })).found(&NVLINK);
        assert_eq!(with(2), ["system/nvlink: some NVLinks of GPU 0 NVIDIA H100 80GB HBM3 are down"]);
        assert_eq!(with(18), [""; 0]);
        assert_eq!(with(0), [""; 0], "no bridge is there");
    }
}
