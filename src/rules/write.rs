//! Rule files as text: TOML that a person can review, the same bytes for the same rows.
//!
//! `toml`'s own writer gives every container of a build a table of its own and hundreds of lines; here a build is one
//! table of short lines.

use std::fmt::{Display, Write as _};

use super::schema::{
    BuildRow, CodeRow, CudaAgreement, Headline, KnownHow, LibraryPick, OpenedWheel, PackageFile, ReleaseAgreement,
    ReleaseRow, SourceRow, TorchAbi, TorchSymbolTable,
};

/// Lists longer than this go one entry to a line.
const LINE: usize = 118;

/// Writes the rows of a package.
#[must_use]
pub fn package(rows: &PackageFile) -> String {
    let name = &rows.package;
    let mut text = format!(
        "# Read from the wheels by `gpudoc rules harvest {name}`. By hand: whole, headline, library-choice, built-for, partner, assembles.\n\npackage = {}\n",
        quote(name)
    );
    if rows.whole {
        line(&mut text, "whole", true);
    }
    maybe(&mut text, "optional-code", rows.optional_code.as_deref().map(quote));
    maybe(
        &mut text,
        "headline",
        rows.headline.map(|role| match role {
            Headline::Serving => quote("serving"),
            Headline::Framework => quote("framework"),
            Headline::Extension => quote("extension"),
        }),
    );
    if rows.partial {
        line(&mut text, "partial", true);
    }
    list(&mut text, "extras-read", rows.extras_read.iter().map(quote));
    for choice in &rows.library_choice {
        let pick = match choice.pick {
            LibraryPick::TorchCudaExact => "torch-cuda-exact",
            LibraryPick::TorchCudaMajor => "torch-cuda-major",
        };
        text.push_str("\n[[library-choice]]\n");
        line(&mut text, "versions", quote(&choice.versions));
        line(&mut text, "pick", quote(pick));
        line(&mut text, "source", quote(&choice.source));
    }
    for row in &rows.built_for {
        text.push_str("\n[[built-for]]\n");
        line(&mut text, "versions", quote(&row.versions));
        line(&mut text, "cuda", quote(row.cuda));
        line(&mut text, "source", quote(&row.source));
    }
    for partner in &rows.partners {
        let cuda = partner.cuda.map(|agreement| match agreement {
            CudaAgreement::Same => "same",
            CudaAgreement::SameMajor => "same-major",
        });
        let release = partner.release.map(|agreement| match agreement {
            ReleaseAgreement::Same => "same",
        });
        text.push_str("\n[[partner]]\n");
        line(&mut text, "with", quote(&partner.with));
        line(&mut text, "versions", quote(&partner.versions));
        maybe(&mut text, "cuda", cuda.map(quote));
        maybe(&mut text, "release", release.map(quote));
        maybe(&mut text, "extra", partner.extra.as_deref().map(quote));
        if partner.loads_without_cuda {
            line(&mut text, "loads-without-cuda", "true".to_owned());
        }
        line(&mut text, "otherwise", quote(&partner.otherwise));
        line(&mut text, "source", quote(&partner.source));
    }
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

/// Writes the histories of torch's symbols.
#[must_use]
pub fn torch_symbols(rows: &TorchSymbolTable) -> String {
    let mut text = "# Which torch releases export the symbols that extensions need: read by `gpudoc rules harvest-symbols`. By hand: extensions.\n\n"
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

/// Writes which torch each release of an extension needs.
#[must_use]
pub fn torch_abi(rows: &TorchAbi) -> String {
    let mut text =
        "# Which torch the compiled libraries of extensions need, where it is not every one: read from the wheels by `gpudoc rules\n\
         # harvest-symbols`. Not here: releases whose metadata binds them to one torch of one ABI.\n\n"
            .to_owned();
    list(&mut text, "releases", rows.releases.iter().map(quote));
    for row in &rows.extensions {
        let OpenedWheel { wheel, sha256, read } = &row.source;
        text.push_str("\n[[extension]]\n");
        line(&mut text, "package", quote(&row.package));
        line(&mut text, "version", quote(&row.version));
        list(&mut text, "torch", row.torch.iter().map(quote));
        maybe(&mut text, "cxx11-abi", row.cxx11_abi);
        let source = format!("{{ wheel = {}, sha256 = {}, read = {} }}", quote(wheel), quote(sha256), quote(read));
        line(&mut text, "source", source);
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
    fn what_is_written_reads_the_same() {
        let text = r#"# Read from the wheels by `gpudoc rules harvest demo`. By hand: whole, headline, library-choice, built-for, partner, assembles.

package = "demo"
extras-read = ["2.7.1"]

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

[[partner]]
with = "demo-plugin"
versions = ">=0.16"
release = "same"
otherwise = "the plugin is not used"
source = "demo/plugin.py"

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
        let rows: PackageFile = toml::from_str(text).unwrap();
        assert_eq!(package(&rows), text);
    }
}
