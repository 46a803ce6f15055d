//! Six environments with one thing wrong each, and what mends it, worked out by hand.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use gpudoc::check;
use gpudoc::facts::Facts;
use gpudoc::impact::with_remedies;
use gpudoc::rules::symptom::Heard;
use gpudoc::rules::{Workload, embedded};
use gpudoc::session::paste as input;
use gpudoc::step::{Shell, print};

/// The remedies of a finding of a pasted text, a line each with its commands.
fn remedies(text: &str, id: &str) -> Vec<String> {
    let db = embedded();
    let input = input::paste(text, db);
    let told = input.told.unwrap();
    let workload = Workload::default();
    let checked = check::run_with(&input.facts, db, &workload, &told.heard);
    let findings = check::explain(&input.facts, db, &workload, &told, check::findings(&checked));
    let (findings, _) = with_remedies(&input.facts, db, &workload, findings);
    let findings = check::fit(&input.facts, db, findings);
    let found = findings.iter().find(|finding| finding.id.to_string() == id);
    let found = found.unwrap_or_else(|| panic!("no {id}: {findings:#?}"));
    found
        .remedies
        .iter()
        .map(|remedy| [vec![remedy.summary.clone()], print(&remedy.steps, Shell::Sh)].concat().join(" / "))
        .collect()
}

/// NVIDIA's page: Kepler ends with branch 470 and CUDA 11.8; CUDA 12 begins with 525.60.13.
#[test]
fn a_k80_is_never_told_a_driver_that_does_not_know_it() {
    let text = "Driver Version: 470.82.01\nGPU 0: Tesla K80\nPython 3.10\ntorch==2.4.1+cu121\n";
    let told = remedies(text, "driver/torch");
    let no_driver = "No driver serves both: branch 470 is the last for GPU 0 Tesla K80, and 525.60.13 is needed. Install \
                     torch==2.7.1+cu118, the newest torch for this GPU and its last driver / pip install torch==2.7.1+cu118 \
                     --extra-index-url https://download.pytorch.org/whl/cu118";
    // The build for CUDA 11.8 keeps its kernels for 3.7 up to torch 2.4.
    let install = "Install torch 2.4.1+cu118 / pip install torch==2.4.1+cu118 --extra-index-url \
                   https://download.pytorch.org/whl/cu118";
    assert_eq!(told.first().unwrap(), install);
    assert!(told.contains(&no_driver.to_owned()), "{told:?}");
    assert!(
        told.iter().all(|remedy| !remedy.contains("Update the NVIDIA driver") && !remedy.contains("cuda-compat")),
        "{told:?}"
    );
    let newer = text.replace("470.82.01", "535.104.05");
    assert_eq!(
        remedies(&newer, "driver/gpu").first().unwrap(),
        "Install a driver of branch 470, and builds for CUDA 11.8 or older"
    );
}

/// CUDA 12.8 is the first toolkit for 12.0, and came with driver 570.26.
#[test]
fn an_rtx_5090_needs_the_first_branch_that_knows_it() {
    let text = "GPU 0: NVIDIA GeForce RTX 5090\nNvidia driver version: 550.54.15\nPython version: 3.12.3\n[pip3] torch==2.7.1+cu128\n";
    // 570.26 came with a toolkit; NVIDIA offers 570.133.20 as a file of its own.
    let update = "Update the NVIDIA driver to 570.26 or newer / \
                  curl -fLO https://us.download.nvidia.com/tesla/570.133.20/NVIDIA-Linux-x86_64-570.133.20.run / \
                  sudo sh NVIDIA-Linux-x86_64-570.133.20.run";
    assert_eq!(remedies(text, "driver/gpu"), [update]);
    let on = |distro: &str| {
        let told = remedies(&format!("OS: {distro} (x86_64)\n{text}"), "driver/gpu").remove(0);
        told.split_once(" / ").map(|(_, commands)| commands.to_owned())
    };
    assert_eq!(on("Ubuntu 24.04.2 LTS").unwrap(), "sudo apt-get install nvidia-driver-570-server-open");
    assert_eq!(
        on("Rocky Linux 9.5 (Blue Onyx)").unwrap(),
        "sudo dnf config-manager --add-repo \
         https://developer.download.nvidia.com/compute/cuda/repos/rhel9/x86_64/cuda-rhel9.repo / \
         sudo dnf module enable nvidia-driver:580-open / sudo dnf install nvidia-open"
    );
    // CUDA 11 alone would be content with 450.80.02.
    let older = text.replace("550.54.15", "450.51.05").replace("2.7.1+cu128", "2.0.1+cu118");
    assert_eq!(remedies(&older, "driver/torch").first().unwrap(), update);
}

