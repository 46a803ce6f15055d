use proptest::prelude::*;

use super::*;

/// Each command as its assignments and words; a word that is not known ends in `?`.
fn shown(text: &str) -> Vec<String> {
    let word = |word: &Word| format!("{}{}", word.text(), if word.known { "" } else { "?" });
    let one = |command: &Command| {
        let assignments = command.assignments.iter().map(|one| format!("{}={}", one.name, word(&one.value)));
        let all: Vec<_> = assignments.chain(command.words.iter().map(word)).collect();
        format!("{}{}", if command.conditional { "? " } else { "" }, all.join("|"))
    };
    script(text).iter().map(one).collect()
}

#[test]
fn commands_are_parted_and_unquoted() {
    assert_eq!(
        shown("pip install 'torch>=2' \\\n  \"numpy<2\" && echo done; ls -l | wc # all\n\nx=1 y='a b' make & true"),
        ["pip|install|torch>=2|numpy<2", "echo|done", "ls|-l", "wc", "x=1|y=a b|make", "true"]
    );
    assert_eq!(shown("pip install torch 2>&1 >/dev/null </dev/null && a 3"), ["pip|install|torch", "a|3"]);
    assert_eq!(shown("echo \"a \\\"b\\\" $\" 'it''s' a\\ b \"\""), ["echo|a \"b\" $|its|a b|"]);
    assert_eq!(shown("# only this\n  # and that"), Vec::<String>::new());
}

#[test]
fn variables_that_the_file_sets_are_put_in() {
    let text =
        "V=2.7.1\nARGS=\"-q --no-deps\"\npip install $ARGS torch==$V \"x==${V}\" y==${W} '$V' ${W:-1.0} cu${V//./}";
    assert_eq!(
        shown(text),
        ["V=2.7.1", "ARGS=-q --no-deps", "pip|install|-q|--no-deps|torch==2.7.1|x==2.7.1|y==${W}?|$V|1.0|cu271"]
    );
    assert_eq!(
        shown("V=$(uname -r; echo 1)\na $V `b c` \"$(d \"e\")\""),
        ["V=$(uname -r; echo 1)?", "a|$V?|`b c`?|$(d \"e\")?"]
    );
    assert_eq!(shown("export A=1 B=$A\necho $A"), ["A=1|B=$A?", "echo|1"]);
    assert_eq!(shown("A=1 cmd $A"), ["A=1|cmd|$A?"], "set for the command alone, after its words are read");
}

#[test]
fn what_may_not_run_leaves_nothing_known() {
    let text = "V=1\nif test -f x; then V=2; pip install a==$V; else pip install a==$V; fi\npip install a==$V";
    assert_eq!(
        shown(text),
        ["V=1", "? test|-f|x", "? V=2", "? pip|install|a==2", "? pip|install|a==$V?", "pip|install|a==$V?"]
    );
    assert_eq!(shown("for x in 1 2; do pip install a==$x; done"), ["? pip|install|a==$x?"]);
    assert_eq!(shown("case $1 in\n a) V=1;;\nesac\necho $V"), ["? a", "? V=1", "echo|$V?"]);
    assert_eq!(shown("f() {\n  pip install a\n}\npip install b"), ["? pip|install|a", "pip|install|b"]);
    assert_eq!(shown("a || V=1\n(cd x && b)\nc"), ["a", "? V=1", "? cd|x", "? b", "c"]);
}

#[test]
fn here_documents_are_passed_over_or_read() {
    let text = "cat <<'EOF' > f && next\npip install no\nEOF\nbash <<-END\n\tpip install yes\n\tEND\nsh -c 'pip install inner'";
    assert_eq!(shown(text), ["cat", "next", "bash", "pip|install|yes", "sh|-c|pip install inner", "pip|install|inner"]);
    assert_eq!(shown("cat <<A; cat <<B\n1\nA\n2\nB\nlast"), ["cat", "cat", "last"]);
}

#[test]
fn words_know_their_bytes() {
    let text = "\u{feff}V=2\nbash -c \"pip install 'tor\\\nch>=2.6' ü==$V\"";
    let commands = script(text);
    let install = commands.last().unwrap();
    let word = install.words.get(2).unwrap();
    let lines = Lines::of(text);
    assert_eq!(word.text(), "torch>=2.6");
    assert_eq!(&text[word.part(5..10, &lines).span], ">=2.6");
    assert_eq!(word.place.to_string(), "2:22");
    let last = install.words.last().unwrap();
    assert_eq!((last.text(), &text[last.place.span.clone()]), ("ü==2", "ü==$V"));
    assert_eq!(&text[last.part(4..5, &lines).span], "$V");
}

#[test]
fn what_runs_a_command_is_left_aside() {
    for text in [
        "sudo -E -u me pip install x",
        "env A=1 pip install x",
        "conda run -n y --no-capture-output pip install x",
        "timeout -k 5 60 pip install x",
        "exec pip install x",
        "uv run --with z pip install x",
    ] {
        let commands = script(text);
        let words: Vec<_> = without_runner(&commands[0].words).iter().map(Word::text).collect();
        assert_eq!(words, ["pip", "install", "x"], "{text}");
    }
}

#[test]
fn values_that_double_end_somewhere() {
    let mut text = "A=xxxxxxxxxxxxxxxx\n".to_owned();
    text.push_str(&"A=$A$A\n".repeat(60));
    text.push_str(&"echo $A\n".repeat(60));
    let total: usize = script(&text).iter().flat_map(|command| &command.words).map(|word| word.text().len()).sum();
    assert!(total < 1 << 20, "{total}");
}

proptest! {
    /// Any text is read, and all places lie in it.
    #[test]
    fn any_text_is_read(text in "([a-z$\\{\\}()=;&|<>'\"`\\\\ \n\t#é]|<<E\n|if |fi\n|\\$\\(|bash -c '|EOF\n|V=|\\$V){0,40}") {
        for command in script(&text) {
            prop_assert!(text.get(command.place.span.clone()).is_some());
            for word in command.words.iter().chain(command.assignments.iter().map(|one| &one.value)) {
                prop_assert!(text.get(word.place.span.clone()).is_some());
                prop_assert!(text.get(word.value.whole()).is_some());
            }
        }
    }

    /// Words in single quotes come back as they were written, whatever they hold.
    #[test]
    fn quoted_words_come_back(words in proptest::collection::vec("[^'\u{feff}]{1,8}", 1..6)) {
        let text = format!("run {}", words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "));
        let commands = script(&text);
        let read: Vec<_> = commands[0].words.iter().skip(1).map(|word| word.text().to_owned()).collect();
        prop_assert_eq!(&read, &words);
        for word in &commands[0].words {
            prop_assert_eq!(&text[word.value.whole()], word.text());
        }
    }
}
