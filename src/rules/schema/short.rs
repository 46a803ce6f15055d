//! Texts of a fixed form, which rows hold by the thousand, in fewer bytes where they are packed: a hash in 32 instead of 65, a day in
//! 2 instead of 11. In TOML and JSON they are the texts that they are; so is packed what has another form.

/// For `#[serde(with = …)]`: a SHA-256 in hexadecimal digits.
pub mod hash {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const BYTES: usize = 32;

    fn bytes(text: &str) -> Option<[u8; BYTES]> {
        let small =
            text.len() == 2 * BYTES && text.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it));
        let mut found = [0; BYTES];
        for (at, byte) in found.iter_mut().enumerate().filter(|_| small) {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        small.then_some(found)
    }

    /// Writes one.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(text);
        }
        match bytes(text) {
            Some(bytes) => serializer.serialize_bytes(&bytes),
            None => serializer.serialize_bytes(text.as_bytes()),
        }
    }

    /// Reads one.
    ///
    /// # Errors
    ///
    /// Those of the deserializer, and packed text that is no UTF-8.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer);
        }
        let bytes: &[u8] = Deserialize::deserialize(deserializer)?;
        if bytes.len() != BYTES {
            return std::str::from_utf8(bytes).map(str::to_owned).map_err(D::Error::custom);
        }
        let mut text = String::with_capacity(2 * BYTES);
        let digit = |four: u8| char::from(if four < 10 { b'0' + four } else { b'a' + four - 10 });
        text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
        Ok(text)
    }
}

/// For `#[serde(with = …)]`: a day, `2026-11-21`.
pub mod day {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// A day that is packed as a number, or a text that is none.
    #[derive(Serialize, Deserialize)]
    enum Packed {
        /// Years from 2000, months and days from 0, in one number.
        Day(u16),
        Text(String),
    }

    const MONTHS: u16 = 12;
    const DAYS: u16 = 31;

    fn number(text: &str) -> Option<u16> {
        let part = |from: usize, to: usize| text.get(from..to)?.parse::<u16>().ok();
        let (year, month, day) =
            (part(0, 4)?.checked_sub(2000)?, part(5, 7)?.checked_sub(1)?, part(8, 10)?.checked_sub(1)?);
        let found = year.checked_mul(MONTHS)?.checked_add(month)?.checked_mul(DAYS)?.checked_add(day)?;
        (self::text(found) == text).then_some(found)
    }

    fn text(number: u16) -> String {
        let (months, day) = (number / DAYS, number % DAYS + 1);
        format!("{}-{:02}-{day:02}", 2000 + months / MONTHS, months % MONTHS + 1)
    }

    /// Writes one.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(text);
        }
        number(text).map_or_else(|| Packed::Text(text.to_owned()), Packed::Day).serialize(serializer)
    }

    /// Reads one.
    ///
    /// # Errors
    ///
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer);
        }
        Ok(match Packed::deserialize(deserializer)? {
            Packed::Day(number) => text(number),
            Packed::Text(text) => text,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        #[serde(with = "super::hash")]
        hash: String,
        #[serde(with = "super::day")]
        day: String,
    }

    #[test]
    fn what_is_packed_is_short_and_comes_back_as_it_was() {
        let row = |hash: &str, day: &str| Row { hash: hash.to_owned(), day: day.to_owned() };
        let hash = "06eea61f859436622e78dd0cdd51dbc8f8c6d76917a9cf0555a333f9eac31ec1";
        for (row, length) in [
            // 32 bytes and their number; the variant, and two bytes for 26 * 372 + 10 * 31 + 20.
            (row(hash, "2026-11-21"), 33 + 3),
            (row(&hash.to_uppercase(), "2026-13-01"), 65 + 12),
            (row("x", ""), 2 + 2),
            (row(&"0".repeat(64), "2000-01-01"), 33 + 2),
        ] {
            let bytes = postcard::to_stdvec(&row).unwrap();
            assert_eq!((bytes.len(), postcard::from_bytes::<Row>(&bytes).unwrap()), (length, row));
        }
        assert_eq!(serde_json::to_string(&row("ab", "2026-11-21")).unwrap(), r#"{"hash":"ab","day":"2026-11-21"}"#);
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_back(hash in "[0-9a-f]{64}|[a-g]{0,40}", day in "20[0-9]{2}-[01][0-9]-[0-3][0-9]|[-0-9]{0,12}") {
            // A text of 32 letters would be taken for a hash: the schema refuses it before it is packed.
            proptest::prop_assume!(hash.len() != 32);
            let row = Row { hash, day };
            proptest::prop_assert_eq!(postcard::from_bytes::<Row>(&postcard::to_stdvec(&row).unwrap()).unwrap(), row);
        }
    }
}
