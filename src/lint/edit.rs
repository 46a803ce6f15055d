//! Edits carried out: all other bytes stay as they are.

use std::collections::BTreeMap;

use super::{Edit, Fix};
use crate::text::spliced;

/// The edits of some fixes by file, in order. Of fixes that touch the same bytes the first one counts.
#[must_use]
pub fn by_file<'f>(fixes: impl Iterator<Item = &'f Fix>) -> BTreeMap<String, Vec<Edit>> {
    let mut found: BTreeMap<String, Vec<Edit>> = BTreeMap::new();
    for fix in fixes {
        let fits = |edit: &Edit| {
            let others = found.get(&edit.file).into_iter().flatten();
            others.clone().all(|other| other == edit || edit.end < other.start || edit.start > other.end)
        };
        if fix.edits.iter().all(fits) {
            for edit in &fix.edits {
                let own = found.entry(edit.file.clone()).or_default();
                if !own.contains(edit) {
                    own.push(edit.clone());
                }
            }
        }
    }
    found.values_mut().for_each(|edits| edits.sort());
    found
}

/// A text with edits that are in order and do not overlap.
#[must_use]
pub fn applied(text: &str, edits: &[Edit]) -> String {
    spliced(text, edits.iter().map(|edit| (edit.start..edit.end, edit.text.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit { file: "f".to_owned(), start, end, text: text.to_owned() }
    }

    #[test]
    fn what_overlaps_an_earlier_fix_is_left_out() {
        let fix = |edits: &[Edit]| Fix { summary: String::new(), edits: edits.to_vec() };
        let fixes = [
            fix(&[edit(6, 8, "<3"), edit(0, 1, "A")]),
            fix(&[edit(7, 9, "no"), edit(20, 21, "no")]),
            fix(&[edit(0, 1, "A"), edit(12, 12, " end")]),
        ];
        let edits = by_file(fixes.iter());
        assert_eq!(applied("abcdef==ghij", &edits["f"]), "Abcdef<3ghij end");
    }
}
