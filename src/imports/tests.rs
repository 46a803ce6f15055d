//! Environments of a few lines, and what importing their packages comes to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Found, Modules, Prepared, Walk};

/// Modules by their names; a name that ends with a dot is a package.
struct Files(BTreeMap<&'static str, &'static str>);

impl Modules for Files {
    fn find(&self, name: &str) -> Found {
        let path = |text: &str| text.to_owned();
        if name == "sys" {
            return Found::Opaque;
        }
        if matches!(name, "__future__" | "importlib" | "importlib.util" | "importlib.metadata" | "typing") {
            return Found::Library(name.to_owned());
        }
        if let Some((key, text)) = self.0.get_key_value(format!("{name}.").as_str()) {
            // As the files of a machine are called.
            return if text.starts_with("# by names") {
                Found::Names(format!("{name}/__init__.py"))
            } else {
                Found::Text { path: path(key), package: true }
            };
        }
        match self.0.get_key_value(name) {
            Some((key, text)) if text.starts_with("# by names") => Found::Names(path(key)),
            Some((key, &"extension")) => {
                if key.is_empty() {
                    Found::Missing
                } else {
                    Found::Opaque
                }
            }
            Some((key, _)) => Found::Text { path: path(key), package: false },
            None => Found::Missing,
        }
    }

    fn read(&self, path: &str, name: &str) -> Option<Arc<Prepared>> {
        let package = path.strip_suffix("/__init__.py").map(|it| format!("{it}."));
        Prepared::read(self.0.get(package.as_deref().unwrap_or(path))?, name).map(Arc::new)
    }

    fn version(&self, distribution: &str) -> Option<Option<String>> {
        Some((distribution == "other" || distribution == "large").then(|| "2.1".to_owned()))
    }

    fn variable(&self, _: &str) -> Option<Option<String>> {
        Some(None)
    }

    fn spells(&self, _: &str, name: &str) -> bool {
        name.starts_with("ext")
    }

    fn python(&self) -> (i64, i64, i64) {
        (3, 12, 1)
    }
}

