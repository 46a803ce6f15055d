//! What Python's packaging writes: metadata, records, wheels and their names, `.pth` files, environments; and the little of the
//! language itself that tells which versions a script refuses. Text and bytes in, values out; nothing is run or opened.

pub mod direct_url;
pub mod dist_info;
pub mod local_label;
pub mod metadata;
pub mod named;
pub mod pth;
pub mod pyvenv;
pub mod record;
pub mod requires_txt;
pub mod script;
pub mod sdist;
pub mod stated;
pub mod syntax;
pub mod version_py;
pub mod wheel;
pub mod zip;
