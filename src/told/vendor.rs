//! Another vendor's stack in a report: `ROCM used to build PyTorch: 6.3.42131`, `GPU 0: AMD Radeon RX 7900 XTX`.

use super::Vocabulary;
use super::clean::Line;
use super::draft::{Draft, VENDOR};
use crate::facts::Reading;

/// Longer lines are data.
const LONGEST: usize = 400;

/// Looks at every line; the first that names a vendor counts.
pub fn read(lines: &[Line<'_>], vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    for line in lines.iter().filter(|line| line.text.len() <= LONGEST) {
        let Some(name) = (vocabulary.other_vendor)(&line.text) else { continue };
        if draft.vendor.is_unknown() {
            draft.vendor = Reading::told(name, format!("the report, line {}", line.number));
        }
        draft.saw(VENDOR, line.number);
    }
}