/// What stops `import own`, and what a condition decides, one a line.
fn told(files: &[(&'static str, &'static str)]) -> String {
    let files = Files(files.iter().copied().collect());
    let mut walk = Walk::new(&files);
    walk.import("own");
    let line = |(it, stops): (super::Evidence, Option<String>)| {
        let how = if stops.is_some() { "stops" } else { "perhaps" };
        format!("{how} {}:{} {:?} {} {}", it.file, it.line, it.wanted, it.module, it.name).trim_end().to_owned()
    };
    walk.end().into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_not_there_is_told_with_its_place() {
    let other = ("other.", "from .part import a\ndef f():\n    x = 1\n    return x\n");
    let own = |text| told(&[("own", text), other, ("other.part", "a = b = 1\n")]);
    assert_eq!(own("import other\nfrom other import a, f, part\nother.f(other.a)\n"), "");
    assert_eq!(own("\nimport other.gone\n"), "stops own:2 Module other.gone");
    assert_eq!(own("from other import (\n    gone,\n)\n"), "stops own:1 Name other gone");
    assert_eq!(own("import other\ndef f(x=other.gone): pass\n"), "stops own:2 Attribute other gone");
    assert_eq!(own("import other\nclass A(other.Gone):\n    pass\n"), "stops own:2 Attribute other Gone");
    assert_eq!(own("import elsewhere\n"), "stops own:1 Module elsewhere");
    assert_eq!(own("def f():\n    import elsewhere\n"), "");
    assert_eq!(own("def f():\n\n    import elsewhere\nf()\n"), "stops own:3 Module elsewhere");
}

#[test]
fn what_is_caught_or_never_runs_is_none() {
    let own = |text| told(&[("own", text), ("other.", "a = 1\n")]);
    for text in [
        "try:\n    import gone\nexcept ImportError:\n    gone = None\n",
        "try:\n    from other import gone\nexcept (ImportError, OSError):\n    pass\n",
        "try:\n    import gone\n    HAS = True\nexcept ImportError:\n    HAS = False\nif HAS:\n    from other import gone\n",
        "import sys\nif sys.version_info < (3, 8):\n    import gone\n",
        "lacks = []\nfor it in ('other',):\n    try:\n        __import__(it)\n    except ImportError as e:\n        lacks += [it]\n\
         if lacks:\n    raise ImportError(lacks)\n",
        "lacks = []\nfor it in ('other',):\n    try:\n        __import__(it)\n    except ImportError as e:\n        lacks.append('gone')\n\
         for it in lacks:\n    __import__(it)\n",
        "import importlib\nimportlib.import_module(f'other_{1:02d}')\n",
        "lacks = []\nfor it in ('other',):\n    try:\n        __import__(it)\n    except ImportError as e:\n        lacks.append(it)\n\
         if lacks:\n    raise ImportError(lacks)\n",
        "import sys\nif sys.platform == 'win32':\n    import gone\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import gone\n",
        "import importlib.util\nif importlib.util.find_spec('gone') is not None:\n    import gone\n",
        "import other\nif hasattr(other, 'gone'):\n    from other import gone\n",
        "from importlib.metadata import version\nif version('other').startswith('1.'):\n    from other import gone\n",
        "def has(name):\n    import importlib.util\n    return importlib.util.find_spec(name) is not None\n\
         if has('gone'):\n    import gone\n",
    ] {
        assert_eq!(own(text), "", "{text}");
    }
    let raised =
        "try:\n    import gone\nexcept ImportError as error:\n    raise ImportError('install gone') from error\n";
    assert_eq!(own(raised), "stops own:2 Module gone");
}

#[test]
fn a_condition_that_nobody_can_decide_makes_it_a_perhaps() {
    let own = |text| told(&[("own", text), ("other.", "a = 1\n"), ("own_c", "extension")]);
    assert_eq!(own("import own_c\nif own_c.flag():\n    from other import gone\n"), "perhaps own:3 Name other gone");
    // A package that is not there at all is an option that nobody took.
    assert_eq!(own("import own_c\nif own_c.flag():\n    import gone\n"), "");
    assert_eq!(own("import own_c\nif own_c.flag():\n    x = 1\nelse:\n    x = 2\nfrom other import a\n"), "");
}

#[test]
fn modules_that_make_their_names_have_every_name() {
    let other = |text| told(&[("own", "from other import name\n"), ("other.", text), ("c", "extension")]);
    let missing = "stops own:1 Name other name";
    assert_eq!(other("for it in list_of_names():\n    globals()[it] = it\n"), "");
    assert_eq!(other("for it in ['name']:\n    globals()[it] = it\n"), "");
    assert_eq!(other("from c import *\n"), "");
    assert_eq!(other("import sys\nsys.modules[__name__] = make()\n"), "");
    let by_table =
        "def __getattr__(name):\n    if name in TABLE:\n        return TABLE[name]\n    raise AttributeError(name)\n";
    assert_eq!(other(by_table), "", "a table that is not known");
    let known = ["TABLE = {'other': 1}\n", by_table].concat();
    let known: &'static str = Box::leak(known.into_boxed_str());
    assert_eq!(other(known), missing);
    let closure = "def make(table):\n    def inner(name):\n        if name in table:\n            return 1\n        \
                   raise AttributeError(name)\n    return inner\n__getattr__ = make({'old': 1})\n";
    assert_eq!(other(closure), missing);
}

#[test]
fn a_lazy_package_states_its_names() {
    let lazy = "import sys\nfrom lazy import Lazy\n_import_structure = {'part': ['Good', 'Bad']}\n\
                _import_structure['part'].append('More')\nsys.modules[__name__] = Lazy(__name__, _import_structure)\n";
    let part = "class Good: pass\nclass More: pass\nfrom gone import Bad\n";
    let own =
        |text, part| told(&[("own", text), ("other.", lazy), ("other.part", part), ("lazy", "class Lazy: pass\n")]);
    assert_eq!(own("import other\n", part), "");
    assert_eq!(own("from other import Good\n", part), "stops other.part:3 Module gone");
    assert_eq!(own("from other import Good, More\n", "Good = More = 1\n"), "");
    assert_eq!(own("from other import Absent\n", "Good = More = 1\n"), "stops own:1 Name other Absent");
}

#[test]
fn of_a_large_package_only_the_names_are_asked_for() {
    let top =
        "# by names\nimport gone\nfrom .part import *\nfrom .same import same\ndef f():\n    from . import gone\n";
    let part = ("large.part", "# by names\nfrom gone import x\nclass A: pass\nclass Error(Exception): pass\n");
    let same = ("large.same", "# by names\ndef same(): pass\n");
    let lazy = ("large.lazy", "# by names\ndef __getattr__(name):\n    raise AttributeError(name)\n");
    let own = |text| told(&[("own", text), ("large.", top), part, same, lazy]);
    assert_eq!(own("import large\nfrom large import A, f, x, part\nfrom large.part import A\nlarge.A.b\n"), "");
    assert_eq!(own("from large.lazy import anything\n"), "", "it makes its names");
    assert_eq!(own("import large.part\nlarge.part.B\n"), "stops own:2 Attribute large.part B");
    assert_eq!(own("from large.part import B\n"), "stops own:1 Name large.part B");
    assert_eq!(own("from large import B\n"), "stops own:1 Name large B");
    assert_eq!(own("import large.absent\n"), "stops own:1 Module large.absent");
    // What is called like its module is not the module.
    assert_eq!(own("import large.same\nlarge.same.anything\nimport large.same as it\nit.anything\n"), "");
    assert_eq!(own("from large.part import *\nA\n"), "");
    assert_eq!(own("import large\nif large.__version__ < '2.0':\n    from large import gone\n"), "");
    // Whether it is what the handler names, nobody knows.
    assert_eq!(own("import large\ntry:\n    import gone\nexcept large.Error:\n    pass\n"), "");
}

#[test]
fn circles_and_deep_calls_end() {
    let circle = [("own", "from a import x\n"), ("a", "from b import y\nx = 1\n"), ("b", "from a import x\ny = 1\n")];
    assert_eq!(told(&circle), "", "what Python makes of it depends on who comes first");
    assert_eq!(told(&[("own", "def f(n):\n    return f(n)\nf(1)\nwhile True:\n    pass\n")]), "");
}

#[test]
fn what_the_parser_could_not_bear_is_refused() {
    assert!(Prepared::read(&"(".repeat(10_000), "a").is_none());
    assert!(Prepared::read(&format!("x = {}1", "not ".repeat(100_000)), "a").is_none());
    assert!(Prepared::read(&format!("x = 1{}", "+1".repeat(1_000_000)), "a").is_none());
    let long = "x = [\n".to_owned() + &"    'text', 1,\n".repeat(100_000) + "]\n";
    assert_eq!(Prepared::read(&long, "a").unwrap().module.body.len(), 1);
}

#[test]
fn what_grows_without_end_is_not_followed_to_it() {
    // The line behind the loop is reached, and what stops there is told.
    let own = |text: &str| {
        let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
        told(&[("own", text), ("other.", "a = 1\n"), ("ext", "extension")])
    };
    let looped = |times: usize, set: &str, step: &str| {
        let inner = format!("    for b in [{}]:\n        {step}\n", "0,".repeat(times));
        own(&format!("import other\n{set}\nfor a in [{}]:\n{inner}other.gone\n", "0,".repeat(times)))
    };
    let stops = "stops own:6 Attribute other gone";
    // Doubled 225 times.
    for step in ["y = y + y", "y += y", "y = [*y, *y]", "y.extend(y)", "y = list(zip(y + y, y + y))"] {
        assert_eq!(looped(15, "y = [1]", step), stops, "{step}");
    }
    for step in ["y = y + y", "y = y.replace('a', y)", "y = y.join([y, y])", "y = f'{y}{y}'"] {
        assert_eq!(looped(15, "y = 'aa'", step), stops, "{step}");
    }
    // Ten thousand deep, and dropped.
    for step in ["y = [y]", "y = {'a': y}", "y = lambda z=y: z", "y.append([]); y = y[-1]"] {
        assert_eq!(looped(100, "y = []", step), stops, "{step}");
    }
    // Two that hold themselves many times, and a class that is made of itself.
    let twice = "a = [1]\nb = [1]\n".to_owned() + &"a = [a, a]\nb = [b, b]\n".repeat(60);
    assert_eq!(own(&format!("{twice}a < b\nif a == b:\n    import gone\n")), "");
    assert_eq!(own(&format!("{twice}try:\n    import gone\nexcept a:\n    pass\n")), "");
    assert_eq!(own(&("class A: pass\n".to_owned() + &"class A(A, A): pass\n".repeat(60))), "");
    // Each `elif` is one way more.
    let chain: String = (0..10_000).map(|at| format!("elif f({at}):\n    x = {at}\n")).collect();
    assert_eq!(own(&format!("from ext import f\nif f(0):\n    pass\n{chain}")), "");
    assert_eq!(own(&format!("import ext.{}a\n", "a.".repeat(10_000))), "");
}

#[test]
fn annotations_are_evaluated_unless_they_are_postponed() {
    let own = |text| told(&[("own", text), ("other.", "a = 1\n")]);
    assert_eq!(own("import other\ndef f(x: list[other.Gone]): pass\n"), "stops own:2 Attribute other Gone");
    assert_eq!(own("import other\nclass A:\n    x: other.Gone\n"), "stops own:3 Attribute other Gone");
    assert_eq!(own("from __future__ import annotations\nimport other\ndef f(x: other.Gone): pass\n"), "");
    assert_eq!(own("import other\ndef f():\n    x: other.Gone\n    def g(x: other.Gone): pass\nf()\n"), "");
}

#[test]
fn a_finder_of_another_python_finds_nothing() {
    let six = |find: &'static str| {
        let text = "import sys\nclass Finder:\n    def FIND(self, name): return self\n    def load_module(self, name):\n        \
                    sys.modules[name] = self\nsys.meta_path.append(Finder())\n__path__ = []\nmoves = 1\n";
        told(&[("own", "import six.moves\n"), ("six", Box::leak(text.replace("FIND", find).into_boxed_str()))])
    };
    assert_eq!(six("find_module"), "stops own:1 Module six.moves");
    assert_eq!(six("find_spec"), "");
}

