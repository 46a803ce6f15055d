//! Did an upgrade or a removal break off half way?

use crate::check::{Context, Installer};
use crate::finding::{Evidence, Finding, Remedy, Severity, rule};
use crate::rules::role::is_hub;
use crate::step::{self, Step};

rule! {
    /// An upgrade or a removal broke off, and left half of a package.
    ///
    /// pip renames `torch-2.7.1.dist-info` to `~orch-2.7.1.dist-info` before it removes the files. What is left imports in part or
    /// not at all, and no installer knows of it. Known from the names in site-packages. Remove what is left and install the package
    /// again.
    pub LEFTOVER = "environment/{package}/leftover": Environment, Fail, since "0.1.0", judged on [Distributions];
}

/// A package of the rules of which only what pip renamed is left.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let place = context.facts.python.value().map(|python| &python.place);
    place.into_iter().flat_map(|place| &place.leftovers).filter_map(|folder| finding(context, folder)).collect()
}

fn finding(context: &Context<'_>, folder: &str) -> Option<Finding> {
    let (location, file_name) = folder.rsplit_once('/')?;
    let (name, version) = file_name.strip_suffix(".dist-info")?.rsplit_once('-')?;
    let rest = name.trim_start_matches('~').to_ascii_lowercase().replace('_', "-");
    // The first letter is lost; where two packages end alike, nobody knows which it was.
    let mut names = ('a'..='z').map(|first| format!("{first}{rest}")).filter(|name| context.db.package(name).is_some());
    let (name, None) = (names.next()?, names.next()) else { return None };
    if context.stack.get(&name).is_some() {
        return None;
    }
    let again = Installer::of(context.facts).install(&[], &[step::pin(&name, version)?])?;
    let module = name.replace('-', "_");
    let remove = Step::run(["rm", "-rf", folder, &format!("{location}/{module}")])?;
    Some(
        LEFTOVER
            .found(&[&name], format!("{name} {version} is half uninstalled: an upgrade or removal broke off"))
            .severity(if is_hub(&name) { Severity::Fail } else { Severity::Warn })
            .message(format!("`{file_name}` is what pip renamed before it removed the files: `import {module}` fails."))
            .packages([name.as_str()])
            .evidence([Evidence::metadata("metadata", file_name.to_owned()).cited(location.to_owned())])
            .remedies([Remedy::new(
                format!("Remove what is left, and install {name} {version} again"),
                [remove, again],
            )]),
    )
}

#[cfg(test)]
mod tests {
    use crate::check::environment::made::told;

    #[test]
    fn a_torch_whose_removal_broke_off() {
        insta::assert_snapshot!(told(|python, _| {
            python.place.leftovers = vec!["/v/lib/~orch-2.7.1.dist-info".to_owned()];
        }), @r#"
        Fail environment/torch/leftover: torch 2.7.1 is half uninstalled: an upgrade or removal broke off
        rm -rf "/v/lib/~orch-2.7.1.dist-info" /v/lib/torch
        /v/bin/python -m pip install torch==2.7.1
        "#);
        assert_eq!(told(|python, _| python.place.leftovers = vec!["/v/lib/~umbug-1.0.dist-info".to_owned()]), "");
    }
}
