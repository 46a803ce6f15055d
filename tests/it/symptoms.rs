//! The known error messages: each is found in its example, and in no other.

use gpudoc::rules::embedded;
use gpudoc::told::clean;

#[test]
fn every_message_is_found_in_its_example() {
    let db = embedded();
    let mut wrong = Vec::new();
    for symptom in db.symptoms() {
        for text in [symptom.example.clone(), format!("> ERROR 01-02 03:04:05 [a.py:1] {}\r\n", symptom.example)] {
            let log = clean(&text).log;
            if !db.heard_in(&log.flat).symptoms.iter().any(|seen| seen.symptom.id == symptom.id) {
                wrong.push(format!("{}: not found in `{text}`", symptom.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_enough_and_each_names_its_source() {
    let symptoms = embedded().symptoms();
    assert!(symptoms.len() >= 120, "{}", symptoms.len());
    for symptom in symptoms {
        assert!(!symptom.sources.is_empty() && symptom.sources.iter().all(|source| source.contains(", read 2026-")));
        assert!(symptom.causes.iter().all(|cause| !cause.remedy.is_empty()), "{}", symptom.id);
    }
}

#[test]
fn a_sound_log_holds_none() {
    let log = clean("INFO 03-04 05:06:07 [core.py:1] engine started\nepoch 3, loss 0.21\nGPU 0: NVIDIA A100\n").log;
    let found: Vec<_> =
        embedded().heard_in(&log.flat).symptoms.into_iter().map(|seen| seen.symptom.id.clone()).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// What live tools print of a sound machine looks like some messages.
#[test]
fn what_tools_print_is_no_message() {
    for text in [
        "The Hugging Face integration of accelerate",
        "libtorch_cuda_cu.so => /venv/lib/python3.9/site-packages/torch/lib/libtorch_cuda_cu.so (0x00007f03ffb20000)",
        "build.torch_version: 2.7.1+cu126 build.env.TORCH_CUDA_ARCH_LIST: 7.5 8.0+PTX 9.0a",
    ] {
        let found: Vec<_> = embedded().heard_in(text).symptoms.into_iter().map(|seen| &seen.symptom.id).collect();
        assert!(found.is_empty(), "{text}: {found:?}");
    }
    let jetson = embedded().heard_in("Linux orin 5.10.104-tegra #1 SMP aarch64").symptoms;
    assert_eq!(jetson[0].symptom.id, "jetson");
}

#[test]
fn words_between_the_parts_of_a_pattern_may_be_many_but_not_a_page() {
    let db = embedded();
    let found = |text: &str| db.heard_in(text).symptoms.iter().any(|seen| seen.symptom.id == "loader-glibcxx");
    assert!(found("version `GLIBCXX_3.4.29' not found (required by x)"));
    assert!(!found(&format!("GLIBCXX_3.4.29 {} not found", "x".repeat(1000))));
}

/// `explained-by` names advisories that exist.
#[test]
fn selectors_name_what_there_is() {
    let db = embedded();
    for symptom in db.symptoms() {
        for selector in symptom.explained_by.iter().filter(|selector| selector.starts_with("GPUDOC-")) {
            assert!(db.all_advisories().iter().any(|advisory| advisory.id == *selector), "{}: {selector}", symptom.id);
        }
    }
    assert_eq!(db.symptoms().iter().find(|symptom| symptom.id == "cuda-fork").unwrap().causes.len(), 1);
}
