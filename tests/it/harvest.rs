//! `gpudoc rules harvest` against an index in the test: what it writes, what it asks for, and what it says when the index
//! misbehaves. Nothing half-written is left behind in any of these.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::package_index::{Asked, Reply, Server, sdist, wheel};

const NEW: &str = "demo-2.0-cp311-cp311-manylinux_2_28_x86_64.whl";
const PURE: &str = "demo-1.1-py3-none-any.whl";
const SOURCE: &str = "demo-1.0.tar.gz";

fn new() -> Vec<u8> {
    wheel(
        "demo-2.0",
        "Metadata-Version: 2.1\nName: demo\nVersion: 2.0\nRequires-Dist: torch (==2.7.1) ; python_version >= \"3.9\"\n",
    )
}

fn pure() -> Vec<u8> {
    wheel(
        "demo-1.1",
        "Metadata-Version: 2.1\nName: demo\nVersion: 1.1\nRequires-Dist: torch>=2\nRequires-Dist: pytest; extra == 'test'\n",
    )
}

fn source() -> Vec<u8> {
    sdist("demo-1.0", "Metadata-Version: 2.2\nName: demo\nVersion: 1.0\nRequires-Dist: torch>=1.13\n")
}

fn sha256(bytes: &[u8]) -> String {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn json() -> String {
    let file = |name: &str, bytes: &[u8], more: &str| {
        format!(
            r#"{{"filename":"{name}","url":"../../files/{name}","hashes":{{"sha256":"{}"}},"upload-time":"2026-01-02T03:04:05Z"{more}}}"#,
            sha256(bytes)
        )
    };
    let files = [
        file(SOURCE, &source(), ""),
        file(PURE, &pure(), r#","yanked":"broken","requires-python":">=3.8""#),
        file(NEW, &new(), r#","requires-python":">=3.9""#),
    ];
    format!(r#"{{"meta":{{"api-version":"1.1"}},"name":"demo","files":[{}]}}"#, files.join(","))
}

fn html() -> String {
    let link = |name: &str, bytes: &[u8], more: &str| {
        format!(
            "<a href=\"../../files/{name}#sha256={}\" data-upload-time=\"2026-01-02T03:04:05Z\"{more}>{name}</a>\n",
            sha256(bytes)
        )
    };
    let links = [
        link(SOURCE, &source(), ""),
        link(PURE, &pure(), " data-yanked=\"broken\" data-requires-python=\"&gt;=3.8\""),
        link(NEW, &new(), " data-requires-python=\"&gt;=3.9\""),
    ];
    format!("<!DOCTYPE html><html><body>{}</body></html>", links.concat())
}

/// What an index that works answers.
fn sound(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/simple/demo/" => Reply::json(&json()),
        path if path.ends_with(NEW) => Reply::file(&new(), asked.range.as_deref()),
        path if path.ends_with(PURE) => Reply::file(&pure(), asked.range.as_deref()),
        path if path.ends_with(SOURCE) => Reply::file(&source(), asked.range.as_deref()),
        _ => Reply::status(404),
    }
}

fn command(server: &Server, rules: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
    let common = ["rules", "harvest", "demo", "--jobs", "1", "--index", &server.index];
    command.args(common);
    if !more.contains(&"--today") {
        command.args(["--today", "2026-11-21"]);
    }
    command.arg("--rules-dir").arg(rules).args(more).env("NO_PROXY", "*").env("no_proxy", "*");
    command
}

fn harvest(server: &Server, rules: &Path, more: &[&str]) -> Output {
    command(server, rules, more).output().expect("gpudoc runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The rows that were written; none if there is no file. A draft must never be left.
fn rows(rules: &Path) -> Option<String> {
    let folder = rules.join("packages");
    let names = std::fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.expect("an entry").file_name());
    let names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(names.iter().all(|name| name == "demo.toml"), "left behind: {names:?}");
    std::fs::read_to_string(folder.join("demo.toml")).ok()
}

fn expected() -> String {
    format!(
        r#"# Releases, extras and torch-abi are written by `gpudoc rules harvest demo`; the rest by hand.

package = "demo"
extras-read = ["1.0 to 2.0"]

[[release]]
version = "1.0"
date = "2026-01-02"
requires = ["torch>=1.13"]
requires-known = "stated"

[[release.build]]
index = "pypi"
platform = "any"
source = {{ sdist = "{SOURCE}", sha256 = "{}", read = "2026-11-21" }}

[[release]]
version = "1.1"
date = "2026-01-02"
yanked = true
requires-python = ">=3.8"
requires = ["torch>=2"]

[[release.build]]
index = "pypi"
platform = "any"
python = ["py3"]
source = {{ wheel = "{PURE}", sha256 = "{}", read = "2026-11-21" }}

[[release]]
version = "2.0"
date = "2026-01-02"
requires-python = ">=3.9"
requires = ['torch==2.7.1; python_version >= "3.9"']

[[release.build]]
index = "pypi"
platform = "linux_x86_64"
glibc = "2.28"
python = ["cp311"]
source = {{ wheel = "{NEW}", sha256 = "{}", read = "2026-11-21" }}
"#,
        sha256(&source()),
        sha256(&pure()),
        sha256(&new())
    )
}

#[test]
fn a_second_run_downloads_nothing_and_changes_no_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(sound);
    let first = harvest(&server, folder.path(), &[]);
    assert!(first.status.success(), "{}", said(&first));
    assert_eq!(rows(folder.path()).as_deref(), Some(expected().as_str()));
    assert!(server.requests().len() > 3);
    let second = harvest(&server, folder.path(), &["--today", "2026-12-24"]);
    assert!(second.status.success(), "{}", said(&second));
    assert_eq!(server.requests(), ["/simple/demo/"]);
    assert_eq!(rows(folder.path()), Some(expected()));
}

#[test]
fn html_and_json_give_the_same_rows_whatever_they_are_called() {
    // HTML where JSON was asked for, JSON under the name of HTML, HTML under the name of JSON.
    let answers: [fn() -> Reply; 3] = [|| Reply::html(&html()), || Reply::html(&json()), || Reply::json(&html())];
    for answer in answers {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(move |asked| if asked.path == "/simple/demo/" { answer() } else { sound(asked) });
        let output = harvest(&server, folder.path(), &[]);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(rows(folder.path()), Some(expected()));
    }
}

#[test]
fn what_passes_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    // Busy twice at the listing; then every file breaks off once, or is refused once.
    let server = Server::start(|asked| match (asked.path.as_str(), asked.before) {
        ("/simple/demo/", 0) => Reply::status(429).with("Retry-After", "1"),
        ("/simple/demo/", 1) => Reply::status(503),
        ("/simple/demo/", 2) => sound(asked).cut(),
        (path, 0) if path.ends_with(PURE) => Reply::status(502),
        (_, 0) => sound(asked).cut(),
        _ => sound(asked),
    });
    let start = Instant::now();
    let output = harvest(&server, folder.path(), &[]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(start.elapsed() >= Duration::from_secs(1), "`Retry-After: 1` was not heeded");
    assert_eq!(rows(folder.path()), Some(expected()));
}

#[test]
fn an_index_that_fails_is_named_and_nothing_is_written() {
    type Answer = fn(&Asked) -> Reply;
    let cases: [(&str, Answer, &[&str]); 8] = [
        ("404", |_| Reply::status(404), &["404", "check the package's name and `--index`"]),
        ("429", |_| Reply::status(429).with("Retry-After", "0"), &["429", "wait, and run the command again"]),
        ("503", |_| Reply::status(503), &["503", "run the command again later"]),
        ("401", |_| Reply::status(401), &["401", "choose another with `--index`"]),
        ("truncated", |asked| sound(asked).cut(), &["failed to fetch", "run the command again"]),
        (
            "a login page",
            |_| Reply::html("<html><a href=\"/login\">Sign in</a></html>"),
            &["lists no file of `demo`", "`--index`"],
        ),
        (
            "neither",
            |_| Reply::new(200, "text/plain", "hello"),
            &["neither JSON nor HTML but `text/plain`", "`--index`"],
        ),
        ("half JSON", |_| Reply::json("{\"files\": [{"), &["unreadable JSON", "`--index`"]),
    ];
    for (name, answer, words) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(answer);
        let output = harvest(&server, folder.path(), &["--retries", "1"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains(&format!("{}/demo/", server.index)), "{name}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{name}: {said}");
        assert_eq!(rows(folder.path()), None, "{name}");
    }
}

#[test]
fn one_bad_file_spoils_no_other_and_is_read_again() {
    type Answer = fn(&Asked) -> Reply;
    let cases: [(&str, &str, Answer, &[&str]); 6] = [
        (
            "wrong hash",
            SOURCE,
            |_| Reply::file(&sdist("demo-1.0", "Metadata-Version: 2.2\nName: evil\n"), None),
            &["has sha256", "and the index says", "nothing of it is used"],
        ),
        ("no archive", SOURCE, |_| Reply::html("<html>later</html>"), &["has sha256"]),
        (
            "damaged member",
            NEW,
            |asked| {
                let bytes: Vec<_> = new().into_iter().map(|byte| if byte == b'=' { b'!' } else { byte }).collect();
                Reply::file(&bytes, asked.range.as_deref())
            },
            &["is damaged", "checksum"],
        ),
        ("a page for a wheel", NEW, |_| Reply::html("<html>sign in</html>"), &["the whole file instead of a range"]),
        ("truncated", NEW, |asked| sound(asked).cut(), &["failed to fetch"]),
        ("gone", NEW, |_| Reply::status(404), &["404"]),
    ];
    for (name, bad, answer, words) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(move |asked| if asked.path.ends_with(bad) { answer(asked) } else { sound(asked) });
        let output = harvest(&server, folder.path(), &["--retries", "1"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains(&format!("`{bad}` could not be read")) && said.contains("/files/"), "{name}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{name}: {said}");
        assert!(said.contains("1 file could not be read; run the command again"), "{name}: {said}");
        let written = rows(folder.path()).expect("the others");
        assert!(!written.contains(bad) && written.matches("[[release]]").count() == 2, "{name}: {written}");

        let server = Server::start(sound);
        assert!(harvest(&server, folder.path(), &[]).status.success(), "{name}");
        assert_eq!(rows(folder.path()), Some(expected()), "{name}");
        let others = [NEW, PURE, SOURCE].into_iter().filter(|file| *file != bad);
        let requests = server.requests();
        assert!(
            others.into_iter().all(|file| !requests.iter().any(|path| path.ends_with(file))),
            "{name}: {requests:?}"
        );
    }
}

#[test]
fn slow_bytes_are_not_waited_for_for_ever() {
    type Answer = fn(&Asked) -> Reply;
    let cases: [(&str, Answer, &str); 2] = [
        ("silence", |asked| sound(asked).after(Duration::from_secs(20)), "failed to fetch"),
        ("a trickle", |asked| sound(asked).dripping(Duration::from_millis(100)), "sends less than 1024 bytes in 1 s"),
    ];
    for (name, answer, words) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(answer);
        let start = Instant::now();
        let output = harvest(&server, folder.path(), &["--timeout", "1", "--retries", "0"]);
        assert!(start.elapsed() < Duration::from_secs(10), "{name}: {:?}", start.elapsed());
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains(words) && said.contains(&server.index), "{name}: {said}");
        assert_eq!(rows(folder.path()), None, "{name}");
    }
}

#[test]
fn an_interrupted_run_continues_where_it_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    // The newest is read first; the others do not come in time.
    let server = Server::start(|asked| match asked.path.ends_with(PURE) || asked.path.ends_with(SOURCE) {
        true => sound(asked).after(Duration::from_secs(60)),
        false => sound(asked),
    });
    let mut child = command(&server, folder.path(), &[]).stderr(Stdio::null()).spawn().expect("gpudoc runs");
    let file = folder.path().join("packages/demo.toml");
    let start = Instant::now();
    while !file.exists() && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let partial = rows(folder.path()).expect("the first row");
    assert!(partial.contains(NEW) && !partial.contains(PURE), "{partial}");

    let server = Server::start(sound);
    assert!(harvest(&server, folder.path(), &[]).status.success());
    assert_eq!(rows(folder.path()), Some(expected()));
    assert!(!server.requests().iter().any(|path| path.ends_with(NEW)));
}

