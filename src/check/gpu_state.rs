//! Are the GPUs in a state to work: fabric, compute mode, MIG, memory, heat, who else is on them?
//!
//! What NVML tells of each GPU is compared with what NVIDIA's guides say of it. GPUs in the same state share a finding.

use super::Context;
use crate::facts::{ComputeMode, Fabric, Gpu, GpuState, Slowdown, Virtualization};
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::rules::schema::GpuClass;
use crate::step::Step;
use crate::text;

rule! {
    /// GPUs are not registered with the NVLink fabric.
    ///
    /// On an NVSwitch machine CUDA starts only after the fabric manager has registered the GPUs; until then it ends
    /// with error 802. Known from NVML. Run the fabric manager of the driver's version on the host.
    pub FABRIC = "system/fabric": System, Fail, since "0.1.0", judged on [GpuState];
}

rule! {
    /// Confidential computing is on and the GPUs do not accept work.
    ///
    /// They accept work once they were attested and set ready. Known from NVML. Attest them, then set the ready state.
    pub CONFIDENTIAL_COMPUTING = "system/confidential-computing": System, Fail, since "0.1.0", judged on [GpuState];
}

rule! {
    /// A GPU is in MIG mode without an instance.
    ///
    /// In MIG mode a GPU is used through its instances only. Known from NVML. Create an instance, give the container
    /// one, or turn MIG mode off.
    pub MIG_EMPTY = "gpu-visibility/mig": GpuVisibility, Fail, since "0.1.0", judged on [GpuState];
}

rule! {
    /// A GPU is split by MIG.
    ///
    /// CUDA shows a process one instance: the first, or the one that CUDA_VISIBLE_DEVICES names. Known from NVML. Name
    /// the instance to use.
    pub MIG_SPLIT = "gpu-visibility/mig": GpuVisibility, Info, since "0.1.0", judged on [GpuState];
}

rule! {
    /// A GPU is in compute mode Prohibited.
    ///
    /// No program may use it: `all CUDA-capable devices are busy or unavailable`. Known from NVML. Set the mode to
    /// Default.
    pub PROHIBITED = "system/compute-mode": System, Fail, since "0.1.0", judged on [GpuState];
}

rule! {
    /// A GPU takes one process at a time and already has one.
    ///
    /// The next program ends with `all CUDA-capable devices are busy or unavailable`. Known from NVML. Set the mode to
    /// Default, or end the other process.
    pub EXCLUSIVE = "system/compute-mode": System, Warn, since "0.1.0", judged on [GpuState];
}

rule! {
    /// GPU memory has failed and no spare row is left.
    ///
    /// Known from NVML's row remapper. Run NVIDIA's field diagnostic and ask the vendor for a replacement.
    pub REMAP_FAILED = "system/gpu-memory-errors": System, Warn, since "0.1.0", judged on [GpuState];
}

rule! {
    /// A GPU had memory errors that could not be corrected.
    ///
    /// They end the programs that meet them. Known from NVML's counters since the driver was loaded. Reset the GPU when
    /// it is idle, and watch the counter.
    pub UNCORRECTED = "system/gpu-memory-errors": System, Warn, since "0.1.0", judged on [GpuState];
}

rule! {
    /// A GPU waits for a reset to replace damaged memory.
    ///
    /// Work goes on until then. Known from NVML. Reset the GPU when it is idle.
    pub REMAP_PENDING = "system/gpu-memory-errors": System, Info, since "0.1.0", judged on [GpuState];
}

rule! {
    /// A GPU runs below its clocks.
    ///
    /// Heat or the power supply holds the clocks down; results stay correct but take longer. Known from NVML at the
    /// moment of the check. Look at cooling and power.
    pub SLOW_GPU = "system/slow-gpu": System, Warn, since "0.1.0", judged on [GpuState];
}

rule! {
    /// Most of a GPU's memory is in use already.
    ///
    /// What starts now gets the rest, and `CUDA out of memory` beyond that. Known from NVML. See whether the programs
    /// that hold it are still wanted.
    pub GPU_MEMORY = "system/gpu-memory": System, Warn, since "0.1.0", judged on [GpuState];
}

