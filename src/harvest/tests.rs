use std::collections::BTreeMap;

use super::*;
use crate::objects::fatbin::Tally;
use crate::python::metadata::Metadata;
use crate::rules::model::ANY;
use crate::rules::schema::{CodeRow, KnownHow, PackageFile};
use crate::version::{CodeTarget, CudaVersion, Reach};

fn published(file: &str) -> Published {
    Published {
        file: file.to_owned(),
        sha256: Some(format!("hash of {file}")),
        requires_python: Some(">=3.9".to_owned()),
        yanked: false,
        day: Some("2025-06-04".to_owned()),
    }
}

fn listing() -> Vec<Published> {
    [
        "torch-2.7.1-cp39-cp39-manylinux_2_28_x86_64.whl",
        "torch-2.7.1-cp313-cp313t-manylinux_2_28_x86_64.whl",
        "torch-2.7.1-cp311-cp311-manylinux_2_28_x86_64.whl",
        "torch-2.7.1-cp311-cp311-manylinux_2_28_aarch64.whl",
        "torch-2.7.1-cp311-cp311-win_amd64.whl",
        "torch-2.8.0rc1-cp311-cp311-manylinux_2_28_x86_64.whl",
        "torch-2.6.0-cp310-cp310-manylinux1_x86_64.whl",
        "torch-2.5.0.tar.gz",
    ]
    .map(published)
    .to_vec()
}

fn since(version: &str) -> Reached {
    Reached { since: version.parse().ok(), last: None }
}

fn empty() -> PackageFile {
    PackageFile::new("torch")
}

#[test]
fn one_wheel_is_opened_for_each_release_and_platform() {
    let plan = plan(&listing(), PYPI, &Reached::default(), None);
    let versions: Vec<_> = plan.iter().map(|release| release.version.to_string()).collect();
    assert_eq!(versions, ["2.5.0", "2.6.0", "2.7.1"]);
    let wheels: Vec<_> = plan[2].wheels.iter().map(|wheel| wheel.file.as_str()).collect();
    assert_eq!(wheels, [listing()[2].file.as_str(), listing()[3].file.as_str()]);
    assert_eq!(plan[2].wheels[0].python, ["cp39", "cp311", "cp313t"]);
    assert_eq!(super::plan(&listing(), PYPI, &since("2.7"), None).len(), 1);
}

#[test]
fn a_source_distribution_stands_in_for_wheels_until_there_are_some() {
    let mut package = empty();
    let release = plan(&listing(), PYPI, &Reached::default(), None).remove(0);
    assert!(release.wheels[0].is_sdist());
    let metadata = |lines: &[&str]| Metadata {
        requires_dist: lines.iter().map(|&line| line.to_owned()).collect(),
        ..Metadata::default()
    };
    for (unstated, lines, known) in [(true, &[][..], KnownHow::Unknown), (false, &["sympy"], KnownHow::Stated)] {
        let reading = Reading { metadata: metadata(lines), unstated, ..Reading::default() };
        release.merge(&mut package, vec![row(&release.wheels[0], reading, PYPI, "2026-01-01")]);
        let row = &package.releases[0];
        assert_eq!((row.requires_known, row.builds[0].platform.as_str()), (Some(known), ANY));
        assert_eq!(row.requires, lines);
        assert_eq!(
            (row.builds[0].source.wheel.as_ref(), row.builds[0].source.file()),
            (None, Some("torch-2.5.0.tar.gz"))
        );
    }
    let mut later = listing();
    later.push(published("torch-2.5.0-cp311-cp311-manylinux_2_28_x86_64.whl"));
    let release = plan(&later, PYPI, &Reached::default(), Some(&package)).remove(0);
    assert!(!release.wheels[0].known);
    release.merge(&mut package, vec![row(&release.wheels[0], Reading::default(), PYPI, "2026-01-02")]);
    let platforms: Vec<_> = package.releases[0].builds.iter().map(|build| build.platform.as_str()).collect();
    assert_eq!(platforms, ["linux_x86_64"]);
    assert_eq!(package.releases[0].requires_known, None);
}

