//! Package indexes by HTTP: what is published, and what lies inside a wheel, without downloading the wheel.
//!
//! In comes a package name or a wheel's address; out come [`simple::File`]s and the bytes of single members. Big members
//! go by as a stream and are never stored. This is an edge: nothing but `commands` calls it, and only where the user asked
//! for the network.

pub mod client;
pub mod remote;
pub mod simple;
