//! What a source distribution states that it requires, without running any of it.
//!
//! Asked in this order, and the first that has an answer is believed:
//! 1. PKG-INFO, where it promises that its wheels say the same (metadata 2.2, `Requires-Dist` not `Dynamic`);
//! 2. `requires.txt` of setuptools' `*.egg-info`, a list even where it is missing: then nothing is required;
//! 3. `Requires-Dist` lines of any other PKG-INFO;
//! 4. `[project]` of pyproject.toml, unless it calls the dependencies dynamic;
//! 5. `install_requires` of setup.cfg.
//!
//! What only setup.py knows is not known.

use super::metadata::Metadata;
use super::requires_txt::parse_requires_txt;
use super::sdist::Sdist;

/// Its metadata with the requirements that it states; none where it states no list.
#[must_use]
pub fn stated(sdist: &Sdist) -> Option<Metadata> {
    let own = sdist.pkg_info.as_deref().map(Metadata::parse).unwrap_or_default();
    if own.is_static("requires-dist") {
        return Some(own);
    }
    let list = match &sdist.requires_txt {
        Some(text) => Some(parse_requires_txt(text)),
        None if sdist.egg_info => Some(Default::default()),
        None if !own.requires_dist.is_empty() => return Some(own),
        None => None,
    };
    let list = list.or_else(|| of_pyproject(sdist.pyproject.as_deref()?));
    let (requires_dist, provides_extra) = list.or_else(|| of_setup_cfg(sdist.setup_cfg.as_deref()?))?;
    Some(Metadata { requires_dist, provides_extra, ..own })
}

type List = (Vec<String>, Vec<String>);

/// A list as `Requires-Dist` lines, and the names of the extras.
fn with_extras(mut requires: Vec<String>, extras: Vec<(String, Vec<String>)>) -> List {
    let mut names = Vec::new();
    for (name, lines) in extras {
        requires.extend(lines.iter().map(|line| match line.split_once(';') {
            Some((demand, marker)) => format!("{}; ({}) and extra == \"{name}\"", demand.trim(), marker.trim()),
            None if line.contains('@') => format!("{line} ; extra == \"{name}\""),
            None => format!("{line}; extra == \"{name}\""),
        }));
        names.push(name);
    }
    (requires, names)
}

fn of_pyproject(text: &str) -> Option<List> {
    let document: toml::Table = toml::from_str(text).ok()?;
    let project = document.get("project")?.as_table()?;
    let strings = |value: &toml::Value| {
        let items = value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned));
        items.collect::<Option<Vec<String>>>()
    };
    let dynamic = project.get("dynamic").and_then(strings).unwrap_or_default();
    if dynamic.iter().any(|name| name == "dependencies" || name == "optional-dependencies") {
        return None;
    }
    let plain = project.get("dependencies").map_or(Some(Vec::new()), strings)?;
    let extras = project.get("optional-dependencies").and_then(toml::Value::as_table);
    let extras = extras.into_iter().flatten().map(|(name, lines)| Some((name.clone(), strings(lines)?)));
    Some(with_extras(plain, extras.collect::<Option<_>>()?))
}

