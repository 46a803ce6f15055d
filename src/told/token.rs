//! What a single word can be: a version, a name, a driver.

/// Whether a word is a version: `2.7.1+cu126`, `0.0.26.post1`, `2.6.0.dev20241112+cu121`, not `2.x`.
pub fn is_version(word: &str) -> bool {
    let mut parts = word.splitn(2, '.');
    let (Some(first), Some(rest)) = (parts.next(), parts.next()) else { return false };
    let number = |text: &str| !text.is_empty() && text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    word.len() <= 64
        && number(first)
        && rest.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-_!".contains(&byte))
        && !rest.ends_with('.')
        // The tag of an image, `pytorch:23.09-py3`.
        && !rest.contains("-py")
}

pub fn is_name(word: &str) -> bool {
    let letters = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    letters && word.len() <= 64 && word.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
}

/// `570.133.20`, `418.56`.
/// Whether words ask for a version instead of telling which there is: `needs driver 580`, `535 or newer`.
pub fn demands(text: &str) -> bool {
    const WORDS: [&str; 15] = [
        "need",
        "requir",
        "at least",
        "minimum",
        "or newer",
        "or later",
        "or higher",
        "or above",
        "update to",
        "upgrade to",
        "install ",
        ">=",
        "older than",
        "newer than",
        "recommend",
    ];
    let lower = text.to_ascii_lowercase();
    WORDS.iter().any(|words| lower.contains(words))
}

/// The branch of a driver that is named by nothing else: 535 of `535`.
pub fn branch(word: &str) -> Option<u32> {
    word.parse().ok().filter(|branch| word.len() == 3 && (340..=999).contains(branch))
}

pub fn is_driver(word: &str) -> bool {
    let mut parts = word.split('.');
    let is_number = |part: &str| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let branch = parts.next().filter(|part| is_number(part)).and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    (340..=999).contains(&branch) && (1..=2).contains(&parts.clone().count()) && parts.all(is_number)
}
