//! `gpudoc check --from` on pasted text: the recorded reports, the same ones damaged, secrets, hostile text.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports")
}

/// Each recorded report with the id of its first serious finding; empty for a sound one.
fn recorded() -> Vec<(String, String, String)> {
    let expected: BTreeMap<String, String> =
        toml::from_str(&std::fs::read_to_string(folder().join("expected.toml")).unwrap()).unwrap();
    let read = |name: &String| std::fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
    expected.iter().map(|(name, first)| (name.clone(), first.clone(), read(name))).collect()
}

fn check(text: &str, format: &str) -> (String, String, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gpudoc"))
        .args(["check", "--from", "-", "--format", format])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = text.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let done = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let words = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (words(done.stdout), words(done.stderr), done.status.code().unwrap())
}

/// The ids of the findings that fail or warn, in order.
fn serious(text: &str) -> Vec<String> {
    let (out, error, code) = check(text, "json");
    assert!(code < 2, "exit {code}: {error}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let serious = findings.iter().filter(|finding| finding["severity"] != "info");
    serious.map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn recorded_reports_name_their_cause_first() {
    let reports = recorded();
    assert!(reports.len() >= 15, "{} reports", reports.len());
    for (name, first, text) in reports {
        let found = serious(&text);
        assert_eq!(found.first().map_or("", String::as_str), first, "{name}: {found:?}");
    }
}

/// What pasting does to a text.
fn damages(text: &str) -> Vec<(&'static str, String)> {
    let each = |change: &dyn Fn(&str) -> String| text.lines().map(change).collect::<Vec<_>>().join("\n");
    let wrapped = |line: &str| {
        let letters: Vec<char> = line.chars().collect();
        letters.chunks(80).map(|piece| piece.iter().collect::<String>()).collect::<Vec<_>>().join("\n")
    };
    let by_words = |line: &str| {
        let mut out = String::new();
        let mut width = 0;
        for word in line.split(' ') {
            if width + word.len() + 1 > 80 && width > 0 {
                out.push('\n');
                width = 0;
            } else if width > 0 {
                out.push(' ');
                width += 1;
            }
            out.push_str(word);
            width += word.len();
        }
        out
    };
    let mut sections: Vec<&str> = text.split("\n\n").collect();
    sections.reverse();
    vec![
        ("quoted", each(&|line| format!("> {line}"))),
        ("CRLF", text.replace('\n', "\r\n")),
        ("ANSI", each(&|line| format!("\u{1b}[31m{line}\u{1b}[0m"))),
        ("timestamps", each(&|line| format!("2026-03-04T05:06:07.891Z {line}"))),
        ("wrapped", each(&wrapped)),
        ("wrapped at words", each(&by_words)),
        ("tabs", each(&|line| format!("\t{line}"))),
        ("fenced", format!("### Describe the bug\n\nIt does not work.\n\n```text\n{text}\n```\n\nAny idea?\n")),
        ("log prefixes", each(&|line| format!("ERROR 03-04 05:06:07 [engine.py:41] {line}"))),
        ("ranks", each(&|line| format!("[rank0]: {line}"))),
        ("shuffled", sections.join("\n\n")),
    ]
}

#[test]
fn damaged_reports_say_the_same() {
    let mut wrong = Vec::new();
    for (name, first, text) in recorded() {
        for (damage, damaged) in damages(&text) {
            let found = serious(&damaged);
            if found.first().map_or("", String::as_str) != first {
                wrong.push(format!("{name}, {damage}: {found:?} instead of {first}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Half of a report is worth half of it: the deciding facts of these stand in the first half, or in the second.
#[test]
fn half_a_report_is_read() {
    let text = |wanted: &str| recorded().into_iter().find(|(name, ..)| name == wanted).unwrap().2;
    let cut = |text: &str, marker: &str| text.split(marker).next().unwrap().to_owned();
    assert_eq!(serious(&cut(&text("b200-torch-cu126"), "Versions of relevant")), ["gpu-arch/torch"]);
    assert_eq!(serious(&cut(&text("l4-cuda13-driver-550"), "cuDNN version")), ["driver/torch"]);
    let vision = text("torchvision-of-another-torch");
    let second = vision.split("Versions of relevant").nth(1).unwrap();
    assert_eq!(serious(second).first().unwrap(), "requirement/torchvision/torch");
}

#[test]
fn what_a_report_does_not_say_is_not_checked() {
    let (out, error, code) = check("torch==2.8.0\n", "json");
    assert_eq!(code, 0, "{out}");
    assert_eq!(error, "");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["facts"]["pasted"]["recognised"][0], "list of distributions, line 1", "{out}");
    let status = |id: &str| {
        let check = report["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).unwrap();
        check["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status("gpu-arch"), "skipped");
    assert_eq!(status("driver"), "skipped");
    assert_eq!(status("gpu-visibility"), "skipped");
    assert_eq!(report["facts"]["origin"], "report");
}

#[test]
fn two_environments_in_one_text_are_told() {
    let text = "WARNING[XFORMERS]: xFormers can't load C++/CUDA extensions. xFormers was built for:\n    \
                PyTorch 2.3.1+cu121 with CUDA 1201 (you have 2.2.2+cu118)\n\n$ pip list\nPackage   Version\n\
                torch     2.4.0+cu121\nxformers  0.0.27.post2\n";
    let found = serious(text);
    assert_eq!(found[0], "pairing/xformers");
    assert!(found.contains(&"pairing/contradiction-torch".to_owned()), "{found:?}");
}

#[test]
fn secrets_and_names_do_not_come_out() {
    let text = "Collecting environment information...\nPyTorch version: 2.8.0+cu128\nHF_TOKEN=hf_abcdefghijklmnopqrst\n\
                LD_LIBRARY_PATH=/home/grace/cudnn/lib\nPIP_INDEX_URL=https://grace:hunter2@example.org/simple\n\
                ImportError: /home/grace/venv/lib/python3.11/site-packages/flash_attn_2_cuda.cpython-311-x86_64-linux-gnu.so: \
                undefined symbol: _ZN3c104cuda9SetDeviceEi token=abcdef123456\n\
                OSError: libcuda.so.1: cannot open shared object file (https://grace:hunter2@example.org)\n";
    for format in ["text", "json", "markdown"] {
        let (out, error, _) = check(text, format);
        for secret in ["grace", "hunter2", "hf_abcdefghij", "abcdef123456"] {
            assert!(!out.contains(secret) && !error.contains(secret), "{format} tells {secret}:\n{out}\n{error}");
        }
    }
}

/// Whoever pastes a text tells who and where they are in many ways; beside an error that is quoted, and in fields that become
/// facts.
#[test]
fn no_spelling_of_a_name_or_secret_comes_out() {
    let spellings = [
        "https://grace:hunter2@example.org/simple",
        "pip install torch --extra-index-url=https://grace:hunter2@example.org/simple",
        "HF_TOKEN: hf_hunter2",
        "WANDB_API_KEY = hunter2",
        "wandb login 0123456789abcdef0123456789abcdef01234567",
        "ghp_ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "sk-proj-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "{\"aws_secret_access_key\": \"hunter2/x\"}",
        "AKIAABCDEFGHIJKLMNOP",
        "docker login -u me -p hunter2",
        "twine upload --password hunter2",
        "Authorization: Basic hunter2==",
        "/mnt/nfs/home/grace/venv and /data/grace/x",
        "C:\\Users\\Grace Hopper\\x",
        "grace@build07:~$ python train.py",
        "[grace@build07 x]$ python train.py",
        "root@build07:/workspace# python train.py",
        "ssh grace@build07.example.org",
        "git@build07:grace/x.git",
        "Hostname: build07",
        "USER=grace HOSTNAME=build07",
        "Linux build07 6.8.0-51-generic #52-Ubuntu SMP x86_64 GNU/Linux",
        "build07:1234:1290 [0] NCCL INFO Bootstrap : Using eth0:203.0.113.7<0>",
        "Author: Grace Hopper <grace@example.org>",
        "/data/grace/miniconda3/envs/x/lib/python3.10/site-packages/torch",
        "PS C:\\Users\\grace> python",
        "(base) grace@build07 ~ % python",
        "tcp://203.0.113.7:29500 failed, then tcp://build07:29500",
        "(RayWorkerWrapper pid=1234, ip=203.0.113.7) ERROR",
        "host : build07",
        "uid=1000(grace) gid=1000(grace) groups=1000(grace)",
        "srun: error: build07: task 3: Exited with exit code 1",
        "[build07:12345] *** Process received signal ***",
        "drwxr-xr-x 2 grace grace 4096 Jan 1 00:00 x",
        "wandb: Currently logged in as: grace (x)",
        "ssh-rsa ABCDEFGHIJKLABCDEFGHIJKL grace@build07",
        "-----BEGIN PRIVATE KEY----- ABCDEFGHIJKLMNOPQRSTUVWXYZ -----END PRIVATE KEY-----",
        "Namespace(hf_token='hunter2', x=1)",
        "?X-Amz-Signature=hunter2&x=1",
        "Cookie: session=hunter2",
        "sshpass -p hunter2 ssh x",
        "MYSQL_PWD=hunter2 AccountKey=hunter2",
    ];
    let secrets = ["grace", "Grace", "Hopper", "build07", "hunter2", "0123456789abcdef", "ABCDEFGHIJKL", "203.0.113"];
    for spelling in spellings {
        let text = format!(
            "{spelling}\n{spelling} CUDA error: no kernel image is available for execution on the device\n\
             ERROR: No matching distribution found for torch==9.9 {spelling}\n\
             CUDA_HOME={spelling}\nGPU: NVIDIA H100 {spelling}\nOS: Ubuntu 22.04 {spelling}\n\
             torch==2.6.0\nLD_LIBRARY_PATH=/opt/{spelling}/lib\n"
        );
        for format in ["json", "markdown"] {
            let (out, error, _) = check(&text, format);
            for secret in secrets {
                assert!(
                    !out.contains(secret) && !error.contains(secret),
                    "`{spelling}` tells {secret}:\n{out}\n{error}"
                );
            }
        }
    }
}

/// What is everybody's is no name: a quote stays readable.
#[test]
fn words_of_the_trade_are_not_taken_for_names() {
    let text = "vllm@v0.6.3 /home/torch/x USER=nvidia git@github.com:pytorch/pytorch.git\n\
                RuntimeError: CUDA error: no kernel image is available for execution on the device (torch, nvidia, github.com)\n";
    let (out, _, _) = check(text, "markdown");
    assert!(out.contains("for execution on the device (torch, nvidia, github.com)"), "{out}");
}

#[test]
fn an_answer_in_markdown_folds_its_evidence() {
    let text = recorded().into_iter().find(|(name, ..)| name == "windows-cpu-torch").unwrap().2;
    let (out, _, code) = check(&text, "markdown");
    assert_eq!(code, 1);
    assert!(out.starts_with("❌ **torch 2.5.1+cpu is a CPU build"), "{out}");
    let (answer, evidence) = out.split_once("<details>").unwrap();
    assert!(
        answer.contains("Plan: Install torch 2.5.1+cu124")
            && answer.contains("```powershell\npip install ")
            && evidence.contains("</details>"),
        "{out}"
    );
    assert!(
        evidence.contains("error message: `") && evidence.contains("Torch not compiled with CUDA enabled"),
        "{out}"
    );
}

#[test]
fn a_message_alone_is_a_hypothesis_with_a_command() {
    let (out, _, code) = check("CUDA error: device kernel image is invalid\n", "text");
    assert_eq!(code, 1, "what failed is certain, whatever it comes from: {out}");
    assert!(out.contains("likely: "), "{out}");
    assert!(out.contains("\nfirst Find out which it is: that, or ") && out.contains("\nthen  "), "{out}");
    let (out, _, code) = check("WARNING: ptxas too old. Falling back to the driver to compile.\n", "text");
    assert!(code == 0 && out.contains("likely: "), "the program goes on after it: {out}");
}

/// What a text says rules causes out and stands in what is to be done; a guess exchanges nothing that is installed.
#[test]
fn what_the_text_says_beside_a_message_decides_between_its_causes() {
    let first = |text: &str| {
        let (out, ..) = check(text, "text");
        assert!(!out.contains("Find out which it is"), "{out}");
        out
    };
    let compat =
        first("804 error: forward compatibility was attempted on non supported HW; the host has `cuda-compat-11-3`\n");
    assert!(compat.contains("sudo apt-get remove cuda-compat-11-3\n"), "{compat}");
    let stale = "/root/.triton/cache/abc/cuda_utils.so: undefined symbol: cuModuleGetFunction\n\
                 lrwxrwxrwx 1 root root 17 /usr/local/nvidia/lib64/libcuda.so -> libcuda.so.530.30\n";
    assert!(first(stale).contains("sudo mv /usr/local/nvidia/lib64/libcuda.so"), "{}", first(stale));
    let wsl = "Linux box 5.15.90.1-microsoft-standard-WSL2\nCudaSupportError: Error at driver init: Call to cuInit results in \
               CUDA_ERROR_NO_DEVICE (100)\n";
    assert!(first(wsl).contains("libnvidia-compute-*"), "{}", first(wsl));
    let kernel = "RTX 5090\nvllm serve\nCUDA error (/__w/xformers/xformers/third_party/flash-attention/hopper/\
                  flash_fwd_launch_template.h:188): invalid argument\n";
    assert!(first(kernel).contains("likely: xformers chose"), "{}", first(kernel));
    let bnb = "CUDA SETUP: Required library version not found: libbitsandbytes_cuda117_nocublaslt.so. Maybe you need\n";
    assert!(first(bnb).contains("pip install --no-deps bitsandbytes==0.44.1\n"), "{}", first(bnb));
    // Its setup would fetch the same wheel again.
    let glibc = "version `GLIBC_2.32' not found (required by /v/lib/python3.12/site-packages/flash_attn_2_cuda.so)\n\
                 ldd (GNU libc) 2.28\n";
    assert!(first(glibc).contains("FLASH_ATTENTION_FORCE_BUILD=TRUE"), "{}", first(glibc));
    let numpy = "A module that was compiled using NumPy 1.x cannot be run in\nNumPy 2.0.2 as it may crash.\n";
    assert!(first(numpy).contains("pip install \"numpy<2\"\n"), "{}", first(numpy));
}

/// 1 MB of anything is answered; a debug build is some twenty times slower than what users have.
#[test]
fn hostile_text_is_answered() {
    let noise: String =
        (0..1_000_000_u32).map(|at| char::from(32 + (at.wrapping_mul(2_654_435_761) >> 13) as u8 % 95)).collect();
    let texts = [
        noise,
        "GPU 0: NVIDIA ".repeat(70_000),
        "undefined symbol: _Z".repeat(50_000),
        "torch 2.7.1 ".repeat(80_000),
        "a 1.0\n".repeat(160_000),
        "> ".repeat(500_000),
        "\u{1b}[".repeat(400_000),
        format!("{}\n", "x".repeat(80)).repeat(12_000),
        "é".repeat(400_000),
        format!("LD_LIBRARY_PATH={}", "/a:".repeat(300_000)),
        format!("GPU {}: NVIDIA H100\n", "0,".repeat(60)).repeat(7_000),
        "a@b.c ".repeat(160_000),
        "Traceback (most recent call last):\n  File \"".repeat(20_000),
    ];
    for text in texts {
        let (_, error, code) = check(&text, "json");
        assert!(code < 2 || error.contains("nothing was recognised"), "{error}");
    }
}

/// One report in few lines for each way in which people tell the same thing, with the finding that it must lead to first.
#[test]
fn what_the_facts_of_a_report_prove_is_found() {
    for (text, id, severity) in [
        (
            "[pip3] nvidia-nccl-cu11==2.14.3\n[pip3] nvidia-nccl-cu12==2.27.3\n",
            "cuda-libs/nvidia-nccl-cu11+nvidia-nccl-cu12",
            "warn",
        ),
        ("RTX 3090\ntorch==1.8.1+cu101\n", "gpu-arch/torch", "warn"),
        ("Jetson AGX Orin 64GB, torch 2.8.0+cu129\n", "gpu-arch/torch", "fail"),
        (
            "RTX 5060 Ti\n>>> torch.cuda.get_arch_list()\n['sm_50', 'sm_60', 'sm_70', 'sm_90']\n",
            "gpu-arch/torch",
            "fail",
        ),
        (
            "Python 3.12.3\npip install flash_attn-2.7.4.post1+cu12torch2.6cxx11abiFALSE-cp310-cp310-linux_x86_64.whl\n",
            "python/flash-attn",
            "fail",
        ),
        ("GPU 0: NVIDIA GeForce RTX 5080\npytorch-triton==3.3.0+git96316ce5\n", "gpu-arch/pytorch-triton", "warn"),
        ("GPU 0: NVIDIA GeForce RTX 2080 Ti\nflash-attn==2.6.3\n", "gpu-arch/flash-attn", "fail"),
        ("torch==2.5.1+cu124\ntorch-scatter==2.1.2+pt24cu124\n", "pairing/torch-scatter", "fail"),
        (
            "kernel: NVRM: API mismatch: the client has the version 535.54.03, but\nNVRM: this kernel module has the \
             version 530.30.02.  Please\n",
            "driver-mismatch/the installed driver package",
            "fail",
        ),
        (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  520.56.06  Thu Oct\nii  nvidia-smi  525.85.12-1  amd64\n",
            "driver-mismatch/the installed driver package",
            "fail",
        ),
        (
            "cpuonly  pytorch/noarch::cpuonly-2.0-0\npytorch  pytorch/win-64::pytorch-1.10.0-py3.6_cpu_0\n",
            "cpu-build/torch",
            "warn",
        ),
        ("Ubuntu 22.04\ntorch==2.5.1\nan NVIDIA GH200 with driver 550.90.07\n", "cpu-build/torch", "fail"),
        ("pip install torch==2.3.0\nDEBUG Using Python 3.13.0 environment at .venv\n", "python/torch", "warn"),
        ("Python 3.10.6 (tags/v3.10.6, Aug  1 2022) [MSC v.1932 32 bit (Intel)]\n", "python/32-bit", "fail"),
        ("torch.__version__ → 2.9.1+cpu\nGPU: NVIDIA GeForce RTX 3080\n", "cpu-build/torch", "fail"),
        ("environment:\n  CUDA_VISIBLE_DEVICES: all\n", "gpu-visibility/cuda-visible-devices", "fail"),
        (
            "glibc version: 2.17\ntorch==2.5.1\nImportError: /lib64/libm.so.6: version `GLIBC_2.27' not found (required by \
             /x/lib/python3.11/site-packages/torch/lib/../../../../libcurand.so.10)\n",
            "python/torch",
            "fail",
        ),
        // Who tells of conv3d uses it.
        ("torch==2.9.0+cu128\nout of memory in Conv3d of the decoder\n", "GPUDOC-2026-0050", "warn"),
        // PyTorch's own index serves another build of this xformers.
        ("pytorch version: 2.6.0+cu126\nxformers version: 0.0.29.post3\n", "abi/xformers", "warn"),
    ] {
        let (out, _, _) = check(text, "json");
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        let first = &report["findings"][0];
        assert_eq!((first["id"].as_str(), first["severity"].as_str()), (Some(id), Some(severity)), "{text}");
    }
    // Machine code for 8.0 runs on 8.9, and nothing is known against it.
    for text in ["RTX 4090\ntorch==1.10.0+cu113\n", "RTX 2080 Ti\ntorch==1.8.1+cu101\n"] {
        assert!(!check(text, "json").0.contains("gpu-arch/torch"), "{text}");
    }
}
