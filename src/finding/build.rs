//! How a finding is written down: its rule's [`found`](super::Rule::found), then what is special about this one.

use super::{Basis, Evidence, Finding, Kind, Remedy, Severity};

impl Finding {
    /// Better or worse than the rule usually is.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// Of another family than its rule: an advisory names its own.
    #[must_use]
    pub fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// What it means for the user, in a few sentences.
    #[must_use]
    pub fn message(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// The distributions involved; they are sorted.
    #[must_use]
    pub fn packages<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.packages = names.into_iter().map(Into::into).collect();
        self.packages.sort();
        self.packages.dedup();
        self
    }

    /// Indices of the GPUs involved.
    #[must_use]
    pub fn gpus(self, gpus: impl IntoIterator<Item = u32>) -> Self {
        Self { gpus: gpus.into_iter().collect(), ..self }
    }

    /// How it is known: further evidence.
    #[must_use]
    pub fn evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// What to do, best first: further remedies.
    #[must_use]
    pub fn remedies(mut self, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        self.remedies.extend(remedies);
        self
    }

    /// Pages to read.
    #[must_use]
    pub fn references<P: Into<String>>(mut self, pages: impl IntoIterator<Item = P>) -> Self {
        self.references.extend(pages.into_iter().map(Into::into));
        self
    }
}

impl Evidence {
    /// What an installed file shows: `("torch build", "2.7.1+cu126, machine code for sm_50 … sm_90")`.
    pub fn binary(fact: impl Into<String>, observed: impl Into<String>) -> Self {
        Self::of(Basis::Binary, fact, observed)
    }

    /// What a distribution declares: `("torch", "requires triton==3.2.0")`.
    pub fn metadata(fact: impl Into<String>, observed: impl Into<String>) -> Self {
        Self::of(Basis::Metadata, fact, observed)
    }

    /// What the machine shows: `("driver", "570.86.15")`.
    pub fn host(fact: impl Into<String>, observed: impl Into<String>) -> Self {
        Self::of(Basis::Host, fact, observed)
    }

    /// What a row of the rules says: `("oldest driver", "580.65.06 for CUDA 13.0")`.
    pub fn rule(fact: impl Into<String>, observed: impl Into<String>) -> Self {
        Self::of(Basis::Rule, fact, observed)
    }

    /// The same where the source decides.
    pub fn of(source: Basis, fact: impl Into<String>, observed: impl Into<String>) -> Self {
        Self { fact: fact.into(), observed: observed.into(), required: None, source, citation: None }
    }

    /// What it would have to be, e.g. `sm_120, or PTX up to compute_120`.
    #[must_use]
    pub fn required(self, required: impl Into<Option<String>>) -> Self {
        Self { required: required.into(), ..self }
    }

    /// The source itself, e.g. a file, a wheel with its hash, a page and the day it was read.
    #[must_use]
    pub fn cited(self, citation: impl Into<Option<String>>) -> Self {
        Self { citation: citation.into(), ..self }
    }
}
