//! Does CUDA itself answer what the facts say it will? Only where it was asked (`--cuda-init`).

use super::device_nodes;
use super::visible::{self, Stop};
use crate::check::Context;
use crate::check::system::fabric;
use crate::facts::{CudaAnswer, Gpu, Reading};
use crate::finding::{Evidence, Finding, Severity, rule};
use crate::rules::driver::{CompatFault, compat_fault};
use crate::rules::schema::CudaStop;
use crate::text;

rule! {
    /// CUDA's own answer on this machine.
    ///
    /// libcuda is asked once whether it starts (`cuInit`), and its error number is compared with what the facts let
    /// expect. Known from the call itself, made in a child process. Where CUDA and gpudoc disagree, CUDA is right:
    /// please report it.
    pub CUDA_INIT = "gpu-visibility/cuda-init": GpuVisibility, Warn, since "0.1.0", judged on [Driver, Gpus, Loader];
}

/// What CUDA should answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expected {
    /// It starts and counts so many devices.
    Devices(usize),
    /// `cuInit` returns one of these numbers of cuda.h, for this reason.
    Error(Vec<u32>, String),
}

/// Says what CUDA answered, and whether that was foreseen.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let answer = match &context.facts.visibility.cuda {
        Reading::Known { value, .. } => value,
        Reading::Unreadable { error } => {
            return Some(finding(
                Severity::Warn,
                format!("CUDA gave no answer: {error}"),
                "Nothing of CUDA's own is known beyond this.".to_owned(),
                "no answer".to_owned(),
                None,
            ));
        }
        Reading::Absent { .. } | Reading::Unknown | Reading::Partly { .. } => return None,
    };
    let expected = expected(context);
    let (agrees, foreseen) = match &expected {
        Expected::Devices(count) => (
            answer.devices.is_some_and(|devices| usize::try_from(devices) == Ok(*count)),
            format!("{} visible", text::count(*count, "device", "devices")),
        ),
        Expected::Error(numbers, why) => {
            let list: Vec<_> = numbers.iter().map(u32::to_string).collect();
            (numbers.contains(&answer.error), format!("error {}: {why}", list.join(" or ")))
        }
    };
    let said = words(answer);
    let severity = match (agrees, answer.error) {
        (true, _) => Severity::Info,
        (false, 0) => Severity::Warn,
        (false, _) => Severity::Fail,
    };
    let (title, message) = if agrees {
        (format!("CUDA's own answer agrees: {said}"), format!("Foreseen from the facts: {foreseen}."))
    } else {
        (
            format!("CUDA's own answer is not what the facts foretell: {said}"),
            format!("Foreseen: {foreseen}. What CUDA says is so; what gpudoc missed deserves a report."),
        )
    };
    Some(finding(severity, title, message, said, Some(foreseen)))
}

/// E.g. `cuInit ends with error 803 (CUDA_ERROR_SYSTEM_DRIVER_MISMATCH)`.
fn words(answer: &CudaAnswer) -> String {
    match (&answer.name, answer.devices) {
        (_, Some(devices)) => {
            let count = usize::try_from(devices).unwrap_or(usize::MAX);
            format!("it starts and counts {}", text::count(count, "device", "devices"))
        }
        (Some(name), None) => format!("it ends with error {} ({name})", answer.error),
        (None, None) => format!("it ends with error {}", answer.error),
    }
}

