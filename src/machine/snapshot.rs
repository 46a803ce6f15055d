//! Snapshots: the JSON that `gpudoc probe` writes, read back.

use crate::facts::{Facts, SCHEMA};

/// A text that is not a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not JSON, or not of this shape; the message names line and column.
    #[error(transparent)]
    Shape(#[from] serde_json::Error),
    /// Written by another version of the format.
    #[error("its schema is `{0}`, and this gpudoc reads `{SCHEMA}`")]
    Schema(String),
}

/// Reads a snapshot.
///
/// # Errors
///
/// When the text is not JSON, lacks a field, has one that is not known, or is of another schema.
pub fn snapshot(text: &str) -> Result<Facts, SnapshotError> {
    #[derive(serde::Deserialize)]
    struct Header {
        schema: String,
    }
    let header: Header = serde_json::from_str(text)?;
    if header.schema != SCHEMA {
        return Err(SnapshotError::Schema(header.schema));
    }
    Ok(serde_json::from_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Origin;

    #[test]
    fn a_snapshot_reads_back_as_what_it_was() {
        let facts = Facts::unknown(Origin::Host);
        let text = serde_json::to_string(&facts).expect("facts serialise");
        assert_eq!(snapshot(&text).expect("it was written by us"), facts);
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        assert!(matches!(snapshot("{"), Err(SnapshotError::Shape(_))));
        let error = snapshot(r#"{"schema": "gpudoc.facts/9"}"#).expect_err("another schema");
        assert_eq!(error.to_string(), "its schema is `gpudoc.facts/9`, and this gpudoc reads `gpudoc.facts/1`");
    }
}
