//! A command as what it is: a program with its arguments, a variable set or taken away, or text of the rules themselves.
//!
//! A step becomes text only where it is printed, quoted for the shell that will read it ([`Shell`]). What comes from outside
//! enters as a [`Word`], which holds no control character and nothing that turns the direction of writing; whoever builds a
//! pin or a requirement asks [`pin`] and [`requirement`] first. So `Version: 1.0$(touch P)` of a METADATA file ends in no
//! command at all, and a folder `/opt/a b; rm -rf ~` ends as one quoted word.

pub mod dockerfile;
mod powershell;
pub mod sh;
mod word;
mod written;
pub mod yaml;

pub use word::{Variable, Word, pin, requirement};
pub use written::{Text, Written};

/// One thing to do, in the order of a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A program is called: `TORCH_CUDA_ARCH_LIST=12.0 python -m pip install flash-attn==2.8.3`.
    Run {
        /// Variables for this call alone, e.g. `TORCH_CUDA_ARCH_LIST`, `12.0`.
        environment: Vec<(Variable, Word)>,
        /// The program and its arguments; never empty.
        argv: Vec<Word>,
    },
    /// A variable gets a value, for this shell and what it starts.
    Set {
        /// E.g. `CUDA_HOME`.
        name: Variable,
        /// E.g. `/usr/local/cuda-12.8`.
        value: Word,
    },
    /// A variable is taken away.
    Unset {
        /// E.g. `LD_LIBRARY_PATH`.
        name: Variable,
    },
    /// A folder is put in front of a list of folders.
    Prepend {
        /// E.g. `PATH`.
        name: Variable,
        /// E.g. `/usr/local/cuda-12.8/bin`.
        value: Word,
    },
    /// What only a shell can read, such as a pipe; of the rules or of this program, never with anything from outside in it.
    Script(Text),
    /// A command with gaps that its reader fills in: `docker run --gpus all …`. To be shown, not to be run.
    Sketch(Text),
    /// A step that is taken only where the one before it succeeded: nothing is taken out before what replaces it is there.
    Then(Box<Self>),
}

/// Who reads the printed steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shell {
    /// bash, dash and other POSIX shells.
    #[default]
    Sh,
    /// PowerShell, on Windows.
    PowerShell,
}

impl Step {
    /// A call, e.g. of `["docker", "restart", name]`; none where a word may not enter a command, or there is none.
    pub fn run<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Option<Self> {
        let argv: Vec<Word> = words.into_iter().map(|word| Word::new(word)).collect::<Option<_>>()?;
        (!argv.is_empty()).then_some(Self::Run { environment: Vec::new(), argv })
    }

    /// The same call with one word more; none where it may not enter one, or this is no call.
    #[must_use]
    pub fn and(self, word: &str) -> Option<Self> {
        let Self::Run { environment, mut argv } = self else { return None };
        argv.push(Word::new(word)?);
        Some(Self::Run { environment, argv })
    }

    /// The same step, taken only where the one before it succeeded.
    #[must_use]
    pub fn then(self) -> Self {
        Self::Then(Box::new(self))
    }

    /// The step itself, whatever it waits for.
    #[must_use]
    pub fn own(&self) -> &Self {
        match self {
            Self::Then(step) => step.own(),
            step => step,
        }
    }

