//! cuda-compat folders in LD_LIBRARY_PATH: where they work, and where they break what works without them.

use super::view::View;
use super::{edit, finding, on};
use crate::finding::Severity;
use crate::lint::project::Setting;
use crate::lint::{Finding, Fix, Rule};
use crate::rules::Target;
use crate::rules::driver::{CompatFault, best_compat, compat_driver, compat_fault};
use crate::rules::schema::CudaStop;
use crate::version::CudaVersion;

/// A cuda-compat folder in LD_LIBRARY_PATH does not work on a declared target.
pub static COMPAT_BREAKS: Rule = Rule {
    id: "compat-breaks",
    title: "A cuda-compat folder in LD_LIBRARY_PATH does not work on a declared target",
    help: "Forward compatibility is for data-centre GPUs and for drivers older than the package: elsewhere CUDA fails \
           with error 803 or 804.",
    judge: None,
};

/// Judges LD_LIBRARY_PATH on a target, and gives the target as it is with what works of it.
pub fn judge(view: &View<'_>, target: &Target, out: &mut Vec<Finding>) -> Target {
    let Some(setting) = view.setting("LD_LIBRARY_PATH") else { return target.clone() };
    let value = setting.value.text();
    let Some(folder) = value.split(':').find(|folder| is_compat(folder)) else { return target.clone() };
    if target.driver.is_none() {
        return target.clone();
    }
    let driver = named_cuda(folder)
        .or_else(|| view.toolkit().map(|toolkit| toolkit.cuda))
        .or_else(|| view.cuda_index().map(|(_, cuda, _)| cuda))
        .and_then(|cuda| {
            let package = view.db.compat_packages().iter().find(|package| package.cuda == cuda)?;
            compat_driver(package, view.db)
        });
    let Some(driver) = driver.or_else(|| best_compat(target, view.db).map(|(_, driver)| driver)) else {
        return target.clone();
    };
    let with = Target { compat: Some(driver.clone()), ..target.clone() };
    let Some(fault) = compat_fault(&with, view.db) else { return with };
    let kernel = target.driver.as_ref().map(ToString::to_string).unwrap_or_default();
    let (why, stop) = match &fault {
        CompatFault::OlderThanDriver => {
            (format!("it holds libcuda {driver}, older than the driver {kernel}"), CudaStop::DriverMismatch)
        }
        CompatFault::WrongGpu(gpu, citation) => {
            let label = target.gpus.get(*gpu).map_or("the GPU", |gpu| gpu.label.as_str());
            (format!("forward compatibility is not for {label}: {citation}"), CudaStop::CompatNotOnDevice)
        }
        CompatFault::Refused(package, citation) => {
            (format!("{package} does not work on driver {kernel}: {citation}"), CudaStop::DriverMismatch)
        }
    };
    let code = view.db.tables().cuda_errors.number(stop);
    let message = format!("`{folder}` in LD_LIBRARY_PATH breaks CUDA with error {code} {}", on(target));
    let mut found = finding(view, &COMPAT_BREAKS, Severity::Fail, setting.file, &setting.value.place, message);
    found.notes = vec![why];
    found.hint = Some(format!("take `{folder}` out"));
    found.fix = without(view, setting, folder);
    out.push(found);
    target.clone()
}

/// `/usr/local/cuda/compat`, `/usr/local/cuda-13.0/compat`.
fn is_compat(folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    folder.ends_with("/compat") && folder.contains("cuda") || folder.contains("cuda-compat")
}

/// The CUDA release that a folder's name says.
pub fn named_cuda(folder: &str) -> Option<CudaVersion> {
    let number = folder.split("cuda-").nth(1)?;
    let end = number.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(number.len());
    number.get(..end)?.parse().ok()
}

/// The value without the folder.
fn without(view: &View<'_>, setting: &Setting, folder: &str) -> Option<Fix> {
    let value = setting.value.text();
    let start = value.find(folder)?;
    let mut range = start..start + folder.len();
    if value.get(range.end..).is_some_and(|rest| rest.starts_with(':')) {
        range.end += 1;
    } else if range.start > 0 {
        range.start -= 1;
    } else {
        // Nothing else is in it: an empty element would mean the current folder, an empty value means none.
    }
    let span = setting.value.value.source(range.clone());
    let place = crate::project::place::Place { span, ..setting.value.place.clone() };
    // `$CUDA_HOME/compat` says the same.
    let written = view.project.written(setting.file, &place);
    let last = folder.trim_end_matches('/').rsplit('/').next()?;
    let is_whole = written == value.get(range)?
        || written.starts_with('$')
            && written.trim_end_matches(':').trim_end_matches('/').rsplit('/').next() == Some(last)
            && !written.trim_end_matches(':').contains([':', '"', ' ']);
    is_whole.then(|| Fix {
        summary: format!("take `{folder}` out"),
        edits: vec![edit(view, setting.file, &place, String::new())],
    })
}
