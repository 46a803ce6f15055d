//! Does the machine itself stand in the way: errors in the kernel's log, shared memory, locked memory, disks, WSL, a Jetson that
//! needs wheels of its own?

use super::{Context, Installer, gpu_state, limits, looked, xid};
use crate::facts::Origin;
use crate::finding::{Evidence, Finding, Outcome, Remedy, Severity, rule};
use crate::rules::machine;
use crate::rules::schema::GpuClass;
use crate::step::Step;
use crate::text;

rule! {
    /// /dev/shm is small.
    ///
    /// DataLoader workers, Ray and NCCL share memory there and end with `Bus error` or `No space left on device`. Known
    /// from the file system. Start the container with a larger `--shm-size`, or with `--ipc=host`.
    pub SHM = "system/shm": System, Warn, since "0.1.0", judged on [Limits, System];
}

rule! {
    /// The WSL kernel is too old for GPUs.
    ///
    /// Known from the kernel's version. Run `wsl --update` on Windows.
    pub WSL = "system/wsl": System, Warn, since "0.1.0", judged on [System];
}

rule! {
    /// The loader knows libcuda.so.1 but not libcuda.so.
    ///
    /// Triton and others link or open the short name. Known from the loader's cache. Add the link, or name its folder
    /// in the loader's configuration.
    pub LIBCUDA_NAME = "system/libcuda-name": System, Warn, since "0.1.0", judged on [Loader, System];
}

rule! {
    /// torch does not see the GPU of a Jetson.
    ///
    /// A Jetson's GPU is reached through libraries of its own; wheels for other ARM machines do not use them. Known
    /// from the kernel and the build of torch. Install NVIDIA's build for this JetPack.
    pub JETSON = "system/jetson": System, Warn, since "0.1.0", judged on [System, Builds];
}

/// Docker's default is 64 MB; a container that was given more was given much more.
const SMALL_SHM: u64 = 128 << 20;

/// Looks at what a report tells of the machine, and on a machine itself at its GPUs, its kernel's log and its shared memory.
pub fn check(context: &Context<'_>) -> Outcome {
    let facts = context.facts;
    let mut findings: Vec<Finding> = gpu_state::check(context);
    findings.extend(xid::errors(context));
    let told = facts.gpus.value().is_some_and(|gpus| gpus.iter().any(|gpu| gpu.state.value().is_some()));
    let cuda = context.stack.torch_cuda().flatten().is_some();
    let limits = facts.origin == Origin::Host && cuda;
    let shm = limits && facts.system.shm_bytes.value().is_some();
    if limits {
        findings.extend(limits::memlock(context));
        findings.extend(limits::disks(context));
    }
    if facts.pasted.is_some() {
        findings.extend(small_shm(context));
        findings.extend(old_wsl(context));
        findings.extend(jetson(context));
        findings.extend(plain_libcuda(context));
    } else if shm {
        findings.extend(small_shm(context));
    } else if !(told || xid::was_read(context) || limits && !facts.system.disks.is_empty()) {
        let why = "only a pasted report, or a machine with a GPU or with torch for CUDA, is judged by these";
        return Outcome::NotApplicable(why.to_owned());
    }
    looked(findings)
}

fn small_shm(context: &Context<'_>) -> Option<Finding> {
    let reading = &context.facts.system.shm_bytes;
    let size = *reading.value()?;
    if size >= SMALL_SHM {
        return None;
    }
    // One process on one GPU does without; NCCL between GPUs does not, and who pastes a report has a reason.
    let several = context.facts.gpus.value().is_some_and(|gpus| gpus.len() > 1);
    let severity = if several || context.facts.pasted.is_some() { Severity::Warn } else { Severity::Info };
    Some(SHM.found(&[], format!("/dev/shm has {}, which DataLoader workers, Ray and NCCL outgrow", text::bytes(size))).severity(severity).message("Docker gives a container 64 MB unless told otherwise. NCCL then ends with a system error, workers with a bus \
                  error.").packages(["container-runtime"]).evidence([Evidence::host("/dev/shm", text::bytes(size)).required("several GiB".to_owned()).cited(reading.source().map(|source| source.place().to_owned()))]).remedies([match machine::shared_memory(context.facts, context.db) {
            Some(task) => Remedy::new(text::sentence(&task.words), task.steps),
            // Most who have so little of it run in a container, also where that is not seen.
            None => Remedy::new("Start the container with more", Step::fixed("docker run --shm-size=16g --ipc=host …")),
        }]).references(["https://github.com/pytorch/pytorch/issues/5040"]))
}

