//! Wheels of an index to rows of `rules/packages/`: which wheels to open, and what an opened one tells.
//!
//! In come an index's listing, the rows that are known, and what was read of a wheel; out come rows. Nothing is fetched here.

mod contents;
pub mod extras;
mod gathered;
pub mod symbols;
pub mod variants;
mod wheels;

pub use self::contents::{
    BUILD_INFO, code, codes, cxx11_abi, is_own_library, read_build_info, read_cpp_lib, read_cudart_header,
    read_version_py,
};
pub use self::gathered::{Gathered, index_name, wanted};
pub use self::wheels::{PYPI, Published, Reached, Reading, Release, Row, Wheel, has_older, plan, row};

#[cfg(test)]
mod tests;
