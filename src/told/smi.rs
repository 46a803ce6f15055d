//! `nvidia-smi` in pasted text: the table, `-q`, `-L`, rows of a query, and what it says when something is wrong.

use super::clean::Line;
use super::draft::Draft;
use super::said::Rank;
use super::token::is_driver;
use super::words::Word;
use crate::facts::{Gpu, Reading};
use crate::machine::kernel_driver::parse_module_version;
use crate::machine::nvidia_smi::{SmiFault, parse_error, parse_table};
use crate::version::{ComputeCapability, DriverVersion};

const READER: &str = "nvidia-smi";

/// Reads every line that `nvidia-smi` may have printed.
pub fn read(lines: &[Line<'_>], draft: &mut Draft) {
    table(lines, draft);
    let mut csv: Vec<&str> = Vec::new();
    for line in lines {
        let text = &*line.text;
        if line.has(Word::KernelModule)
            && let Some(module) = module_version(text)
        {
            draft.driver.add(module, Rank::Running, format!("/proc/driver/nvidia/version, line {}", line.number));
            draft.saw("kernel module", line.number);
        }
        if line.has(Word::Column)
            && let Some(columns) = csv_header(text)
        {
            csv = columns;
            draft.saw(READER, line.number);
        } else {
            csv_row(text, &csv, line.number, draft);
        }
        if line.has(Word::Smi) {
            nothing_there(text, line.number, draft);
        }
    }
}

fn module_version(text: &str) -> Option<DriverVersion> {
    if !text.contains("NVIDIA") && !text.contains("NVRM") {
        return None;
    }
    // Somebody's quotation marks around the line.
    parse_module_version(&text.replace(['`', '"'], " ")).map(|module| module.version)
}

fn table(lines: &[Line<'_>], draft: &mut Draft) {
    let mut text = String::new();
    let mut number = None;
    let mut open = false;
    for line in lines {
        let row = line.text.starts_with('|') || line.has(Word::Smi) && line.text.contains("NVIDIA-SMI");
        if !row && !open && !line.text.starts_with('+') {
            continue;
        }
        if line.has(Word::Smi) && line.text.contains("NVIDIA-SMI") && line.text.contains("Version") {
            number.get_or_insert(line.number);
        }
        // A row that was broken goes on in the next line.
        if open && !row && line.text.chars().count() < 80 {
            text.truncate(text.trim_end_matches('\n').len());
        }
        text.push_str(&line.text);
        open = line.text.starts_with('|') && !line.text.ends_with('|') && !line.text.ends_with('+');
        if open && line.text.chars().count() != 80 {
            text.push(' ');
        }
        text.push('\n');
    }
    if text.is_empty() {
        return;
    }
    let report = parse_table(&text);
    let place = format!("{READER}, line {}", number.unwrap_or(1));
    if let Some(driver) = report.driver {
        draft.saw(READER, number.unwrap_or(1));
        draft.driver.add(driver, Rank::Running, place.clone());
    }
    if let Some(cuda) = report.cuda {
        draft.driver_cuda.add(cuda, Rank::Running, place.clone());
    }
    for located in report.gpus {
        draft.gpu(located.gpu, Rank::Running, &place);
    }
}

/// Sentences of nvidia-smi and of shells about it.
fn nothing_there(text: &str, number: usize, draft: &mut Draft) {
    let place = format!("{READER}, line {number}");
    let missing = ["command not found", "not recognized as an internal", "No such file or directory", ": not found"];
    if text.contains("nvidia-smi") && missing.iter().any(|words| text.contains(words)) {
        draft.no_gpu.get_or_insert(place.clone());
        draft.no_driver.get_or_insert(place);
        draft.saw(READER, number);
        return;
    }
    if let Some(rest) = text.split("NVML library version:").nth(1)
        && let Some(version) = rest.split_whitespace().next()
    {
        draft.nvml.add(format!("0.{version}"), Rank::Running, place.clone());
        draft.saw(READER, number);
    }
    let Some(error) = parse_error(text) else { return };
    draft.saw(READER, number);
    match error.fault {
        SmiFault::Mismatch | SmiFault::Nvml | SmiFault::NoPermission => {
            draft.nvml_error.get_or_insert(error.words);
        }
        SmiFault::NoDevices => {
            draft.no_gpu.get_or_insert(place);
        }
        SmiFault::NoDriver => {
            draft.no_driver.get_or_insert(place);
        }
        _ => {}
    }
}

/// `index, name, driver_version, memory.total [MiB]`.
fn csv_header(text: &str) -> Option<Vec<&str>> {
    if !text.contains("driver_version") && !text.contains("compute_cap") && !text.starts_with("index, name") {
        return None;
    }
    // The command that asks for them is no answer.
    if text.contains("--query-gpu") {
        return None;
    }
    let columns: Vec<&str> = text.split(',').map(|cell| cell.split('[').next().unwrap_or_default().trim()).collect();
    (columns.len() > 1).then_some(columns)
}

/// `NVIDIA H100 80GB HBM3, 570.133.20, 81559 MiB`, by the header above it, else by what the cells look like.
fn csv_row(text: &str, columns: &[&str], number: usize, draft: &mut Draft) {
    // A driver's version is one of them.
    if !(1..16).contains(&memchr::memchr_iter(b',', text.as_bytes()).count())
        || !text.bytes().any(|byte| byte.is_ascii_digit())
    {
        return;
    }
    let cells: Vec<&str> = text.split(',').map(str::trim).collect();
    let brands = ["NVIDIA ", "Tesla ", "GeForce ", "Quadro "];
    let is_name = |cell: &&&str| brands.iter().any(|brand| cell.starts_with(brand)) && cell.len() < 60;
    let by_header = |name: &str| {
        let at = (cells.len() == columns.len()).then(|| columns.iter().position(|column| *column == name)).flatten()?;
        cells.get(at).copied()
    };
    let Some(name) = by_header("name").or_else(|| cells.iter().take(2).find(is_name).copied()) else { return };
    let driver = by_header("driver_version").or_else(|| cells.iter().copied().find(|cell| is_driver(cell)));
    let Some(driver) = driver.and_then(|cell| cell.parse::<DriverVersion>().ok()).filter(|it| it.branch() > 300) else {
        return;
    };
    let place = format!("{READER} query, line {number}");
    draft.saw(READER, number);
    draft.driver.add(driver, Rank::Running, place.clone());
    let index = by_header("index").or(cells.first().copied()).and_then(|cell| cell.parse().ok());
    let capability = by_header("compute_cap").or_else(|| cells.iter().copied().find(|cell| is_capability(cell)));
    let gpu = Gpu {
        index: index.unwrap_or(0),
        name: Reading::told(name.to_owned(), place.clone()),
        compute_capability: capability
            .and_then(|cell| cell.parse().ok())
            .map_or(Reading::Unknown, |capability: ComputeCapability| Reading::told(capability, place.clone())),
        ..Gpu::default()
    };
    draft.gpu(gpu, Rank::Running, &place);
}

fn is_capability(word: &str) -> bool {
    let number = |text: &str| text.len() <= 2 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    word.split_once('.').is_some_and(|(major, minor)| number(major) && number(minor) && minor.len() == 1)
}
