//! `.pth` files: folders that a site folder adds to the path (documentation of Python's `site` module).
//!
//! ```text
//! # a comment
//! ../shared/lib                  a folder, relative to the site folder, or absolute
//! import _virtualenv             code, which Python runs at start and gpudoc does not
//! ```

/// The folders that a `.pth` file names, as they are written. Code lines are left out, so a path hook that they install
/// (setuptools' `__editable___*_finder`) adds nothing here; such a distribution has its metadata in the site folder.
#[must_use]
pub fn parse_pth(text: &str) -> Vec<&str> {
    let lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines();
    lines
        .filter(|line| !line.starts_with('#') && !is_code(line))
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !line.contains('\0'))
        .collect()
}

fn is_code(line: &str) -> bool {
    line.starts_with("import ") || line.starts_with("import\t")
}

/// Its lines of code, but for those with which setuptools makes a namespace of a folder beside it (`name-nspkg.pth`): without
/// them `import` finds the same.
pub fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    let is_namespace = |line: &&str| line.contains("module_from_spec(") && line.contains("setdefault('__path__'");
    text.lines().filter(|line| is_code(line)).filter(move |line| !is_namespace(line))
}

/// The folders that its lines of code put in front of all others: `import sys; sys.path.insert(0, '/opt/lib')`. Only what is
/// written out; what the code works out is not known.
#[must_use]
pub fn put_in_front(text: &str) -> Vec<&str> {
    let folders =
        text.lines().filter(|line| is_code(line)).flat_map(|line| line.split("sys.path.insert(0,").skip(1)).filter_map(
            |rest| {
                let rest = rest.trim_start();
                let quote = rest.chars().next().filter(|letter| matches!(letter, '\'' | '"'))?;
                rest.get(1..)?.split_once(quote).map(|(folder, _)| folder)
            },
        );
    folders.filter(|folder| folder.starts_with('/') && !folder.contains('\\')).collect()
}

/// The folder that a `.egg-link` names: setuptools' older way to install in development mode. Its first line.
#[must_use]
pub fn parse_egg_link(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| !line.is_empty() && !line.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_taken_and_code_is_not() {
        let text =
            "\u{feff}# made by hand\n/src/vllm\r\n../shared \n\nimport os; os.system('no')\nimport\tx\nimported\n";
        assert_eq!(parse_pth(text), ["/src/vllm", "../shared", "imported"]);
        let precedence =
            "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = True and __import__('_distutils_hack')";
        assert!(parse_pth(precedence).is_empty());
        let namespace = "import sys, types, os;importlib = __import__('importlib.util');m = sys.modules.setdefault('google', \
                         importlib.util.module_from_spec(x));mp = (m or []) and m.__dict__.setdefault('__path__',[])";
        assert_eq!(code_lines(&format!("{precedence}\n{namespace}\n/folder\n")).collect::<Vec<_>>(), [precedence]);
    }

    #[test]
    fn folders_that_code_puts_in_front_are_those_written_out() {
        let text = "import sys; sys.path.insert(0, '/opt/lib'); sys.path.insert(0,\"/b\")\n\
                    import os, sys; sys.path.insert(0, os.getcwd())\n# sys.path.insert(0, '/no')\nimport x; p.insert(0, '/no')\n";
        assert_eq!(put_in_front(text), ["/opt/lib", "/b"]);
    }

    #[test]
    fn an_egg_link_names_its_folder_first() {
        assert_eq!(parse_egg_link("/src/apex\n."), Some("/src/apex"));
        assert_eq!(parse_egg_link("\n"), None);
    }
}
