//! Is the toolkit's stub in front of the driver's `libcuda.so.1`?
//!
//! `lib64/stubs` on the loader's path does no harm as it comes: it holds `libcuda.so`, for the linker, and no `libcuda.so.1`.

use crate::check::Context;
use crate::check::forward_compat::out_of_path;
use crate::finding::{Change, Evidence, Finding, Remedy, rule};
use crate::rules::schema::CudaStop;
use crate::step::Step;

rule! {
    /// The toolkit's stub is in front of the driver's libcuda.
    ///
    /// The stub is for linking only: CUDA reports `CUDA driver is a stub library` (error 34). Known from the path that
    /// the loader takes. Take the stubs folder out of LD_LIBRARY_PATH.
    pub LIBCUDA = "cuda-libs/libcuda": CudaLibs, Fail, since "0.1.0", judged on [Loader], by check;
}

/// A stub that a process would load although a driver is there. On a machine without one it stands in no way.
pub fn check(context: &Context<'_>) -> Option<Finding> {
    let facts = context.facts;
    let library = facts.loader.libcuda.value().filter(|library| library.stub)?;
    let driver = facts.driver.version.value()?;
    let folder = library.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    // The system's own folders hold more than this file.
    let remedy = if ["/lib", "/usr/lib"].iter().any(|system| folder.starts_with(system)) {
        let steps = [Step::run(["sudo", "rm", "--", &library.path]), Step::run(["sudo", "ldconfig"])];
        Remedy { change: Some(Change::NoCompat), ..Remedy::new("Remove the stub", steps.into_iter().flatten()) }
    } else {
        out_of_path(library, facts)
    };
    Some(
        LIBCUDA
            .found(&[], format!("the toolkit's stub, `{}`, is in front of the driver's libcuda", library.path))
            .message(format!(
                "The stub is there to link with: `cuInit` returns error {}, and `torch.cuda.is_available()` is False.",
                context.db.tables().cuda_errors.number(CudaStop::StubLibrary)
            ))
            .packages(["libcuda"])
            .evidence([
                Evidence::binary("libcuda", format!("a stub, found by {}", library.found_by))
                    .required(format!("{driver}, the driver's own libcuda"))
                    .cited(library.path.clone()),
                Evidence::host("kernel module", driver.to_string())
                    .cited(facts.driver.version.source().map(|source| source.place().to_owned())),
            ])
            .remedies([remedy]),
    )
}

#[cfg(test)]
mod tests {
    use super::LIBCUDA;
    use crate::check::cases::{Case, read};
    use crate::facts::{LibCuda, Reading};

    #[test]
    fn a_stub_in_front_of_the_driver_and_the_drivers_own() {
        let with = |stub: bool| {
            let path = "/usr/local/cuda/lib64/stubs/libcuda.so.1".to_owned();
            let found_by = "LD_LIBRARY_PATH".to_owned();
            let library = LibCuda { path, found_by, version: read("570.86.15"), compat: false, stub };
            let case = Case::host().driver("570.86.15").installed("torch", "2.9.0+cu128");
            case.with(|facts| facts.loader.libcuda = Reading::host(library, "the test")).found(&LIBCUDA)
        };
        let title =
            "the toolkit's stub, `/usr/local/cuda/lib64/stubs/libcuda.so.1`, is in front of the driver's libcuda";
        assert_eq!(with(true), [format!("cuda-libs/libcuda: {title}")]);
        assert_eq!(with(false), [""; 0]);
    }
}
