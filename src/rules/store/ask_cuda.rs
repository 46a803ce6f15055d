//! What the rules tell of CUDA's toolkits, drivers and compat packages, and of machine code.

use super::db::RuleDb;
use crate::facts::Facts;
use crate::rules::judge::target::Target;
use crate::rules::schema::page::cite_key;
use crate::rules::schema::{
    ArchLifetime, CompatPackage, CompatSupport, DriverFamily, DriverInstall, GpuClass, MachineCode, ToolkitInstall,
    ToolkitRelease,
};
use crate::step::{Step, Written};
use crate::version::{ComputeCapability, CudaVersion, DriverVersion};

impl RuleDb {
    /// Where machine code runs beyond the plain rule.
    #[must_use]
    pub fn machine_code(&self) -> &MachineCode {
        &self.packed.tables.cuda.machine_code
    }

    /// The page for [`Self::machine_code`].
    #[must_use]
    pub fn machine_code_citation(&self) -> String {
        cite_key(&self.packed.tables.cuda.sources, &self.packed.tables.cuda.machine_code.source)
    }

    /// The toolkit of a version, with the driver that came out with it.
    #[must_use]
    pub fn toolkit(&self, cuda: CudaVersion) -> Option<&ToolkitRelease> {
        self.packed.tables.cuda.toolkits.iter().find(|row| row.version == cuda)
    }

    /// The page for a toolkit row.
    #[must_use]
    pub fn toolkit_citation(&self, row: &ToolkitRelease) -> String {
        cite_key(&self.packed.tables.cuda.sources, &row.source)
    }

    /// The oldest toolkit that compiles machine code which a GPU runs: for its own compute capability, or for one below it
    /// in the same major; e.g. 11.0 for 8.6. With the page. None where no toolkit in the rules does.
    #[must_use]
    pub fn first_toolkit_for(&self, gpu: ComputeCapability) -> Option<(CudaVersion, String)> {
        let cuda = &self.packed.tables.cuda;
        let runs = |code: &ComputeCapability| code.major == gpu.major && code.minor <= gpu.minor;
        if let Some(row) = cuda.first_for.iter().find(|row| runs(&row.capability)) {
            return Some((row.toolkit, cite_key(&cuda.sources, &row.source)));
        }
        // What the oldest that was run does already, an older one may do too.
        let mut listed = cuda.toolkits.iter().filter(|row| !row.compiles_for.is_empty());
        let oldest = listed.next()?;
        let row = listed.find(|row| row.compiles_for.iter().any(runs))?;
        (!oldest.compiles_for.iter().any(runs)).then_some((row.version, self.compiles_for_citation(row)?))
    }

    /// Where it was read for which GPUs a toolkit compiles; none where nobody looked.
    #[must_use]
    pub fn compiles_for_citation(&self, row: &ToolkitRelease) -> Option<String> {
        Some(cite_key(&self.packed.tables.cuda.sources, row.compiles_for_source.as_ref()?))
    }

    /// The newest CUDA that a driver supports natively, e.g. 12.8 for 570.133.20.
    #[must_use]
    pub fn native_cuda(&self, driver: &DriverVersion) -> Option<CudaVersion> {
        self.packed.tables.cuda.toolkits.iter().rev().find(|row| row.linux_driver <= *driver).map(|row| row.version)
    }

    /// The oldest driver for runtimes of a CUDA major release.
    #[must_use]
    pub fn family(&self, cuda_major: u32) -> Option<&DriverFamily> {
        self.packed.tables.driver.families.iter().find(|row| row.cuda_major == cuda_major)
    }

    /// The page for a family row.
    #[must_use]
    pub fn family_citation(&self, row: &DriverFamily) -> String {
        cite_key(&self.packed.tables.driver.sources, &row.source)
    }

    /// The last driver branch for a compute capability; none while it is supported.
    #[must_use]
    pub fn lifetime(&self, capability: ComputeCapability) -> Option<&ArchLifetime> {
        self.packed.tables.driver.lifetimes.iter().find(|row| row.capabilities.contains(&capability))
    }

    /// The page for a lifetime row.
    #[must_use]
    pub fn lifetime_citation(&self, row: &ArchLifetime) -> String {
        cite_key(&self.packed.tables.driver.sources, &row.source)
    }

    /// cuda-compat packages, oldest first.
    #[must_use]
    pub fn compat_packages(&self) -> &[CompatPackage] {
        &self.packed.tables.forward_compat.packages
    }

    /// The page for a cuda-compat row.
    #[must_use]
    pub fn compat_citation(&self, row: &CompatPackage) -> String {
        cite_key(&self.packed.tables.forward_compat.sources, &row.source)
    }

    /// Whether forward compatibility works on a class of GPUs, with the page.
    #[must_use]
    pub fn compat_support(&self, class: GpuClass) -> Option<(CompatSupport, String)> {
        let row = self.packed.tables.forward_compat.hardware.iter().find(|row| row.class == class)?;
        Some((row.supported, cite_key(&self.packed.tables.forward_compat.sources, &row.source)))
    }

    /// Toolkits, oldest first.
    #[must_use]
    pub fn toolkits(&self) -> &[ToolkitRelease] {
        &self.packed.tables.cuda.toolkits
    }

    /// What installs a driver that is at least this one, by the way of the distribution where the rules know it, else with a file
    /// that NVIDIA offers. Empty where neither is known; also in a container or under WSL, where the driver is the host's, and on
    /// other systems, which have another one.
    ///
    /// Example: 570.26 on Ubuntu 24.04 with an RTX 5090 is `sudo apt-get install nvidia-driver-570-server-open`.
    #[must_use]
    pub fn driver_steps(&self, version: &DriverVersion, facts: &Facts) -> Vec<Step> {
        let system = &facts.system;
        let guest = system.container.value().is_some() || system.wsl.value().is_some();
        let platform = Target::usual_platform(facts).filter(|_| !guest);
        let Some(arch) = platform.as_deref().and_then(|platform| platform.strip_prefix("linux_")) else {
            return Vec::new();
        };
        let distro = system.distro.value().map_or("", String::as_str);
        let is_on = |row: &DriverInstall| row.on.iter().any(|name| distro.starts_with(name.as_str()));
        let rows = &self.packed.tables.driver.installs;
        let named = rows.iter().any(is_on);
        let gpus = facts.gpus.value().map(Vec::as_slice).unwrap_or_default();
        let capabilities: Vec<_> = gpus.iter().filter_map(|gpu| gpu.compute_capability.value()).collect();
        let last =
            capabilities.iter().filter_map(|capability| self.lifetime(**capability)).map(|row| row.last_branch).min();
        let fits = |row: &&DriverInstall| {
            let in_reach = last.is_none_or(|last| row.driver.branch() <= last);
            let on = if named { is_on(row) } else { row.on.is_empty() };
            let knows = capabilities.iter().all(|own| row.gpus_from.is_none_or(|oldest| **own >= oldest));
            on && knows && in_reach && row.driver >= *version && row.arch.iter().any(|own| own == arch)
        };
        rows.iter().find(fits).into_iter().flat_map(|row| &row.commands).flat_map(Written::steps).collect()
    }

    /// The oldest driver for runtimes of each CUDA major release, oldest first.
    #[must_use]
    pub fn families(&self) -> &[DriverFamily] {
        &self.packed.tables.driver.families
    }

    /// How a CUDA toolkit is installed, the first that fits.
    #[must_use]
    pub fn toolkit_installs(&self) -> &[ToolkitInstall] {
        &self.packed.tables.machine.toolkits
    }
}
