//! Do two packages install files of the same names?

use std::collections::BTreeMap;

use super::{some, twins};
use crate::check::{Context, Installed};
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::rules::role::is_runtime_wheel;
use crate::text;

rule! {
    /// Two NVIDIA packages install files of the same names.
    ///
    /// Whichever was installed last won; removing either breaks the other. Known from the RECORD files. Remove the one
    /// that nothing requires, then install the other one again.
    pub DOUBLED = "cuda-libs/{package}+{other}": CudaLibs, Warn, since "0.1.0", judged on [Distributions], by check;
}

/// Files that two distributions claim: the one that was installed last won, and removing either breaks the other.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut pairs: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for installed in &context.stack.installed {
        for library in installed.distribution.libraries.value().into_iter().flatten() {
            for other in &library.also_of {
                let files = pairs.entry(ordered(installed.name(), other)).or_default();
                if !files.contains(&library.path.as_str()) {
                    files.push(&library.path);
                }
            }
        }
    }
    // A list of names tells it too, where nobody read the files.
    let mut cited: BTreeMap<(&str, &str), (String, String)> = BTreeMap::new();
    let unread = context.stack.installed.iter().filter(|installed| !installed.distribution.were_files_read());
    let runtime: Vec<&str> = unread.map(Installed::name).filter(|name| is_runtime_wheel(name)).collect();
    for (at, one) in runtime.iter().enumerate() {
        for other in runtime.iter().skip(at + 1) {
            cited.extend(context.db.shared_file(one, other).map(|shared| (ordered(one, other), shared)));
        }
    }
    for (pair, (file, _)) in &cited {
        pairs.entry(*pair).or_default().push(file);
    }
    let mut findings = Vec::new();
    for ((one, other), files) in pairs {
        let titles: Vec<_> =
            [one, other].iter().filter_map(|name| context.stack.get(name)).map(Installed::title).collect();
        // RECORD of the one whose files were overwritten does not describe them any more.
        let overwritten = [one, other].into_iter().find(|name| {
            let changed = context.stack.get(name).map(|installed| &installed.distribution.changed);
            changed.is_some_and(|changed| changed.iter().any(|file| files.contains(&file.path.as_str())))
        });
        let lost = overwritten.map_or_else(String::new, |name| format!(" Those of {name} were overwritten."));
        let names: Vec<String> = [one, other].iter().map(ToString::to_string).collect();
        // What was not overwritten is in use.
        let in_use = overwritten.map_or(other, |lost| if lost == one { other } else { one });
        let keep = twins::stays(context, &[one, other]).unwrap_or(in_use);
        let (stay, go): (Vec<_>, Vec<_>) = [one, other]
            .into_iter()
            .filter_map(|name| context.stack.get(name))
            .partition(|installed| installed.name() == keep);
        findings.push(
            DOUBLED
                .found(&[one, other], format!("{} install files of the same names", text::list(&titles)))
                .severity(if twins::is_settled(context, &[one, other]) { Severity::Info } else { Severity::Warn })
                .message(format!(
                    "{} in both. The one that was installed last won, and removing either breaks the other.{lost}",
                    text::count(files.len(), "library is", "libraries are")
                ))
                .packages(names.clone())
                .evidence([Evidence::metadata("files of both", some(&files))
                    .required("one distribution for each file".to_owned())
                    .cited(cited.get(&(one, other)).map(|(_, wheel)| wheel.clone()).or(Some("RECORD".to_owned())))])
                .remedies([match twins::torn(context, &[one, other]) {
                    Some(words) => Remedy::new(format!("Bring them to one CUDA: {words}"), []),
                    None => twins::replace(context, &stay, &go),
                }]),
        );
    }
    findings
}

/// A pair of names, whichever is said first.
fn ordered<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str) {
    if one < other { (one, other) } else { (other, one) }
}

#[cfg(test)]
mod tests {
    use super::DOUBLED;
    use crate::check::cases::Case;
    use crate::facts::Library;

    #[test]
    fn a_library_that_two_wheels_install() {
        let with = |also_of: &[&str]| {
            let also_of = also_of.iter().map(|name| (*name).to_owned()).collect();
            let library = Library { path: "nvidia/cudnn/lib/libcudnn.so.9".to_owned(), also_of, ..Library::default() };
            let case = Case::host().python("3.12").files("nvidia-cudnn-cu12", "9.10.2.21", vec![library]);
            case.installed("nvidia-cudnn-cu13", "9.12.0.46").found(&DOUBLED)
        };
        let title = "nvidia-cudnn-cu12 9.10.2.21 and nvidia-cudnn-cu13 9.12.0.46 install files of the same names";
        assert_eq!(with(&["nvidia-cudnn-cu13"]), [format!("cuda-libs/nvidia-cudnn-cu12+nvidia-cudnn-cu13: {title}")]);
        assert_eq!(with(&[]), [""; 0]);
    }
}