/// torch 2.3.1 for CUDA 12.1 pins nvidia-cudnn-cu12==8.9.2.26, which ships libcudnn.so.8.
#[test]
fn a_missing_library_is_in_the_wheel_that_torch_pins() {
    let text = "OSError: libcudnn.so.8: cannot open shared object file: No such file or directory\nPython version: 3.10.3\n\
                [pip3] torch==2.3.1+cu121\n";
    assert_eq!(
        remedies(text, "symptom/loader-cudnn8").first().unwrap(),
        "Install nvidia-cudnn-cu12==8.9.2.26 / pip install nvidia-cudnn-cu12==8.9.2.26"
    );
}

/// libnvrtc.so.11.2 is in nvidia-cuda-nvrtc-cu11 alone; nothing here pins it.
#[test]
fn a_missing_library_of_cuda_11_is_in_a_wheel_for_cuda_11() {
    let text = "ImportError: libnvrtc.so.11.2: cannot open shared object file: No such file or directory\n[pip3] torch==2.0.1+cu118\n";
    let told = remedies(text, "symptom/loader-nvrtc");
    assert_eq!(
        told.first().unwrap(),
        "Install nvidia-cuda-nvrtc-cu11==11.* / pip install \"nvidia-cuda-nvrtc-cu11==11.*\""
    );
    assert!(told.iter().all(|remedy| !remedy.contains("-cu12")), "{told:?}");
}

/// torch 2.7.1 from PyPI requires nvidia-nccl-cu12==2.26.2; nothing requires the other.
#[test]
fn of_twins_the_one_stays_that_torch_requires() {
    let text = "[pip3] torch==2.7.1\n[pip3] nvidia-nccl-cu12==2.26.2\n[pip3] nvidia-nccl-cu13==2.28.9\n";
    for id in ["cuda-libs/nvidia-nccl-cu12+nvidia-nccl-cu13", "GPUDOC-2026-0049"] {
        assert_eq!(
            remedies(text, id),
            [
                "Remove nvidia-nccl-cu13, and install nvidia-nccl-cu12==2.26.2 again / pip uninstall -y nvidia-nccl-cu13 / \
                 pip install --force-reinstall --no-deps nvidia-nccl-cu12==2.26.2"
            ],
            "{id}"
        );
    }
}

/// An old driver is no fault by itself; Triton 2.3.1 brings a ptxas of CUDA 12, for which 525.60.13 is the first.
#[test]
fn an_old_driver_is_a_fault_where_something_named_needs_more() {
    let db = embedded();
    let severity = |text: &str, id: &str| {
        let facts: Facts = input::paste(text, db).facts;
        let checked = check::run_with(&facts, db, &Workload::default(), &Heard::default());
        let findings = check::findings(&checked);
        findings.iter().find(|finding| finding.id.to_string() == id).map(|finding| finding.severity)
    };
    use gpudoc::finding::Severity::{Info, Warn};
    let head = "NVIDIA-SMI 470.182.03   Driver Version: 470.182.03   CUDA Version: 11.4\nGPU 0: NVIDIA A10\n";
    assert_eq!(severity(head, "driver/old"), Some(Info));
    assert_eq!(severity(&format!("{head}triton 2.3.1\n"), "driver/triton"), Some(Warn));
    assert_eq!(severity(&format!("{head}torch==1.13.1+cu117\n"), "driver/old"), None, "CUDA 11 needs 450.80.02");
    let told = remedies(&format!("{head}triton 2.3.1\n"), "driver/triton");
    assert_eq!(
        told,
        ["Update the NVIDIA driver to 525.60.13 or newer / \
          curl -fLO https://us.download.nvidia.com/tesla/535.129.03/NVIDIA-Linux-x86_64-535.129.03.run / \
          sudo sh NVIDIA-Linux-x86_64-535.129.03.run"]
    );
}
