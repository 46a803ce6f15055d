//! `gpudoc rules verify`: sound rules pass, and each of many planted faults is found with its file, line and reason.

use std::path::Path;
use std::process::{Command, Output};

/// A small sound database: the shipped platform files, two packages and an advisory.
const DEMO: &str = r#"package = "demo"

[[library-choice]]
versions = "<2"
pick = "torch-cuda-exact"
source = "demo/cextension.py"

[[library-choice]]
versions = ">=2"
pick = "torch-cuda-major"
source = "demo/cextension.py"

[[partner]]
with = "torch"
versions = ">=2"
cuda = "same"
otherwise = "import of demo stops"
source = "demo/extension.py"

[source-build]
cuda = true
arch-variable = "DEMO_ARCHS"
only-with = "DEMO_OPS=1"
isolation = false
source = { page = "https://github.com/owner/demo/blob/v2.0/setup.py", read = "2026-11-21" }

[[guard]]
versions = ">=1"
checks = ["huggingface-hub"]
stops = "unmet"
source = { page = "the demo wheel 2.0: demo/__init__.py", read = "2026-11-21" }

[[torch-abi]]
version = "1.0"
torch = ["2.6.0"]
source = { wheel = "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", sha256 = "43db0723fc66ad6486f86dc4890c497937f7cd27429f28f73fb7e4d74b7482e2", read = "2026-11-21" }

[[release]]
version = "1.0"
date = "2025-06-04"
requires-python = ">=3.9"
requires = ["torch>=2"]

[[release.build]]
cuda = "12.6"
index = "pypi"
platform = "linux_x86_64"
python = ["cp311"]
code = [
    { containers = 9, sass = ["sm_80"], special = [{ target = "sm_90a", containers = 3 }] },
]
source = { wheel = "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", sha256 = "43db0723fc66ad6486f86dc4890c497937f7cd27429f28f73fb7e4d74b7482e2", read = "2026-11-21" }

[[release]]
version = "2.0"
date = "2026-06-04"

[[release.build]]
index = "pypi"
platform = "any"
source = { sdist = "demo-2.0.tar.gz", sha256 = "53db0723fc66ad6486f86dc4890c497937f7cd27429f28f73fb7e4d74b7482e2", read = "2026-11-21" }
"#;

const TORCH: &str = r#"package = "torch"

[[release]]
version = "2.7.1"
date = "2025-06-04"

[[release.build]]
local = "cu126"
cuda = "12.6"
index = "pypi"
platform = "linux_x86_64"
source = { page = "https://index.example/torch", read = "2026-11-20" }
"#;

const ADVISORY: &str = r#"id = "GPUDOC-2026-0001"
title = "demo 1 does not import beside torch 2.7"
story = "It asks for a name that torch 2.7 no longer has."
severity = "fail"
date = "2026-11-21"

[[when]]
installed = ["demo<2", "torch>=2.7"]

[[reference]]
page = "https://tracker.example/1"
read = "2026-11-21"

[[example]]
why = "as reported"
hits = true
installed = ["demo==1.0", "torch==2.7.1+cu126"]

[[example]]
why = "demo 2 asks for another name"
hits = false
installed = ["demo==2.0", "torch==2.7.1+cu126"]
"#;

/// The examples of the advisory.
const EXAMPLES: &str = r#"[[example]]
why = "as reported"
hits = true
installed = ["demo==1.0", "torch==2.7.1+cu126"]

[[example]]
why = "demo 2 asks for another name"
hits = false
installed = ["demo==2.0", "torch==2.7.1+cu126"]
"#;

const DEMO_FILE: &str = "packages/demo.toml";
const ADVISORY_FILE: &str = "advisories/GPUDOC-2026-0001.toml";

/// Writes the sound database below a folder.
fn plant(rules: &Path) {
    for folder in ["platform", "packages", "advisories", "symptoms"] {
        std::fs::create_dir_all(rules.join(folder)).expect("a folder");
    }
    let platform = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/platform");
    for entry in std::fs::read_dir(platform).expect("the platform files") {
        let path = entry.expect("a file").path();
        std::fs::copy(&path, rules.join("platform").join(path.file_name().expect("a name"))).expect("copied");
    }
    for (file, text) in [(DEMO_FILE, DEMO), ("packages/torch.toml", TORCH), (ADVISORY_FILE, ADVISORY)] {
        std::fs::write(rules.join(file), text).expect("written");
    }
}

fn verify(rules: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
    command.args(["rules", "verify", "--rules-dir"]).arg(rules).output().expect("gpudoc runs")
}

#[test]
fn the_rules_of_this_repository_have_no_fault() {
    let output = verify(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("no fault found"), "{text}");
}

#[test]
fn a_small_sound_database_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    plant(folder.path());
    let output = verify(folder.path());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "2 packages and 1 advisory: no fault found\n");
}

