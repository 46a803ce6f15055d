//! The plan as a script, a try on a copy, and the real thing with its way back.

use std::fs;
use std::process::Command;

use super::{Environment, SITE, TOO_OLD, steps};

#[test]
fn the_plan_is_a_script_and_changes_nothing() {
    let environment = Environment::new();
    let before = environment.photograph();
    let told = environment.fix(&[]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.starts_with("#!/bin/sh\n") && told.out.contains("\nset -eu\n"), "{}", told.out);
    for (name, version) in environment.pins() {
        assert!(told.out.contains(&format!("{name}=={version}")), "{}", told.out);
    }
    // A shell that is given a command to read and not to run finds no fault.
    let script = environment.folder.path().join("fix.sh");
    fs::write(&script, &told.out).unwrap();
    assert!(Command::new("sh").arg("-n").arg(&script).status().unwrap().success());
    assert_eq!(environment.photograph(), before);
    assert!(!environment.path().join(".gpudoc").exists());
}

#[test]
fn a_sound_environment_needs_nothing() {
    let environment = Environment::new();
    fs::remove_dir_all(environment.path().join(SITE)).unwrap();
    environment.distribution("numpy", "1.26.4", "");
    for option in ["--apply", "--try", "--yes"] {
        let told = environment.fix(&[option]);
        assert_eq!((told.code, told.out.as_str()), (Some(0), ""), "{told:?}");
        assert!(told.err.contains("nothing to fix"), "{}", told.err);
    }
    let told = environment.fix(&["--undo"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.err.contains("nothing to undo"), "{}", told.err);
}

#[test]
fn what_is_better_stays_and_can_be_taken_back_once_and_twice() {
    let environment = Environment::new();
    environment.installer(&environment.steps().join("\n"));
    let before = environment.photograph();
    let told = environment.fix(&["--apply", "--yes"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.contains("result   better: kept"), "{}", told.out);
    assert!(!environment.path().join(SITE).join(format!("torchvision-{TOO_OLD}.dist-info")).exists());
    let state = fs::read_to_string(environment.path().join(".gpudoc/journal/state.json")).unwrap();
    assert!(state.contains("\"done\""), "{state}");
    for _ in 0..2 {
        let told = environment.fix(&["--undo"]);
        assert_eq!(told.code, Some(0), "{told:?}");
        assert!(
            environment.path().join("mine").exists(),
            "what no scheme has and no RECORD names is not the installer's"
        );
        assert_eq!(environment.photograph(), before);
        assert!(!environment.path().join(".gpudoc/journal/files").exists());
    }
}

#[test]
fn what_was_installed_since_is_taken_back_only_when_asked() {
    let environment = Environment::new();
    environment.installer(&environment.steps().join("\n"));
    assert_eq!(environment.fix(&["--apply", "--yes"]).code, Some(0));
    environment.distribution("numpy", "1.26.4", "");
    let told = environment.fix(&["--undo"]);
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(told.err.contains("numpy") && told.err.contains("--yes"), "{}", told.err);
    assert!(environment.path().join(SITE).join("numpy").exists());
    assert_eq!(environment.fix(&["--undo", "--yes"]).code, Some(0));
    assert!(!environment.path().join(SITE).join("numpy").exists());
}

#[test]
fn what_is_no_better_comes_back_to_the_byte() {
    let environment = Environment::new();
    let pins = environment.pins();
    let cure = steps(&pins).join("\n");
    // Another version than asked for; nothing at all; what was asked for, and something else went.
    let other: Vec<_> = pins.iter().map(|(name, _)| (name.clone(), "0.0.1".to_owned())).collect();
    let other = steps(&other).join("\n");
    let loses = format!("{cure}\nrm -r {SITE}/idna*");
    for (script, why) in [
        (other, "was to be installed"),
        ("exit 0".to_owned(), "no finding is gone"),
        (loses, "no longer installed: idna"),
    ] {
        environment.installer(&script);
        let before = environment.photograph();
        let told = environment.fix(&["--apply", "--yes"]);
        assert_eq!(told.code, Some(1), "{told:?}");
        assert!(told.out.contains(why) && told.out.contains("restored"), "{}", told.out);
        assert_eq!(environment.photograph(), before, "{why}");
    }
}

#[test]
fn an_installer_that_fails_says_where_and_leaves_nothing() {
    let environment = Environment::new();
    let half = environment.steps()[..7].join("\n");
    environment.installer(&format!("{half}\necho 'ERROR: [Errno 28] No space left on device' >&2\nexit 1"));
    let before = environment.photograph();
    let told = environment.fix(&["--apply", "--yes"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.contains("step 1 of 1 failed") && told.err.contains("No space left on device"), "{}", told.err);
    assert_eq!(environment.photograph(), before);

    fs::remove_file(environment.path().join("bin/python3")).unwrap();
    environment.write("bin/python3", "no program");
    let before = environment.photograph();
    let told = environment.fix(&["--apply", "--yes"]);
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(told.err.contains("failed to start"), "{}", told.err);
    assert_eq!(environment.photograph(), before);
}

#[test]
fn nothing_is_run_unasked() {
    let environment = Environment::new();
    environment.installer("touch ran");
    let told = environment.fix(&["--apply"]);
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(told.err.contains("--yes"), "{}", told.err);
    assert!(!environment.path().join("ran").exists());
    assert!(!environment.path().join(".gpudoc/journal").exists());
}

#[test]
fn only_environments_that_were_made_to_be_changed_are() {
    let environment = Environment::new();
    fs::remove_file(environment.path().join("pyvenv.cfg")).unwrap();
    environment.write("lib/python3.11/os.py", "");
    environment.installer("touch ran");
    for option in ["--apply", "--try"] {
        let told = environment.fix(&if option == "--apply" { vec![option, "--yes"] } else { vec![option] });
        assert_eq!(told.code, Some(2), "{told:?}");
        assert!(told.err.contains("no virtual environment") && told.err.contains("-m venv .venv"), "{}", told.err);
    }
    assert!(!environment.path().join("ran").exists() && !environment.path().join(".gpudoc").exists());
    let gpudoc = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_gpudoc")).args(arguments).output().unwrap();
    for arguments in
        [["fix", "--apply", "--from", "x"], ["fix", "--apply", "--root", "/"], ["fix", "--try", "--from", "x"]]
    {
        assert_eq!(gpudoc(&arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_try_touches_nothing_and_leaves_nothing() {
    let environment = Environment::new();
    let cure = environment.steps().join("\n");
    // The copy's own Python runs, in the copy's folder.
    environment.installer(&format!("cd \"${{0%/bin/python3}}\" || exit 9\n{cure}"));
    let before = environment.photograph();
    let told = environment.fix(&["--try"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.contains("before   fail") && told.out.contains("gone     "), "{}", told.out);
    assert_eq!(environment.photograph(), before);
    let left = || fs::read_dir(environment.folder.path()).unwrap().count();
    assert_eq!(left(), 1, "only the environment");

    let told = environment.fix(&["--try", "--keep"]);
    assert!(told.err.contains("gpudoc-try-"), "{}", told.err);
    assert_eq!(left(), 2);

    environment.installer("echo no network >&2; exit 1");
    let told = environment.fix(&["--try"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.contains("no network") && told.err.contains("not touched"), "{}", told.err);
    assert_eq!(left(), 2);
}
