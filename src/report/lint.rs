//! Findings of `gpudoc lint` for people, with the line of source, and as JSON.

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use serde::Serialize;

use crate::finding::Severity;
use crate::lint::Finding;
use crate::text::count;

/// Draws findings. `files` are path and text of all that was looked at; `width` is that of the terminal.
#[must_use]
pub fn text(findings: &[Finding], files: &[(String, String)], width: usize) -> String {
    let renderer = Renderer::styled().term_width(width.clamp(60, 120));
    let mut out = String::new();
    for finding in findings {
        out.push_str(&renderer.render(&drawn(finding, files)));
        out.push_str("\n\n");
    }
    out + &summary(findings, files.len())
}

fn drawn<'f>(finding: &'f Finding, files: &'f [(String, String)]) -> Vec<Group<'f>> {
    let level = match finding.severity {
        Severity::Fail => Level::ERROR,
        Severity::Warn => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let text_of = |file: &str| files.iter().find(|(path, _)| path == file).map_or("", |(_, text)| text);
    let source = text_of(&finding.file);
    let span = finding.place.span.start.min(source.len())..finding.place.span.end.min(source.len());
    let snippet = Snippet::source(source).path(finding.file.as_str()).annotation(AnnotationKind::Primary.span(span));
    let mut group = level.primary_title(finding.message.as_str()).id(finding.rule.id).element(snippet);
    for note in &finding.notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    let mut groups = vec![];
    match &finding.fix {
        Some(fix) => {
            groups.push(group);
            let mut help = Group::with_title(Level::HELP.with_name(Some("fix")).secondary_title(fix.summary.as_str()));
            let mut named: Vec<&str> = fix.edits.iter().map(|edit| edit.file.as_str()).collect();
            named.dedup();
            for file in named {
                let mut snippet = Snippet::source(text_of(file)).path(file);
                for edit in fix.edits.iter().filter(|edit| edit.file == file) {
                    snippet = snippet.patch(Patch::new(edit.start..edit.end, edit.text.as_str()));
                }
                help = help.element(snippet);
            }
            groups.push(help);
        }
        None => {
            if let Some(hint) = &finding.hint {
                group = group.element(Level::HELP.with_name(Some("hint")).message(hint.as_str()));
            }
            groups.push(group);
        }
    }
    groups
}

/// `2 failures and 1 warning in 14 files; 2 can be fixed with --fix`.
fn summary(findings: &[Finding], files: usize) -> String {
    if files == 0 {
        return "nothing was judged: there is no file that gpudoc lint knows\n".to_owned();
    }
    let files = count(files, "file", "files");
    let of = |severity: Severity| findings.iter().filter(|finding| finding.severity == severity).count();
    if findings.is_empty() {
        return format!("nothing is wrong in {files}\n");
    }
    let mut parts =
        vec![count(of(Severity::Fail), "failure", "failures"), count(of(Severity::Warn), "warning", "warnings")];
    if of(Severity::Info) > 0 {
        parts.push(count(of(Severity::Info), "remark", "remarks"));
    }
    let fixable = findings.iter().filter(|finding| finding.fix.is_some()).count();
    let fix = if fixable > 0 { format!("; {fixable} can be fixed with `--fix`") } else { String::new() };
    format!("{} in {files}{fix}\n", crate::text::list(&parts))
}

#[derive(Serialize)]
struct Json<'f> {
    schema: &'static str,
    files: Vec<&'f str>,
    findings: Vec<JsonFinding<'f>>,
}

#[derive(Serialize)]
struct JsonFinding<'f> {
    id: &'f str,
    severity: Severity,
    file: &'f str,
    line: usize,
    column: usize,
    start: usize,
    end: usize,
    message: &'f str,
    notes: &'f [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'f str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edits: Vec<JsonEdit<'f>>,
}

#[derive(Serialize)]
struct JsonEdit<'f> {
    file: &'f str,
    start: usize,
    end: usize,
    text: &'f str,
}

/// `gpudoc.lint/1`.
///
/// # Errors
///
/// Never in practice: all of it is plain data.
pub fn json(findings: &[Finding], files: &[(String, String)]) -> serde_json::Result<String> {
    let findings = findings.iter().map(|finding| JsonFinding {
        id: finding.rule.id,
        severity: finding.severity,
        file: &finding.file,
        line: finding.place.line,
        column: finding.place.column,
        start: finding.place.span.start,
        end: finding.place.span.end,
        message: &finding.message,
        notes: &finding.notes,
        hint: finding.hint.as_deref(),
        edits: finding
            .fix
            .iter()
            .flat_map(|fix| &fix.edits)
            .map(|edit| JsonEdit { file: &edit.file, start: edit.start, end: edit.end, text: &edit.text })
            .collect(),
    });
    let files = files.iter().map(|(path, _)| path.as_str()).collect();
    let all = Json { schema: "gpudoc.lint/1", files, findings: findings.collect() };
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}
