//! Which torch releases export which symbol: what an extension was compiled for, told by what it lacks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::objects::symbol::std_string;
use crate::pep::Version;
use crate::rules::schema::{BuildHistory, TorchSymbolTable};

/// The histories, ready to be asked.
#[derive(Debug, Default)]
pub struct TorchSymbols {
    /// Those that were read, oldest first.
    releases: Vec<Version>,
    /// For each symbol the releases that export it, by place.
    histories: HashMap<String, BTreeSet<usize>>,
}

impl TorchSymbols {
    /// Makes ready what the rules hold.
    #[must_use]
    pub fn new(raw: &TorchSymbolTable) -> Self {
        let releases: Vec<Version> = raw.releases.iter().filter_map(|release| release.version.parse().ok()).collect();
        let place =
            |text: &str| releases.iter().position(|release| text.parse().is_ok_and(|version| *release == version));
        let mut histories = HashMap::new();
        for history in &raw.histories {
            let runs = history.releases.iter().filter_map(|run| {
                let (first, last) = run.split_once(" to ").unwrap_or((run, run));
                Some(place(first)?..=place(last)?)
            });
            let places: BTreeSet<usize> = runs.flatten().collect();
            histories.extend(history.symbols.iter().map(|symbol| (symbol.clone(), places.clone())));
        }
        Self { releases, histories }
    }

    /// The releases that export all of these symbols, as far as they are known; none if no symbol is.
    #[must_use]
    pub fn releases_with(&self, symbols: &[&str]) -> Vec<Version> {
        let known: Vec<_> = symbols.iter().filter_map(|symbol| self.histories.get(*symbol)).collect();
        let all = |place: &usize| known.iter().all(|places| places.contains(place));
        let places = (0..self.releases.len()).filter(|place| !known.is_empty() && all(place));
        places.filter_map(|place| self.releases.get(place)).cloned().collect()
    }

    /// Whether a release exports a symbol; none if either is not known.
    #[must_use]
    pub fn exports(&self, symbol: &str, release: &Version) -> Option<bool> {
        let place = self.releases.iter().position(|known| known == release)?;
        Some(self.histories.get(symbol)?.contains(&place))
    }
}

/// What is worth a row: of the symbols that extensions need, those that some releases export and others do not.
///
/// `exported`: for each release, oldest first, the symbols of interest that it exports.
#[must_use]
pub fn histories(exported: &[(Version, BTreeSet<String>)]) -> Vec<BuildHistory> {
    let symbols: BTreeSet<&String> = exported.iter().flat_map(|(_, symbols)| symbols).collect();
    let mut groups: BTreeMap<Vec<bool>, Vec<String>> = BTreeMap::new();
    for symbol in symbols {
        let presence: Vec<bool> = exported.iter().map(|(_, symbols)| symbols.contains(symbol)).collect();
        if presence.contains(&false) {
            groups.entry(presence).or_default().push(symbol.clone());
        }
    }
    let mut histories: Vec<BuildHistory> = groups
        .into_iter()
        .map(|(presence, symbols)| BuildHistory { releases: runs(&presence, exported), symbols })
        .collect();
    histories.sort_by(|one, other| one.symbols.cmp(&other.symbols));
    histories
}

/// Which torch an extension loads beside, by the symbols that it needs: the releases as runs (none where all do), and the C++
/// ABI of libstdc++ (none where no string is passed). `mixed`: releases that are published with either ABI, of which only one
/// build was read. None where it loads beside every torch.
///
/// Symbols that no torch exports are the extension's own affair.
#[must_use]
pub fn bound(
    needed: &BTreeSet<String>,
    exported: &[(Version, BTreeSet<String>)],
    mixed: &[Version],
) -> Option<(Vec<String>, Option<bool>)> {
    let known: Vec<&String> =
        needed.iter().filter(|symbol| exported.iter().any(|(_, symbols)| symbols.contains(*symbol))).collect();
    let abis: BTreeSet<bool> = known.iter().filter_map(|symbol| std_string(symbol)).collect();
    let abi = if abis.len() == 1 { abis.first().copied() } else { None };
    let fits = |(version, symbols): &(Version, BTreeSet<String>)| {
        // The build that was read has the old ABI.
        let other = abi == Some(true) && mixed.contains(version);
        known.iter().all(|symbol| symbols.contains(*symbol) || (other && std_string(symbol).is_some()))
    };
    let presence: Vec<bool> = exported.iter().map(fits).collect();
    let all = presence.iter().all(|fits| *fits);
    let none = !presence.contains(&true);
    // What no release as a whole satisfies was built for one that was not read.
    let releases = if all || none { Vec::new() } else { runs(&presence, exported) };
    (!releases.is_empty() || abi.is_some()).then_some((releases, abi))
}

