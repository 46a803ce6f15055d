//! What was there before, and what is there now.

use super::{facts, version};

#[test]
fn what_took_the_place_of_what() {
    let diff = facts("bumped:\n-torch==2.5.1\n+torch==2.6.0\n xformers==0.0.29\n");
    assert_eq!((version(&diff, "torch"), version(&diff, "xformers")), ("2.6.0".to_owned(), "0.0.29".to_owned()));
    let uv = facts("Installed 2 packages in 10ms\n - torch==2.5.1\n + torch==2.6.0\n");
    assert_eq!(version(&uv, "torch"), "2.6.0");
    // A list with hyphens is none.
    assert_eq!(version(&facts("- torch==2.5.1\n- triton==3.1.0\n"), "torch"), "2.5.1");
}

#[test]
fn what_all_was_well_with_is_not_what_is_there() {
    let told = facts("vllm: 0.11.0\nWith vllm 0.10.2 the same code runs.\n");
    assert_eq!(version(&told, "vllm"), "0.11.0");
    let told = facts("torch 2.6.0 does not work, torch 2.5.1 was ok\n");
    assert_eq!(version(&told, "torch"), "2.6.0");
}
