//! gpudoc: finds out which parts of a GPU machine's Python environment contradict each other, and solves for a set that works.

pub mod facts;
pub mod finding;
pub mod parse;
pub mod probe;
pub mod version;
pub mod rules {
    pub mod raw;
}
