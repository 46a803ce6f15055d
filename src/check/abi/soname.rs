//! Which wheel ships a library that the loader does not find, and in which versions, for the package that needs it?

use crate::facts::TORCH;
use std::str::FromStr;

use crate::check::{Context, Installed, Installer};
use crate::finding::Remedy;
use crate::pep::{Version, VersionSpecifiers, pinned};
use crate::rules::requirement::{is_about, parse, specifiers};
use crate::rules::schema::CudaLibrary;
use crate::text;

/// What can be done about a library that is not found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offer {
    /// Install this, e.g. `nvidia-cudnn-cu12==9.1.0.70`.
    Wheel(String),
    /// The wheel that ships it is there or wanted in other versions, e.g. `nvidia-cudnn-cu12` as `==9.1.0.70` by `torch 2.4.1`;
    /// two of them do not lie side by side.
    Taken {
        /// The distribution.
        wheel: String,
        /// The versions that are wanted.
        versions: String,
        /// Who wants them.
        by: String,
    },
}

/// The wheel that ships a library for a package, as the package or torch pins it; none for a library that no wheel ships.
pub fn offer(context: &Context<'_>, needing: Option<&Installed<'_>>, soname: &str) -> Option<Offer> {
    let torch = context.stack.get(TORCH);
    let cuda = needing.and_then(Installed::cuda).flatten().or(context.stack.torch_cuda().flatten());
    let mut rows = context.db.libraries_with(soname, cuda.map(|cuda| cuda.major));
    if cuda.is_none() {
        rows.sort_by_key(|(distribution, _)| context.stack.get(distribution).is_none());
    }
    let holders: Vec<&Installed<'_>> = [needing, torch].into_iter().flatten().collect();
    let mut taken = None;
    for (distribution, row) in &rows {
        match declared(&holders, distribution) {
            Some((range, _)) if ships(row, &range) => {
                return Some(Offer::Wheel(format!("{distribution}{range}")));
            }
            Some((range, by)) => {
                let versions = range.to_string();
                taken.get_or_insert(Offer::Taken { wheel: (*distribution).to_owned(), versions, by });
            }
            None => {}
        }
    }
    // Which of cu12's and cu13's it is, torch says, or what is there.
    let decided = |(distribution, row): &&(&str, &CudaLibrary)| {
        cuda.is_some()
            || rows.iter().all(|(_, other)| other.cuda == row.cuda)
            || context.stack.get(distribution).is_some()
    };
    let newest = rows.first().filter(decided);
    taken.or_else(|| newest.map(|(distribution, row)| Offer::Wheel(format!("{distribution}{}", versions(row)))))
}

