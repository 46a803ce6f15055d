//! Rule files as text: TOML that a person can review, the same bytes for the same rows.
//!
//! `toml`'s own writer gives every container of a build a table of its own and hundreds of lines; here a build is one
//! table of short lines. A package's file is half by hand: those tables stay as they stand, with their comments and order.

use std::fmt::{Display, Write as _};

use super::{
    BuildRow, CodeRow, KnownHow, OpenedWheel, PackageFile, ReleaseRow, SourceRow, TorchExtension, TorchSymbolTable,
};

/// Lists longer than this go one entry to a line.
const LINE: usize = 118;
/// How the first line of a package's file begins.
const HEAD: &str = "# Releases, extras and torch-abi are written";
/// What this writes of a package's file: tables, and keys above the first table.
const WRITTEN: [&str; 3] = ["torch-abi", "extra", "release"];
const WRITTEN_KEYS: [&str; 3] = ["package", "partial", "extras-read"];

/// Writes what was read of a package: `before` is the text of its file, of which all that is kept by hand stays, none where there
/// is no file yet.
#[must_use]
pub fn package(rows: &PackageFile, before: &str) -> String {
    let name = &rows.package;
    let mut text = format!("{HEAD} by `gpudoc rules harvest {name}`; the rest by hand.\n\npackage = {}\n", quote(name));
    let (keys, tables) = by_hand(before);
    text.push_str(&keys);
    if rows.partial {
        line(&mut text, "partial", true);
    }
    list(&mut text, "extras-read", rows.extras_read.iter().map(quote));
    text.push_str(&tables);
    rows.torch_abi.iter().for_each(|row| torch_abi(&mut text, row));
    for extra in &rows.extras {
        text.push_str("\n[[extra]]\n");
        line(&mut text, "name", quote(&extra.name));
        list(&mut text, "releases", extra.releases.iter().map(quote));
        list(&mut text, "requires", extra.requires.iter().map(quote));
        if extra.partial {
            line(&mut text, "partial", true);
        }
    }
    rows.releases.iter().for_each(|row| release(&mut text, row));
    text
}

/// What is kept by hand in the text of a package's file: keys above the first table, and tables, with the comments above them.
/// A line that begins with `[` begins a table: nobody writes such a line within a value.
fn by_hand(text: &str) -> (String, String) {
    let (mut keys, mut tables) = (String::new(), String::new());
    // Comments, which belong to what comes after them.
    let mut waiting = String::new();
    // Whether the table, or the key above all tables, is kept.
    let (mut table, mut key) = (None, true);
    for line in text.lines() {
        if line.starts_with('[') {
            let name = line.trim_matches(['[', ']']);
            let own = WRITTEN.contains(&name.split('.').next().unwrap_or_default());
            table = Some(!own);
            if !own {
                tables.push('\n');
                tables.push_str(&waiting);
            }
            waiting.clear();
        } else if line.starts_with('#') {
            if !line.starts_with(HEAD) {
                waiting.push_str(line);
                waiting.push('\n');
            }
            continue;
        } else if line.is_empty() {
            continue;
        }
        match table {
            None => {
                if let Some((name, _)) = line.split_once(" = ").filter(|_| !line.starts_with(' ')) {
                    key = !WRITTEN_KEYS.contains(&name);
                }
                if !key {
                    waiting.clear();
                } else {
                    keys.push_str(&std::mem::take(&mut waiting));
                    keys.push_str(line);
                    keys.push('\n');
                }
            }
            Some(true) => {
                tables.push_str(&std::mem::take(&mut waiting));
                tables.push_str(line);
                tables.push('\n');
            }
            Some(false) => {}
        }
    }
    (keys, tables)
}

fn torch_abi(text: &mut String, row: &TorchExtension) {
    let OpenedWheel { wheel, sha256, read } = &row.source;
    text.push_str("\n[[torch-abi]]\n");
    line(text, "version", quote(&row.version));
    list(text, "torch", row.torch.iter().map(quote));
    maybe(text, "cxx11-abi", row.cxx11_abi);
    let source = format!("{{ wheel = {}, sha256 = {}, read = {} }}", quote(wheel), quote(sha256), quote(read));
    line(text, "source", source);
}

