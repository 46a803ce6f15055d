//! `direct_url.json`: what was installed from a URL rather than by name from an index (PEP 610, PEP 660).
//!
//! ```json
//! {"url": "https://github.com/vllm-project/vllm", "vcs_info": {"vcs": "git", "commit_id": "1a2b3c"}}
//! {"url": "file:///src/vllm", "dir_info": {"editable": true}}
//! ```

use serde::Deserialize;

/// Where a distribution was installed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectUrl {
    /// As pip would write it, e.g. `git+https://github.com/vllm-project/vllm@1a2b3c`; without credentials and query.
    pub url: String,
    /// Installed in development mode.
    pub editable: bool,
}

impl DirectUrl {
    /// Reads the text of the file.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or has no `url`.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Raw {
            url: String,
            #[serde(default)]
            dir_info: Option<Dir>,
            #[serde(default)]
            vcs_info: Option<Vcs>,
        }
        #[derive(Deserialize)]
        struct Dir {
            #[serde(default)]
            editable: bool,
        }
        #[derive(Deserialize)]
        struct Vcs {
            vcs: String,
            #[serde(default)]
            commit_id: String,
        }
        let raw: Raw = serde_json::from_str(text)?;
        let url = without_credentials(&raw.url);
        let url = match raw.vcs_info {
            Some(Vcs { vcs, commit_id }) if commit_id.is_empty() => format!("{vcs}+{url}"),
            Some(Vcs { vcs, commit_id }) => format!("{vcs}+{url}@{commit_id}"),
            None => url,
        };
        Ok(Self { url, editable: raw.dir_info.is_some_and(|dir| dir.editable) })
    }

    /// The local folder or file, e.g. `/src/vllm` of `file:///src/vllm`.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        let path = self.url.strip_prefix("file://")?;
        let path = path.strip_prefix("localhost").unwrap_or(path);
        path.starts_with('/').then(|| percent_decoded(path))
    }
}

/// Cuts out what may be a secret: user and password, and the query (signed URLs of object stores).
fn without_credentials(url: &str) -> String {
    let (rest, fragment) = url.split_once('#').map_or((url, None), |(rest, fragment)| (rest, Some(fragment)));
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    let mut clean = match rest.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => rest.to_owned(),
    };
    if let Some(fragment) = fragment {
        clean.push('#');
        clean.push_str(fragment);
    }
    clean
}

/// Undoes `%20`; a broken escape stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |byte: Option<&u8>| byte.and_then(|&byte| char::from(byte).to_digit(16));
        match (first, digit(tail.first()), digit(tail.get(1))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_do_not_pass() {
        let vcs = r#"{"url": "https://user:ghp_secret@github.com/a/b?token=x", "vcs_info": {"vcs": "git", "commit_id": "1a2b"}}"#;
        assert_eq!(DirectUrl::parse(vcs).unwrap().url, "git+https://github.com/a/b@1a2b");
        let signed = r#"{"url": "https://s3.example/a.whl?X-Amz-Signature=s#sha256=00", "archive_info": {}}"#;
        assert_eq!(DirectUrl::parse(signed).unwrap().url, "https://s3.example/a.whl#sha256=00");
        assert_eq!(without_credentials("ssh://git@host:22/a@b"), "ssh://host:22/a@b");
    }

    #[test]
    fn a_folder_in_development_mode() {
        let editable = DirectUrl::parse(r#"{"url": "file:///src/my%20vllm", "dir_info": {"editable": true}}"#).unwrap();
        assert!(editable.editable);
        assert_eq!(editable.path().as_deref(), Some("/src/my vllm"));
        let plain = DirectUrl::parse(r#"{"url": "https://a/b.whl", "dir_info": {}}"#).unwrap();
        assert!(!plain.editable && plain.path().is_none());
    }

    #[test]
    fn damaged_files_are_errors() {
        for text in ["", "[]", "{}", r#"{"url": 1}"#, "{\"url\": \"a\""] {
            assert!(DirectUrl::parse(text).is_err(), "{text}");
        }
        assert_eq!(percent_decoded("%zz%2"), "%zz%2");
    }
}
