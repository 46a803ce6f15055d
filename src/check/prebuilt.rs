//! Which wheels does a project's own release page offer? Asked only where nobody read the installed files.
//!
//! The rules that judge them stand in their families: the partner, the code for GPUs, glibc.

use crate::check::{Context, Installed, rebuild};
use crate::finding::{Evidence, Finding, Remedy, Rule};
use crate::rules::cite;
use crate::rules::schema::Prebuilt;

/// The rows of what is installed and unread.
pub fn rows<'a>(context: &'a Context<'_>) -> impl Iterator<Item = (&'a Installed<'a>, &'a Prebuilt)> {
    context.stack.installed.iter().filter(|installed| installed.distribution.libraries.is_unknown()).filter_map(
        |installed| {
            let version = installed.version.as_ref()?;
            Some((installed, context.db.prebuilt(installed.name(), version)?))
        },
    )
}

/// What the findings about such wheels share: the title and what the evidence shows are the rule's own.
pub fn base(context: &Context<'_>, installed: &Installed<'_>, row: &Prebuilt, rule: &'static Rule) -> Finding {
    rule.found(&[installed.name()], "")
        .packages([installed.name()])
        .evidence([
            Evidence::rule(format!("published wheels of {}", installed.name()), String::new()).cited(cite(&row.source))
        ])
        .remedies([Remedy::new(
            format!("Install a release of {} whose wheels fit, or compile it here", installed.name()),
            rebuild::forced(context, installed).unwrap_or_default(),
        )])
}