#[test]
fn the_last_releases_are_those_that_were_not_withdrawn() {
    let mut files = listing();
    files.push(Published { yanked: true, ..published("torch-2.9.0-cp311-cp311-manylinux_2_28_x86_64.whl") });
    let last = |last| plan(&files, PYPI, &Reached { since: None, last: Some(last) }, None);
    let versions = |plan: &[Release]| plan.iter().map(|it| it.version.to_string()).collect::<Vec<_>>().join(" ");
    assert_eq!(versions(&last(1)), "2.7.1 2.9.0");
    assert_eq!(versions(&last(2)), "2.6.0 2.7.1 2.9.0");
    assert_eq!(versions(&last(9)), "2.5.0 2.6.0 2.7.1 2.9.0");
    let mut package = empty();
    last(2).iter().for_each(|release| release.merge(&mut package, Vec::new()));
    assert!(has_older(&files, &package));
    last(9).iter().for_each(|release| release.merge(&mut package, Vec::new()));
    assert!(!has_older(&files, &package));
}

#[test]
fn what_is_known_is_not_opened_again_and_stays_as_it_is() {
    let mut package = empty();
    for release in plan(&listing(), PYPI, &Reached::default(), None) {
        let rows = release.wheels.iter().map(|wheel| row(wheel, Reading::default(), PYPI, "2026-01-01"));
        release.merge(&mut package, rows.collect());
    }
    let before = package.clone();
    let again = plan(&listing(), PYPI, &Reached::default(), Some(&package));
    assert!(again.iter().flat_map(|release| &release.wheels).all(|wheel| wheel.known));
    again.iter().for_each(|release| release.merge(&mut package, Vec::new()));
    assert_eq!(package, before);
}

#[test]
fn requirements_that_all_wheels_share_belong_to_the_release() {
    let release = plan(&listing(), PYPI, &since("2.7"), None).remove(0);
    let reading = |lines: &[&str]| {
        let requires_dist = lines.iter().map(|&line| line.to_owned()).collect();
        Reading { metadata: Metadata { requires_dist, ..Metadata::default() }, ..Reading::default() }
    };
    let x86 = reading(&["sympy", "nvidia-nccl-cu12==2.26.2", "filelock", "triton==3.3.1", "pytest; extra == 'test'"]);
    let arm = reading(&["filelock", "sympy", "nvidia-nccl-cu12==2.26.2"]);
    let mut package = empty();
    release.merge(&mut package, vec![row(&release.wheels[0], x86, PYPI, "2026-01-01")]);
    assert_eq!(package.releases[0].requires, ["filelock", "sympy", "triton==3.3.1"]);
    release.merge(&mut package, vec![row(&release.wheels[1], arm, PYPI, "2026-01-01")]);
    let merged = &package.releases[0];
    assert_eq!(merged.requires, ["filelock", "sympy"]);
    assert_eq!(merged.builds[0].requires, ["nvidia-nccl-cu12==2.26.2", "triton==3.3.1"]);
    assert_eq!(merged.builds[1].requires, ["nvidia-nccl-cu12==2.26.2"]);
}

fn tally(containers: u32, targets: &[(&str, u32)]) -> Tally {
    let targets = targets.iter().map(|(target, count)| (target.parse().unwrap(), *count)).collect();
    Tally { containers, exact_only: 0, targets }
}

fn names(targets: &[CodeTarget]) -> Vec<String> {
    targets.iter().map(ToString::to_string).collect()
}

fn special(code: &CodeRow) -> Vec<String> {
    code.special.iter().map(|special| format!("{}:{}", special.target, special.containers)).collect()
}

#[test]
fn a_target_of_most_containers_is_the_builds_own() {
    // torch 2.8.0+cu128, abridged: MAGMA's 107 containers have sm_50 and no sm_75.
    let code =
        code(&tally(500, &[("sm_50", 107), ("sm_75", 393), ("sm_80", 500), ("sm_90a", 4), ("compute_80", 500)]), None);
    assert_eq!(names(&code.sass), ["sm_75", "sm_80"]);
    assert_eq!(names(&code.ptx), ["compute_80"]);
    assert_eq!(special(&code), ["sm_50:107", "sm_75:393", "sm_90a:4"]);
}