/// Writes the histories of torch's symbols.
#[must_use]
pub fn torch_symbols(rows: &TorchSymbolTable) -> String {
    let mut text =
        "# Which torch releases export the symbols that extensions need: read by `gpudoc rules harvest-symbols`. By hand: extensions.\n\
         # Not in packages/torch.toml: it compares the releases with each other, another command writes it, and no start unpacks it.\n\
         # `[[history]]`: which releases export a symbol. Each extension's own file says in `[[torch-abi]]` which torch its releases load beside.\n\n"
            .to_owned();
    list(&mut text, "extensions", rows.extensions.iter().map(quote));
    for release in &rows.releases {
        let OpenedWheel { wheel, sha256, read } = &release.source;
        text.push_str("\n[[torch]]\n");
        line(&mut text, "version", quote(&release.version));
        let source = format!("{{ wheel = {}, sha256 = {}, read = {} }}", quote(wheel), quote(sha256), quote(read));
        line(&mut text, "source", source);
    }
    for history in &rows.histories {
        text.push_str("\n[[history]]\n");
        list(&mut text, "releases", history.releases.iter().map(quote));
        list(&mut text, "symbols", history.symbols.iter().map(quote));
    }
    text
}

fn release(text: &mut String, row: &ReleaseRow) {
    text.push_str("\n[[release]]\n");
    line(text, "version", quote(&row.version));
    line(text, "date", quote(&row.date));
    if row.yanked {
        line(text, "yanked", true);
    }
    maybe(text, "requires-python", row.requires_python.as_deref().map(quote));
    list(text, "requires", row.requires.iter().map(quote));
    maybe(text, "requires-known", row.requires_known.map(known_how));
    row.builds.iter().for_each(|row| build(text, row));
}

fn known_how(how: KnownHow) -> String {
    quote(match how {
        KnownHow::Read => "read",
        KnownHow::Stated => "stated",
        KnownHow::Inferred => "inferred",
        KnownHow::Unknown => "unknown",
    })
}

fn build(text: &mut String, row: &BuildRow) {
    text.push_str("\n[[release.build]]\n");
    maybe(text, "local", row.local.as_deref().map(quote));
    maybe(text, "cuda", row.cuda.map(quote));
    line(text, "index", quote(&row.index));
    line(text, "platform", quote(&row.platform));
    maybe(text, "glibc", row.glibc.map(quote));
    list(text, "python", row.python.iter().map(quote));
    maybe(text, "cxx11-abi", row.cxx11_abi);
    list(text, "requires", row.requires.iter().map(quote));
    list(text, "code", row.code.iter().map(code));
    list(text, "assembles", row.assembles.iter().map(quote));
    line(text, "source", source(&row.source));
}

fn code(row: &CodeRow) -> String {
    let list = |targets: &mut dyn Iterator<Item = String>| targets.collect::<Vec<_>>().join(", ");
    let mut fields = Vec::new();
    fields.extend(row.for_cuda.map(|cuda| format!("for-cuda = {}", quote(cuda))));
    fields.extend(row.containers.map(|count| format!("containers = {count}")));
    fields.push(format!("sass = [{}]", list(&mut row.sass.iter().map(quote))));
    if !row.ptx.is_empty() {
        fields.push(format!("ptx = [{}]", list(&mut row.ptx.iter().map(quote))));
    }
    if !row.special.is_empty() {
        let mut special = row
            .special
            .iter()
            .map(|special| format!("{{ target = {}, containers = {} }}", quote(special.target), special.containers));
        fields.push(format!("special = [{}]", list(&mut special)));
    }
    format!("{{ {} }}", fields.join(", "))
}

fn source(row: &SourceRow) -> String {
    let read = Some(row.read.clone());
    let fields =
        [("wheel", &row.wheel), ("sdist", &row.sdist), ("sha256", &row.sha256), ("page", &row.page), ("read", &read)];
    let fields = fields.iter().filter_map(|(key, value)| Some(format!("{key} = {}", quote(value.as_ref()?))));
    format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
}

