//! From a project's files to findings, to what mends them, and to what a commit introduces. Files come as texts, and others that
//! they name through a closure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::config::{Config, Size};
use crate::exit::Exit;
use crate::lint::kind::FileKind;
use crate::lint::policy::{Ignore, Policy};
use crate::lint::project::Project;
use crate::lint::read::Reader;
use crate::lint::{self, Declared, Finding, edit};
use crate::project::place::{Lines, Place};
use crate::rules::{RuleDb, Target};

/// A file: its path, what it is, its text.
pub type File = (String, FileKind, String);

/// The text of another file, by its path; none where there is none.
pub type Read<'r> = dyn Fn(&str) -> Option<String> + 'r;

/// What files are judged by.
pub struct Judge<'j> {
    /// The machines that the project is for.
    pub targets: Vec<Target>,
    /// What the project lets pass.
    pub policy: Policy,
    /// What it says that it does.
    pub declared: Declared,
    /// The rules.
    pub db: &'j RuleDb,
    /// The day, e.g. `2026-11-21`.
    pub today: String,
    /// All files of the project are looked at, so that what the policy ignores in none of them is told.
    pub all: bool,
    /// What was there before and is no matter of this change: neither told nor mended.
    pub known: BTreeSet<Identity>,
}

/// What finds the same findings again wherever their lines have moved.
pub type Identity = (String, &'static str, String);

impl<'j> Judge<'j> {
    /// By the declaration of a project: its path, what it says, and its text.
    #[must_use]
    pub fn declared(declaration: Option<(&Path, &Config, &str)>, targets: Vec<Target>, db: &'j RuleDb) -> Self {
        let policy = declaration.map(|(path, config, text)| policy(path, config, text)).unwrap_or_default();
        let declared = declaration.map(|(path, config, text)| declared(path, config, text)).unwrap_or_default();
        Self { targets, policy, declared, db, today: String::new(), all: false, known: BTreeSet::new() }
    }

    /// The findings in some files, and the project that they make.
    pub fn findings(&self, files: &[File], read: &Read<'_>) -> (Vec<Finding>, Project) {
        let mut reader = Reader::new(read);
        files.iter().for_each(|(path, kind, text)| reader.add(path, *kind, text));
        let project = reader.finish();
        let findings = lint::run(&project, &self.targets, &self.declared, self.db);
        let mut findings = self.policy.apply(findings, &self.today, self.all);
        findings.retain(|finding| !self.known.contains(&identity(finding)));
        (findings, project)
    }

    /// What is found in the same files as another commit has them; `show` gives their texts there.
    #[must_use]
    pub fn known_before(&self, files: &[File], show: &Read<'_>) -> BTreeSet<Identity> {
        let old = files.iter().filter_map(|(path, kind, _)| Some((path.clone(), *kind, show(path)?)));
        self.findings(&old.collect::<Vec<_>>(), show).0.iter().map(identity).collect()
    }

    /// The texts after all fixes, and after those that only then come to light.
    #[must_use]
    pub fn mended(&self, files: &[File], findings: &[Finding], read: &Read<'_>) -> BTreeMap<String, String> {
        /// One fix may show what the next is: an index, then the base image for it.
        const ROUNDS: usize = 6;
        let mut mended: BTreeMap<String, String> = BTreeMap::new();
        let mut findings = findings.to_vec();
        for _ in 0..ROUNDS {
            let edits = edit::by_file(findings.iter().filter_map(|finding| finding.fix.as_ref()));
            if edits.is_empty() {
                break;
            }
            for (path, edits) in edits {
                let own = files.iter().find(|(known, ..)| *known == path).map(|(_, _, text)| text.clone());
                let Some(text) = mended.get(&path).cloned().or(own).or_else(|| read(&path)) else { continue };
                mended.insert(path, edit::applied(&text, &edits));
            }
            findings = self.left(files, &mended, read);
        }
        mended
    }

    /// What is found once files have new texts.
    #[must_use]
    pub fn left(&self, files: &[File], mended: &BTreeMap<String, String>, read: &Read<'_>) -> Vec<Finding> {
        let own = |(path, kind, text): &File| (path.clone(), *kind, mended.get(path).unwrap_or(text).clone());
        let files: Vec<File> = files.iter().map(own).collect();
        self.findings(&files, &|path| mended.get(path).cloned().or_else(|| read(path))).0
    }
}

/// What a finding is, wherever its line has moved.
fn identity(finding: &Finding) -> Identity {
    (finding.file.clone(), finding.rule.id, finding.message.clone())
}

/// How linting ends.
#[must_use]
pub fn exit(findings: &[Finding], strict: bool) -> Exit {
    Exit::judged(findings.iter().map(|finding| finding.severity).min(), false, strict)
}

/// Whether a program beside the files is worth reading: it asks for versions of what is installed.
#[must_use]
pub fn asks_for_versions(text: &str) -> bool {
    text.contains("__version__") || text.contains("metadata")
}

/// The folders of Dockerfiles and scripts, `` for the current one: what runs in the environment that they make stands there.
#[must_use]
pub fn folders_that_make(files: &[File]) -> BTreeSet<&str> {
    let makes = files.iter().filter(|(_, kind, _)| matches!(kind, FileKind::Dockerfile | FileKind::Shell));
    makes.map(|(path, ..)| path.rsplit_once('/').map_or("", |(folder, _)| folder)).collect()
}

fn declared(path: &Path, config: &Config, text: &str) -> Declared {
    let lines = Lines::of(text);
    let place =
        |size: &Option<toml::Spanned<Size>>| size.as_ref().map(|size| lines.place(size.span())).unwrap_or_default();
    Declared {
        told: true,
        file: path.to_string_lossy().into_owned(),
        workload: config.workload.workload(),
        model_params: place(&config.workload.model_params),
        min_vram: place(&config.workload.min_vram),
        uses: match (config.workload.uses.first(), config.workload.uses.last()) {
            (Some(first), Some(last)) => lines.place(first.span().start..last.span().end),
            _ => Place::default(),
        },
    }
}

fn policy(path: &Path, config: &Config, text: &str) -> Policy {
    let lines = Lines::of(text);
    let ignore = config.policy.ignore.iter().map(|one| {
        let place: Place = lines.place(one.span());
        let one = one.get_ref();
        Ignore {
            id: one.id.0.clone(),
            path: one.path.clone(),
            reason: one.reason.0.clone(),
            until: one.until.as_ref().map(|day| day.0.clone()),
            place,
        }
    });
    let severity = config.policy.severity.iter().map(|(id, severity)| (id.0.clone(), *severity));
    Policy { file: path.to_string_lossy().into_owned(), severity: severity.collect(), ignore: ignore.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::embedded;

    fn file(text: &str) -> Vec<File> {
        vec![("requirements.txt".to_owned(), FileKind::Requirements, text.to_owned())]
    }

    fn judge() -> Judge<'static> {
        Judge::declared(None, Vec::new(), embedded())
    }

    const BROKEN: &str = "torch==2.7.1\ntorchvision==0.21.0\n";

    #[test]
    fn what_another_commit_had_too_is_not_introduced() {
        let (judge, nothing) = (judge(), |_: &str| None);
        let (findings, _) = judge.findings(&file(BROKEN), &nothing);
        assert!(!findings.is_empty());
        assert_eq!(exit(&findings, false), Exit::Failed);
        let moved = format!("# a new line\n{BROKEN}");
        let known = judge.known_before(&file(BROKEN), &|_| Some(moved.clone()));
        assert!(findings.iter().all(|finding| known.contains(&identity(finding))));
        let clean = judge.known_before(&file(BROKEN), &|_| Some("numpy\n".to_owned()));
        assert!(findings.iter().all(|finding| !clean.contains(&identity(finding))));
    }

    #[test]
    fn what_is_mended_is_not_found_again() {
        let (judge, nothing) = (judge(), |_: &str| None);
        let files = file(BROKEN);
        let (findings, _) = judge.findings(&files, &nothing);
        let mended = judge.mended(&files, &findings, &nothing);
        let fixes = findings.iter().filter(|finding| finding.fix.is_some()).count();
        assert_eq!(mended.is_empty(), fixes == 0);
        let left = judge.left(&files, &mended, &nothing);
        assert!(left.iter().all(|finding| finding.fix.is_none()), "{left:?}");
    }

    #[test]
    fn what_was_there_before_is_never_mended() {
        let (mut judge, nothing) = (judge(), |_: &str| None);
        let files = file(BROKEN);
        judge.known = judge.known_before(&files, &|_| Some(BROKEN.to_owned()));
        let (findings, _) = judge.findings(&files, &nothing);
        assert!(findings.is_empty(), "{findings:?}");
        assert!(judge.mended(&files, &findings, &nothing).is_empty());
        // A new file beside it is mended, and it is not, in whichever round.
        let mut more = files.clone();
        more.push(("new.txt".to_owned(), FileKind::Requirements, "torch==2.7.1\ntriton==3.2.0\n".to_owned()));
        let (findings, _) = judge.findings(&more, &nothing);
        assert!(!findings.is_empty());
        assert!(!judge.mended(&more, &findings, &nothing).contains_key("requirements.txt"));
    }

    #[test]
    fn programs_beside_what_makes_an_environment_are_looked_for() {
        let at = |path: &str, kind| (path.to_owned(), kind, String::new());
        let files = [
            at("Dockerfile", FileKind::Dockerfile),
            at("ops/run.sh", FileKind::Shell),
            at("docs/a.txt", FileKind::Requirements),
        ];
        assert_eq!(folders_that_make(&files).into_iter().collect::<Vec<_>>(), ["", "ops"]);
        assert!(asks_for_versions("print(torch.__version__)") && !asks_for_versions("print(1)"));
    }
}
