use proptest::prelude::*;

use super::*;

/// Each instruction on a line: place, keyword, what it says.
fn shown(text: &str) -> Vec<String> {
    let word = |word: &Word| format!("{}{}", word.text(), if word.known { "" } else { "?" });
    let one = |one: &Instruction| {
        let said = match &one.kind {
            Kind::From(from) => {
                format!("{} {:?} {:?}", word(&from.image), from.name.as_ref().map(|name| &name.value), from.stage)
            }
            Kind::Set(all) => {
                all.iter().map(|one| format!("{}={}", one.name, word(&one.value))).collect::<Vec<_>>().join(" ")
            }
            Kind::Run(commands) => {
                let words = |command: &Command| command.words.iter().map(&word).collect::<Vec<_>>().join("|");
                commands.iter().map(words).collect::<Vec<_>>().join(" ; ")
            }
            Kind::Other => "-".to_owned(),
        };
        format!("{} {} {said}", one.place.line, one.keyword)
    };
    Dockerfile::parse(text).instructions.iter().map(one).collect()
}

#[test]
fn lines_are_joined_around_comments() {
    let text = "# head\nFROM a\nRUN pip install \\\n    # why\n    torch==2.6.0 \\\n\n    numpy  \nrun [\"pip\", \"install\", \"x\"]\nCOPY . .\n";
    assert_eq!(
        shown(text),
        ["2 FROM a None None", "3 RUN pip|install|torch==2.6.0|numpy", "8 RUN pip|install|x", "9 COPY -"]
    );
}

#[test]
fn variables_of_the_file_reach_from_env_and_run() {
    let text = "ARG CUDA=12.4.1\nARG UNSET\nFROM --platform=linux/amd64 nvidia/cuda:${CUDA}-devel AS Build\nARG CUDA\nARG TORCH=2.6.0\n\
                ENV TORCH=2.7.1 LIST=\"8.0;9.0\" OTHER=8.0;9.0+PTX\nENV OLD a b $TORCH\nRUN pip install torch==${TORCH} x==$CUDA y==$UNSET\n\
                FROM build\nRUN echo $LIST $CUDA\nFROM scratch\nRUN echo $LIST";
    assert_eq!(
        shown(text),
        [
            "1 ARG CUDA=12.4.1",
            "2 ARG ",
            "3 FROM nvidia/cuda:12.4.1-devel Some(\"build\") None",
            "4 ARG ",
            "5 ARG TORCH=2.6.0",
            "6 ENV TORCH=2.7.1 LIST=8.0;9.0 OTHER=8.0;9.0+PTX",
            "7 ENV OLD=a b 2.7.1",
            "8 RUN pip|install|torch==2.7.1|x==12.4.1|y==$UNSET?",
            "9 FROM build None Some(0)",
            "10 RUN echo|8.0;9.0|12.4.1",
            "11 FROM scratch None None",
            "12 RUN echo|$LIST?",
        ]
    );
    let file = Dockerfile::parse(text);
    assert_eq!((file.stages(), file.lineage(1), file.lineage(2)), (3, vec![1, 0], vec![2]));
}

#[test]
fn here_documents_belong_to_their_instruction() {
    let text = "FROM a\nRUN <<EOF\nset -e\n# no comment of Docker's\npip install \\\n  torch\nEOF\nRUN python3 <<EOF\nimport x\nEOF\nCOPY <<A <<B /x/\nRUN no\nA\nRUN no\nB\nRUN echo end\n";
    assert_eq!(
        shown(text),
        ["1 FROM a None None", "2 RUN set|-e ; pip|install|torch", "8 RUN python3", "11 COPY -", "16 RUN echo|end",]
    );
}

#[test]
fn words_know_their_bytes_over_joined_lines() {
    let text = "FROM a\nENV V=2.6\nRUN set -e; \\\n  # why\n  pip install \"torch>=$V,\\\n<2.8\"\nRUN [\"sh\", \"-c\", \"pip install b\"]\n";
    let file = Dockerfile::parse(text);
    let commands = |number: usize| match &file.instructions[number].kind {
        Kind::Run(commands) => commands.clone(),
        other => panic!("{other:?}"),
    };
    let word = commands(2)[1].words[2].clone();
    assert_eq!(word.text(), "torch>=2.6,<2.8");
    assert_eq!(&text[word.part(12..15, &Lines::of(text)).span], "2.8");
    assert_eq!(word.place.to_string(), "5:15");
    let inner = commands(3);
    let word = inner[1].words.last().unwrap();
    assert_eq!((word.text(), word.place.to_string()), ("b", "7:31".to_owned()));
}

#[test]
fn other_shells_are_not_read() {
    let text = "# escape=`\nFROM a\nSHELL [\"powershell\", \"-command\"]\nRUN a `\n b\nSHELL [\"/bin/bash\", \"-c\"]\nRUN c `\n d";
    assert_eq!(shown(text), ["2 FROM a None None", "3 SHELL -", "4 RUN -", "6 SHELL -", "7 RUN c|d"]);
}

proptest! {
    /// Any text is read, and all places lie in it.
    #[test]
    fn any_text_is_read(text in "(FROM |RUN |ENV |ARG |SHELL |COPY |<<E\n|E\n|[a-z$\\{\\}=;&|\\[\\]\"'`\\\\ \n#é,]|\\\\\n| AS x\n|\\$\\{a){0,40}") {
        let file = Dockerfile::parse(&text);
        for one in &file.instructions {
            prop_assert!(text.get(one.place.span.clone()).is_some());
            match &one.kind {
                Kind::From(from) => prop_assert!(text.get(from.image.place.span.clone()).is_some()),
                Kind::Set(all) => {
                    for one in all {
                        prop_assert!(text.get(one.value.value.whole()).is_some());
                    }
                }
                Kind::Run(commands) => {
                    for word in commands.iter().flat_map(|command| &command.words) {
                        prop_assert!(text.get(word.place.span.clone()).is_some());
                        prop_assert!(text.get(word.value.whole()).is_some());
                    }
                }
                Kind::Other => {}
            }
        }
        for stage in 0..file.stages() {
            prop_assert!(file.lineage(stage).len() <= file.stages());
        }
    }
}