rule! {
    /// Some NVLinks of a GPU are down.
    ///
    /// Traffic between GPUs may be slower than it could be. Known from NVML. Look at the links and their errors.
    pub NVLINK = "system/nvlink": System, Info, since "0.1.0", judged on [GpuState];
}

rule! {
    /// Persistence mode is off on a server's GPU.
    ///
    /// The driver lets go of an idle GPU, and the next program waits for it. Known from NVML. Run NVIDIA's persistence
    /// daemon.
    pub PERSISTENCE = "system/persistence": System, Info, since "0.1.0", judged on [GpuState, System];
}

/// What a row of memory that waits, and one without a spare, mean; read on 2026-11-21.
const MEMORY_GUIDE: &str =
    "https://docs.nvidia.com/deploy/a100-gpu-mem-error-mgmt/error-recovery-and-response-flags.html";
/// Read on 2026-11-21.
const PERSISTENCE_GUIDE: &str = "https://docs.nvidia.com/deploy/driver-persistence/overview.html";
/// In percent: beyond this a program that needs the GPU will not find room, and from that on it is worth a word.
const FULL: u64 = 90;
const BUSY: u64 = 50;

/// Judges every GPU whose state is known.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let fabric = outside_fabric(context);
    let mut findings: Vec<Finding> =
        (!fabric.is_empty()).then(|| not_registered(context, &fabric)).into_iter().collect();
    findings.extend(not_attested(context));
    findings.extend(shares(context));
    findings.extend(modes(context));
    findings.extend(memory_errors(context));
    findings.extend(slow(context));
    findings.extend(occupied(context));
    findings.extend(links(context));
    findings.extend(not_persistent(context));
    findings
}

/// The GPUs about which there is something to say.
fn those<'a, T>(context: &Context<'a>, say: impl Fn(&'a Gpu, &'a GpuState) -> Option<T>) -> Vec<(&'a Gpu, T)> {
    let gpus = context.facts.gpus.value().map_or(&[][..], Vec::as_slice);
    gpus.iter().filter_map(|gpu| Some((gpu, say(gpu, gpu.state.value()?)?))).collect()
}

/// `GPU 0 NVIDIA H100 PCIe`, `GPUs 0 and 3`, `8 GPUs`.
fn names<T>(found: &[(&Gpu, T)]) -> String {
    match found {
        [(gpu, _)] => gpu.label(),
        few if few.len() <= 4 => {
            format!("GPUs {}", text::list(&few.iter().map(|(gpu, _)| gpu.index.to_string()).collect::<Vec<_>>()))
        }
        more => text::count(more.len(), "GPU", "GPUs"),
    }
}

fn is<T>(found: &[(&Gpu, T)], one: &'static str, many: &'static str) -> &'static str {
    if found.len() == 1 { one } else { many }
}

/// A finding about those GPUs, with what NVML said of each.
fn on<T>(
    finding: Finding,
    found: &[(&Gpu, T)],
    fact: &str,
    observed: impl Fn(&T) -> String,
    required: &str,
) -> Finding {
    let required = Some(required).filter(|text| !text.is_empty());
    let said = |(gpu, value): &(&Gpu, T)| {
        Evidence::host(format!("{fact}, GPU {}", gpu.index), observed(value))
            .required(required.map(str::to_owned))
            .cited(gpu.state.source().map(|source| source.place().to_owned()))
    };
    finding.gpus(found.iter().map(|(gpu, _)| gpu.index)).evidence(found.iter().map(said))
}

/// GPUs of an NVSwitch machine that the fabric manager has not registered: CUDA starts on none.
pub fn outside_fabric<'a>(context: &Context<'a>) -> Vec<(&'a Gpu, Fabric)> {
    those(context, |_, state| state.fabric.filter(|fabric| *fabric != Fabric::Completed))
}