#[test]
fn only_the_last_releases_are_read_where_that_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(sound);
    assert!(harvest(&server, folder.path(), &["--last", "1"]).status.success());
    let written = rows(folder.path()).expect("a row");
    assert!(written.contains("\npartial = true\n") && written.matches("[[release]]").count() == 1, "{written}");
}

#[test]
fn a_damaged_file_of_rows_is_named_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("packages")).expect("a folder");
    std::fs::write(folder.path().join("packages/demo.toml"), "package = \"demo\"\n[[rel").expect("written");
    let server = Server::start(sound);
    let output = harvest(&server, folder.path(), &[]);
    assert!(said(&output).contains("demo.toml"), "{}", said(&output));
    assert_eq!(rows(folder.path()).as_deref(), Some("package = \"demo\"\n[[rel"));
    assert_eq!(server.requests(), [""; 0]);
}

#[test]
fn metadata_that_is_served_alone_is_enough_for_nvidias_wheels() {
    const FILE: &str = "nvidia_demo-1.0-py3-none-manylinux_2_17_x86_64.whl";
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(|asked| match asked.path.as_str() {
        "/simple/nvidia-demo/" => Reply::html(&format!(
            "<a href=\"../../files/{FILE}#sha256={}\" data-core-metadata=\"true\" data-upload-time=\"2026-01-02T00:00:00Z\">{FILE}</a>",
            "0".repeat(64)
        )),
        path if path.ends_with(".metadata") => Reply::new(
            200,
            "text/plain",
            "Metadata-Version: 2.1\nName: nvidia-demo\nVersion: 1.0\nRequires-Dist: torch>=2\n",
        ),
        _ => Reply::status(404),
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
    command.args(["rules", "harvest", "nvidia-demo", "--index", &server.index, "--rules-dir"]).arg(folder.path());
    let output = command.env("NO_PROXY", "*").env("no_proxy", "*").output().expect("gpudoc runs");
    assert!(output.status.success(), "{}", said(&output));
    let rows = std::fs::read_to_string(folder.path().join("packages/nvidia-demo.toml")).expect("rows");
    assert!(rows.contains("requires = [\"torch>=2\"]"), "{rows}");
    assert!(!server.requests().iter().any(|path| path.ends_with(".whl")));
}
