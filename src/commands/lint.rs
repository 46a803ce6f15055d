use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use clap::ValueEnum;

use super::format::Format;
use super::targets::{TargetArgs, config};
use super::{beside, file, note, print, today, width};
use crate::exit::Exit;
use crate::lint::kind::FileKind;
use crate::project::requirements::decode;
use crate::report::ci::{self, Problems};
use crate::report::{lint as drawn, unified_diff};
use crate::rules::{self, RuleDb};
use crate::session::lint::{self as session, Judge};

/// Judge a project's files before anything is installed: requirements, Dockerfiles, scripts, workflows
///
/// Reads the files that are named, or all of the current folder that it knows, and judges what they would install on the
/// targets of gpudoc.toml, or on the machine that the options describe. Needs no GPU, no network and no Python.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gpudoc lint                                  all files below the current folder
  gpudoc lint Dockerfile requirements.txt      these
  gpudoc lint --gpu \"RTX 5090\" --driver 570     for this machine, whatever gpudoc.toml declares
  gpudoc lint --fix                            what would be changed, as a diff
  gpudoc lint --fix --write                    change it
  gpudoc lint --diff-base origin/main          only what this branch introduces
  gpudoc lint --format sarif > gpudoc.sarif    for code scanning

Exit status: 0 nothing fails, 1 something does (with `--strict` also warnings), 2 gpudoc could not run, e.g. for a FILE that
is not there")]
pub struct Args {
    /// Files, and folders of them; without any, those of the current folder that are not ignored by git
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What a FILE is, where its name does not say it
    #[arg(long, value_enum, value_name = "KIND", requires = "files")]
    kind: Option<KindArg>,
    /// Show what would mend the findings where that is certain, as a diff
    #[arg(long)]
    fix: bool,
    /// With `--fix`: change the files
    #[arg(long, requires = "fix")]
    write: bool,
    /// Only what is not found in this commit of git, e.g. `origin/main`
    #[arg(long, value_name = "REV")]
    diff_base: Option<String>,
    /// How to write the findings
    #[arg(long, value_parser = Format::of_findings(), default_value = "text")]
    format: Format,
    /// Exit with 1 on warnings too
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    targets: TargetArgs,
}

/// A sort of file.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum KindArg {
    Requirements,
    Constraints,
    Pyproject,
    Lock,
    Conda,
    Dockerfile,
    Compose,
    Shell,
    Workflow,
    Python,
}

impl From<KindArg> for FileKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Requirements => Self::Requirements,
            KindArg::Constraints => Self::Constraints,
            KindArg::Pyproject => Self::PyProject,
            KindArg::Lock => Self::Lock,
            KindArg::Conda => Self::Conda,
            KindArg::Dockerfile => Self::Dockerfile,
            KindArg::Compose => Self::Compose,
            KindArg::Shell => Self::Shell,
            KindArg::Workflow => Self::Workflow,
            KindArg::Python => Self::Python,
        }
    }
}