#[test]
fn names_that_a_star_takes_are_those_that_are_listed_or_that_an_extension_spells() {
    let large = ("large.", "# by names\nfrom .part import *\nfrom ._ext import *\n");
    let own = |text| {
        let part = ("large.part", "# by names\nfrom elsewhere import b\n__all__ = ['a']\ndef a(): pass\n");
        told(&[("own", text), large, part, ("large._ext", "extension")])
    };
    assert_eq!(own("from large import a, extern\n"), "");
    assert_eq!(own("from large import b\n"), "stops own:1 Name large b");
    let open = ("large.part", "# by names\nfrom elsewhere import b\n__all__ = ['a']\n__all__ += ['b']\n");
    assert_eq!(told(&[("own", "from large import b\n"), large, open, ("large._ext", "extension")]), "");
}

#[test]
fn a_module_below_one_that_has_another_name_is_below_that_one() {
    let alias = "import sys\nimport other\nfor name in list(sys.modules):\n    if name.startswith('other'):\n        \
                 sys.modules[f'pack.{name}'] = sys.modules[name]\n";
    let own = |text| told(&[("own", text), ("pack.", alias), ("other.", ""), ("other.part", "a = 1\n")]);
    assert_eq!(own("from pack.other.part import a\n"), "");
    assert_eq!(own("import pack\nfrom pack.other.gone import a\n"), "stops own:2 Module other.gone");
}

