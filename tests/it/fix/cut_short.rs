//! gpudoc, its installer or its way back is killed at any step and any moment, or asked to stop.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Environment, Told, wait_for};

/// gpudoc is killed by the installer after each of its steps.
#[test]
fn killed_at_any_step_undo_mends() {
    let environment = Environment::new();
    // In a folder of its own all is the installer's, also what no RECORD names yet.
    fs::remove_dir_all(environment.path().join("mine")).unwrap();
    let mut steps = environment.steps();
    let data =
        steps.iter().position(|step| step.contains("data/torchvision") && step.starts_with("mkdir -p share")).unwrap();
    let data = steps.remove(data);
    steps.insert(0, data);
    for at in 0..steps.len() {
        let mut script = steps.clone();
        script.insert(at, "kill -9 $PPID; while kill -0 $PPID 2>/dev/null; do :; done".to_owned());
        script.truncate(at + 1);
        environment.installer(&script.join("\n"));
        let before = environment.photograph();
        let output = environment.command(&["--apply", "--yes"]).output().unwrap();
        assert_eq!(output.status.signal(), Some(9), "{output:?}");
        let until_it_is_free = |arguments: &[&str]| {
            let end = Instant::now() + Duration::from_secs(30);
            loop {
                let told = environment.fix(arguments);
                if !told.err.contains("still runs") {
                    break told;
                }
                assert!(Instant::now() < end, "{told:?}");
            }
        };
        if at == 3 {
            // The next apply does not build on ruins.
            let again = until_it_is_free(&["--apply", "--yes"]);
            assert!(again.code == Some(2) && again.err.contains("--undo"), "{again:?}");
        }
        let told = until_it_is_free(&["--undo"]);
        assert_eq!(told.code, Some(0), "{told:?}");
        assert_eq!(environment.photograph(), before, "step {at}");
    }
}

/// gpudoc is killed whenever: while it looks, puts aside, runs, checks or goes back.
#[test]
fn killed_at_any_moment_undo_mends() {
    let environment = Environment::new();
    let half = environment.steps()[..8].join("\nsleep 0.02\n");
    environment.installer(&format!("{half}\nexit 1"));
    let before = environment.photograph();
    let start = Instant::now();
    assert_eq!(environment.fix(&["--apply", "--yes"]).code, Some(1));
    let whole = start.elapsed();
    for tenth in 1..=10 {
        let mut child =
            environment.command(&["--apply", "--yes"]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * tenth / 10);
        let _ = child.kill();
        child.wait().unwrap();
        let mut undo = environment.command(&["--undo"]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(u64::from(tenth) * 7));
        let _ = undo.kill();
        undo.wait().unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        while environment.fix(&["--undo"]).code != Some(0) {
            assert!(Instant::now() < end, "never");
        }
        assert_eq!(environment.photograph(), before, "after {tenth} tenths of {whole:?}");
    }
}

#[test]
fn asked_to_stop_it_takes_back_and_says_so() {
    let environment = Environment::new();
    let half = environment.steps()[..5].join("\n");
    let mark = environment.folder.path().join("mark");
    environment.installer(&format!("{half}\ntouch {}\nsleep 600", mark.display()));
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let before = environment.photograph();
        let child =
            environment.command(&["--apply", "--yes"]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        wait_for(&mark);
        // Meanwhile nobody else may.
        for option in ["--apply", "--undo"] {
            let second = environment.fix(&[option, "--yes"]);
            assert!(second.code == Some(2) && second.err.contains("another `gpudoc fix`"), "{second:?}");
        }
        assert!(Command::new("kill").arg(signal).arg(child.id().to_string()).status().unwrap().success());
        let told = Told::of(&child.wait_with_output().unwrap());
        assert_eq!(told.code, Some(code), "{told:?}");
        assert!(told.err.contains("stopped") && told.err.contains("restored"), "{}", told.err);
        assert_eq!(environment.photograph(), before);
        fs::remove_file(&mark).unwrap();
    }
}
