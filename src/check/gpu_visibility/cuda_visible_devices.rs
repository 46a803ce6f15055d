//! Does `CUDA_VISIBLE_DEVICES` hide GPUs?

use super::visible::{self, Stop};
use crate::check::Context;
use crate::finding::{Change, Evidence, Finding, Remedy, Severity, rule};
use crate::step::Step;
use crate::text;

rule! {
    /// CUDA_VISIBLE_DEVICES hides GPUs.
    ///
    /// An index or UUID that is not there ends the list: CUDA ignores everything after it. Known from the variable and
    /// the GPUs. Unset it, or name devices that exist.
    pub CUDA_VISIBLE_DEVICES = "gpu-visibility/cuda-visible-devices": GpuVisibility, Fail, since "0.1.0", judged on [Environment, Gpus];
}

const VARIABLE: &str = "CUDA_VISIBLE_DEVICES";

/// Whether the variable hides every GPU, however many there are.
pub fn hides_any(context: &Context<'_>) -> bool {
    let value = context.facts.system.environment.get(VARIABLE);
    value.is_some_and(|value| visible::seen(value, usize::MAX, None).count() == 0)
}

/// `CUDA_VISIBLE_DEVICES` hides what follows the first entry that names no GPU, and everything where it is empty. `count`
/// is 0 where nobody knows how many GPUs there are.
pub fn check(context: &Context<'_>, count: usize) -> Option<Finding> {
    let value = context.facts.system.environment.get(VARIABLE)?;
    let seen = visible::seen(value, count, context.facts.visibility.named.value().map(Vec::as_slice));
    let (stop, after) = seen.stop.clone()?;
    let all_hidden = seen.count() == 0;
    let title = match &stop {
        _ if value.trim().is_empty() => "`CUDA_VISIBLE_DEVICES` is empty, which hides every GPU from CUDA".to_owned(),
        Stop::Repeated(entry) => format!("`CUDA_VISIBLE_DEVICES={value}` names `{entry}` twice, and hides every GPU"),
        _ if all_hidden => format!("`CUDA_VISIBLE_DEVICES={value}` hides every GPU from CUDA"),
        stop if after => format!("`CUDA_VISIBLE_DEVICES={value}` hides what follows {}", stop.why()),
        stop => format!("`CUDA_VISIBLE_DEVICES={value}` ends with {}", stop.why()),
    };
    let machine = text::count(count, "GPU", "GPUs");
    let visible = if seen.count() == 1 { "1 is visible".to_owned() } else { format!("{} are visible", seen.count()) };
    let rule = match &stop {
        Stop::Repeated(_) => "CUDA takes no list that names a device twice",
        _ => "CUDA reads the entries from the left and stops at the first that is not valid",
    };
    Some(
        CUDA_VISIBLE_DEVICES
            .found(&[], title)
            .severity(if all_hidden { Severity::Fail } else { Severity::Warn })
            .message(match count {
                0 => format!("{rule}."),
                _ => format!("{rule}. This machine has {machine}, so {visible}."),
            })
            .evidence([Evidence::host(
                VARIABLE.to_owned(),
                if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") },
            )
            .required(match count {
                0 | 1 => "index 0, or the GPU's UUID".to_owned(),
                count => format!("indices from 0 to {}, or UUIDs, each once", count - 1),
            })
            .cited("environment".to_owned())])
            .remedies([Remedy {
                change: Some(Change::Unset(VARIABLE.to_owned())),
                ..Remedy::new("Unset the variable, or name GPUs that exist", Step::fixed("unset CUDA_VISIBLE_DEVICES"))
            }])
            .references([visible::GUIDE.to_owned()]),
    )
}

#[cfg(test)]
mod tests {
    use super::{CUDA_VISIBLE_DEVICES, VARIABLE};
    use crate::check::cases::Case;

    #[test]
    fn an_index_that_is_not_there_and_one_that_is() {
        let with = |value: &str| {
            let case = Case::host().gpu("NVIDIA H100 80GB HBM3", "9.0").driver("570.86.15");
            let set = |facts: &mut crate::facts::Facts| {
                facts.system.environment.insert(VARIABLE.to_owned(), value.to_owned());
            };
            case.with(set).found(&CUDA_VISIBLE_DEVICES)
        };
        let title = "`CUDA_VISIBLE_DEVICES=1` hides every GPU from CUDA";
        assert_eq!(with("1"), [format!("gpu-visibility/cuda-visible-devices: {title}")]);
        assert_eq!(with("0"), [""; 0]);
    }
}
