use super::*;

const OLD: &[&str] = &["sm_80", "sm_90"];
const NEW: &[&str] = &["sm_80", "sm_90", "sm_120"];

/// torch with three releases, triton pinned by each; torchvision beside the newer two; bitsandbytes that loads by CUDA.
fn world() -> RuleDb {
    let torch = package(
        "torch",
        "",
        &[
            release("2.6.0", &["triton==3.2.0"], &[build("pypi", "12.4", OLD), build("cu126", "12.6", OLD)]),
            release(
                "2.7.1",
                &["triton==3.3.1"],
                &[build("pypi", "12.6", OLD), build("cu128", "12.8", NEW), build("cpu", "cpu", &[])],
            ),
            release("2.9.0", &["triton==3.5.0"], &[build("pypi", "12.8", NEW), build("cu130", "13.0", NEW)]),
        ],
    );
    let plain = |version: &str| release(version, &[], &[build("pypi", "", &[])]);
    let triton = package("triton", "", &[plain("2.3.1"), plain("3.2.0"), plain("3.3.1"), plain("3.5.0")]);
    let partner = "[[partner]]\nwith = \"torch\"\nversions = \">=0\"\ncuda = \"same\"\n\
                   otherwise = \"operator torchvision::nms does not exist\"\nsource = \"torchvision/extension.py\"\n";
    let torchvision = package(
        "torchvision",
        partner,
        &[
            release("0.22.1", &["torch==2.7.1"], &[build("pypi", "12.6", OLD), build("cu128", "12.8", NEW)]),
            release("0.24.0", &["torch==2.9.0"], &[build("pypi", "12.8", NEW)]),
        ],
    );
    let choice = "[[library-choice]]\nversions = \"<0.46\"\npick = \"torch-cuda-exact\"\nsource = \"cextension.py\"\n\
                  [[library-choice]]\nversions = \">=0.46\"\npick = \"torch-cuda-major\"\nsource = \"cextension.py\"\n";
    let library = |cudas: &[(&str, &str)]| {
        let code = cudas
            .iter()
            .map(|(cuda, sass)| format!("[[release.build.code]]\nfor-cuda = \"{cuda}\"\nsass = [{sass}]\n"));
        vec![build("pypi", "", &[]) + &code.collect::<String>()]
    };
    let bitsandbytes = package(
        "bitsandbytes",
        choice,
        &[
            release("0.45.0", &["torch"], &library(&[("12.4", "\"sm_80\""), ("12.6", "\"sm_80\"")])),
            release("0.46.1", &["torch>=2.2"], &library(&[("12.6", "\"sm_80\""), ("12.8", "\"sm_80\", \"sm_120\"")])),
        ],
    );
    db(&[torch, triton, torchvision, bitsandbytes].join("\n---\n"), &[])
}

#[test]
fn the_newest_release_in_the_default_index_s_own_build_is_chosen() {
    let db = world();
    let ask = |driver| {
        let request = request(&target("12.0", driver), &["torch", "bitsandbytes"]);
        pins(&solve(&request, &db).expect("a solution"))
    };
    assert_eq!(ask(Some("570.133.20")), ["bitsandbytes==0.46.1", "torch==2.9.0", "triton==3.5.0"]);
    // bitsandbytes has no library for CUDA 13, so 12.8 is right even where the driver runs 13.0.
    assert_eq!(ask(Some("580.65.06")), ["bitsandbytes==0.46.1", "torch==2.9.0", "triton==3.5.0"]);
    let one = |line| {
        let request = request(&target("12.0", Some("580.65.06")), &[line]);
        pins(&solve(&request, &db).expect("a solution"))
    };
    assert_eq!(one("torch"), ["torch==2.9.0", "triton==3.5.0"]);
    // The default index's build of 2.7.1 has no kernel for the GPU: then the newest variant that has.
    assert_eq!(one("torch<2.9"), ["torch==2.7.1+cu128", "triton==3.3.1"]);
}

