//! Hundreds of strings that want to be more than a word, through real shells: each arrives as it was, or enters no command.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::process::{Command, Output};

use gpudoc::step::{Shell, Step, Written, dockerfile, pin, requirement, sh};

use crate::check::gpudoc;

const SHELLS: [&str; 3] = ["bash", "dash", "sh"];
/// What tries to act makes this file.
const MARK: &str = "ACTED";

/// Payloads in the places where they may come: alone, behind a version, behind a name, in a path, in a URL, in a marker.
fn strings() -> Vec<String> {
    let payloads = [
        "$(touch ACTED)",
        "`touch ACTED`",
        "; touch ACTED",
        "&& touch ACTED",
        "|| touch ACTED",
        "| touch ACTED",
        "& touch ACTED",
        "\ntouch ACTED\n",
        "\r\ntouch ACTED\r\n",
        "' ; touch ACTED ; '",
        "\" ; touch ACTED ; \"",
        "\\\"; touch ACTED; \\\"",
        "'$(touch ACTED)'",
        "\"$(touch ACTED)\"",
        "${IFS}touch${IFS}ACTED",
        "$IFS",
        "%PATH%",
        "%VAR%",
        "!touch",
        "!!",
        "^a^b",
        "--index-url=https://evil.example",
        "-e /tmp/evil",
        "--",
        "-",
        "-rfoo",
        "\u{1b}[2J\u{1b}]0;x\u{7}",
        "\0",
        "a\0b",
        "\t",
        "\u{b}",
        "> ACTED",
        ">> ACTED",
        "< /etc/passwd",
        "<(touch ACTED)",
        "{touch,ACTED}",
        "~root",
        "~",
        "*",
        "?",
        "[a-z]",
        "#",
        "# touch ACTED",
        "\\",
        "\\\\",
        "\\n",
        "\\$(touch ACTED)",
        "$'\\x24(touch ACTED)'",
        "é$(touch ACTED)ü",
        "\u{202e}dehcuot",
        "\u{200b}",
        "\u{feff}x",
        "’; touch ACTED; ’",
        "“$(touch ACTED)”",
        "=touch",
        "A=B",
        "a=b/python",
        "",
        " ",
        "  two  spaces  ",
        "if",
        "$((1+1))",
        "$0",
        "$@",
    ];
    let places =
        ["{}", "1.0{}", "torch=={}", "torch==2.7.1+cu{}", "/opt/{}/bin/python", "https://example.org/{}/simple"];
    places.iter().flat_map(|place| payloads.iter().map(move |payload| place.replace("{}", payload))).collect()
}

fn run(shell: &str, script: &str, folder: &Path) -> Output {
    Command::new(shell).arg("-c").arg(script).current_dir(folder).output().unwrap()
}

