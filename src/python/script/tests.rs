use super::*;

/// The statements that trip, as `how text`, with torch 2.7.1+cu128 and triton 3.3.1, which has no `triton.ops`.
fn tripped(text: &str) -> Vec<String> {
    let version = |module: &str| match module {
        "torch" => Some("2.7.1+cu128".to_owned()),
        "triton" => Some("3.3.1".to_owned()),
        _ => None,
    };
    let found = Script::parse(text).tripped(&version, &|module| module == "triton.ops");
    found.into_iter().map(|one| format!("{:?} {} {}", one.trip, one.modules.join(","), &text[one.span])).collect()
}

#[test]
fn the_assertions_of_an_image_are_read_through_their_variables() {
    let text = "import torch; v = torch.__version__; major_minor = '.'.join(v.split('.')[:2]); \
                assert major_minor == '2.6', f'wrong PyTorch {v}'";
    assert_eq!(tripped(text), ["Assertion torch assert major_minor == '2.6', f'wrong PyTorch {v}'"]);
    assert_eq!(tripped(&text.replace("'2.6'", "'2.7'")), [""; 0]);
    assert_eq!(
        tripped("import triton; assert triton.__version__.startswith('2.'); import triton.ops"),
        ["Assertion triton assert triton.__version__.startswith('2.')", "Import triton.ops import triton.ops"]
    );
}

#[test]
fn each_way_to_compare_goes_both_ways() {
    let head = "import torch, triton\nfrom packaging import version\nfrom packaging.version import Version as V\n\
                from importlib.metadata import version as installed\n";
    for (holds, fails) in [
        ("torch.__version__ == '2.7.1+cu128'", "torch.__version__ == '2.6.0+cu124'"),
        ("torch.__version__ != '2.6.0'", "torch.__version__ != '2.7.1+cu128'"),
        ("torch.__version__ >= '2.7'", "torch.__version__ >= '2.10'"),
        ("torch.__version__.startswith(('2.6', '2.7'))", "torch.__version__.startswith('2.6')"),
        ("triton.__version__ in ('3.3.0', '3.3.1')", "triton.__version__ in ['2.1.0', '2.3.1']"),
        ("triton.__version__ not in ('2.1.0',)", "triton.__version__ not in {'3.3.1'}"),
        (
            "version.parse(torch.__version__) < version.parse('2.8')",
            "version.parse(torch.__version__) < version.parse('2.7')",
        ),
        ("V(triton.__version__) == V('3.3.1')", "V('2.1') <= V(triton.__version__) < V('3')"),
        ("installed('torch').split('+')[0] == '2.7.1'", "installed('torch').split('+')[0] == '2.6.0'"),
        (
            "tuple(int(x) for x in triton.__version__.split('.')[:2]) >= (3, 2)",
            "tuple(map(int, triton.__version__.split('.'))) < (3, 0)",
        ),
        (
            "int(torch.__version__.split('.')[0]) == 2 and torch.__version__[:3] == '2.7'",
            "float(torch.__version__[:3]) <= 2.6",
        ),
        ("'cu128' in torch.__version__", "'cu124' in torch.__version__ or not '2.7' in torch.__version__"),
    ] {
        assert_eq!(tripped(&format!("{head}assert {holds}\n")), [""; 0], "{holds}");
        assert_eq!(tripped(&format!("{head}assert ({fails}), 'no'\n")).len(), 1, "{fails}");
        assert_eq!(tripped(&format!("{head}if {fails}:\n    raise SystemExit(1)\n")), [""; 0], "{fails}");
        assert_eq!(tripped(&format!("{head}if {holds}: raise SystemExit(1)\n")).len(), 1, "{holds}");
    }
}

#[test]
fn a_check_that_complains_is_told_and_one_that_chooses_is_not() {
    let check = "import torch\n\nmajor_minor = \".\".join(torch.__version__.split(\".\")[:2])\nif major_minor != \"2.6\":\n    \
                 print(\"wrong PyTorch\")\n";
    assert_eq!(tripped(check), ["Complaint torch if major_minor != \"2.6\""]);
    assert_eq!(tripped(&check.replace("!=", "==").replace("2.6", "2.7")), [""; 0], "it greets");
    assert_eq!(tripped(&check.replace("print(\"wrong PyTorch\")", "mode = 'new'")), [""; 0], "it chooses");
}

#[test]
fn what_may_not_come_to_it_or_is_not_understood_is_left_alone() {
    for text in [
        "import torch\ntry:\n    import triton.ops\nexcept ImportError:\n    pass\n",
        "import torch\nif torch.cuda.is_available():\n    assert torch.__version__.startswith('2.6')\n",
        "import torch\nv = torch.__version__\ndef check(v):\n    assert v == '2.6'\n",
        "import torch\nv = torch.__version__\nif old:\n    v = '2.6'\nassert v == '2.6'\n",
        "import torch\nassert torch.version.cuda == '12.4'\n",
        "assert torch.__version__ == '2.6'\n",
        "import torch\n# assert torch.__version__ == '2.6'\n'''\nassert torch.__version__ == '2.6'\n'''\n",
        "import torch\nassert compare(torch.__version__, '2.6')\nassert torch.__version__.split('.', maxsplit=1)[0] == '1'\n",
        "import torch\nassert torch.__version__[0:1:1] == '3'\nassert '3' if torch.__version__ else '2' == '2'\n",
        "import numpy\nassert numpy.__version__ < '2'\n",
    ] {
        assert_eq!(tripped(text), [""; 0], "{text}");
    }
    let text =
        "import torch\ndef main():\n    assert torch.__version__ == '2.6.0'\nif __name__ == '__main__':\n    main()\n";
    assert_eq!(tripped(text).len(), 1);
}

#[test]
fn hostile_texts_end() {
    let deep = format!("assert {}x", "(".repeat(100_000));
    for text in [
        deep.as_str(),
        "assert '",
        "x = '''",
        "if",
        "from",
        "import",
        "import a as",
        "a[",
        "assert not",
        "\\",
        "é = 'é'\nassert é",
    ] {
        let _ = Script::parse(text).tripped(&|_| Some("1".to_owned()), &|_| false);
    }
}
