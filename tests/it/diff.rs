//! `gpudoc diff`: works on one pod, fails on another.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use insta::assert_snapshot;

fn gpudoc(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gpudoc")).args(arguments).output().unwrap()
}

/// The snapshot of a recorded host.
fn recorded(folder: &Path, host: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hosts").join(host);
    let file = folder.join(format!("{host}.json"));
    let output = gpudoc(&["probe", "--root", root.to_str().unwrap(), "-o", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    file
}

#[test]
fn what_explains_the_failure_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let good = recorded(folder.path(), "h100-570-cu130-compat");
    let bad = recorded(folder.path(), "h100-570-cu130");
    let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());
    let output = gpudoc(&["diff", good, bad]);
    assert_eq!(output.status.code(), Some(1), "the second one fails");
    let text = String::from_utf8(output.stdout).unwrap().replace(folder.path().to_str().unwrap(), "");
    assert_snapshot!(text, @r#"
    - /h100-570-cu130-compat.json: no finding of its own
    + /h100-570-cu130.json: 1 finding of its own
        torch 2.9.0+cu130 needs driver 580.65.06 or newer, but 570.133.20 is loaded
        [driver/torch]

    What explains them
      libcuda  [driver/torch]
        - /usr/local/cuda-13.0/compat/libcuda.so.1 (580.65.06, cuda-compat)
        + /lib/x86_64-linux-gnu/libcuda.so.1 (570.133.20)
      LD_LIBRARY_PATH  [driver/torch]
        - /usr/local/cuda-13.0/compat:/usr/local/nvidia/lib:/usr/local/nvidia/lib64
        + none, or not known
    "#);

    let json: serde_json::Value =
        serde_json::from_slice(&gpudoc(&["diff", good, bad, "--format", "json"]).stdout).unwrap();
    assert_eq!(json["schema"], "gpudoc.diff/1");
    assert_eq!(
        (&json["differences"][0]["fact"], &json["differences"][0]["explains"][0]),
        (&"libcuda".into(), &"driver/torch".into())
    );
    // The other way round nothing new fails, and an environment does not differ from itself.
    assert_eq!(gpudoc(&["diff", bad, good]).status.code(), Some(0));
    let same = gpudoc(&["diff", good, good]);
    assert!(same.status.success() && String::from_utf8(same.stdout).unwrap().contains("no difference"));
}

#[test]
fn what_is_no_snapshot_is_named() {
    let output = gpudoc(&["diff", "Cargo.toml", "-"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("`Cargo.toml` is not a snapshot"));
}
