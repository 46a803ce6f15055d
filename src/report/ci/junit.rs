//! JUnit XML: a test case for each problem, and one for each thing without.
//!
//! By hand: three elements, whose texts one function escapes.

use std::fmt::Write;

use super::Problems;
use crate::finding::Severity;

/// Writes problems as JUnit. Warnings pass, with their text as output.
#[must_use]
pub fn junit(problems: &Problems) -> String {
    let clean: Vec<&String> = problems
        .looked_at
        .iter()
        .filter(|subject| !problems.problems.iter().any(|problem| problem.subject == **subject))
        .collect();
    let tests = problems.problems.len() + clean.len() + problems.skipped.len();
    let failures = problems.count(Severity::Fail);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts =
        format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{}\"", problems.skipped.len());
    let _ = writeln!(out, "<testsuites name=\"{}\" {counts}>", problems.tool);
    let _ = writeln!(out, "  <testsuite name=\"{}\" {counts}>", problems.tool);
    for problem in &problems.problems {
        let place = problem.region.as_ref().map(|region| format!(":{}:{}", region.line, region.column));
        let name = escaped(&format!("{}{}", problem.id, place.unwrap_or_default()));
        let _ = write!(out, "    <testcase classname=\"{}\" name=\"{name}\"", escaped(&problem.subject));
        if let Some(region) = &problem.region {
            let _ = write!(out, " file=\"{}\" line=\"{}\"", escaped(&region.file), region.line);
        }
        let details = escaped(&problem.details());
        let _ = match problem.severity {
            Severity::Fail => writeln!(
                out,
                ">\n      <failure type=\"{}\" message=\"{}\">{details}</failure>\n    </testcase>",
                escaped(&problem.id),
                escaped(&problem.message)
            ),
            Severity::Warn | Severity::Info => {
                writeln!(out, ">\n      <system-out>{details}</system-out>\n    </testcase>")
            }
        };
    }
    for subject in clean {
        let subject = escaped(subject);
        let _ = writeln!(out, "    <testcase classname=\"{subject}\" name=\"{subject}\"/>");
    }
    for (subject, reason) in &problems.skipped {
        let (subject, reason) = (escaped(subject), escaped(reason));
        let _ = writeln!(
            out,
            "    <testcase classname=\"{subject}\" name=\"{subject}\">\n      <skipped message=\"{reason}\"/>\n    </testcase>"
        );
    }
    out + "  </testsuite>\n</testsuites>\n"
}

/// A text for XML; what XML cannot hold becomes a question mark.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\t' => out.push(letter),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            letter => out.push(letter),
        }
    }
    out
}
