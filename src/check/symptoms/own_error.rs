//! Did the program stop for what it does with its own data?

use super::speaks_of_cuda;
use crate::check::registry;
use crate::finding::{Finding, Severity};
use crate::log::Log;
use crate::rules::symptom::Heard;

/// What Python raises for a program's own data: no driver and no package makes it.
const OWN: [&str; 5] =
    ["IndexError: ", "ZeroDivisionError: ", "UnboundLocalError: ", "UnicodeDecodeError: ", "JSONDecodeError: "];

/// That no GPU was there is a remark where the program ran without one until an error of its own, and nothing else speaks of CUDA.
pub fn soften(findings: &mut [Finding], text: &Log, heard: &Heard<'_>) {
    let is_own = OWN.iter().any(|error| text.flat.contains(error));
    if !is_own || heard.symptoms.iter().any(|it| speaks_of_cuda(it.symptom)) {
        return;
    }
    for finding in findings.iter_mut().filter(|it| it.id.is(&registry::NO_GPU) && it.severity == Severity::Fail) {
        finding.severity = Severity::Warn;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;
    use crate::check::{Told, explain, findings, run};
    use crate::facts::Reading;
    use crate::facts::redact::Identity;
    use crate::rules::{Workload, embedded};

    #[test]
    fn a_program_that_ran_without_a_gpu_until_its_own_error() {
        let of = |line: &str| {
            let mut case = Case::report().torch("2.1.0+cu121", "12.1");
            case.facts.gpus = Reading::Absent { looked: "line 2".to_owned() };
            case.facts.visibility.available = Reading::told(false, "line 1");
            let mut text = Log::default();
            text.push(line, 1, false);
            let (db, workload) = (embedded(), Workload::default());
            let told = Told { heard: db.heard_in(&text.flat), text, people: Identity::default() };
            let found = explain(&case.facts, db, &workload, &told, findings(&run(&case.facts, db, &workload)));
            found.iter().find(|it| it.id.is(&registry::NO_GPU)).map(|it| it.severity)
        };
        assert_eq!(of("IndexError: list index out of range"), Some(Severity::Warn));
        assert_eq!(of("RuntimeError: it stopped"), Some(Severity::Fail));
        assert_eq!(of("IndexError: 1; RuntimeError: No CUDA GPUs are available"), Some(Severity::Fail));
    }
}
