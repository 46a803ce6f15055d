//! Version numbers of the CUDA world: parsed, ordered, and printed as the vendor prints them.
//!
//! Four numbers are easily confused. The *driver version* (`580.65.06`) is the kernel module's; the *CUDA version* is a
//! toolkit's or a runtime's (`12.8`), and the one that `nvidia-smi` shows is the newest that the driver supports; the
//! *compute capability* (`12.0`) is the GPU's; a *code target* (`sm_90a`, `compute_80`) is what machine code or PTX was
//! compiled for.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is not the version it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}, such as `{example}`")]
pub struct ParseVersionError {
    text: String,
    what: &'static str,
    example: &'static str,
}

impl ParseVersionError {
    fn new(text: &str, what: &'static str, example: &'static str) -> Self {
        Self { text: text.to_owned(), what, example }
    }
}

/// A number without sign, spaces or more than nine digits.
fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

macro_rules! as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

/// The version of an NVIDIA driver, e.g. `580.65.06`. Its first number is the branch.
///
/// Not the CUDA version: driver 570.133.20 supports CUDA 12.8. NVIDIA pads the last number (`.06`), so the text is kept.
/// Jetson drivers (`540.4.0`) have a line of their own and do not compare with these.
#[derive(Debug, Clone, Eq)]
pub struct DriverVersion {
    parts: [u32; 3],
    text: Box<str>,
}

impl DriverVersion {
    /// The release branch, e.g. 580 for `580.65.06`.
    #[must_use]
    pub fn branch(&self) -> u32 {
        self.parts[0]
    }

    /// The two ends of a branch, below and above every driver of it: for 535 the numbers 535, 0, 0, and 535, 999, 99.
    #[must_use]
    pub fn ends_of(branch: u32) -> [Self; 2] {
        let last = [branch, 999, 99];
        let text = last.map(|number| number.to_string()).join(".");
        let first = Self { parts: [branch, 0, 0], text: branch.to_string().into() };
        [first, Self { parts: last, text: text.into() }]
    }

    /// All three, e.g. 580, 65 and 6 for `580.65.06`.
    #[must_use]
    pub fn numbers(&self) -> [u32; 3] {
        self.parts
    }
}

impl FromStr for DriverVersion {
    type Err = ParseVersionError;

    /// Parses `580`, `570.26` or `580.65.06`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseVersionError::new(text, "driver version", "580.65.06");
        let text = text.trim();
        let mut parts = [0; 3];
        for (place, piece) in text.split('.').enumerate() {
            *parts.get_mut(place).ok_or_else(error)? = number(piece).ok_or_else(error)?;
        }
        Ok(Self { parts, text: text.into() })
    }
}

impl fmt::Display for DriverVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl PartialEq for DriverVersion {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl std::hash::Hash for DriverVersion {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.parts.hash(state);
    }
}

impl PartialOrd for DriverVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DriverVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts)
    }
}

as_text!(DriverVersion);

/// A version of the CUDA runtime or toolkit, or the newest that a driver supports, e.g. `12.8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CudaVersion {
    /// `12` of `12.8`. Within one major release, minor-version compatibility holds.
    pub major: u32,
    /// `8` of `12.8`.
    pub minor: u32,
}

impl CudaVersion {
    /// Makes the version `major.minor`.
    #[must_use]
    pub fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Reads the integer that `cuDriverGetVersion` and NVML return: 12080 is `12.8`.
    #[must_use]
    pub fn from_driver_int(value: i32) -> Option<Self> {
        let value = u32::try_from(value).ok().filter(|&value| value >= 1000)?;
        Some(Self::new(value / 1000, value % 1000 / 10))
    }

    /// Whether the label of a version or pin says that it is built for some CUDA: `2.7.1+cu128`, `jaxlib==0.4.30+cuda12.cudnn89`.
    #[must_use]
    pub fn is_said_by(version: &str) -> bool {
        version.split_once('+').is_some_and(|(_, label)| label.starts_with("cu"))
    }

    /// Reads the CUDA variant of a local version label: `cu126` is `12.6`, `cu92` is `9.2`, `cpu` is none.
    #[must_use]
    pub fn from_variant(label: &str) -> Option<Self> {
        let digits = label.strip_prefix("cu")?;
        let split = if digits.len() >= 3 { 2 } else { 1 };
        let (major, minor) = digits.split_at_checked(split)?;
        let version = Self::new(number(major)?, number(minor)?);
        // `cu12` names a major release alone, not 1.2: the oldest label in use was `cu75`.
        (version.major >= 7).then_some(version)
    }

    /// The label of this version in local versions and index names, e.g. `cu128`.
    #[must_use]
    pub fn variant(self) -> String {
        format!("cu{}{}", self.major, self.minor)
    }
}

impl FromStr for CudaVersion {
    type Err = ParseVersionError;