fn not_registered(context: &Context<'_>, found: &[(&Gpu, Fabric)]) -> Finding {
    let words = |fabric: &Fabric| match fabric {
        Fabric::NotStarted => "not started".to_owned(),
        Fabric::InProgress => "in progress".to_owned(),
        Fabric::Completed => "completed".to_owned(),
        Fabric::Failed(error) => format!("failed with NVML error {error}"),
    };
    let driver = context.facts.driver.version.value().map_or(String::new(), |driver| format!(", {driver},"));
    on(FABRIC.found(&[], format!("{} {} not registered with the NVLink fabric", names(found), is(found, "is", "are"))).message("On a machine with NVSwitch CUDA starts only after the fabric manager has registered the GPUs. Until then it \
                  ends with error 802, `system not yet initialized`, although nvidia-smi lists the GPUs.").packages(["nvidia-fabricmanager"]).remedies([Remedy::new(format!("Run the fabric manager of the driver's version{driver} on the host"), Step::fixed("sudo systemctl enable --now nvidia-fabricmanager && systemctl status nvidia-fabricmanager"))]).references(["https://docs.nvidia.com/datacenter/tesla/fabric-manager-user-guide", "https://github.com/pytorch/pytorch/issues/35710"]), found, "fabric state", words, "completed")
}

/// Confidential computing is on, and nobody has told the GPUs to take work.
fn not_attested(context: &Context<'_>) -> Option<Finding> {
    let reading = &context.facts.driver.confidential;
    let state = reading.value()?;
    (state.enabled && !state.ready).then(|| {
        CONFIDENTIAL_COMPUTING
            .found(&[], "confidential computing is on, and the GPUs are not set to take work")
            .message(
                "They do so once they were attested and their ready state was set; until then CUDA does not start.",
            )
            .packages(["nvidia-driver"])
            .evidence([Evidence::host("GPUs' ready state", "not ready")
                .required("ready".to_owned())
                .cited(reading.source().map(|source| source.place().to_owned()))])
            .remedies([Remedy::new(
                "Attest the GPUs, then set their ready state",
                Step::fixed("sudo nvidia-smi conf-compute -srs 1"),
            )])
            .references(["https://github.com/NVIDIA/nvtrust/issues/56"])
    })
}

/// GPUs in multi-instance mode: without an instance CUDA has nothing to run on, of several it shows a process one.
fn shares(context: &Context<'_>) -> Vec<Finding> {
    let mig = |gpu: &Gpu| gpu.mig.value() == Some(&true);
    let empty = those(context, |gpu, state| (mig(gpu) && state.instances.is_empty()).then_some(()));
    let split = those(context, |gpu, state| (mig(gpu) && state.instances.len() > 1).then_some(state));
    let mut findings = Vec::new();
    if !empty.is_empty() {
        findings.push(on(MIG_EMPTY.found(&[], format!("{} {} in MIG mode without an instance", names(&empty), is(&empty, "is", "are"))).message("In MIG mode a GPU is used through its instances only, and here is none that this machine or container may \
                      see.").remedies([Remedy::new("Create an instance, give the container one, or turn MIG mode off", Step::fixed("sudo nvidia-smi mig -lgip").into_iter().chain(Step::fixed("sudo nvidia-smi mig -cgi <profile> -C")))]).references(["https://github.com/rossumai/nvgpu/pull/32"]), &empty, "MIG instances", |()| "none".to_owned(), "one"));
    }
    if !split.is_empty() {
        let sizes = |state: &&GpuState| {
            let sizes: Vec<_> = state.instances.iter().filter_map(|one| one.memory_bytes).map(text::bytes).collect();
            format!("{}: {}", text::count(state.instances.len(), "instance", "instances"), text::list(&sizes))
        };
        findings.push(on(MIG_SPLIT.found(&[], format!("{} {} split by MIG: a process sees one instance", names(&split), is(&split, "is", "are"))).message("However many there are, CUDA shows a process the first, or the one that CUDA_VISIBLE_DEVICES names by its \
                      UUID. Training over several of them is not possible.").remedies([Remedy::new("Name the instance to use", Step::fixed("nvidia-smi -L").into_iter().chain(Step::fixed("export CUDA_VISIBLE_DEVICES=MIG-…")))]).references(["https://github.com/pytorch/pytorch/issues/130181"]), &split, "MIG", sizes, ""));
    }
    findings
}

