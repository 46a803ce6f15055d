//! Does an advisory apply to an environment?

use super::obstacle::python_version;
use super::target::Target;
use crate::finding::Severity;
use crate::pep::Version;
use crate::rules::schema::{Advisory, Condition, GpuClass, Level, Range};
use crate::version::{CudaVersion, DriverVersion};

/// What the conditions of advisories are asked about.
pub struct Environment<'a> {
    /// Installed distributions by normalised name; the full version with its local label.
    pub installed: &'a dyn Fn(&str) -> Option<Version>,
    /// torch's CUDA runtime.
    pub cuda: Option<CudaVersion>,
    /// The host.
    pub target: &'a Target,
    /// What the project says it uses, e.g. `torch.compile`.
    pub workload: &'a [String],
    /// The messages of advisories that were seen in an error text, see [`crate::rules::RuleDb::heard_in`].
    pub messages: &'a [&'a str],
}

/// How an advisory matched: what there is, for evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Installed distributions that the condition names, with the versions and what was required of them.
    pub installed: Vec<(String, String, String)>,
    /// Indices into `Target::gpus` of the GPUs that it concerns; empty where it concerns none in particular.
    pub gpus: Vec<usize>,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Fail => Self::Fail,
            Level::Warn => Self::Warn,
            Level::Info => Self::Info,
        }
    }
}

/// The first symptom of an advisory among messages that were seen.
#[must_use]
pub fn symptom<'a>(advisory: &'a Advisory, messages: &[&str]) -> Option<&'a str> {
    advisory.symptoms.iter().map(String::as_str).find(|text| messages.contains(text))
}

/// Whether an advisory applies; unknown facts make a condition fail.
#[must_use]
pub fn applies(advisory: &Advisory, environment: &Environment<'_>) -> Option<Match> {
    let heard = symptom(advisory, environment.messages).is_some();
    if advisory.needs_symptom && !heard {
        return None;
    }
    advisory.when.iter().find_map(|condition| {
        // Who quotes the message does what it is about.
        if heard && !condition.workload.is_empty() {
            return holds(&Condition { workload: Vec::new(), ..condition.clone() }, environment);
        }
        holds(condition, environment)
    })
}

/// Whether all terms of a condition hold.
#[must_use]
pub fn holds(condition: &Condition, environment: &Environment<'_>) -> Option<Match> {
    let target = environment.target;
    let mut installed = Vec::new();
    for line in &condition.installed {
        let (name, range) = (line.name()?, line.range()?);
        let version = (environment.installed)(name)?;
        if !range.contains(&version) {
            return None;
        }
        installed.push((name.to_owned(), version.to_string(), range.to_string()));
    }
    if condition.absent.iter().any(|name| (environment.installed)(name).is_some()) {
        return None;
    }
    if !condition.workload.iter().all(|item| environment.workload.contains(item)) {
        return None;
    }
    let terms = [
        (&condition.cuda, environment.cuda.map(of_cuda)),
        (&condition.driver, target.driver.as_ref().map(of_driver)),
        (&condition.python, target.python.map(python_version)),
    ];
    for (range, version) in terms {
        if range.as_ref().is_some_and(|range| !version.is_some_and(|version| range.has(&version))) {
            return None;
        }
    }
    if condition.free_threaded.is_some_and(|wanted| target.python.is_none() || target.free_threaded != wanted) {
        return None;
    }
    if let Some(platform) = &condition.platform
        && !target.platform.as_ref()?.starts_with(platform.as_str())
    {
        return None;
    }
    if condition.gpus.is_some_and(|least| target.gpus.len() < least as usize) {
        return None;
    }
    let mut gpus = Vec::new();
    if condition.capability.is_some() || !condition.class.is_empty() {
        for (index, gpu) in target.gpus.iter().enumerate() {
            let by_class =
                condition.class.is_empty() || gpu.class.is_some_and(|class: GpuClass| condition.class.contains(&class));
            let within = |range: &Range| range.has(&numbers([gpu.capability.major, gpu.capability.minor]));
            if by_class && condition.capability.as_ref().is_none_or(within) {
                gpus.push(index);
            }
        }
        if gpus.is_empty() {
            return None;
        }
    }
    Some(Match { installed, gpus })
}