fn expected(context: &Context<'_>) -> Expected {
    let facts = context.facts;
    let error = |stops: &[CudaStop], why: &str| {
        Expected::Error(
            stops.iter().map(|stop| context.db.tables().cuda_errors.number(*stop)).collect(),
            why.to_owned(),
        )
    };
    let Some(kernel) = facts.driver.version.value() else { return error(&[CudaStop::NoDevice], "no driver is loaded") };
    let libcuda = facts.loader.libcuda.value();
    if libcuda.is_some_and(|library| library.stub) {
        return error(&[CudaStop::StubLibrary], "the toolkit's stub is in front of the driver's libcuda");
    }
    match compat_fault(&context.target, context.db) {
        Some(CompatFault::OlderThanDriver) => {
            return error(&[CudaStop::DriverMismatch], "the cuda-compat libcuda is older than the driver");
        }
        Some(CompatFault::WrongGpu(..)) => {
            return error(&[CudaStop::CompatNotOnDevice], "forward compatibility is not for this GPU");
        }
        Some(CompatFault::Refused(..)) => {
            return error(
                &[CudaStop::DriverMismatch, CudaStop::CompatNotOnDevice],
                "cuda-compat refuses this driver branch",
            );
        }
        None => {}
    }
    let differs = libcuda
        .filter(|library| !library.compat)
        .and_then(|library| library.version.value())
        .is_some_and(|own| own != kernel);
    if differs {
        return error(&[CudaStop::DriverMismatch, CudaStop::CompatNotOnDevice], "libcuda and the kernel module differ");
    }
    if device_nodes::check(context).is_some_and(|finding| finding.severity == Severity::Fail) {
        return error(&[CudaStop::NoDevice], "the device files are not to be had");
    }
    if !fabric::outside(context).is_empty() {
        return error(&[CudaStop::SystemNotReady], "the NVLink fabric is not up");
    }
    let gpus = facts.gpus.value().map_or(0, |gpus| devices(gpus));
    let Some(value) = facts.system.environment.get("CUDA_VISIBLE_DEVICES") else {
        return if gpus == 0 { error(&[CudaStop::NoDevice], "there is no GPU") } else { Expected::Devices(gpus) };
    };
    let seen = visible::seen(value, gpus, facts.visibility.named.value().map(Vec::as_slice));
    match (seen.count(), seen.stop) {
        (0, Some((Stop::Repeated(_), _))) => error(&[CudaStop::InvalidDevice], "a device is named twice"),
        (0, _) => error(&[CudaStop::NoDevice], "no GPU is visible"),
        (count, _) => Expected::Devices(count),
    }
}

/// How many devices CUDA makes of these GPUs. Of GPUs in MIG mode it shows a process one instance, of whatever number.
fn devices(gpus: &[Gpu]) -> usize {
    let (split, whole): (Vec<&Gpu>, Vec<&Gpu>) = gpus.iter().partition(|gpu| gpu.mig.value() == Some(&true));
    let has_instance = |gpu: &&Gpu| gpu.state.value().is_none_or(|state| !state.instances.is_empty());
    match whole.len() {
        0 => usize::from(split.iter().any(has_instance)),
        whole => whole,
    }
}

fn finding(severity: Severity, title: String, message: String, observed: String, required: Option<String>) -> Finding {
    CUDA_INIT
        .found(&[], title)
        .severity(severity)
        .message(message)
        .evidence([Evidence::host("CUDA", observed).required(required).cited("cuInit, cuDeviceGetCount".to_owned())])
}

#[cfg(test)]
mod tests {
    use super::{CUDA_INIT, CudaAnswer, Reading};
    use crate::check::cases::Case;

    #[test]
    fn an_answer_as_foreseen_one_that_is_not_and_none_where_nobody_asked() {
        let with = |answer: Reading<CudaAnswer>| {
            let case = Case::host().gpu("NVIDIA H100 80GB HBM3", "9.0").driver("570.86.15");
            case.with(|facts| facts.visibility.cuda = answer).found(&CUDA_INIT)
        };
        let said = |error, devices| Reading::host(CudaAnswer { error, name: None, devices }, "the test");
        let agrees = "gpu-visibility/cuda-init: CUDA's own answer agrees: it starts and counts 1 device";
        assert_eq!(with(said(0, Some(1))), [agrees]);
        let other = "CUDA's own answer is not what the facts foretell: it ends with error 802";
        assert_eq!(with(said(802, None)), [format!("gpu-visibility/cuda-init: {other}")]);
        assert_eq!(with(Reading::Unknown), [""; 0]);
    }

    /// The probe tells a stub by the number alone, and may not read the rules.
    #[test]
    fn the_probe_and_the_rules_know_a_stub_by_one_number() {
        let number = crate::rules::embedded().tables().cuda_errors.number(crate::rules::schema::CudaStop::StubLibrary);
        assert_eq!(number, crate::facts::LibCuda::STUB_ERROR);
    }
}
