//! The database of rules: how it is written, and how it renews itself from package indexes.

pub mod harvest;
pub mod raw;
pub mod variants;
pub mod write;
