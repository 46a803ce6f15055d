//! What does a text say beside a message: the distribution that is meant, and what its row asks for?

use std::collections::BTreeMap;

use memchr::memmem;

use super::quote::package_in;
use crate::check::{Context, Installed};
use crate::facts::TORCH;
use crate::facts::redact::{Identity, redact_text};
use crate::log::Log;
use crate::rules::requirement::{parse, specifiers};
use crate::rules::schema::{Symptom, SymptomCause};
use crate::rules::symptom::Seen;
use crate::rules::target::gpu_words;
use crate::step::{Step, Written};
use crate::text;

/// Nothing that is filled in is longer.
const LONGEST: usize = 80;
/// What is asked for, instead of a word: `tokenizers>=0.20,<0.21`.
const REQUIREMENT: &str = "requirement";
/// So many places of one pattern are looked at.
const MOST: usize = 64;

/// What a text says beside a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The distribution that it names.
    pub package: Option<String>,
    /// By the names of the row, e.g. `release` to `555.42`.
    said: BTreeMap<String, String>,
}

impl Words {
    /// Reads a text around a message. Names of people are hidden in what is taken.
    pub fn of(context: &Context<'_>, seen: &Seen<'_>, log: &Log, people: &Identity) -> Self {
        let said = seen.symptom.says.iter().filter_map(|(name, pattern)| {
            let word = match name.as_str() {
                REQUIREMENT => requirement(pattern, &log.flat)?,
                _ => said(pattern, &log.flat)?.to_owned(),
            };
            Some((name.clone(), redact_text(&word, people)))
        });
        Self { package: package_in(context, seen, log), said: said.collect() }
    }

    /// Whether the text says what a cause tells; none where it tells nothing of it.
    pub fn meets(&self, symptom: &Symptom, cause: &SymptomCause) -> Option<bool> {
        let told = symptom.says.keys().filter(|name| cause.tells(name));
        let said: Vec<bool> = told.map(|name| self.said.contains_key(name)).collect();
        let named = cause.of.as_ref().map(|name| self.package.as_ref() == Some(name));
        (!said.is_empty() || named.is_some()).then(|| said.into_iter().chain(named).all(|met| met))
    }

    /// The release that a message asks for, where its row names one so.
    pub fn release(&self) -> Option<&str> {
        self.said.get("release").map(String::as_str)
    }

    /// A sentence with what is known in its places.
    pub fn fill(&self, context: &Context<'_>, sentence: &str) -> String {
        let sentence = self
            .said
            .iter()
            .fold(sentence.to_owned(), |sentence, (name, word)| sentence.replace(&format!("{{{name}}}"), word));
        filled(context, &sentence, self.package.as_deref())
    }

    /// The steps of a command.
    pub fn steps(&self, command: &Written) -> Vec<Step> {
        let said: Vec<(&str, &str)> = self.said.iter().map(|(name, word)| (name.as_str(), word.as_str())).collect();
        let is_template = said.iter().any(|(name, _)| command.as_str().contains(&format!("{{{name}}}")));
        if is_template { command.filled(&said).into_iter().collect() } else { command.steps() }
    }
}

/// Fills what is known into a sentence.
fn filled(context: &Context<'_>, text: &str, package: Option<&str>) -> String {
    let gpus: Vec<_> = context.target.gpus.iter().collect();
    let gpu = match gpus.as_slice() {
        [] => "this GPU".to_owned(),
        gpus => {
            let mut capabilities: Vec<_> = gpus.iter().map(|gpu| format!("sm_{}", gpu.capability.sm())).collect();
            capabilities.dedup();
            format!("{} ({})", gpu_words(gpus), text::list(&capabilities))
        }
    };
    let title = |name: &str| context.stack.get(name).map(Installed::title);
    let package = package.map(|name| title(name).unwrap_or_else(|| name.to_owned()));
    let torch = title(TORCH).unwrap_or_else(|| TORCH.to_owned());
    let driver =
        context.target.driver.as_ref().map_or_else(|| "the driver".to_owned(), |driver| format!("driver {driver}"));
    text.replace("{package}", package.as_deref().unwrap_or("the extension"))
        .replace("{gpu}", &gpu)
        .replace("{torch}", &torch)
        .replace("{driver}", &driver)
}

