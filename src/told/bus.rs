//! GPUs on the PCI bus in pasted text: `lspci`, and the kernel module that names one it does not know.
//!
//! They are there though no driver lists them.

use super::Vocabulary;
use super::clean::Line;
use super::draft::Draft;
use super::said::Rank;
use super::words::Word;
use crate::facts::{Gpu, Reading};

const READER: &str = "lspci";
/// PCI classes of what computes, as lspci names them.
const CLASSES: [&str; 3] = ["VGA compatible controller", "3D controller", "Display controller"];

/// Reads every line that names a device of NVIDIA.
pub fn read(lines: &[Line<'_>], vocabulary: &Vocabulary<'_>, draft: &mut Draft) {
    let (mut index, mut last) = (0, 0);
    for line in lines.iter().filter(|line| line.has(Word::Bus)) {
        let Some((name, pci_device)) = device(&line.text) else { continue };
        let name =
            name.map(|name| if name.starts_with("NVIDIA ") { name.to_owned() } else { format!("NVIDIA {name}") });
        let name = name.filter(|name| (vocabulary.is_gpu)(name));
        // A line that was taken for the beginning of a longer one comes again.
        if name.is_none() && pci_device.is_none() || line.number <= last {
            continue;
        }
        last = line.number;
        let place = format!("{READER}, line {}", line.number);
        let known = |text: String| Reading::told(text, place.clone());
        let gpu = Gpu {
            index,
            name: name.map_or(Reading::Unknown, known),
            pci_device: pci_device.map_or(Reading::Unknown, |id| Reading::told(id, place.clone())),
            ..Gpu::default()
        };
        draft.gpu(gpu, Rank::Listed, &place);
        draft.saw(READER, line.number);
        index += 1;
    }
}

/// Product and device id of `01:00.0 VGA compatible controller: NVIDIA Corporation GB203 [GeForce RTX 5080] [10de:2c02] (rev a1)`;
/// none for a line about something else.
fn device(text: &str) -> Option<(Option<&str>, Option<u32>)> {
    let (class, rest) = text.split_once("NVIDIA Corporation")?;
    if !CLASSES.iter().any(|name| class.contains(name)) {
        return None;
    }
    let mut brackets = rest.split('[').skip(1).filter_map(|part| Some(part.split_once(']')?.0));
    let id = |text: &str| u32::from_str_radix(text.strip_prefix("10de:")?, 16).ok();
    let name = brackets.clone().find(|text| id(text).is_none());
    Some((name, brackets.find_map(id)))
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn a_device_has_a_product_and_an_id_where_they_are_told() {
        let plain = "01:00.0 VGA compatible controller: NVIDIA Corporation GB203 [GeForce RTX 5080] (rev a1)";
        assert_eq!(device(plain), Some((Some("GeForce RTX 5080"), None)));
        let numbers =
            "0000:17:00.0 3D controller [0302]: NVIDIA Corporation GA100 [A100 SXM4 80GB] [10de:20b2] (rev a1)";
        assert_eq!(device(numbers), Some((Some("A100 SXM4 80GB"), Some(0x20b2))));
        let unnamed = "65:00.0 3D controller [0302]: NVIDIA Corporation Device [10de:2bb1] (rev a1)";
        assert_eq!(device(unnamed), Some((None, Some(0x2bb1))));
        assert_eq!(
            device("01:00.1 Audio device: NVIDIA Corporation GA102 High Definition Audio Controller (rev a1)"),
            None
        );
    }
}
