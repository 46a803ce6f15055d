//! The folder of an installed distribution's metadata: its name, and the small files in it (PEP 376, PEP 427, PEP 627).

/// What the name of a metadata folder or file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataDir<'a> {
    /// Which sort it is.
    pub kind: MetadataKind,
    /// The name, escaped: `nvidia_cublas_cu12`.
    pub name: &'a str,
    /// The version, e.g. `12.6.4.1`; setuptools leaves it out in a development folder: `vllm.egg-info`.
    pub version: Option<&'a str>,
}

/// The sorts of metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataKind {
    /// `torch-2.7.1.dist-info`, from a wheel.
    DistInfo,
    /// `PyYAML-5.3.1-py3.8.egg-info`, a folder or a single file, from setuptools or distutils.
    EggInfo,
}

impl<'a> MetadataDir<'a> {
    /// Reads the name of a folder or file; none if it is no metadata.
    #[must_use]
    pub fn parse(file_name: &'a str) -> Option<Self> {
        let ends_with = |suffix: &str| {
            let at = file_name.len().checked_sub(suffix.len())?;
            file_name.get(at..)?.eq_ignore_ascii_case(suffix).then(|| file_name.get(..at)).flatten()
        };
        if let Some(stem) = ends_with(".dist-info") {
            // Versions hold no `-`; the names of some old tools do.
            let (name, version) = stem.rsplit_once('-').map_or((stem, None), |(name, version)| (name, Some(version)));
            return (!name.is_empty()).then_some(Self { kind: MetadataKind::DistInfo, name, version });
        }
        let stem = ends_with(".egg-info")?;
        // name[-version[-pyX.Y[-platform]]], setuptools' `pkg_resources.EGG_NAME`.
        let mut parts = stem.split('-');
        let name = parts.next().filter(|name| !name.is_empty())?;
        Some(Self { kind: MetadataKind::EggInfo, name, version: parts.next() })
    }

    /// Whether pip left it behind when an upgrade or uninstall was interrupted: it renames `torch` to `~orch` first.
    #[must_use]
    pub fn is_leftover(&self) -> bool {
        self.name.starts_with('~')
    }
}

/// The `Tag` lines of a WHEEL file, e.g. `cp311-cp311-manylinux_2_28_x86_64` (PEP 427).
#[must_use]
pub fn parse_wheel_tags(text: &str) -> Vec<String> {
    let headers = text.strip_prefix('\u{feff}').unwrap_or(text).lines().filter_map(|line| line.split_once(':'));
    let tags = headers.filter(|(name, _)| name.trim().eq_ignore_ascii_case("tag"));
    tags.map(|(_, tag)| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect()
}

/// The first line of INSTALLER, e.g. `uv` (PEP 376).
#[must_use]
pub fn parse_installer(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| !line.is_empty())
}

/// The end of the headers of METADATA or PKG-INFO: the place of the first empty line.
#[must_use]
pub fn headers_end(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            return Some(start);
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(file_name: &str) -> (MetadataKind, &str, Option<&str>) {
        let MetadataDir { kind, name, version } = MetadataDir::parse(file_name).unwrap();
        (kind, name, version)
    }

    #[test]
    fn names_of_metadata_folders() {
        use MetadataKind::{DistInfo, EggInfo};
        assert_eq!(parts("torch-2.7.1+cu126.dist-info"), (DistInfo, "torch", Some("2.7.1+cu126")));
        assert_eq!(parts("my-old-name-1.0.dist-info"), (DistInfo, "my-old-name", Some("1.0")));
        assert_eq!(parts("torch.DIST-INFO"), (DistInfo, "torch", None));
        assert_eq!(parts("PyYAML-5.3.1-py3.8-linux-x86_64.egg-info"), (EggInfo, "PyYAML", Some("5.3.1")));
        assert_eq!(parts("vllm.egg-info"), (EggInfo, "vllm", None));
        assert!(MetadataDir::parse("~orch-2.6.0.dist-info").unwrap().is_leftover());
        for other in [".dist-info", "-1.0.egg-info", "torch", "torch-2.7.1.dist-info.bak", "é.dist-infos", "", "日本"]
        {
            assert_eq!(MetadataDir::parse(other), None, "{other}");
        }
    }

    #[test]
    fn small_files() {
        let wheel =
            "Wheel-Version: 1.0\r\nRoot-Is-Purelib: false\r\nTag: cp39-abi3-manylinux_2_17_x86_64\r\nTag: a-b-c\r\n";
        assert_eq!(parse_wheel_tags(wheel), ["cp39-abi3-manylinux_2_17_x86_64", "a-b-c"]);
        assert_eq!(parse_installer("uv"), Some("uv"));
        assert_eq!(parse_installer("\n pip \n"), Some("pip"));
        assert_eq!(parse_installer(" \n"), None);
    }

    #[test]
    fn headers_end_at_the_first_empty_line() {
        assert_eq!(headers_end(b"Name: a\nVersion: 1\n\nbody\n\n"), Some(19));
        assert_eq!(headers_end(b"Name: a\r\n\r\nbody"), Some(9));
        assert_eq!(headers_end(b"\nName: a"), Some(0));
        assert_eq!(headers_end(b"Name: a\nVersion: 1\n"), None);
        assert_eq!(headers_end(b""), None);
    }

    proptest::proptest! {
        /// Every reader of a Python environment's files takes any text; the pieces make the interesting ones likely.
        #[test]
        fn any_text_is_read(pieces in proptest::collection::vec("[ -~\\n\\r]{0,8}|\\PC|=|'|:|\\[|\\]|%|-|\\+cu|\\.dist-info|\\.egg-info", 0..40)) {
            let text = pieces.concat();
            let _ = MetadataDir::parse(&text);
            let _ = (parse_wheel_tags(&text), parse_installer(&text));
            let end = headers_end(text.as_bytes());
            proptest::prop_assert!(end.is_none_or(|end| !text[..end].contains("\n\n")));
            let _ = crate::python::pyvenv::PyvenvCfg::parse(&text);
            let _ = crate::python::version_py::VersionPy::parse(&text);
            let _ = crate::python::local_label::LocalLabel::of_version(&text);
            let _ = crate::python::direct_url::DirectUrl::parse(&text);
            let _ = crate::python::direct_url::DirectUrl::parse(&format!("{{\"url\": {text:?}}}")).map(|direct| direct.path());
            let _ = crate::python::requires_txt::parse_requires_txt(&text);
            let _ = crate::python::pth::parse_pth(&text);
        }
    }
}
