/// A requirement of a package that the user insists on breaking, e.g. a Triton other than torch's.
///
/// The solver finds these only where nothing else is left; whoever writes them out shows the clean alternative first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overridden {
    /// The package, e.g. `triton`.
    pub package: String,
    /// What the user gets, e.g. `triton==3.1.0`.
    pub asked: String,
    /// Who says otherwise, e.g. `torch 2.7.1`.
    pub pinned_by: String,
    /// What it says, e.g. `triton==3.3.1`.
    pub pin: String,
}

impl Overridden {
    /// What is lost, in one sentence.
    #[must_use]
    pub fn lost(&self) -> String {
        let Self { asked, pinned_by, pin, .. } = self;
        format!(
            "{pinned_by} needs `{pin}`: `{asked}` breaks that, `pip check` says so, and whoever published {pinned_by} \
             has not tried it"
        )
    }
}
