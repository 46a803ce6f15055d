//! From `Requires-Dist` lines, where each names its extra in the marker, to a list for each extra.

use crate::pep::{
    ExtraName, ExtraOperator, MarkerExpression, MarkerOperator, MarkerTree, MarkerValueExtra, MarkerValueString,
};
use crate::rules::role::is_nvidias;
use std::collections::BTreeMap;

use crate::python::metadata::{Metadata, canonical_requirement, is_for_extra, requirement_name};
use crate::python::wheel::normalise_name;
use crate::rules::extras::{self, Extras};
use crate::rules::fault::Fault;
use crate::rules::requirement::parse;
use crate::rules::schema::PackageFile;

/// Of longer lists only the lines that matter here are kept: `transformers[dev]` asks for a hundred packages.
const MOST_LINES: usize = 16;

/// The extras of a distribution, as they are on Linux. `covered`: whether the rules have rows of a package.
#[must_use]
pub fn of_metadata(metadata: &Metadata, covered: impl Fn(&str) -> bool) -> Extras {
    let lines: Vec<_> = metadata.requires_dist.iter().filter(|line| is_for_extra(line)).collect();
    let mut extras = Extras::new();
    for name in &metadata.provides_extra {
        let extra = extras.entry(normalise_name(name)).or_default();
        for line in &lines {
            match without_extra(line, name) {
                Ok(line) => extra.requires.extend(line),
                Err(NoRequirement) => extra.partial |= line.contains(name.as_str()),
            }
        }
    }
    for extra in extras.values_mut() {
        extra.requires.sort_by_cached_key(|line| (requirement_name(line), line.clone()));
        extra.requires.dedup();
        if extra.requires.len() > MOST_LINES {
            let before = extra.requires.len();
            extra.requires.retain(|line| {
                let name = requirement_name(line);
                is_nvidias(&name) || covered(&name)
            });
            extra.partial |= extra.requires.len() < before;
        }
    }
    extras
}

struct NoRequirement;

/// A line as it holds where this extra, and no other, is asked for: without the extra. None: it does not hold.
fn without_extra(line: &str, extra: &str) -> Result<Option<String>, NoRequirement> {
    let (Ok(requirement), Ok(extra)) = (parse(line), extra.parse::<ExtraName>()) else { return Err(NoRequirement) };
    let ways = ways(&requirement.marker.simplify_extras(&[extra]));
    let plain = canonical_requirement(line);
    // The marker of an address comes after a blank.
    let separator = if plain.split(';').next().is_some_and(|demand| demand.contains('@')) { " ; " } else { "; " };
    let demand = plain.split_once(separator).map_or(plain.as_str(), |(demand, _)| demand);
    Ok(match ways.as_slice() {
        [] => None,
        ways if ways.iter().any(String::is_empty) => Some(demand.to_owned()),
        ways => Some(format!("{demand}{separator}{}", ways.join(" or "))),
    })
}

/// The ways in which a marker holds on Linux without any further extra; an empty text: always.
fn ways(marker: &MarkerTree) -> Vec<String> {
    let dnf = match () {
        () if marker.is_true() => vec![Vec::new()],
        () if marker.is_false() => Vec::new(),
        () => marker.to_dnf(),
    };
    let open = dnf.iter().filter(|way| !way.iter().any(|term| settled(term) == Some(false)));
    let texts = open.map(|way| {
        let terms = way.iter().filter(|term| settled(term).is_none()).map(ToString::to_string);
        terms.collect::<Vec<_>>().join(" and ")
    });
    texts.collect()
}