    /// The same call with a variable for it alone; none where that is no variable, no value, or this is no call.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Option<Self> {
        let Self::Run { mut environment, argv } = self else { return None };
        environment.push((Variable::new(name)?, Word::new(value)?));
        Some(Self::Run { environment, argv })
    }

    /// A variable and its value: `CUDA_HOME`, `/usr/local/cuda-12.8`.
    #[must_use]
    pub fn set(name: &str, value: impl Into<String>) -> Option<Self> {
        Some(Self::Set { name: Variable::new(name)?, value: Word::new(value)? })
    }

    /// A variable to take away.
    #[must_use]
    pub fn unset(name: &str) -> Option<Self> {
        Some(Self::Unset { name: Variable::new(name)? })
    }

    /// A folder to put in front: `PATH`, `/usr/local/cuda-12.8/bin`.
    #[must_use]
    pub fn prepend(name: &str, value: impl Into<String>) -> Option<Self> {
        Some(Self::Prepend { name: Variable::new(name)?, value: Word::new(value)? })
    }

    /// Commands that this program knows by heart: `sudo reboot`.
    #[must_use]
    pub fn fixed(text: &'static str) -> Vec<Self> {
        Written::from(text).steps()
    }

    /// The words that a program takes instead of the text, e.g. `["pip", "install", "torch==2.7.1"]`. Variables for the call go
    /// through `env`; what only a shell does is a call of one, or the words of its own command (`export`, `unset`).
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Run { environment, argv } => {
                let variables = environment.iter().map(|(name, value)| format!("{}={}", name.as_str(), value.as_str()));
                let env = (!environment.is_empty()).then(|| "env".to_owned());
                env.into_iter().chain(variables).chain(argv.iter().map(|word| word.as_str().to_owned())).collect()
            }
            Self::Set { name, value } => vec!["export".to_owned(), format!("{}={}", name.as_str(), value.as_str())],
            Self::Unset { name } => vec!["unset".to_owned(), name.as_str().to_owned()],
            Self::Prepend { name, value } => {
                let (name, value) = (name.as_str(), value.as_str());
                vec!["export".to_owned(), format!("{name}={value}${{{name}:+:${name}}}")]
            }
            Self::Script(text) | Self::Sketch(text) => {
                vec!["sh".to_owned(), "-c".to_owned(), text.as_str().to_owned()]
            }
            Self::Then(step) => step.words(),
        }
    }

    /// The command on one line, as that shell reads it.
    #[must_use]
    pub fn print(&self, shell: Shell) -> String {
        self.pieces(shell).join(" ")
    }

    /// The same in lines of at most `width` characters where it can be broken between words, the later ones indented by two.
    #[must_use]
    pub fn lines(&self, shell: Shell, width: usize) -> Vec<String> {
        let continued = match shell {
            Shell::Sh => " \\",
            Shell::PowerShell => " `",
        };
        sh::broken(&self.pieces(shell), 2, width, continued)
    }

    /// What may stand on lines of its own.
    fn pieces(&self, shell: Shell) -> Vec<String> {
        match (self.own(), shell) {
            (Self::Script(text) | Self::Sketch(text), _) => sh::words(text.as_str()),
            (step, Shell::Sh) => sh::pieces(step),
            (step, Shell::PowerShell) => powershell::pieces(step),
        }
    }
}

/// Steps as lines of a shell, one each; those that wait for another stand on its line, behind `&&`.
#[must_use]
pub fn print(steps: &[Step], shell: Shell) -> Vec<String> {
    chains(steps).iter().map(|chain| chained(chain, shell)).collect()
}

/// The words of the same lines, for a program; of several calls on a line those of a shell.
#[must_use]
pub fn argv(steps: &[Step]) -> Vec<Vec<String>> {
    let words = |chain: &&[Step]| match chain {
        [step] => step.words(),
        chain => ["sh", "-c", &chained(chain, Shell::Sh)].map(str::to_owned).into(),
    };
    chains(steps).iter().map(words).collect()
}

/// Steps as lines of at most `width` characters where they can be broken.
#[must_use]
pub fn lines(steps: &[Step], shell: Shell, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let waits = |at: usize| matches!(steps.get(at), Some(Step::Then(_)));
        let mut own = step.lines(shell, width.saturating_sub(3));
        let whole = own.len() == 1;
        match (shell, own.last_mut()) {
            (Shell::Sh, Some(last)) if waits(at + 1) => last.push_str(" &&"),
            (Shell::PowerShell, Some(last)) if whole && waits(at) => *last = guarded(last),
            _ => {}
        }
        lines.extend(own);
    }
    lines
}

/// Steps with those that wait for them.
fn chains(steps: &[Step]) -> Vec<&[Step]> {
    steps.chunk_by(|_, next| matches!(next, Step::Then(_))).collect()
}

fn chained(chain: &[Step], shell: Shell) -> String {
    let (between, guard): (_, fn(&str) -> String) = match shell {
        Shell::Sh => (" && ", str::to_owned),
        Shell::PowerShell => ("; ", guarded),
    };
    let printed = chain.iter().enumerate().map(|(at, step)| match (at, step.print(shell)) {
        (0, text) => text,
        (_, text) => guard(&text),
    });
    printed.collect::<Vec<_>>().join(between)
}

