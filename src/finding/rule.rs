//! A rule: one thing that a check can find, declared once, beside its judgement.
//!
//! What else is said of it derives from the declaration: its family, what `gpudoc explain` and SARIF tell, the lists in the
//! documentation. `check::registry` holds all of them.

use std::cmp::Ordering;
use std::fmt;

use super::{Finding, Kind, Severity};

/// One thing that a check can find. Made by `rule!`.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Of its findings, with a slot for each subject: `gpu-arch/{package}`. Several rules may share one: what they find is
    /// one thing to whoever reads or ignores it.
    pub id: &'static str,
    /// The family.
    pub kind: Kind,
    /// How bad its findings are, if nothing makes them better or worse.
    pub severity: Severity,
    /// One line: what is found.
    pub line: &'static str,
    /// What it means, how it is known and what to do: paragraphs, each line of them with a space in front.
    pub page: &'static str,
    /// The first release of gpudoc that had it.
    pub since: &'static str,
    /// The facts that it is judged on.
    pub needs: &'static [Fact],
}

/// A group of facts that a rule is judged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// Operating system, kernel, machine type, C library.
    System,
    /// Kernel module, libcuda, NVML and their versions.
    Driver,
    /// Models and compute capabilities.
    Gpus,
    /// Memory, errors, clocks, modes of each GPU.
    GpuState,
    /// What the dynamic loader finds, and where.
    Loader,
    /// nvcc, compilers, headers.
    Toolkits,
    /// The interpreter.
    Python,
    /// The installed distributions and what they declare.
    Distributions,
    /// For which CUDA, torch and GPUs the installed builds were made.
    Builds,
    /// The installed libraries: code for GPUs, symbols, needed libraries.
    Libraries,
    /// Environment variables.
    Environment,
    /// Limits and file systems.
    Limits,
    /// The kernel's log.
    Log,
    /// What the project says of its work.
    Project,
    /// The words of a pasted report.
    Report,
}

impl Fact {
    /// In words, e.g. `the installed builds`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::System => "the operating system",
            Self::Driver => "the driver",
            Self::Gpus => "the GPUs",
            Self::GpuState => "the state of the GPUs",
            Self::Loader => "what the loader finds",
            Self::Toolkits => "toolkits and compilers",
            Self::Python => "the interpreter",
            Self::Distributions => "the installed distributions",
            Self::Builds => "the installed builds",
            Self::Libraries => "the installed libraries",
            Self::Environment => "environment variables",
            Self::Limits => "limits and disks",
            Self::Log => "the kernel's log",
            Self::Project => "what the project says",
            Self::Report => "the words of a report",
        }
    }
}

impl Rule {
    /// A finding of this rule about these subjects, one for each slot of its id, with its title: one line, subject, need,
    /// observation. The rest is added by the methods of [`Finding`].
    #[must_use]
    pub fn found(&'static self, subjects: &[&str], title: impl Into<String>) -> Finding {
        Finding {
            id: self.of(subjects),
            kind: self.kind,
            severity: self.severity,
            title: title.into(),
            message: String::new(),
            packages: Vec::new(),
            gpus: Vec::new(),
            evidence: Vec::new(),
            remedies: Vec::new(),
            references: Vec::new(),
        }
    }

    /// Whether the id begins with the family's name, `gpu-arch/{package}`; what a message or an advisory tells has a name of its own.
    #[must_use]
    pub fn is_named_after_its_family(&self) -> bool {
        self.id.starts_with(self.kind.name())
    }

    /// The id of a finding about these subjects.
    #[must_use]
    pub fn of(&'static self, subjects: &[&str]) -> Id {
        debug_assert_eq!(subjects.len(), self.id.matches('{').count(), "subjects of {}", self.id);
        Id { rule: self, subjects: subjects.iter().map(|subject| (*subject).to_owned()).collect() }
    }

    /// An id that is written out, if it can be of this rule: `gpu-arch/torch` of `gpu-arch/{package}`.
    #[must_use]
    pub fn reads(&'static self, id: &str) -> Option<Id> {
        Some(self.of(&self.subjects_of(id)?))
    }

    /// The texts in the slots of an id that is written out.
    fn subjects_of<'t>(&self, id: &'t str) -> Option<Vec<&'t str>> {
        let mut parts = self.id.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
        let mut rest = id.strip_prefix(parts.next()?)?;
        let mut subjects = Vec::new();
        let mut parts = parts.peekable();
        while let Some(part) = parts.next() {
            let end = match (part.is_empty(), parts.peek()) {
                (true, None) => rest.len(),
                (true, Some(_)) => return None,
                (false, None) => rest
                    .len()
                    .checked_sub(part.len())
                    .filter(|end| rest.is_char_boundary(*end) && rest[*end..] == *part)?,
                (false, Some(_)) => rest.find(part)?,
            };
            if end == 0 {
                return None;
            }
            subjects.push(&rest[..end]);
            rest = &rest[end + part.len()..];
        }
        rest.is_empty().then_some(subjects)
    }
}

