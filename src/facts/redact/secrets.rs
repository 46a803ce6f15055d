//! How tokens, passwords, keys and addresses are written.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

/// What stands for a secret.
const REDACTED: &str = "redacted";

/// Patterns of secrets, each with words of which one must stand in the text, in lower case, for it to be tried. What
/// stands in group 1 is kept, and a sign at the end that only says where the secret ends.
static SECRETS: LazyLock<Vec<(&[&str], Regex)>> = LazyLock::new(|| {
    /// What the name of a value says when the value is a secret.
    const NAMES: &str =
        r"(?i:token|secret|passwd|password|_pwd|api[ _-]?key|access_?key|account_?key|credentials?|signature|\bsig)";
    const NAMED: &[&str] = &["token", "secret", "passw", "_pwd", "key", "credential", "sig"];
    // `token=…`, `AWS_SECRET_ACCESS_KEY = …`, `"password": "…"`, but not the requirement `token==1.0`.
    let value = r"['\x22]?)[^=\s&,;'\x22][^\s&,;'\x22]*";
    let patterns: [(&[&str], String); 28] = [
        // Credentials in a URL.
        (&["://"], r"(://)[^/\s@]+@".to_owned()),
        (&["hf_"], r"()\bhf_[A-Za-z0-9]{8,}".to_owned()),
        (&["gh"], r"()\bgh[pousr]_[A-Za-z0-9]{16,}".to_owned()),
        (&["github_pat_"], r"()\bgithub_pat_[A-Za-z0-9_]{16,}".to_owned()),
        (&["glpat-"], r"()\bglpat-[A-Za-z0-9_-]{16,}".to_owned()),
        (&["pypi-"], r"()\bpypi-[A-Za-z0-9_-]{32,}".to_owned()),
        (&["sk-"], r"()\bsk-[A-Za-z0-9_-]{20,}".to_owned()),
        (&["xox"], r"()\bxox[abpr]-[A-Za-z0-9-]{10,}".to_owned()),
        (&["npm_"], r"()\bnpm_[A-Za-z0-9]{20,}".to_owned()),
        (&["nvapi-"], r"()\bnvapi-[A-Za-z0-9_-]{20,}".to_owned()),
        (&["aiza"], r"()\bAIza[A-Za-z0-9_-]{30,}".to_owned()),
        (&["akia", "asia"], r"()\bA[KS]IA[0-9A-Z]{16}\b".to_owned()),
        (&["eyj"], r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*".to_owned()),
        (&["bearer"], r"((?i:\bbearer)\s+)[A-Za-z0-9._~+/=-]{8,}".to_owned()),
        (
            &["authorization"],
            r"((?i:authorization['\x22]?\s*:\s*['\x22]?(?:basic|token|negotiate))\s+)[A-Za-z0-9+/=_-]{4,}".to_owned(),
        ),
        (&["cookie"], r"((?i:\bcookie['\x22]?\s*:\s*['\x22]?))[^'\x22]+".to_owned()),
        (NAMED, format!(r"({NAMES}['\x22]?\s*=\s*{value}")),
        (NAMED, format!(r"({NAMES}['\x22]?\s*:\s*{value}")),
        (&["--"], r"(--[a-z-]*(?:password|passwd|token|api[_-]key|secret)\s+)\S+".to_owned()),
        (&["--"], r"(--[a-z]+_(?:password|token|api_key|secret)\s+)\S+".to_owned()),
        (&["login", "sshpass"], r"(\b(?:login|sshpass)\b.{0,80}?\s(?:-p|--password)[ =])\S+".to_owned()),
        (&["curl"], r"(\bcurl\b.{0,80}?\s(?:-u|--user)[ =])\S+".to_owned()),
        (
            &["ssh-", "ecdsa-"],
            r"(\b(?:ssh-(?:rsa|ed25519|dss)|ecdsa-[a-z0-9-]+) )[A-Za-z0-9+/=]{16,}(?: \S+@\S+)?".to_owned(),
        ),
        (&["private key"], r"(BEGIN [A-Z ]*PRIVATE KEY-----\s*)[^-]+".to_owned()),
        // A key of Weights & Biases is as long as the id of a commit, which is no secret.
        (&["wandb", "login", "key"], r"((?i:wandb|\blogin|api[ _-]?key)\b.{0,24}?\b)[0-9a-f]{40}\b".to_owned()),
        (&["serial"], r"((?i:\bserial(?:[ _-]?(?:number|no\.?))?)\s*:\s*)[A-Za-z0-9-]{4,}".to_owned()),
        // Addresses of machines, where it is plain that they are no version: `tcp://10.0.0.5:29500`, `ip=10.0.0.5`.
        (
            &["://", "ip", "addr", "host", "eth", "ens", "ib", "from"],
            format!(
                r"((?i:://|\bip[=: ]+|addr[=: ]+|host[=: ]+|\b(?:eth|ens|eno|enp|ib)[a-z0-9]*:|\bfrom ){value}",
                value = r"\[?)[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b"
            ),
        ),
        (&[":"], r"()\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]{4,5})\b".to_owned()),
    ];
    let built = patterns.into_iter().map(|(words, pattern)| (words, Regex::new(&pattern).expect("a constant pattern")));
    built.collect()
});

/// A secret without a sign beside it is no shorter: `AKIA` and 16 letters.
const SHORTEST: usize = 20;

/// Addresses that every machine has.
const EVERYWHERE: [&str; 2] = ["127.0.0.1", "0.0.0.0"];

/// Takes secrets out of a text.
pub(super) fn without_secrets(text: &mut String) {
    // Most texts say where something was read, `pip, line 7`.
    let marked = |byte: u8| matches!(byte, b':' | b'=' | b'/' | b'@' | b'_' | b'-' | b'~');
    if text.len() < SHORTEST && !text.bytes().any(marked) {
        return;
    }
    let lower = text.to_ascii_lowercase();
    for (words, pattern) in SECRETS.iter() {
        if !words.iter().any(|word| lower.contains(word)) {
            continue;
        }
        let replaced = pattern.replace_all(text, |found: &Captures| {
            let (whole, kept) = (&found[0], &found[1]);
            if EVERYWHERE.iter().any(|address| whole[kept.len()..].starts_with(address)) {
                return whole.to_owned();
            }
            let end = if whole.ends_with('@') { "@" } else { "" };
            format!("{kept}{REDACTED}{end}")
        });
        if let std::borrow::Cow::Owned(replaced) = replaced {
            *text = replaced;
        }
    }
}

/// An address of mail.
static MAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(^|[^A-Za-z0-9._%+/-])([A-Za-z0-9._%+-]+)@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b")
        .expect("a constant pattern")
});

/// Whose it was: `Ada Lovelace <…>`.
static OWNER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b[A-Z][\w'.-]*(?: [A-Z][\w'.-]*){1,2} <redacted>").expect("a constant pattern"));

/// Takes addresses of mail out of a text; `git@example.org:…` is none.
pub(super) fn without_mail(text: &mut String) {
    if text.contains('@') {
        let replaced = MAIL.replace_all(text, |found: &Captures| match &found[2] {
            "git" => found[0].to_owned(),
            _ => format!("{}{REDACTED}", &found[1]),
        });
        *text = OWNER.replace_all(&replaced, REDACTED).into_owned();
    }
}
