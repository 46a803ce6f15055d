//! Products by the words that people use: `RTX 4090`, `5070ti`, `A100`, `GTX 1080 Ti`, `RTX 50 series`.

/// `Compatible tags: 1060`, `CPU max MHz: 3090`: a number that a line gives to something else than a GPU.
pub fn is_count(text: &str) -> bool {
    const GPU: [&str; 8] = ["gpu", "card", "graphic", "device", "hardware", "accelerator", "rtx", "显卡"];
    let Some((name, value)) = text.split_once(':') else { return false };
    let name = name.to_lowercase();
    value.trim().parse::<f64>().is_ok() && !GPU.iter().any(|word| name.contains(word))
}

/// `L2 cache: 4 MiB`, in older forms `L2: 4 MiB`, of `lscpu`: a level of a processor's cache, not the product L2.
pub fn is_cache(word: Option<&str>, next: Option<&str>, third: Option<&str>) -> bool {
    let level = word.is_some_and(|word| matches!(word.as_bytes(), [b'L' | b'l', b'1'..=b'4']));
    let cache = next.is_some_and(|word| word.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("cache")));
    let size = next.is_some_and(|word| word.parse::<f64>().is_ok()) && matches!(third, Some("KiB" | "MiB"));
    level && (cache || size)
}

/// Products that people call by a word and a number, or by the number alone.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// The word before the number, in capitals, e.g. `RTX`.
    pub word: &'a str,
    /// What stands before the number in the products' names, e.g. `GeForce RTX`.
    pub brand: &'a str,
    /// How their numbers begin, two digits each, e.g. `50`.
    pub begins: &'a [String],
}

impl Series<'_> {
    /// Whether a word begins with the series' own, in whatever case: `rtx`, `RTX4090`.
    #[must_use]
    pub fn begins_word(&self, word: &str) -> bool {
        word.get(..self.word.len()).is_some_and(|start| start.eq_ignore_ascii_case(self.word))
    }
}

