//! Do wheels from a project's release page fit, as far as their release tells? Only where nobody read the installed files.

use pep440_rs::VersionSpecifiers;

use super::{Context, Installed, rebuild};
use crate::finding::{Evidence, Finding, Remedy, Rule, Severity, rule};
use crate::rules::cite;
use crate::rules::schema::RawPrebuilt;
use crate::rules::target::gpu_words;
use crate::version::CodeTarget;

rule! {
    /// The published wheels of a package are for another partner.
    ///
    /// The package lies outside the default index, and its wheels were listed in the rules. Known from that list. Take
    /// a release with a wheel for this torch and CUDA, or compile it here.
    pub WHEELS_PARTNER = "pairing/{package}": Pairing, Warn, since "0.1.0", judged on [Builds];
}

rule! {
    /// The published wheels of a package have no kernel for this GPU.
    ///
    /// CUDA reports `no kernel image is available for execution on the device` (error 209). Known from the wheels that
    /// the rules list. Compile it here for this GPU.
    pub WHEELS_WITHOUT_KERNEL = "gpu-arch/{package}": GpuArch, Fail, since "0.1.0", judged on [Builds, Gpus];
}

rule! {
    /// The published wheels of a package need a newer glibc.
    ///
    /// Loading one ends in ``version `GLIBC_…' not found``. Known from the wheels that the rules list. Compile it here.
    pub WHEELS_GLIBC = "python/{package}": Python, Warn, since "0.1.0", judged on [Builds, System];
}

/// The rows of what is installed and unread.
fn rows<'a>(context: &'a Context<'_>) -> impl Iterator<Item = (&'a Installed<'a>, &'a RawPrebuilt)> {
    context.stack.installed.iter().filter(|installed| installed.distribution.libraries.is_unknown()).filter_map(
        |installed| {
            let version = installed.version.as_ref()?;
            let row = context.db.prebuilts().iter().find(|row| {
                let within = row.versions.parse::<VersionSpecifiers>().is_ok_and(|range| range.contains(version));
                row.package == installed.name() && within
            })?;
            Some((installed, row))
        },
    )
}

/// No published wheel is built for the torch that is installed.
pub fn torch(context: &Context<'_>) -> Vec<Finding> {
    let Some(torch) = context.stack.get("torch") else { return Vec::new() };
    let full = torch.distribution.full_version();
    let mut numbers = full.split(['.', '+']);
    let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else { return Vec::new() };
    let minor = format!("{major}.{minor}");
    rows(context)
        .filter(|(_, row)| full != "?" && !row.torch.is_empty() && !row.torch.contains(&minor))
        .map(|(installed, row)| {
            let mut finding = base(context, installed, row, &WHEELS_PARTNER);
            finding.title = format!("no wheel of {} is published for torch {minor}", installed.title());
            finding.message = "It was compiled here, or a wheel for another torch was installed, which ends in `undefined symbol` at \
                               import."
                .to_owned();
            finding.packages.push("torch".to_owned());
            finding.evidence[0].observed = format!("{}, wheels for torch {}", installed.title(), row.torch.join(" "));
            finding.evidence[0].required = Some(torch.title());
            finding
        })
        .collect()
}

/// The published wheels hold no code for a GPU.
pub fn code(context: &Context<'_>) -> Vec<Finding> {
    let runs = |target: &CodeTarget, capability: crate::version::ComputeCapability| match target.ptx {
        true => target.capability <= capability,
        false => target.capability.major == capability.major && target.capability.minor <= capability.minor,
    };
    rows(context)
        .filter_map(|(installed, row)| {
            let without = |gpu: &&crate::rules::TargetGpu| !row.code.iter().any(|target| runs(target, gpu.capability));
            let gpus: Vec<_> = context.target.gpus.iter().filter(without).collect();
            let first = gpus.first().filter(|_| !row.code.is_empty())?;
            let words: Vec<_> = row.code.iter().map(ToString::to_string).collect();
            let mut finding = base(context, installed, row, &WHEELS_WITHOUT_KERNEL);
            finding.severity = Severity::Fail;
            finding.title = format!(
                "the wheels of {} hold no kernel for sm_{} ({})",
                installed.title(),
                first.capability.sm(),
                gpu_words(&gpus)
            );
            finding.message =
                "CUDA reports `no kernel image is available for execution on the device` (error 209).".to_owned();
            finding.gpus = gpus.iter().filter_map(|gpu| gpu.index).collect();
            finding.evidence[0].observed = words.join(" ");
            finding.evidence[0].required = Some(format!("sm_{}", first.capability.sm()));
            Some(finding)
        })
        .collect()
}

/// The published wheels ask for a newer glibc.
pub fn glibc(context: &Context<'_>) -> Vec<Finding> {
    let Some(has) = context.target.glibc else { return Vec::new() };
    rows(context)
        .filter_map(|(installed, row)| {
            let needs = row.glibc.filter(|needs| *needs > has)?;
            let mut finding = base(context, installed, row, &WHEELS_GLIBC);
            finding.title =
                format!("the wheels of {} need glibc {needs}, and this system has {has}", installed.title());
            finding.message =
                format!("Loading one ends in ``version `GLIBC_{needs}' not found``. It must be compiled here.");
            finding.evidence[0].observed = format!("glibc {needs}");
            finding.evidence[0].required = Some(format!("glibc {has}"));
            Some(finding)
        })
        .collect()
}

fn base(context: &Context<'_>, installed: &Installed<'_>, row: &RawPrebuilt, rule: &'static Rule) -> Finding {
    rule.found(&[installed.name()], "")
        .packages([installed.name()])
        .evidence([
            Evidence::rule(format!("published wheels of {}", installed.name()), String::new()).cited(cite(&row.source))
        ])
        .remedies([Remedy {
            summary: format!("Install a release of {} whose wheels fit, or compile it here", installed.name()),
            requirements: Vec::new(),
            steps: rebuild::of(context, installed).unwrap_or_default(),
            change: None,
            verified: false,
        }])
}
