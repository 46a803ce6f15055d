//! Which device code does an installed distribution load here?

use crate::check::{Context, Installed};
use crate::facts::TORCH;
use crate::facts::{Library, Origin};
use crate::rules::kernel::is_nvidias;
use crate::rules::model::{Build, Code, Package};
use crate::rules::partner::{loaded_code, pick_library};
use crate::rules::schema::LibraryPick;
use crate::version::CudaVersion;

/// A torch of which nobody knows for which GPUs it holds code.
pub fn torch_without_code(context: &Context<'_>) -> Option<String> {
    let torch = context.stack.get(TORCH)?;
    (torch.cuda() != Some(None) && code_of(context, torch).is_none()).then(|| torch.title())
}

/// The device code that a distribution loads here.
pub enum InstalledCode<'a> {
    /// As the files say.
    Files(Vec<&'a Library>),
    /// As a row of the rules says of the build.
    Row(&'a Build, Vec<&'a Code>),
}

/// None: it holds none, loads none of it here, or nobody knows.
pub fn code_of<'a>(context: &Context<'a>, installed: &Installed<'a>) -> Option<InstalledCode<'a>> {
    let torch = context.stack.torch_cuda().flatten();
    if let Some(libraries) = installed.distribution.libraries.value() {
        // NVIDIA's own libraries hold code in other forms too: cuFFT shows one container, for sm_52.
        let is_nvidias = |library: &&Library| is_nvidias(installed.name(), &library.path);
        // What the package never calls where it does not run is no loss.
        if installed.package.is_some_and(Package::code_is_optional) {
            return None;
        }
        let with_code: Vec<_> =
            libraries.iter().filter(|library| !library.code.is_empty() && !is_nvidias(library)).collect();
        let chosen = chosen_libraries(context, installed, with_code, torch);
        // An error message tells of one symbol or another, not of all that there is.
        if !chosen.is_empty() || context.facts.origin != Origin::Report {
            return (!chosen.is_empty()).then_some(InstalledCode::Files(chosen));
        }
    }
    let ((release, build), package) = (installed.row?, installed.package?);
    let code = loaded_code(package, &release.version, build, torch, context.db).ok()?;
    (!code.is_empty()).then_some(InstalledCode::Row(build, code))
}

/// Of libraries that were made for one CUDA each only the one that is loaded beside torch's.
pub fn chosen_libraries<'a>(
    context: &Context<'_>,
    installed: &Installed<'_>,
    libraries: Vec<&'a Library>,
    torch: Option<CudaVersion>,
) -> Vec<&'a Library> {
    let shipped: Vec<CudaVersion> = libraries.iter().filter_map(|library| library.for_cuda).collect();
    if shipped.is_empty() {
        return libraries;
    }
    let rule = installed.package.zip(installed.version.as_ref());
    let pick = rule.and_then(|(package, version)| context.db.library_pick(package, version));
    let pick = pick.map_or(LibraryPick::TorchCudaMajor, |(pick, _)| pick);
    let chosen = torch.and_then(|torch| pick_library(pick, torch, &shipped));
    libraries.into_iter().filter(|library| library.for_cuda.is_none_or(|cuda| Some(cuda) == chosen)).collect()
}
