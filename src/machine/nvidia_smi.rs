//! What `nvidia-smi` prints: the answer to a query, the table, and its sentences when something is wrong.
//!
//! Formats: `nvidia-smi --help-query-gpu`, and the tables and errors of drivers 418 to 590 as people paste them.
//!
//! By hand: a program prints it for people.

use super::pci::{LocatedGpu, PciAddress};
use crate::facts::{Gpu, Reading};
use crate::version::{CudaVersion, DriverVersion};

/// The name under which values of this source are recorded.
pub const PLACE: &str = "nvidia-smi";

/// The columns asked for, in this order; `compute_cap` is unknown to an nvidia-smi of driver 495 or older.
pub const COLUMNS: [&str; 8] = [
    "index",
    "name",
    "compute_cap",
    "memory.total",
    "driver_version",
    "mig.mode.current",
    "pci.device_id",
    "pci.bus_id",
];

/// What one run of nvidia-smi said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SmiReport {
    /// The kernel module's version, e.g. `570.133.20`.
    pub driver: Option<DriverVersion>,
    /// "CUDA Version" of the table, the newest that the driver supports. A query does not give it.
    pub cuda: Option<CudaVersion>,
    /// The GPUs, in nvidia-smi's order.
    pub gpus: Vec<LocatedGpu>,
    /// What went wrong, if a known sentence says so.
    pub error: Option<SmiError>,
}

/// A sentence of nvidia-smi that says what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmiError {
    /// What is meant.
    pub fault: SmiFault,
    /// The sentence itself, e.g. `Failed to initialize NVML: Driver/library version mismatch`.
    pub words: String,
}

/// What a sentence of nvidia-smi means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmiFault {
    /// "couldn't communicate with the NVIDIA driver": no kernel module, or one that does not answer.
    NoDriver,
    /// "Driver/library version mismatch": kernel module and libraries are of different versions.
    Mismatch,
    /// "No devices were found": a driver, but no GPU that it can use.
    NoDevices,
    /// "couldn't find libnvidia-ml.so library".
    NoLibrary,
    /// "Insufficient Permissions".
    NoPermission,
    /// A GPU that does not answer: "GPU is lost", "Unable to determine the device handle".
    DeviceLost,
    /// A column that this nvidia-smi does not know, e.g. `compute_cap`.
    UnknownColumn(String),
    /// Another "Failed to initialize NVML: …".
    Nvml,
}

/// Finds the first sentence that says what is wrong, e.g. `No devices were found`.
#[must_use]
pub fn parse_error(text: &str) -> Option<SmiError> {
    const SENTENCES: [(&str, SmiFault); 9] = [
        ("couldn't communicate with the NVIDIA driver", SmiFault::NoDriver),
        ("Driver/library version mismatch", SmiFault::Mismatch),
        ("No devices were found", SmiFault::NoDevices),
        ("couldn't find libnvidia-ml.so", SmiFault::NoLibrary),
        ("Failed to initialize NVML: Insufficient Permissions", SmiFault::NoPermission),
        ("Failed to initialize NVML: Driver Not Loaded", SmiFault::NoDriver),
        ("Failed to initialize NVML:", SmiFault::Nvml),
        ("Unable to determine the device handle", SmiFault::DeviceLost),
        ("GPU is lost", SmiFault::DeviceLost),
    ];
    text.lines().map(str::trim).find_map(|line| {
        if let Some((_, rest)) = line.split_once("Field \"")
            && let Some((column, _)) = rest.split_once("\" is not a valid field")
        {
            return Some(SmiError { fault: SmiFault::UnknownColumn(column.to_owned()), words: line.to_owned() });
        }
        // Not a table row or a csv value such as `[GPU is lost]`.
        if line.starts_with('|') || line.contains('[') {
            return None;
        }
        let (_, fault) = SENTENCES.iter().find(|(words, _)| line.contains(words))?;
        Some(SmiError { fault: fault.clone(), words: line.to_owned() })
    })
}

