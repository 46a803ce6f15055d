//! Whose folder it is: home folders, and folders of people on data disks.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

/// A home folder on Linux or macOS.
static HOME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"/(home|Users|users)/([^/\s:;,'\x22]+)").expect("a constant pattern"));

/// The same as shells shorten it: `~ada/x`.
static TILDE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"~([A-Za-z_][A-Za-z0-9_.-]*)/").expect("a constant pattern"));

/// The same on Windows, where names may have spaces: `C:\Users\Ada Lovelace\`, in JSON with two backslashes.
static PROFILE: LazyLock<Regex> = LazyLock::new(|| {
    let word = r"[^\s\\/:;,'\x22<>|]+";
    let pattern = format!(r"(\\{{1,2}}Users\\{{1,2}})((?:{word}(?: {word}){{0,2}}\\)|{word})");
    Regex::new(&pattern).expect("a constant pattern")
});

/// A folder on a disk that people share, as often somebody's as not: `/data/ada`.
static SHARED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"/(data|scratch|nfs|nas|storage|gpfs|lustre|disk|ssd|nvme|raid|shared?|u)",
        r"(\d{0,2})/([A-Za-z][A-Za-z0-9_-]{2,31})([/\s:;,'\x22)`\]]|$)"
    ))
    .expect("a constant pattern")
});

/// What folders are called that are nobody's; a folder is one of them when its name holds the word.
const NOBODYS: [&str; 79] = [
    "home",
    "user",
    "data",
    "model",
    "checkpoint",
    "ckpt",
    "weight",
    "cuda",
    "conda",
    "mamba",
    "miniforge",
    "env",
    "python",
    "torch",
    "pip",
    "cache",
    "code",
    "src",
    "lib",
    "bin",
    "opt",
    "tmp",
    "temp",
    "log",
    "output",
    "result",
    "project",
    "repo",
    "share",
    "soft",
    "app",
    "tool",
    "train",
    "test",
    "work",
    "scratch",
    "hugging",
    "llm",
    "comfy",
    "diffusion",
    "docker",
    "image",
    "install",
    "package",
    "site",
    "local",
    "public",
    "group",
    "team",
    "build",
    "download",
    "git",
    "nvidia",
    "driver",
    "triton",
    "compat",
    "module",
    "spack",
    "volume",
    "disk",
    "ssd",
    "nvme",
    "mnt",
    "backup",
    "main",
    "run",
    "job",
    "exp",
    "slurm",
    "cluster",
    "gpu",
    "node",
    "storage",
    "file",
    "media",
    "part",
    "kernel",
    "root",
    "host",
];

/// Takes the names of people out of the paths in a text; `rename` says what becomes of a name.
pub(super) fn without_people(text: &mut String, mut rename: impl FnMut(&str) -> String) {
    if text.contains("/home/") || text.contains("/Users/") || text.contains("/users/") {
        *text = HOME.replace_all(text, |found: &Captures| format!("/{}/{}", &found[1], rename(&found[2]))).into_owned();
    }
    if text.contains('~') {
        *text = TILDE.replace_all(text, |found: &Captures| format!("~{}/", rename(&found[1]))).into_owned();
    }
    if text.contains("Users\\") {
        let replaced = PROFILE.replace_all(text, |found: &Captures| {
            let name = found[2].trim_end_matches('\\');
            format!("{}{}{}", &found[1], rename(name), &found[2][name.len()..])
        });
        *text = replaced.into_owned();
    }
    if text.contains('/') {
        let replaced = SHARED.replace_all(text, |found: &Captures| {
            let name = found[3].to_ascii_lowercase();
            if NOBODYS.iter().any(|word| name.contains(word)) {
                return found[0].to_owned();
            }
            format!("/{}{}/{}{}", &found[1], &found[2], rename(&found[3]), &found[4])
        });
        *text = replaced.into_owned();
    }
}