/// Runs the command.
///
/// # Errors
///
/// When a file cannot be read, or the configuration is wrong.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let db = rules::embedded();
    let mut judge = judge(&args.targets, db)?;
    let here = PathBuf::from(".");
    let all = args.files.is_empty() || args.files.contains(&here);
    let mut whole = all;
    let asked = if args.files.is_empty() { std::slice::from_ref(&here) } else { &args.files };
    let mut named: Vec<PathBuf> = Vec::new();
    for path in asked {
        match path.is_dir() {
            true if args.kind.is_some() && !args.files.is_empty() => {
                bail!("`--kind` says what one file is, and `{}` is a folder", path.display());
            }
            true => named.extend(found(path)?),
            false => named.push(path.clone()),
        }
    }
    let mut seen = BTreeSet::new();
    let mut files: Vec<(String, FileKind, String)> = Vec::new();
    for path in &named {
        let shown = path.to_string_lossy().replace('\\', "/");
        let shown = shown.strip_prefix("./").unwrap_or(&shown).to_owned();
        // A file that is named, and lies in a folder that is named, is looked at once.
        if !seen.insert(shown.clone()) {
            continue;
        }
        if shown == judge.policy.file && args.kind.is_none() && FileKind::of(&shown).is_none() {
            whole = true;
            continue;
        }
        if path.as_os_str() != "-" && !path.exists() {
            bail!("there is no file `{shown}`");
        }
        let Some(kind) = args.kind.map(FileKind::from).or_else(|| FileKind::of(&shown)) else {
            note(&format!("note: `{shown}` is no file that gpudoc lint knows; say what it is with `--kind`"));
            continue;
        };
        files.push((shown, kind, decode(&file::read_bytes(path)?)));
    }
    if args.kind.is_none() {
        files.extend(beside::programs(&files));
    }
    // Of what gpudoc.toml says by itself only who looks at all, or at it, is told.
    judge.declared.told &= whole;
    (judge.today, judge.all) = (today(), all);
    let on_disk = |path: &str| {
        Path::new(path).is_file().then(|| file::read_bytes(Path::new(path)).ok()).flatten().map(|bytes| decode(&bytes))
    };
    if let Some(revision) = &args.diff_base {
        judge.known = judge.known_before(&files, &at_commit(revision)?);
    }
    let (mut findings, project) = judge.findings(&files, &on_disk);
    let mut texts: Vec<(String, String)> = project.files.into_iter().map(|file| (file.path, file.text)).collect();
    if !judge.policy.file.is_empty() && findings.iter().any(|finding| finding.file == judge.policy.file) {
        texts.push((judge.policy.file.clone(), file::read(Path::new(&judge.policy.file))?));
    }
    if args.fix {
        let mended = judge.mended(&files, &findings, &on_disk);
        let old: BTreeMap<&str, &str> = texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        for (path, text) in &mended {
            let before = old.get(path.as_str()).copied().unwrap_or_default();
            print(&unified_diff(path, before, text, 3))?;
            // What is not UTF-8 would come back in another encoding.
            let same = || file::read_bytes(Path::new(path)).is_ok_and(|bytes| bytes == before.as_bytes());
            if args.write && same() {
                file::write(Path::new(path), text)?;
            } else if args.write {
                note(&format!("note: `{path}` is not UTF-8, or has changed meanwhile, and is left as it is"));
            }
        }
        if args.write {
            note(&format!("changed {}", crate::text::count(mended.len(), "file", "files")));
            findings = judge.left(&files, &mended, &on_disk);
            for finding in &findings {
                note(&format!("left: {}:{}: {}", finding.file, finding.place, finding.message));
            }
        }
        return Ok(session::exit(&findings, args.strict));
    }
    let problems = || Problems::of_lint(&findings, &texts);
    print(&match args.format {
        Format::Text | Format::Script | Format::Html => drawn::text(&findings, &texts, width()),
        Format::Json => drawn::json(&findings, &texts)?,
        Format::Ci(form) => (form.write)(&problems())?,
        Format::Markdown => ci::markdown(&problems()),
    })?;
    Ok(session::exit(&findings, args.strict))
}

/// What the files are judged by: the declared targets, the policy, and what the project does.
fn judge<'j>(args: &TargetArgs, db: &'j RuleDb) -> anyhow::Result<Judge<'j>> {
    let targets = args.of_files(db, &mut anstream::stderr())?;
    let Some((path, config)) = config(args.config.as_deref())? else {
        return Ok(Judge::declared(None, targets, db));
    };
    let text = file::read(&path)?;
    Ok(Judge::declared(Some((&path, &config, &text)), targets, db))
}

/// The files below a folder that gpudoc knows and git does not ignore.
fn found(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut walk = ignore::WalkBuilder::new(folder);
    // `.github` begins with a dot.
    walk.hidden(false)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git" && entry.file_name() != crate::own::FOLDER);
    let mut found = Vec::new();
    for entry in walk.build() {
        let entry = entry.with_context(|| format!("failed to look through `{}`", folder.display()))?;
        if entry.file_type().is_some_and(|kind| kind.is_file())
            && entry.path().to_str().and_then(FileKind::of).is_some_and(|kind| kind != FileKind::Python)
        {
            found.push(entry.into_path());
        }
    }
    found.sort();
    Ok(found)
}

/// The texts of files in another commit of git.
fn at_commit(revision: &str) -> anyhow::Result<impl Fn(&str) -> Option<String> + '_> {
    #[expect(clippy::disallowed_methods, reason = "git alone knows other commits")]
    let known = Command::new("git")
        .args(["rev-parse", "--verify", "--quiet"])
        .arg(format!("{revision}^{{commit}}"))
        .output()
        .context("`--diff-base` needs git")?;
    if !known.status.success() {
        bail!("`--diff-base {revision}`: git knows no such commit here");
    }
    Ok(move |path: &str| {
        #[expect(clippy::disallowed_methods, reason = "git alone knows other commits")]
        let shown = Command::new("git").arg("show").arg(format!("{revision}:./{path}")).output();
        shown.ok().filter(|shown| shown.status.success()).map(|shown| decode(&shown.stdout))
    })
}
