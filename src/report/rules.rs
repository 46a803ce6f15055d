//! The database as people and programs read it: lists, one package, the grid.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::lines::Labels;
use crate::rules::RuleDb;
use crate::rules::matrix::{Cell, Row};
use crate::rules::model::{Build, Package, Release, RowSource};
use crate::text::{count, wrap};
use crate::version::{CodeTarget, ComputeCapability, CudaVersion};

const SCHEMA: &str = "gpudoc.rules/1";
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// One package in a list.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    package: &'a str,
    releases: usize,
    builds: usize,
    wheels: usize,
    pages: usize,
    newest: Option<String>,
    date: Option<&'a str>,
}

impl<'a> Listed<'a> {
    fn new(package: &'a Package) -> Self {
        let builds: Vec<_> = package.releases.iter().flat_map(|release| &release.builds).collect();
        let wheels = builds.iter().filter(|build| matches!(build.source, RowSource::Wheel { .. })).count();
        let newest = package.releases.last();
        Self {
            package: &package.name,
            releases: package.releases.len(),
            builds: builds.len(),
            wheels,
            pages: builds.len() - wheels,
            newest: newest.map(|release| release.version.to_string()),
            date: newest.map(|release| release.date.as_str()),
        }
    }
}

fn listed(db: &RuleDb) -> Vec<Listed<'_>> {
    db.package_names().filter_map(|name| db.package(name)).map(Listed::new).collect()
}

/// Writes which packages the rules cover, for people.
#[must_use]
pub fn list_text(db: &RuleDb) -> String {
    let rows = listed(db);
    let mut out = String::new();
    let name = rows.iter().map(|row| row.package.len()).max().unwrap_or(0).max(7);
    let version = rows.iter().filter_map(|row| row.newest.as_ref()).map(String::len).max().unwrap_or(0).max(6);
    let _ = writeln!(
        out,
        "{BOLD}{:<name$}  {:<version$}  {:<10}  {:>8}  {:>6}{BOLD:#}",
        "package", "newest", "of", "releases", "builds"
    );
    for row in &rows {
        let _ = writeln!(
            out,
            "{:<name$}  {:<version$}  {:<10}  {:>8}  {:>6}",
            row.package,
            row.newest.as_deref().unwrap_or("-"),
            row.date.unwrap_or("-"),
            row.releases,
            row.builds
        );
    }
    let (releases, builds): (usize, usize) =
        rows.iter().fold((0, 0), |(releases, builds), row| (releases + row.releases, builds + row.builds));
    let wheels: usize = rows.iter().map(|row| row.wheels).sum();
    let text = format!(
        "{}, {}, {} ({wheels} read from published files, {} from official build matrices), {}; rules of {}",
        count(rows.len(), "package", "packages"),
        count(releases, "release", "releases"),
        count(builds, "build", "builds"),
        builds - wheels,
        count(db.advisories().count(), "advisory", "advisories"),
        db.newest()
    );
    for line in wrap(&text, 80) {
        let _ = writeln!(out, "{DIM}{line}{DIM:#}");
    }
    out
}

#[derive(Serialize)]
struct ListDocument<'a> {
    schema: &'static str,
    rules: &'a str,
    packages: Vec<Listed<'a>>,
    advisories: Vec<ListedAdvisory<'a>>,
}

#[derive(Serialize)]
struct ListedAdvisory<'a> {
    id: &'a str,
    title: &'a str,
    date: &'a str,
}

/// The same as JSON, `gpudoc.rules/1`.
///
/// # Errors
///
/// Never in practice: every part serialises.
pub fn list_json(db: &RuleDb) -> serde_json::Result<String> {
    let advisories = db.advisories().map(|advisory| ListedAdvisory {
        id: &advisory.id,
        title: &advisory.title,
        date: &advisory.date,
    });
    let document =
        ListDocument { schema: SCHEMA, rules: db.newest(), packages: listed(db), advisories: advisories.collect() };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

#[derive(Serialize)]
struct ShowDocument<'a> {
    schema: &'static str,
    rules: &'a str,
    package: &'a str,
    releases: Vec<ReleaseRow<'a>>,
    builds: Vec<BuildRow<'a>>,
}

