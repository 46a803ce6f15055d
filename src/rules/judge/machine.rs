//! Who has to act where it is not the environment's installer, and with what: the machine's own administrator, whoever starts
//! the container, somebody on Windows.

use super::driver::{Advice, advise};
use super::target::Target;
use crate::facts::Facts;
use crate::pep::Version;
use crate::rules::RuleDb;
use crate::rules::schema::{DriverFamily, GpuClass, Matter, Place, ToolkitInstall};
use crate::step::{Step, Written};
use crate::version::{CudaVersion, DriverVersion};

/// Something to do on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// An imperative in small letters without full stop, e.g. `update the NVIDIA driver to 580.65.06 or newer`.
    pub words: String,
    /// What to run, in order; none where it depends on what nobody knows.
    pub steps: Vec<Step>,
}

/// Where a program runs; none on a machine of its own. Under WSL it is WSL, also in a container.
#[must_use]
pub fn place(facts: &Facts, db: &RuleDb) -> Option<Place> {
    let system = &facts.system;
    let tegra = system.kernel.value().is_some_and(|kernel| kernel.contains("tegra"));
    let is_tegra =
        |name: &String| db.gpu_by_loose_name(name).is_some_and(|gpu| gpu.class == Some(GpuClass::JetsonTegra));
    let mut gpus = facts.gpus.value().into_iter().flatten().filter_map(|gpu| gpu.name.value());
    if system.wsl.value().is_some() {
        return Some(Place::Wsl);
    }
    if tegra || gpus.any(is_tegra) {
        return Some(Place::Jetson);
    }
    if system.is_windows() {
        return Some(Place::Windows);
    }
    let kind = system.container.value()?;
    Some(if kind == "kubernetes" { Place::Kubernetes } else { Place::Container })
}

/// How a driver from a version on comes to where a program runs.
#[must_use]
pub fn driver(version: &DriverVersion, facts: &Facts, db: &RuleDb) -> Task {
    let row = place(facts, db).and_then(|at| db.tables().machine.task(Matter::Driver, at));
    match row {
        Some(row) => Task {
            words: row
                .words
                .replace("{driver}", &version.to_string())
                .replace("{branch}", &version.branch().to_string()),
            steps: row.commands.iter().flat_map(Written::steps).collect(),
        },
        None => Task {
            words: format!("update the NVIDIA driver to {version} or newer"),
            steps: db.driver_steps(version, facts),
        },
    }
}

/// How the newest driver that serves the GPUs comes to where a program runs, of those that the rules ask for.
#[must_use]
pub fn newest_driver(facts: &Facts, target: &Target, db: &RuleDb) -> Option<Task> {
    let wanted = |family: &DriverFamily| match advise(&family.linux_driver, target, db) {
        Advice::Update(version) => Some(version),
        Advice::NoDriver(..) => None,
    };
    Some(driver(&db.families().iter().rev().find_map(wanted)?, facts, db))
}

/// How NVIDIA's Container Toolkit comes to the host; in a container or for an unknown distribution in words alone.
#[must_use]
pub fn container_toolkit(facts: &Facts, db: &RuleDb) -> Task {
    let distro = facts.system.distro.value().filter(|_| facts.system.container.value().is_none());
    let row = distro.and_then(|distro| db.tables().machine.container_toolkit(distro));
    Task {
        words: "install NVIDIA's Container Toolkit on the host".to_owned(),
        steps: row.iter().flat_map(|row| &row.commands).flat_map(Written::steps).collect(),
    }
}

/// A CUDA toolkit that is to be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolkit {
    /// What installs it.
    pub steps: Vec<Step>,
    /// Where it lies then, e.g. `/usr/local/cuda-12.8`.
    pub home: String,
}

/// How the toolkit of a CUDA is installed beside this environment; none where the rules do not know.
#[must_use]
pub fn toolkit(cuda: CudaVersion, facts: &Facts, db: &RuleDb) -> Option<Toolkit> {
    let python = facts.python.value();
    let conda = python.filter(|python| python.management.conda);
    let distro = facts.system.distro.value().map_or("", String::as_str);
    let fits = |row: &&ToolkitInstall| {
        if row.conda { conda.is_some() } else { row.on.iter().any(|name| distro.starts_with(name.as_str())) }
    };
    let row = db.toolkit_installs().iter().find(fits)?;
    let prefix = conda.map_or("", |python| &python.prefix);
    let fill = |word: &String| {
        let word = word.replace("{major}", &cuda.major.to_string()).replace("{minor}", &cuda.minor.to_string());
        word.replace("{prefix}", prefix)
    };
    Some(Toolkit { steps: vec![Step::run(row.argv.iter().map(fill))?], home: fill(&row.home) })
}

/// What conda is asked for in the place of a release that another index has, in its own names: `pytorch=2.7.1=cuda*`; none where
/// it may have another name that the rules do not know.
#[must_use]
pub fn conda_specs(name: &str, version: &Version, cuda: Option<CudaVersion>, db: &RuleDb) -> Option<Vec<String>> {
    match (db.conda(name), cuda) {
        (Some(row), Some(cuda)) => {
            let fill = |spec: &String| {
                let spec = spec.replace("{version}", &version.to_string()).replace("{cuda}", &cuda.to_string());
                spec.replace("{next}", &(cuda.major + 1).to_string())
            };
            Some(row.specs.iter().map(fill).collect())
        }
        (Some(_), None) => None,
        (None, _) => is_same_in_conda(name).then(|| vec![format!("{name}={version}")]),
    }
}

