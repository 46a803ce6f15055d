//! What an import that failed tells: the distribution is there, in a version that nobody says.

use super::Vocabulary;
use super::draft::Draft;

/// Reads the module and why it failed: `bitsandbytes`, `No module named 'triton.ops'`. None where the module belongs to no distribution
/// that is known.
pub fn import_failed(word: &str, why: &str, vocabulary: &Vocabulary<'_>, draft: &mut Draft) -> Option<()> {
    let word = word.trim_matches(['`', '\'', '"', '[', ']', '.']).to_lowercase();
    let module = word.split('.').next()?;
    let of = |module: &str| {
        let name = crate::python::wheel::normalise_name(module);
        (vocabulary.distribution_of)(module).or_else(|| (vocabulary.is_package)(&name).then_some(name))
    };
    let name = of(module)?;
    // `xformers import failed: No module named 'xformers'` says that it is not there.
    let gone = why.split_once("No module named ").map(|(_, rest)| rest.trim_start_matches(['\'', '"']));
    let gone = gone.and_then(|rest| rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next());
    if gone.is_none_or(|gone| gone != module && of(gone).as_ref() != Some(&name)) {
        draft.present(&name);
    }
    Some(())
}
