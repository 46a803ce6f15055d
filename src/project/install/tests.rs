use super::*;
use crate::project::shell::script;

fn install(text: &str) -> Install {
    let lines = Lines::of(text);
    script(text).iter().find_map(|command| Install::of(command, &lines)).unwrap()
}

#[test]
fn every_spelling_of_the_installer() {
    for (text, tool) in [
        ("pip install x", Tool::Pip),
        ("pip3.11 --no-cache-dir install x", Tool::Pip),
        ("/opt/venv/bin/pip install x", Tool::Pip),
        ("\"$VIRTUAL_ENV/bin/pip\" install x", Tool::Pip),
        ("sudo python3 -m pip --timeout 5 install x", Tool::Pip),
        ("$PYTHON -m pip install x", Tool::Pip),
        ("uv pip install --system x", Tool::UvPip),
        ("uv -q pip install x", Tool::UvPip),
        ("uv add x", Tool::UvAdd),
        ("uv sync --frozen", Tool::UvSync),
    ] {
        assert_eq!(install(text).tool, tool, "{text}");
    }
    for text in [
        "pip uninstall x",
        "pipx install x",
        "uv lock",
        "python setup.py install",
        "apt-get install pip",
        "uv pip list",
    ] {
        let lines = Lines::of(text);
        assert_eq!(script(text).iter().find_map(|command| Install::of(command, &lines)), None, "{text}");
    }
}

#[test]
fn words_are_told_apart() {
    let text = "pip install -U --pre -rbase.txt -c=odd.txt --constraint cons.txt 'torch>=2.6,<2.8' --index-url=https://host/cu124 \\\n  \
                -f https://host/links flash_attn==$V -e ./local --no-deps --python-version 3.11 --no-binary :all: numpy";
    let found = install(text);
    let at = |place: &Place| text[place.span.clone()].to_owned();
    let names: Vec<_> = found.items.iter().map(|item| item.name.clone().unwrap_or_else(|| at(&item.place))).collect();
    assert_eq!(names, ["torch", "flash-attn", "./local", "numpy"]);
    let torch = found.items[0].dependency.as_ref().unwrap();
    assert_eq!(
        (at(&torch.place), at(torch.versions.as_ref().unwrap())),
        ("torch>=2.6,<2.8".into(), ">=2.6,<2.8".into())
    );
    assert_eq!((at(&found.items[0].place), found.items[1].dependency.is_none()), ("'torch>=2.6,<2.8'".into(), true));
    assert!(found.items[2].editable);
    let files: Vec<_> = found.files.iter().map(|one| (one.file.value.as_str(), one.constraints)).collect();
    assert_eq!(files, [("base.txt", false), ("=odd.txt", true), ("cons.txt", true)]);
    let indexes: Vec<_> = found.indexes.iter().map(|one| (one.kind, at(&one.url.place))).collect();
    assert_eq!(
        indexes,
        [(IndexKind::Main, "https://host/cu124".to_owned()), (IndexKind::Links, "https://host/links".to_owned())]
    );
    assert!(found.has("--no-deps") && found.has("--pre") && !found.has("--no-build-isolation"));
    assert_eq!(at(&found.verb), "install");
}

#[test]
fn behind_two_dashes_stand_no_options() {
    let found = install("pip install -- -r x");
    assert_eq!((found.items.len(), found.files.len()), (2, 0));
}