/// Which rule a finding is of, and about what. Ids are equal if their texts are.
#[derive(Clone)]
pub struct Id {
    rule: &'static Rule,
    subjects: Vec<String>,
}

impl Id {
    /// The rule.
    #[must_use]
    pub fn rule(&self) -> &'static Rule {
        self.rule
    }

    /// Whether a finding is of this rule.
    #[must_use]
    pub fn is(&self, rule: &Rule) -> bool {
        std::ptr::eq(self.rule, rule)
    }

    /// What it is about, in the order of the slots, e.g. `torch` of `gpu-arch/torch`.
    pub fn subjects(&self) -> impl Iterator<Item = &str> {
        self.subjects.iter().map(String::as_str)
    }

    /// The first of them.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subjects().next()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut subjects = self.subjects();
        for (number, part) in self.rule.id.split('{').enumerate() {
            match part.split_once('}').filter(|_| number > 0) {
                Some((_, rest)) => write!(f, "{}{rest}", subjects.next().unwrap_or_default())?,
                None => f.write_str(part)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        if std::ptr::eq(self.rule, other.rule) { self.subjects == other.subjects } else { self.cmp(other).is_eq() }
    }
}

impl Eq for Id {}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        self.to_string().cmp(&other.to_string())
    }
}

impl serde::Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Declares a [`Rule`]; its doc comment is its page, the first line the short form.
///
/// ```ignore
/// rule! {
///     /// A build of torch without GPU code on a machine with a GPU.
///     ///
///     /// What it means, how it is known, what to do …
///     pub CPU_BUILD = "cpu-build/{package}": CpuBuild, Fail, since "0.1.0", judged on [Gpus, Builds];
/// }
/// ```
///
/// `…, judged on [Gpus, Builds], by check;` names the function that finds it by itself, from the context alone; without, the family
/// calls it with what its rules share.
macro_rules! rule {
    (
        #[doc = $line:literal]
        $(#[doc = $page:literal])*
        $vis:vis $name:ident = $id:literal: $kind:ident, $severity:ident, since $since:literal, judged on [$($fact:ident),* $(,)?]
        $(, by $judge:ident)?;
    ) => {
        #[doc = $line]
        $(#[doc = $page])*
        $vis static $name: $crate::finding::Rule = $crate::finding::Rule {
            id: $id,
            kind: $crate::finding::Kind::$kind,
            severity: $crate::finding::Severity::$severity,
            line: $line,
            page: concat!($($page, "\n"),*),
            since: $since,
            needs: &[$($crate::finding::Fact::$fact),*],
        };
        $(const _: () = { let _ = $judge; };)?
    };
}

pub(crate) use rule;

#[cfg(test)]
mod tests {
    use super::*;

    rule! {
        /// Something.
        PAIR = "requirement/{package}/{other}": Requirement, Warn, since "0.1.0", judged on [Distributions];
    }
    rule! {
        /// Something in a place.
        FILES = "cuda-libs/{package}/files": CudaLibs, Warn, since "0.1.0", judged on [];
    }
    rule! {
        /// Something else.
        WHOLE = "system/shm": System, Warn, since "0.1.0", judged on [];
    }

    #[test]
    fn an_id_is_its_pattern_filled() {
        assert_eq!(PAIR.of(&["torch", "numpy"]).to_string(), "requirement/torch/numpy");
        assert_eq!(FILES.of(&["torch"]).to_string(), "cuda-libs/torch/files");
        assert_eq!(WHOLE.of(&[]).to_string(), "system/shm");
        assert_eq!(PAIR.of(&["torch", "numpy"]).subject(), Some("torch"));
    }

    fn has(rule: &'static Rule, id: &str) -> bool {
        rule.reads(id).is_some_and(|read| read.to_string() == id)
    }

    #[test]
    fn a_text_is_an_id_of_its_rule_only() {
        assert!(has(&PAIR, "requirement/torch/numpy"));
        assert!(
            !has(&PAIR, "requirement/torch") && !has(&PAIR, "requirement/torch/") && !has(&PAIR, "pairing/torch/numpy")
        );
        assert!(
            has(&FILES, "cuda-libs/torch/files") && !has(&FILES, "cuda-libs/torch") && !has(&FILES, "cuda-libs//files")
        );
        assert!(has(&WHOLE, "system/shm") && !has(&WHOLE, "system/shm/x"));
    }
}