/// A fault: the file, what is replaced by what, the line that must be named, words of the reason.
type Fault = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[test]
fn every_planted_fault_is_found_at_its_line() {
    let faults: [Fault; 27] = [
        // Format.
        (
            DEMO_FILE,
            "requires-python = \">=3.9\"",
            "require-python = \">=3.9\"",
            "require-python = ",
            "unknown field `require-python`",
        ),
        (DEMO_FILE, "version = \"2.0\"", "version = \"two\"", "[[release]]\nversion = \"two\"", "`two`: "),
        (
            DEMO_FILE,
            "date = \"2026-06-04\"",
            "date = \"June\"",
            "[[release]]\nversion = \"2.0\"",
            "`June` is not a day",
        ),
        (
            DEMO_FILE,
            "requires = [\"torch>=2\"]",
            "requires = [\"torch=>2\"]",
            "[[release]]\nversion = \"1.0\"",
            "torch=>2",
        ),
        (DEMO_FILE, "sass = [\"sm_80\"]", "sass = [\"sm_8\"]", "sass = [\"sm_8\"]", "sm_8"),
        // Sources.
        (
            DEMO_FILE,
            "source = { sdist",
            "# source = { sdist",
            "[[release.build]]\nindex = \"pypi\"\nplatform = \"any\"",
            "missing field `source`",
        ),
        (
            DEMO_FILE,
            "53db0723",
            "53db",
            "[[release.build]]\nindex = \"pypi\"\nplatform = \"any\"",
            "64 hexadecimal digits",
        ),
        (
            DEMO_FILE,
            ", sha256 = \"53db0723fc66ad6486f86dc4890c497937f7cd27429f28f73fb7e4d74b7482e2\"",
            "",
            "[[release.build]]\nindex = \"pypi\"\nplatform = \"any\"",
            "with its `sha256`",
        ),
        // Ranges.
        (
            DEMO_FILE,
            "versions = \">=2\"\npick",
            "versions = \">=1\"\npick",
            "[[library-choice]]\nversions = \">=1\"",
            "overlap: 1.0 is in both",
        ),
        (
            DEMO_FILE,
            "versions = \">=2\"\ncuda",
            "versions = \">=3\"\ncuda",
            "[[partner]]\nwith = \"torch\"",
            "matches no release",
        ),
        (
            ADVISORY_FILE,
            "installed = [\"demo<2\", ",
            "installed = [\"demo<1\", ",
            "[[when]]",
            "`demo<1` matches no release of demo",
        ),
        // References.
        (
            DEMO_FILE,
            "with = \"torch\"",
            "with = \"torhc\"",
            "[[partner]]\nwith = \"torhc\"",
            "there is no `packages/torhc.toml`",
        ),
        (DEMO_FILE, "package = \"demo\"", "package = \"dome\"", "package = \"dome\"", "in a file named `demo.toml`"),
        (
            ADVISORY_FILE,
            "id = \"GPUDOC-2026-0001\"",
            "id = \"GPUDOC-2026-0002\"",
            "id = \"GPUDOC-2026-0002\"",
            "in a file named",
        ),
        // Advisories.
        (ADVISORY_FILE, "hits = true", "hits = false", "id = ", "an example that it hits"),
        (ADVISORY_FILE, EXAMPLES, "", "id = ", "missing field `example`"),
        (
            ADVISORY_FILE,
            "[[reference]]\npage = \"https://tracker.example/1\"\nread = \"2026-11-21\"\n",
            "",
            "id = ",
            "missing field `reference`",
        ),
        // Contradictions.
        (
            DEMO_FILE,
            "version = \"2.0\"",
            "version = \"1.0\"",
            "[[release]]\nversion = \"1.0\"\ndate = \"2026-06-04\"",
            "release 1.0 is not above the one before it",
        ),
        (DEMO_FILE, "containers = 3", "containers = 30", "    { containers = 9", "more than the 9 containers"),
        (
            DEMO_FILE,
            "sdist = \"demo-2.0.tar.gz\"",
            "wheel = \"demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl\"",
            "[[release.build]]\nindex = \"pypi\"\nplatform = \"any\"",
            "another sha256 in an earlier row",
        ),
        // What compiles against torch.
        (
            DEMO_FILE,
            "[source-build]\ncuda = true",
            "[source-build]\ncuda = false",
            "[source-build]",
            "`arch-variable` without CUDA code",
        ),
        (DEMO_FILE, "demo/blob/v2.0/", "demo/blob/main/", "source = { page = \"https", "name a tag or a commit"),
        (
            ADVISORY_FILE,
            "page = \"https://tracker.example/1\"",
            "page = \"(verbatim fixtures of build.sh at the release tag)\"",
            "page = \"(verbatim",
            "names nothing that can be opened",
        ),
        (
            ADVISORY_FILE,
            "page = \"https://tracker.example/1\"",
            "page = \"https://github.com/owner/demo/blob/main/README.md\"",
            "page = \"https",
            "name a tag or a commit",
        ),
        (
            DEMO_FILE,
            "only-with = \"DEMO_OPS=1\"",
            "only-with = \"--ops=1\"",
            "[source-build]",
            "`--ops` is no environment variable",
        ),
        // What else stands beside the releases.
        (
            DEMO_FILE,
            "checks = [\"huggingface-hub\"]",
            "checks = [\"huggingface_hub\"]",
            "[[guard]]",
            "`huggingface_hub` is not a normalised name",
        ),
        (DEMO_FILE, "torch = [\"2.6.0\"]", "torch = [\"2.6.9\"]", "[[torch-abi]]", "`2.6.9` is no run of the releases"),
    ];
    for (file, sound, wrong, place, reason) in faults {
        let folder = tempfile::tempdir().expect("a folder");
        plant(folder.path());
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).expect("planted");
        assert_eq!(text.matches(sound).count(), 1, "`{sound}` is in {file} once");
        let text = text.replace(sound, wrong);
        std::fs::write(&path, &text).expect("written");
        let output = verify(folder.path());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let at = text.find(place).unwrap_or_else(|| panic!("`{place}` is in {file}"));
        let line = text[..at].matches('\n').count() + 1;
        assert_eq!(output.status.code(), Some(1), "{wrong}: {said}");
        assert!(said.starts_with(&format!("{}:{line}: ", path.display())), "{wrong}, line {line}: {said}");
        assert!(said.contains(reason), "{wrong}: {said}");
    }
}

