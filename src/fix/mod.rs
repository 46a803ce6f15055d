//! What `gpudoc fix` decides: which commands of a plan it may run itself, where it may, and whether the outcome is better.
//!
//! [`aim`] reads a command and says which environment it would change, [`place`] which environments are changed at all, and
//! [`who`] whom the rest is for, and
//! [`judge`] compares the findings before and after. Nothing here touches a file: `crate::journal` does, and `crate::commands`.

pub mod aim;
pub mod calls;
pub mod judge;
pub mod place;
pub mod who;