    /// Parses `12.8`, and `12.8.1` or `12.8.93` without their last number.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseVersionError::new(text, "CUDA version", "12.8");
        let mut pieces = text.trim().split('.');
        let major = pieces.next().and_then(number).ok_or_else(error)?;
        let minor = pieces.next().and_then(number).ok_or_else(error)?;
        if pieces.any(|piece| number(piece).is_none()) {
            return Err(error());
        }
        Ok(Self::new(major, minor))
    }
}

impl fmt::Display for CudaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

as_text!(CudaVersion);

/// What a GPU is able to execute, e.g. `12.0` for an RTX 5090.
///
/// Not a CUDA version, and not a product generation: both 10.0 (B200) and 12.0 (RTX 5090) are called Blackwell, and
/// neither runs the other's machine code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComputeCapability {
    /// `12` of `12.0`. Machine code never runs on another major.
    pub major: u32,
    /// `0` of `12.0`.
    pub minor: u32,
}

impl ComputeCapability {
    /// Makes the compute capability `major.minor`.
    #[must_use]
    pub fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// The number as fat binaries and target names write it: 120 for `12.0`.
    #[must_use]
    pub fn sm(self) -> u32 {
        self.major * 10 + self.minor
    }

    /// Reads the number that fat binaries and target names write: 120 is `12.0`, 90 is `9.0`.
    #[must_use]
    pub fn from_sm(sm: u32) -> Self {
        Self::new(sm / 10, sm % 10)
    }
}

impl FromStr for ComputeCapability {
    type Err = ParseVersionError;

    /// Parses `12.0`, `sm_120` and `120`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseVersionError::new(text, "compute capability", "12.0");
        let text = text.trim();
        if let Some((major, minor)) = text.split_once('.') {
            let minor = number(minor).filter(|&minor| minor < 10).ok_or_else(error)?;
            return Ok(Self::new(number(major).filter(|&major| major < 100).ok_or_else(error)?, minor));
        }
        let sm = number(text.strip_prefix("sm_").unwrap_or(text)).ok_or_else(error)?;
        if (20..1000).contains(&sm) { Ok(Self::from_sm(sm)) } else { Err(error()) }
    }
}

impl fmt::Display for ComputeCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

as_text!(ComputeCapability);

/// How widely code of a target may run within its major.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// `sm_90`: this compute capability and later ones of the same major.
    Forward,
    /// `sm_100f`: this compute capability and later members of its family.
    Family,
    /// `sm_90a`: exactly this compute capability.
    Exact,
}

/// What an image in a fat binary was compiled for, e.g. `sm_90a` (machine code) or `compute_80` (PTX).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeTarget {
    /// PTX, which a driver compiles at load, rather than machine code (SASS).
    pub ptx: bool,
    /// The compute capability in the name.
    pub capability: ComputeCapability,
    /// The suffix of the name.
    pub reach: Reach,
}

impl FromStr for CodeTarget {
    type Err = ParseVersionError;

    /// Parses `sm_80`, `sm_90a`, `sm_100f`, `compute_120`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseVersionError::new(text, "code target", "sm_90a");
        let (ptx, rest) = match (text.strip_prefix("sm_"), text.strip_prefix("compute_")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(error()),
        };
        let (digits, reach) = match (rest.strip_suffix('a'), rest.strip_suffix('f')) {
            (Some(digits), _) => (digits, Reach::Exact),
            (_, Some(digits)) => (digits, Reach::Family),
            _ => (rest, Reach::Forward),
        };
        let sm = number(digits).filter(|sm| (10..1000).contains(sm)).ok_or_else(error)?;
        Ok(Self { ptx, capability: ComputeCapability::from_sm(sm), reach })
    }
}

impl fmt::Display for CodeTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.ptx { "compute" } else { "sm" };
        let suffix = match self.reach {
            Reach::Forward => "",
            Reach::Family => "f",
            Reach::Exact => "a",
        };
        f.pad(&format!("{prefix}_{}{suffix}", self.capability.sm()))
    }
}

as_text!(CodeTarget);

/// A version of the GNU C library, e.g. `2.28`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GlibcVersion {
    /// `2` of `2.28`.
    pub major: u32,
    /// `28` of `2.28`.
    pub minor: u32,
}

impl GlibcVersion {
    /// The oldest glibc that a wheel's platform tag admits, e.g. 2.28 for `manylinux_2_28_x86_64` (PEP 600).
    ///
    /// The old names stand for a glibc too (PEP 513, 571, 599): `manylinux1` 2.5, `manylinux2010` 2.12, `manylinux2014` 2.17.
    #[must_use]
    pub fn from_platform_tag(tag: &str) -> Option<Self> {
        let rest = tag.strip_prefix("manylinux")?;
        let minor = match rest.split_once('_')? {
            ("1", _) => 5,
            ("2010", _) => 12,
            ("2014", _) => 17,
            ("", rest) => {
                let mut numbers = rest.splitn(3, '_');
                let major = numbers.next()?.parse().ok()?;
                return Some(Self { major, minor: numbers.next()?.parse().ok()? });
            }
            _ => return None,
        };
        Some(Self { major: 2, minor })
    }
}

