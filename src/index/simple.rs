//! The simple repository API: the list of files of a package, as JSON (PEP 691) or as HTML (PEP 503).
//!
//! Which one comes is the server's choice, whatever was asked for: mirrors often know HTML only.
//!
//! JSON is `serde_json`'s. HTML is read by hand: of a page only the anchors count, and a broken one is read as far as it
//! goes.

use reqwest::Url;
use serde::Deserialize;

use super::client::{Client, IndexError};
use crate::python::wheel::normalise_name;

/// The index that is asked unless another is named.
pub const PYPI: &str = "https://pypi.org/simple";

/// JSON first, HTML if there is none. Some mirrors state upload times in their HTML only if JSON was asked for.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// A file that an index offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// E.g. `torch-2.7.1-cp311-cp311-manylinux_2_28_x86_64.whl`.
    pub name: String,
    /// Where it lies, absolute, without fragment.
    pub url: Url,
    /// In lower-case hexadecimal digits.
    pub sha256: Option<String>,
    /// E.g. `>=3.9.0`.
    pub requires_python: Option<String>,
    /// Withdrawn; the reason may be empty.
    pub yanked: Option<String>,
    /// `2025-06-04T17:37:08.123456Z`.
    pub upload_time: Option<String>,
    /// The metadata can be had alone, at the address with `.metadata` behind it (PEP 658).
    pub has_metadata: bool,
}

impl File {
    /// The day of the upload, e.g. `2025-06-04`.
    #[must_use]
    pub fn upload_day(&self) -> Option<&str> {
        self.upload_time.as_deref().and_then(|time| time.get(..10))
    }

    /// Where the metadata can be had alone.
    #[must_use]
    pub fn metadata_url(&self) -> Option<Url> {
        let mut url = self.has_metadata.then(|| self.url.clone())?;
        let path = format!("{}.metadata", url.path());
        url.set_path(&path);
        Some(url)
    }
}

/// Lists the files of a package, in the index's order.
///
/// # Errors
///
/// If the index cannot be reached, refuses, or sends something unreadable.
pub async fn list(client: &Client, index: &Url, package: &str) -> Result<Vec<File>, IndexError> {
    let address = format!("{}/{}/", index.as_str().trim_end_matches('/'), normalise_name(package));
    let url = address.parse().map_err(|_| IndexError::answer(index, "no usable address"))?;
    let (media_type, body) = client.page(&url, ACCEPT).await?;
    let files = parse(&media_type, &body, &url)?;
    let is_distribution = |file: &File| [".whl", ".tar.gz", ".zip"].iter().any(|end| file.name.ends_with(end));
    if !files.iter().any(is_distribution) {
        let what = format!("a page that lists no file of `{package}`: check the package's name and `--index`");
        return Err(IndexError::answer(&url, what));
    }
    Ok(files)
}

fn parse(media_type: &str, body: &str, url: &Url) -> Result<Vec<File>, IndexError> {
    // The body decides, for some servers answer HTML under the name of JSON.
    if body.trim_start().starts_with('{') {
        parse_json(body, url)
            .map_err(|error| IndexError::answer(url, format!("unreadable JSON: {error}: check `--index`")))
    } else if media_type.contains("html") || body.contains("<a ") {
        Ok(parse_html(body, url))
    } else {
        Err(IndexError::answer(url, format!("neither JSON nor HTML but `{media_type}`: check `--index`")))
    }
}

#[derive(Deserialize)]
struct Page {
    files: Vec<PageFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct PageFile {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: std::collections::BTreeMap<String, String>,
    requires_python: Option<String>,
    yanked: Option<serde_json::Value>,
    upload_time: Option<String>,
    core_metadata: Option<serde_json::Value>,
    dist_info_metadata: Option<serde_json::Value>,
}

/// Reads the JSON form.
///
/// # Errors
///
/// If it is no JSON, or not of this form.
pub fn parse_json(text: &str, base: &Url) -> Result<Vec<File>, serde_json::Error> {
    use serde_json::Value;
    let page: Page = serde_json::from_str(text)?;
    let is_set = |value: &Option<Value>| !matches!(value, None | Some(Value::Null | Value::Bool(false)));
    let files = page.files.into_iter().filter_map(|file| {
        let mut url = base.join(&file.url).ok()?;
        url.set_fragment(None);
        Some(File {
            url,
            sha256: file.hashes.get("sha256").map(|hash| hash.to_ascii_lowercase()),
            yanked: is_set(&file.yanked)
                .then(|| file.yanked.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()),
            has_metadata: is_set(&file.core_metadata) || is_set(&file.dist_info_metadata),
            name: file.filename,
            requires_python: file.requires_python.filter(|text| !text.is_empty()),
            upload_time: file.upload_time,
        })
    });
    Ok(files.collect())
}

/// Reads the HTML form: every `<a href>` whose text is a file name.
#[must_use]
pub fn parse_html(text: &str, page: &Url) -> Vec<File> {
    let mut base = page.clone();
    let mut files = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        rest = rest.get(start + 1..).unwrap_or_default();
        let Some((tag, after)) = split_tag(rest) else { break };
        let (name, attributes) = tag.split_at(tag.find(|c: char| c.is_ascii_whitespace()).unwrap_or(tag.len()));
        let attributes = parse_attributes(attributes);
        let get = |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        rest = after;
        if name.eq_ignore_ascii_case("base")
            && let Some(href) = get("href").and_then(|href| page.join(&href).ok())
        {
            base = href;
        }
        let (true, Some(href)) = (name.eq_ignore_ascii_case("a"), get("href")) else { continue };
        let Ok(mut url) = base.join(&href) else { continue };
        let sha256 = url.fragment().and_then(|hash| hash.strip_prefix("sha256=")).map(str::to_ascii_lowercase);
        url.set_fragment(None);
        let shown = unescape(after.split('<').next().unwrap_or_default().trim());
        files.push(File {
            name: shown,
            url,
            sha256,
            requires_python: get("data-requires-python").filter(|text| !text.is_empty()),
            yanked: get("data-yanked"),
            upload_time: get("data-upload-time"),
            has_metadata: get("data-core-metadata")
                .or_else(|| get("data-dist-info-metadata"))
                .is_some_and(|is| is != "false"),
        });
    }
    files
}