/// `install_requires` below `[options]`, one to a line; `file: requirements.txt` names a list and is none.
fn of_setup_cfg(text: &str) -> Option<List> {
    let (mut section, mut key) = ("", "");
    let mut plain: Option<Vec<String>> = None;
    let mut extras: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        let (inner, trimmed) = (line.starts_with([' ', '\t']), line.trim());
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        let values: Vec<&str> = if let Some(name) = trimmed.strip_prefix('[').filter(|_| !inner) {
            (section, key) = (name.split(']').next().unwrap_or(name), "");
            continue;
        } else if inner {
            vec![trimmed]
        } else {
            let (name, value) = trimmed.split_once(['=', ':'])?;
            key = name.trim();
            match section {
                "options" if key == "install_requires" => plain = Some(Vec::new()),
                "options.extras_require" => extras.push((key.to_owned(), Vec::new())),
                _ => {}
            }
            // On the line of the key `;` parts requirements; on a line of its own it begins a marker.
            value.split(';').map(str::trim).filter(|value| !value.is_empty()).collect()
        };
        let place = match section {
            "options" if key == "install_requires" => plain.as_mut(),
            "options.extras_require" => extras.last_mut().map(|(_, lines)| lines),
            _ => None,
        };
        let Some(lines) = place else { continue };
        if values.iter().any(|value| value.starts_with("file:") || value.starts_with("attr:")) {
            return None;
        }
        lines.extend(values.into_iter().map(str::to_owned));
    }
    Some(with_extras(plain?, extras))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sdist: &Sdist) -> Option<String> {
        stated(sdist).map(|metadata| metadata.requires_dist.join(" | "))
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_promise_goes_before_setuptools_list_and_that_before_the_rest() {
        // Abridged from flash_attn 2.8.3, whose PKG-INFO is of metadata 2.1 and lists nothing.
        let mut sdist = Sdist {
            pkg_info: some("Metadata-Version: 2.1\nName: a\nRequires-Dist: old\n"),
            pyproject: some("[project]\ndependencies = ['from-project']\n"),
            ..Sdist::default()
        };
        assert_eq!(found(&sdist), some("old"));
        sdist.egg_info = true;
        assert_eq!(found(&sdist), some(""), "setuptools writes no list where nothing is required");
        sdist.requires_txt = some("torch\neinops\n\n[test]\npytest\n");
        assert_eq!(found(&sdist), some("torch | einops | pytest; extra == \"test\""));
        sdist.pkg_info = some("Metadata-Version: 2.4\nDynamic: Requires-Dist\nRequires-Dist: old\n");
        assert_eq!(found(&sdist), some("torch | einops | pytest; extra == \"test\""));
        sdist.pkg_info = some("Metadata-Version: 2.2\nRequires-Dist: promised\n");
        assert_eq!(found(&sdist), some("promised"));
    }

    #[test]
    fn a_project_states_its_dependencies_unless_it_calls_them_dynamic() {
        let of = |text: &str| found(&Sdist { pyproject: some(text), ..Sdist::default() });
        let project = "[project]\nname = 'a'\ndependencies = ['torch>=2']\n";
        let extras = "[project.optional-dependencies]\nlinux = ['psutil; sys_platform == \"linux\" or a', 'x']\n";
        assert_eq!(
            of(&format!("{project}{extras}")),
            some("torch>=2 | psutil; (sys_platform == \"linux\" or a) and extra == \"linux\" | x; extra == \"linux\"")
        );
        assert_eq!(of("[project]\nname = 'a'\n"), some(""));
        assert_eq!(of(&format!("{project}dynamic = ['dependencies']\n")), None);
        assert_eq!(of("[build-system]\nrequires = ['setuptools']\n"), None);
        assert_eq!(of("[project"), None);
    }

    #[test]
    fn setup_cfg_states_what_it_writes_out() {
        let of = |text: &str| found(&Sdist { setup_cfg: some(text), ..Sdist::default() });
        let text = "[metadata]\nname = a\n[options]\npackages = find:\ninstall_requires =\n    torch>=2\n    # no\n\
                    \x20   b; python_version<'3.9'\n\n[options.extras_require]\ntest = x; y\n[egg_info]\ntag_build =\n";
        assert_eq!(of(text), some("torch>=2 | b; python_version<'3.9' | x; extra == \"test\" | y; extra == \"test\""));
        assert_eq!(of("[options]\ninstall_requires = a; b>1\n"), some("a | b>1"));
        assert_eq!(of("[options]\ninstall_requires = file: requirements.txt\n"), None);
        assert_eq!(of("[egg_info]\ntag_build =\n"), None);
        assert_eq!(found(&Sdist { pkg_info: some("Metadata-Version: 1.1\nName: a\n"), ..Sdist::default() }), None);
    }
}
