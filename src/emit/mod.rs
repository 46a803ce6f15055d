//! A resolution as the files that installers read. Pure: texts out, nothing written.

mod constraints;
mod index;
mod json;
mod proof;

pub use constraints::{constraints, driver_needed};
pub use index::{Index, indexes};
pub use json::{solved, unsolvable};
pub use proof::proof;