#[test]
fn a_reason_says_who_needs_a_pin_and_what_holds_it() {
    let db = world();
    let request = request(&target("12.0", Some("570.133.20")), &["torchvision<0.24", "torch"]);
    let resolution = solve(&request, &db).expect("a solution");
    let reasons: Vec<_> =
        resolution.pins.iter().map(|pin| format!("{}=={}: {}", pin.name, pin.version(), pin.reason)).collect();
    insta::assert_snapshot!(reasons.join("\n"), @r"
    torch==2.7.1+cu128: requested; not newer: torchvision 0.22.1 needs `torch==2.7.1`
    torchvision==0.22.1+cu128: requested; not newer: `torchvision<0.24` (command line)
    triton==3.3.1: needed by torch 2.7.1; not newer: torch 2.7.1 needs `triton==3.3.1`
    ");
    assert_eq!(by_name(&resolution)["torch"].build.index, "cu128");
}

#[test]
fn a_pin_against_a_pin_is_proved_in_three_lines() {
    let db = world();
    let proof = solve(&request(&target("8.6", None), &["triton<3", "torch==2.6.0"]), &db).expect_err("a proof");
    insta::assert_snapshot!(told(&proof), @r"
    nothing fits GPU 8.6 (compute capability 8.6), Python 3.11, linux_x86_64
    1. `torch==2.6.0` is asked for (command line)
    2. `triton<3` is asked for (command line)
    3. torch 2.6.0 needs `triton==3.2.0`
    - relax `triton<3` → `triton>=3.2.0` => torch==2.6.0 triton==3.2.0
    - override: `triton==2.3.1` against `triton==3.2.0` of torch 2.6.0 (`--allow-override`) => torch==2.6.0 triton==2.3.1
    ");
    assert_eq!(proof.steps.len(), 3);
}

#[test]
fn a_library_that_does_not_know_the_gpu_is_blamed_alone() {
    let db = world();
    let lines = ["torch>=2.6,<2.8", "torchvision", "bitsandbytes==0.45.0"];
    let proof = solve(&request(&target("12.0", None), &lines), &db).expect_err("a proof");
    insta::assert_snapshot!(told(&proof), @r"
    nothing fits GPU 12.0 (compute capability 12.0), Python 3.11, linux_x86_64
    1. `bitsandbytes==0.45.0` is asked for (command line)
    2. `torch>=2.6,<2.8` is asked for (command line)
    3. bitsandbytes 0.45.0 works beside no torch for CUDA on compute capability 12.0: it loads its library for exactly torch's CUDA, and has those for CUDA 12.4 and 12.6, none of which has kernels for it
    4. every CPU build of torch 2.7.1 would leave the GPU unused
    - relax `bitsandbytes==0.45.0` → `bitsandbytes>=0.46.1` => bitsandbytes==0.46.1 torch==2.7.1+cu128 torchvision==0.22.1+cu128
    ");
    assert_eq!(proof.actions[0].takes, ["bitsandbytes==0.46.1", "torch==2.7.1+cu128", "torchvision==0.22.1+cu128"]);
}

#[test]
fn the_driver_is_named_where_it_is_in_the_way() {
    let db = world();
    let mut target = target("9.0", Some("570.133.20"));
    target.cuda = Some("13.0".parse().expect("a CUDA version"));
    let proof = solve(&request(&target, &["torch"]), &db).expect_err("a proof");
    insta::assert_snapshot!(told(&proof), @r"
    nothing fits GPU 9.0 (compute capability 9.0), driver 570.133.20, CUDA 13.0, Python 3.11, linux_x86_64
    1. `torch` is asked for (command line)
    2. every build of torch 2.6.0 and 2.7.1, and every build of torch 2.9.0 for CUDA 12.8 is for another CUDA than 13.0, which is asked for
    3. every build of torch 2.9.0 for CUDA 13.0 needs driver 580.65.06 or newer, and 570.133.20 is loaded
    - ask for no CUDA version (`--cuda`) => torch==2.9.0
    - update the driver from 570.133.20 to 580.65.06 or newer => torch==2.9.0+cu130
    ");
    assert!(proof.actions.iter().any(|action| action.summary.contains("580.65.06")));
}

#[test]
fn a_withdrawn_release_is_taken_only_by_name() {
    let yanked = release("2.0", &[], &[build("pypi", "", &[])]).replace("date =", "yanked = true\ndate =");
    let db = db(&package("tool", "", &[release("1.0", &[], &[build("pypi", "", &[])]), yanked]), &[]);
    let target = target("8.6", None);
    let ask = |line| pins(&solve(&request(&target, &[line]), &db).expect("a solution"));
    assert_eq!(ask("tool"), ["tool==1.0"]);
    assert_eq!(ask("tool==2.0"), ["tool==2.0"]);
}

#[test]
fn an_order_of_lines_means_nothing() {
    let db = world();
    let target = target("12.0", Some("570.133.20"));
    let mut lines = vec!["torch>=2.6", "torchvision", "bitsandbytes", "requests"];
    let first = solve(&request(&target, &lines), &db).expect("a solution");
    lines.reverse();
    assert_eq!(solve(&request(&target, &lines), &db).expect("a solution"), first);
    assert_eq!(first.unchecked, ["requests"]);
}

#[test]
fn a_label_asks_for_a_variant_index() {
    let db = world();
    let request = request(&target("12.0", Some("580.65.06")), &["torch==2.7.1+cu128"]);
    assert_eq!(pins(&solve(&request, &db).expect("a solution")), ["torch==2.7.1+cu128", "triton==3.3.1"]);
}

#[test]
fn cpu_builds_are_for_machines_without_a_gpu_or_by_request() {
    let db = world();
    let mut target = target("12.0", None);
    target.cpu_only = true;
    assert_eq!(pins(&solve(&request(&target, &["torch"]), &db).expect("a solution"))[0], "torch==2.7.1+cpu");
    (target.gpus, target.cpu_only) = (Vec::new(), false);
    assert_eq!(pins(&solve(&request(&target, &["torch"]), &db).expect("a solution"))[0], "torch==2.9.0");
}

#[test]
fn slips_are_told_from_other_packages() {
    let db = world();
    let request = request(&target("12.0", None), &["torhc", "requests", "torchx", "bitsandbites"]);
    let meant: Vec<_> = unknown_names(&request, &db).into_iter().map(|slip| slip.meant).collect();
    assert_eq!(meant, ["torch", "bitsandbytes"]);
}