/// A program that prints its arguments, each with a NUL behind it.
fn echo(folder: &Path, name: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::write(&path, "#!/bin/sh\n[ $# -eq 0 ] || printf '%s\\0' \"$@\"\nprintf '%s\\0' \"$GIVEN\"\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_word_arrives_as_it_was_in_every_shell() {
    let folder = tempfile::tempdir().unwrap();
    let program = echo(folder.path(), "print the words");
    let all = strings();
    assert!(all.len() >= 200, "{}", all.len());
    let hidden = |text: &String| text.contains(gpudoc::text::hides);
    let (refused, words): (Vec<_>, Vec<_>) = all.iter().partition(|text| hidden(text));
    assert!(refused.len() >= 50 && words.len() >= 200);
    for text in refused {
        assert_eq!(Step::run([program.as_str(), text]), None, "{text:?}");
        assert_eq!((Step::set("A", text.as_str()), Step::prepend("A", text.as_str())), (None, None), "{text:?}");
    }
    let call = Step::run([program.clone()].into_iter().chain(words.iter().map(|word| (*word).clone()))).unwrap();
    let wrapped = call.lines(Shell::Sh, 80).join("\n");
    for shell in SHELLS {
        for text in [call.print(Shell::Sh), wrapped.clone()] {
            let output = run(shell, &text, folder.path());
            let read: Vec<_> = output.stdout.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
            let wanted: Vec<_> = words.iter().map(|word| word.as_str()).chain(["", ""]).collect();
            assert_eq!(read, wanted, "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        }
        // One by one: as a variable of the call, of the shell, and in front of a list; as the program itself.
        let script: Vec<String> = words
            .iter()
            .flat_map(|word| {
                let alone = Step::run([program.as_str()]).unwrap();
                let for_the_call = alone.clone().with("GIVEN", word).unwrap().print(Shell::Sh);
                let set = Step::set("GIVEN", word.as_str()).unwrap().print(Shell::Sh);
                let before = Step::prepend("GIVEN", word.as_str()).unwrap().print(Shell::Sh);
                let print = alone.print(Shell::Sh);
                [
                    for_the_call,
                    set,
                    print.clone(),
                    "unset GIVEN".to_owned(),
                    before.clone(),
                    before,
                    print,
                    "unset GIVEN".to_owned(),
                ]
            })
            .collect();
        let output = run(shell, &script.join("\n"), folder.path());
        let read: Vec<_> = output.stdout.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        let wanted = words.iter().flat_map(|word| {
            [
                (*word).clone(),
                (*word).clone(),
                match word.as_str() {
                    "" => String::new(),
                    word => format!("{word}:{word}"),
                },
            ]
        });
        assert_eq!(read, wanted.chain([String::new()]).collect::<Vec<_>>(), "{shell}");
        for word in &words {
            let program = Step::run([word.as_str(), "x"]).unwrap().print(Shell::Sh);
            assert!(!run(shell, &program, folder.path()).status.success(), "{shell}: {program}");
        }
        assert!(!folder.path().join(MARK).exists(), "{shell}");
    }
}

#[test]
fn only_pins_and_requirements_are_installed() {
    let folder = tempfile::tempdir().unwrap();
    for text in strings() {
        assert_eq!(pin(&text, "1.0").is_some(), pin("a", "1.0").is_some() && is_name(&text), "{text:?}");
        if let Some(pin) = pin("torch", &text) {
            assert!(pin.bytes().all(|byte| byte.is_ascii_graphic()), "{pin:?}");
        }
        // A URL may hold much, and is quoted.
        for line in [requirement(&text), requirement(&format!("a @ https://example.org/{text}"))].into_iter().flatten()
        {
            assert!(!line.starts_with('-') && !line.contains(gpudoc::text::hides), "{line:?}");
            let output = run("sh", &format!("printf %s {}", sh::quote(&line)), folder.path());
            assert_eq!(String::from_utf8_lossy(&output.stdout), line);
        }
        // A Dockerfile's value expands nothing.
        let value = dockerfile::value(&text.replace(['\n', '\r', '\0'], ""));
        let unescaped = value.replace("\\\\", "").replace("\\$", "");
        assert!(!unescaped.contains('$') && !value.contains('\n'), "{value:?}");
    }
    assert!(!folder.path().join(MARK).exists());
}

fn is_name(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.bytes().all(inside) && ends(text.bytes().next()) && ends(text.bytes().last())
}

/// An environment whose metadata is hostile in every field that gpudoc shows or installs by.
fn environment(root: &Path, payload: &str) {
    let site = root.join("v/lib/python3.11/site-packages");
    let write = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(&root.join("v/pyvenv.cfg"), "home = /usr/bin\nversion = 3.11.2\n");
    for python in ["v/bin/python3", "usr/bin/python3.11"] {
        write(&root.join(python), "\x7fELF");
    }
    write(&root.join("usr/lib/python3.11/os.py"), "");
    let distributions = [
        ("torch", "2.7.1+cu126"),
        ("torchvision", "0.22.1PAYLOAD"),
        ("xformers", "1.0PAYLOAD"),
        ("numpy", "2.0PAYLOAD"),
        ("onnxruntime", "1.20PAYLOAD"),
        ("onnxruntime_gpu", "1.20PAYLOAD"),
        ("flash_attn", "2.8.3+PAYLOAD"),
        ("bitsandbytes", "0.42.0"),
        ("nvidia_nccl_cu12", "2.26.2 PAYLOAD"),
        ("nvidia_nccl_cu13", "2.27PAYLOAD"),
    ];
    for (name, version) in distributions {
        let folder = site.join(format!("{name}-1.dist-info"));
        let requires =
            format!("Requires-Dist: a{payload}==1\nRequires-Dist: triton==3.3.1{payload}\nRequires-Dist: numpy<2");
        let version = version.replace("PAYLOAD", payload);
        write(
            &folder.join("METADATA"),
            &format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\n"),
        );
        write(&folder.join("RECORD"), &format!("{name}/{payload}.so,sha256=abc,12\n{name}/gone.py,sha256=abc,12\n"));
        write(&folder.join("INSTALLER"), payload);
        write(&folder.join("direct_url.json"), &format!("{{\"url\": {}}}", serde_json::Value::from(payload)));
    }
}

/// Runs commands where every program that they may name does nothing, but `touch`.
fn act(commands: &[String], folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    for name in
        ["pip", "uv", "python3", "python", "sudo", "conda", "docker", "nvidia-smi", "grep", "ldconfig", "ls", "cat"]
    {
        std::fs::write(bin.join(name), "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::os::unix::fs::symlink("/usr/bin/touch", bin.join("touch")).ok();
    for command in commands {
        Command::new("/usr/bin/bash").arg("-c").arg(command).env("PATH", &bin).current_dir(folder).output().unwrap();
    }
    assert!(!folder.join(MARK).exists(), "{commands:?}");
}

fn commands(document: &serde_json::Value, out: &mut Vec<String>) {
    match document {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                if let (true, Some(list)) = (name == "commands", value.as_array()) {
                    out.extend(list.iter().filter_map(|it| it.as_str()).map(str::to_owned));
                }
                commands(value, out);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| commands(item, out)),
        _ => {}
    }
}

#[test]
fn hostile_metadata_and_reports_act_nowhere() {
    let payloads = [
        "$(touch ACTED)",
        "`touch ACTED`",
        ";touch ACTED",
        "\u{1b}[31m$(touch ACTED)",
        "' ;touch ACTED; '",
        "\";touch ACTED;\"",
    ];
    let mut seen = 0;
    for payload in payloads {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        environment(&root, payload);
        let report = folder.path().join("report.txt");
        let text = format!(
            "PyTorch version: 2.7.1+cu126{payload}\nCUDA used to build PyTorch: 12.6{payload}\nGPU models and configuration: GPU 0: \
             NVIDIA GeForce RTX 5090{payload}\nNvidia driver version: 570.86.10{payload}\nPython version: 3.11.2{payload}\n\
             [pip3] torch==2.7.1+cu126\n[pip3] xformers==0.0.29{payload}\n[pip3] numpy==2.0{payload}\nLD_LIBRARY_PATH={payload}:/x/cudnn\n\
             CUDA_VISIBLE_DEVICES=9{payload}\nNo module named 'a{payload}'\nlibcudnn{payload}.so.8: cannot open shared object file\n\
             CUDA error: no kernel image is available for execution on the device\n"
        );
        std::fs::write(&report, text).unwrap();
        let (root, report) = (root.to_str().unwrap(), report.to_str().unwrap());
        for input in [&["--root", root, "--python", "/v"][..], &["--from", report]] {
            let ci = gpudoc::report::ci::FORMS.iter().map(|form| form.name);
            for format in ["json", "text", "markdown"].into_iter().chain(ci) {
                let arguments = [&["check"][..], input, &["--format", format]].concat();
                let output = gpudoc(&arguments);
                let shown = String::from_utf8(output.stdout).unwrap();
                assert!(!shown.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
                let control = shown.chars().find(|letter| letter.is_control() && *letter != '\n');
                assert_eq!(control, None, "{format}: {shown}");
                if format == "json" {
                    let mut all = Vec::new();
                    commands(&serde_json::from_str(&shown).unwrap(), &mut all);
                    seen += all.len();
                    act(&all, folder.path());
                }
            }
        }
        // The user's own lines in what `resolve` writes.
        let lines = folder.path().join("requirements.txt");
        std::fs::write(&lines, format!("torch==2.7.1\nb @ https://example.org/{payload}\nc{payload}\n")).unwrap();
        for kind in ["pip", "script", "dockerfile", "conda", "requirements"] {
            let output = gpudoc(&[
                "resolve",
                "-r",
                lines.to_str().unwrap(),
                "--gpu",
                "RTX 5090",
                "--python",
                "3.11",
                "--emit",
                kind,
            ]);
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(!text.contains('\u{1b}'), "{kind}: {text}");
            if kind == "pip" {
                act(&[text], folder.path());
            } else if kind == "dockerfile" {
                let runs = text.replace("\\\n", " ");
                let runs =
                    runs.lines().filter_map(|line| line.strip_prefix("RUN ")).map(str::to_owned).collect::<Vec<_>>();
                act(&runs, folder.path());
            }
        }
    }
    assert!(seen > 10, "only {seen} commands were run");
}

#[test]
fn what_the_rules_write_has_no_gap_that_is_filled_from_outside() {
    assert!(Written::from("pip install {package}").check().is_err());
    assert!(Written::from("echo {line} | sh").check().is_err());
}
