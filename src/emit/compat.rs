use super::Answer;
use super::constraints::driver_needed;
use crate::rules::Target;
use crate::rules::driver::compat_offer;
use crate::rules::schema::{CompatPackage, CompatSupport};

/// The cuda-compat package without which this set does not run on the target's kernel driver.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compat<'a> {
    pub package: &'a CompatPackage,
    /// NVIDIA vouches for some GPUs of this class only.
    pub doubtful: bool,
}

impl Compat<'_> {
    /// Where the package puts its `libcuda.so.1`.
    pub fn folder(&self) -> String {
        format!("/usr/local/cuda-{}/compat", self.package.cuda)
    }
}

/// Forward compatibility for each target: where it is needed and NVIDIA allows it for these GPUs and this driver; none
/// otherwise, also where the driver is not known.
pub(super) fn compat<'a>(answer: &Answer<'a>) -> Vec<Option<Compat<'a>>> {
    let needed = driver_needed(answer.resolution, answer.db).map(|(cuda, _)| cuda);
    let offer = |target: &Target| {
        let bare = Target { compat: None, ..target.clone() };
        let (oldest, support) = compat_offer(needed?, &bare, answer.db)?;
        // PTX was judged by the library that the target has: an older one might not compile it.
        let (own, driver) = (target.compat.as_ref(), target.driver.as_ref()?.branch());
        let same = |package: &&CompatPackage| {
            own.is_some_and(|own| own.branch() == package.branch) && package.works_on.contains(&driver)
        };
        let package = answer.db.compat_packages().iter().find(same).unwrap_or(oldest);
        Some(Compat { package, doubtful: support == CompatSupport::Some })
    };
    answer.targets.iter().map(|target| offer(target)).collect()
}