/// Reads the answer to `nvidia-smi --query-gpu=… --format=csv,noheader` for these columns, e.g.
/// `0, NVIDIA H100 80GB HBM3, 9.0, 81559 MiB, 570.133.20, Disabled, 0x233010DE, 00000000:C1:00.0`.
///
/// A value in brackets is none: `[N/A]` and `[Not Supported]` mean absent, others (`[Unknown Error]`) are errors.
#[must_use]
pub fn parse_query(text: &str, columns: &[&str]) -> SmiReport {
    let mut report = SmiReport { error: parse_error(text), ..SmiReport::default() };
    for line in text.lines() {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        if cells.len() != columns.len() {
            continue;
        }
        let cell = |column: &str| {
            let place = columns.iter().position(|name| *name == column)?;
            cells.get(place).copied()
        };
        let Some(index) = cell("index").and_then(|text| text.parse().ok()) else { continue };
        if report.driver.is_none() {
            report.driver = cell("driver_version").and_then(|text| text.parse().ok());
        }
        let gpu = Gpu {
            index,
            name: value(cell("name"), |text| Some(text.to_owned())),
            compute_capability: value(cell("compute_cap"), |text| text.parse().ok()),
            memory_bytes: value(cell("memory.total"), parse_mib),
            mig: value(cell("mig.mode.current"), parse_mode),
            // Device and vendor in one number: 0x233010DE.
            pci_device: value(cell("pci.device_id"), |text| {
                let number = u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
                (number & 0xffff == 0x10de).then_some(number >> 16)
            }),
            state: Reading::Unknown,
        };
        report.gpus.push(LocatedGpu { address: cell("pci.bus_id").and_then(|text| text.parse().ok()), gpu });
    }
    report
}

/// Reads the table that `nvidia-smi` prints, also amid other text, e.g.
///
/// ```text
/// | NVIDIA-SMI 570.133.20             Driver Version: 570.133.20     CUDA Version: 12.8     |
/// |   0  NVIDIA GeForce RTX 5090        Off |   00000000:01:00.0 Off |                  N/A |
/// |  0%   35C    P8             15W /  575W |       2MiB /  32607MiB |      0%      Default |
/// |                                         |                        |                  N/A |
/// ```
///
/// A GPU has three rows (two before driver 450). A long name is clipped: `NVIDIA GeForce ...` is then unreadable, while `NVIDIA
/// GeForce RTX 4060 ...` still says which series it is.
#[must_use]
pub fn parse_table(text: &str) -> SmiReport {
    let mut report = SmiReport { error: parse_error(text), ..SmiReport::default() };
    // Rows since the last GPU's first one; the row for MIG is the third.
    let mut row = usize::MAX;
    for line in text.lines().map(str::trim) {
        if report.driver.is_none() && line.contains("NVIDIA-SMI") {
            // Windows since R590 says "KMD Version" and "CUDA UMD Version".
            report.driver = after(line, "Driver Version:").or_else(|| after(line, "KMD Version:"));
            report.cuda = after(line, "CUDA Version:").or_else(|| after(line, "CUDA UMD Version:"));
            continue;
        }
        if line.contains("Processes:") || line.contains("MIG devices:") {
            row = usize::MAX;
        }
        let Some(inner) = line.strip_prefix('|') else {
            if line.starts_with('+') {
                row = usize::MAX;
            }
            continue;
        };
        let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
        if let Some(found) = first_row(&cells) {
            report.gpus.push(found);
            row = 1;
            continue;
        }
        let Some(last) = report.gpus.last_mut() else { continue };
        if row == 1 {
            last.gpu.memory_bytes = value(cells.get(1).and_then(|cell| cell.split('/').nth(1)), parse_mib);
        } else if row == 2 {
            last.gpu.mig = value(cells.get(2).copied(), parse_mode);
        }
        row = row.saturating_add(1);
    }
    report
}

/// The first row of a GPU: `0  NVIDIA GeForce RTX 5090        Off`, `00000000:01:00.0 Off`, `N/A`.
fn first_row(cells: &[&str]) -> Option<LocatedGpu> {
    let address: PciAddress = cells.get(1)?.split_whitespace().next()?.parse().ok()?;
    let mut words: Vec<&str> = cells.first()?.split_whitespace().collect();
    if words.last().is_some_and(|last| matches!(*last, "On" | "Off" | "N/A" | "ERR!" | "WDDM" | "TCC" | "MCDM")) {
        words.pop();
    }
    let (index, name) = words.split_first()?;
    let name = name.join(" ");
    let name = if name.ends_with("...") && !name.contains(|letter: char| letter.is_ascii_digit()) {
        Reading::unreadable(format!("{PLACE} clipped the name: `{name}`"))
    } else {
        value(Some(name.as_str()), |text| Some(text.to_owned()))
    };
    let gpu = Gpu { index: index.parse().ok()?, name, ..Gpu::default() };
    Some(LocatedGpu { address: Some(address), gpu })
}