#[derive(Serialize)]
struct ReleaseRow<'a> {
    version: String,
    date: &'a str,
    yanked: bool,
    requires_python: Option<String>,
    requires: &'a [String],
}

#[derive(Serialize)]
struct BuildRow<'a> {
    version: String,
    local: Option<&'a str>,
    cuda: Option<CudaVersion>,
    platform: &'a str,
    index: &'a str,
    glibc: Option<String>,
    python: Vec<String>,
    cxx11_abi: Option<bool>,
    containers: Option<u32>,
    sass: Vec<CodeTarget>,
    ptx: Vec<CodeTarget>,
    special: BTreeMap<String, u32>,
    libraries: Vec<LibraryRow>,
    assembles: &'a [ComputeCapability],
    requires: Vec<&'a str>,
    source: SourceRow<'a>,
}

/// The code of a library that was made for one CUDA version.
#[derive(Serialize)]
struct LibraryRow {
    for_cuda: CudaVersion,
    containers: Option<u32>,
    sass: Vec<CodeTarget>,
    ptx: Vec<CodeTarget>,
}

#[derive(Serialize)]
struct SourceRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    wheel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'a str>,
    read: &'a str,
}

impl<'a> BuildRow<'a> {
    fn new(release: &'a Release, build: &'a Build) -> Self {
        let plain: Vec<_> = build.code.iter().filter(|code| code.for_cuda.is_none()).collect();
        let targets = |pick: fn(&crate::rules::model::Code) -> &Vec<CodeTarget>| {
            let mut targets: Vec<_> = plain.iter().flat_map(|code| pick(code)).copied().collect();
            targets.sort_unstable();
            targets.dedup();
            targets
        };
        let libraries = build.code.iter().filter_map(|code| {
            let (containers, sass, ptx) = (code.containers, code.sass.clone(), code.ptx.clone());
            Some(LibraryRow { for_cuda: code.for_cuda?, containers, sass, ptx })
        });
        let source = match &build.source {
            RowSource::Wheel { file, sha256, read } => {
                SourceRow { wheel: Some(file), sha256: Some(sha256), page: None, read }
            }
            RowSource::Page { page, read } => SourceRow { wheel: None, sha256: None, page: Some(page), read },
        };
        Self {
            version: release.full_version(build),
            local: build.local.as_deref(),
            cuda: build.cuda,
            platform: &build.platform,
            index: &build.index,
            glibc: build.glibc.map(|glibc| glibc.to_string()),
            python: build.python.iter().map(ToString::to_string).collect(),
            cxx11_abi: build.cxx11_abi,
            containers: plain.iter().filter_map(|code| code.containers).reduce(|sum, more| sum + more),
            sass: targets(|code| &code.sass),
            ptx: targets(|code| &code.ptx),
            special: plain.iter().flat_map(|code| &code.special).map(|(target, n)| (target.to_string(), *n)).collect(),
            libraries: libraries.collect(),
            assembles: &build.assembles,
            requires: release.requires.iter().chain(&build.requires).map(String::as_str).collect(),
            source,
        }
    }
}

