//! The machines that a command is about, as options and declarations describe them.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};

use crate::config::{Config, TargetConfig};
use crate::rules::driver::best_compat;
use crate::rules::target::TargetGpu;
use crate::rules::{RuleDb, Target};
use crate::text::{list, nearest};
use crate::version::{ComputeCapability, CudaVersion, DriverVersion, GlibcVersion, PythonVersion};

/// What options say of a machine; what they do not say is as it was found or declared.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stated<'a> {
    /// Products, compute capabilities or targets, e.g. `RTX 5090`, `12.0`, `8x H100`.
    pub gpu: &'a [String],
    /// The driver.
    pub driver: Option<&'a DriverVersion>,
    /// A Python version, e.g. `3.11`, `3.13t`; a path says nothing of it.
    pub python: Option<&'a str>,
    /// The platform in any spelling.
    pub platform: Option<&'a str>,
    /// The C library.
    pub glibc: Option<GlibcVersion>,
    /// The CUDA of builds, e.g. `12.8`, `cu128`, `cpu`.
    pub cuda: Option<&'a str>,
}

impl Stated<'_> {
    /// Whether they say anything.
    #[must_use]
    pub fn is_something(&self) -> bool {
        let words = [self.python, self.platform, self.cuda];
        !self.gpu.is_empty() || self.driver.is_some() || self.glibc.is_some() || words.iter().any(Option::is_some)
    }

    /// Puts them above what was found, and tells what is still not known.
    ///
    /// # Errors
    ///
    /// When a name or version means nothing; the error names the option.
    pub fn apply(self, target: &mut Target, db: &RuleDb) -> anyhow::Result<Vec<String>> {
        if !self.gpu.is_empty() {
            let named: Vec<_> = self.gpu.iter().map(|text| named_gpus(text, db)).collect::<Result<Vec<_>, _>>()?;
            let named = named.concat();
            let here = |gpu: &TargetGpu| target.gpus.iter().any(|own| own.capability == gpu.capability);
            if !named.iter().all(here) {
                // Another machine's GPU: this one's driver says nothing about it.
                (target.driver, target.compat) = (None, None);
            }
            target.gpus = named;
        }
        if let Some(driver) = self.driver {
            (target.driver, target.compat) = (Some(driver.clone()), None);
        }
        if let Some((version, free_threaded)) = self.python.and_then(python) {
            (target.python, target.free_threaded) = (Some(version), free_threaded);
        }
        if let Some(text) = self.platform {
            target.platform = Some(platform(text)?);
        }
        target.glibc = self.glibc.or(target.glibc);
        if let Some(text) = self.cuda {
            cuda(target, text).with_context(|| format!("`--cuda {text}`"))?;
        }
        let mut notes = Vec::new();
        let unknown = unknown(target);
        if !unknown.is_empty() {
            let of = target.name.as_ref().map(|name| format!("of `{name}` ")).unwrap_or_default();
            notes.push(format!("{of}not known, and so not judged: {}", list(&unknown)));
        }
        if target.platform.is_none() {
            target.platform = Some(LINUX.to_owned());
            notes.push(format!("platform not known, taken to be {LINUX} (`--platform`)"));
        }
        Ok(notes)
    }
}

/// The declared machines of some names, of all where there are none; in whatever order they are named, the answer is the same.
///
/// # Errors
///
/// When there is none of a name, or none at all, or what it says means nothing.
pub fn declared(path: &Path, config: &Config, names: &[String], db: &RuleDb) -> anyhow::Result<Vec<Target>> {
    let declared: Vec<&String> = config.target.keys().collect();
    let named: BTreeSet<&String> = names.iter().collect();
    let names: Vec<&String> = if names.is_empty() { declared.clone() } else { named.into_iter().collect() };
    if names.is_empty() {
        bail!("`{}` declares no target; add e.g. `[target.train]` with `gpu = [\"H100\"]`", path.display());
    }
    let mut targets: Vec<Target> = Vec::new();
    for name in names {
        let Some(entry) = config.target.get(name) else {
            let hint = match nearest(name, declared.iter().map(|name| name.as_str())).first() {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it declares {}", list(&declared)),
            };
            bail!("`{}` declares no target `{name}`; {hint}", path.display());
        };
        targets.push(target(name, entry, db).with_context(|| format!("`{}`, target `{name}`", path.display()))?);
    }
    Ok(targets)
}

/// The platform of targets that name none.
const LINUX: &str = "linux_x86_64";

fn unknown(target: &Target) -> Vec<&'static str> {
    let mut unknown = Vec::new();
    if target.gpus.is_empty() && !target.cpu_only {
        unknown.push("GPU (`--gpu`)");
    }
    if target.driver.is_none() && !target.cpu_only {
        unknown.push("driver (`--driver`)");
    }
    if target.python.is_none() {
        unknown.push("Python (`--python`)");
    }
    unknown
}

