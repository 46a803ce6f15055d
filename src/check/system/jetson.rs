//! Does torch see the GPU of a Jetson?

use crate::check::{Context, Installed, Installer};
use crate::facts::TORCH;
use crate::finding::{Evidence, Finding, Remedy, rule};
use crate::rules::schema::GpuClass;
use crate::step::Step;

rule! {
    /// torch does not see the GPU of a Jetson.
    ///
    /// A Jetson's GPU is reached through libraries of its own; wheels for other ARM machines do not use them. Known
    /// from the kernel and the build of torch. Install NVIDIA's build for this JetPack.
    pub JETSON = "system/jetson": System, Warn, since "0.1.0", judged on [System, Builds], by check;
}

/// A Jetson on which torch sees no GPU.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    let tegra = facts.system.kernel.value().is_some_and(|kernel| kernel.contains("tegra"));
    let gpu = context.target.gpus.iter().any(|gpu| gpu.class == Some(GpuClass::JetsonTegra));
    let blind = facts.visibility.available.value() == Some(&false);
    if !(tegra || gpu) || !blind {
        return None;
    }
    let torch = context.stack.get(TORCH).map_or_else(|| TORCH.to_owned(), Installed::title);
    Some(
        JETSON
            .found(&[], format!("{torch} sees no GPU on this Jetson: it must be NVIDIA's build for its JetPack"))
            .message(
                "A Jetson's GPU is reached through libraries of its own. Wheels from PyPI and from PyTorch's indexes \
                 are made for servers, and do not find it.",
            )
            .packages([TORCH])
            .evidence([Evidence::host("`torch.cuda.is_available()`", "False")
                .required("a torch build for this JetPack".to_owned())
                .cited(facts.system.kernel.source().map(|source| source.place().to_owned()))])
            .remedies([from_its_index(context).unwrap_or_else(|| {
                let which = Step::fixed("cat /etc/nv_tegra_release");
                Remedy::new("Install torch from NVIDIA's index for this JetPack and Python", which)
            })])
            .references(["https://github.com/dusty-nv/jetson-containers/issues/1495"]),
    )
}

/// torch from where it is published for this Jetson; none where the rules do not know.
fn from_its_index(context: &Context<'_>) -> Option<Remedy> {
    let row = context.target.gpus.iter().find_map(|gpu| context.db.tables().machine.jetson_index(gpu.capability))?;
    let options = ["--force-reinstall", "--no-deps", "--index-url", &row.index];
    let step = Installer::of(context.facts).install(&options, &[TORCH.to_owned()])?;
    Some(Remedy::new(format!("Install torch from the index for Jetsons: its builds are for {}", row.builds), [step]))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::made::{distribution, found};
    use crate::facts::{Facts, Origin, Reading};

    #[test]
    fn a_torch_that_sees_no_gpu_on_a_tegra_kernel() {
        let with = |kernel: &str, available: bool| {
            let mut facts = Facts::unknown(Origin::Report);
            facts.distributions = vec![distribution("torch", "2.5.0", &[])];
            facts.system.kernel = Reading::host(kernel.to_owned(), "the test");
            facts.visibility.available = Reading::told(available, "line 1");
            found(&facts, check)
        };
        let blind = "system/jetson: torch 2.5.0 sees no GPU on this Jetson: it must be NVIDIA's build for its JetPack";
        assert_eq!(with("5.15.148-tegra", false), [blind]);
        assert_eq!(with("5.15.148-tegra", true), [""; 0]);
        assert_eq!(with("5.15.148-generic", false), [""; 0]);
    }
}