/// A command of PowerShell that is run where the one before it succeeded.
fn guarded(command: &str) -> String {
    format!("if ($?) {{ {command} }}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_between_its_words() {
        let text =
            "nvidia-smi --query-gpu=name | sort | uniq -c && python -c \"import torch; print(torch.__version__)\"";
        let step = Written::from(text).steps().remove(0);
        assert_eq!(
            step.lines(Shell::Sh, 48),
            [
                "nvidia-smi --query-gpu=name | sort | uniq -c \\",
                "  && python -c \\",
                "  \"import torch; print(torch.__version__)\""
            ]
        );
        assert_eq!(step.lines(Shell::Sh, 200), [text]);
        let inner = Written::from("export A=$(ls -l | head -1) B=2").steps().remove(0);
        assert_eq!(inner.lines(Shell::Sh, 28), ["export \\", "  A=$(ls -l | head -1) B=2"]);
    }

    #[test]
    fn every_shell_reads_the_same_words() {
        let odd = "it's $(here) `now` \"x\" %A% ${IFS} \\ é";
        let all = [
            Step::run(["pip", "install", "torch==2.7.1+cu128", "numpy<2", "jax[cuda12]"]),
            Step::run(["python", "setup.py"]).and_then(|step| step.with("TORCH_CUDA_ARCH_LIST", "8.0;9.0")),
            Step::run(["/opt/my env/bin/python", odd]),
            Step::set("CUDA_HOME", "/opt/cuda 12"),
            Step::unset("LD_LIBRARY_PATH"),
            Step::prepend("PATH", "/usr/local/cuda/bin"),
            Step::prepend("PATH", "/opt/$x/bin"),
        ];
        let steps: Vec<Step> = all.into_iter().map(|step| step.expect("no control characters")).collect();
        insta::assert_snapshot!(print(&steps, Shell::Sh).join("\n"), @r#"
        pip install torch==2.7.1+cu128 "numpy<2" "jax[cuda12]"
        TORCH_CUDA_ARCH_LIST="8.0;9.0" python setup.py
        "/opt/my env/bin/python" "it's "'$(here) `now` "x" %A% ${IFS} '"\\ é"
        export CUDA_HOME="/opt/cuda 12"
        unset LD_LIBRARY_PATH
        export PATH="/usr/local/cuda/bin${PATH:+:$PATH}"
        export PATH='/opt/$x/bin'"${PATH:+:$PATH}"
        "#);
        insta::assert_snapshot!(print(&steps, Shell::PowerShell).join("\n"), @r#"
        pip install torch==2.7.1+cu128 "numpy<2" "jax[cuda12]"
        $env:TORCH_CUDA_ARCH_LIST = "8.0;9.0"; python setup.py
        & "/opt/my env/bin/python" 'it''s $(here) `now` "x" %A% ${IFS} \ é'
        $env:CUDA_HOME = "/opt/cuda 12"
        Remove-Item Env:LD_LIBRARY_PATH -ErrorAction Ignore
        $env:PATH = "/usr/local/cuda/bin;" + $env:PATH
        $env:PATH = '/opt/$x/bin;' + $env:PATH
        "#);
        assert_eq!(steps[0].words(), ["pip", "install", "torch==2.7.1+cu128", "numpy<2", "jax[cuda12]"]);
        assert_eq!(steps[1].words(), ["env", "TORCH_CUDA_ARCH_LIST=8.0;9.0", "python", "setup.py"]);
        assert_eq!(steps[5].words(), ["export", "PATH=/usr/local/cuda/bin${PATH:+:$PATH}"]);
    }

    #[test]
    fn what_waits_for_another_step_stands_behind_it() {
        let call = |words: &[&str]| Step::run(words.iter().copied()).expect("no control characters");
        let steps = [
            call(&["pip", "install", "numpy<2"]),
            call(&["pip", "uninstall", "-y", "a"]).then(),
            call(&["pip", "check"]),
        ];
        let chained = "pip install \"numpy<2\" && pip uninstall -y a";
        assert_eq!(print(&steps, Shell::Sh), [chained, "pip check"]);
        let guarded = "pip install \"numpy<2\"; if ($?) { pip uninstall -y a }";
        assert_eq!(print(&steps, Shell::PowerShell), [guarded, "pip check"]);
        let argv = argv(&steps);
        assert_eq!((argv[0].as_slice(), argv[1].len()), (["sh", "-c", chained].map(str::to_owned).as_slice(), 2));
        let narrow = ["pip install \\", "  \"numpy<2\" &&", "pip uninstall \\", "  -y a", "pip check"];
        assert_eq!(lines(&steps, Shell::Sh, 20), narrow);
    }

    #[test]
    fn what_may_not_enter_a_command_makes_none() {
        assert_eq!(Step::run(["rm", "a\nb"]), None);
        assert_eq!(Step::run(["rm", "a\u{1b}[2K"]), None);
        assert_eq!(Step::run(["rm", "\u{202e}gpj.exe"]), None);
        assert_eq!(Step::run([] as [&str; 0]), None);
        assert_eq!(Step::set("A B", "c"), None);
        assert_eq!(Step::set("A", "b\0"), None);
        assert_eq!(Step::unset("A;reboot"), None);
    }
}
