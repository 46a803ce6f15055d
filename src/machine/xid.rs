//! Xid errors, which NVIDIA's driver writes to the kernel's log.
//!
//! ```text
//! 3,1207,5140900,-;NVRM: Xid (PCI:0000:C1:00): 79, pid=1234, name=python3, GPU has fallen off the bus.
//! Nov 21 10:00:00 gpu7 kernel: [ 5.14] NVRM: Xid (PCI:0000:10:1c): 63, pid=1896, Row Remapper: New row marked for remapping
//! NVRM: Xid (0000:03:00): 14, Channel 00000001
//! ```
//!
//! The forms are those of <https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html> and of logs that people posted.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::Xid;

/// What stands before the address of the GPU.
const MARK: &str = "NVRM: Xid (";
/// What the kernel says of itself when it starts: what stands before is another start's.
const START: &str = "Linux version ";
/// Texts are cut after so many characters.
const LONGEST: usize = 160;
/// Numbers of this size and above are no Xid: NVSwitch's own go up to some 30,000.
const MOST: u32 = 100_000;

/// Counts the Xid errors of a log since the kernel's last start in it, by number, ascending. Processes are left out.
#[must_use]
pub fn parse_xids(log: &str) -> Vec<Xid> {
    if memchr::memmem::find(log.as_bytes(), MARK.as_bytes()).is_none() {
        return Vec::new();
    }
    let mut found: BTreeMap<u32, (u32, BTreeSet<&str>, &str)> = BTreeMap::new();
    for line in log.lines() {
        // A line of the driver may quote anything; the kernel's first line has its mark before any of that.
        if line.contains(START) && !line.contains(MARK) {
            found.clear();
        }
        let Some((gpu, number, text)) = parse_line(line) else { continue };
        let entry = found.entry(number).or_default();
        entry.0 = entry.0.saturating_add(1);
        entry.1.insert(gpu);
        entry.2 = text;
    }
    let xid = |(number, (count, gpus, text)): (u32, (u32, BTreeSet<&str>, &str))| Xid {
        number,
        count,
        gpus: u32::try_from(gpus.len()).unwrap_or(u32::MAX),
        last: text.chars().take(LONGEST).collect(),
    };
    found.into_iter().map(xid).collect()
}

/// The GPU's address, the number and the text of a line, e.g. `0000:C1:00`, 79, `GPU has fallen off the bus.`
fn parse_line(line: &str) -> Option<(&str, u32, &str)> {
    let (_, rest) = line.split_once(MARK)?;
    let (address, rest) = rest.split_once("): ")?;
    let (number, rest) = rest.split_once(',').unwrap_or((rest, ""));
    let number = number.trim().parse().ok().filter(|number| *number < MOST)?;
    let mut text = rest.trim();
    for field in ["pid=", "name="] {
        if text.starts_with(field) {
            text = text.split_once(',').map_or("", |(_, rest)| rest.trim_start());
        }
    }
    Some((address.strip_prefix("PCI:").unwrap_or(address), number, text))
}

/// The number that somebody asks about: `Xid 79`, `xid-79`, `system/xid-79`, or a line of the log.
#[must_use]
pub fn parse_question(text: &str) -> Option<u32> {
    if let Some((_, number, _)) = parse_line(text) {
        return Some(number);
    }
    let text = text.trim().to_lowercase();
    let rest = text.strip_prefix("system/").unwrap_or(&text).strip_prefix("nvrm: ").unwrap_or(&text);
    let rest = rest.strip_prefix("system/").unwrap_or(rest).strip_prefix("xid")?.trim_start_matches("s");
    let rest = rest.trim_start_matches([' ', ':', '-', '=', '#']).trim_start_matches("error ");
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (number, after) = rest.split_at(digits);
    // `Xid 79x` is no number.
    let ends = !after.starts_with(|letter: char| letter.is_alphanumeric());
    number.parse().ok().filter(|number| ends && *number < MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
5,0,0,-;Linux version 6.8.0-51-generic (buildd@lcy02)
3,1207,5140900,-;NVRM: Xid (PCI:0000:C1:00): 79, pid=1234, name=python3, GPU has fallen off the bus.
 SUBSYSTEM=pci
[   12.3] NVRM: Xid (PCI:0000:C2:00): 31, pid=77, name=VLLM::Worker, Ch 00000010, intr 10000000. MMU Fault: ENGINE GRAPHICS
NVRM: Xid (PCI:0000:C1:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus, again.
NVRM: Xid (PCI:0000:C2:00): 79, GPU has fallen off the bus.
NVRM: Xid (0000:03:00): 14, Channel 00000001
NVRM: Xid (PCI:0000:C1:00): many, pid=1
NVRM: Xid (PCI:0000:C1:00: 13, pid=1
";

    fn short(log: &str) -> Vec<(u32, u32, u32, String)> {
        parse_xids(log).into_iter().map(|xid| (xid.number, xid.count, xid.gpus, xid.last)).collect()
    }

    #[test]
    fn errors_are_counted_by_number_and_name_no_process() {
        let expected = [
            (14, 1, 1, "Channel 00000001"),
            (31, 1, 1, "Ch 00000010, intr 10000000. MMU Fault: ENGINE GRAPHICS"),
            (79, 3, 2, "GPU has fallen off the bus."),
        ];
        assert_eq!(short(LOG), expected.map(|(number, count, gpus, text)| (number, count, gpus, text.to_owned())));
    }

    #[test]
    fn what_stands_before_the_last_start_is_past() {
        let again = format!("{LOG}Nov 21 10:00:01 gpu7 kernel: [ 0.0] Linux version 6.8.0\n");
        assert_eq!(short(&again), []);
        let late = format!("{again}NVRM: Xid (PCI:0000:C1:00): 43, pid=1, name=x, Ch 00000008\n");
        assert_eq!(short(&late), [(43, 1, 1, "Ch 00000008".to_owned())]);
        assert_eq!(short("NVRM: Xid (PCI:0000:C1:00): 43"), [(43, 1, 1, String::new())]);
        let long = format!("NVRM: Xid (PCI:0000:C1:00): 43, {}", "é".repeat(1000));
        assert_eq!(parse_xids(&long)[0].last.chars().count(), 160);
    }

    #[test]
    fn questions_have_many_forms() {
        for text in ["Xid 79", "xid79", "XID: 79", "system/xid-79", "Xid error 79", "NVRM: Xid 79", " xid 79, pid=1 "] {
            assert_eq!(parse_question(text), Some(79), "{text}");
        }
        assert_eq!(parse_question("NVRM: Xid (PCI:0000:C1:00): 119, pid=1, name=x, Timeout"), Some(119));
        for text in ["system/shm", "xid", "Xid 79x", "what is Xid 79", "Xid 4294967296", ""] {
            assert_eq!(parse_question(text), None, "{text}");
        }
    }
}
