//! What people tell in part: a branch, a series, a compute capability, a version with its variant behind it.

use super::{facts, gpus, version};

#[test]
fn a_branch_is_some_driver_of_it() {
    let branch = |text: &str| facts(text).driver.version.part().map(|part| part.said().to_owned());
    for text in [
        "RTX 4070, driver version 535, torch 2.9.1+cu130",
        "installed nvidia-driver-535-server; L4",
        "NVIDIA driver: 535",
        "drivers 535 on Ubuntu",
    ] {
        assert_eq!(branch(text).as_deref(), Some("535"), "{text}");
    }
    for text in [
        "torch 2.9 needs driver 580 or newer",
        "sudo apt install nvidia-driver-535",
        "driver version 535.104.05",
        "driver 535 or driver 550, I am not sure",
        "listening on port 535",
        "driver version: 12",
    ] {
        assert_eq!(branch(text), None, "{text}");
    }
    assert_eq!(
        facts("driver 535\nDriver Version: 535.104.05").driver.version.value().unwrap().to_string(),
        "535.104.05"
    );
}

#[test]
fn a_variant_behind_a_version_is_its_label() {
    for (text, expected) in [
        ("torch 2.6 cu124 on an RTX 5090", "2.6+cu124"),
        ("I use torch 2.6 (cu124)", "2.6+cu124"),
        ("torch 2.6, RTX 5090", "2.6"),
        ("torch version 2.8+cu128, card GTX 1080", "2.8+cu128"),
        ("my env only has torch2.5.1+cpu next to it", "2.5.1+cpu"),
        ("python3.11, pytorch2.6.0+cu124", "2.6.0+cu124"),
    ] {
        assert_eq!(version(&facts(text), "torch"), expected, "{text}");
    }
}

#[test]
fn a_card_is_told_by_its_series_or_its_capability() {
    let capability = |text: &str| {
        let facts = facts(text);
        let gpus = facts.gpus.value().cloned().unwrap_or_default();
        gpus.first().and_then(|gpu| gpu.compute_capability.value().map(ToString::to_string))
    };
    assert_eq!(capability("so my card (sm_70) stopped working").as_deref(), Some("7.0"));
    assert_eq!(capability(">>> torch.cuda.get_device_capability(0)\n(7, 0)").as_deref(), Some("7.0"));
    assert_eq!(capability("a GPU with compute capability 7.5").as_deref(), Some("7.5"));
    assert_eq!(capability("it needs a GPU with compute capability 8.0 or higher"), None);
    assert_eq!(capability("this build supports GPUs of compute capability 8.0"), None);
    assert_eq!(gpus(&facts("an RTX 50 series card")), ["GeForce RTX 50xx"]);
    assert_eq!(gpus(&facts("RTX 5000-series, RTX 50-series")), ["GeForce RTX 50xx"]);
    assert_eq!(gpus(&facts("my GPU is of compute capability 7.x")), ["compute capability 7.x"]);
}
