use crate::solve::Proof;

/// A proof for people: the conclusion, the numbered statements with their sources, and what works.
#[must_use]
pub fn proof(proof: &Proof) -> String {
    let mut text = format!("{}\n\n", proof.conclusion);
    for (step, number) in proof.steps.iter().zip(1..) {
        text += &format!("{number:>3}. {}\n", step.text);
        if let Some(citation) = &step.citation {
            text += &format!("     ({citation})\n");
        }
    }
    if proof.actions.is_empty() {
        text += "\nNo single change and no pair of changes that was tried gives a solution\n";
        return text;
    }
    text += "\nWhat works, cheapest first (each was solved again):\n";
    for action in &proof.actions {
        text += &format!("  - {}\n", action.summary);
        if !action.takes.is_empty() {
            text += &format!("    which takes {}\n", action.takes.join(" "));
        }
    }
    text
}
