//! Commands as the rules write them: text, read into steps.

use serde::{Deserialize, Serialize};

use super::{Step, Variable, Word};

/// A command of the rules, e.g. `pip install "numpy<2"` or `dmesg | grep -i xid`. Nothing else makes one, so that what it holds
/// was reviewed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Written(String);

/// The text of a [`Written`] that is no plain call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// The text, for a shell.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Written {
    fn from(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Display for Written {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What the shell does itself: as a program there is no such thing.
const BUILTIN: [&str; 9] = [".", "cd", "eval", "exec", "hash", "source", "type", "ulimit", "umask"];

impl Written {
    /// The text as it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The steps: of `a && b` two, of what needs a shell one with the whole text.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let text = self.0.trim();
        if has_gap(text) {
            return vec![Step::Sketch(Text(text.to_owned()))];
        }
        let parts: Option<Vec<Vec<Step>>> = chained(text).into_iter().map(part).collect();
        match parts {
            Some(parts) => parts.into_iter().flatten().collect(),
            None => vec![Step::Script(Text(text.to_owned()))],
        }
    }

    /// The one call, with `{name}` in its words filled in; none where the text is no plain call, or a value may not enter one.
    #[must_use]
    pub fn filled(&self, values: &[(&str, &str)]) -> Option<Step> {
        let words = shlex::split(&self.0)?;
        let fill =
            |word: String| values.iter().fold(word, |word, (name, value)| word.replace(&format!("{{{name}}}"), value));
        Step::run(words.into_iter().map(fill))
    }

    /// What is wrong with it, for the linter of the rules: a text that no shell can read, or a script in which something is to be
    /// filled in.
    ///
    /// # Errors
    ///
    /// The fault in words.
    pub fn check(&self) -> Result<(), String> {
        let text = &self.0;
        if text.trim().is_empty() || Word::new(text.as_str()).is_none() {
            return Err(format!("a command is empty or holds control characters: {text:?}"));
        }
        if shlex::split(text).is_none() {
            return Err(format!("no shell reads this command, a quote is open: `{text}`"));
        }
        let template = |from: &str| from.split_once('}').is_some_and(|(name, _)| Variable::new(name).is_some());
        // `${A}` and awk's `{print $1}` are no templates.
        let mut braces = text.match_indices('{').filter(|(at, _)| !text[..*at].ends_with('$'));
        if braces.any(|(at, _)| template(&text[at + 1..])) {
            return Err(format!("a command has no templates: `{text}`"));
        }
        Ok(())
    }
}

/// Whether the reader is to fill something in: `…`, `<package>`.
fn has_gap(text: &str) -> bool {
    let named = |rest: &str| {
        rest.split_once('>').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_".contains(&byte))
        })
    };
    text.contains('…') || text.split('<').skip(1).any(named)
}

