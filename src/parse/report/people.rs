//! Whose text it is: names of accounts and machines that a pasted text gives away, so that they are hidden wherever they stand.
//!
//! They are found where a shell, `ssh` or a system prints them: `ada@build07:~$`, `/home/ada/venv`, `C:\Users\Ada`, `USER=ada`,
//! `Hostname: build07`, `Linux build07 6.8.0-51-generic`, `build07:1234:1234 [0] NCCL INFO`.

use memchr::memmem;

use super::Vocabulary;
use crate::facts::redact::Identity;

/// So many places of one sort are looked at.
const MOST: usize = 200;
/// No name is longer.
const LONGEST: usize = 64;

/// What stands before the name of an account, and before that of a machine; in lower case or as systems write it.
const BEFORE_USER: [&str; 10] =
    ["/home/", "/Users/", "\\Users\\", "USER=", "USERNAME=", "LOGNAME=", "user=", "User: ", "Username: ", "login -u "];
const BEFORE_HOST: [&str; 10] = [
    "HOSTNAME=",
    "COMPUTERNAME=",
    "host=",
    "hostname=",
    "Host: ",
    "host: ",
    "Hostname: ",
    "hostname: ",
    "Node: ",
    "node: ",
];
/// Hosts that are everybody's.
const PUBLIC: [&str; 5] = ["github.com", "gitlab.com", "huggingface.co", "pypi.org", "pytorch.org"];

/// Finds the names in a text.
pub fn read(text: &str, vocabulary: &Vocabulary<'_>) -> Identity {
    let mut found = Identity::default();
    let places = |words: &'static str| memmem::find_iter(text.as_bytes(), words).take(MOST);
    let after = |place: usize| text.get(place..).map_or("", |rest| leading(rest));
    for words in BEFORE_USER {
        places(words).for_each(|at| found.users.push(after(at + words.len()).to_owned()));
    }
    for words in BEFORE_HOST {
        places(words).for_each(|at| found.hosts.push(after(at + words.len()).to_owned()));
    }
    for at in memchr::memchr_iter(b'@', text.as_bytes()).take(MOST) {
        let (before, behind) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        if let Some((user, host)) = account(before, behind) {
            // `git@build07:ada/project.git`.
            let owner = behind.get(host.len()..).and_then(|rest| rest.strip_prefix(':')).map_or("", leading);
            let owner = Some(owner).filter(|_| user == "git" && !is_public(host));
            found.users.extend([Some(user), owner].into_iter().flatten().map(str::to_owned));
            found.hosts.push(host.to_owned());
        }
    }
    // `uname -a`.
    for at in places("Linux ") {
        let rest = text.get(at + "Linux ".len()..).unwrap_or_default();
        let mut words = rest.splitn(3, ' ');
        let (name, release) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if release.starts_with(|letter: char| letter.is_ascii_digit()) && release.contains('.') && release.contains('-')
        {
            found.hosts.push(leading(name).to_owned());
        }
    }
    for at in places(" NCCL ") {
        let start = at.saturating_sub(2 * LONGEST);
        let before = text.as_bytes().get(start..at).unwrap_or_default();
        let before = String::from_utf8_lossy(before);
        let word = before.split(' ').rev().find(|word| word.split(':').count() == 3).unwrap_or_default();
        let mut parts = word.split(':');
        let name = parts.next().unwrap_or_default();
        if parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())) {
            found.hosts.push(leading(name).to_owned());
        }
    }
    for names in [&mut found.users, &mut found.hosts] {
        names.sort();
        names.dedup();
        names.retain(|name| is_name(name, vocabulary));
        names.truncate(16);
    }
    found
}

