//! The Xid errors in this machine's kernel log, where it may be read.
//!
//! In this order: `/dev/kmsg`, the log itself, which root may read, or everybody where `kernel.dmesg_restrict` is 0;
//! `/var/log/kern.log` and `/var/log/dmesg`, of which the last megabyte. Containers have none of them as a rule. A log in a
//! mounted image tells of the machine that ran it, and is not read.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use super::root::RootFs;
use crate::facts::{Reading, Xid};
use crate::machine::xid::parse_xids;

const KMSG: &str = "/dev/kmsg";
const FILES: [&str; 2] = ["/var/log/kern.log", "/var/log/dmesg"];
/// So much of a file's end is read.
const TAIL: u64 = 1 << 20;
/// A record has 8 kB at most (`CONSOLE_EXT_LOG_MAX` in the kernel's sources); a smaller buffer is refused.
const RECORD: usize = 8 << 10;
/// So many records are read: a busy log has some thousands.
const RECORDS: usize = 50_000;

/// Reads the log of the machine itself, and only where NVIDIA's driver is loaded, which alone writes such errors.
#[must_use]
pub fn probe(root: &RootFs) -> Reading<Vec<Xid>> {
    if !root.is_host() || !root.exists("/proc/driver/nvidia") && !root.exists("/sys/module/nvidia") {
        return Reading::Unknown;
    }
    read(Path::new(KMSG), &FILES.map(Path::new))
}

fn read(kmsg: &Path, files: &[&Path]) -> Reading<Vec<Xid>> {
    let refused = match records(kmsg) {
        Ok(log) => return found(&log, kmsg),
        Err(error) => error,
    };
    for path in files {
        if let Ok(log) = tail(path) {
            return found(&log, path);
        }
    }
    match refused.kind() {
        ErrorKind::NotFound => Reading::Unknown,
        _ => Reading::unreadable(format!("{}: {refused}", kmsg.display())),
    }
}

fn found(log: &str, place: &Path) -> Reading<Vec<Xid>> {
    let place = place.display().to_string();
    let xids = parse_xids(log);
    if xids.is_empty() { Reading::absent(place) } else { Reading::host(xids, place) }
}

/// All records that are there now: each read gives one, and the last says that it would have to wait.
fn records(path: &Path) -> io::Result<String> {
    let mut file = open(path)?;
    let mut log = Vec::new();
    let mut record = vec![0; RECORD];
    for _ in 0..RECORDS {
        match file.read(&mut record) {
            Ok(0) => break,
            Ok(length) => log.extend_from_slice(record.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            // EPIPE: records were overwritten meanwhile, and the next read goes on behind them.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(String::from_utf8_lossy(&log).into_owned())
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// The end of a regular file, from a whole line on.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let start = metadata.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let whole = if start == 0 { 0 } else { text.find('\n').map_or(text.len(), |end| end + 1) };
    Ok(text.get(whole..).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "kernel: NVRM: Xid (PCI:0000:C1:00): 79, pid=1, name=x, GPU has fallen off the bus.\n";

    #[test]
    fn the_first_log_that_can_be_read_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (kmsg, file) = (folder.path().join("kmsg"), folder.path().join("kern.log"));
        assert_eq!(read(&kmsg, &[&file]), Reading::Unknown);
        std::fs::write(&file, LINE).unwrap();
        let place = file.display().to_string();
        let xid = Xid { number: 79, count: 1, gpus: 1, last: "GPU has fallen off the bus.".to_owned() };
        assert_eq!(read(&kmsg, &[&file]), Reading::host(vec![xid], place));
        // What is no log at all, as a folder, is passed over.
        assert!(matches!(read(folder.path(), &[folder.path()]), Reading::Unreadable { .. }));
        // A log that holds none says so.
        std::fs::write(&kmsg, "5,0,0,-;Linux version 6.8.0\n").unwrap();
        assert_eq!(read(&kmsg, &[&file]), Reading::absent(kmsg.display().to_string()));
    }

    #[test]
    fn of_a_long_file_the_end_is_read_from_a_whole_line_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kern.log");
        let count = usize::try_from(TAIL).unwrap() / LINE.len() + 10;
        std::fs::write(&file, LINE.repeat(count)).unwrap();
        let log = tail(&file).unwrap();
        assert!(log.starts_with("kernel: NVRM") && log.len() as u64 <= TAIL);
        assert_eq!(log.len() % LINE.len(), 0);
        assert_eq!(tail(&folder.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
    }

    /// The log of the machine that runs the tests, if it may be read: it ends, and nothing waits.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_real_log_ends() {
        if let Ok(log) = records(Path::new(KMSG)) {
            assert!(log.lines().count() <= RECORDS * 4);
        }
    }

    #[test]
    fn an_image_is_not_asked() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["proc/driver/nvidia/version", "var/log/kern.log"] {
            std::fs::create_dir_all(folder.path().join(path).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(path), LINE).unwrap();
        }
        assert_eq!(probe(&RootFs::at(folder.path())), Reading::Unknown);
    }
}
