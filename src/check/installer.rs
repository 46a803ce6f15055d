//! The tool that an environment belongs to, and how it is called.
//!
//! The owner is what would undo, or refuse, what another tool does: `uv sync` takes out what `uv pip install` put into a
//! project's environment, and a system's Python lets pip install nothing (PEP 668), so that an environment is made beside it.

use crate::facts::{Distribution, Facts, Origin, Python, TORCH};
use crate::rules::machine::is_same_in_conda;
use crate::rules::requirement::name_of;
use crate::step::{self, Step};

/// Where an environment is made beside a system's Python.
const BESIDE: &str = ".venv";
const BESIDE_PYTHON: &str = ".venv/bin/python";

/// Whose an environment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner<'f> {
    /// pip's, in it.
    Pip,
    /// uv's: there may be no pip in it.
    Uv,
    /// A project's that uv locks, in this folder.
    UvProject(&'f str),
    /// A project's that poetry locks, in this folder.
    Poetry(&'f str),
    /// pipx's, of this application.
    Pipx(&'f str),
    /// `uv tool`'s, of this application.
    UvTool(&'f str),
    /// The system's, which is closed to pip.
    System,
}

/// An installer with the environment that it is to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installer<'f> {
    owner: Owner<'f>,
    /// The environment's interpreter.
    python: Option<&'f str>,
    /// What conda installed.
    conda: Vec<&'f str>,
    prefix: &'f str,
    windows: bool,
    /// All distributions are known, and pip is none of them.
    lacks_pip: bool,
}

impl<'f> Installer<'f> {
    /// Of an environment, by the folders around it, then by what installed torch, then by what installed anything.
    #[must_use]
    pub fn of(facts: &'f Facts) -> Self {
        let python = facts.python.value();
        let by_conda = |it: &&Distribution| it.installer.value().is_some_and(|installer| installer == "conda");
        // A report that says what conda installed need not tell of the Python.
        let told = facts.origin == Origin::Report && python.is_none();
        let is_conda = told || python.is_some_and(|python| python.management.conda);
        let conda = facts.distributions.iter().filter(by_conda).map(|it| it.name.as_str()).filter(|_| is_conda);
        Self {
            owner: python.and_then(owner).unwrap_or_else(|| if by_uv(facts) { Owner::Uv } else { Owner::Pip }),
            python: python.and_then(|python| python.executable.value()).map(String::as_str),
            conda: conda.collect(),
            prefix: python.map_or("", |python| &python.prefix),
            lacks_pip: facts.origin == Origin::Host && facts.distribution("pip").is_none(),
            windows: facts.system.is_windows(),
        }
    }

    /// Whether conda installed a distribution in an environment of its own.
    #[must_use]
    pub fn is_condas(&self, name: &str) -> bool {
        self.owner == Owner::Pip && self.conda.contains(&name)
    }

    /// Installs by conda, in its own words: `numpy<2`, `pytorch=2.7.1=cuda*`; into the environment that is active where nothing
    /// tells its folder.
    #[must_use]
    pub fn by_conda(&self, specs: &[String]) -> Option<Step> {
        if specs.is_empty() {
            return None;
        }
        let place = Some(["--prefix", self.prefix]).filter(|_| self.prefix.starts_with('/'));
        let words = ["conda", "install", "--yes"].into_iter().chain(place.into_iter().flatten());
        Step::run(words.chain(["-c", "conda-forge"]).chain(specs.iter().map(String::as_str)))
    }

    /// Installs requirements; none where one is not of PEP 508 (`torch==1.0$(touch P)`), or there are none.
    #[must_use]
    pub fn install(&self, options: &[&str], requirements: &[String]) -> Option<Step> {
        let lines: Vec<String> = requirements.iter().map(|line| step::requirement(line)).collect::<Option<_>>()?;
        if lines.is_empty() {
            return None;
        }
        let is_condas = |line: &String| {
            let name = name_of(line);
            self.is_condas(name) && name != TORCH && is_same_in_conda(name) && !line.contains([';', '[', '@', ' '])
        };
        if options.is_empty() && lines.iter().all(is_condas) {
            return self.by_conda(&lines);
        }
        // A project's own command resolves and locks: it repairs and compiles nothing.
        let own = if options.is_empty() { self.add(&lines) } else { None };
        let words = || self.words("install").into_iter().chain(options.iter().map(|it| (*it).to_owned())).chain(lines);
        own.or_else(|| Step::run(words()))
    }

    /// The same beside other indexes, given by their URLs. Poetry is told of an index first, and then what comes from there.
    #[must_use]
    pub fn install_from(&self, requirements: &[String], indexes: &[String]) -> Vec<Step> {
        if let Owner::Poetry(folder) = self.owner
            && !indexes.is_empty()
        {
            return self
                .with_sources(folder, requirements, indexes)
                .unwrap_or_else(|| Self { owner: Owner::Pip, ..self.clone() }.install_from(requirements, indexes));
        }
        let Some(step) = self.install(&[], requirements) else { return Vec::new() };
        let option = match self.owner {
            Owner::UvProject(_) | Owner::UvTool(_) => "--index",
            _ => "--extra-index-url",
        };
        let with = |step: Step, index: &String| step.and(option)?.and(index);
        let urls = || indexes.iter().filter(|url| url.starts_with("http"));
        let step = if urls().count() == indexes.len() { urls().try_fold(step, with) } else { None };
        step.into_iter().collect()
    }

    /// `poetry source add` for each index by its label, `poetry add --source` for the builds with that label, and `poetry add` for
    /// the rest; none where an index serves no label that is asked for. As poetry's documentation has it for PyTorch
    /// (docs/repositories.md, Explicit Package Sources).
    fn with_sources(&self, folder: &str, requirements: &[String], indexes: &[String]) -> Option<Vec<Step>> {
        let lines: Vec<String> = requirements.iter().map(|line| step::requirement(line)).collect::<Option<_>>()?;
        let label = |line: &String| line.split_once('+').map(|(_, label)| label.to_owned());
        let poetry = ["poetry", "--directory", folder];
        let mut steps = Vec::new();
        for index in indexes.iter().filter(|url| url.starts_with("http")) {
            let name = index.trim_end_matches('/').rsplit('/').next()?;
            let own: Vec<&str> =
                lines.iter().filter(|line| label(line).as_deref() == Some(name)).map(String::as_str).collect();
            if own.is_empty() {
                return None;
            }
            let source = format!("pytorch-{name}");
            let known = ["source", "add", "--priority=explicit", &source, index];
            steps.push(Step::run(poetry.into_iter().chain(known))?);
            steps.push(Step::run(poetry.into_iter().chain(["add", "--source", &source]).chain(own))?);
        }
        let served = |line: &&String| {
            indexes.iter().any(|index| Some(index.rsplit('/').next().unwrap_or_default()) == label(line).as_deref())
        };
        let others: Vec<String> = lines.iter().filter(|line| !served(line)).cloned().collect();
        steps.extend(self.install(&[], &others));
        Some(steps)
    }

    /// Whether its command writes down what it installs, and takes no option of pip's.
    #[must_use]
    pub fn is_projects(&self) -> bool {
        matches!(self.owner, Owner::UvProject(_) | Owner::Poetry(_) | Owner::UvTool(_))
    }

    /// Installs what is there once more, and nothing that it requires: pins in, e.g. `numpy==2.3.5`; none as of [`Self::install`].
    #[must_use]
    pub fn again(&self, pins: &[String]) -> Option<Step> {
        self.install(&["--force-reinstall", "--no-deps"], pins)
    }

    /// Removes distributions without asking; none where one has no name of PEP 508, where there are none, and where they are the
    /// system's.
    #[must_use]
    pub fn uninstall(&self, names: &[&str]) -> Option<Step> {
        if self.owner == Owner::System || names.is_empty() {
            return None;
        }
        let checked: Vec<String> = names.iter().map(|name| step::requirement(name)).collect::<Option<_>>()?;
        let condas = names.iter().all(|name| self.conda.contains(name) && *name != TORCH);
        if condas {
            let place = Some(["--prefix", self.prefix]).filter(|_| self.prefix.starts_with('/'));
            let words = ["conda", "remove", "--yes"].into_iter().chain(place.into_iter().flatten()).map(str::to_owned);
            return Step::run(words.chain(checked));
        }
        Step::run(self.words("uninstall").into_iter().chain(checked))
    }

    /// An environment for one application alone, in the working folder, with what is asked of it; nothing where that has no name
    /// of PEP 508.
    #[must_use]
    pub fn beside(&self, name: &str, requirement: &str) -> Vec<Step> {
        let (Some(name), Some(requirement)) = (step::requirement(name), step::requirement(requirement)) else {
            return Vec::new();
        };
        let folder = format!(".venv-{name}");
        let python = if self.windows { format!("{folder}\\Scripts\\python") } else { format!("{folder}/bin/python") };
        let by_uv = matches!(self.owner, Owner::Uv | Owner::UvProject(_) | Owner::UvTool(_));
        let steps = if by_uv {
            [Step::run(["uv", "venv", &folder]), Step::run(["uv", "pip", "install", "--python", &python, &requirement])]
        } else {
            let base = self.python.unwrap_or("python");
            [Step::run([base, "-m", "venv", &folder]), Step::run([&python, "-m", "pip", "install", &requirement])]
        };
        steps.into_iter().flatten().collect()
    }

    /// The words that stand for `pip SUBCOMMAND`, with the option for going ahead unasked where it would ask.
    #[must_use]
    pub fn words(&self, subcommand: &'static str) -> Vec<String> {
        let pip = |python: Option<&'f str>| match python {
            Some(python) => vec![python, "-m", "pip", subcommand],
            None => vec!["pip", subcommand],
        };
        let (words, asks) = match (self.owner, self.python) {
            (Owner::Uv | Owner::UvProject(_) | Owner::UvTool(_), Some(python)) => {
                (vec!["uv", "pip", subcommand, "--python", python], false)
            }
            (Owner::Uv | Owner::UvProject(_) | Owner::UvTool(_), None) => (vec!["uv", "pip", subcommand], false),
            (Owner::Pipx(name), _) => (vec!["pipx", "runpip", name, subcommand], true),
            (Owner::System, _) => (pip(Some(BESIDE_PYTHON)), true),
            (Owner::Pip | Owner::Poetry(_), python) => (pip(python), true),
        };
        let yes = (asks && subcommand == "uninstall").then_some("-y");
        words.into_iter().chain(yes).map(str::to_owned).collect()
    }

    /// Steps with what must be there before them: beside a system's Python an environment that sees its packages, and pip itself
    /// where the environment has none.
    #[must_use]
    pub fn prepared(&self, mut steps: Vec<Step>) -> Vec<Step> {
        let is_beside = |step: &Step| step.words().iter().any(|word| word == BESIDE_PYTHON);
        let is_made = |step: &Step| step.words().last().is_some_and(|word| word == BESIDE);
        if self.owner == Owner::System && steps.iter().any(is_beside) && !steps.iter().any(is_made) {
            let python = self.python.unwrap_or("python3");
            let make = Step::run([python, "-m", "venv", "--system-site-packages", BESIDE]);
            steps.splice(0..0, make);
        }
        let is_told = steps.iter().any(|step| step.words().iter().any(|word| word == "ensurepip"));
        let Some(python) = self.python.filter(|_| self.lacks_pip && !is_told) else { return steps };
        let is_pip = |step: &Step| matches!(step.words().as_slice(), [own, m, pip, ..] if own == python && m == "-m" && pip == "pip");
        if let Some(first) = steps.iter().position(is_pip) {
            steps.splice(first..first, Step::run([python, "-m", "ensurepip"]));
        }
        steps
    }

    /// The command that also writes down what it installs; none where the owner keeps no list.
    fn add(&self, lines: &[String]) -> Option<Step> {
        let words = match self.owner {
            Owner::UvProject(folder) => vec!["uv", "add", "--project", folder],
            Owner::Poetry(folder) => vec!["poetry", "--directory", folder, "add"],
            Owner::UvTool(name) => {
                // Its own requirement is the argument, the others come with it.
                let is_own = |line: &&String| line.split(['=', '<', '>', '~', '!', '[', ' ']).next() == Some(name);
                let own = lines.iter().find(is_own).map_or(name, String::as_str);
                let others = lines.iter().filter(|line| line.as_str() != own);
                let with = others.flat_map(|line| ["--with", line.as_str()]);
                return Step::run(["uv", "tool", "install", own].into_iter().chain(with));
            }
            _ => return None,
        };
        Step::run(words.into_iter().chain(lines.iter().map(String::as_str)))
    }
}

/// What the folders tell; none where they tell nothing.
fn owner(python: &Python) -> Option<Owner<'_>> {
    let management = &python.management;
    let application = |marker: &str| {
        let (_, name) = python.prefix.split_once(marker)?;
        // A name of PEP 508, without anything after it.
        (step::pin(name, "0").is_some()).then_some(name)
    };
    if let Some(name) = application("/pipx/venvs/") {
        return Some(Owner::Pipx(name));
    }
    if let Some(name) = application("/uv/tools/") {
        return Some(Owner::UvTool(name));
    }
    if let Some(project) = &management.project {
        return match project.lock.as_str() {
            "uv.lock" => Some(Owner::UvProject(&project.folder)),
            _ => Some(Owner::Poetry(&project.folder)),
        };
    }
    management.external.then_some(Owner::System)
}

