//! Of distributions that install the same files, which one stays?
//!
//! That one which the stack requires, torch before others, or one that has all of that and more, such as the GPU's code; of several
//! or none the one for torch's CUDA, else the first in the order of the rule. Removing either takes files of the other along, so that the one that stays is installed again afterwards.

use crate::check::{Context, Installed, Installer, again};
use crate::facts::{Origin, TORCH};
use crate::finding::{Change, Remedy};
use crate::rules::requirement::{is_about, markers, parse, surely_applies};
use crate::rules::role::is_runtime_wheel;
use crate::text;

/// Those of some distributions that another one requires here, torch's wishes alone where it has any.
fn required<'n>(context: &Context<'_>, names: &[&'n str]) -> Vec<&'n str> {
    let environment = markers(&context.target);
    let asks = |installed: &Installed<'_>, name: &str| {
        let lines = installed.requires().unwrap_or_default();
        installed.name() != name
            && lines
                .iter()
                .filter(|line| is_about(line, name))
                .filter_map(|line| parse(line).ok())
                .any(|line| surely_applies(&line, environment.as_ref(), &[]))
    };
    let of_torch: Vec<&str> =
        names.iter().copied().filter(|name| context.stack.get(TORCH).is_some_and(|torch| asks(torch, name))).collect();
    if !of_torch.is_empty() {
        return of_torch;
    }
    names.iter().copied().filter(|name| context.stack.installed.iter().any(|installed| asks(installed, name))).collect()
}

/// Who needs which, where two of them are each needed by somebody else: `jax-cuda12-plugin needs nvidia-nccl-cu12, and torch needs
/// nvidia-nccl-cu13`. Neither can be taken out then.
pub fn torn(context: &Context<'_>, names: &[&str]) -> Option<String> {
    let by = |name: &str| {
        let needed = context.stack.needed_by(name, &context.target, context.db);
        let others = needed.into_iter().map(Installed::name);
        others.filter(|other| !is_runtime_wheel(other)).find(|other| !names.contains(other))
    };
    let needed: Vec<(&str, &str)> = names.iter().filter_map(|name| Some((by(name)?, *name))).collect();
    let [(one, first), .., (other, last)] = needed.as_slice() else { return None };
    (one != other).then(|| format!("{one} needs {first}, and {other} needs {last}"))
}

/// The CUDA major that a name says, e.g. 12 of `nvidia-nccl-cu12` and `cupy-cuda12x`.
fn major(name: &str) -> Option<u32> {
    let last = name.rsplit('-').next()?;
    let digits = last.strip_prefix("cuda").or_else(|| last.strip_prefix("cu"))?;
    digits.trim_end_matches('x').parse().ok()
}

