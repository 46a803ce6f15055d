//! Which extras are asked for, and which lines are for others?

use std::collections::{BTreeSet, HashMap};

use crate::check::Installed;
use crate::pep::{ExtraName, Requirement};

/// The extras that a line asks for, e.g. `http2` of `httpx[HTTP2]>=0.27`.
pub fn extras_of(line: &str) -> impl Iterator<Item = String> + '_ {
    let before = line.split(';').next().unwrap_or_default();
    let list = before.split_once('[').and_then(|(_, rest)| rest.split(']').next()).unwrap_or_default();
    list.split(',').filter(|name| !name.trim().is_empty()).map(normal)
}

/// Most lines of metadata are for an extra that nobody asked for. Telling so by the text saves parsing them.
pub fn may_apply(line: &str, asked: &BTreeSet<String>) -> bool {
    let Some((_, marker)) = line.split_once(';') else { return true };
    let only_extras = marker.contains("extra ==") && !marker.contains(" or ") && !marker.contains("!=");
    !only_extras || marker.split(['"', '\'']).any(|word| asked.contains(&normal(word)))
}

fn normal(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// The extras that other distributions ask of each one, followed until nothing is added.
pub fn wanted_extras<'a>(
    declared: &'a [(&Installed<'_>, Vec<Requirement>)],
    applies: impl Fn(&Requirement, &[ExtraName]) -> bool,
) -> HashMap<&'a str, BTreeSet<ExtraName>> {
    let mut wanted: HashMap<&str, BTreeSet<ExtraName>> = HashMap::new();
    // Only requirements that name extras can add any, and there are few of them.
    let asking: Vec<_> = declared
        .iter()
        .flat_map(|(installed, requirements)| {
            requirements.iter().filter(|it| !it.extras.is_empty()).map(|it| (installed.name(), it))
        })
        .collect();
    loop {
        let mut grown = false;
        for (from, requirement) in &asking {
            let extras: Vec<_> = wanted.get(from).into_iter().flatten().cloned().collect();
            if applies(requirement, &extras) {
                let into = wanted.entry(requirement.name.as_ref()).or_default();
                for extra in &requirement.extras {
                    grown |= into.insert(extra.clone());
                }
            }
        }
        if !grown {
            return wanted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_for_extras_that_nobody_asks_for_are_passed_over() {
        let asked: BTreeSet<String> = extras_of("httpx[HTTP2, my__extra ]>=0.27; python_version > \"3\"").collect();
        assert_eq!(asked.iter().collect::<Vec<_>>(), ["http2", "my-extra"]);
        for line in
            ["h2", "h2; os_name == 'nt'", "h2; extra == 'http2'", "h2; extra == \"My.Extra\"", "h2[x]; extra != 'b'"]
        {
            assert!(may_apply(line, &asked), "{line}");
        }
        assert!(may_apply("h2; extra == 'dev' or os_name == 'nt'", &asked));
        for line in ["h2; extra == 'dev'", "h2 ; python_version < '4' and extra=='dev' and extra == \"doc\""] {
            assert!(!may_apply(line, &asked), "{line}");
        }
    }
}