/// Whether a condition holds, does not, or cannot be told for lack of a fact. `whole` is that all that is installed is known.
#[must_use]
pub fn judge(condition: &Condition, environment: &Environment<'_>, whole: bool) -> Option<bool> {
    let target = environment.target;
    let mut unknown = false;
    let mut terms: Vec<Option<bool>> = Vec::new();
    for line in &condition.installed {
        let Some(name) = line.name() else { continue };
        terms.push(match (environment.installed)(name) {
            Some(version) => line.range().map(|range| range.contains(&version)),
            None => whole.then_some(false),
        });
    }
    for name in &condition.absent {
        terms.push((environment.installed)(name).map(|_| false).or(whole.then_some(true)));
    }
    let within = |range: &Range, version: Option<Version>| version.map(|version| range.has(&version));
    terms.extend(condition.cuda.as_ref().map(|range| within(range, environment.cuda.map(of_cuda))));
    terms.extend(condition.driver.as_ref().map(|range| within(range, target.driver.as_ref().map(of_driver))));
    terms.extend(condition.python.as_ref().map(|range| within(range, target.python.map(python_version))));
    terms.extend(condition.free_threaded.map(|wanted| target.python.map(|_| target.free_threaded == wanted)));
    let platform = target.platform.as_ref();
    terms.extend(condition.platform.as_ref().map(|text| platform.map(|platform| platform.starts_with(text.as_str()))));
    if condition.gpus.is_some() || condition.capability.is_some() || !condition.class.is_empty() {
        let gpus = Condition {
            gpus: condition.gpus,
            capability: condition.capability.clone(),
            class: condition.class.clone(),
            ..Condition::default()
        };
        terms.push((!target.gpus.is_empty()).then(|| holds(&gpus, environment).is_some()));
    }
    for term in terms {
        match term {
            Some(false) => return Some(false),
            Some(true) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(true)
}

/// A version of the field (driver, CUDA, compute capability) as PEP 440 has it.
fn numbers<const N: usize>(numbers: [u32; N]) -> Version {
    Version::new(numbers.map(u64::from))
}

/// A CUDA version as PEP 440 has it.
#[must_use]
pub fn of_cuda(cuda: CudaVersion) -> Version {
    numbers([cuda.major, cuda.minor])
}

/// Leading zeros (`580.65.06`) do not matter to PEP 440.
fn of_driver(driver: &DriverVersion) -> Version {
    numbers(driver.numbers())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::TargetGpu;
    use crate::rules::schema::Page;

    fn condition(toml: &str) -> Condition {
        toml::from_str(toml).unwrap()
    }

    /// torch 2.7.1+cu126 and triton 3.3.1 on an RTX 5090 and an H100, driver 570.133.20, Python 3.12.4.
    fn target() -> Target {
        let gpu = |label: &str, capability: &str, class| TargetGpu {
            label: label.to_owned(),
            name: label.to_owned(),
            index: None,
            capability: capability.parse().unwrap(),
            class: Some(class),
            memory: Vec::new(),
        };
        Target {
            gpus: vec![gpu("RTX 5090", "12.0", GpuClass::Geforce), gpu("H100", "9.0", GpuClass::Datacenter)],
            driver: Some("570.133.20".parse().unwrap()),
            python: Some("3.12.4".parse().unwrap()),
            platform: Some("linux_x86_64".to_owned()),
            ..Target::default()
        }
    }

    fn ask(toml: &str, target: &Target) -> Option<Match> {
        let installed = |name: &str| match name {
            "torch" => Some("2.7.1+cu126".parse().unwrap()),
            "triton" => Some("3.3.1".parse().unwrap()),
            _ => None,
        };
        let workload = ["torch.compile".to_owned()];
        let environment = Environment {
            installed: &installed,
            cuda: Some("12.6".parse().unwrap()),
            target,
            workload: &workload,
            messages: &[],
        };
        holds(&condition(toml), &environment)
    }

    fn holds_here(toml: &str) -> bool {
        ask(toml, &target()).is_some()
    }

    #[test]
    fn installed_names_what_there_is() {
        let found = ask(r#"installed = ["torch>=2.7,<2.8", "triton"]"#, &target()).unwrap();
        let torch = ("torch".to_owned(), "2.7.1+cu126".to_owned(), ">=2.7, <2.8".to_owned());
        assert_eq!(found.installed[0], torch);
        assert!(!holds_here(r#"installed = ["torch<2.7"]"#));
        assert!(!holds_here(r#"installed = ["torch", "xformers"]"#));
    }

    #[test]
    fn absent_refuses_what_there_is() {
        assert!(holds_here(r#"absent = ["torchcodec"]"#));
        assert!(!holds_here(r#"absent = ["triton"]"#));
    }

    #[test]
    fn cuda_is_that_of_torch() {
        assert!(holds_here(r#"cuda = ">=12.0,<13""#));
        assert!(!holds_here(r#"cuda = ">=13.0""#));
    }

    #[test]
    fn capability_and_class_are_of_one_gpu() {
        assert_eq!(ask(r#"capability = ">=10.0""#, &target()).unwrap().gpus, [0]);
        assert_eq!(ask(r#"class = ["datacenter"]"#, &target()).unwrap().gpus, [1]);
        assert!(!holds_here(r#"capability = "<8.0""#));
        assert!(!holds_here("capability = \">=10.0\"\nclass = [\"datacenter\"]"));
    }

    #[test]
    fn driver_is_the_kernel_driver() {
        assert!(holds_here(r#"driver = "<580""#));
        assert!(!holds_here(r#"driver = ">=575.51.03""#));
    }

    #[test]
    fn python_counts_its_micro_version() {
        assert!(holds_here(r#"python = ">=3.12,<3.13""#));
        assert!(!holds_here(r#"python = "<3.12.4""#));
        assert!(holds_here("free-threaded = false"));
        assert!(!holds_here("free-threaded = true"));
    }

    #[test]
    fn platform_is_a_prefix() {
        assert!(holds_here(r#"platform = "linux""#));
        assert!(!holds_here(r#"platform = "linux_aarch64""#));
    }

    #[test]
    fn gpus_is_the_least_number() {
        assert!(holds_here("gpus = 2"));
        assert!(!holds_here("gpus = 3"));
    }

    #[test]
    fn every_workload_must_be_declared() {
        assert!(holds_here(r#"workload = ["torch.compile"]"#));
        assert!(!holds_here(r#"workload = ["torch.compile", "distributed"]"#));
    }

    #[test]
    fn the_unknown_does_not_apply() {
        let nothing = Target::default();
        for toml in [
            r#"capability = ">=7.0""#,
            r#"class = ["geforce"]"#,
            r#"driver = "<580""#,
            r#"python = ">=3.8""#,
            "free-threaded = false",
            r#"platform = "linux""#,
            "gpus = 1",
        ] {
            assert!(ask(toml, &nothing).is_none(), "{toml}");
        }
    }

    #[test]
    fn a_symptom_is_needed_where_it_is_asked_for() {
        let advisory = Advisory {
            id: "GPUDOC-2026-0000".to_owned(),
            title: String::new(),
            story: String::new(),
            severity: Level::Info,
            kind: "advisory".to_owned(),
            date: "2026-11-21".to_owned(),
            withdrawn: None,
            import: None,
            when: vec![Condition::default()],
            symptoms: vec!["Weights only load failed".to_owned()],
            needs_symptom: true,
            one_of: Vec::new(),
            remedies: Vec::new(),
            references: Vec::<Page>::new(),
            examples: Vec::new(),
        };
        let target = Target::default();
        let seen = |messages: &[&str]| {
            let environment =
                Environment { installed: &|_| None, cuda: None, target: &target, workload: &[], messages };
            applies(&advisory, &environment).is_some()
        };
        assert!(!seen(&[]));
        assert!(!seen(&["another message"]));
        assert!(seen(&["Weights only load failed"]));
    }
}
