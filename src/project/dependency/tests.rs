use super::*;

fn pip(text: &str) -> (String, Origin, Option<&str>) {
    let (what, versions) = parse(text, Style::Pip).unwrap();
    let requirement = what.requirement.map(|requirement| requirement.to_string()).unwrap_or_default();
    (requirement, what.origin, versions.map(|range| &text[range]))
}

fn elsewhere(kind: Elsewhere, location: &str) -> Origin {
    Origin::Elsewhere { kind, location: location.to_owned() }
}

fn wheel(location: &str) -> Origin {
    Origin::Wheel { location: location.to_owned() }
}

#[test]
fn names_and_versions() {
    assert_eq!(pip("Flash_Attn"), ("flash-attn".into(), Origin::Index, Some("")));
    assert_eq!(pip("torch>=2.6,<2.8").2, Some(">=2.6,<2.8"));
    let (requirement, _, versions) = pip(" ray [cgraph , x] (>=2.43, !=2.44.*) ; python_version > '3.9'");
    assert_eq!(requirement, "ray[cgraph,x]>=2.43,!=2.44.* ; python_full_version >= '3.10'");
    assert_eq!(versions, Some("(>=2.43, !=2.44.*)"));
    assert_eq!(pip("numpy<2,").0, "numpy<2");
    assert_eq!(pip("scipy[] ;").0, "scipy");
    // Where a version would be written.
    assert_eq!(parse("a[b] ; os_name == 'nt'", Style::Pip).unwrap().1, Some(4..4));
}

#[test]
fn a_wheel_is_a_pin() {
    let address = "https://host/whl/torch-2.7.1%2Bcu128-cp311-cp311-linux_x86_64.whl?x=1#sha256=ab";
    assert_eq!(pip(address), ("torch==2.7.1+cu128".into(), wheel(address), None));
    let named = "Torch[opt] @ https://host/torch-2.7.1+cu128-cp311-cp311-linux_x86_64.whl ; os_name == 'posix'";
    let (requirement, origin, _) = pip(named);
    assert_eq!(requirement, "torch[opt]==2.7.1+cu128 ; os_name == 'posix'");
    assert_eq!(origin, wheel("https://host/torch-2.7.1+cu128-cp311-cp311-linux_x86_64.whl"));
    let path = "./wheels/nunchaku-0.3.1+torch2.7-cp312-cp312-linux_x86_64.whl";
    assert_eq!(pip(path), ("nunchaku==0.3.1+torch2.7".into(), wheel(path), None));
    // In a path `%2B` is no escape.
    assert_eq!(pip("a-1.0-py3-none-any.whl[x]").0, "a[x]==1.0");
    let problem = parse("torch @ https://h/numpy-1-py3-none-any.whl", Style::Pip).unwrap_err();
    assert_eq!(
        (problem.range, problem.hint.unwrap().as_str()),
        (8..42, "write `numpy @ https://h/numpy-1-py3-none-any.whl`")
    );
}

#[test]
fn no_version_is_made_up() {
    let git = "git+https://github.com/vllm-project/vllm@v0.9.0#egg=vllm[audio]&subdirectory=x";
    let (what, _) = parse(git, Style::Pip).unwrap();
    let requirement = what.requirement.unwrap();
    assert_eq!((requirement.name.as_ref(), requirement.extras.len()), ("vllm", 1));
    assert!(matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_))));
    assert_eq!(what.origin, elsewhere(Elsewhere::Repository, git));
    assert_eq!(pip("./local[dev]"), (String::new(), elsewhere(Elsewhere::Path, "./local"), None));
    assert_eq!(pip("third_party/voxelize/").1, elsewhere(Elsewhere::Path, "third_party/voxelize/"));
    assert_eq!(pip("C:\\src\\x").1, elsewhere(Elsewhere::Path, "C:\\src\\x"));
    assert_eq!(pip("https://h/x/archive/v1.zip").1, elsewhere(Elsewhere::Archive, "https://h/x/archive/v1.zip"));
    assert_eq!(pip("apex @ file:///workspace/apex").1, elsewhere(Elsewhere::Path, "file:///workspace/apex"));
    // No URL, though pip takes it.
    let (requirement, origin, _) = pip("m @ git+ssh://git@host:group/m.git ; os_name == 'nt'");
    assert!(requirement.starts_with("m @ ") && requirement.ends_with("; os_name == 'nt'"), "{requirement}");
    assert_eq!(origin, elsewhere(Elsewhere::Repository, "git+ssh://git@host:group/m.git"));
}

#[test]
fn errors_name_the_part_and_what_was_meant() {
    let cases = [
        ("torch=>2.6", 5..10, "write `torch>=2.6`"),
        ("torch=2.6 ; os_name == 'nt'", 5..9, "write `torch==2.6 ; os_name == 'nt'`"),
        ("torch>=2.0+cu118", 5..16, "write `torch==2.0+cu118`"),
        ("torch>=2.0,<=2.*", 11..16, "write `torch>=2.0,<=2`"),
        ("torch>=2.6 <2.8", 5..15, "write `torch>=2.6,<2.8`"),
        ("torch==2.6 numpy==1.26", 5..22, "put each requirement on a line of its own"),
        ("torch[a", 5..7, "write `torch[a]`"),
        ("torch (>=2", 6..10, "write `(>=2)`"),
        ("torch; python_version >= 3.8", 25..28, "write `python_version >= \"3.8\"`"),
    ];
    for (text, range, hint) in cases {
        let problem = parse(text, Style::Pip).unwrap_err();
        assert_eq!((problem.range, problem.hint.as_deref()), (range, Some(hint)), "{text}: {}", problem.message);
    }
    for text in [
        "a; os_name == 'nt'é",
        "a; é",
        "a; os_name == 'é",
        "",
        " ",
        "-",
        "foo- >1",
        "foo[a-]",
        "é>=1",
        "torch @",
        "torch>=latest",
        "<<<<<<< HEAD",
        "https://h/x.whl",
    ] {
        assert!(parse(text, Style::Pip).is_err(), "{text}");
    }
}

#[test]
fn a_project_must_name_what_it_wants() {
    let hint = |text| parse(text, Style::Pep508).unwrap_err().hint;
    assert_eq!(hint("git+https://h/x#egg=x").as_deref(), Some("write `x @ git+https://h/x#egg=x`"));
    assert_eq!(hint("./a-1-py3-none-any.whl").as_deref(), Some("write `a @ ./a-1-py3-none-any.whl`"));
    assert_eq!(hint("a @ https://h/x; os_name == 'nt'").as_deref(), Some("write `a @ https://h/x ; os_name == 'nt'`"));
    assert_eq!(hint("torch ;").as_deref(), Some("write `torch`"));
}

#[test]
fn a_marker_that_would_cost_all_memory_is_refused() {
    let pairs: Vec<_> = (0..90).map(|at| format!("(extra == 'a{at}' and extra == 'b{at}')")).collect();
    assert!(parse(&format!("a; {}", pairs.join(" or ")), Style::Pip).is_err());
    let long: Vec<_> = (0..9000).map(|at| format!("os_name == 'a{at}'")).collect();
    assert!(parse(&format!("a; {}", long.join(" or ")), Style::Pip).is_err());
    assert!(parse(&format!("a; {}os_name == 'nt'{}", "(".repeat(9000), ")".repeat(9000)), Style::Pip).is_err());
}
