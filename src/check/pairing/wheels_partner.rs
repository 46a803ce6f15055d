//! Are the wheels that a project publishes for another torch than the one here?

use crate::check::{Context, prebuilt};
use crate::facts::TORCH;
use crate::finding::{Finding, rule};

rule! {
    /// The published wheels of a package are for another partner.
    ///
    /// The package lies outside the default index, and its wheels were listed in the rules. Known from that list. Take
    /// a release with a wheel for this torch and CUDA, or compile it here.
    pub WHEELS_PARTNER = "pairing/{package}": Pairing, Warn, since "0.1.0", judged on [Builds], by findings;
}

/// No published wheel is built for the torch that is installed.
pub fn findings(context: &Context<'_>) -> Vec<Finding> {
    let Some(torch) = context.stack.get(TORCH) else { return Vec::new() };
    let full = torch.distribution.full_version();
    let mut numbers = full.split(['.', '+']);
    let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else { return Vec::new() };
    let minor = format!("{major}.{minor}");
    prebuilt::rows(context)
        .filter(|(_, row)| full != "?" && !row.torch.is_empty() && !row.torch.contains(&minor))
        .map(|(installed, row)| {
            let mut finding = prebuilt::base(context, installed, row, &WHEELS_PARTNER);
            finding.title = format!("no wheel of {} is published for torch {minor}", installed.title());
            finding.message = "It was compiled here, or a wheel for another torch was installed, which ends in \
                               `undefined symbol` at import."
                .to_owned();
            finding.packages.push(TORCH.to_owned());
            finding.evidence[0].observed = format!("{}, wheels for torch {}", installed.title(), row.torch.join(" "));
            finding.evidence[0].required = Some(torch.title());
            finding
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn flash_attn_2_7_3_has_wheels_up_to_torch_2_6() {
        let of = |torch| Case::host().installed("torch", torch).installed("flash-attn", "2.7.3").found(&WHEELS_PARTNER);
        assert_eq!(of("2.7.0+cu128"), ["pairing/flash-attn: no wheel of flash-attn 2.7.3 is published for torch 2.7"]);
        assert!(of("2.6.0+cu124").is_empty());
    }
}
