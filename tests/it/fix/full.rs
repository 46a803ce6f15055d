//! A disk that is full, for real: a small file system in memory, where this machine lets one be mounted.

use std::process::{Command, Stdio};

use super::{Environment, SITE, Told};

/// Copies an environment onto a file system of that size, runs `gpudoc fix --apply` there, and compares then and now.
fn on_a_disk_of(size: &str, environment: &Environment) -> Option<Told> {
    let script = r#"
        mkdir -p "$1/disk" && mount -t tmpfs -o "size=$4" none "$1/disk" || exit 99
        cp -a "$2" "$1/disk/venv" || exit 98
        look() {
            (cd "$1/disk/venv" && find . -mindepth 1 -name .gpudoc -prune -o -mindepth 1 -printf '%p %m %T@ %s %l\n' | sort
             find . -name .gpudoc -prune -o -type f -print | sort | xargs cat | cksum)
        }
        look "$1" > "$1/before"
        "$3" fix --apply --yes --python "$1/disk/venv"; code=$?
        look "$1" > "$1/after"
        cmp "$1/before" "$1/after" || exit 97
        exit $code
    "#;
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(environment.folder.path()).arg(environment.path());
    command.args([env!("CARGO_BIN_EXE_gpudoc"), size]).stdin(Stdio::null());
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH"] {
        command.env_remove(name);
    }
    let told = command.output().map(|output| Told::of(&output)).ok();
    let told = told.filter(|told| told.code.is_some_and(|code| code != 99 && code != 1 || told.err.contains("step 1")));
    if told.is_none() {
        eprintln!("skipped: no file system can be mounted here");
    }
    told
}

#[test]
fn an_installer_that_fills_the_disk_leaves_nothing() {
    let environment = Environment::new();
    // The last word of its own path says where the environment is now.
    environment.installer(&format!(
        "cd \"${{0%/bin/python3}}\" && rm -r {SITE}/torchvision && dd if=/dev/zero of={SITE}/big bs=64k count=1000"
    ));
    let Some(told) = on_a_disk_of("6m", &environment) else { return };
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.contains("No space left") && told.err.contains("restored"), "{told:?}");
}

#[test]
fn without_room_for_the_copies_nothing_begins() {
    let environment = Environment::new();
    for number in 0..20 {
        environment.write(&format!("{SITE}/torch/more{number}.py"), &"x = 1\n".repeat(20_000));
    }
    environment.installer("touch \"${0%/bin/python3}/ran\"");
    let Some(told) = on_a_disk_of("5m", &environment) else { return };
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(told.err.contains("nothing was changed") && told.err.contains("No space left"), "{told:?}");
}