/// GPUs that nobody, or only one process, may use.
fn modes(context: &Context<'_>) -> Vec<Finding> {
    let closed = those(context, |_, state| (state.compute_mode == Some(ComputeMode::Prohibited)).then_some(()));
    let taken = those(context, |_, state| {
        let first = state.processes.first()?;
        (state.compute_mode == Some(ComputeMode::ExclusiveProcess)).then_some(first)
    });
    let back = Remedy::new("Let several processes use the GPU", Step::fixed("sudo nvidia-smi -c DEFAULT"));
    let reference = "https://docs.rs/nvml-wrapper/0.13.0/nvml_wrapper/enum_wrappers/device/enum.ComputeMode.html";
    let mut findings = Vec::new();
    if !closed.is_empty() {
        findings.push(on(
            PROHIBITED
                .found(&[], format!("{} {} in compute mode Prohibited", names(&closed), is(&closed, "is", "are")))
                .message("No program may create a context on it: `all CUDA-capable devices are busy or unavailable`.")
                .remedies([back.clone()])
                .references([reference.to_owned()]),
            &closed,
            "compute mode",
            |()| "Prohibited".to_owned(),
            "Default",
        ));
    }
    if !taken.is_empty() {
        let by = |process: &&crate::facts::GpuProcess| {
            format!("Exclusive_Process, held by {}", process.name.as_deref().unwrap_or("a process"))
        };
        findings.push(on(
            EXCLUSIVE
                .found(
                    &[],
                    format!("{} {} one process at a time, and has one", names(&taken), is(&taken, "takes", "take")),
                )
                .message("The next program ends with `all CUDA-capable devices are busy or unavailable`.")
                .remedies([back])
                .references([reference.to_owned()]),
            &taken,
            "compute mode",
            by,
            "Default",
        ));
    }
    findings
}

/// Memory that failed, and what is done about it.
fn memory_errors(context: &Context<'_>) -> Vec<Finding> {
    let worn = those(context, |_, state| state.rows.filter(|rows| rows.failed).map(|_| ()));
    let errors = those(context, |_, state| state.uncorrected.filter(|errors| *errors > 0));
    let waits = those(context, |_, state| {
        (state.rows.is_some_and(|rows| rows.pending) || state.retirement_pending == Some(true)).then_some(())
    });
    let look = || Step::fixed("nvidia-smi -q -d ECC,ROW_REMAPPER,PAGE_RETIREMENT");
    let mut findings = Vec::new();
    if !worn.is_empty() {
        findings.push(on(
            REMAP_FAILED
                .found(&[], format!("memory of {} failed, and no spare row was left for it", names(&worn)))
                .message("Where a row could not be replaced the GPU is a case for its vendor.")
                .remedies([Remedy::new("Run NVIDIA's field diagnostic and ask for a replacement", look())])
                .references([MEMORY_GUIDE.to_owned()]),
            &worn,
            "remapped rows",
            |()| "remapping failed".to_owned(),
            "no failure",
        ));
    }
    if !errors.is_empty() {
        findings.push(on(
            UNCORRECTED
                .found(&[], format!("{} had memory errors that could not be corrected", names(&errors)))
                .message("They end the programs that they meet. The counter starts at zero when the driver is loaded.")
                .remedies([Remedy::new("Reset the GPU when nothing uses it, and watch the counter", look())])
                .references([MEMORY_GUIDE.to_owned()]),
            &errors,
            "uncorrected errors",
            |errors: &u64| errors.to_string(),
            "0",
        ));
    } else if !waits.is_empty() {
        findings.push(on(
            REMAP_PENDING
                .found(
                    &[],
                    format!("{} {} for a reset to replace damaged memory", names(&waits), is(&waits, "waits", "wait")),
                )
                .message("Until then work goes on as before.")
                .remedies([Remedy::new("Reset the GPU when nothing uses it", Step::fixed("sudo nvidia-smi -r"))])
                .references([MEMORY_GUIDE.to_owned()]),
            &waits,
            "memory",
            |()| "replacement pending".to_owned(),
            "",
        ));
    }
    findings
}

