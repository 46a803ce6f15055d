//! The CUDA toolkit that conda is asked for: `conda install cuda -c nvidia/label/cuda-12.1.0`, `mamba install cuda-nvcc=12.4`.

use super::place::{Lines, Place};
use super::shell::{Command, base_name, without_runner};
use crate::version::CudaVersion;

/// The channel of a release.
const LABEL: &str = "nvidia/label/cuda-";
/// What brings or decides the compiler.
const PACKAGES: [&str; 4] = ["cuda", "cuda-toolkit", "cuda-nvcc", "cuda-version"];

/// Where a command names the release of the toolkit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CondaCuda {
    /// The release.
    pub cuda: CudaVersion,
    /// Its bytes, e.g. those of `12.1.0`.
    pub place: Place,
    /// How many numbers of it are written: three in a label.
    pub parts: usize,
}

impl CondaCuda {
    /// Each place of a command of conda that names one: the label of a channel, and what a package is pinned to.
    #[must_use]
    pub fn of(command: &Command, lines: &Lines<'_>) -> Vec<Self> {
        let words = without_runner(&command.words);
        let is_conda =
            words.first().is_some_and(|word| matches!(base_name(word.text()), "conda" | "mamba" | "micromamba"));
        let mut found = Vec::new();
        for word in words.iter().filter(|_| is_conda) {
            let text = word.text();
            let pin =
                text.split_once('=').filter(|(name, _)| PACKAGES.contains(&name.trim_end_matches(['=', '>', '<'])));
            let pin = pin.map(|(name, rest)| name.len() + 1 + rest.len() - rest.trim_start_matches('=').len());
            for start in text.find(LABEL).map(|at| at + LABEL.len()).into_iter().chain(pin) {
                let rest = text.get(start..).unwrap_or_default();
                let length = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
                let written = rest.get(..length).unwrap_or_default();
                let Ok(cuda) = written.parse::<CudaVersion>() else { continue };
                let parts = if pin == Some(start) { written.split('.').count() } else { 3 };
                found.push(Self { cuda, place: word.part(start..start + length, lines), parts });
            }
        }
        found
    }

    /// Another release, written as this one is: `12.8.1` as `12.8` where two numbers stand.
    #[must_use]
    pub fn written(&self, release: &str) -> String {
        release.split('.').take(self.parts).collect::<Vec<_>>().join(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::shell::script;

    #[test]
    fn labels_and_pins() {
        let found = |text: &str| {
            let lines = Lines::of(text);
            let all: Vec<CondaCuda> = script(text).iter().flat_map(|one| CondaCuda::of(one, &lines)).collect();
            all.iter()
                .map(|one| format!("{} {}", &text[one.place.span.clone()], one.written("12.8.1")))
                .collect::<Vec<_>>()
        };
        assert_eq!(found("conda install -n app cuda -c nvidia/label/cuda-12.1.0 -y"), ["12.1.0 12.8.1"]);
        assert_eq!(found("mamba install 'cuda-nvcc=12.4' cuda-version==12.4.1"), ["12.4 12.8", "12.4.1 12.8.1"]);
        // torch's own variant, the libraries of conda-forge, and another installer.
        assert_eq!(found("conda install pytorch-cuda=12.1 cudatoolkit=11.8\npip install cuda==1.0"), [""; 0]);
    }
}