/// The word after a label, where it reads as what is wanted; `N/A` and `ERR!` do not.
fn after<T: std::str::FromStr>(line: &str, label: &str) -> Option<T> {
    line.split_once(label)?.1.split_whitespace().next()?.parse().ok()
}

/// One cell: a value, no value, or words in place of one. `None` is a column that was not asked for.
fn value<T>(cell: Option<&str>, read: impl FnOnce(&str) -> Option<T>) -> Reading<T> {
    let Some(cell) = cell.map(str::trim) else { return Reading::Unknown };
    match cell.trim_matches(['[', ']']) {
        "" | "N/A" | "Not Supported" => Reading::absent(PLACE),
        words if words.len() < cell.len() || words == "ERR!" => Reading::unreadable(format!("{PLACE}: {words}")),
        text => match read(text) {
            Some(value) => Reading::host(value, PLACE),
            None => Reading::unreadable(format!("{PLACE} printed `{text}`")),
        },
    }
}

/// `81559 MiB` and `81559MiB` in bytes.
fn parse_mib(text: &str) -> Option<u64> {
    let mib: u64 = text.trim().strip_suffix("MiB")?.trim().parse().ok()?;
    mib.checked_mul(1 << 20)
}

fn parse_mode(text: &str) -> Option<bool> {
    match text.trim_end_matches('*') {
        "Enabled" => Some(true),
        "Disabled" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::ComputeCapability;

    #[test]
    fn a_query_gives_every_column() {
        let text = "0, NVIDIA H100 80GB HBM3, 9.0, 81559 MiB, 570.133.20, Enabled, 0x233010DE, 00000000:C1:00.0\n\
                    1, NVIDIA GeForce RTX 5090, 12.0, 32607 MiB, 570.133.20, [N/A], 0x2B8510DE, 00000000:C2:00.0\n";
        let report = parse_query(text, &COLUMNS);
        assert_eq!(report.driver, "570.133.20".parse().ok());
        assert_eq!(report.error, None);
        let [h100, rtx5090] = report.gpus.as_slice() else { panic!("two GPUs") };
        assert_eq!(h100.gpu.name, Reading::host("NVIDIA H100 80GB HBM3".to_owned(), "nvidia-smi"));
        assert_eq!(h100.gpu.memory_bytes.value(), Some(&85_520_809_984));
        assert_eq!(h100.gpu.mig.value(), Some(&true));
        assert_eq!(h100.gpu.pci_device.value(), Some(&0x2330));
        assert_eq!(h100.address, "0000:c1:00.0".parse().ok());
        assert_eq!(rtx5090.gpu.compute_capability.value(), Some(&ComputeCapability::new(12, 0)));
        assert_eq!(rtx5090.gpu.mig, Reading::absent("nvidia-smi"));
    }

    #[test]
    fn values_in_brackets_are_none() {
        let text = "0, [Unknown Error], [Not Supported], [GPU is lost], 550.54.14, [N/A], x, 00000000:C1:00.0\n";
        let report = parse_query(text, &COLUMNS);
        let gpu = &report.gpus[0].gpu;
        assert_eq!(gpu.name, Reading::unreadable("nvidia-smi: Unknown Error"));
        assert_eq!(gpu.compute_capability, Reading::absent("nvidia-smi"));
        assert_eq!(gpu.memory_bytes, Reading::unreadable("nvidia-smi: GPU is lost"));
        assert_eq!(gpu.pci_device, Reading::unreadable("nvidia-smi printed `x`"));
        assert_eq!(report.error, None);
    }

    #[test]
    fn sentences_say_what_is_wrong() {
        let fault = |text: &str| parse_error(text).map(|error| error.fault);
        let no_driver = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the \
                         latest NVIDIA driver is installed and running.\n";
        assert_eq!(fault(no_driver), Some(SmiFault::NoDriver));
        let mismatch = "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 570.133\n";
        assert_eq!(fault(mismatch), Some(SmiFault::Mismatch));
        assert_eq!(parse_error(mismatch).unwrap().words, "Failed to initialize NVML: Driver/library version mismatch");
        assert_eq!(fault("No devices were found"), Some(SmiFault::NoDevices));
        assert_eq!(fault("Failed to initialize NVML: Unknown Error"), Some(SmiFault::Nvml));
        let column = "Field \"compute_cap\" is not a valid field to query.";
        assert_eq!(fault(column), Some(SmiFault::UnknownColumn("compute_cap".to_owned())));
        assert_eq!(fault("all is well"), None);
    }

    const TABLE: &str = "\
Fri Nov 14 10:00:00 2025       
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 570.133.20             Driver Version: 570.133.20     CUDA Version: 12.8     |
|-----------------------------------------+------------------------+----------------------+
| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |
|                                         |                        |               MIG M. |
|=========================================+========================+======================|
|   0  NVIDIA GeForce RTX 5090        Off |   00000000:01:00.0 Off |                  N/A |
|  0%   35C    P8             15W /  575W |       2MiB /  32607MiB |      0%      Default |
|                                         |                        |                  N/A |
+-----------------------------------------+------------------------+----------------------+
|   1  NVIDIA H100 80GB HBM3          On  |   00000000:C1:00.0 Off |                   On |
| N/A   31C    P0             70W /  700W |     100MiB /  81559MiB |     N/A      Default |
|                                         |                        |              Enabled |
+-----------------------------------------+------------------------+----------------------+
+-----------------------------------------------------------------------------------------+
| MIG devices:                                                                            |
|  0    7   0   0  |              12MiB /  9984MiB  | 16      0 |  1   0    0    0    0   |
+-----------------------------------------------------------------------------------------+
| Processes:                                                                              |
|  GPU   GI   CI              PID   Type   Process name                        GPU Memory |
|    0   N/A  N/A            4021      C   python                                  500MiB |
+-----------------------------------------------------------------------------------------+
";

    #[test]
    fn the_table_gives_driver_cuda_and_gpus() {
        let report = parse_table(TABLE);
        assert_eq!(report.driver, "570.133.20".parse().ok());
        assert_eq!(report.cuda, Some(CudaVersion::new(12, 8)));
        let [first, second] = report.gpus.as_slice() else { panic!("two GPUs: {:?}", report.gpus) };
        assert_eq!(first.gpu.name.value().unwrap(), "NVIDIA GeForce RTX 5090");
        assert_eq!(first.gpu.memory_bytes.value(), Some(&34_190_917_632));
        assert!(first.gpu.mig.is_absent());
        assert_eq!(second.gpu.index, 1);
        assert_eq!(second.gpu.memory_bytes.value(), Some(&85_520_809_984));
        assert_eq!(second.gpu.mig.value(), Some(&true));
    }

    #[test]
    fn a_clipped_name_is_no_name() {
        let old = "| NVIDIA-SMI 470.57.02    Driver Version: 470.57.02    CUDA Version: N/A      |\n\
                   |   0  NVIDIA GeForce ...  Off  | 00000000:01:00.0  On |                  N/A |\n\
                   |  0%   46C    P8    28W / 350W |    543MiB / 24268MiB |      1%      Default |\n";
        let report = parse_table(old);
        assert_eq!(report.driver.unwrap().to_string(), "470.57.02");
        assert_eq!(report.cuda, None);
        let expected = Reading::unreadable("nvidia-smi clipped the name: `NVIDIA GeForce ...`");
        assert_eq!(report.gpus[0].gpu.name, expected);
        assert_eq!(report.gpus[0].gpu.memory_bytes.value(), Some(&(24_268 << 20)));
        let laptop = parse_table(&old.replace("NVIDIA GeForce ...  ", "NVIDIA GeForce RTX 4060 ...  "));
        assert_eq!(laptop.gpus[0].gpu.name.value().unwrap(), "NVIDIA GeForce RTX 4060 ...");
    }

    #[test]
    fn the_windows_header_has_other_labels() {
        let text = "| NVIDIA-SMI 591.44                 KMD Version: 591.44        CUDA UMD Version: 13.1     |";
        let report = parse_table(text);
        assert_eq!(report.driver, "591.44".parse().ok());
        assert_eq!(report.cuda, Some(CudaVersion::new(13, 1)));
    }
}