#[test]
fn kernels_for_one_gpu_do_not_outvote_the_rest() {
    // xformers 0.0.30, abridged: 71 of 89 containers are FlashAttention 3.
    let mut counts = tally(89, &[("sm_80", 18), ("sm_90a", 71), ("compute_80", 18)]);
    counts.exact_only = 71;
    let code = code(&counts, None);
    assert_eq!(names(&code.sass), ["sm_80", "sm_90a"]);
    assert_eq!(names(&code.ptx), ["compute_80"]);
    assert_eq!(special(&code), ["sm_80:18", "sm_90a:71", "compute_80:18"]);
    counts.targets.retain(|target, _| target.reach == Reach::Exact);
    (counts.containers, counts.exact_only) = (71, 71);
    assert_eq!(names(&super::code(&counts, None).sass), ["sm_90a"]);
}

#[test]
fn libraries_for_a_cuda_version_are_kept_apart() {
    let libraries = BTreeMap::from([
        ("b/libbitsandbytes_cpu.so".to_owned(), Tally::default()),
        ("b/libbitsandbytes_cuda118.so".to_owned(), tally(5, &[("sm_80", 5)])),
        ("b/libbitsandbytes_cuda118_nocublaslt.so".to_owned(), tally(5, &[("sm_60", 5)])),
        ("b/libbitsandbytes_cuda126.so".to_owned(), tally(5, &[("sm_90", 5)])),
    ]);
    let codes = codes(&libraries);
    let shown: Vec<_> = codes.iter().map(|code| (code.for_cuda.unwrap().to_string(), code.sass.len())).collect();
    assert_eq!(shown, [("11.8".to_owned(), 2), ("12.6".to_owned(), 1)]);
    let merged = super::codes(&BTreeMap::from([
        ("t/a.so".to_owned(), tally(9, &[("sm_80", 9)])),
        ("t/b.so".to_owned(), tally(1, &[("sm_90", 1)])),
    ]));
    assert_eq!((merged[0].containers, merged[0].sass.len(), merged[0].special.len()), (Some(10), 1, 2));
}

#[test]
fn versions_are_read_from_python_and_json() {
    let torch = "from typing import Optional\n__all__ = ['__version__']\n__version__ = '2.7.1+cu126'\ndebug = False\n\
                 cuda: Optional[str] = '12.6'\n";
    assert_eq!(read_version_py(torch), (Some("cu126".to_owned()), Some(CudaVersion::new(12, 6))));
    let vision = "__version__ = \"0.22.1\"\nif _check_cuda_version() > 0:\n    cuda = _check_cuda_version()\n";
    assert_eq!(read_version_py(vision), (None, None));
    assert_eq!(read_version_py("cuda: Optional[str] = None"), (None, None));
    assert_eq!(read_cudart_header("x\n#define CUDART_VERSION  12080\n"), Some(CudaVersion::new(12, 8)));
    assert_eq!(read_cpp_lib(r#"{"version": {"cuda": 1208}}"#), Some(CudaVersion::new(12, 8)));
    let tensorflow =
        "OrderedDict([('cuda_compute_capabilities', ['sm_60']), ('cuda_version', '12.5.1'), ('is_rocm_build', False)])";
    assert_eq!(read_build_info(tensorflow), Some(CudaVersion::new(12, 5)));
    assert_eq!(read_build_info("__version__ = '1.22.0'\ncuda_version = '12.2'\n"), Some(CudaVersion::new(12, 2)));
    assert_eq!(read_build_info("OrderedDict([('is_cuda_build', False)])"), None);
}

#[test]
fn nvidias_own_libraries_are_not_the_packages() {
    assert!(is_own_library("torch/lib/libtorch_cuda.so"));
    assert!(!is_own_library("torchvision.libs/libnvjpeg.e5f20359.so.12"));
    assert!(!is_own_library("torch/version.py"));
}