/// One package, or one release of it, as JSON, `gpudoc.rules/1`.
///
/// # Errors
///
/// Never in practice: every part serialises.
pub fn show_json(package: &Package, releases: &[&Release], db: &RuleDb) -> serde_json::Result<String> {
    let document = ShowDocument {
        schema: SCHEMA,
        rules: db.newest(),
        package: &package.name,
        releases: releases
            .iter()
            .map(|release| ReleaseRow {
                version: release.version.to_string(),
                date: &release.date,
                yanked: release.yanked,
                requires_python: release.requires_python.as_ref().map(ToString::to_string),
                requires: &release.requires,
            })
            .collect(),
        builds: releases
            .iter()
            .flat_map(|release| release.builds.iter().map(|build| BuildRow::new(release, build)))
            .collect(),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// One package, or one release of it, for people; a single release with everything that is known.
#[must_use]
pub fn show_text(package: &Package, releases: &[&Release], width: usize) -> String {
    let labels = Labels { indent: 4, label: 11, width: width.clamp(40, 120) };
    let mut out = String::new();
    let details = releases.len() == 1;
    for release in releases.iter().rev() {
        let yanked = if release.yanked { ", yanked" } else { "" };
        let python = release.requires_python.as_ref().map_or_else(String::new, |python| format!(", Python {python}"));
        let _ = writeln!(out, "{BOLD}{} {}{BOLD:#} of {}{python}{yanked}", package.name, release.version, release.date);
        if details && !release.requires.is_empty() {
            labels.add(&mut out, "requires", &release.requires.join(", "));
        }
        for build in &release.builds {
            write_build(&mut out, build, details, &labels);
        }
    }
    out
}

fn write_build(out: &mut String, build: &Build, details: bool, labels: &Labels) {
    let mut head = vec![build.local.clone().unwrap_or_else(|| "no label".to_owned())];
    head.extend(build.cuda.map(|cuda| format!("CUDA {cuda}")));
    head.push(build.platform.clone());
    head.push(format!("from {}", build.index));
    let _ = writeln!(out, "  {CYAN}{}{CYAN:#}", head.join(", "));
    for code in &build.code {
        let words: Vec<_> = code.sass.iter().chain(&code.ptx).map(ToString::to_string).collect();
        let special: Vec<_> = code.special.iter().map(|(target, n)| format!("{target} in {n}")).collect();
        let special = if special.is_empty() { String::new() } else { format!("; {}", special.join(", ")) };
        let of = code
            .containers
            .map_or_else(String::new, |n| format!(" ({})", count(n as usize, "container", "containers")));
        let label = code.for_cuda.map_or_else(|| "code".to_owned(), |cuda| format!("CUDA {cuda}"));
        labels.add(out, &label, &format!("{}{special}{of}", words.join(" ")));
    }
    if !build.assembles.is_empty() {
        let words: Vec<_> = build.assembles.iter().map(|capability| format!("sm_{}", capability.sm())).collect();
        labels.add(out, "assembles", &words.join(" "));
    }
    if !details {
        return;
    }
    let mut needs: Vec<String> = build.python.iter().map(ToString::to_string).collect();
    needs.extend(build.glibc.map(|glibc| format!("glibc {glibc}")));
    needs.extend(build.cxx11_abi.map(|new| format!("{} C++ ABI", if new { "new" } else { "old" })));
    if !needs.is_empty() {
        labels.add(out, "for", &needs.join(" "));
    }
    if !build.requires.is_empty() {
        labels.add(out, "requires", &build.requires.join(", "));
    }
    labels.add(out, "source", &build.source.citation());
}

/// What the columns of a grid stand for.
pub struct Column {
    /// E.g. `12.0`.
    pub capability: ComputeCapability,
    /// Products of it, e.g. `NVIDIA GeForce RTX 5090`.
    pub products: Vec<String>,
}

fn row_name(row: &Row<'_>) -> (String, String) {
    let variant = match (row.library, &row.build.local) {
        (Some(cuda), _) => format!("CUDA {cuda}"),
        (None, Some(local)) => local.clone(),
        (None, None) => row.cuda.map_or_else(String::new, |cuda| format!("CUDA {cuda}")),
    };
    (row.release.version.to_string(), variant)
}

/// A grid for the terminal: releases and variants down, compute capabilities across, letters that need no colour.
#[must_use]
pub fn matrix_text(package: &str, rows: &[Row<'_>], columns: &[Column]) -> String {
    let mut out = String::new();
    let names: Vec<_> = rows.iter().map(row_name).collect();
    let first = names.iter().map(|(release, _)| release.len()).max().unwrap_or(0).max(package.len());
    let second = names.iter().map(|(_, variant)| variant.len()).max().unwrap_or(0);
    let head = |part: fn(ComputeCapability) -> String| {
        columns.iter().map(|column| format!("{:>3}", part(column.capability))).collect::<String>()
    };
    let majors = head(|capability| capability.major.to_string());
    let minors = head(|capability| format!(".{}", capability.minor));
    let _ = writeln!(out, "{BOLD}{package:<first$}  {:<second$}  {majors}{BOLD:#}", "");
    let _ = writeln!(out, "{BOLD}{:<first$}  {:<second$}  {minors}{BOLD:#}", "", "");
    let mut last = None;
    for (row, (release, variant)) in rows.iter().zip(&names) {
        let shown = if last == Some(release) { "" } else { release };
        last = Some(release);
        let _ = write!(out, "{shown:<first$}  {variant:<second$}  ");
        for cell in &row.cells {
            let style = match cell {
                Cell::Native => GREEN,
                Cell::Ptx | Cell::Partly => YELLOW,
                Cell::No | Cell::Unknown => DIM,
            };
            let _ = write!(out, "{style}{:>3}{style:#}", cell.letter());
        }
        out.push('\n');
    }
    let used: Vec<_> = Cell::ALL.into_iter().filter(|cell| rows.iter().any(|row| row.cells.contains(cell))).collect();
    let legend: Vec<_> = used.iter().map(|cell| format!("{} {}", cell.letter(), cell.meaning())).collect();
    for line in wrap(&legend.join(", "), 80) {
        let _ = writeln!(out, "{DIM}{line}{DIM:#}");
    }
    out
}

#[derive(Serialize)]
struct MatrixDocument<'a> {
    schema: &'static str,
    rules: &'a str,
    package: &'a str,
    platform: &'a str,
    compute_capabilities: Vec<ComputeCapability>,
    rows: Vec<MatrixRow>,
}

#[derive(Serialize)]
struct MatrixRow {
    version: String,
    variant: String,
    cuda: Option<CudaVersion>,
    oldest_driver: Option<String>,
    cells: Vec<&'static str>,
}

/// A grid as JSON, `gpudoc.rules/1`.
///
/// # Errors
///
/// Never in practice: every part serialises.
pub fn matrix_json(
    package: &str,
    platform: &str,
    rows: &[Row<'_>],
    columns: &[Column],
    rules: &str,
) -> serde_json::Result<String> {
    let document = MatrixDocument {
        schema: SCHEMA,
        rules,
        package,
        platform,
        compute_capabilities: columns.iter().map(|column| column.capability).collect(),
        rows: rows
            .iter()
            .map(|row| {
                let (version, variant) = row_name(row);
                MatrixRow {
                    version,
                    variant,
                    cuda: row.cuda,
                    oldest_driver: row.driver.as_ref().map(ToString::to_string),
                    cells: row.cells.iter().map(|cell| cell.name()).collect(),
                }
            })
            .collect(),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A grid as one self-contained page: readable without colour and without scripts, with scripts filtered by GPU and driver.
#[must_use]
pub fn matrix_html(package: &str, platform: &str, rows: &[Row<'_>], columns: &[Column], rules: &str) -> String {
    let mut head = String::new();
    let mut options = String::new();
    for (at, column) in columns.iter().enumerate() {
        let products = escape(&column.products.join(", "));
        let _ = write!(head, "<th scope=\"col\" data-column=\"{at}\" title=\"{products}\">{}</th>", column.capability);
        for (number, product) in column.products.iter().enumerate() {
            let product = escape(product);
            let _ = write!(options, "<option value=\"{at}.{number}\">{product} ({})</option>", column.capability);
        }
    }
    let mut body = String::new();
    for row in rows {
        let (release, variant) = row_name(row);
        let driver = row.driver.as_ref().map(ToString::to_string).unwrap_or_default();
        let source = escape(&row.build.source.citation());
        let _ = write!(
            body,
            "<tr data-driver=\"{driver}\"><th scope=\"row\" title=\"{source}\">{} {}</th><td>{driver}</td>",
            escape(&release),
            escape(&variant)
        );
        for (at, cell) in row.cells.iter().enumerate() {
            let (name, letter, meaning) = (cell.name(), cell.letter(), cell.meaning());
            let _ = write!(body, "<td class=\"{name}\" data-column=\"{at}\" title=\"{meaning}\">{letter}</td>");
        }
        body.push_str("</tr>\n");
    }
    let legend: String = Cell::ALL
        .iter()
        .map(|cell| format!("<li><b class=\"{}\">{}</b> {}</li>", cell.name(), cell.letter(), cell.meaning()))
        .collect();
    include_str!("matrix.html")
        .replace("{{package}}", &escape(package))
        .replace("{{platform}}", &escape(platform))
        .replace("{{rules}}", &escape(rules))
        .replace("{{options}}", &options)
        .replace("{{legend}}", &legend)
        .replace("{{head}}", &head)
        .replace("{{body}}", &body)
}
