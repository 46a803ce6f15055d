//! What an installer weighed before it gave up: `torch 2.6.0 depends on triton==3.2.0`, `The user requested (constraint)
//! triton<3.0.0`, and in uv's and poetry's sentences `Because torch==2.6.0 depends on triton==3.2.0 and you require …`.
//!
//! Nothing of it is installed for that. The lines are set aside, so that no other reader takes their versions for facts.

use super::clean::{Clean, Line};
use super::draft::Draft;
use super::token::{is_name, is_version};
use crate::facts::{Candidate, Nowhere};

const READER: &str = "an installer's proof";
/// A proof is no longer than this.
const LONGEST: usize = 6000;
const MOST_LINES: usize = 120;
/// What ends one.
const ENDS: [&str; 4] = ["are unsatisfiable.", "is unsatisfiable.", "version solving failed.", "cannot be used."];
/// What pip says when releases of all that is asked for do not go together.
const GAVE_UP: &str = "because these package versions have conflicting dependencies";
/// What it says when it has installed what it collected.
const INSTALLED: &str = "Successfully installed ";
/// What pip says of a requirement that no release meets.
const NOWHERE: [&str; 2] =
    ["Could not find a version that satisfies the requirement ", "No matching distribution found for "];
/// What uv says of a release that has wheels, and none for this Python.
const NO_WHEELS: &str = " has no wheels with a matching Python ";
/// What pip says before of releases that are there for another Python.
const PASSED_OVER: &str = "Ignored the following versions that require a different python version: ";
/// So many of these are kept.
const MOST_PASSED_OVER: usize = 400;
/// So many proofs of one text are read.
const MOST: usize = 12;

/// Reads pip's lines, and the sentences of uv and poetry wherever they are broken.
pub fn read(text: &Clean<'_>, draft: &mut Draft) {
    // What pip passed over for this Python: releases with their `Requires-Python`.
    let mut passed_over: Vec<(&str, &str)> = Vec::new();
    let gave_up = text.lines.iter().rposition(|line| line.text.contains(GAVE_UP)).unwrap_or_default();
    // What an installation before it brought is there.
    let lines = || text.lines.iter().take(gave_up);
    let begun = lines().rposition(|line| line.text.contains(INSTALLED)).unwrap_or_default();
    for (at, line) in text.lines.iter().enumerate() {
        if (begun..gave_up).contains(&at) && is_weighed(&line.text) {
            if let Some(requirement) = collected(&line.text) {
                let place = format!("pip, line {}", line.number);
                draft.candidate(Candidate { requirement, place, ..Candidate::default() });
            }
            draft.set_aside(line.number);
            draft.saw(READER, line.number);
            continue;
        }
        if let Some((_, list)) = line.text.split_once(PASSED_OVER) {
            let all = list.split(';').filter_map(|one| one.trim().split_once(" Requires-Python "));
            passed_over = all.take(MOST_PASSED_OVER).collect();
        }
        if let Some(found) = pip(&line.text) {
            let place = format!("pip, line {}", line.number);
            found.into_iter().for_each(|one| draft.candidate(Candidate { place: place.clone(), ..one }));
            draft.set_aside(line.number);
            draft.saw(READER, line.number);
        } else if let Some(requirement) = found_nowhere(&line.text) {
            let version = requirement.split_once("==").map(|(_, version)| version);
            let its = passed_over.iter().find(|(release, _)| Some(*release) == version);
            let requires_python = its.map(|(_, range)| (*range).to_owned());
            draft.nowhere(Nowhere { requirement, requires_python, place: format!("pip, line {}", line.number) });
            draft.set_aside(line.number);
        }
    }
    sentences(&text.lines, draft);
    if !draft.installing.candidates.is_empty() {
        shown_files(&text.lines, draft);
    }
}