/// `ada` and `build07` around the sign of a prompt, of `ssh` or of an address; not the version in `package@v1.0`.
fn account<'t>(before: &'t str, behind: &'t str) -> Option<(&'t str, &'t str)> {
    let start = before.char_indices().rev().take(LONGEST).take_while(|(_, letter)| in_name(*letter)).last()?.0;
    let (context, user) = before.split_at_checked(start)?;
    let host = leading(behind);
    let rest = behind.get(host.len()..)?;
    let prompt = rest.starts_with(":~") || rest.starts_with(":/") || context.ends_with('[') || context.ends_with("://");
    let command = ["ssh ", "scp ", "sftp ", "rsync "].iter().any(|name| context.ends_with(name));
    // A path with a tag or a version behind it: `example.org/a/b@v1.0`.
    let tagged = context.ends_with('/') && !context.ends_with("://");
    let address = is_address(host) || rest.starts_with(": Permission denied") || user == "git" && rest.starts_with(':');
    let word = |name: &str| name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let password = context.ends_with(':') && !prompt;
    let ok = word(user) && word(host) && !tagged && !password && (prompt || command || address);
    ok.then_some((user, host))
}

/// `build07.example.org`, not `v0.6.3`.
fn is_address(host: &str) -> bool {
    host.rsplit_once('.').is_some_and(|(_, last)| last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// The name at the start of a text.
fn leading(text: &str) -> &str {
    let mut letters = text.char_indices().enumerate();
    let end = letters.find(|(count, (_, letter))| *count == LONGEST || !in_name(*letter));
    let end = end.map_or(text.len(), |(_, (at, _))| at);
    text.get(..end).unwrap_or_default().trim_end_matches(['.', '-'])
}

fn in_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_')
}

fn is_public(host: &str) -> bool {
    PUBLIC.iter().any(|public| host.strip_suffix(public).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// Not a number, a package, or what is everybody's.
fn is_name(name: &str, vocabulary: &Vocabulary<'_>) -> bool {
    let lower = name.to_ascii_lowercase();
    (3..LONGEST).contains(&name.len())
        && name.chars().any(char::is_alphabetic)
        && !is_public(&lower)
        && !(vocabulary.is_package)(&lower)
        && (vocabulary.distribution_of)(&lower).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> (Vec<String>, Vec<String>) {
        let vocabulary = Vocabulary {
            is_package: &|name| name == "torch",
            distribution_of: &|_| None,
            variant: &|_, _| None,
            is_gpu: &|_| false,
        };
        let Identity { users, hosts } = read(text, &vocabulary);
        (users, hosts)
    }

    #[test]
    fn a_prompt_a_path_and_a_system_give_names_away() {
        for (text, user, host) in [
            ("(base) ada@build07:~/x$ python", "ada", "build07"),
            ("[ada@build07 x]$ python", "ada", "build07"),
            ("ssh ada@build07.example.org now", "ada", "build07.example.org"),
            ("git@build07:ada/x.git", "ada", "build07"),
            ("/home/ada/x on Linux build07 6.8.0-51-generic", "ada", "build07"),
            (r"C:\Users\ada\x Hostname: build07", "ada", "build07"),
            ("USER=ada build07:12:34 [0] NCCL INFO", "ada", "build07"),
        ] {
            let (users, hosts) = names(text);
            assert!(users.contains(&user.to_owned()) && hosts == [host], "{text}: {users:?} {hosts:?}");
        }
    }

    #[test]
    fn versions_addresses_and_packages_are_no_names() {
        for text in [
            "git+https://example.org/a/b@v1.0",
            "vllm@v0.6.3 and torch@2.6",
            "/home/torch/x",
            "Linux 6.8.0-51-generic",
            "platform: Linux-6.8.0 host: 0.0.0.0",
            "@property",
        ] {
            assert_eq!(names(text), (Vec::new(), Vec::new()), "{text}");
        }
        let (users, hosts) = names("git@github.com:pytorch/pytorch.git");
        assert_eq!((users.as_slice(), hosts.len()), (["git".to_owned()].as_slice(), 0));
    }

    #[test]
    fn no_text_is_searched_again_and_again() {
        let long = "a".repeat(100_000);
        for text in [format!("{long}@{long}"), format!("/home/{long}"), "@a.b".repeat(50_000)] {
            let (users, hosts) = names(&text);
            assert!(users.len() + hosts.len() <= 32 && users.iter().chain(&hosts).all(|name| name.len() < 64));
        }
    }
}