/// What a term of a marker is, wherever the rules are asked: on Linux, and for no other extra.
fn settled(term: &MarkerExpression) -> Option<bool> {
    let (key, operator, value) = match term {
        MarkerExpression::Extra { operator, name: MarkerValueExtra::Extra(_) } => {
            return Some(*operator == ExtraOperator::NotEqual);
        }
        MarkerExpression::String { key, operator, value } => (key, operator, value),
        _ => return None,
    };
    let linux = match key {
        MarkerValueString::SysPlatform => "linux",
        MarkerValueString::PlatformSystem => "Linux",
        MarkerValueString::OsName => "posix",
        _ => return None,
    };
    match operator {
        MarkerOperator::Equal => Some(value == linux),
        MarkerOperator::NotEqual => Some(value != linux),
        _ => None,
    }
}

/// What is at hand, by release.
pub fn of_rows(rows: &PackageFile) -> Result<BTreeMap<String, Extras>, Fault> {
    let names = rows.releases.iter().map(|release| release.version.clone());
    let versions = rows.releases.iter().filter_map(|release| release.version.parse().ok()).collect::<Vec<_>>();
    let known = extras::by_release(&rows.extras_read, &rows.extras, &versions)?;
    Ok(names.zip(known).filter_map(|(name, extras)| Some((name, extras?))).collect())
}

/// Writes down what is known, as far as the rows have the release.
pub fn put(rows: &mut PackageFile, known: &BTreeMap<String, Extras>) {
    let releases: Vec<_> =
        rows.releases.iter().map(|release| (release.version.clone(), known.get(&release.version).cloned())).collect();
    (rows.extras_read, rows.extras) = extras::by_extra(&releases);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extras(lines: &[&str], names: &[&str]) -> Extras {
        let own = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
        let metadata = Metadata { requires_dist: own(lines), provides_extra: own(names), ..Metadata::default() };
        of_metadata(&metadata, |name| name == "torch")
    }

    #[test]
    fn each_extra_has_its_lines_without_its_name_in_them() {
        // Abridged from tensorflow 2.16.1 and jax 0.4.30, the last two made up.
        let lines = [
            "numpy<2",
            "nvidia-nccl-cu12 (==2.19.3) ; extra == 'and-cuda'",
            "jax-cuda12-plugin[with_cuda]<=0.4.30,>=0.4.30; extra == \"cuda12\"",
            "libtpu; (sys_platform == 'linux' and python_version < '3.13') and extra == 'tpu'",
            "both; extra == 'and-cuda' or extra == 'tpu'",
            "either; (sys_platform == 'linux' or sys_platform == 'win32') and extra == 'tpu'",
            "pywin32; platform_system == 'Windows' and extra == 'tpu'",
            "a @ https://a.example/a.whl ; extra == 'tpu'",
        ];
        let extras = extras(&lines, &["and-cuda", "cuda12", "tpu", "Minimum_JAXlib"]);
        let shown: Vec<_> =
            extras.iter().map(|(name, extra)| format!("{name}: {}", extra.requires.join(" | "))).collect();
        assert_eq!(
            shown,
            [
                "and-cuda: both | nvidia-nccl-cu12==2.19.3",
                "cuda12: jax-cuda12-plugin[with_cuda]<=0.4.30,>=0.4.30",
                "minimum-jaxlib: ",
                "tpu: a @ https://a.example/a.whl | both | either | libtpu; python_full_version < '3.13'",
            ]
        );
    }

    #[test]
    fn of_a_long_list_what_the_rules_cover_is_kept() {
        let lines: Vec<_> = (0..20).map(|n| format!("p{n}; extra == 'dev'")).collect();
        let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        lines.extend([
            "torch>=2; extra == 'dev'",
            "nvidia-x; extra == 'dev'",
            "torch; extra == 'torch'",
            "no line(; extra == 'torch'",
        ]);
        let extras = extras(&lines, &["dev", "torch"]);
        assert_eq!((extras["dev"].requires.join(" "), extras["dev"].partial), ("nvidia-x torch>=2".to_owned(), true));
        assert_eq!((extras["torch"].requires.join(" "), extras["torch"].partial), ("torch".to_owned(), true));
    }
}