/// uv where that installed torch, or where there is no pip and it installed anything or made the environment.
fn by_uv(facts: &Facts) -> bool {
    let is_uvs = |it: &Distribution| it.installer.value().is_some_and(|installer| installer == "uv");
    let made = facts.python.value().is_some_and(|python| python.management.uv.is_some());
    let without_pip = facts.distribution("pip").is_none();
    match facts.distribution(TORCH).filter(|torch| torch.installer.value().is_some()) {
        Some(torch) => is_uvs(torch) || (made && without_pip),
        None => without_pip && (made || facts.distributions.iter().any(is_uvs)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Locked, Management, PythonImplementation, Reading};
    use crate::step::{Shell, print};

    fn facts(prefix: &str, management: Management) -> Facts {
        let mut facts = Facts::unknown(Origin::Host);
        let python = Python {
            executable: Reading::host(format!("{prefix}/bin/python"), "PATH"),
            prefix: prefix.to_owned(),
            base_prefix: Reading::Unknown,
            version: Reading::Unknown,
            implementation: PythonImplementation::CPython,
            free_threaded: false,
            bits: Reading::Unknown,
            chosen_by: "PATH".to_owned(),
            path: Vec::new(),
            management,
            place: crate::facts::Place::default(),
        };
        facts.python = Reading::host(python, "PATH");
        facts.distributions = [("nccl", "conda"), ("pip", "pip")]
            .map(|(name, installer)| Distribution {
                name: name.to_owned(),
                installer: Reading::metadata(installer.to_owned(), "INSTALLER"),
                ..Distribution::default()
            })
            .to_vec();
        facts
    }

    /// An installation from an index, a repair, and a removal.
    fn told(facts: &Facts) -> String {
        let installer = Installer::of(facts);
        let index = "https://download.pytorch.org/whl/cu128".to_owned();
        let steps = [
            installer.install_from(&["torch==2.7.1+cu128".to_owned(), "numpy<2".to_owned()], &[index]),
            installer.again(&["torch==2.7.1".to_owned()]).into_iter().collect(),
            installer.uninstall(&["nccl"]).into_iter().collect(),
        ];
        print(&installer.prepared(steps.concat()), Shell::Sh).join("\n")
    }

    #[test]
    fn the_owner_of_the_environment_is_called() {
        let lock = |lock: &str| Management {
            project: Some(Locked { folder: "/app".to_owned(), lock: lock.to_owned() }),
            ..Management::default()
        };
        let none = Management::default;
        insta::assert_snapshot!(told(&facts("/v", none())), @r#"
        /v/bin/python -m pip install torch==2.7.1+cu128 "numpy<2" --extra-index-url https://download.pytorch.org/whl/cu128
        /v/bin/python -m pip install --force-reinstall --no-deps torch==2.7.1
        /v/bin/python -m pip uninstall -y nccl
        "#);
        insta::assert_snapshot!(told(&facts("/app/.venv", lock("uv.lock"))), @r#"
        uv add --project /app torch==2.7.1+cu128 "numpy<2" --index https://download.pytorch.org/whl/cu128
        uv pip install --python /app/.venv/bin/python --force-reinstall --no-deps torch==2.7.1
        uv pip uninstall --python /app/.venv/bin/python nccl
        "#);
        insta::assert_snapshot!(told(&facts("/app/.venv", lock("poetry.lock"))), @r#"
        poetry --directory /app source add --priority=explicit pytorch-cu128 https://download.pytorch.org/whl/cu128
        poetry --directory /app add --source pytorch-cu128 torch==2.7.1+cu128
        poetry --directory /app add "numpy<2"
        /app/.venv/bin/python -m pip install --force-reinstall --no-deps torch==2.7.1
        /app/.venv/bin/python -m pip uninstall -y nccl
        "#);
        insta::assert_snapshot!(told(&facts("/home/a/.local/share/pipx/venvs/vllm", none())), @r#"
        pipx runpip vllm install torch==2.7.1+cu128 "numpy<2" --extra-index-url https://download.pytorch.org/whl/cu128
        pipx runpip vllm install --force-reinstall --no-deps torch==2.7.1
        pipx runpip vllm uninstall -y nccl
        "#);
        insta::assert_snapshot!(told(&facts("/home/a/.local/share/uv/tools/torch", none())), @r#"
        uv tool install torch==2.7.1+cu128 --with "numpy<2" --index https://download.pytorch.org/whl/cu128
        uv pip install --python /home/a/.local/share/uv/tools/torch/bin/python --force-reinstall --no-deps torch==2.7.1
        uv pip uninstall --python /home/a/.local/share/uv/tools/torch/bin/python nccl
        "#);
        insta::assert_snapshot!(told(&facts("/opt/conda", Management { conda: true, ..none() })), @r#"
        /opt/conda/bin/python -m pip install torch==2.7.1+cu128 "numpy<2" --extra-index-url https://download.pytorch.org/whl/cu128
        /opt/conda/bin/python -m pip install --force-reinstall --no-deps torch==2.7.1
        conda remove --yes --prefix /opt/conda nccl
        "#);
        // What conda installed under its own name, conda replaces.
        let conda = facts("/opt/conda", Management { conda: true, ..none() });
        let condas = Installer::of(&conda).install(&[], &["nccl<3".to_owned()]);
        let shown = condas.map(|step| step.print(Shell::Sh));
        assert_eq!(shown.as_deref(), Some("conda install --yes --prefix /opt/conda -c conda-forge \"nccl<3\""));
        let system = told(&facts("/usr", Management { external: true, ..none() }));
        insta::assert_snapshot!(system, @r#"
        /usr/bin/python -m venv --system-site-packages .venv
        .venv/bin/python -m pip install torch==2.7.1+cu128 "numpy<2" --extra-index-url https://download.pytorch.org/whl/cu128
        .venv/bin/python -m pip install --force-reinstall --no-deps torch==2.7.1
        "#);
        assert!(
            system.starts_with("/usr/bin/python -m venv --system-site-packages .venv\n") && !system.contains("break")
        );
        // Nobody's tool made it, and there is no pip in it.
        let mut bare = facts("/v", none());
        bare.distributions.truncate(1);
        insta::assert_snapshot!(told(&bare), @r#"
        /v/bin/python -m ensurepip
        /v/bin/python -m pip install torch==2.7.1+cu128 "numpy<2" --extra-index-url https://download.pytorch.org/whl/cu128
        /v/bin/python -m pip install --force-reinstall --no-deps torch==2.7.1
        /v/bin/python -m pip uninstall -y nccl
        "#);
        assert_eq!(told(&bare).matches("ensurepip").count(), 1);
        // uv made it, and there is no pip to call.
        let mut facts = facts("/v", Management { uv: Some("0.9.5".to_owned()), ..none() });
        facts.distributions.clear();
        assert_eq!(Installer::of(&facts).words("list"), ["uv", "pip", "list", "--python", "/v/bin/python"]);
    }
}
