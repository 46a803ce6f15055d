//! A package that refuses to be imported beside what is installed.

use crate::check::Installed;
use crate::facts::Want;
use crate::finding::{Basis, Evidence, Finding, Severity, rule};

rule! {
    /// An installed package stops its own import.
    ///
    /// It looks at the versions of other packages, or of Python, when it is imported, and raises an error. Known by following in
    /// the files what the import runs. Install what it asks for, or another release of it.
    pub STOPPED = "import/{package}/stops": Import, Fail, since "0.1.0", judged on [Python, Distributions];
}

/// The finding.
pub fn finding(want: &Want, importer: &Installed<'_>) -> Finding {
    let place = super::place(want, importer);
    let says = want.name.trim();
    let title = match says {
        "" => format!("{} stops its own import", importer.title()),
        says => format!("{} stops its own import: {}", importer.title(), says.chars().take(160).collect::<String>()),
    };
    STOPPED
        .found(&[importer.name()], title)
        .severity(if want.stops.is_empty() { Severity::Warn } else { Severity::Fail })
        .message(format!("It raises an error at `{place}`."))
        .packages([importer.name()])
        .evidence([Evidence::of(Basis::Binary, place, "raises an error of importing".to_owned())])
}

#[cfg(test)]
mod tests {
    use super::super::made::case;
    use super::STOPPED;
    use crate::facts::Wanted;

    #[test]
    fn a_package_that_raises_an_error_itself() {
        let stops = case(|want| (want.wanted, want.name) = (Wanted::Stop, "jaxlib is version 0.4.1".to_owned()));
        let told = ["import/peft/stops: peft 0.18.0 stops its own import: jaxlib is version 0.4.1"];
        assert_eq!(stops.found(&STOPPED), told);
        assert_eq!(case(|_| ()).found(&STOPPED), [""; 0]);
    }
}