/// `$ cat requirements.txt` before an installation that was given up: the lines of that file are what the user asked for.
fn shown_files(lines: &[Line<'_>], draft: &mut Draft) {
    let is_file = |text: &str| {
        let name =
            text.trim_start_matches(['$', '#', '>', '%', ' ']).strip_prefix("cat ")?.trim().rsplit('/').next()?;
        let constraints = name.starts_with("constraint");
        let listed = constraints || name.starts_with("requirement");
        (listed && (name.ends_with(".txt") || name.ends_with(".in"))).then_some(constraints)
    };
    let mut constraint = None;
    for line in lines {
        if let Some(of_file) = is_file(&line.text) {
            constraint = Some(of_file);
            continue;
        }
        let Some(of_file) = constraint else { continue };
        let bare = line.text.split(" #").next().unwrap_or_default().trim_end();
        if bare.starts_with(['#', '-']) {
            draft.set_aside(line.number);
            continue;
        }
        let single = !bare.split(';').next().unwrap_or_default().trim().contains(' ');
        let Some(requirement) = requirement(bare).filter(|_| single) else {
            constraint = None;
            continue;
        };
        draft.set_aside(line.number);
        draft.saw(READER, line.number);
        let place = format!("a file that is shown, line {}", line.number);
        draft.candidate(Candidate { requirement, constraint: of_file, place, ..Candidate::default() });
    }
}

/// Proofs in sentences, which begin with `Because`: all that follows up to the conclusion is theirs, however it is broken.
fn sentences(lines: &[Line<'_>], draft: &mut Draft) {
    // Lines that were joined stand behind their parts.
    let mut last = 0;
    let mut once: Vec<&Line<'_>> = Vec::new();
    for line in lines.iter().filter(|line| line.text.len() <= LONGEST) {
        if line.number > last {
            last = line.number;
            once.push(line);
        }
    }
    let mut at = 0;
    for _ in 0..MOST {
        let begins = |line: &&&Line<'_>| line.text.contains("Because ");
        let Some(further) = once.get(at..).and_then(|rest| rest.iter().position(|line| begins(&line))) else { return };
        at += further;
        let mut proof = String::new();
        let mut end = at;
        for line in once.iter().skip(at).take(MOST_LINES) {
            if end > at {
                proof.push(' ');
            }
            proof.push_str(&line.text);
            end += 1;
            let goes_on = once.get(end).is_some_and(|line| line.text.trim_start().starts_with("And "));
            if proof.len() > LONGEST || !goes_on && ENDS.iter().any(|words| proof.ends_with(words)) {
                break;
            }
        }
        let found = clauses(proof.split_once("Because ").map_or("", |(_, rest)| rest));
        let number = |at: usize| once.get(at).map_or(0, |line| line.number);
        // `Because tensorflow==2.17.1 has no wheels with a matching Python ABI tag (e.g., `cp313`)`
        let without = proof.split_once(NO_WHEELS).and_then(|(before, _)| requirement(before.rsplit(' ').next()?));
        if let Some(requirement) = without.filter(|requirement| requirement.contains("==")) {
            let place = format!("{READER}, line {}", number(at));
            draft.nowhere(Nowhere { requirement, requires_python: None, place });
        }
        if !found.is_empty() {
            (number(at)..=number(end - 1)).for_each(|line| {
                draft.set_aside(line);
                draft.saw(READER, line);
            });
            let place = format!("{READER}, line {}", number(at));
            found.into_iter().for_each(|one| draft.candidate(Candidate { place: place.clone(), ..one }));
            at = end;
        } else {
            at += 1;
        }
    }
}

/// Whether pip looks at a release, which it installs only if it finds releases of all: `Collecting torch<2.7.0 (from -r
/// requirements.txt (line 1))`, `Downloading torch-2.6.0-cp311-cp311-manylinux1_x86_64.whl (766.7 MB)`.
fn is_weighed(text: &str) -> bool {
    ["Collecting ", "Downloading ", "Using cached "].iter().any(|word| text.trim_start().starts_with(word))
}

/// The user's own line that pip collects: nothing else stands between it and the file, as `torch->-r requirements.txt` has it.
fn collected(text: &str) -> Option<String> {
    let (wanted, from) = text.trim_start().strip_prefix("Collecting ")?.split_once(" (from -")?;
    (!from.contains("->")).then(|| requirement(wanted)).flatten()
}

/// `ERROR: No matching distribution found for torch==2.6.2`: a release that is nowhere is not installed.
fn found_nowhere(text: &str) -> Option<String> {
    let (_, rest) = NOWHERE.iter().find_map(|words| text.split_once(words))?;
    // pip writes it in one word, and may list the versions that there are.
    requirement(rest.split_whitespace().next()?)
}

/// One line of pip's proof.
fn pip(text: &str) -> Option<Vec<Candidate>> {
    if let Some(rest) = text.strip_prefix("Cannot install ") {
        let (list, _) = rest.split_once(GAVE_UP)?;
        let items = list
            .trim_end()
            .split(", ")
            .flat_map(|item| item.split(" and "))
            .filter_map(|item| requirement(item.trim()));
        return Some(items.map(|requirement| Candidate { requirement, ..Candidate::default() }).collect());
    }
    if let Some(rest) = text.strip_prefix("The user requested ") {
        let constraint = rest.strip_prefix("(constraint) ");
        let requirement = requirement(constraint.unwrap_or(rest))?;
        return Some(vec![Candidate { requirement, constraint: constraint.is_some(), ..Candidate::default() }]);
    }
    let (before, after) = text.split_once(" depends on ")?;
    let mut words = before.split_whitespace();
    let (name, version) = (words.next()?, words.next()?);
    // `demo 1.0 from file:///src/demo depends on …`
    if words.next().is_some_and(|word| word != "from") || !is_version(version) {
        return None;
    }
    let package = format!("{}=={version}", requirement(name)?);
    Some(vec![Candidate { package: Some(package), requirement: requirement(after)?, ..Candidate::default() }])
}

/// A requirement without its marker, where a text begins with one: `triton==3.2.0; platform_system == "Linux"`.
fn requirement(text: &str) -> Option<String> {
    let bare = text.split([';', '{']).next().unwrap_or_default().trim().trim_end_matches(['.', ',', ':']);
    // pip joins the parts of a range in words: `torch<2.9 and >=1.10`.
    let bare = bare.replace(" and <", ",<").replace(" and >", ",>").replace(" and !", ",!");
    let compact: String = bare.chars().filter(|letter| !letter.is_whitespace()).collect();
    let end = compact.find(['<', '>', '=', '!', '~', '[', '(', '@']).unwrap_or(compact.len());
    let (name, range) = compact.split_at_checked(end)?;
    let range = range.trim_start_matches('(').trim_end_matches(')');
    let known = |letter: char| letter.is_ascii_alphanumeric() || "<>=!~.,*+-_[]".contains(letter);
    let separate = range.starts_with('@') || bare.contains(['<', '>', '=', '!', '~', '(', '[']) || !bare.contains(' ');
    if !is_name(name) || !separate || range.len() > 200 || !(range.starts_with('@') || range.chars().all(known)) {
        return None;
    }
    // Where it comes from says nothing of the version.
    let range = if range.starts_with('@') { "" } else { range };
    // poetry writes `triton (3.2.0)`.
    let exact = range.starts_with(|letter: char| letter.is_ascii_digit());
    Some(format!("{name}{}{range}", if exact { "==" } else { "" }))
}

/// What the clauses of a sentence declare.
fn clauses(proof: &str) -> Vec<Candidate> {
    // uv adds markers to releases: `xformers==0.0.29.post1{sys_platform == 'linux'}`.
    let mut parts = proof.split('{');
    let first = parts.next().unwrap_or_default();
    let plain = parts.map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    let proof: String = std::iter::once(first).chain(plain).collect();
    let words: Vec<&str> = proof.split_whitespace().collect();
    // poetry calls the project by its name, and gives all others a version.
    let by_poetry = proof.ends_with("version solving failed.");
    let mut found = Vec::new();
    // What follows from the clauses before is nobody's line: `we can conclude that you require torch==2.5.1`.
    let mut concludes = false;
    for at in 0..words.len() {
        match words.get(at).copied().unwrap_or_default() {
            "conclude" => concludes = true,
            "because" | "Because" => concludes = false,
            _ => {}
        }
        if concludes {
            continue;
        }
        let word = |further: usize| words.get(at + further).copied().unwrap_or_default();
        let before = |back: usize| at.checked_sub(back).and_then(|at| words.get(at)).copied().unwrap_or_default();
        let depends = matches!(word(0), "depends" | "depend") && word(1) == "on";
        let user = word(0) == "you" && matches!(word(1), "require" | "required")
            || depends && before(2) == "your" && matches!(before(1), "project" | "workspace")
            || depends && by_poetry && before(2) != "of" && !before(1).ends_with(')');
        if !depends && !user {
            continue;
        }
        // poetry joins what a project asks for: `demo depends on both torch (>=2.6) and triton (<3)`.
        let both = word(2) == "both";
        let first = at + 2 + usize::from(both);
        let Some(wanted) = one(&words, first) else { continue };
        let package = if user { None } else { one_before(&words, at) };
        if both {
            let rest = words.get(first..).unwrap_or_default();
            let and = rest.iter().take(6).position(|word| *word == "and");
            let other = and.and_then(|and| one(&words, first + and + 1));
            found.extend(other.map(|requirement| Candidate {
                package: package.clone(),
                requirement,
                ..Candidate::default()
            }));
        }
        // People use these words too, but name no range with them.
        let ranged = |text: &str| text.contains(['<', '>', '=', '~']);
        if !user && !package.as_ref().is_some_and(|package| ranged(package) || ranged(&wanted)) {
            continue;
        }
        // uv joins what a release asks for, or what the user does, and puts a constraint beside what the release declares.
        if let Some(other) = second(&words, first).filter(|_| !both) {
            let constraint = !user && name(&other) == name(&wanted);
            let package = package.clone().filter(|_| !constraint);
            found.push(Candidate { package, requirement: other, constraint, ..Candidate::default() });
        }
        found.push(Candidate { package, requirement: wanted, ..Candidate::default() });
    }
    found.dedup();
    found
}

/// `triton` of `triton>=2.1`.
fn name(requirement: &str) -> &str {
    requirement.split(['<', '>', '=', '!', '~', '[']).next().unwrap_or(requirement)
}

/// What follows with `and` on the requirement at a word, where it is no release that depends on something itself: `triton>=2.1,<3`
/// of `torch==2.6.0 depends on triton==3.2.0 and triton>=2.1,<3, we can conclude …`.
fn second(words: &[&str], at: usize) -> Option<String> {
    let word = |further: usize| words.get(at + further).copied();
    let plain = |word: &&str| !word.contains(['(', ')']) && word.contains(['<', '>', '=']);
    let other =
        word(2).filter(plain).filter(|_| word(1) == Some("and") && !word(0).is_some_and(|it| it.ends_with(',')))?;
    let depends =
        word(3).is_some_and(|next| matches!(next, "depends" | "depend" | "is" | "are" | "requires" | "require"));
    if depends { None } else { requirement(other) }
}

/// The requirement that begins at a word: `triton>=3.2,<4`, or poetry's `triton (>=3.2,<4)`.
fn one(words: &[&str], at: usize) -> Option<String> {
    let first = words.get(at)?;
    let range = words.get(at + 1).filter(|word| word.starts_with('('));
    let Some(range) = range.filter(|_| !first.ends_with([',', '.'])) else { return requirement(first) };
    let end = words.iter().skip(at + 1).position(|word| word.trim_end_matches([',', '.']).ends_with(')'))?;
    let range = if end == 0 { (*range).to_owned() } else { words.get(at + 1..=at + 1 + end)?.concat() };
    requirement(&format!("{first} {range}"))
}

/// The release that stands before a word: `torch==2.6.0`, `torch (2.6.0)`, `all versions of torch`.
fn one_before(words: &[&str], at: usize) -> Option<String> {
    let last = *words.get(at.checked_sub(1)?)?;
    if !last.ends_with(')') {
        return requirement(last);
    }
    let start = (0..at).rev().take(6).find(|at| words.get(*at).is_some_and(|word| word.starts_with('(')))?;
    requirement(&format!("{} {}", words.get(start.checked_sub(1)?)?, words.get(start..at)?.concat()))
}

#[cfg(test)]
mod tests {
    use super::super::clean;
    use super::*;

    /// `torch==2.6.0 > triton==3.2.0`, `user > …`, `constraint > …`.
    fn told(text: &str) -> Vec<String> {
        let mut draft = Draft::default();
        read(&clean(text), &mut draft);
        let who = |one: &Candidate| match (&one.package, one.constraint) {
            (Some(package), _) => package.clone(),
            (None, true) => "constraint".to_owned(),
            (None, false) => "user".to_owned(),
        };
        draft.installing.candidates.iter().map(|one| format!("{} > {}", who(one), one.requirement)).collect()
    }

    #[test]
    fn pip_names_who_declares_what_and_what_the_user_asked() {
        let text = "ERROR: Cannot install -r requirements.txt (line 2), peft[x] and torch==2.4.1 because these package versions have conflicting dependencies.\n\
                    The conflict is caused by:\n    The user requested numpy<2,>=1.22\n    torch 2.4.1 depends on triton==3.0.0; python_version < \"3.13\"\n    \
                    demo 0.1 from file:///src depends on numpy>=2\n    The user requested (constraint) triton~=3.1";
        assert_eq!(
            told(text),
            [
                "user > peft[x]",
                "user > torch==2.4.1",
                "user > numpy<2,>=1.22",
                "torch==2.4.1 > triton==3.0.0",
                "demo==0.1 > numpy>=2",
                "constraint > triton~=3.1"
            ]
        );
    }

    #[test]
    fn sentences_of_uv_and_poetry_wherever_they_are_broken() {
        let uv = "  × No solution found when resolving dependencies:\n  ╰─▶ Because vllm==0.9.2 depends on\n      torch==2.7.0 and you require torch>=2.8,<2.9, we can conclude that\n      \
                  your requirements are unsatisfiable.\n";
        assert_eq!(told(uv), ["vllm==0.9.2 > torch==2.7.0", "user > torch>=2.8,<2.9"]);
        let marked = "Because xformers==0.0.29.post1{sys_platform == 'linux'} depends on torch==2.5.1 and your project depends on torch==2.6.0, your project's requirements are unsatisfiable.";
        assert_eq!(told(marked), ["xformers==0.0.29.post1 > torch==2.5.1", "user > torch==2.6.0"]);
        let chain = "Because xformers==0.0.29.post1 depends on torch==2.5.1 and you require\n  xformers==0.0.29.post1, we can conclude that you require torch==2.5.1.\n  \
                     And because you require torch==2.6.0, we can conclude that your\n  requirements are unsatisfiable.";
        assert_eq!(
            told(chain),
            ["xformers==0.0.29.post1 > torch==2.5.1", "user > xformers==0.0.29.post1", "user > torch==2.6.0"]
        );
        let both = "Because torch (2.6.0) depends on triton (3.2.0)\n and no versions of torch match >2.6.0,<2.7.0, torch (>=2.6.0,<2.7.0) requires triton (3.2.0).\n\
                    So, because demo depends on both torch (>=2.6.0,<2.7.0) and triton (>=2.1.0,<3.0.0), version solving failed.";
        assert_eq!(
            told(both),
            ["torch==2.6.0 > triton==3.2.0", "user > triton>=2.1.0,<3.0.0", "user > torch>=2.6.0,<2.7.0"]
        );
        let poetry = "Because torch (2.6.0) depends on triton (3.2.0)\n and demo depends on triton (>=2.1, <3.0), version solving failed.";
        assert_eq!(told(poetry), ["torch==2.6.0 > triton==3.2.0", "user > triton>=2.1,<3.0"]);
    }

    #[test]
    fn uv_puts_a_constraint_beside_what_a_release_declares() {
        let uv = "error: No solution found when resolving dependencies\n  cause: Because torch==2.6.0 depends on triton{platform_machine == 'x86_64'}==3.2.0 and triton{platform_machine == 'x86_64'}>=2.1.0,<3.0.0, we can conclude that torch==2.6.0 cannot be used.\n         \
                  And because only the following versions of torch are available:\n             torch<=2.6.0\n             torch>=2.7.0\n         and you require torch>=2.6.0,<2.7.0, we can conclude that your requirements are unsatisfiable.\n";
        assert_eq!(
            told(uv),
            ["constraint > triton>=2.1.0,<3.0.0", "torch==2.6.0 > triton==3.2.0", "user > torch>=2.6.0,<2.7.0"]
        );
        let local = "Because only torch==2.6.0+cu124 is available and torch==2.6.0+cu124 depends on triton==3.2.0, we can conclude that all versions of torch depend on triton==3.2.0.\n      \
                     And because your project depends on torch and triton>=2.1,<3, we can conclude that your project's requirements are unsatisfiable.";
        assert_eq!(told(local), ["torch==2.6.0+cu124 > triton==3.2.0", "user > triton>=2.1,<3", "user > torch"]);
    }

    #[test]
    fn what_pip_collects_before_it_gives_up_is_the_users_wish_and_installed_nowhere() {
        let text = "Collecting torch<2.7.0,>=2.6.0 (from -r r.txt (line 1))\n  Downloading torch-2.6.0-cp311-cp311-manylinux1_x86_64.whl (766.7 MB)\n\
                    Collecting numpy (from torch<2.7.0,>=2.6.0->-r r.txt (line 1))\nERROR: Cannot install -r r.txt (line 1) because these package versions have conflicting dependencies.\n\
                    The conflict is caused by:\n    torch 2.6.0 depends on triton==3.2.0\n    The user requested (constraint) triton<3.0.0\n";
        assert_eq!(
            told(text),
            ["user > torch<2.7.0,>=2.6.0", "torch==2.6.0 > triton==3.2.0", "constraint > triton<3.0.0"]
        );
    }

    #[test]
    fn a_file_that_is_shown_before_the_installer_gives_up_is_what_the_user_asks_for() {
        let file = "$ cat requirements.txt\n# ours\ntorch==2.7.1\nbitsandbytes==0.44.1  # old\n$ pip install -r requirements.txt -c c.txt\n";
        let failed = "The conflict is caused by:\n    torch 2.7.1 depends on triton==3.3.1\n    The user requested (constraint) triton<3.2\n";
        let expected = [
            "torch==2.7.1 > triton==3.3.1",
            "constraint > triton<3.2",
            "user > torch==2.7.1",
            "user > bitsandbytes==0.44.1",
        ];
        assert_eq!(told(&format!("{file}{failed}")), expected);
        assert!(told(file).is_empty(), "nothing says that it is not installed");
    }

    #[test]
    fn what_an_installation_before_it_collected_is_no_wish() {
        let text = "Collecting torch==2.6.0 (from -r r.txt (line 1))\nSuccessfully installed torch-2.6.0\n\
                    Collecting demo (from -r s.txt (line 1))\nERROR: Cannot install -r s.txt (line 1) because these package versions have conflicting dependencies.\n";
        assert_eq!(told(text), ["user > demo"]);
    }

    #[test]
    fn what_docker_builds_shows_the_seconds_in_front() {
        let text = "2.921 ERROR: Cannot install fastai==2.8.4 and torch==2.9.1 because these package versions have conflicting dependencies.\n2.921 \n\
                    2.921 The conflict is caused by:\n2.921     The user requested torch==2.9.1\n#8 2.921     fastai 2.8.4 depends on torch<2.9 and >=1.10\n";
        assert_eq!(told(text), ["user > fastai==2.8.4", "user > torch==2.9.1", "fastai==2.8.4 > torch<2.9,>=1.10"]);
    }

    #[test]
    fn other_sentences_are_none() {
        for text in [
            "Because I use torch 2.6.0 the build depends on luck",
            "vllm depends on torch",
            "The user requested a refund, and got it",
            "it depends on",
        ] {
            assert!(told(text).is_empty(), "{text}: {:?}", told(text));
        }
    }
}
