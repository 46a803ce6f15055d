//! What a pasted text names beside what it lists: a CUDA toolkit in words, torch without a version.
//!
//! `CUDA: 11.8`, `cuda 11.8`, `CUDA version: 10.0` and `cuda version:10.0` name a toolkit; the `CUDA Version: 12.4` of nvidia-smi's
//! head, which says what the driver supports, does not.

use crate::version::CudaVersion;

/// The newest CUDA toolkit that a text names, and where it stands, in bytes.
#[must_use]
pub fn toolkit(text: &str) -> Option<(CudaVersion, usize)> {
    /// So far before it stands `Driver Version: 470.182.03` in nvidia-smi's head.
    const HEAD: usize = 48;
    let lower = text.to_ascii_lowercase();
    let mut found: Option<(CudaVersion, usize)> = None;
    for (at, _) in lower.match_indices("cuda") {
        let before = lower.as_bytes().get(at.saturating_sub(HEAD)..at).unwrap_or_default();
        if memchr::memmem::find(before, b"driver version").is_some() {
            continue;
        }
        let apart = !lower
            .get(..at)
            .unwrap_or_default()
            .ends_with(|letter: char| letter.is_ascii_alphanumeric() || "._-/+".contains(letter));
        let rest = lower.get(at + 4..).unwrap_or_default();
        let rest = rest.trim_start_matches([' ', ':', '=', '-']).trim_start_matches("toolkit").trim_start();
        let rest = rest.trim_start_matches("version").trim_start_matches([' ', ':', '=', 'v']);
        let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(rest.len());
        let number = rest.get(..end).unwrap_or_default().trim_end_matches('.');
        let mut parts = number.split('.').map(str::parse::<u32>);
        if let (true, Some(Ok(major)), Some(Ok(minor))) = (apart, parts.next(), parts.next())
            && (8..100).contains(&major)
            && minor < 10
        {
            let cuda = CudaVersion::new(major, minor);
            if found.is_none_or(|(newest, _)| newest < cuda) {
                found = Some((cuda, at));
            }
        }
    }
    found
}

/// Where a text first speaks of torch, as `torch`, `pytorch` or a module of it, in bytes.
#[must_use]
pub fn torch(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let mut named = lower.match_indices("torch").filter(|(at, word)| {
        let before = lower.get(..*at).unwrap_or_default();
        let before = before.strip_suffix("py").unwrap_or(before);
        let after = lower.get(at + word.len()..).unwrap_or_default();
        let letter = |letter: char| letter.is_ascii_alphanumeric();
        !before.ends_with(letter) && !after.starts_with(letter)
    });
    named.next().map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolkit_is_named_in_several_ways_and_the_drivers_cuda_is_none() {
        let of = |text| toolkit(text).map(|(cuda, _)| cuda.to_string());
        for text in
            ["Docker: CUDA: 11.8, GPU: A10", "cuda 11.8", "CUDA Toolkit 11.8", "CUDA version: 11.8.0", "cuda=11.8"]
        {
            assert_eq!(of(text).as_deref(), Some("11.8"), "{text}");
        }
        assert_eq!(of("cuda version:10.0\npython:3.6").as_deref(), Some("10.0"));
        for text in [
            "NVIDIA-SMI 470.182.03   Driver Version: 470.182.03   CUDA Version: 11.4",
            "nvidia-cuda-runtime-cu12 12.6.77",
            "pytorch/pytorch:2.0-cuda11.7",
            "CUDA 11",
            "compute capability 8.6",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn torch_is_a_word_of_its_own() {
        assert_eq!(torch("checks torch.cuda.is_available()"), Some(7));
        assert_eq!((torch("PyTorch fails"), torch("pip install torch")), (Some(2), Some(12)));
        assert_eq!((torch("torchserve"), torch("a flashtorch"), torch("nothing")), (None, None, None));
    }
}
