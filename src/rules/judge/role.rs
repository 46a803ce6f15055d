//! Which part does a package play in a stack? Its own row says so, else how its name begins.
//!
//! Packed apart from the rest of the rules, so that whoever has a name and no database can ask.

use std::sync::OnceLock;

use crate::rules::schema::{Role, Roles};

static ROLES: OnceLock<Roles> = OnceLock::new();

fn roles() -> &'static Roles {
    let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/roles.bin"));
    // The build script packed them; a failure here would be caught by the tests of this file.
    ROLES.get_or_init(|| postcard::from_bytes(bytes).unwrap_or_default())
}

/// The role of a package by normalised name; none for most.
#[must_use]
pub fn of(name: &str) -> Option<Role> {
    roles().of(name)
}

/// Whether a package, by normalised name, is one of NVIDIA's runtime wheels, or a part of its CUDA: they differ from build to
/// build of what needs them, even where all else agrees, and follow from it.
#[must_use]
pub fn is_runtime_wheel(name: &str) -> bool {
    matches!(of(name), Some(Role::CudaRuntime | Role::CudaPart))
}

/// Whether it is what the others of a stack are compiled against: of several it is named first, and weighs most.
#[must_use]
pub fn is_hub(name: &str) -> bool {
    of(name) == Some(Role::Hub)
}

/// Whether it is one of the wheels with NVIDIA's libraries.
#[must_use]
pub fn is_nvidias(name: &str) -> bool {
    of(name) == Some(Role::CudaRuntime)
}

/// Whether it is such a wheel for a CUDA major, by its name: `nvidia-cublas-cu12` for 12.
#[must_use]
pub fn is_nvidias_for(name: &str, major: u32) -> bool {
    roles().says_cuda(name, major)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_role_of_its_row_or_of_its_beginning() {
        assert_eq!(of("nvidia-cublas-cu12"), Some(Role::CudaRuntime));
        assert_eq!(of("nvidia-nobody-knows"), Some(Role::CudaRuntime));
        assert_eq!(of("cuda-toolkit"), Some(Role::CudaPart));
        assert_eq!((of("torch"), is_hub("torch"), is_hub("triton")), (Some(Role::Hub), true, false));
        assert_eq!(of("cupy-cuda12x"), None);
        assert!(is_runtime_wheel("cuda-toolkit") && !is_nvidias("cuda-toolkit") && is_nvidias("nvidia-nccl-cu12"));
        assert!(is_nvidias_for("nvidia-cublas-cu12", 12) && !is_nvidias_for("nvidia-cublas-cu12", 13));
        assert!(!is_nvidias_for("cudf-cu12", 12));
    }
}