/// The one that stays; none where nothing decides it but an order.
pub fn kept<'n>(context: &Context<'_>, names: &[&'n str]) -> Option<&'n str> {
    let required = required(context, names);
    if let [only] = required.as_slice() {
        let stands_in = |name: &&&str| group_of(context, only).is_some_and(|group| suits(group, only, name));
        let more = names.iter().filter(|name| *name != only && has_more(name, only)).find(stands_in);
        return Some(more.unwrap_or(only));
    }
    let cuda = context.stack.torch_cuda().flatten()?.major;
    names.iter().copied().find(|name| major(name) == Some(cuda))
}

/// An installed distribution that installs the same files as one which is not there, as an advisory of the rules has it:
/// `opencv-python` for `opencv-python-headless`.
pub fn of<'c, 'a>(context: &'c Context<'a>, name: &str) -> Option<&'c Installed<'a>> {
    let group = group_of(context, name)?;
    group.iter().filter(|twin| suits(group, name, twin)).find_map(|twin| context.stack.get(twin))
}

/// The distributions that an advisory says to have one of, with this one.
fn group_of<'c>(context: &'c Context<'_>, name: &str) -> Option<&'c [String]> {
    let mut groups = context.db.advisories().flat_map(|advisory| &advisory.one_of);
    groups.find(|group| group.iter().any(|one| one == name)).map(Vec::as_slice)
}

/// Whether one of a group gives all that is asked for by another's name: one for another CUDA, for no GPU or without the extra
/// modules gives the same module, and not that.
fn suits(group: &[String], name: &str, twin: &str) -> bool {
    group.iter().any(|one| one == twin) && major(twin) == major(name) && !has_more(name, twin)
}

/// What a name says that its distribution has beyond its twins: `onnxruntime-gpu`, `opencv-contrib-python`.
const MORE: [&str; 2] = ["gpu", "contrib"];

fn has_more(name: &str, than: &str) -> bool {
    MORE.iter().any(|word| name.contains(word) && !than.contains(word))
}

/// The one of two that stays: what decides it as above, else the first in the order of an advisory; none where neither tells.
pub fn stays<'n>(context: &Context<'_>, names: &[&'n str; 2]) -> Option<&'n str> {
    let by_order = || {
        let mut groups = context.db.advisories().flat_map(|advisory| &advisory.one_of);
        let group = groups.find(|group| names.iter().all(|name| group.iter().any(|one| one == name)))?;
        group.iter().find_map(|one| names.iter().copied().find(|name| name == one))
    };
    kept(context, names).or_else(by_order)
}

/// Whether the one that stays is the one in use: its files are its own, and those of the others were overwritten. It works as it
/// is, and breaks when one of them is removed.
pub fn is_settled(context: &Context<'_>, names: &[&str; 2]) -> bool {
    let is_whole = |name: &&&str| context.stack.get(name).is_some_and(|it| it.distribution.changed.is_empty());
    let whole: Vec<&str> = names.iter().filter(is_whole).copied().collect();
    matches!(whole.as_slice(), [one] if stays(context, names) == Some(*one))
}

/// What to do about groups of twins, each in the order of preference; none where no group has two that are installed.
pub fn remedy(context: &Context<'_>, groups: &[Vec<String>]) -> Option<Remedy> {
    let (mut keep, mut remove) = (Vec::new(), Vec::new());
    for group in groups {
        let there: Vec<&Installed<'_>> = group.iter().filter_map(|name| context.stack.get(name)).collect();
        let names: Vec<&str> = there.iter().map(|installed| installed.name()).collect();
        if names.len() < 2 || torn(context, &names).is_some() {
            continue;
        }
        let Some(stays) = kept(context, &names).or(names.first().copied()) else { continue };
        keep.extend(there.iter().filter(|installed| installed.name() == stays).copied());
        remove.extend(there.iter().filter(|installed| installed.name() != stays).copied());
    }
    Some(replace(context, &keep, &remove)).filter(|_| !keep.is_empty())
}

/// Removes some distributions and installs others of the same files again.
pub fn replace(context: &Context<'_>, keep: &[&Installed<'_>], remove: &[&Installed<'_>]) -> Remedy {
    let pin = |installed: &&Installed<'_>| match installed.distribution.full_version() {
        "?" => installed.name().to_owned(),
        version => format!("{}=={}", installed.name(), version.split('+').next().unwrap_or(version)),
    };
    let pins: Vec<String> = keep.iter().map(pin).collect();
    let names: Vec<&str> = remove.iter().map(|installed| installed.name()).collect();
    let installer = Installer::of(context.facts);
    let again = installer.again(&pins);
    let gone = |installed: &&Installed<'_>| Change::Remove {
        name: installed.name().to_owned(),
        location: installed.distribution.location.clone(),
    };
    Remedy {
        // What is not put back is not taken away.
        requirements: pins.clone(),
        change: (context.facts.origin != Origin::Report).then(|| {
            let again = keep.iter().filter_map(|installed| again::change(context, installed));
            Change::All(remove.iter().map(gone).chain(again).collect())
        }),
        ..Remedy::new(
            format!("Remove {}, and install {} again", text::list(&names), text::list(&pins)),
            again.into_iter().flat_map(|again| installer.uninstall(&names).into_iter().chain([again])),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::made::distribution;
    use crate::facts::{Distribution, Facts};
    use crate::rules::symptom::Heard;
    use crate::rules::{Workload, embedded};

    fn told(distributions: Vec<Distribution>, group: &[&str]) -> String {
        let mut facts = Facts::unknown(Origin::Host);
        facts.distributions = distributions;
        let (workload, heard) = (Workload::default(), Heard::default());
        let context = Context::new(&facts, embedded(), &workload, &heard);
        let group = group.iter().map(|name| (*name).to_owned()).collect();
        remedy(&context, &[group]).map_or_else(String::new, |remedy| remedy.summary)
    }

    #[test]
    fn the_one_stays_that_the_stack_requires() {
        let nccl = ["nvidia-nccl-cu13", "nvidia-nccl-cu12"];
        let both = || vec![distribution(nccl[0], "2.28.9", &[]), distribution(nccl[1], "2.27.5", &[])];
        let with = |others: Vec<Distribution>| told([both(), others].concat(), &nccl);
        let torch = distribution("torch", "2.9.1+cu128", &["nvidia-nccl-cu12==2.27.5"]);
        let keep_12 = "Remove nvidia-nccl-cu13, and install nvidia-nccl-cu12==2.27.5 again";
        assert_eq!(with(vec![torch.clone()]), keep_12);
        let jax = distribution("jax-cuda13-plugin", "0.8.0", &["nvidia-nccl-cu13>=2.27"]);
        assert_eq!(with(vec![jax.clone(), torch]), "", "each is needed by another");
        assert_eq!(with(vec![jax]), "Remove nvidia-nccl-cu12, and install nvidia-nccl-cu13==2.28.9 again");
        // A requirement of an extra is none.
        let extra = distribution("some", "1", &["nvidia-nccl-cu12; extra == 'gpu'"]);
        assert_eq!(with(vec![extra]), "Remove nvidia-nccl-cu12, and install nvidia-nccl-cu13==2.28.9 again");
    }

    #[test]
    fn the_order_of_an_advisory_decides_where_nobody_requires_either() {
        let mut facts = Facts::unknown(Origin::Host);
        let both = ["onnxruntime", "onnxruntime-gpu"];
        facts.distributions = both.map(|name| distribution(name, "1.31.1", &[])).to_vec();
        let (workload, heard) = (Workload::default(), Heard::default());
        let context = Context::new(&facts, embedded(), &workload, &heard);
        assert_eq!(stays(&context, &both), Some("onnxruntime-gpu"));
        assert_eq!(stays(&context, &["onnxruntime", "torch"]), None);
    }

    /// magika asks for onnxruntime, and onnxruntime-gpu is that with more.
    #[test]
    fn what_has_more_stays_where_it_stands_for_what_is_required() {
        let told = |names: [&str; 2], requires: &'static str| {
            let mut facts = Facts::unknown(Origin::Host);
            facts.distributions = names.map(|name| distribution(name, "1.31.1", &[])).to_vec();
            facts.distributions.push(distribution("some", "1", &[requires]));
            let (workload, heard) = (Workload::default(), Heard::default());
            let context = Context::new(&facts, embedded(), &workload, &heard);
            stays(&context, &names).unwrap_or_default().to_owned()
        };
        assert_eq!(told(["onnxruntime", "onnxruntime-gpu"], "onnxruntime"), "onnxruntime-gpu");
        let opencv = ["opencv-contrib-python-headless", "opencv-python-headless"];
        assert_eq!(told(opencv, "opencv-python-headless"), opencv[0]);
        assert_eq!(told(["opencv-python", "opencv-python-headless"], "opencv-python"), "opencv-python");
    }

    #[test]
    fn a_twin_stands_for_the_other() {
        let mut facts = Facts::unknown(Origin::Host);
        let names = ["opencv-python", "onnxruntime", "cupy-cuda12x"];
        facts.distributions = names.map(|name| distribution(name, "4.10.0.84", &[])).to_vec();
        let (workload, heard) = (Workload::default(), Heard::default());
        let context = Context::new(&facts, embedded(), &workload, &heard);
        assert_eq!(of(&context, "opencv-python-headless").map(Installed::name), Some("opencv-python"));
        for other in ["pillow", "onnxruntime-gpu", "cupy-cuda13x"] {
            assert!(of(&context, other).is_none(), "{other}");
        }
    }

    #[test]
    fn without_a_wish_cuda_decides_and_then_the_order() {
        let cupy = || vec![distribution("cupy-cuda12x", "13.6.0", &[]), distribution("cupy-cuda13x", "13.6.0", &[])];
        let group = ["cupy-cuda13x", "cupy-cuda12x"];
        let torch = distribution("torch", "2.7.1+cu126", &[]);
        let with_torch = told([cupy(), vec![torch]].concat(), &group);
        assert_eq!(with_torch, "Remove cupy-cuda13x, and install cupy-cuda12x==13.6.0 again");
        assert_eq!(told(cupy(), &group), "Remove cupy-cuda12x, and install cupy-cuda13x==13.6.0 again");
        assert_eq!(told(cupy().split_off(1), &group), "", "one alone is sound");
    }
}
