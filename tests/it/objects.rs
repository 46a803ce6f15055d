//! What `gpudoc scan` and `gpudoc check` read of the shared objects in fixtures/objects (made by make_objects.py).

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use gpudoc::objects::elf::layout;
use gpudoc::objects::elf::lookup::Object;
use gpudoc::objects::fatbin::{Compression, read};
use gpudoc::objects::library::is_python_module;
use serde_json::{Value, json};
use tempfile::TempDir;

fn objects() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/objects")
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(objects().join(name)).unwrap()
}

fn gpudoc(folder: &Path, arguments: &[&str]) -> Output {
    let mut gpudoc = Command::new(env!("CARGO_BIN_EXE_gpudoc"));
    gpudoc.current_dir(folder).env("COLUMNS", "80").args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(output: &[u8]) -> &str {
    std::str::from_utf8(output).unwrap()
}

fn scan(folder: &Path, paths: &[&str]) -> Value {
    let output = gpudoc(folder, &[&["scan", "--format", "json"], paths].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `sm_80 sm_90:2 compute_90`: targets with the number of containers, 1 if it is not said.
fn targets(code: &Value) -> String {
    let mut all = Vec::new();
    for kind in ["sass", "ptx"] {
        for (target, count) in code[kind].as_object().unwrap() {
            all.push(if *count == 1 { target.clone() } else { format!("{target}:{count}") });
        }
    }
    all.join(" ")
}

fn list(value: &Value) -> String {
    let items = value.as_array().unwrap().iter().map(|item| item.as_str().unwrap());
    items.collect::<Vec<_>>().join(" ")
}

/// Where code lies, with the number of containers: registered, relocatable, elsewhere.
type Code = (&'static str, u32, &'static str);

const HOPPER: &str = "sm_75 sm_80 sm_86 sm_87 sm_88 sm_89 sm_90 sm_90a compute_75 compute_90 compute_90a";
const BLACKWELL: &str = "sm_100 sm_100a sm_100f sm_103 sm_103a sm_103f sm_110 sm_110f sm_120 sm_120a sm_120f sm_121 \
                         sm_121a sm_121f compute_100f compute_120 compute_120a";

/// Written by hand from the recipe.
const CODE: [(&str, &[Code]); 27] = [
    ("_new_abi.so", &[]),
    ("_old_abi.so", &[]),
    ("_unlinked.so", &[]),
    ("libaarch64.so", &[("registered", 1, "sm_90")]),
    ("libboth_sections.so", &[("registered", 1, "sm_80 sm_90 compute_90"), ("relocatable", 1, "sm_80 compute_80")]),
    ("libc10.so", &[]),
    ("libchance.so", &[]),
    ("libcuda_stub.so", &[]),
    ("libglibc_2_34.so", &[]),
    ("libgnu_hash.so", &[]),
    ("libin_cask.so", &[("elsewhere", 1, "sm_80 sm_90 compute_90")]),
    ("libin_data.so", &[("registered", 1, "sm_90a"), ("elsewhere", 2, "sm_80 sm_90 sm_90a compute_90")]),
    ("liblz4.so", &[("registered", 1, "sm_80 compute_80")]),
    ("libnothing_there.so", &[]),
    ("libplain.so", &[("registered", 1, "sm_80 compute_80")]),
    ("libptx_only.so", &[("registered", 1, "compute_75")]),
    ("libraw_cubin.so", &[("elsewhere", 2, "sm_120 sm_90")]),
    ("librelocatable.so", &[("relocatable", 1, "sm_80 compute_80")]),
    ("librpath.so", &[]),
    ("librunpath.so", &[]),
    ("libsince_blackwell.so", &[("registered", 1, BLACKWELL)]),
    ("libsysv_hash.so", &[]),
    ("libthree_containers.so", &[("registered", 3, "sm_80:2 sm_90:2 sm_90a compute_90:2")]),
    ("libtorch_python.so", &[]),
    ("libup_to_hopper.so", &[("registered", 1, HOPPER)]),
    ("libzstd.so", &[("registered", 1, "sm_80 compute_80")]),
    ("python_module.cpython-311-x86_64-linux-gnu.so", &[]),
];

#[test]
fn every_image_is_found_and_no_other() {
    let report = scan(&objects(), &["."]);
    assert_eq!((&report["schema"], &report["errors"]), (&json!("gpudoc.scan/1"), &json!([])));
    let mut found = BTreeMap::new();
    for object in report["objects"].as_array().unwrap() {
        let mut code = Vec::new();
        for (place, row) in
            [("registered", object), ("relocatable", &object["relocatable"]), ("elsewhere", &object["elsewhere"])]
        {
            let containers = u32::try_from(row["containers"].as_u64().unwrap_or(0)).unwrap();
            if containers > 0 {
                code.push((place, containers, targets(row)));
            }
        }
        let name = object["path"].as_str().unwrap().trim_start_matches("./").to_owned();
        assert_eq!(object["machine"], if name == "libaarch64.so" { "aarch64" } else { "x86_64" });
        assert_eq!(object["size"], bytes(&name).len());
        found.insert(name, code);
    }
    let expected = CODE.map(|(name, code)| {
        let code = code.iter().map(|&(place, containers, targets)| (place, containers, targets.to_owned()));
        (name.to_owned(), code.collect::<Vec<_>>())
    });
    assert_eq!(found, BTreeMap::from(expected));
}

#[test]
fn packing_is_told_by_the_image_and_not_by_the_size() {
    let packing = |name: &str| {
        let containers = read(bytes(name).as_slice()).unwrap();
        let [container] = containers.as_slice() else { panic!("{name}: {containers:?}") };
        let images = container.images.iter();
        images.map(|image| (image.compression, image.unpacked_size > Some(image.size))).collect::<Vec<_>>()
    };
    assert_eq!(packing("libplain.so"), [(None, false), (None, false)]);
    // PTX of two lines gets longer when it is packed.
    assert_eq!(packing("liblz4.so").first(), Some(&(Some(Compression::Lz4), true)));
    assert_eq!(packing("libzstd.so").first(), Some(&(Some(Compression::Zstd), true)));
}

#[test]
fn needs_are_what_the_loader_would_read() {
    let old = "_ZN3c105ErrorC2ENS_14SourceLocationESs";
    let new = "_ZN3c105ErrorC2ENS_14SourceLocationENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";
    let warn = "_ZN3c104warnERKNS_7WarningE";
    let cublas = ["$ORIGIN/../../nvidia/cublas/lib", "$ORIGIN"].join(" ");
    // Name, SONAME, needed, RPATH, RUNPATH, glibc, undefined.
    let expected: [(&str, &str, &str, &str, &str, &str, String); 7] = [
        ("_new_abi.so", "", "libc10.so", "", "", "", format!("{warn} {new}")),
        ("_old_abi.so", "", "libc10.so", "", "", "", format!("{warn} {old}")),
        ("libc10.so", "libc10.so", "", "", "", "", String::new()),
        ("libglibc_2_34.so", "libglibc_2_34.so", "libc.so.6", "", "", "2.34", "new_call old_call".to_owned()),
        ("libnothing_there.so", "libnothing_there.so", "libno_such_thing.so.7", "", "", "", String::new()),
        ("librpath.so", "librpath.so", "libcublas.so.12", &cublas, "", "", "cublasCreate_v2".to_owned()),
        ("librunpath.so", "librunpath.so", "libcublas.so.12", "", &cublas, "", "cublasCreate_v2".to_owned()),
    ];
    for (name, soname, needed, rpath, runpath, glibc, undefined) in expected {
        let report = scan(&objects(), &[name]);
        let object = &report["objects"][0];
        let word = |key: &str| object[key].as_str().unwrap_or("");
        assert_eq!((word("soname"), word("glibc")), (soname, glibc), "{name}");
        assert_eq!(list(&object["needed"]), needed, "{name}");
        assert_eq!((list(&object["rpath"]).as_str(), list(&object["runpath"]).as_str()), (rpath, runpath), "{name}");
        assert_eq!(list(&object["undefined"]), undefined, "{name}");
    }
}

#[test]
fn exports_are_found_with_either_hash_table() {
    for (name, section) in [("libgnu_hash.so", ".gnu.hash"), ("libsysv_hash.so", ".hash")] {
        let data = bytes(name);
        let data = data.as_slice();
        assert!(layout(data).unwrap().section(section).is_some());
        let exports = Object::open(data).unwrap().exports().unwrap();
        let has = ["answer", "question", "answe", "answers", ""].map(|symbol| exports.has(symbol).unwrap());
        assert_eq!(has, [true, true, false, false, false], "{name}");
    }
    let name = "python_module.cpython-311-x86_64-linux-gnu.so";
    let data = bytes(name);
    let object = Object::open(data.as_slice()).unwrap();
    assert!(is_python_module(&object, name).unwrap());
    assert!(!is_python_module(&object, "other_module.so").unwrap());
}

/// Found by fuzzing: the shift of the Bloom filter was believed up to 63, and overflowed.
#[test]
fn a_hash_table_that_shifts_too_far_is_not_believed() {
    let mut data = bytes("libgnu_hash.so");
    let table = layout(data.as_slice()).unwrap().section(".gnu.hash").unwrap().range.start;
    let shift = usize::try_from(table).unwrap() + 12;
    for wrong in [32, 63, 64, 255] {
        data[shift] = wrong;
        let exports = Object::open(data.as_slice()).unwrap().exports().unwrap();
        assert!(exports.has("answer").unwrap() && !exports.has("answers").unwrap(), "by name: {wrong}");
    }
}

/// Found by fuzzing: a local symbol in the index was taken for an exported one.
#[test]
fn a_local_symbol_is_not_exported() {
    for name in ["libgnu_hash.so", "libsysv_hash.so"] {
        let mut data = bytes(name);
        let symbols = layout(data.as_slice()).unwrap().section(".dynsym").unwrap().range.clone();
        let exports = |data: &[u8]| Object::open(data).unwrap().exports().unwrap().has("answer").unwrap();
        assert!(exports(&data));
        for at in (symbols.start..symbols.end).step_by(24) {
            data[usize::try_from(at).unwrap() + 4] &= 0x0f;
        }
        assert!(!exports(&data), "{name}");
    }
}

#[test]
fn text_fits_a_terminal() {
    let output = gpudoc(&objects(), &["scan", "libin_data.so", "libboth_sections.so", "libthree_containers.so"]);
    insta::assert_snapshot!(text(&output.stdout), @r"
      libboth_sections.so
        code   1 container: sm_80 sm_90 compute_90
        rdc    1 container: sm_80 compute_80
      libin_data.so
        code   1 container: sm_90a
        other  2 containers: sm_80 sm_90 sm_90a compute_90 in 1
      libthree_containers.so
        code   3 containers: sm_80 sm_90 compute_90 in 2; sm_90a in 1
    ");
    let output = gpudoc(&objects(), &["scan", "librunpath.so"]);
    insta::assert_snapshot!(text(&output.stdout), @r"
      librunpath.so
        code   none
        needs  libcublas.so.12
        paths  RUNPATH $ORIGIN/../../nvidia/cublas/lib and 1 more
        file   x86_64, 4.8 KiB
    ");
    let output = gpudoc(&objects(), &["scan", ".", "--all"]);
    let text = text(&output.stdout);
    assert!(text.lines().all(|line| line.chars().count() <= 80) && !text.contains('\u{1b}'), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("  .")).count(), CODE.len());
}

#[test]
fn the_exit_code_is_1_where_no_code_runs() {
    let code = |arguments: &[&str]| gpudoc(&objects(), &[&["scan"], arguments].concat()).status.code();
    assert_eq!(code(&["libplain.so", "--gpu", "8.0"]), Some(0));
    assert_eq!(code(&["libplain.so", "--gpu", "8.6"]), Some(0), "sm_80 runs on every 8.x");
    assert_eq!(code(&["libplain.so", "--gpu", "7.5"]), Some(1));
    assert_eq!(code(&["libplain.so", "--gpu", "12.0"]), Some(0), "PTX of compute_80 is compiled for it");
    assert_eq!(code(&["libaarch64.so", "--gpu", "12.0"]), Some(1));
    assert_eq!(code(&["libaarch64.so", "--gpu", "9.0", "--gpu", "12.0"]), Some(1), "one GPU of two suffices");
    assert_eq!(code(&["libc10.so", "--gpu", "7.5"]), Some(0), "no device code, nothing to judge");
    assert_eq!(code(&["libplain.so", "--gpu", "no such GPU"]), Some(2));
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let output = gpudoc(&objects(), &["scan", "libplain.so", "libno_such_file.so"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("libno_such_file.so"), "{}", text(&output.stderr));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("torch-1.0-py3-none-any.whl"), "no zip file").unwrap();
    let output = gpudoc(folder.path(), &["scan", "torch-1.0-py3-none-any.whl"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("torch-1.0-py3-none-any.whl"), "{}", text(&output.stderr));
}

#[test]
fn damaged_files_are_errors_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    for name in ["libin_data.so", "_old_abi.so", "libglibc_2_34.so", "libraw_cubin.so"] {
        let whole = bytes(name);
        for end in (100..whole.len()).step_by(100) {
            std::fs::write(folder.path().join(format!("{name}.{end}")), &whole[..end]).unwrap();
            number += 1;
        }
    }
    std::fs::write(folder.path().join("libwhole.so"), bytes("libplain.so")).unwrap();
    // The section table comes last, so that no part of a file is a whole one.
    let report = scan(folder.path(), &["."]);
    assert_eq!(report["objects"].as_array().unwrap().len(), 1);
    let errors = report["errors"].as_array().unwrap();
    assert_eq!(errors.len(), number);
    assert!(errors.iter().all(|row| row["error"].as_str().unwrap().starts_with("damaged ELF file")), "{errors:#?}");
    std::fs::write(folder.path().join("libscript.so"), "INPUT(libplain.so)").unwrap();
    assert_eq!(scan(folder.path(), &["."])["objects"].as_array().unwrap().len(), 1, "a linker script is no library");
    assert_eq!(scan(folder.path(), &["libscript.so"])["errors"][0]["error"], "not an ELF file", "but it was named");
}

/// A zip file: members with their names, the second and every other one deflated.
fn zip(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (index, (name, content)) in members.iter().enumerate() {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let (method, packed) = if index % 2 == 1 {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(content).unwrap();
            (8_u16, encoder.finish().unwrap())
        } else {
            (0, content.clone())
        };
        let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let name_size = u16::try_from(name.len()).unwrap().to_le_bytes();
        let mut common = [20_u16.to_le_bytes(), [0; 2], method.to_le_bytes(), [0; 2], [0; 2]].concat();
        common.extend([crc.sum().to_le_bytes(), size(&packed), size(content)].concat());
        common.extend([name_size, [0; 2]].concat());
        directory.extend([b"PK\x01\x02\x14\0".as_slice(), &common, &[0; 10], &size(&file), name.as_bytes()].concat());
        file.extend([b"PK\x03\x04".as_slice(), &common, name.as_bytes(), &packed].concat());
    }
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    let place = u32::try_from(file.len()).unwrap().to_le_bytes();
    let size = u32::try_from(directory.len()).unwrap().to_le_bytes();
    file.extend(directory);
    file.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &size, &place, &[0; 2]].concat());
    file
}

#[test]
fn a_wheel_says_what_its_unpacked_folder_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut members = Vec::new();
    let mut record = String::new();
    for (index, (name, _)) in CODE.iter().enumerate() {
        let path = format!("gpuext/part{}/{name}", index % 3);
        record += &format!("{path},sha256=x,{}\n", bytes(name).len());
        // Each both stored and deflated.
        members.push((path.clone(), bytes(name)));
        members.push((path.replace("gpuext", "again"), bytes(name)));
        record += &format!("{},,\n", path.replace("gpuext", "again"));
    }
    members.push(("gpuext-1.0.dist-info/METADATA".to_owned(), b"Name: gpuext\nVersion: 1.0\n".to_vec()));
    members.push(("gpuext-1.0.dist-info/RECORD".to_owned(), record.into_bytes()));
    let wheel = "gpuext-1.0-cp311-cp311-manylinux_2_28_x86_64.whl";
    std::fs::write(folder.path().join(wheel), zip(&members)).unwrap();
    for (name, content) in &members {
        let path = folder.path().join("unpacked").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let packed = scan(folder.path(), &[wheel, "--gpu", "8.0"]);
    let unpacked = gpudoc(folder.path(), &["scan", "unpacked", "--gpu", "8.0", "--format", "json"]);
    let unpacked = text(&unpacked.stdout).replace("\"unpacked/", "\"");
    let unpacked: Value = serde_json::from_str(&unpacked).unwrap();
    assert_eq!(packed["objects"].as_array().unwrap().len(), 2 * CODE.len());
    assert_eq!(packed["objects"][0]["distribution"], "gpuext");
    assert_eq!(packed, unpacked);
}

/// A machine like fixtures/hosts/empty-venv, whose environment a test fills.
struct Host {
    folder: TempDir,
}

/// What each of these is: path below site-packages, bytes, and the size in RECORD if it is another.
type File<'a> = (&'a str, Option<Vec<u8>>, Option<usize>);

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hosts/empty-venv"), folder.path());
        Self { folder }
    }

    /// The same with the GPU of a recorded host.
    fn with_gpu_of(name: &str) -> Self {
        let host = Self::new();
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hosts").join(name);
        for part in ["proc", "sys"] {
            let target = host.folder.path().join(part);
            let _ = std::fs::remove_dir_all(&target);
            std::fs::create_dir_all(&target).unwrap();
            copy(&recorded.join(part), &target);
        }
        host
    }

    fn site_packages(&self) -> PathBuf {
        self.folder.path().join("workspace/venv/lib/python3.11/site-packages")
    }

    /// Installs a distribution. A file without bytes is in RECORD only.
    fn install(&self, name: &str, version: &str, files: &[File<'_>]) {
        let info = self.site_packages().join(format!("{name}-{version}.dist-info"));
        std::fs::create_dir_all(&info).unwrap();
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        std::fs::write(info.join("METADATA"), metadata).unwrap();
        let mut record = format!("{name}-{version}.dist-info/METADATA,,\n{name}-{version}.dist-info/RECORD,,\n");
        for (path, content, recorded) in files {
            let size = recorded.or(content.as_ref().map(Vec::len)).unwrap_or(1000);
            record += &format!("{path},sha256=x,{size}\n");
            if let Some(content) = content {
                let place = self.site_packages().join(path);
                std::fs::create_dir_all(place.parent().unwrap()).unwrap();
                std::fs::write(place, content).unwrap();
            }
        }
        std::fs::write(info.join("RECORD"), record).unwrap();
    }

    /// The stand-in for torch: a library that exports three of its symbols, and the one that brings it in.
    fn install_torch(&self) {
        let files: &[File<'_>] = &[
            ("torch/lib/libc10.so", Some(bytes("libc10.so")), None),
            ("torch/lib/libtorch_python.so", Some(bytes("libtorch_python.so")), None),
            ("torch/version.py", Some(b"__version__ = '2.8.0+cu128'\ncuda = '12.8'\n".to_vec()), None),
        ];
        self.install("torch", "2.8.0", files);
    }

    /// The findings about files and symbols, by id.
    fn findings(&self) -> BTreeMap<String, Value> {
        let root = self.folder.path().to_str().unwrap();
        let output = gpudoc(self.folder.path(), &["check", "--root", root, "--format", "json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let found = findings.map(|finding| (finding["id"].as_str().unwrap().to_owned(), finding.clone()));
        let kinds = ["abi/", "cuda-libs/", "gpu-arch/"];
        found.filter(|(id, _)| kinds.iter().any(|kind| id.starts_with(kind))).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn ids(findings: &BTreeMap<String, Value>) -> Vec<(&str, &str)> {
    findings.iter().map(|(id, finding)| (id.as_str(), finding["severity"].as_str().unwrap())).collect()
}

#[test]
fn a_sound_environment_gives_no_finding_about_its_files() {
    let host = Host::new();
    host.install_torch();
    host.install(
        "gpuext",
        "1.0",
        &[
            ("gpuext/_new_abi.so", Some(bytes("_new_abi.so")), None),
            ("gpuext/libsysv_hash.so", Some(bytes("libsysv_hash.so")), None),
        ],
    );
    assert_eq!(ids(&host.findings()), []);
}

#[test]
fn a_symbol_that_torch_does_not_export_is_named() {
    let host = Host::new();
    host.install_torch();
    host.install("oldext", "1.0", &[("oldext/_old_abi.so", Some(bytes("_old_abi.so")), None)]);
    let findings = host.findings();
    assert_eq!(ids(&findings), [("abi/oldext", "fail")]);
    let finding = &findings["abi/oldext"];
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("1 symbol") && message.contains("_ZN3c105ErrorC2ENS_14SourceLocationESs"), "{message}");
}

/// Its linker found no symbol of it in torch, and so did not note that it needs torch.
#[test]
fn an_extension_that_names_no_library_of_torch_is_judged_too() {
    let host = Host::new();
    host.install_torch();
    host.install("oldext", "1.0", &[("oldext/_unlinked.so", Some(bytes("_unlinked.so")), None)]);
    assert_eq!(ids(&host.findings()), [("abi/oldext", "fail")]);
}

#[test]
fn a_file_of_two_distributions_is_found() {
    let host = Host::new();
    host.install_torch();
    let file = || ("shared/libshared.so", Some(bytes("libplain.so")), None);
    host.install("one", "1.0", &[file()]);
    host.install("two", "2.0", &[file()]);
    assert_eq!(ids(&host.findings()), [("cuda-libs/one+two", "warn")]);
    // The second one's is of another size: the first one's file is lost.
    host.install("two", "2.0", &[("shared/libshared.so", Some(bytes("libup_to_hopper.so")), None)]);
    let findings = host.findings();
    assert_eq!(ids(&findings), [("cuda-libs/one+two", "warn")]);
    let message = findings["cuda-libs/one+two"]["message"].as_str().unwrap();
    assert!(message.contains("Those of one were overwritten"), "{message}");
}

#[test]
fn files_that_are_not_what_was_installed_are_found() {
    let host = Host::new();
    host.install_torch();
    let files: &[File<'_>] = &[
        ("torch/lib/libc10.so", Some(bytes("libc10.so")), None),
        ("torch/lib/libtorch_cuda.so", None, None),
        ("torch/lib/libother.so", Some(bytes("libgnu_hash.so")), Some(1)),
    ];
    host.install("torch", "2.8.0", files);
    let findings = host.findings();
    assert_eq!(ids(&findings), [("cuda-libs/torch/files", "fail")]);
    let evidence = findings["cuda-libs/torch/files"]["evidence"].as_array().unwrap();
    let observed: Vec<_> = evidence.iter().map(|row| row["observed"].as_str().unwrap()).collect();
    assert!(observed.contains(&"is missing"), "{observed:?}");
    assert!(observed.contains(&format!("{} bytes", bytes("libgnu_hash.so").len()).as_str()), "{observed:?}");

    let cut = bytes("libc10.so");
    host.install("torch", "2.8.0", &[("torch/lib/libc10.so", Some(cut[..cut.len() / 2].to_vec()), None)]);
    let findings = host.findings();
    assert_eq!(ids(&findings), [("cuda-libs/torch/files", "fail")], "half a library");
}

#[test]
fn what_nobody_published_is_judged_by_its_files() {
    let host = Host::with_gpu_of("rtx5090-cu128");
    host.install_torch();
    // Built from source for Hopper's exact targets only, for another GPU altogether, and with PTX.
    host.install("torchsparse", "2.1.0", &[("torchsparse/backend.so", Some(bytes("libaarch64.so")), None)]);
    host.install("fa3", "3.0", &[("fa3/_C.so", Some(bytes("libin_data.so")), None)]);
    host.install("ptxonly", "1.0", &[("ptxonly/_C.so", Some(bytes("libptx_only.so")), None)]);
    let findings = host.findings();
    assert_eq!(ids(&findings), [("gpu-arch/fa3", "warn"), ("gpu-arch/torchsparse", "fail")]);
    let evidence = &findings["gpu-arch/torchsparse"]["evidence"][0];
    assert_eq!((&evidence["source"], &evidence["fact"]), (&"binary".into(), &"torchsparse/backend.so".into()));
    assert!(evidence["observed"].as_str().unwrap().contains("sm_90"), "{evidence}");
}

#[test]
fn files_win_over_the_rules_and_the_report_says_so() {
    let host = Host::with_gpu_of("rtx5090-cu128");
    host.install_torch();
    // The published wheel has kernels for several GPUs, this one what somebody built.
    host.install("xformers", "0.0.31.post1", &[("xformers/_C.so", Some(bytes("libsince_blackwell.so")), None)]);
    let findings = host.findings();
    assert_eq!(ids(&findings), [("gpu-arch/xformers", "info")]);
    let finding = &findings["gpu-arch/xformers"];
    assert!(finding["title"].as_str().unwrap().contains("other GPU code than the published wheel"), "{finding}");
    assert!(finding["evidence"][0]["citation"].as_str().unwrap().contains("xformers-0.0.31.post1"), "{finding}");
}
