use super::*;

fn plain(version: &str, requires: &[&str]) -> String {
    release(version, requires, &[build("pypi", "", &[])])
}

/// Of `hub` the rules know 5.0 and 5.1 only; `old` needs an earlier one, `new` one of these.
fn world() -> RuleDb {
    let hub = package("hub", "partial = true", &[plain("5.0", &[]), plain("5.1", &[])]);
    let tools = package("tools", "", &[plain("60", &[]), plain("80", &[])]);
    let old = package("old", "", &[plain("1.0", &["hub>=4,<5", "tools>=50"])]);
    let new = package("new", "", &[plain("1.0", &["hub>=5"]), plain("2.0", &["hub", "tools<80"])]);
    db(&[hub, new, old, tools].join("\n---\n"), &[])
}

fn solved(lines: &[&str]) -> Option<(Vec<String>, Vec<String>)> {
    let db = world();
    let resolution = solve(&request(&target("9.0", None), lines), &db).ok()?;
    Some((pins(&resolution), resolution.unlisted.clone()))
}

#[test]
fn a_release_that_the_rules_do_not_know_is_there_only_where_it_is_pinned() {
    // Whether one of the older ones works, nobody knows, so none is promised.
    assert_eq!(solved(&["old"]), None);
    assert_eq!(solved(&["hub<5"]), None);
    let (pins, unlisted) = solved(&["old", "hub==4.2"]).expect("solved");
    assert_eq!((pins, unlisted), (vec!["old==1.0".to_owned()], vec!["hub==4.2".to_owned()]));
    // What it declares is held against the pin.
    assert_eq!(solved(&["old", "hub==3.0"]), None);
    let db = world();
    let proof = solve(&request(&target("9.0", None), &["hub<5"]), &db).expect_err("no known release");
    insta::assert_snapshot!(told(&proof), @"
    the rules know hub from 5.0 on, and none of that fits GPU 9.0 (compute capability 9.0), Python 3.11, linux_x86_64
    1. `hub<5` is asked for (command line), older than what the rules know (hub from 5.0 on)
    - relax `hub<5` → `hub==5.1` => hub==5.1
    ");
    assert!(
        proof.conclusion.starts_with("the rules know hub from 5.0 on, and none of that fits"),
        "{}",
        proof.conclusion
    );
}

#[test]
fn a_known_release_is_taken_where_one_will_do() {
    assert_eq!(solved(&["new"]).expect("solved").0, ["new==2.0", "tools==60"]);
    assert_eq!(solved(&["new<2"]).expect("solved").0, ["hub==5.1", "new==1.0"]);
    assert_eq!(solved(&["hub>=4"]).expect("solved").0, ["hub==5.1"]);
    assert_eq!(solved(&["hub!=5.1"]).expect("solved").0, ["hub==5.0"]);
}

#[test]
fn what_certainly_contradicts_is_refused_all_the_same() {
    assert_eq!(solved(&["old", "hub==5.0"]), None);
    assert_eq!(solved(&["old", "new<2"]), None);
    // Newer ones than the rules know are no way out.
    assert_eq!(solved(&["hub>5.1"]), None);
}

#[test]
fn an_installed_release_that_the_rules_do_not_know_may_stay() {
    let db = world();
    let ask = |installed: &str, lines: &[&str]| {
        let installed = [("hub".to_owned(), installed.parse().expect("a version"))].into();
        let request = Request { installed, prefer: Prefer::Installed, ..request(&target("9.0", None), lines) };
        solve(&request, &db).ok().map(|resolution| pins(&resolution))
    };
    assert_eq!(ask("4.2", &["hub"]), Some(vec![]));
    assert_eq!(ask("4.2", &["hub", "old"]), Some(vec!["old==1.0".to_owned()]));
    // 5.0 is nearer than 5.1.
    assert_eq!(ask("4.2", &["hub", "new<2"]), Some(vec!["hub==5.0".to_owned(), "new==1.0".to_owned()]));
    assert_eq!(ask("3.0", &["hub", "old"]), None);
    assert_eq!(ask("5.0", &["hub"]), Some(vec!["hub==5.0".to_owned()]));
}

#[test]
fn nvidias_runtime_wheels_are_judged_where_the_user_names_them() {
    let torch = package("torch", "", &[release("2.0", &["nvidia-x-cu12==1"], &[build("pypi", "12.6", &["sm_90"])])]);
    let wheel = package("nvidia-x-cu12", "", &[plain("1", &[]), plain("2", &[])]);
    let db = db(&[wheel, torch].join("\n---\n"), &[]);
    let ask = |lines: &[&str]| {
        let resolution = solve(&request(&target("9.0", None), lines), &db);
        resolution.ok().map(|resolution| pins(&resolution).join(" "))
    };
    assert_eq!(ask(&["torch"]).as_deref(), Some("torch==2.0"));
    assert_eq!(ask(&["torch", "nvidia-x-cu12"]).as_deref(), Some("nvidia-x-cu12==1 torch==2.0"));
    assert_eq!(ask(&["torch", "nvidia-x-cu12==2"]), None);
}

#[test]
fn device_code_that_a_package_works_without_keeps_nothing_out() {
    let ao = |head: &str| package("ao", head, &[release("1.0", &[], &[build("pypi", "", &["sm_90"])])]);
    let ask = |head: &str| solve(&request(&target("8.9", None), &["ao"]), &db(&ao(head), &[])).is_ok();
    assert!(!ask(""));
    assert!(ask("optional-code = \"ao/__init__.py\""));
}

#[test]
fn what_installs_everywhere_installs_here() {
    let anywhere = build("pypi", "", &[]).replace("linux_x86_64", "any");
    let both = release("2.0", &[], &[build("pypi", "", &[]), anywhere.clone()]);
    let db = db(&package("pure", "", &[release("1.0", &[], &[anywhere]), both]), &[]);
    let platform = |platform: &str, lines: &[&str]| {
        let target = Target { platform: Some(platform.to_owned()), ..target("9.0", None) };
        let resolution = solve(&request(&target, lines), &db).expect("a solution");
        resolution.pins[0].build.platform.clone()
    };
    assert_eq!(platform("linux_aarch64", &["pure==1.0"]), "any");
    assert_eq!(platform("linux_aarch64", &["pure"]), "any");
    assert_eq!(platform("linux_x86_64", &["pure"]), "linux_x86_64");
    let build = |platform| db.build("pure", &"2.0".parse().expect("a version"), platform).expect("a row").1;
    assert_eq!(
        (build("linux_x86_64").platform.as_str(), build("linux_aarch64").platform.as_str()),
        ("linux_x86_64", "any")
    );
}

#[test]
fn packages_outside_the_rules_are_held_to_what_they_declare() {
    let db = world();
    let outsider = |version: &str, requires: &[&str]| Outsider {
        version: version.parse().expect("a version"),
        known_from: "installed".to_owned(),
        requires: requires.iter().map(ToString::to_string).collect(),
    };
    let ask = |lines: &[&str]| {
        let outsiders = [
            ("far".to_owned(), outsider("2.0", &["middle", "nowhere"])),
            ("middle".to_owned(), outsider("1.1", &["hub!=5.1", "tools<80; extra == 'build'"])),
        ];
        let request = Request { outsiders: outsiders.into(), ..request(&target("9.0", None), lines) };
        solve(&request, &db)
    };
    let solved = ask(&["far"]).expect("solved");
    assert_eq!(pins(&solved), ["hub==5.0"]);
    assert_eq!(solved.outsiders, ["far 2.0 (installed)", "middle 1.1 (installed)"]);
    assert!(solved.unchecked.is_empty(), "{:?}", solved.unchecked);
    assert_eq!(pins(&ask(&["middle[build]"]).expect("solved")), ["hub==5.0", "tools==60"]);
    // What is installed says nothing of another release.
    assert_eq!(ask(&["far>2"]).expect("solved").unchecked, ["far"]);
    insta::assert_snapshot!(told(&ask(&["far", "hub==5.1"]).expect_err("no solution")), @"
    nothing fits GPU 9.0 (compute capability 9.0), Python 3.11, linux_x86_64
    1. middle 1.1 (installed) needs `hub!=5.1`
    2. `hub==5.1` is asked for (command line)
    - relax `hub==5.1` → `hub<=5.0` => hub==5.0
    - take another release of middle, or do without => hub==5.1
    ");
}

#[test]
fn two_wheels_of_nvidia_with_the_same_files_are_kept_apart() {
    let wheel = |name: &str| package(name, "", &[plain("2.27", &[])]);
    let build = build("pypi", "13.0", &["sm_90"]).replace("platform", "requires = [\"nvidia-nccl-cu13\"]\nplatform");
    let torch = package("torch", "", &[release("2.9", &[], &[build])]);
    let db = db(&[wheel("nvidia-nccl-cu12"), wheel("nvidia-nccl-cu13"), torch].join("\n---\n"), &[]);
    let ask = |lines: &[&str]| solve(&request(&target("9.0", None), lines), &db);
    assert_eq!(pins(&ask(&["torch", "nvidia-nccl-cu13"]).expect("solved")).len(), 2);
    insta::assert_snapshot!(told(&ask(&["torch", "nvidia-nccl-cu12"]).expect_err("no solution")), @"
    nothing fits GPU 9.0 (compute capability 9.0), Python 3.11, linux_x86_64
    1. `nvidia-nccl-cu12` is asked for (command line)
    2. `torch` is asked for (command line)
    3. nvidia-nccl-cu12 and nvidia-nccl-cu13, which torch 2.9 brings, install the same files: `nvidia/nccl/lib/libnccl.so.2`
    - leave out `nvidia-nccl-cu12` => torch==2.9
    - leave out `torch` => nvidia-nccl-cu12==2.27
    ");
    assert!(ask(&["nvidia-nccl-cu12", "nvidia-nccl-cu13"]).is_err());
}

#[test]
fn lines_that_exclude_each_other_do_not_contradict_where_the_python_is_not_known() {
    let algebra = package("algebra", "", &[plain("1.12", &[]), plain("1.13", &[]), plain("1.14", &[])]);
    let lines = ["algebra==1.12; python_version < '3.9'", "algebra==1.13; python_version >= '3.9'"];
    let frame = package("frame", "", &[plain("2.0", &lines)]);
    let both = ["algebra>=1.13; python_version < '3.14'", "algebra<1.13; python_version >= '3.9'"];
    let neither = package("neither", "", &[plain("1.0", &both)]);
    let db = db(&[algebra, frame, neither].join("\n---\n"), &[]);
    let solved = |python: Option<&str>, lines: &[&str]| {
        let python = python.map(|text| text.parse().expect("a Python"));
        let target = Target { python, ..target("9.0", None) };
        solve(&request(&target, lines), &db).ok().map(|resolution| pins(&resolution))
    };
    let pinned =
        |versions: [&str; 2]| Some(vec![format!("algebra=={}", versions[0]), format!("frame=={}", versions[1])]);
    assert_eq!(solved(None, &["frame"]), pinned(["1.13", "2.0"]));
    assert_eq!(solved(None, &["frame", "algebra<1.13"]), pinned(["1.12", "2.0"]));
    // No Python has it so.
    assert_eq!(solved(None, &["frame", "algebra==1.14"]), None);
    assert_eq!(solved(Some("3.11"), &["frame", "algebra<1.13"]), None);
    // On some Python both lines hold.
    assert_eq!(solved(None, &["neither"]), None);
}
