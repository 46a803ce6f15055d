//! Rows newer than the program: what `gpudoc rules update` harvested, in one file that a start reads if it is there.
//!
//! ```text
//! 0  8 bytes  `GPUDOC` and the format, two digits
//! 8  u32      CRC-32 of what follows, little-endian
//! 12          [`Overlay`], packed by postcard
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::Release;

/// Changes whenever [`Release`] does.
const MAGIC: &[u8; 8] = b"GPUDOC03";
const HEAD: usize = 12;

/// New releases of packages that the rules cover.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Overlay {
    /// The program that wrote it, e.g. `0.1.0`.
    pub program: String,
    /// The day on which the newest row was read.
    pub newest: String,
    /// By package, ascending.
    pub releases: BTreeMap<String, Vec<Release>>,
}

/// Why an overlay is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// Cut short, changed, or something else altogether.
    #[error("it is damaged")]
    Damaged,
    /// Written by another version of the program.
    #[error("another version of gpudoc wrote it")]
    OtherFormat,
    /// The rules that the program was built with are as new.
    #[error("its rows of {overlay} are not newer than the program's own of {own}")]
    Older {
        /// The day of its newest row.
        overlay: String,
        /// The day of the program's.
        own: String,
    },
}

impl Overlay {
    /// The bytes of the file.
    ///
    /// # Errors
    ///
    /// Never in practice: every part packs.
    pub fn encode(&self) -> postcard::Result<Vec<u8>> {
        let body = postcard::to_stdvec(self)?;
        let mut sum = flate2::Crc::new();
        sum.update(&body);
        let mut bytes = MAGIC.to_vec();
        bytes.extend(sum.sum().to_le_bytes());
        bytes.extend(body);
        Ok(bytes)
    }

    /// Reads the bytes of a file; `own` is the day of the newest row of the program itself.
    ///
    /// # Errors
    ///
    /// If it is damaged, of another format, or not newer than the program.
    pub fn decode(bytes: &[u8], own: &str) -> Result<Self, OverlayError> {
        let magic = bytes.get(..MAGIC.len()).ok_or(OverlayError::Damaged)?;
        if magic != MAGIC {
            let ours = magic.starts_with(b"GPUDOC");
            return Err(if ours { OverlayError::OtherFormat } else { OverlayError::Damaged });
        }
        let (Some(sum), Some(body)) = (crate::objects::u32_at(bytes, MAGIC.len()), bytes.get(HEAD..)) else {
            return Err(OverlayError::Damaged);
        };
        let mut found = flate2::Crc::new();
        found.update(body);
        if found.sum() != sum {
            return Err(OverlayError::Damaged);
        }
        let overlay: Self = postcard::from_bytes(body).map_err(|_| OverlayError::Damaged)?;
        if overlay.program != env!("CARGO_PKG_VERSION") {
            return Err(OverlayError::OtherFormat);
        }
        if overlay.newest.as_str() < own {
            return Err(OverlayError::Older { overlay: overlay.newest, own: own.to_owned() });
        }
        Ok(overlay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_believed_only_whole() {
        let overlay = Overlay {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            newest: "2026-11-22".to_owned(),
            releases: BTreeMap::new(),
        };
        let bytes = overlay.encode().unwrap();
        assert_eq!(Overlay::decode(&bytes, "2026-11-21"), Ok(overlay));
        for end in 0..bytes.len() {
            assert_eq!(Overlay::decode(&bytes[..end], "2026-11-21"), Err(OverlayError::Damaged), "{end} bytes");
        }
        for place in HEAD..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert_eq!(Overlay::decode(&changed, "2026-11-21"), Err(OverlayError::Damaged), "byte {place}");
        }
        let mut other = bytes.clone();
        other[7] = b'9';
        assert_eq!(Overlay::decode(&other, "2026-11-21"), Err(OverlayError::OtherFormat));
        assert!(matches!(Overlay::decode(&bytes, "2026-12-01"), Err(OverlayError::Older { .. })));
    }
}
