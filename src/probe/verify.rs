//! Are the installed files those that were installed? Their SHA-256 against RECORD: `--deep`.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};

use super::python_path::join;
use super::root::RootFs;
use crate::facts::{Changed, ChangedFile, Distribution};
use crate::parallel::in_parallel;
use crate::python::record::parse_record;

/// A RECORD above this size is not read: torch's has 1.5 MB.
pub const RECORD_LIMIT: u64 = 32 << 20;
/// Bytes that are hashed at once.
const CHUNK: usize = 1 << 20;

/// Hashes every file of every distribution that import finds, and adds those that differ to its list.
pub fn verify(root: &RootFs, distributions: &mut [Distribution]) {
    let mut names = std::collections::HashSet::new();
    let mut files: Vec<(usize, String, String)> = Vec::new();
    for (owner, distribution) in distributions.iter().enumerate() {
        if !names.insert(distribution.name.as_str()) {
            continue;
        }
        let record = format!("{}/{}/RECORD", distribution.location, distribution.metadata_dir);
        let Ok(record) = root.read(&record, RECORD_LIMIT) else { continue };
        let text = String::from_utf8_lossy(&record);
        let hashed =
            parse_record(&text).filter_map(|file| Some((owner, file.path.into_owned(), file.sha256?.to_owned())));
        files.extend(hashed);
    }
    let differ = in_parallel(&files, 1, |(owner, path, sha256)| {
        let location = distributions.get(*owner).map_or("", |owner| owner.location.as_str());
        let how = match hash(root, &join(location, path)) {
            Ok(found) if found == sha256.trim_end_matches('=') => return None,
            Ok(_) => Changed::Hash,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Changed::Missing,
            // What may not be read is not accused.
            Err(_) => return None,
        };
        Some((*owner, ChangedFile { path: path.clone(), how, also_of: None }))
    });
    for (owner, changed) in differ.into_iter().flatten() {
        let Some(owner) = distributions.get_mut(owner) else { continue };
        if !owner.changed.iter().any(|other| other.path == changed.path) {
            owner.changed.push(changed);
        }
    }
}

fn hash(root: &RootFs, path: &str) -> std::io::Result<String> {
    let (mut file, _) = root.open(path)?;
    let mut sum = Context::new(&SHA256);
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(URL_SAFE_NO_PAD.encode(sum.finish()));
        }
        sum.update(chunk.get(..count).unwrap_or_default());
    }
}
