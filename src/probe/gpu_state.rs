//! How a GPU is set up and how it fares, asked through NVML.
//!
//! Each question stands by itself: what this GPU, driver or library does not answer is left out of [`GpuState`].

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device as wrapped;
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::sys_exports::field_id::{NVML_FI_DEV_REMAPPED_FAILURE, NVML_FI_DEV_REMAPPED_PENDING};
use nvml_wrapper::{Device, Nvml as Library};
use nvml_wrapper_sys::bindings as sys;

use crate::facts::{
    ComputeMode, ConfidentialComputing, Fabric, GpuProcess, GpuState, MigInstance, NvLinks, RemappedRows, Slowdown,
    Virtualization,
};

/// More NVLinks no GPU has: `NVML_NVLINK_MAX_LINKS` of nvml.h.
const MAX_LINKS: u32 = 18;
/// So many processes are told.
const MAX_PROCESSES: usize = 16;

/// Asks for all of it.
#[must_use]
pub fn ask(nvml: &Library, device: &Device<'_>) -> GpuState {
    let mig = device.mig_mode().is_ok_and(|mode| mode.current == 1);
    GpuState {
        persistence: device.is_in_persistent_mode().ok(),
        compute_mode: device.compute_mode().ok().and_then(compute_mode),
        virtualization: device.virtualization_mode().ok().map(virtualization),
        ecc: device.is_ecc_enabled().ok().map(|state| state.currently_enabled),
        uncorrected: device.total_ecc_errors(wrapped::MemoryError::Uncorrected, wrapped::EccCounter::Volatile).ok(),
        retirement_pending: device.are_pages_pending_retired().ok(),
        rows: rows(device),
        slowed_by: device.current_throttle_reasons().map(slowed_by).unwrap_or_default(),
        used_bytes: device.memory_info().ok().map(|memory| memory.used),
        processes: processes(nvml, device),
        nvlinks: nvlinks(device),
        fabric: fabric(nvml, device),
        instances: if mig { instances(device) } else { Vec::new() },
    }
}

fn compute_mode(mode: wrapped::ComputeMode) -> Option<ComputeMode> {
    match mode {
        wrapped::ComputeMode::Default => Some(ComputeMode::Default),
        wrapped::ComputeMode::ExclusiveProcess => Some(ComputeMode::ExclusiveProcess),
        wrapped::ComputeMode::Prohibited => Some(ComputeMode::Prohibited),
        // Its support was removed long ago.
        wrapped::ComputeMode::ExclusiveThread => None,
    }
}

fn virtualization(mode: wrapped::GpuVirtualizationMode) -> Virtualization {
    match mode {
        wrapped::GpuVirtualizationMode::Bare => Virtualization::None,
        wrapped::GpuVirtualizationMode::PassThrough => Virtualization::Passthrough,
        wrapped::GpuVirtualizationMode::Vgpu => Virtualization::Vgpu,
        wrapped::GpuVirtualizationMode::HostVgpu | wrapped::GpuVirtualizationMode::HostVsga => Virtualization::Host,
    }
}

fn rows(device: &Device<'_>) -> Option<RemappedRows> {
    let asked = [FieldId(NVML_FI_DEV_REMAPPED_PENDING), FieldId(NVML_FI_DEV_REMAPPED_FAILURE)];
    let mut answers = device.field_values_for(&asked).ok()?.into_iter().map(|sample| {
        let value = sample.ok()?.value.ok()?;
        Some(match value {
            nvml_wrapper::enums::device::SampleValue::U32(number) => number != 0,
            nvml_wrapper::enums::device::SampleValue::U64(number) => number != 0,
            nvml_wrapper::enums::device::SampleValue::I64(number) => number != 0,
            nvml_wrapper::enums::device::SampleValue::F64(number) => number != 0.0,
        })
    });
    Some(RemappedRows { pending: answers.next()??, failed: answers.next()?? })
}

fn slowed_by(reasons: ThrottleReasons) -> Vec<Slowdown> {
    let known = [
        (ThrottleReasons::HW_THERMAL_SLOWDOWN, Slowdown::HardwareThermal),
        (ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN, Slowdown::PowerBrake),
        (ThrottleReasons::HW_SLOWDOWN, Slowdown::Hardware),
        (ThrottleReasons::SW_THERMAL_SLOWDOWN, Slowdown::SoftwareThermal),
    ];
    let mut found: Vec<_> =
        known.into_iter().filter(|(flag, _)| reasons.contains(*flag)).map(|(_, slowdown)| slowdown).collect();
    // The general reason says nothing beside its cause.
    if found.len() > 1 {
        found.retain(|slowdown| *slowdown != Slowdown::Hardware);
    }
    found
}

