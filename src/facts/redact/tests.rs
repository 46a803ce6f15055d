use proptest::prelude::*;

use super::*;
use crate::facts::{Origin, PythonImplementation};

fn ada() -> Identity {
    Identity { hosts: vec!["build07.example.org".to_owned()], users: vec!["ada".to_owned()] }
}

fn text(text: &str) -> String {
    redact_text(text, &ada())
}

#[test]
fn homes_lose_their_owner_and_stay_apart() {
    assert_eq!(text("/home/ada/venv:/home/bob/lib:/home/ada"), "/home/user/venv:/home/user-2/lib:/home/user");
    assert_eq!(text("/Users/ada/x"), "/Users/user/x");
    assert_eq!(text("/root/.local/lib"), "/root/.local/lib");
    assert_eq!(text("file:///home/ada/src"), "file:///home/user/src");
    assert_eq!(text(r"C:\Users\ada\x and C:\Users\Bob Roe\y"), r"C:\Users\user\x and C:\Users\user-2\y");
    assert_eq!(text(r"C:\\Users\\ada\\x, D:\Users\ada: no"), r"C:\\Users\\user\\x, D:\Users\user: no");
}

#[test]
fn names_go_where_they_are_words() {
    assert_eq!(text("/scratch/ada/venv on build07"), "/scratch/user/venv on host");
    assert_eq!(text("ada@build07.example.org: no"), "user@host: no");
    assert_eq!(text("/opt/adamant/canada"), "/opt/adamant/canada");
    // A shared disk has folders of people whose accounts nobody knows, and of everybody.
    assert_eq!(text("/data/grace/x:/data/models/y:/data/ada"), "/data/user-2/x:/data/models/y:/data/user");
    // The account is called as a folder of the system is.
    let other = Identity { hosts: Vec::new(), users: vec!["data7".to_owned()] };
    let path = "/data/data7/x:/usr/local/data7/compat";
    assert_eq!(redact_text(path, &other), "/data/user/x:/usr/local/data7/compat");
}

#[test]
fn devices_keep_their_number_and_difference() {
    let one = "GPU-8f6d3a52-0f52-11ef-9c3a-0242ac120002";
    let two = "GPU-1f3c9a00-0f52-11ef-9c3a-0242ac120002";
    assert_eq!(text(&format!("{one},{two},{one}")), "GPU-redacted-0,GPU-redacted-1,GPU-redacted-0");
    assert_eq!(text("MIG-GPU-8f6d3a52-0f52/1/0,GPU-8f6d"), "MIG-redacted-0,GPU-redacted-1");
    assert_eq!(text("0,1"), "0,1");
}

