//! Was a package built for another torch?

use crate::check::{Context, Installed, Installer};
use crate::facts::{Origin, TORCH};
use crate::finding::{Change, Evidence, Finding, Remedy, rule};
use crate::rules::complete::torch_of_label;
use crate::text;

rule! {
    /// A package was built for another torch.
    ///
    /// It says so itself: its compiled operators do not load. Known from the package's own version file or its library.
    /// Install the release that belongs to this torch.
    pub OTHER_TORCH = "pairing/{package}": Pairing, Fail, since "0.1.0", judged on [Builds];
}

/// An extension whose files name the torch that they were built against, which is not the one that is there.
pub fn finding(context: &Context<'_>, installed: &Installed<'_>) -> Option<Finding> {
    // The readers of a report took over what labels say, where they can be relied on; wheels that lie in a folder for each torch
    // are for that alone.
    let by_torch = || context.db.source_build(installed.name()).is_some_and(|row| row.wheels.is_some());
    let label = || {
        let full = installed.distribution.full_version();
        torch_of_label(full).filter(|_| context.facts.origin != Origin::Report || by_torch())
    };
    let built = &installed.distribution.build.torch.value().cloned().or_else(label)?;
    // The symbols of the files decide, where they were read.
    if installed.distribution.were_files_read() {
        return None;
    }
    let torch = context.stack.get(TORCH)?;
    let full = torch.distribution.full_version();
    let public = full.split('+').next().unwrap_or(full);
    let same = match (built.contains('+'), full.contains('+')) {
        (true, true) => built == full,
        // A wheel's name may only say the release line: `torch2.6`.
        _ => {
            let built = built.split('+').next().unwrap_or(built);
            built == public || public.strip_prefix(built).is_some_and(|rest| rest.starts_with('.'))
        }
    };
    if same {
        return None;
    }
    let place = installed.distribution.build.torch.source().map(|source| source.place().to_owned());
    Some(
        OTHER_TORCH
            .found(
                &[installed.name()],
                format!("{} was built for torch {built}, but {full} is installed", installed.name()),
            )
            .message(format!(
                "It says so itself, and does not load its compiled operators. Each {} release is for one torch.",
                installed.name()
            ))
            .packages([TORCH, installed.name()])
            .evidence([
                Evidence::binary(format!("{} build", installed.name()), format!("for torch {built}"))
                    .required(full.to_owned())
                    .cited(place),
                Evidence::binary(TORCH, full.to_owned()).cited(torch.cuda_place()),
            ])
            .remedies([from_page(context, installed, torch).unwrap_or_else(|| {
                Remedy::new(format!("Install the {} release whose metadata pins this torch", installed.name()), [])
            })]),
    )
}

/// The wheels for this torch, of all that are there from the same pages: what one lacks, the others lack too.
fn from_page(context: &Context<'_>, installed: &Installed<'_>, torch: &Installed<'_>) -> Option<Remedy> {
    let pages = |name: &str| context.db.source_build(name)?.wheels.as_ref().map(|wheels| &wheels.page);
    let row = context.db.source_build(installed.name())?;
    let cuda = torch.cuda().flatten()?;
    let page = row.wheels_for(torch.version.as_ref()?, cuda)?;
    let same = context.stack.installed.iter().filter(|it| pages(it.name()) == pages(installed.name()));
    let same: Vec<&Installed<'_>> = same.collect();
    let names: Vec<String> = same.iter().map(|it| it.name().to_owned()).collect();
    let options = ["--force-reinstall", "--no-deps", "-f", &page];
    let step = Installer::of(context.facts).install(&options, &names)?;
    let summary = format!("Install the wheels of {} for {} and CUDA {cuda}", text::list(&names), torch.title());
    // What these hold nobody has read.
    let anew = |it: &&Installed<'_>| Change::Compile {
        name: it.name().to_owned(),
        location: it.distribution.location.clone(),
    };
    let change = Some(Change::All(same.iter().map(anew).collect()));
    Some(Remedy { change, ..Remedy::new(summary, [step]) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;
    use crate::facts::Reading;

    #[test]
    fn what_the_package_says_of_itself_is_compared() {
        let of = |built: &str| {
            let case = Case::host().installed("torch", "2.6.0+cu124");
            let built = Reading::binary(built.to_owned(), "xformers/cpp_lib.json");
            case.distribution("xformers", "0.0.28", |own| own.build.torch = built).found(&OTHER_TORCH)
        };
        assert_eq!(
            of("2.5.1+cu124"),
            ["pairing/xformers: xformers was built for torch 2.5.1+cu124, but 2.6.0+cu124 is installed"]
        );
        assert!(of("2.6").is_empty());
    }

    #[test]
    fn wheels_of_a_page_for_each_torch_are_taken_from_that_of_this_one() {
        let built =
            |own: &mut crate::facts::Distribution| own.build.torch = Reading::binary("2.5".to_owned(), "its label");
        let case = Case::host().torch("2.6.1+cu124", "12.4").distribution("torch-scatter", "2.1.2+pt25cu124", built);
        let found = case.distribution("torch-sparse", "0.6.18+pt25cu124", built).findings(&OTHER_TORCH);
        let commands: Vec<Vec<String>> = found[0].remedies[0].steps.iter().map(crate::step::Step::words).collect();
        let wanted =
            "--force-reinstall --no-deps -f https://data.pyg.org/whl/torch-2.6.0+cu124.html torch-scatter torch-sparse";
        assert!(commands[0].join(" ").ends_with(wanted), "{commands:?}");
    }
}