/// Splits behind the `>` that ends a tag, which is not the one in a quoted value (`data-requires-python=">=3.8"`).
fn split_tag(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (place, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '>') => return Some((text.get(..place)?, text.get(place + 1..)?)),
            _ => {}
        }
    }
    None
}

fn parse_attributes(text: &str) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('=').map(str::trim_start) {
            None => ("", after),
            Some(after) => match after.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let inside = after.get(1..).unwrap_or_default();
                    inside.split_once(quote).unwrap_or((inside, ""))
                }
                _ => after.split_at(after.find(|c: char| c.is_ascii_whitespace()).unwrap_or(after.len())),
            },
        };
        if !name.is_empty() {
            attributes.push((name.to_ascii_lowercase(), unescape(value)));
        }
        rest = after.trim_start();
    }
    attributes
}

/// Undoes the character references that occur in such pages: `data-requires-python="&gt;=3.8"`.
fn unescape(text: &str) -> String {
    let plain = [("&gt;", ">"), ("&lt;", "<"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")];
    plain.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Url {
        "https://index.example/simple/torch/".parse().unwrap()
    }

    #[test]
    fn html_and_json_say_the_same() {
        let html = r#"<!DOCTYPE html><html><body><h1>Links</h1>
            <a href="../../files/torch-2.7.1-py3-none-any.whl#sha256=ABCD" data-requires-python="&gt;=3.9,<3.14"
               data-yanked data-core-metadata="sha256=1" data-upload-time='2025-06-04T17:37:08Z'>torch-2.7.1-py3-none-any.whl</a><br/>
            <a href=https://other.example/torch-1.0.tar.gz>torch-1.0.tar.gz</a></body></html>"#;
        let json = r#"{"meta":{"api-version":"1.1"},"name":"torch","files":[
            {"filename":"torch-2.7.1-py3-none-any.whl","url":"../../files/torch-2.7.1-py3-none-any.whl","hashes":{"sha256":"abcd"},
             "requires-python":">=3.9,<3.14","yanked":true,"core-metadata":{"sha256":"1"},"upload-time":"2025-06-04T17:37:08Z"},
            {"filename":"torch-1.0.tar.gz","url":"https://other.example/torch-1.0.tar.gz","hashes":{},"yanked":false}]}"#;
        let files = parse_html(html, &page());
        assert_eq!(files, parse_json(json, &page()).unwrap());
        assert_eq!(files.len(), 2);
        let torch = &files[0];
        assert_eq!(torch.url.as_str(), "https://index.example/files/torch-2.7.1-py3-none-any.whl");
        assert_eq!(torch.metadata_url().unwrap().path(), "/files/torch-2.7.1-py3-none-any.whl.metadata");
        assert_eq!((torch.sha256.as_deref(), torch.upload_day()), (Some("abcd"), Some("2025-06-04")));
        assert_eq!((torch.requires_python.as_deref(), torch.yanked.as_deref()), (Some(">=3.9,<3.14"), Some("")));
        assert_eq!((files[1].yanked.as_deref(), files[1].has_metadata), (None, false));
    }

    #[test]
    fn broken_html_is_survived() {
        for text in
            ["<a", "<a href", "<a href=", "<a href='", "<a href=x", "<>", "<a href=\"x\">", "<a =y>z</a>", "&gt"]
        {
            let _ = parse_html(text, &page());
        }
        assert!(parse_html("<a href=\"x.whl\">x.whl</a>", &page()).len() == 1);
    }
}
