//! constraints.txt, for `pip install -c` and `uv pip install -c`. Both read index lines in constraints files.

use super::indexes;
use crate::rules::driver::oldest_driver;
use crate::rules::{RuleDb, Target};
use crate::solve::Resolution;
use crate::version::{CudaVersion, DriverVersion};

/// The CUDA runtime among the chosen builds that needs the newest driver, and that driver.
#[must_use]
pub fn driver_needed(resolution: &Resolution<'_>, db: &RuleDb) -> Option<(CudaVersion, DriverVersion)> {
    let cudas = resolution.pins.iter().filter_map(|pin| pin.build.cuda);
    let needs = cudas.filter_map(|cuda| Some((oldest_driver(cuda, db)?.0, cuda)));
    needs.max().map(|(driver, cuda)| (cuda, driver))
}

/// What heads every file, without comment signs: what it was solved for, and the driver that it needs.
pub(super) fn heading(resolution: &Resolution<'_>, targets: &[&Target], db: &RuleDb) -> Vec<String> {
    let mut lines = vec![format!("Solved by gpudoc {} with rules of {} for", env!("CARGO_PKG_VERSION"), db.newest())];
    for target in targets {
        let name = target.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        lines.push(format!("{name}{}", target.in_words()));
    }
    if let Some((cuda, driver)) = driver_needed(resolution, db) {
        lines.push(format!("CUDA {cuda} needs driver {driver} or newer"));
    }
    lines
}

/// The file: what it was solved for, the indexes, and one pin a line with its reason.
#[must_use]
pub fn constraints(resolution: &Resolution<'_>, targets: &[&Target], db: &RuleDb) -> String {
    let mut text: String = heading(resolution, targets, db).iter().map(|line| format!("# {line}\n")).collect();
    for index in indexes(resolution, db) {
        text += &format!("--extra-index-url {}\n", index.url);
    }
    let pins: Vec<_> = resolution.pins.iter().map(|pin| (format!("{}=={}", pin.name, pin.version()), pin)).collect();
    let width = pins.iter().map(|(line, _)| line.len()).max().unwrap_or_default();
    for (line, pin) in pins {
        text += &format!("{line:width$}  # {}\n", pin.reason);
    }
    text
}
