//! Every command explains itself with examples.

use std::process::{Command, Stdio};

#[test]
fn every_command_has_help_with_examples() {
    let commands: [&[&str]; 8] =
        [&[], &["check"], &["fix"], &["probe"], &["resolve"], &["rules"], &["rules", "harvest"], &["rules", "verify"]];
    for command in commands {
        let mut gpudoc = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
        let output = gpudoc.args(command).arg("--help").stdin(Stdio::null()).output().expect("it starts");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success() && text.contains("Examples:\n  gpudoc"), "{command:?}: {text}");
    }
}

#[test]
fn the_rules_in_this_tree_have_no_fault_and_a_planted_one_is_found() {
    let verify = |folder: &std::path::Path| {
        let mut gpudoc = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
        let output = gpudoc.args(["rules", "verify", "--rules-dir"]).arg(folder).output().expect("it starts");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let rules = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    assert_eq!(verify(&rules).0, Some(0));
    let copy = tempfile::tempdir().expect("a folder");
    for folder in ["platform", "packages", "advisories", "symptoms"] {
        std::fs::create_dir(copy.path().join(folder)).expect("a folder");
        for entry in std::fs::read_dir(rules.join(folder)).expect("readable") {
            let path = entry.expect("readable").path();
            std::fs::copy(&path, copy.path().join(folder).join(path.file_name().expect("a name"))).expect("copied");
        }
    }
    let triton = copy.path().join("packages/triton.toml");
    let text = std::fs::read_to_string(&triton).expect("readable");
    let line = text.lines().position(|line| line.starts_with("platform = ")).expect("a build") + 1;
    std::fs::write(&triton, text.replacen("platform = \"linux_x86_64\"", "platform = \"linux_sparc\"", 1))
        .expect("written");
    let (code, said) = verify(copy.path());
    assert_eq!(code, Some(1));
    // The place is the build's table, which begins a few lines above the key.
    let place: usize = said
        .split("triton.toml:")
        .nth(1)
        .and_then(|rest| rest.split(':').next())
        .expect("a line")
        .parse()
        .expect("a number");
    assert!(place <= line && line - place <= 6 && said.contains("linux_sparc"), "{said}, planted at {line}");
}