/// The versions of a distribution that one of some packages asks for, and which one does.
fn declared(holders: &[&Installed<'_>], name: &str) -> Option<(VersionSpecifiers, String)> {
    holders.iter().find_map(|holder| {
        let lines = holder.requires()?.iter().filter(|line| is_about(line, name));
        let range = lines.filter_map(|line| specifiers(&parse(line).ok()?)).find(|range| !range.is_empty())?;
        Some((range, holder.title()))
    })
}

/// Whether what a package asks for ships the library: a pin is a release of the row, and of a range nobody knows better.
fn ships(row: &CudaLibrary, range: &VersionSpecifiers) -> bool {
    match (pinned(range), &row.versions) {
        (Some(pin), Some(rows)) => rows.has(pin),
        _ => true,
    }
}

/// The versions that ship it: as the row says, else the major release of the wheel that was opened, e.g. `==12.*`.
fn versions(row: &CudaLibrary) -> String {
    let opened = row.source.wheel.split('-').nth(1).and_then(|version| Version::from_str(version).ok());
    let major = opened.and_then(|version| version.release().first().copied());
    match (&row.versions, major) {
        (Some(versions), Some(major)) if !versions.contains('>') => format!(">={major},{versions}"),
        (Some(versions), _) => versions.to_string(),
        (None, Some(major)) => format!("=={major}.*"),
        (None, None) => String::new(),
    }
}

/// What to do about some libraries that a package lacks; none where no wheel ships any of them.
pub fn remedy(context: &Context<'_>, needing: Option<&Installed<'_>>, sonames: &[&str]) -> Option<Remedy> {
    let mut offers: Vec<Offer> = sonames.iter().filter_map(|soname| offer(context, needing, soname)).collect();
    offers.sort();
    offers.dedup();
    let wheels: Vec<String> = offers
        .iter()
        .filter_map(|offer| if let Offer::Wheel(wheel) = offer { Some(wheel.clone()) } else { None })
        .collect();
    if let Some(Offer::Taken { wheel, versions, by }) = offers.iter().find(|offer| matches!(offer, Offer::Taken { .. }))
    {
        let name = needing.map_or("the package", |needing| needing.name());
        let soname = sonames.first().copied().unwrap_or_default();
        return Some(Remedy::new(
            format!(
                "Install a release of {name} that does without {soname}: {by} needs `{wheel}{versions}`, and \
                 two versions of that do not lie side by side"
            ),
            [],
        ));
    }
    if wheels.is_empty() {
        return None;
    }
    let there = |wheel: &&String| {
        let name = wheel.split(['=', '<', '>', '~', '!']).next().unwrap_or_default();
        context.stack.get(name).is_some()
    };
    // What is installed without its file is put back.
    let installer = Installer::of(context.facts);
    let step = if wheels.iter().any(|wheel| there(&wheel)) {
        installer.again(&wheels)
    } else {
        installer.install(&[], &wheels)
    };
    let mut remedy = Remedy::new(format!("Install {}", text::list(&wheels)), step);
    remedy.requirements = wheels;
    Some(remedy)
}

/// The library that an error line says is not there, e.g. `libcudnn.so.8` of `libcudnn.so.8: cannot open shared object file`.
pub fn in_line(line: &str) -> Option<&str> {
    const SIGNS: [&str; 5] = ["cannot open", "not found", "could not load library", "no such file", "unable to load"];
    let lower = line.to_ascii_lowercase();
    if !SIGNS.iter().any(|sign| lower.contains(sign)) {
        return None;
    }
    let words = line.split(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '+')));
    words.map(|word| word.trim_end_matches('.')).find(|word| word.starts_with("lib") && word.contains(".so."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::made::distribution;
    use crate::facts::{Distribution, Facts, Origin};
    use crate::rules::symptom::Heard;
    use crate::rules::{Workload, embedded};
    use crate::step::{Shell, print};

    fn told(distributions: Vec<Distribution>, needing: &str, soname: &str) -> String {
        let mut facts = Facts::unknown(Origin::Host);
        facts.distributions = distributions;
        let (workload, heard) = (Workload::default(), Heard::default());
        let context = Context::new(&facts, embedded(), &workload, &heard);
        let remedy = remedy(&context, context.stack.get(needing), &[soname]);
        remedy.map_or_else(
            || "nothing".to_owned(),
            |remedy| format!("{} / {}", remedy.summary, print(&remedy.steps, Shell::Sh).join("; ")),
        )
    }

    #[test]
    fn the_wheel_is_that_of_the_cuda_major_in_the_versions_that_ship_it() {
        let torch = |local: &str| vec![distribution("torch", &format!("2.3.1+{local}"), &[])];
        let cases = [
            ("cu118", "libcudnn.so.8"),
            ("cu121", "libcudnn.so.8"),
            ("cu118", "libnvrtc.so.11.2"),
            ("cu130", "libcublas.so.13"),
            ("cu121", "libcudart.so.12"),
            ("cu130", "libnccl.so.2"),
            ("cu121", "libfoo.so.1"),
        ];
        let lines = cases.map(|(local, soname)| format!("{local} {soname}: {}", told(torch(local), "torch", soname)));
        insta::assert_snapshot!(lines.join("\n"), @r#"
        cu118 libcudnn.so.8: Install nvidia-cudnn-cu11>=8,<9.0 / pip install "nvidia-cudnn-cu11>=8,<9.0"
        cu121 libcudnn.so.8: Install nvidia-cudnn-cu12>=8,<9.0 / pip install "nvidia-cudnn-cu12>=8,<9.0"
        cu118 libnvrtc.so.11.2: Install nvidia-cuda-nvrtc-cu11==11.* / pip install "nvidia-cuda-nvrtc-cu11==11.*"
        cu130 libcublas.so.13: Install nvidia-cublas==13.* / pip install "nvidia-cublas==13.*"
        cu121 libcudart.so.12: Install nvidia-cuda-runtime-cu12==12.* / pip install "nvidia-cuda-runtime-cu12==12.*"
        cu130 libnccl.so.2: Install nvidia-nccl-cu13==2.* / pip install "nvidia-nccl-cu13==2.*"
        cu121 libfoo.so.1: nothing
        "#);
        assert!(lines[0].contains("nvidia-cudnn-cu11>=8,<9.0"));
    }

    #[test]
    fn what_torch_pins_goes_before_and_is_never_replaced() {
        let torch = |pin: &str| distribution("torch", "2.4.1+cu121", &[pin]);
        let pinned = told(vec![torch("nvidia-cudnn-cu12==8.9.2.26")], "torch", "libcudnn.so.8");
        assert_eq!(pinned, "Install nvidia-cudnn-cu12==8.9.2.26 / pip install nvidia-cudnn-cu12==8.9.2.26");
        let other = distribution("ctranslate2", "4.4.0", &[]);
        let taken = told(vec![torch("nvidia-cudnn-cu12==9.1.0.70"), other], "ctranslate2", "libcudnn.so.8");
        let text = "Install a release of ctranslate2 that does without libcudnn.so.8: torch 2.4.1+cu121 needs \
                    `nvidia-cudnn-cu12==9.1.0.70`, and two versions of that do not lie side by side / ";
        assert_eq!(taken, text);
    }

    #[test]
    fn a_line_names_the_library() {
        let line = "OSError: libcudnn_ops_infer.so.8: cannot open shared object file: No such file or directory";
        assert_eq!(in_line(line), Some("libcudnn_ops_infer.so.8"));
        assert_eq!(in_line("\tlibcudart.so.11.0 => not found"), Some("libcudart.so.11.0"));
        assert_eq!(in_line("libcudart.so.12 => /usr/lib/libcudart.so.12"), None);
        assert_eq!(in_line("ModuleNotFoundError: not found"), None);
    }
}