fn processes(nvml: &Library, device: &Device<'_>) -> Vec<GpuProcess> {
    let mut found: Vec<GpuProcess> = device
        .running_compute_processes()
        .unwrap_or_default()
        .into_iter()
        .take(MAX_PROCESSES)
        .map(|process| GpuProcess {
            name: nvml.sys_process_name(process.pid, 256).ok().and_then(|name| program(&name)),
            bytes: match process.used_gpu_memory {
                UsedGpuMemory::Used(bytes) => Some(bytes),
                UsedGpuMemory::Unavailable => None,
            },
        })
        .collect();
    found.sort_by(|one, other| other.bytes.cmp(&one.bytes).then_with(|| one.name.cmp(&other.name)));
    found
}

/// `python3` of `/opt/venv/bin/python3 train.py`: what follows may tell anything.
fn program(command: &str) -> Option<String> {
    let first = command.split_whitespace().next()?;
    let name = first.rsplit('/').next()?;
    (!name.is_empty() && !name.starts_with('[')).then(|| name.to_owned())
}

fn nvlinks(device: &Device<'_>) -> Option<NvLinks> {
    let mut links = NvLinks::default();
    for link in 0..MAX_LINKS {
        let Ok(active) = device.link_wrapper_for(link).is_active() else { break };
        links.all += 1;
        links.active += u32::from(active);
    }
    (links.all > 0).then_some(links)
}

fn instances(device: &Device<'_>) -> Vec<MigInstance> {
    (0..device.mig_device_count().unwrap_or(0))
        .filter_map(|index| device.mig_device_by_index(index).ok())
        .map(|instance| MigInstance { memory_bytes: instance.memory_info().ok().map(|memory| memory.total) })
        .collect()
}

/// `nvmlDeviceGetGpuFabricInfoV`, in the second version of its structure, which came with driver 535.
///
/// The wrapper has no function for it.
#[expect(unsafe_code, reason = "a function of NVML that its wrapper lacks, called as nvml.h declares it")]
fn fabric(nvml: &Library, device: &Device<'_>) -> Option<Fabric> {
    let ask = nvml.lib().nvmlDeviceGetGpuFabricInfoV.as_ref().ok()?;
    let version = u32::try_from(size_of::<sys::nvmlGpuFabricInfo_v2_t>()).ok()? | 2 << 24;
    let mut info =
        sys::nvmlGpuFabricInfo_v2_t { version, clusterUuid: [0; 16], status: 0, cliqueId: 0, state: 0, healthMask: 0 };
    // SAFETY: the handle is of this library, which is loaded, and the structure is one that its version names.
    let answer = unsafe { ask(device.handle(), (&raw mut info).cast()) };
    match (answer, u32::from(info.state), info.status) {
        (0, sys::NVML_GPU_FABRIC_STATE_NOT_STARTED, _) => Some(Fabric::NotStarted),
        (0, sys::NVML_GPU_FABRIC_STATE_IN_PROGRESS, _) => Some(Fabric::InProgress),
        (0, sys::NVML_GPU_FABRIC_STATE_COMPLETED, 0) => Some(Fabric::Completed),
        (0, sys::NVML_GPU_FABRIC_STATE_COMPLETED, error) => Some(Fabric::Failed(error)),
        _ => None,
    }
}

/// Whether confidential computing is on, and whether the GPUs take work.
#[must_use]
#[expect(unsafe_code, reason = "a function of NVML that its wrapper lacks, called as nvml.h declares it")]
pub fn confidential(nvml: &Library) -> Option<ConfidentialComputing> {
    let lib = nvml.lib();
    let (state_of, ready_of) =
        (lib.nvmlSystemGetConfComputeState.as_ref().ok()?, lib.nvmlSystemGetConfComputeGpusReadyState.as_ref().ok()?);
    let mut state = sys::nvmlConfComputeSystemState_t { environment: 0, ccFeature: 0, devToolsMode: 0 };
    let mut ready = 0;
    // SAFETY: both fill in what they are given, and the library is loaded.
    let answers = unsafe { (state_of(&raw mut state), ready_of(&raw mut ready)) };
    (answers.0 == 0).then_some(ConfidentialComputing {
        enabled: state.ccFeature == sys::NVML_CC_SYSTEM_FEATURE_ENABLED,
        ready: answers.1 == 0 && ready == sys::NVML_CC_ACCEPTING_CLIENT_REQUESTS_TRUE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_command_only_the_program_is_told() {
        assert_eq!(program("/home/alice/venv/bin/python3 train.py --key x"), Some("python3".to_owned()));
        assert_eq!(program("python"), Some("python".to_owned()));
        assert_eq!(program("[Not Found]"), None);
        assert_eq!(program(""), None);
    }

    #[test]
    fn the_general_reason_gives_way_to_its_cause() {
        let both = ThrottleReasons::HW_SLOWDOWN | ThrottleReasons::HW_THERMAL_SLOWDOWN | ThrottleReasons::GPU_IDLE;
        assert_eq!(slowed_by(both), [Slowdown::HardwareThermal]);
        assert_eq!(slowed_by(ThrottleReasons::HW_SLOWDOWN), [Slowdown::Hardware]);
        assert_eq!(slowed_by(ThrottleReasons::SW_POWER_CAP), []);
    }
}