/// `["2.1.0 to 2.6.0", "2.8.0"]`
fn runs(presence: &[bool], exported: &[(Version, BTreeSet<String>)]) -> Vec<String> {
    let name = |place: usize| exported.get(place).map(|(version, _)| version.to_string()).unwrap_or_default();
    let mut runs = Vec::new();
    let mut place = 0;
    for run in presence.chunk_by(|one, other| one == other) {
        let last = place + run.len() - 1;
        if run.first() == Some(&true) {
            runs.push(if place == last { name(place) } else { format!("{} to {}", name(place), name(last)) });
        }
        place = last + 1;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::schema::{OpenedWheel, TorchRelease};

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn an_extension_is_bound_by_what_it_needs() {
        const OLD: &str = "_ZN3c105ErrorC2ENS_14SourceLocationESs";
        const NEW: &str = "_ZN3c105ErrorC2ENS_14SourceLocationENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";
        let has = |symbols: &[&str]| symbols.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let exported = [
            (version("2.5.1"), has(&["always", "early", OLD])),
            (version("2.6.0"), has(&["always", "early", OLD])),
            (version("2.7.0"), has(&["always", "late", NEW])),
        ];
        let bound = |symbols: &[&str]| bound(&has(symbols), &exported, &[version("2.6.0")]);
        let runs = |text: &str| vec![text.to_owned()];
        assert_eq!(bound(&["always", "its own"]), None);
        assert_eq!(bound(&["early"]), Some((runs("2.5.1 to 2.6.0"), None)));
        assert_eq!(bound(&[OLD]), Some((runs("2.5.1 to 2.6.0"), Some(false))));
        assert_eq!(
            bound(&[OLD, "late"]),
            Some((Vec::new(), Some(false))),
            "2.6.0 was read with the old ABI and lacks it"
        );
        assert_eq!(bound(&[NEW]), Some((runs("2.6.0 to 2.7.0"), Some(true))), "2.6.0 is published with either");
        assert_eq!(bound(&[NEW, "early"]), Some((runs("2.6.0"), Some(true))));
        assert_eq!(bound(&["early", "late"]), None, "built for a torch that was not read");
    }

    #[test]
    fn what_an_extension_lacks_tells_its_torch() {
        let has = |symbols: &[&str]| symbols.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let exported = [
            (version("2.5.1"), has(&["always", "old"])),
            (version("2.6.0"), has(&["always", "old", "mid"])),
            (version("2.7.0"), has(&["always", "mid"])),
            (version("2.8.0"), has(&["always", "old"])),
        ];
        let histories = histories(&exported);
        let rows: Vec<_> = histories.iter().map(|row| (row.releases.join(", "), row.symbols.join(" "))).collect();
        assert_eq!(
            rows,
            [("2.6.0 to 2.7.0".to_owned(), "mid".to_owned()), ("2.5.1 to 2.6.0, 2.8.0".to_owned(), "old".to_owned())]
        );
        let wheel = OpenedWheel { wheel: String::new(), sha256: String::new(), read: String::new() };
        let release =
            |(version, _): &(Version, _)| TorchRelease { version: version.to_string(), source: wheel.clone() };
        let raw =
            TorchSymbolTable { extensions: Vec::new(), releases: exported.iter().map(release).collect(), histories };
        let symbols = TorchSymbols::new(&raw);
        assert_eq!(symbols.releases_with(&["mid", "old", "unheard of"]), [version("2.6.0")]);
        assert!(symbols.releases_with(&["unheard of"]).is_empty());
        assert_eq!(symbols.exports("old", &version("2.7.0")), Some(false));
        assert_eq!(symbols.exports("old", &version("2.8.0")), Some(true));
        assert_eq!(symbols.exports("unheard of", &version("2.8.0")), None);
    }
}