/// The parts of a chain of `&&`, where that is no part of a quoted word.
fn chained(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quote = None;
    let bytes = text.as_bytes();
    for at in 0..bytes.len() {
        match (quote, bytes[at]) {
            (None, b'\'' | b'"') => quote = Some(bytes[at]),
            (Some(open), byte) if byte == open => quote = None,
            (None, b'&') if bytes.get(at + 1) == Some(&b'&') && at >= start => {
                parts.push(text[start..at].trim());
                start = at + 2;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// One part as steps; none where only a shell can read it.
fn part(text: &str) -> Option<Vec<Step>> {
    let words = shlex::split(text)?;
    match words.split_first()? {
        (first, rest) if first == "export" || first == "set" => {
            let assigned = rest.iter().map(|word| assigned(word));
            let steps = assigned.collect::<Option<Vec<_>>>()?;
            (!steps.is_empty() && !text.contains(['`', '\'', '('])).then_some(steps)
        }
        (first, rest) if first == "unset" && is_plain(text) => rest.iter().map(|name| Step::unset(name)).collect(),
        _ if is_plain(text) => {
            let is_variable =
                |word: &&String| word.split_once('=').is_some_and(|(name, _)| Variable::new(name).is_some());
            let set = words.iter().take_while(is_variable).count();
            let first = words.get(set).filter(|first| !BUILTIN.contains(&first.as_str()))?;
            let call = Step::run(words.iter().skip(set).cloned()).filter(|_| !first.is_empty())?;
            let with = |call: Step, word: &String| {
                let (name, value) = word.split_once('=')?;
                call.with(name, value)
            };
            Some(vec![words.iter().take(set).try_fold(call, with)?])
        }
        _ => None,
    }
}

/// `CUDA_HOME=/usr/local/cuda`, `PATH=/usr/local/cuda/bin:$PATH`.
fn assigned(word: &str) -> Option<Step> {
    let (name, value) = word.split_once('=')?;
    match value.strip_suffix(&format!(":${name}")) {
        Some(folder) if !folder.contains(['$', '`']) => Step::prepend(name, folder),
        _ if !value.contains(['$', '`']) => Step::set(name, value),
        _ => None,
    }
}

/// Whether a shell hands the words on as they are: nothing is expanded, piped or sent elsewhere.
fn is_plain(text: &str) -> bool {
    let mut quote = None;
    for letter in text.chars() {
        match quote {
            Some('\'') if letter != '\'' => {}
            Some('"') if matches!(letter, '$' | '`' | '\\' | '!') => return false,
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if matches!(letter, '\'' | '"') => quote = Some(letter),
            None if "|&;<>()$`\\*?[]#~{}!\n".contains(letter) => return false,
            None => {}
        }
    }
    quote.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::{Shell, print};

    #[test]
    fn text_of_the_rules_becomes_steps() {
        let cases = [
            "pip install \"numpy<2\"",
            "MAX_JOBS=4 pip install --no-build-isolation flash-attn",
            "pip uninstall -y cupy && pip install cupy-cuda12x",
            "export CUDA_HOME=/usr/local/cuda PATH=/usr/local/cuda/bin:$PATH",
            "export TORCH_CUDA_ARCH_LIST=\"8.0;9.0\"",
            "set USE_LIBUV=0",
            "unset TRITON_PTXAS_PATH TRITON_PTXAS_BLACKWELL_PATH",
            "python -c \"import torch; print(torch.cuda.device_count())\"",
            "dmesg | grep -i xid",
            "export LD_LIBRARY_PATH=$(python -c \"import nvidia.cudnn as m; print(m.__path__[0])\")/lib",
            "sudo apt install linux-headers-$(uname -r) && sudo dkms autoinstall",
            "cd ..",
            "rm -rf ~/.triton/cache",
            "docker run --gpus all …",
            "pip install --no-build-isolation <package>",
            "nvidia-smi; ldconfig -p | grep libcuda",
            "sudo nvidia-smi --gpu-reset -i 0   # the GPU's index",
        ];
        let kind = |step: &Step| match step {
            Step::Run { .. } => "run",
            Step::Set { .. } | Step::Unset { .. } | Step::Prepend { .. } => "variable",
            Step::Script(_) => "script",
            Step::Sketch(_) | Step::Then(_) => "sketch",
        };
        let steps: Vec<Step> = cases.into_iter().flat_map(Step::fixed).collect();
        let shown: Vec<String> =
            steps.iter().map(|step| format!("{:8}  {}", kind(step), step.print(Shell::Sh))).collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        run       pip install "numpy<2"
        run       MAX_JOBS=4 pip install --no-build-isolation flash-attn
        run       pip uninstall -y cupy
        run       pip install cupy-cuda12x
        variable  export CUDA_HOME=/usr/local/cuda
        variable  export PATH="/usr/local/cuda/bin${PATH:+:$PATH}"
        variable  export TORCH_CUDA_ARCH_LIST="8.0;9.0"
        variable  export USE_LIBUV=0
        variable  unset TRITON_PTXAS_PATH
        variable  unset TRITON_PTXAS_BLACKWELL_PATH
        run       python -c "import torch; print(torch.cuda.device_count())"
        script    dmesg | grep -i xid
        script    export LD_LIBRARY_PATH=$(python -c "import nvidia.cudnn as m; print(m.__path__[0])")/lib
        script    sudo apt install linux-headers-$(uname -r) && sudo dkms autoinstall
        script    cd ..
        script    rm -rf ~/.triton/cache
        sketch    docker run --gpus all …
        sketch    pip install --no-build-isolation <package>
        script    nvidia-smi; ldconfig -p | grep libcuda
        script    sudo nvidia-smi --gpu-reset -i 0   # the GPU's index
        "#);
        assert_eq!(print(&Step::fixed("a 'b && c' && d"), Shell::Sh), ["a 'b && c'", "d"]);
    }

    #[test]
    fn a_command_that_cannot_be_read_is_refused() {
        for text in ["pip install \"numpy", "", "pip install {package}", "a\u{7}"] {
            assert!(Written::from(text).check().is_err(), "{text}");
        }
        for text in ["awk '{print $1}' f", "echo ${A}", "pip install torch"] {
            assert_eq!(Written::from(text).check(), Ok(()), "{text}");
        }
        let command = Written::from("sudo sh NVIDIA-Linux-{arch}-{version}.run");
        let filled = command.filled(&[("arch", "x86_64"), ("version", "580.65.06")]);
        assert_eq!(
            filled.map(|step| step.print(Shell::Sh)).as_deref(),
            Some("sudo sh NVIDIA-Linux-x86_64-580.65.06.run")
        );
        assert_eq!(command.filled(&[("arch", "x\ny"), ("version", "1")]), None);
    }
}
