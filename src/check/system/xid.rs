//! What do the Xid errors mean that NVIDIA's driver wrote to the kernel's log?
//!
//! The log tells of the past: everything since the machine started, as far as it was kept. What only a restart mends is so
//! still; what a reset of the GPU mends may be mended, and is a warning (`rules/platform/xid.toml`).

use crate::check::Context;
use crate::facts::Xid;
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::step::Written;

rule! {
    /// The kernel's log has an Xid error of the NVIDIA driver.
    ///
    /// Each number has a cause and an action in NVIDIA's catalogue. Known from the log since the machine started, so it
    /// may be over. `gpudoc explain 'Xid 79'` prints the row.
    pub XID = "system/xid-{number}": System, Warn, since "0.1.0", judged on [Log], by check;
}

/// A finding for each number in the log.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let reading = &context.facts.system.xid;
    let place = reading.source().map(|source| source.place().to_owned());
    reading.value().into_iter().flatten().map(|xid| finding(context, xid, place.clone())).collect()
}

fn finding(context: &Context<'_>, xid: &Xid, place: Option<String>) -> Finding {
    let number = xid.number;
    let times = match xid.count {
        1 => String::new(),
        count => format!(", {count} times"),
    };
    let gpus = match xid.gpus {
        0 | 1 => String::new(),
        gpus => format!(" on {gpus} GPUs"),
    };
    let observed = if xid.last.is_empty() { "no text".to_owned() } else { format!("`{}`", xid.last) };
    let mut evidence = vec![Evidence::host(format!("Xid {number}"), observed).cited(place)];
    let (severity, title, meaning, remedies) = match context.db.tables().xid.error(number) {
        Some((row, action, citation)) => {
            evidence.push(
                Evidence::rule(format!("cause of Xid {number}"), format!("as a rule {}", row.cause.name()))
                    .cited(citation),
            );
            let remedy = Remedy::new(action.summary.clone(), action.commands.iter().flat_map(Written::steps));
            (row.severity.into(), row.title.as_str(), row.meaning.as_str(), vec![remedy])
        }
        None => (Severity::Info, "an error of NVIDIA's driver", "The rules have no row for it.", Vec::new()),
    };
    let past = match severity {
        Severity::Fail => "Only a restart mends it, and the log is from after the last one.",
        _ => "The log goes back to the machine's start: it may be over by now.",
    };
    XID.found(&[&number.to_string()], format!("the kernel's log has Xid {number}{gpus}{times}: {title}"))
        .severity(severity)
        .message(format!("{meaning} {past}"))
        .evidence(evidence)
        .remedies(remedies)
}

/// What a check that read a log without such errors may say.
pub fn was_read(context: &Context<'_>) -> bool {
    let reading = &context.facts.system.xid;
    reading.value().is_some() || reading.is_absent()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Origin, Reading};
    use crate::rules;
    use crate::rules::schema::Level;

    fn findings(xids: Vec<Xid>) -> Vec<String> {
        let mut facts = Facts::unknown(Origin::Host);
        facts.system.xid = Reading::host(xids, "/dev/kmsg");
        let workload = rules::Workload::default();
        let heard = rules::symptom::Heard::default();
        let context = Context::new(&facts, rules::embedded(), &workload, &heard);
        let line = |finding: Finding| {
            let remedy = finding.remedies.first().map(|remedy| remedy.summary.clone()).unwrap_or_default();
            format!("{:?} {}: {} / {remedy}", finding.severity, finding.id, finding.title)
        };
        check(&context).into_iter().map(line).collect()
    }

    #[test]
    fn what_only_a_restart_mends_fails_and_an_applications_fault_is_told() {
        let xid = |number, count, gpus| Xid { number, count, gpus, last: "text".to_owned() };
        let found = findings(vec![xid(31, 12, 1), xid(79, 1, 1), xid(119, 3, 2), xid(9999, 1, 1)]);
        insta::assert_snapshot!(found.join("\n"), @"
        Info system/xid-31: the kernel's log has Xid 31, 12 times: a page fault in the GPU's memory / Restart the application; if it comes again, run it under compute-sanitizer to find the faulty access
        Fail system/xid-79: the kernel's log has Xid 79: a GPU fell off the bus / Reboot the machine; if it comes back, ask the vendor's support
        Warn system/xid-119: the kernel's log has Xid 119 on 2 GPUs, 3 times: the GPU's own processor (GSP) did not answer in time / Unless it was done since: stop what uses the GPU and reset it, or reboot; if it comes back, ask the vendor's support
        Info system/xid-9999: the kernel's log has Xid 9999: an error of NVIDIA's driver / 
        ");
        assert_eq!(found.len(), 4);
    }

    /// Of the ways out that the catalogue names, only a restart of the machine keeps its error true until then.
    #[test]
    fn severity_follows_from_what_mends_it() {
        let db = rules::embedded();
        let rows = (0..200).filter_map(|number| db.tables().xid.error(number));
        for (row, action, citation) in rows {
            let expected = match action.name.as_str() {
                "RESTART_BM" => Level::Fail,
                "RESET_GPU" | "RESTART_VM" | "CHECK_MECHANICALS" | "UPDATE_SWFW" | "XID_154" => Level::Warn,
                _ => Level::Info,
            };
            assert_eq!(row.severity, expected, "Xid {}", row.number);
            assert!(citation.contains("xid-errors"), "Xid {}", row.number);
        }
        assert!(
            db.tables().xid.error(79).is_some()
                && db.tables().xid.error(31).is_some()
                && db.tables().xid.error(1).is_none()
        );
    }
}
