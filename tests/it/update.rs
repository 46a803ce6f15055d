//! `gpudoc rules update` against an index in the test, and what every other command makes of what it wrote.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::process::{Command, Output};

use super::package_index::{Asked, Reply, Server, wheel};

const FILE: &str = "peft-99.0-py3-none-any.whl";

fn new() -> Vec<u8> {
    wheel("peft-99.0", "Metadata-Version: 2.1\nName: peft\nVersion: 99.0\nRequires-Dist: torch>=2.7\n")
}

fn answer(asked: &Asked, listing: bool) -> Reply {
    match asked.path.as_str() {
        "/simple/peft/" if listing => Reply::html(&format!(
            "<a href=\"../../files/{FILE}#sha256={}\">{FILE}</a><a href=\"../../files/peft-0.1-py3-none-any.whl\">peft-0.1-py3-none-any.whl</a>",
            "0".repeat(64)
        )),
        path if path.ends_with(FILE) => Reply::file(&new(), asked.range.as_deref()),
        _ => Reply::status(404),
    }
}

fn gpudoc(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
    command.args(arguments).env("GPUDOC_DATA", data).env("NO_PROXY", "*").env("no_proxy", "*");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn newer_releases_are_used_by_every_command() {
    let server = Server::start(|asked| answer(asked, true));
    let data = tempfile::tempdir().unwrap();
    let unknown = gpudoc(data.path(), &["rules", "show", "peft==99.0"]);
    assert_eq!(unknown.status.code(), Some(2));

    let offline = gpudoc(data.path(), &["rules", "update", "peft", "--offline", "--index", &server.index]);
    assert!(offline.status.success() && server.requests().is_empty(), "{}", text(&offline.stderr));

    let updated = gpudoc(data.path(), &["rules", "update", "peft", "--index", &server.index]);
    assert!(updated.status.success(), "{}", text(&updated.stderr));
    assert!(text(&updated.stderr).contains("new: peft 99.0"), "{}", text(&updated.stderr));
    // Older releases, known or not, are none of its business.
    assert!(!server.requests().iter().any(|path| path.contains("peft-0.1")));
    let shown = text(&gpudoc(data.path(), &["rules", "show", "peft==99.0"]).stdout);
    assert!(shown.contains("peft 99.0") && shown.contains("torch>=2.7"), "{shown}");
    let solved =
        gpudoc(data.path(), &["resolve", "peft", "--gpu", "H100", "--driver", "590.44.01", "--python", "3.12"]);
    assert!(text(&solved.stdout).contains("peft==99.0"), "{}", text(&solved.stdout));

    // What is known is not read again.
    server.requests();
    assert!(gpudoc(data.path(), &["rules", "update", "peft", "--index", &server.index]).status.success());
    assert_eq!(server.requests(), ["/simple/peft/"]);
}

#[test]
fn what_cannot_be_read_changes_nothing_and_is_said() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("rules.bin");
    let server = Server::start(|asked| answer(asked, true));
    assert!(gpudoc(data.path(), &["rules", "update", "peft", "--index", &server.index]).status.success());
    let before = std::fs::read(&file).unwrap();
    let broken = Server::start(|asked| answer(asked, false));
    let failed = gpudoc(data.path(), &["rules", "update", "peft", "--index", &broken.index]);
    assert_eq!(failed.status.code(), Some(2));
    assert!(text(&failed.stderr).contains("peft"), "{}", text(&failed.stderr));
    assert_eq!(std::fs::read(&file).unwrap(), before);

    std::fs::write(&file, &before[..before.len() - 1]).unwrap();
    let listed = gpudoc(data.path(), &["rules", "show", "peft==99.0"]);
    let warning = text(&listed.stderr);
    assert_eq!(listed.status.code(), Some(2));
    assert!(warning.contains("ignored") && warning.contains("it is damaged"), "{warning}");
}
