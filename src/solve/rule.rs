/// A rule as the solver switches it on or off: what one line of a proof stands for. Numbers are places in the universe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rule {
    /// A line that the user wrote.
    Ask(usize),
    /// What releases of a package declare of another.
    Needs {
        /// The package that declares.
        package: usize,
        /// The package that it needs.
        on: usize,
    },
    /// A reason why builds of a package cannot be used at all.
    Block {
        /// The package.
        package: usize,
        /// The sort of reason.
        kind: BlockKind,
    },
    /// Builds of two packages must be for the same CUDA.
    Partner {
        /// The package whose file states the rule.
        package: usize,
        /// Its partner.
        with: usize,
    },
    /// The libraries of an extension need symbols that not every build of torch exports.
    Abi {
        /// The extension.
        package: usize,
    },
    /// A wheel with several libraries loads one by torch's CUDA.
    Library {
        /// The package.
        package: usize,
    },
    /// An advisory about several packages, by place in the list of clauses.
    Advisory(usize),
    /// Two of NVIDIA's wheels install the same files.
    Files {
        /// The wheel that the user names.
        package: usize,
        /// What needs the other one, or the other one itself.
        with: usize,
    },
    /// One line of a constraints file must do for all targets.
    Shared {
        /// The package, as a place on the first target.
        package: usize,
    },
}

/// The sorts of reasons why a build cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum BlockKind {
    /// Published for another platform.
    Platform,
    /// No wheel for this Python.
    Python,
    /// Needs a newer glibc.
    Glibc,
    /// For another CUDA than the one asked for.
    OtherCuda,
    /// The driver does not run it.
    Driver,
    /// No kernel for a GPU.
    Kernel,
    /// PTX that the driver cannot compile.
    Ptx,
    /// A CPU build where there is a GPU; told last, for it is what everybody expects.
    Cpu,
    /// Withdrawn from the index.
    Withdrawn,
    /// Not a final release.
    PreRelease,
    /// Nobody read its requirements.
    Unread,
    /// The checks found the installed build unfit.
    Refused,
    /// An advisory about this package alone, by place in the list of clauses.
    Advisory(usize),
}
