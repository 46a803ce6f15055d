use super::*;
use crate::project::dependency::Origin;

fn read(text: &str) -> RequirementsFile {
    RequirementsFile::parse(text, &|name| (name == "TOKEN").then(|| "secret".to_owned()))
}

/// Place and bytes of each requirement and of its versions.
fn requirements(text: &str) -> Vec<(String, &str, Option<&str>)> {
    let file = read(text);
    assert_eq!(file.errors, [], "{text}");
    let one = |line: &Line| {
        let dependency = &line.dependency;
        let versions = dependency.versions.as_ref().map(|place| &text[place.span.clone()]);
        (dependency.place.to_string(), &text[dependency.place.span.clone()], versions)
    };
    file.requirements().map(one).collect()
}

#[test]
fn places_are_those_of_the_file() {
    let text = "\u{feff}# pins\r\n  torch>=2.6,<2.8  # why\r\nnumpy \\\r\n  <2 ; os_name == 'nt'\r\n";
    assert_eq!(
        requirements(text),
        [
            ("2:3".to_owned(), "torch>=2.6,<2.8", Some(">=2.6,<2.8")),
            ("3:1".to_owned(), "numpy \\\r\n  <2 ; os_name == 'nt'", Some("<2")),
        ]
    );
    let file = read(text);
    // Three bytes of mark, 8 of the first line, two blanks.
    assert_eq!(file.entries[0].line.span, 13..28);
    assert_eq!(file.entries[1].line.line, 3);
}

#[test]
fn options_of_a_requirement_are_its_own() {
    let text = "torch==2.7.1 \\\n    --hash=sha256:aa --hash sha256:bb\nx --config-settings=\"--build-option=--cuda\" -C a=b\n";
    let file = read(text);
    let lines: Vec<_> = file.requirements().collect();
    let values = |list: &[Placed<String>]| list.iter().map(|one| one.value.clone()).collect::<Vec<_>>();
    assert_eq!(values(&lines[0].hashes), ["sha256:aa", "sha256:bb"]);
    assert_eq!(lines[0].hashes[1].place.to_string(), "2:29");
    assert_eq!(&text[lines[0].dependency.place.span.clone()], "torch==2.7.1");
    assert_eq!(&text[file.entries[0].line.span.clone()], text.split("\nx").next().unwrap());
    assert_eq!(values(&lines[1].config_settings), ["--build-option=--cuda", "a=b"]);
    assert!(file.errors.is_empty() && file.warnings.is_empty());
}

