//! A resolution as the files that installers read. Pure: texts out, nothing written.
//!
//! One file each: [`constraints`], [`requirements`], [`uv`], [`pip`], [`dockerfile`], [`conda`], [`script`], and the JSON forms.
//! All but the first and the last take an [`Answer`]; `steps` has the order of installation that three of them share.

mod answer;
mod base_image;
mod compat;
mod conda;
mod constraints;
mod dockerfile;
mod index;
mod json;
mod overridden;
mod pip;
mod proof;
mod requirements;
mod script;
mod steps;
mod uv;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Emitted, Interpreter};
pub use conda::conda;
pub use constraints::{constraints, driver_needed};
pub use dockerfile::dockerfile;
pub use index::{Index, indexes};
pub use json::{solved, uncovered, unsolvable};
pub use overridden::Overridden;
pub use pip::pip;
pub use proof::proof;
pub use requirements::requirements;
pub use script::script;
pub use uv::uv;