#[test]
fn secrets_go() {
    for (with, without) in [
        ("https://ada:s3cret@pypi.example.org/simple", "https://redacted@pypi.example.org/simple"),
        ("https://__token__:ghp_0123456789abcdef0123@github.com/a/b", "https://redacted@github.com/a/b"),
        ("hf_abcdefghijklmnopqrst", "redacted"),
        ("x AKIAIOSFODNN7EXAMPLE y", "x redacted y"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer redacted"),
        ("https://a/b?token=1234&x=1", "https://a/b?token=redacted&x=1"),
        ("Serial Number: 1320720001234", "Serial Number: redacted"),
        ("HF_TOKEN: abc", "HF_TOKEN: redacted"),
        ("{\"aws_secret\": \"wJalrXUt/K7\"}", "{\"aws_secret\": \"redacted\"}"),
        ("aws_secret_access_key = wJalrXUt/K7", "aws_secret_access_key = redacted"),
        ("Authorization: Basic dG9rZW46", "Authorization: Basic redacted"),
        ("pip --password s3cret x", "pip --password redacted x"),
        ("docker login -u me -p s3cret", "docker login -u me -p redacted"),
        ("curl -u ada:s3cret https://a", "curl -u redacted https://a"),
        ("wandb login 0123456789abcdef0123456789abcdef01234567", "wandb login redacted"),
        ("commit 0123456789abcdef0123456789abcdef01234567", "commit 0123456789abcdef0123456789abcdef01234567"),
        ("python -u train.py -p 1", "python -u train.py -p 1"),
        ("xoxb-0123456789-abc nvapi-0123456789abcdefghij", "redacted redacted"),
        ("~ada/x, ~10 GB, torch~=2.6", "~user/x, ~10 GB, torch~=2.6"),
        ("token==1.0", "token==1.0"),
        ("tcp://10.1.2.3:29500 10.1.2.3:8000 ip=10.1.2.3", "tcp://redacted:29500 redacted ip=redacted"),
        (
            "12.4.5.8 nvidia-cublas-cu12==12.4.5.8 127.0.0.1:8000",
            "12.4.5.8 nvidia-cublas-cu12==12.4.5.8 127.0.0.1:8000",
        ),
        ("Ada Lovelace <ada.l@example.org>, git@github.com:a/b", "redacted, git@github.com:a/b"),
        ("Cookie: a=b", "Cookie: redacted"),
        ("Authorization: token abcdef", "Authorization: token redacted"),
        ("git+https://github.com/a/b@v1.0", "git+https://github.com/a/b@v1.0"),
    ] {
        assert_eq!(text(with), without);
    }
}

fn facts(path: String, devices: String) -> Facts {
    let mut facts = Facts::unknown(Origin::Host);
    facts.system.environment = BTreeMap::from([("CUDA_VISIBLE_DEVICES".to_owned(), devices)]);
    facts.gpus =
        Reading::host(vec![Gpu { name: Reading::host("NVIDIA ada".to_owned(), "NVML"), ..Gpu::default() }], "NVML");
    facts.python = Reading::host(
        Python {
            executable: Reading::host(format!("{path}/bin/python3"), format!("{path}/pyvenv.cfg")),
            prefix: path.clone(),
            base_prefix: Reading::unreadable(format!("{path}: no")),
            version: Reading::Unknown,
            implementation: PythonImplementation::CPython,
            free_threaded: false,
            bits: Reading::Unknown,
            chosen_by: "--python".to_owned(),
            path: vec![path.clone(), "/usr/lib/python3/dist-packages".to_owned()],
            management: crate::facts::Management::default(),
            place: crate::facts::Place::default(),
        },
        path.clone(),
    );
    let metadata =
        Metadata { requires: vec!["ada>=1".to_owned(), "b @ https://ada:x@c/d".to_owned()], ..Metadata::default() };
    facts.distributions = vec![Distribution {
        name: "ada".to_owned(),
        version: Reading::metadata("1.0".to_owned(), "METADATA"),
        location: path,
        metadata: Reading::metadata(metadata, "METADATA"),
        ..Distribution::default()
    }];
    facts
}

#[test]
fn names_and_requirements_stay() {
    let clean = redact(&facts("/home/ada/venv".to_owned(), "0".to_owned()), &ada());
    assert_eq!(clean.distributions[0].name, "ada");
    assert_eq!(clean.distributions[0].location, "/home/user/venv");
    let metadata = clean.distributions[0].metadata.value().cloned().unwrap_or_default();
    assert_eq!(metadata.requires, ["ada>=1", "b @ https://redacted@c/d"]);
    let gpus = clean.gpus.value().cloned().unwrap_or_default();
    assert_eq!(gpus[0].name.value().map(String::as_str), Some("NVIDIA ada"));
}

proptest! {
    #[test]
    fn what_a_verdict_rests_on_stays(path in "(/(home|Users|data|usr))?(/(ada|bob|build07|venv|[a-z]{1,5})){1,4}", count in 1_usize..5) {
        let devices: Vec<String> = (0..count).map(|number| format!("GPU-{number:08x}-0f52-11ef-9c3a-0242ac120002")).collect();
        let before = facts(path, devices.join(","));
        let after = redact(&before, &ada());
        prop_assert_eq!(redact(&after, &ada()), after.clone());
        prop_assert_eq!(after.distributions[0].version.clone(), before.distributions[0].version.clone());
        let named = &after.system.environment["CUDA_VISIBLE_DEVICES"];
        let different: std::collections::BTreeSet<_> = named.split(',').collect();
        prop_assert_eq!(different.len(), count);
        // The distribution still lies in the first folder of the path.
        let python = after.python.value().cloned();
        prop_assert_eq!(python.map(|python| python.path[0].clone()), Some(after.distributions[0].location.clone()));
        let text = serde_json::to_string(&after).unwrap_or_default();
        prop_assert!(!text.contains("build07.example.org") && !text.contains("/home/ada"));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}", name in "\\PC{0,6}") {
        let identity = Identity { hosts: vec![name.clone()], users: vec![name] };
        let _ = redact_text(&text, &identity);
    }
}