impl FromStr for GlibcVersion {
    type Err = ParseVersionError;

    /// Parses `2.28`, and `2.28.9000` without its last number.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let CudaVersion { major, minor } =
            text.parse().map_err(|_| ParseVersionError::new(text, "glibc version", "2.28"))?;
        Ok(Self { major, minor })
    }
}

impl fmt::Display for GlibcVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

as_text!(GlibcVersion);

/// A feature version of Python, e.g. `3.11`, with the micro number where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PythonVersion {
    /// `3` of `3.11.7`.
    pub major: u32,
    /// `11` of `3.11.7`.
    pub minor: u32,
    /// `7` of `3.11.7`; none for `3.11`.
    pub micro: Option<u32>,
}

impl PythonVersion {
    /// The CPython wheel tag, e.g. `cp311`.
    #[must_use]
    pub fn tag(self) -> String {
        format!("cp{}{}", self.major, self.minor)
    }
}

impl FromStr for PythonVersion {
    type Err = ParseVersionError;

    /// Parses `3.11`, `3.11.7`, and `3.14.0rc1` or `3.11.7+` without what follows the numbers.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseVersionError::new(text, "Python version", "3.11");
        let mut pieces = text.trim().splitn(3, '.');
        let major = pieces.next().and_then(number).ok_or_else(error)?;
        let minor = pieces.next().and_then(number).ok_or_else(error)?;
        let micro = pieces.next().map(|piece| {
            let end = piece.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(piece.len());
            number(&piece[..end]).ok_or_else(error)
        });
        Ok(Self { major, minor, micro: micro.transpose()? })
    }
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.micro {
            Some(micro) => write!(f, "{}.{}.{micro}", self.major, self.minor),
            None => write!(f, "{}.{}", self.major, self.minor),
        }
    }
}

as_text!(PythonVersion);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn driver_versions_keep_nvidias_text_and_compare_by_number() {
        let driver: DriverVersion = "580.65.06".parse().unwrap();
        assert_eq!(driver.to_string(), "580.65.06");
        assert_eq!(driver.branch(), 580);
        assert!(driver > "570.133.20".parse().unwrap());
        assert!(driver < "580.159.04".parse().unwrap());
        assert_eq!("525".parse::<DriverVersion>().unwrap(), "525.0.0".parse().unwrap());
        for wrong in ["", "580.", "580.65.06.1", "v580", "-1", "99999999999"] {
            assert!(wrong.parse::<DriverVersion>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn cuda_versions_are_read_from_every_spelling() {
        assert_eq!(CudaVersion::from_driver_int(12080), Some(CudaVersion::new(12, 8)));
        assert_eq!(CudaVersion::from_driver_int(-1), None);
        assert_eq!(CudaVersion::from_variant("cu126"), Some(CudaVersion::new(12, 6)));
        assert_eq!(CudaVersion::from_variant("cu92"), Some(CudaVersion::new(9, 2)));
        assert_eq!(CudaVersion::from_variant("cpu"), None);
        assert_eq!(CudaVersion::from_variant("cu12"), None);
        assert_eq!("12.8.93".parse(), Ok(CudaVersion::new(12, 8)));
        assert_eq!(CudaVersion::new(13, 0).variant(), "cu130");
    }

    #[test]
    fn compute_capabilities_are_read_from_every_spelling() {
        let expected = Ok(ComputeCapability::new(12, 0));
        assert_eq!("12.0".parse(), expected);
        assert_eq!("sm_120".parse(), expected);
        assert_eq!("120".parse(), expected);
        assert_eq!(ComputeCapability::new(8, 9).sm(), 89);
        for wrong in ["12", "sm_", "12.", "RTX", "1.20", "12.0a"] {
            assert!(wrong.parse::<ComputeCapability>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn code_targets_round_trip() {
        for text in ["sm_50", "sm_90a", "sm_100f", "compute_120", "compute_90a"] {
            assert_eq!(text.parse::<CodeTarget>().unwrap().to_string(), text);
        }
        assert_eq!("sm_90a".parse::<CodeTarget>().unwrap().reach, Reach::Exact);
        assert!("sm90".parse::<CodeTarget>().is_err());
    }

    #[test]
    fn python_versions_drop_what_follows_the_numbers() {
        assert_eq!("3.14.0rc1".parse::<PythonVersion>().unwrap().to_string(), "3.14.0");
        assert_eq!("3.11".parse::<PythonVersion>().unwrap().tag(), "cp311");
        assert!("3".parse::<PythonVersion>().is_err());
    }
}