/// What stands in the place of `{}` in a text, place by place, where it is made of some letters only: `555.42` for `Release {} or
/// later`. Behind a pattern that ends with it, all of these letters that follow.
fn runs<'a>(pattern: &str, text: &'a str, is_part: impl Fn(char) -> bool) -> impl Iterator<Item = &'a str> {
    let (before, after) = pattern.split_once("{}").unwrap_or((pattern, ""));
    let is_behind = before.len() < after.len();
    let rarer = if is_behind { after } else { before };
    let places = memmem::find_iter(text.as_bytes(), rarer.as_bytes()).take(MOST).collect::<Vec<_>>();
    places.into_iter().filter_map(move |at| {
        let start = match is_behind {
            true => {
                let run = text.get(..at)?;
                let begin = run.rfind(|letter| !is_part(letter)).map_or(0, |end| end + 1);
                begin + text.get(begin..at)?.find(before)? + before.len()
            }
            false => at + before.len(),
        };
        let rest = text.get(start..)?;
        let run = rest.find(|letter| !is_part(letter)).and_then(|end| rest.get(..end)).unwrap_or(rest);
        let found = if after.is_empty() { run } else { rest.get(..rest.find(after)?)? };
        (found.len() <= run.len()).then_some(found)
    })
}

/// The first word that stands in the place of `{}` in a text.
fn said<'a>(pattern: &str, text: &'a str) -> Option<&'a str> {
    // Where nothing follows, a sentence may end.
    let end: &[char] = if pattern.ends_with("{}") { &['.', '/'] } else { &[] };
    let mut words = runs(pattern, text, is_word).map(|run| run.trim_end_matches(end));
    words.find(|word| !word.is_empty() && word.len() <= LONGEST && !word.starts_with('-') && !word.contains(".."))
}

/// The first requirement that stands in the place of `{}` in a text: a name and a range, as in `tokenizers>=0.20,<0.21 is required`
/// or `Please install mmcv>=2.0.0rc4, <2.2.0.`
fn requirement(pattern: &str, text: &str) -> Option<String> {
    let is_part = |letter: char| is_word(letter) || matches!(letter, '>' | '<' | '=' | '!' | '~' | ',' | ' ');
    let mut found = runs(pattern, text, is_part).filter_map(|run| {
        // The sentence's own words and full stop do not belong to it.
        let end = run.rfind(|letter: char| letter.is_ascii_digit() || letter == '*')?;
        let start = run.find(['>', '<', '=', '!', '~'])?;
        let name = run.get(..start)?.split_whitespace().next_back()?;
        let text = format!("{name}{}", run.get(start..=end)?);
        let asked = parse(&text).ok().filter(|asked| specifiers(asked).is_some_and(|range| !range.is_empty()))?;
        Some(format!("{}{}", asked.name, specifiers(&asked)?).replace(' ', ""))
    });
    found.find(|asked| asked.len() <= LONGEST)
}

/// What names, versions and paths are made of; nothing that a shell reads otherwise.
fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '+' | '-' | '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_taken_from_its_place() {
        let release = "NVIDIA Driver Release {} or later";
        assert_eq!(said(release, "built for NVIDIA Driver Release 555.42 or later, but"), Some("555.42"));
        assert_eq!(said(release, "built for NVIDIA Driver Release of spring or later"), None);
        assert_eq!(said("cuda-compat-{}", "called `cuda-compat-11-3` (or similar)"), Some("11-3"));
        assert_eq!(
            said("/{}/libcuda.so", "that `/usr/local/nvidia/lib64/libcuda.so` is"),
            Some("usr/local/nvidia/lib64")
        );
        assert_eq!(said("Release {}", "Release $(reboot)"), None);
        assert_eq!(said("Release {}", "Release -rf"), None);
        assert_eq!(said("/{}/libcuda.so", "/../libcuda.so"), None);
    }

    #[test]
    fn a_requirement_is_taken_from_its_place() {
        let of = |pattern: &str, text: &str| requirement(pattern, text).unwrap_or_default();
        let required = "{} is required for a normal functioning";
        assert_eq!(
            of(required, "ImportError: tokenizers>=0.20,<0.21 is required for a normal functioning"),
            "tokenizers>=0.20,<0.21"
        );
        let install = "incompatible. Please install {}";
        assert_eq!(
            of(install, "is used but incompatible. Please install mmcv>=2.0.0rc4, <2.2.0.\nNext"),
            "mmcv>=2.0.0rc4,<2.2.0"
        );
        for text in [
            "Python $(x)>=1 is required for a normal functioning",
            "torch is required for a normal functioning",
            ">=2 is required for a normal functioning",
        ] {
            assert_eq!(of(required, text), "", "{text}");
        }
    }
}
