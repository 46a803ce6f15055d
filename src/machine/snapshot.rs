//! Snapshots: the JSON that `gpudoc probe` writes, read back.

use crate::facts::older::moved;
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
    serde_json::from_str(text).or_else(|error| {
        let mut older = serde_json::from_str(text)?;
        moved(&mut older);
        // Of what is wrong with the text itself the first reading tells the line.
        serde_json::from_value(older).map_err(|_| error.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Origin, Reading};

    #[test]
    fn a_snapshot_reads_back_as_what_it_was() {
        let facts = Facts::unknown(Origin::Host);
        let text = serde_json::to_string(&facts).expect("facts serialise");
        assert_eq!(snapshot(&text).expect("it was written by us"), facts);
    }

    #[test]
    fn what_older_snapshots_keep_apart_is_read_as_facts() {
        let mut old = serde_json::to_value(Facts::unknown(Origin::Report)).expect("facts serialise");
        old["pasted"] = serde_json::json!({
            "recognised": ["pip, line 1"], "not_read": 2, "cuda_available": false, "whole_list": true, "nvcc": "12.2",
            "named_cuda": "11.8", "names_torch": true, "driver_package": "550.107.02", "capabilities": ["12.0"],
            "docker_without_gpus": "docker run -it image", "no_plain_libcuda": true, "plain_install": true,
            "unmet": [{"package": ["a", "1"], "requirement": "b==1", "found": null, "place": "pip, line 1"}],
            "candidates": [{"requirement": "c", "place": "pip, line 2"}], "vendor": ["AMD ROCm", "the report, line 4"],
        });
        let facts = snapshot(&old.to_string()).expect("an older snapshot");
        assert_eq!(facts.visibility.available.value(), Some(&false));
        assert_eq!(facts.visibility.without_gpus.value().map(String::as_str), Some("docker run -it image"));
        assert!(facts.lists_all() && facts.loader.plain_libcuda.is_absent());
        assert_eq!(
            facts.toolchain.nvcc.value().and_then(|nvcc| nvcc.cuda).map(|cuda| cuda.to_string()),
            Some("12.2".to_owned())
        );
        assert_eq!(facts.toolchain.named.value().map(ToString::to_string), Some("11.8".to_owned()));
        assert_eq!(facts.driver.package.value().map(ToString::to_string), Some("550.107.02".to_owned()));
        assert_eq!(
            (facts.spoken_of.value(), facts.installing.plain.value()),
            (Some(&vec!["torch".to_owned()]), Some(&vec!["torch".to_owned()]))
        );
        assert_eq!((facts.installing.unmet.len(), facts.installing.candidates.len()), (1, 1));
        assert_eq!(facts.vendor, Reading::told("AMD ROCm".to_owned(), "the report, line 4"));
        assert_eq!(facts.pasted.map(|pasted| pasted.not_read), Some(2));
        old["pasted"]["something"] = serde_json::json!(1);
        assert!(snapshot(&old.to_string()).is_err(), "no field is passed over");
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        assert!(matches!(snapshot("{"), Err(SnapshotError::Shape(_))));
        let error = snapshot(r#"{"schema": "gpudoc.facts/9"}"#).expect_err("another schema");
        assert_eq!(error.to_string(), "its schema is `gpudoc.facts/9`, and this gpudoc reads `gpudoc.facts/1`");
    }
}
