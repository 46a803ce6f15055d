//! What sort of file a name stands for.

/// A sort of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// `requirements.txt`, `requirements/dev.in`.
    Requirements,
    /// `constraints.txt`.
    Constraints,
    /// `pyproject.toml`.
    PyProject,
    /// `uv.lock`, `pylock.toml`.
    Lock,
    /// `environment.yml`.
    Conda,
    /// `Dockerfile`, `Containerfile`, `train.Dockerfile`.
    Dockerfile,
    /// `docker-compose.yml`, `compose.yaml`.
    Compose,
    /// `setup.sh`.
    Shell,
    /// `.github/workflows/test.yml`.
    Workflow,
    /// `handler.py`: what it asks of the versions.
    Python,
}

impl FileKind {
    /// What a path stands for; none for a file of no interest.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let path = path.replace('\\', "/");
        let mut parts = path.rsplit('/');
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let folder = parts.next().unwrap_or_default().to_ascii_lowercase();
        let above = parts.next().unwrap_or_default();
        let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
        let yaml = matches!(ending, "yml" | "yaml");
        let listed = matches!(ending, "txt" | "in");
        match name.as_str() {
            "pyproject.toml" => Some(Self::PyProject),
            "uv.lock" | "pylock.toml" => Some(Self::Lock),
            _ if name.starts_with("pylock.") && ending == "toml" => Some(Self::Lock),
            _ if stem == "dockerfile" || stem == "containerfile" || name == "dockerfile" || name == "containerfile" => {
                Some(Self::Dockerfile)
            }
            _ if name.starts_with("dockerfile") && !matches!(ending, "md" | "txt" | "py") => Some(Self::Dockerfile),
            _ if matches!(ending, "dockerfile" | "containerfile") => Some(Self::Dockerfile),
            _ if yaml && folder == "workflows" && above == ".github" => Some(Self::Workflow),
            _ if yaml && (stem.starts_with("docker-compose") || stem == "compose") => Some(Self::Compose),
            _ if yaml && (stem.starts_with("environment") || stem.ends_with("environment")) => Some(Self::Conda),
            _ if matches!(ending, "sh" | "bash") => Some(Self::Shell),
            _ if ending == "py" => Some(Self::Python),
            _ if listed && stem.contains("constraint") => Some(Self::Constraints),
            _ if listed && (stem.contains("requirements") || folder == "requirements" || stem == "reqs") => {
                Some(Self::Requirements)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are() {
        use FileKind::{
            Compose, Conda, Constraints, Dockerfile, Lock, PyProject, Python, Requirements, Shell, Workflow,
        };
        for (path, kind) in [
            ("requirements.txt", Some(Requirements)),
            ("requirements-dev.in", Some(Requirements)),
            ("requirements/cuda.txt", Some(Requirements)),
            ("a/constraints-gpu.txt", Some(Constraints)),
            ("pyproject.toml", Some(PyProject)),
            ("pylock.gpu.toml", Some(Lock)),
            ("uv.lock", Some(Lock)),
            ("environment.yml", Some(Conda)),
            ("docker/Dockerfile.cuda", Some(Dockerfile)),
            ("train.Dockerfile", Some(Dockerfile)),
            ("Containerfile", Some(Dockerfile)),
            ("docker-compose.gpu.yml", Some(Compose)),
            ("pod/start.sh", Some(Shell)),
            ("handler.py", Some(Python)),
            (".github/workflows/test.yaml", Some(Workflow)),
            ("other/workflows/test.yaml", None),
            ("README.md", None),
            ("notes.txt", None),
        ] {
            assert_eq!(FileKind::of(path), kind, "{path}");
        }
    }
}