/// A declared machine.
fn target(name: &str, entry: &TargetConfig, db: &RuleDb) -> anyhow::Result<Target> {
    let mut target = Target { name: Some(name.to_owned()), ..Target::default() };
    for text in &entry.gpu {
        target.gpus.extend(named_gpus(text, db)?);
    }
    if let Some(size) = entry.vram {
        target.gpus.iter_mut().for_each(|gpu| gpu.memory = vec![size.0]);
    }
    let driver = entry.driver.as_deref();
    target.driver = driver.map(str::parse).transpose().with_context(|| format!("`driver = {driver:?}`"))?;
    if let Some(text) = &entry.python {
        let (version, free_threaded) =
            python(text).with_context(|| format!("`python = {text:?}` is no version such as `3.12` or `3.13t`"))?;
        (target.python, target.free_threaded) = (Some(version), free_threaded);
    }
    target.platform = Some(platform(entry.platform.as_deref().unwrap_or(LINUX))?);
    let glibc = entry.glibc.as_deref();
    target.glibc = glibc.map(str::parse).transpose().with_context(|| format!("`glibc = {glibc:?}`"))?;
    if let Some(text) = &entry.cuda {
        cuda(&mut target, text).with_context(|| format!("`cuda = {text:?}`"))?;
    }
    if entry.cuda_compat {
        let compat = best_compat(&target, db);
        target.compat =
            Some(compat.context("`cuda-compat = true`: no cuda-compat package works on these GPUs and this driver")?.1);
    }
    Ok(target)
}

/// `3.12`, or `3.13t` for the free-threaded one.
pub fn python(text: &str) -> Option<(PythonVersion, bool)> {
    let plain = text.strip_suffix('t');
    Some((plain.unwrap_or(text).parse().ok()?, plain.is_some()))
}

fn cuda(target: &mut Target, text: &str) -> anyhow::Result<()> {
    if text == "cpu" {
        target.cpu_only = true;
    } else {
        target.cuda = Some(CudaVersion::from_variant(text).map_or_else(|| text.parse(), Ok)?);
    }
    Ok(())
}

/// A platform, also in other spellings: `x86_64`, `linux-aarch64`.
fn platform(text: &str) -> anyhow::Result<String> {
    let plain = text.replace('-', "_");
    match plain.strip_prefix("linux_").unwrap_or(&plain) {
        "x86_64" | "amd64" => Ok(LINUX.to_owned()),
        "aarch64" | "arm64" => Ok("linux_aarch64".to_owned()),
        _ => bail!("unknown platform `{text}`; the rules know `linux_x86_64` and `linux_aarch64`"),
    }
}

/// A GPU of `--gpu`: a product such as `RTX 5090`, or a compute capability such as `12.0`.
///
/// # Errors
///
/// When no GPU is known by that name; the error names those that are near.
pub fn named_gpu(text: &str, db: &RuleDb) -> anyhow::Result<TargetGpu> {
    if let Ok(capability) = text.parse::<ComputeCapability>()
        && (text.contains('.') || text.starts_with("sm_"))
    {
        let label = format!("compute capability {capability}");
        return Ok(TargetGpu { name: label.clone(), label, index: None, capability, class: None, memory: Vec::new() });
    }
    if let Some(model) = db.gpu_by_loose_name(text) {
        return Ok(TargetGpu {
            label: text.to_owned(),
            name: text.to_owned(),
            index: None,
            capability: model.capability,
            class: model.class,
            memory: db.gpu_memory(text).0,
        });
    }
    let near: Vec<_> = db.gpu_suggestions(text).iter().map(|name| format!("`{name}`")).collect();
    match near.as_slice() {
        [] => bail!("unknown GPU `{text}`; give its compute capability, e.g. `--gpu 12.0`"),
        near => bail!("unknown GPU `{text}`; did you mean {}?", near.join(" or ")),
    }
}

/// GPUs as arguments name them: `RTX 5090`, or several alike, `8x H100`.
///
/// # Errors
///
/// As [`named_gpu`].
pub fn named_gpus(text: &str, db: &RuleDb) -> anyhow::Result<Vec<TargetGpu>> {
    /// More than any machine has.
    const MOST: usize = 64;
    let counted = text.split_once(['x', '×']).and_then(|(number, name)| {
        let number = number.trim().parse::<usize>().ok().filter(|number| (1..=MOST).contains(number))?;
        Some((number, name.trim()))
    });
    let (number, name) = counted.unwrap_or((1, text));
    Ok(vec![named_gpu(name, db)?; number])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::embedded;

    const CONFIG: &str = "[target.train]\ngpu = [\"8x H100\"]\ndriver = \"570.133.20\"\npython = \"3.12\"\n\
                          [target.laptop]\ngpu = [\"RTX 4070\"]\n";

    fn of(names: &[&str]) -> anyhow::Result<Vec<Target>> {
        let config = Config::parse(CONFIG)?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        declared(Path::new("gpudoc.toml"), &config, &names, embedded())
    }

    #[test]
    fn declared_machines_come_in_one_order() {
        let names = |wanted: &[&str]| -> Vec<String> {
            of(wanted).expect("they are declared").into_iter().filter_map(|target| target.name).collect()
        };
        assert_eq!(names(&["train", "laptop"]), names(&["laptop", "train"]));
        assert_eq!(names(&[]).len(), 2);
        assert_eq!(of(&["train"]).expect("declared")[0].gpus.len(), 8);
        let error = of(&["trian"]).expect_err("a slip");
        assert_eq!(error.to_string(), "`gpudoc.toml` declares no target `trian`; did you mean `train`?");
    }

    #[test]
    fn options_stand_above_what_was_found() {
        let mut target = of(&["train"]).expect("declared").remove(0);
        let gpu = ["RTX 5090".to_owned()];
        let stated = Stated { gpu: &gpu, cuda: Some("cu128"), ..Stated::default() };
        let notes = stated.apply(&mut target, embedded()).expect("they mean something");
        assert_eq!((target.driver, target.gpus.len(), target.cuda), (None, 1, Some(CudaVersion::new(12, 8))));
        assert_eq!(notes, ["of `train` not known, and so not judged: driver (`--driver`)"]);
        let wrong = Stated { platform: Some("amiga"), ..Stated::default() };
        assert!(wrong.apply(&mut Target::default(), embedded()).is_err());
    }
}