/// WSL 2 with a kernel from before CUDA on WSL.
fn old_wsl(context: &Context<'_>) -> Option<Finding> {
    let system = &context.facts.system;
    system.wsl.value()?;
    let kernel = system.kernel.value()?;
    let mut numbers = kernel.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return None };
    let rule = context.db.wsl();
    if (major, minor) >= (rule.kernel.major, rule.kernel.minor) {
        return None;
    }
    Some(
        WSL.found(&[], format!("this WSL kernel, {kernel}, is older than GPU support in WSL"))
            .message(format!("CUDA on WSL needs {}, and a WSL kernel of at least {}.", rule.windows, rule.kernel))
            .packages(["windows", "wsl-kernel"])
            .evidence([Evidence::host("WSL kernel", kernel.clone())
                .required(format!("{} or newer", rule.kernel))
                .cited(system.kernel.source().map(|source| source.place().to_owned()))])
            .remedies([Remedy {
                summary: "Update Windows, and the kernel".to_owned(),
                requirements: Vec::new(),
                steps: Step::fixed("wsl --update"),
                change: None,
                verified: false,
            }])
            .references(["https://github.com/microsoft/WSL/issues/7056"]),
    )
}

/// The loader knows libcuda.so.1 only.
fn plain_libcuda(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    let library = facts.loader.libcuda.value()?;
    if !facts.pasted.as_ref()?.no_plain_libcuda {
        return None;
    }
    let wsl = facts.system.wsl.value().is_some();
    let folder = library.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(LIBCUDA_NAME.found(&[], format!("ldconfig knows libcuda.so.1 but not libcuda.so{}", if wsl { " (WSL)" } else { "" })).message("Programs that open or link the plain name (Triton 2, Numba, TensorFlow) do not find the driver. In WSL the files \
                  of /usr/lib/wsl/lib are copies instead of links, so that ldconfig keeps only one name.").packages(["libcuda"]).evidence([Evidence::host("libcuda.so.1", library.path.clone()).required("libcuda.so too".to_owned()).cited("ldconfig -p".to_owned())]).remedies([Remedy {
            summary: "Name the folder in LD_LIBRARY_PATH, or add the link and run ldconfig".to_owned(),
            requirements: Vec::new(),
            steps: Step::prepend("LD_LIBRARY_PATH", folder).into_iter().collect(),
            change: None,
            verified: false,
        }]).references(["https://github.com/microsoft/WSL/issues/8587"]))
}

/// torch from where it is published for this Jetson; none where the rules do not know.
fn from_its_index(context: &Context<'_>) -> Option<Remedy> {
    let row = context.target.gpus.iter().find_map(|gpu| context.db.jetson_index(gpu.capability))?;
    let options = ["--force-reinstall", "--no-deps", "--index-url", &row.index];
    let step = Installer::of(context.facts).install(&options, &["torch".to_owned()])?;
    Some(Remedy::new(format!("Install torch from the index for Jetsons: its builds are for {}", row.builds), [step]))
}

/// A Jetson on which torch sees no GPU.
fn jetson(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    let tegra = facts.system.kernel.value().is_some_and(|kernel| kernel.contains("tegra"));
    let gpu = context.target.gpus.iter().any(|gpu| gpu.class == Some(GpuClass::JetsonTegra));
    let blind = facts.pasted.as_ref().is_some_and(|pasted| pasted.cuda_available == Some(false));
    if !(tegra || gpu) || !blind {
        return None;
    }
    let torch = context.stack.get("torch").map_or_else(|| "torch".to_owned(), super::Installed::title);
    Some(JETSON.found(&[], format!("{torch} sees no GPU on this Jetson: it must be NVIDIA's build for its JetPack")).message("A Jetson's GPU is reached through libraries of its own. Wheels from PyPI and from PyTorch's indexes are made for \
                  servers, and do not find it.").packages(["torch"]).evidence([Evidence::host("`torch.cuda.is_available()`", "False").required("a torch build for this JetPack".to_owned()).cited(facts.system.kernel.source().map(|source| source.place().to_owned()))]).remedies([from_its_index(context).unwrap_or_else(|| {
            let which = Step::fixed("cat /etc/nv_tegra_release");
            Remedy::new("Install torch from NVIDIA's index for this JetPack and Python", which)
        })]).references(["https://github.com/dusty-nv/jetson-containers/issues/1495"]))
}