/// Whether a word is worth a closer look: three or four digits, one or two letters and a digit, or the name of a series.
fn may_be_product(word: &str, series: &[Series<'_>]) -> bool {
    let plain = word.trim_start_matches(['.', '!', '?', '-']);
    let word = plain.as_bytes();
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let letters = word.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    (3..=4).contains(&digits)
        || (1..=2).contains(&letters) && word.get(letters).is_some_and(u8::is_ascii_digit)
        || series.iter().any(|series| series.begins_word(plain))
}

/// The canonical name of a product at a word, which the three words after it may belong to.
pub fn product(word: &str, [next, third, fourth]: [Option<&str>; 3], all: &[Series<'_>]) -> Option<String> {
    if !may_be_product(word, all) {
        return None;
    }
    let clean = |word: &str| word.trim_matches(['.', '!', '?', '-']).to_ascii_uppercase();
    let upper = clean(word);
    let number = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        (digits.len() >= 3 && digits.len() <= 4)
            .then(|| (digits.clone(), text.get(digits.len()..).unwrap_or_default().to_owned()))
    };
    // `A100`, `GB200`, `L40S`, and `A100-SXM4-80GB` by its first part: one to three letters, then a number. The rules know which
    // of these are GPUs.
    let chip = upper.split('-').next().unwrap_or_default();
    let letters = chip.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = chip.bytes().skip(letters).take_while(u8::is_ascii_digit).count();
    let shaped = (1..=2).contains(&letters) && (1..=3).contains(&digits) && chip.len() <= letters + digits + 1;
    if shaped && word.starts_with(|letter: char| letter.is_ascii_uppercase()) {
        return Some(chip.to_owned());
    }
    let (brand, digits, rest, more) = match all.iter().find(|series| series.word == upper) {
        Some(named) => {
            let after = clean(next?);
            // `RTX 50 series`, `RTX 50-series`, `RTX 5000 series`.
            let series = after
                .strip_suffix("-SERIES")
                .or_else(|| third.is_some_and(|word| clean(word) == "SERIES").then_some(after.as_str()));
            if let Some(series) =
                series.map(|series| series.strip_suffix("00").filter(|it| it.len() == 2).unwrap_or(series))
                && series.len() == 2
                && series.bytes().all(|byte| byte.is_ascii_digit())
            {
                return Some(format!("{} {series}xx", named.brand));
            }
            // RTX A6000 has a letter of its own.
            if after.strip_prefix('A').and_then(number).is_some() {
                return Some(format!("{} {after}", named.word));
            }
            // `RTX 50xx`: the whole series.
            if let Some(series) = after.strip_suffix("XX").or_else(|| after.strip_suffix("X0")) {
                return (series.len() == 2 && number(&format!("{series}00")).is_some())
                    .then(|| format!("{} {series}xx", named.brand));
            }
            let (digits, rest) = number(&after)?;
            (named.brand, digits, rest, [third, fourth])
        }
        None => {
            let short = all.iter().find_map(|series| upper.strip_prefix(series.word));
            let (digits, rest) = number(short.unwrap_or(&upper))?;
            // A bare number is a product only if it looks like one: `5090`, `4070TI`, not a year or a port.
            let known = digits.len() == 4 && ["90", "80", "70", "60", "50"].iter().any(|end| digits.ends_with(end));
            let begin = digits.get(..2)?;
            let series = all.iter().find(|series| series.begins.iter().any(|own| own == begin))?;
            if short.is_none() && (!known || !matches!(rest.as_str(), "" | "TI" | "S" | "SUPER" | "TISUPER" | "D")) {
                return None;
            }
            (series.brand, digits, rest, [next, third])
        }
    };
    let mut name = format!("{brand} {digits}");
    let suffix = rest.replace("SUPER", " SUPER").replace("TI", " Ti");
    let suffix = if suffix == "S" { " SUPER".to_owned() } else { suffix };
    if !suffix.trim().is_empty() && !suffix.contains("Ti") && !suffix.contains("SUPER") && suffix.trim() != "D" {
        return None;
    }
    name.push_str(&suffix);
    for word in more.into_iter().flatten() {
        match clean(word).as_str() {
            "TI" => name.push_str(" Ti"),
            "SUPER" => name.push_str(" SUPER"),
            "D" => name.push_str(" D"),
            _ => break,
        }
    }
    Some(name.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_one_product_in_many_ways() {
        let [rtx, gtx] = [["20", "40", "50"].map(str::to_owned), ["10", "16", "17"].map(str::to_owned)];
        let all = [
            Series { word: "RTX", brand: "GeForce RTX", begins: &rtx },
            Series { word: "GTX", brand: "GeForce GTX", begins: &gtx },
        ];
        let of = |words: &str| {
            let words: Vec<&str> = words.split(' ').collect();
            let word = |at: usize| words.get(at).copied();
            product(words[0], [word(1), word(2), word(3)], &all).unwrap_or_default()
        };
        for (words, expected) in [
            ("RTX 4090", "GeForce RTX 4090"),
            ("5070ti", "GeForce RTX 5070 Ti"),
            ("GTX 1080 Ti", "GeForce GTX 1080 Ti"),
            ("A100-SXM4-80GB", "A100"),
            ("RTX A6000", "RTX A6000"),
            ("RTX 50 series", "GeForce RTX 50xx"),
            ("RTX 50-series", "GeForce RTX 50xx"),
            ("RTX 4000 series", "GeForce RTX 40xx"),
            ("RTX 50xx", "GeForce RTX 50xx"),
            ("2024", ""),
            // No series of these begins with 60.
            ("6090", ""),
            ("port", ""),
        ] {
            assert_eq!(of(words), expected, "{words}");
        }
        assert!(is_count("Compatible tags: 1060") && !is_count("GPU: 1060"));
        assert!(is_cache(Some("L2"), Some("cache"), None) && !is_cache(Some("L4"), Some("24GB"), None));
    }
}
