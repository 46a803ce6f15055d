//! A Dockerfile: base image, Python in an environment of its own, the installs in their order.

use super::base_image::{base_image, has};
use super::compat::{Compat, compat};
use super::steps::steps;
use super::{Answer, Emitted};
use crate::step::dockerfile::value;
use crate::step::sh::command;

/// Where the environment is in the image.
const VENV: &str = "/opt/venv";

/// Ubuntu's packages that the image needs, sorted; `from_ubuntu`: the Python is Ubuntu's.
fn packages(answer: &Answer<'_>, from_ubuntu: bool, compat: Option<&Compat<'_>>) -> Vec<String> {
    let images = &answer.db.tables().images;
    let mut packages = vec!["ca-certificates".to_owned()];
    if from_ubuntu {
        packages.extend(["python3".to_owned(), "python3-venv".to_owned()]);
    }
    if answer.builds() {
        packages.extend(["build-essential".to_owned(), "git".to_owned()]);
    } else if answer.others().iter().any(|line| line.contains("git+")) {
        packages.push("git".to_owned());
    }
    let compiler = answer.resolution.pins.iter().any(|pin| pin.name == images.compiler.needed_by);
    if compiler {
        packages.extend(images.compiler.packages.iter().cloned());
    }
    if from_ubuntu && (compiler || answer.builds()) {
        packages.push("python3-dev".to_owned());
    }
    packages.extend(compat.into_iter().map(|compat| compat.package.name.clone()));
    packages.sort();
    packages.dedup();
    packages
}

/// The file. The driver comes from the host, so nothing of it is in the image, but for a cuda-compat package where the set needs
/// one on the target's driver.
#[must_use]
pub fn dockerfile(answer: &Answer<'_>) -> Emitted {
    let python = match answer.python() {
        Ok(python) => python,
        Err(why) => return Emitted::refused(why),
    };
    let Some(image) = base_image(answer, python) else {
        return Emitted::refused("the rules know no Ubuntu with the glibc that these builds need".to_owned());
    };
    let mut compats = compat(answer);
    compats.dedup();
    let (Some(compat), true) = (compats.pop(), compats.is_empty()) else {
        let why =
            "some targets need cuda-compat and others must not have it, so write one file for each (`--per-target`)";
        return Emitted::refused(why.to_owned());
    };
    let mut notes = Vec::new();
    let local: Vec<_> =
        answer.taken.iter().filter(|line| !line.contains("://")).map(|line| format!("`{line}`")).collect();
    if !local.is_empty() {
        notes.push(format!("copy into the image before it is installed there: {}", crate::text::list(&local)));
    }
    let images = &answer.db.tables().images;
    let mut text = answer.comments();
    text += &format!("FROM {}\n", image.tag);
    if image.cuda.is_none() && answer.targets.iter().any(|target| !target.gpus.is_empty() && !target.cpu_only) {
        text += "# As in NVIDIA's images: which GPUs the container sees, and that it may compute on them\n";
        text += "ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility\n";
    }
    if image.refused {
        text += "# The image asks for a driver with its own CUDA, and this set runs on an older one too\n";
        text += &format!("ENV {}\n", images.driver_check.off);
    }
    let from_ubuntu = python.is_none_or(|python| has(image.ubuntu, python));
    let packages = packages(answer, from_ubuntu, compat.as_ref());
    let install = ["apt-get", "install", "--yes", "--no-install-recommends"].map(str::to_owned);
    let install = command(&[&install[..], &packages[..]].concat(), 4);
    text += &format!("\nRUN apt-get update && \\\n    {install} && \\\n    rm -rf /var/lib/apt/lists/*\n");
    if let Some(compat) = &compat {
        text += "\n# The kernel driver is too old for this CUDA: the library of a newer one stands in front\n";
        text += &format!("ENV LD_LIBRARY_PATH={}:$LD_LIBRARY_PATH\n", compat.folder());
        if compat.doubtful {
            notes.push(format!("{} works on some GPUs of this class only", compat.package.name));
        }
    }
    text.push('\n');
    match python.filter(|_| !from_ubuntu) {
        None => text += &format!("RUN python3 -m venv {VENV}\n"),
        Some(python) => {
            text += &format!("# Ubuntu {} has another Python\n", image.ubuntu.version);
            text += &format!("COPY --from={} /uv /usr/local/bin/uv\n", images.python.image);
            text += "ENV UV_PYTHON_INSTALL_DIR=/opt/python\n";
            text += &format!("RUN uv venv --seed --python {python} {VENV}\n");
        }
    }
    text += &format!("ENV VIRTUAL_ENV={VENV} PATH={VENV}/bin:$PATH\n");
    if let Some(list) = answer.arch_list().filter(|_| answer.builds()) {
        text += &format!("ENV TORCH_CUDA_ARCH_LIST={}\n", value(&list));
    }
    for step in steps(answer) {
        text += &format!("\n# {}\nRUN {}\n", step.why, step.command("pip install --no-cache-dir", 4));
    }
    Emitted { text, notes }
}