/// Whether conda has a distribution under its own name: without a separator, which conda may write otherwise, there is no other.
#[must_use]
pub fn is_same_in_conda(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// How a container comes to more shared memory; none outside one.
#[must_use]
pub fn shared_memory(facts: &Facts, db: &RuleDb) -> Option<Task> {
    let row = db.tables().machine.task(Matter::Shm, place(facts, db)?)?;
    Some(Task { words: row.words.clone(), steps: row.commands.iter().flat_map(Written::steps).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Origin, Reading};
    use crate::rules::store::embedded;
    use crate::step::{Shell, print};

    fn facts(change: impl Fn(&mut crate::facts::System)) -> Facts {
        let mut facts = Facts::unknown(Origin::Host);
        facts.system.os = Reading::host("linux".to_owned(), "a test");
        facts.system.arch = Reading::host("x86_64".to_owned(), "a test");
        facts.system.distro = Reading::host("Debian GNU/Linux 12 (bookworm)".to_owned(), "a test");
        change(&mut facts.system);
        facts
    }

    #[test]
    fn the_container_toolkit_is_installed_by_the_distribution() {
        let on = |distro: &str| {
            let facts = facts(|it| it.distro = Reading::host(distro.to_owned(), "a test"));
            print(&container_toolkit(&facts, embedded()).steps, Shell::Sh).pop().unwrap_or_default()
        };
        assert_eq!(on("Ubuntu 24.04.3 LTS"), "sudo apt-get install nvidia-container-toolkit");
        assert_eq!(on("Fedora Linux 43 (Workstation Edition)"), "sudo dnf install nvidia-container-toolkit");
        assert_eq!(on("openSUSE Leap 16.0"), "sudo zypper --gpg-auto-import-keys install nvidia-container-toolkit");
        assert_eq!(on("NixOS 25.11"), "");
    }

    #[test]
    fn the_driver_is_installed_by_the_distribution() {
        let on = |distro: &str| {
            let facts = facts(|it| it.distro = Reading::host(distro.to_owned(), "a test"));
            told(&facts).lines().last().unwrap_or_default().to_owned()
        };
        assert_eq!(on("Fedora Linux 43 (Server Edition)"), "sudo dnf install akmod-nvidia xorg-x11-drv-nvidia-cuda");
        let suse = "sudo zypper install nvidia-open-driver-G07-signed-kmp-meta";
        assert_eq!(on("SUSE Linux Enterprise Server 15 SP7"), suse);
        assert_eq!(on("openSUSE Leap 16.0"), suse);
        assert_eq!(on("Debian GNU/Linux 13 (trixie)"), "sudo apt-get install nvidia-open");
        assert_eq!(on("Red Hat Enterprise Linux 10.1 (Coughlan)"), "sudo dnf install nvidia-open");
        assert_eq!(on("Rocky Linux 9.7 (Blue Onyx)"), "sudo dnf install nvidia-open");
    }

    fn told(facts: &Facts) -> String {
        let task = driver(&"580.65.06".parse().expect("a version"), facts, embedded());
        [vec![task.words], print(&task.steps, Shell::Sh)].concat().join("\n")
    }

    #[test]
    fn who_updates_the_driver_depends_on_where_it_runs() {
        let text = |text: &str| Reading::host(text.to_owned(), "a test");
        let all = [
            facts(|_| ()),
            facts(|it| it.distro = text("Arch Linux")),
            facts(|it| it.wsl = Reading::host(2, "a test")),
            facts(|it| it.kernel = text("5.15.148-tegra")),
            facts(|it| it.os = text("windows")),
            facts(|it| it.container = text("kubernetes")),
            facts(|it| it.container = text("docker")),
        ];
        let told: Vec<String> = all.iter().map(told).collect();
        insta::assert_snapshot!(told.join("\n\n"), @"
        update the NVIDIA driver to 580.65.06 or newer
        curl -fLO https://developer.download.nvidia.com/compute/cuda/repos/debian12/x86_64/cuda-keyring_1.1-1_all.deb
        sudo dpkg -i cuda-keyring_1.1-1_all.deb
        sudo apt-get update
        sudo apt-get install nvidia-driver-pinning-580
        sudo apt-get install nvidia-open

        update the NVIDIA driver to 580.65.06 or newer
        sudo pacman -Syu nvidia-open

        on Windows, install NVIDIA's driver for Windows of branch 580 or newer; WSL takes that one, and no driver for Linux goes into it
        wsl --update
        wsl --shutdown

        update JetPack, which the driver is a part of
        sudo apt update
        sudo apt install nvidia-jetpack

        install NVIDIA's driver for Windows of branch 580 or newer, from https://www.nvidia.com/download/index.aspx

        have the node's driver updated to 580.65.06 or newer, or the pod put on a node that has it: the container takes the node's

        have the host's driver updated to 580.65.06 or newer (on a rented pod: ask the provider, or choose a host that has it): the container takes the host's
        ");
        assert!(told[2].contains("on Windows") && !told[5].contains("sudo") && !told[6].contains("sudo"));
    }
}