#[test]
fn what_contradicts_itself_across_files_and_tables_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    plant(folder.path());
    // The same advisory again under another name, and so with an id that is taken.
    std::fs::write(folder.path().join("advisories/GPUDOC-2026-0002.toml"), ADVISORY).expect("written");
    let said = String::from_utf8_lossy(&verify(folder.path()).stdout).into_owned();
    assert!(said.contains("GPUDOC-2026-0002.toml:1: `id = \"GPUDOC-2026-0001\"`"), "{said}");

    plant(folder.path());
    std::fs::remove_file(folder.path().join("advisories/GPUDOC-2026-0002.toml")).expect("there");
    let twice = DEMO.replace("[[release]]\nversion = \"2.0\"", &{
        let start = DEMO.find("[[release.build]]").expect("a build");
        let end = DEMO.find("[[release]]\nversion = \"2.0\"").expect("a release");
        format!("{}[[release]]\nversion = \"2.0\"", &DEMO[start..end])
    });
    std::fs::write(folder.path().join(DEMO_FILE), &twice).expect("written");
    let said = String::from_utf8_lossy(&verify(folder.path()).stdout).into_owned();
    let second = twice.match_indices("[[release.build]]").nth(1).expect("planted").0;
    let line = twice[..second].matches('\n').count() + 1;
    assert!(said.contains(&format!("demo.toml:{line}: two builds with the same label")), "{said}");

    plant(folder.path());
    let gpus = folder.path().join("platform/gpus.toml");
    let text = std::fs::read_to_string(&gpus).expect("copied");
    let product = text.find("\n[[product]]").expect("a product") + 1;
    let rest = &text[product..];
    let end = rest[2..].find("[[").map_or(rest.len(), |end| end + 2);
    let copy = rest[..end].replace("capability = \"", "capability = \"1");
    std::fs::write(&gpus, format!("{text}\n{copy}")).expect("written");
    let said = String::from_utf8_lossy(&verify(folder.path()).stdout).into_owned();
    let line = text.matches('\n').count() + 2;
    assert!(said.contains(&format!("gpus.toml:{line}: ")) && said.contains("has another capability"), "{said}");
}

/// A table is listed in one place; a file beside the list would be read by nobody, and one without a head understood by nobody.
#[test]
fn a_table_is_listed_and_says_what_it_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    plant(folder.path());
    let foo = folder.path().join("platform/foo.toml");
    std::fs::write(&foo, "# Nobody reads it.\n").expect("written");
    let said = String::from_utf8_lossy(&verify(folder.path()).stdout).into_owned();
    assert!(said.contains("platform/foo.toml:1: no table is read from it: list `foo` in src/rules"), "{said}");

    std::fs::remove_file(&foo).expect("there");
    let xid = folder.path().join("platform/xid.toml");
    let text = std::fs::read_to_string(&xid).expect("copied");
    let rows = text.find("[sources]").expect("sources");
    std::fs::write(&xid, &text[rows..]).expect("written");
    let said = String::from_utf8_lossy(&verify(folder.path()).stdout).into_owned();
    assert!(said.contains("platform/xid.toml:1: the file begins with a comment"), "{said}");
}