fn quote(value: impl Display) -> String {
    toml::Value::String(value.to_string()).to_string()
}

fn line(text: &mut String, key: &str, value: impl Display) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{key} = {value}");
}

fn maybe(text: &mut String, key: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        line(text, key, value);
    }
}

fn list(text: &mut String, key: &str, entries: impl Iterator<Item = String>) {
    let entries: Vec<_> = entries.collect();
    if entries.is_empty() {
        return;
    }
    let short = format!("[{}]", entries.join(", "));
    if key.len() + 3 + short.len() <= LINE && !short.starts_with("[{") {
        line(text, key, short);
    } else {
        line(text, key, format!("[\n    {},\n]", entries.join(",\n    ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_by_hand_stays_with_its_comments_and_the_rest_is_written_anew() {
        let text = r#"# Releases, extras and torch-abi are written by `gpudoc rules harvest demo`; the rest by hand.

package = "demo"
# Its linear algebra is a library of its own.
whole = true
headline = "extension"
extras-read = ["2.7.1"]

# From 0.50 on it takes what is there.
[[library-choice]]
versions = "<0.50"
pick = "torch-cuda-exact"
source = "demo/cextension.py"

[[built-for]]
versions = ">=0.20"
cuda = "13.0"
source = "demo.whl: demo/_C.so needs libcudart.so.13"

[[partner]]
with = "torch"
versions = ">=0.16"
cuda = "same-major"
otherwise = "import of demo stops"
source = "demo/extension.py"

[source-build]
cuda = true
# Its own variable.
arch-variable = "DEMO_ARCHS"
isolation = false
source = { page = "https://example.org/setup.py", read = "2026-11-21" }

[[guard]]
versions = ">=1"
checks = [
    "numpy",
    "torch",
]
stops = "unmet"
source = { page = "demo/__init__.py", read = "2026-11-21" }

[[torch-abi]]
version = "2.7.1"
torch = ["2.6.0 to 2.7.1"]
cxx11-abi = false
source = { wheel = "demo.whl", sha256 = "abcd", read = "2026-11-21" }

[[extra]]
name = "cuda12"
releases = ["2.7.1"]
requires = ["nvidia-nccl-cu12==2.26.2"]
partial = true

[[extra]]
name = "empty"
releases = ["2.7.1"]

[[release]]
version = "2.7.1"
date = "2025-06-04"
yanked = true
requires-python = ">=3.9"
requires = ["filelock", 'triton==3.3.1; platform_system == "Linux"']

[[release.build]]
local = "cu126"
cuda = "12.6"
index = "pypi"
platform = "linux_x86_64"
glibc = "2.28"
python = ["cp311", "cp313t"]
cxx11-abi = true
requires = ["nvidia-nccl-cu12==2.26.2"]
code = [
    { for-cuda = "12.6", containers = 9, sass = ["sm_80"], ptx = ["compute_90"], special = [{ target = "sm_90a", containers = 3 }] },
]
assembles = ["8.0", "9.0"]
source = { wheel = "demo.whl", sha256 = "abcd", read = "2026-11-21" }
"#;
        let mut rows: PackageFile = toml::from_str(text).unwrap();
        assert_eq!(package(&rows, text), text);
        // What is read anew changes its own rows alone.
        rows.releases.clear();
        rows.extras.clear();
        rows.torch_abi.clear();
        rows.partial = true;
        let by_hand = &text[..text.find("[[torch-abi]]").unwrap()];
        let expected = by_hand.replace("extras-read", "partial = true\nextras-read");
        assert_eq!(package(&rows, text), expected.trim_end().to_owned() + "\n");
        // A file that people began gets its releases.
        assert_eq!(
            package(&PackageFile::new("demo"), "package = \"demo\"\n\n# Why.\n[conda]\nspecs = [\"a\"]\n"),
            format!(
                "{HEAD} by `gpudoc rules harvest demo`; the rest by hand.\n\npackage = \"demo\"\n\n# Why.\n[conda]\nspecs = [\"a\"]\n"
            )
        );
    }
}