#[test]
fn a_module_that_goes_to_what_nobody_follows_has_every_name() {
    let part = "import sys\nclass Loader:\n    def load(self, module): pass\nLoader().load(sys.modules['other'])\n";
    let files = [("own", "from other import a\n"), ("other.", "from . import part\n"), ("other.part", part)];
    assert_eq!(told(&files), "");
    assert_eq!(told(&[("own", "from other import a\n"), ("other.", "x = 1\n")]), "stops own:1 Name other a");
}

#[test]
fn an_error_that_names_both_versions_was_worked_out() {
    let own = |test: &str| {
        let text = format!(
            "from other import __version__\ndef check():\n    if __version__{test}:\n        raise SystemError(f'other is \
             version {{__version__}}, and 2.2 is needed')\ncheck()\n"
        );
        let text: &'static str = Box::leak(text.into_boxed_str());
        told(&[("own", text), ("other.", "from ._ext import __version__\n"), ("other._ext", "extension")])
    };
    assert_eq!(own("[0] == '2'"), "stops own:4 Stop own other is version 2.1, and 2.2 is needed");
    assert_eq!(own("[:1] != '2'"), "");
    // Sets have no order.
    let sets = "if {'a', 'b'} == {'b', 'a'}:\n    pass\nelse:\n    import gone\nassert {1} == set([2])\n";
    assert_eq!(told(&[("own", sets)]), "");
}
