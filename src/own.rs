//! What gpudoc itself leaves in an environment.

/// The folder in an environment in which `gpudoc fix` keeps copies; nobody else should look into it.
pub const FOLDER: &str = ".gpudoc";
