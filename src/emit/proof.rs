use crate::solve::Proof;
use crate::text::wrap;

/// A proof for people, in lines of at most `width` characters: the conclusion, the numbered statements with their sources,
/// and what works.
#[must_use]
pub fn proof(proof: &Proof, width: usize) -> String {
    let mut text = String::new();
    paragraph(&mut text, "", &proof.conclusion, width);
    text.push('\n');
    for (step, number) in proof.steps.iter().zip(1..) {
        paragraph(&mut text, &format!("{number:>3}. "), &step.text, width);
        if let Some(citation) = &step.citation {
            paragraph(&mut text, "     ", &format!("({})", short(citation, width)), width);
        }
    }
    if proof.steps.is_empty() {
        return text;
    }
    if proof.actions.is_empty() {
        text.push('\n');
        paragraph(&mut text, "", "No single change and no pair of changes that was tried gives a solution", width);
        return text;
    }
    text += "\nWhat works, cheapest first (each was solved again):\n";
    for action in &proof.actions {
        paragraph(&mut text, "  - ", &action.summary, width);
        if !action.takes.is_empty() {
            paragraph(&mut text, "    ", &format!("which takes {}", action.takes.join(" ")), width);
        }
    }
    text
}

/// A citation that is no longer than a line and a half: the JSON form has it whole.
fn short(citation: &str, width: usize) -> String {
    let limit = width * 3 / 2;
    match citation.char_indices().nth(limit) {
        Some((cut, _)) => format!("{}…", citation[..cut].trim_end()),
        None => citation.to_owned(),
    }
}

/// Lines with a head before the first and as much space before the others.
fn paragraph(out: &mut String, head: &str, text: &str, width: usize) {
    let indent = head.chars().count();
    for (index, line) in wrap(text, width.saturating_sub(indent)).iter().enumerate() {
        let head = if index == 0 { head } else { "" };
        *out += &format!("{head:indent$}{line}\n");
    }
}