#[test]
fn options_in_all_spellings() {
    let text = "-r a\n-rb\n--requirement=c\n--requirem d\n-c e\n--constraint 'f g'\n";
    let includes: Vec<_> = read(text)
        .entries
        .into_iter()
        .map(|entry| match entry.kind {
            EntryKind::Include { file, constraints } => (file.value, constraints, file.place.to_string()),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        ("a", false, "1:4"),
        ("b", false, "2:3"),
        ("c", false, "3:15"),
        ("d", false, "4:12"),
        ("e", true, "5:4"),
        ("f g", true, "6:14"),
    ];
    assert_eq!(includes, expected.map(|(file, constraints, at)| (file.to_owned(), constraints, at.to_owned())));
    let text = "-i https://a --extra-index-url=https://b\n--find-links c\n--no-index\n--pre\n--no-binary :all:\n\
                --only-binary=torch\n--prefer-binary\n--trusted-host h\n";
    let kinds: Vec<_> = read(text).entries.into_iter().map(|entry| entry.kind).collect();
    assert!(matches!(&kinds[0], EntryKind::IndexUrl(url) if url.value == "https://a"));
    assert!(matches!(&kinds[1], EntryKind::ExtraIndexUrl(url) if url.place.to_string() == "1:32"));
    assert!(matches!(&kinds[2], EntryKind::FindLinks(place) if place.value == "c"));
    assert!(matches!(&kinds[3..5], [EntryKind::NoIndex, EntryKind::Pre]));
    assert!(matches!(&kinds[5], EntryKind::NoBinary(names) if names.value == ":all:"));
    assert!(matches!(&kinds[6], EntryKind::OnlyBinary(names) if names.value == "torch"));
    assert!(matches!(&kinds[7..], [EntryKind::PreferBinary, EntryKind::Other(_)]));
}

#[test]
fn editable_lines() {
    let text = "-e .\n--editable=./sub[dev]\n-e git+https://h/b.git@main#egg=b\n-e \"c @ git+https://h/c\"\n\
                -e d @ git+https://h/d\n-e ./e ; os_name == 'nt'\n-e plain\n";
    let file = read(text);
    assert_eq!((file.errors.len(), file.warnings.len()), (0, 0));
    let lines: Vec<_> = file.requirements().map(|line| (line.editable, line.dependency.name())).collect();
    let names = [None, None, Some("b"), Some("c"), Some("d"), None, None];
    assert_eq!(lines, names.map(|name| (true, name)));
    let texts: Vec<_> = file.requirements().map(|line| &text[line.dependency.place.span.clone()]).collect();
    assert_eq!(texts[3..6], ["c @ git+https://h/c", "d @ git+https://h/d", "./e ; os_name == 'nt'"]);
    assert_eq!(read("-e torch==2.6\n").errors[0].place.to_string(), "1:4");
}

#[test]
fn variables_are_put_in_and_kept_secret() {
    let text =
        "https://${TOKEN}@h/${UNSET}/torch-2.7.1+cu128-cp311-cp311-linux_x86_64.whl\n--index-url https://${TOKEN}@h\n";
    let file = read(text);
    let line = file.requirements().next().unwrap();
    let location = "https://secret@h/${UNSET}/torch-2.7.1+cu128-cp311-cp311-linux_x86_64.whl".to_owned();
    assert_eq!(line.dependency.what.origin, Origin::Wheel { location });
    assert_eq!(line.dependency.place.span, 0..74);
    assert!(matches!(&file.entries[1].kind, EntryKind::IndexUrl(url) if url.value == "https://secret@h"));
    let wrong = read("torch @ https://${TOKEN}@h/numpy-1-py3-none-any.whl\n");
    assert_eq!(wrong.errors[0].hint.as_deref(), Some("write `numpy @ https://${TOKEN}@h/numpy-1-py3-none-any.whl`"));
}

#[test]
fn every_error_is_found_where_it_stands() {
    let text = "torch=>2\nnumpy\n  --extra-index-ulr https://x\ntriton<3;python_version>3\n-r\n--hash=a 'b\n";
    let file = read(text);
    let errors: Vec<_> =
        file.errors.iter().map(|error| (error.place.to_string(), &text[error.place.span.clone()])).collect();
    let expected = [("1:6", "=>2"), ("3:3", "--extra-index-ulr"), ("4:25", "3"), ("5:1", "-r"), ("6:10", "'b")];
    assert_eq!(errors, expected.map(|(at, part)| (at.to_owned(), part)));
    assert_eq!(file.errors[1].hint.as_deref(), Some("write `--extra-index-url`"));
    assert_eq!(file.requirements().count(), 1);
}

#[test]
fn what_pip_reads_past_is_said() {
    let warning = |text| {
        let file = read(text);
        assert_eq!((file.errors.len(), file.warnings.len()), (0, 1), "{text}");
        file.warnings[0].place.to_string()
    };
    assert_eq!(warning("torch==2.1.0+cu118 --extra-index-url https://h/cu118"), "1:20");
    assert_eq!(warning("-r a -r b"), "1:6");
    assert_eq!(warning("--pre torch"), "1:7");
    assert_eq!(warning("a --hash=sha256:aa ; os_name == 'nt'"), "1:20");
    assert_eq!(warning("--hash=sha256:aa"), "1:1");
}

#[test]
fn utf_16_is_read() {
    let wide: Vec<u8> = [0xFEFF_u16].into_iter().chain("torch\n".encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(decode(&wide), "torch\n");
    assert_eq!(decode(b"a\xff"), "a\u{fffd}");
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_and_all_places_lie_in_it(text in "([a-z]{1,3}|[-=<>!~;,@#\\[\\]()'\"\\\\$ \t\r\n.*/:{}+_]|é|2|--hash|-r|-e |git\\+https://|\\.whl|\\$\\{TOKEN\\}|extra|python_version| and | in ){0,40}") {
        let file = read(&text);
        let lines = file.requirements();
        let inner = lines.flat_map(|line| {
            let own = [Some(&line.dependency.place), line.dependency.versions.as_ref()].into_iter().flatten();
            own.chain(line.hashes.iter().map(|hash| &hash.place))
        });
        let errors = file.errors.iter().chain(&file.warnings).map(|error| &error.place);
        for place in file.entries.iter().map(|entry| &entry.line).chain(inner).chain(errors) {
            proptest::prop_assert!(text.get(place.span.clone()).is_some(), "{place:?} in {text:?}");
            proptest::prop_assert!(place.line >= 1 && place.column >= 1);
        }
    }
}