/// GPUs whose clocks are held down by heat or by their power supply.
fn slow(context: &Context<'_>) -> Option<Finding> {
    let found = those(context, |_, state| (!state.slowed_by.is_empty()).then_some(&state.slowed_by));
    let hard = found.iter().any(|(_, reasons)| reasons.iter().any(|reason| *reason != Slowdown::SoftwareThermal));
    let words = |reasons: &&Vec<Slowdown>| {
        let words: Vec<_> = reasons
            .iter()
            .map(|reason| match reason {
                Slowdown::HardwareThermal => "HW Thermal Slowdown",
                Slowdown::PowerBrake => "HW Power Brake Slowdown",
                Slowdown::Hardware => "HW Slowdown",
                Slowdown::SoftwareThermal => "SW Thermal Slowdown",
            })
            .collect();
        text::list(&words)
    };
    (!found.is_empty()).then(|| on(SLOW_GPU.found(&[], format!("{} {} slowed down at this moment", names(&found), is(&found, "is", "are"))).severity(if hard { Severity::Warn } else { Severity::Info }).message(if hard {
            "The hardware lowers the clocks, for heat or because the power supply asks for it. Results are right, and late."
        } else {
            "The driver lowers the clocks to keep the GPU cool. Results are right, and late."
        }
        .to_owned()).remedies([Remedy::new("Look at cooling and power", Step::fixed("nvidia-smi -q -d PERFORMANCE,TEMPERATURE,POWER"))]).references(["https://docs.rs/nvml-wrapper/0.13.0/nvml_wrapper/bitmasks/device/struct.ThrottleReasons.html"]), &found, "clocks", words, ""))
}

/// GPUs whose memory others hold.
fn occupied(context: &Context<'_>) -> Option<Finding> {
    let share = |gpu: &Gpu, state: &GpuState| {
        let (used, all) = (state.used_bytes?, *gpu.memory_bytes.value()?);
        used.checked_mul(100)?.checked_div(all)
    };
    let found = those(context, |gpu, state| share(gpu, state).filter(|percent| *percent >= BUSY).map(|_| (gpu, state)));
    let full = found.iter().any(|(gpu, (_, state))| share(gpu, state).is_some_and(|percent| percent >= FULL));
    let words = |(gpu, state): &(&Gpu, &GpuState)| {
        let (used, all) = (state.used_bytes.unwrap_or_default(), gpu.memory_bytes.value().copied().unwrap_or_default());
        let by: Vec<_> = state
            .processes
            .iter()
            .map(|process| {
                let name = process.name.as_deref().unwrap_or("a process");
                process.bytes.map_or_else(|| name.to_owned(), |bytes| format!("{name} ({})", text::bytes(bytes)))
            })
            .collect();
        let by = if by.is_empty() { "programs outside this container".to_owned() } else { text::list(&by) };
        format!("{} of {} in use, by {by}", text::bytes(used), text::bytes(all))
    };
    (!found.is_empty()).then(|| {
        on(
            GPU_MEMORY
                .found(
                    &[],
                    format!(
                        "the memory of {} is {} in use",
                        names(&found),
                        if full { "nearly all" } else { "half or more" }
                    ),
                )
                .severity(if full { Severity::Warn } else { Severity::Info })
                .message("What is started now gets the rest of it, and `CUDA out of memory` beyond that.")
                .remedies([Remedy::new("See whether these programs are still wanted", Step::fixed("nvidia-smi"))]),
            &found,
            "memory",
            words,
            "",
        )
    })
}

/// GPUs of which some NVLinks are down and others up.
fn links(context: &Context<'_>) -> Option<Finding> {
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

/// GPUs of servers that the driver lets go when nothing uses them; it costs every first program seconds.
fn not_persistent(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    if facts.system.container.value().is_some() {
        return None;
    }
    let server = |gpu: &Gpu| {
        context
            .target
            .gpus
            .iter()
            .any(|other| other.index == Some(gpu.index) && other.class == Some(GpuClass::Datacenter))
    };
    let found = those(context, |gpu, state| {
        let own = !matches!(state.virtualization, Some(Virtualization::Vgpu));
        (state.persistence == Some(false) && own && server(gpu)).then_some(())
    });
    (!found.is_empty()).then(|| on(PERSISTENCE.found(&[], format!("persistence mode of {} is off", names(&found))).message("Whenever nothing uses the GPU the driver lets go of it, and the next program waits 1 to 3 seconds for each.").remedies([Remedy::new("Run NVIDIA's persistence daemon", Step::fixed("sudo systemctl enable --now nvidia-persistenced"))]).references([PERSISTENCE_GUIDE.to_owned()]), &found, "persistence mode", |()| "off".to_owned(), "on"))
}
