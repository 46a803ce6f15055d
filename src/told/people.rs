//! Whose text it is: names of accounts and machines that a pasted text gives away, so that they are hidden wherever they stand.
//!
//! They are found where a shell, `ssh` or a system prints them: `ada@build07:~$`, `/home/ada/venv`, `C:\Users\Ada`, `USER=ada`,
//! `Hostname: build07`, `Linux build07 6.8.0-51-generic`, `build07:1234:1234 [0] NCCL INFO`.

use memchr::memmem;

use crate::facts::redact::Identity;
use crate::log::Log;

/// So many places of one sort are looked at.
const MOST: usize = 200;
/// No name is longer.
const LONGEST: usize = 64;

/// What stands before the name of an account, and before that of a machine; in lower case or as systems write it.
const BEFORE_USER: [&str; 9] =
    ["/home/", "/Users/", "\\Users\\", "USER=", "USERNAME=", "LOGNAME=", "user=", "login -u ", "logged in as: "];
const BEFORE_HOST: [&str; 18] = [
    "HOSTNAME=",
    "COMPUTERNAME=",
    "HOST=",
    "host=",
    "hostname=",
    "Host: ",
    "host: ",
    "host : ",
    "Hostname: ",
    "hostname: ",
    "Node: ",
    "node: ",
    "node_name: ",
    "nodename: ",
    "POD_NAME=",
    "NODENAME=",
    "NODELIST=",
    "NODE_NAME=",
];
/// The same words begin sentences: what follows is a name where it ends its line.
const BEFORE_ALONE: [&str; 7] = ["User: ", "user: ", "Username: ", "username: ", "Login: ", "login: ", "login as: "];
/// Folders that installers make in somebody's home, wherever that lies.
const IN_HOME: [&str; 9] = [
    "/.cache/",
    "/.local/",
    "/.conda/",
    "/.pyenv/",
    "/miniconda3/",
    "/anaconda3/",
    "/miniforge3/",
    "/mambaforge/",
    "/micromamba/",
];
/// Hosts that are everybody's.
const PUBLIC: [&str; 5] = ["github.com", "gitlab.com", "huggingface.co", "pypi.org", "pytorch.org"];

/// Finds the names in a text.
pub fn read(log: &Log, is_known: &dyn Fn(&str) -> bool) -> Identity {
    let text = log.flat.as_str();
    let mut found = Identity::default();
    let from = |place: usize| text.get(place..).unwrap_or_default();
    for words in BEFORE_USER {
        places(text, words).for_each(|at| found.users.push(leading(from(at + words.len())).to_owned()));
    }
    for words in BEFORE_HOST {
        places(text, words).for_each(|at| found.hosts.push(leading(from(at + words.len())).to_owned()));
    }
    for words in BEFORE_ALONE {
        let alone = |at: &usize| log.line_around(*at).ends_with(leading(from(at + words.len())));
        places(text, words).filter(alone).for_each(|at| found.users.push(leading(from(at + words.len())).to_owned()));
    }
    for words in IN_HOME {
        for at in places(text, words) {
            let (_, name) = last_name(text, at);
            let of_system = name.is_empty() || SYSTEM.contains(&name);
            found.users.extend((!of_system).then(|| name.to_owned()));
        }
    }
    accounts(text, &mut found);
    systems(log, &mut found);
    networks(text, &mut found);
    tables(text, &mut found);
    for names in [&mut found.users, &mut found.hosts] {
        names.sort();
        names.dedup();
        names.retain(|name| is_name(name, is_known));
        names.truncate(16);
    }
    found
}

/// Folders that hold an installation for everybody.
const SYSTEM: [&str; 9] = ["opt", "local", "root", "workspace", "app", "tmp", "data", "share", "lib"];

/// `ada@build07`, where that is an account.
fn accounts(text: &str, found: &mut Identity) {
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
}

/// `uname -a`, the system's log, `id`.
fn systems(log: &Log, found: &mut Identity) {
    let text = log.flat.as_str();
    for system in ["Linux ", "Darwin "] {
        for at in places(text, system) {
            let mut words = text.get(at + system.len()..).unwrap_or_default().splitn(3, ' ');
            let (name, release) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let numbers = release.split(['.', '-']).take_while(|part| part.parse::<u32>().is_ok()).count();
            if numbers >= 3 {
                found.hosts.push(leading(name).to_owned());
            }
        }
    }
    // `Nov 21 12:00:00 build07 kernel: NVRM: …`.
    for service in [" kernel: ", " systemd["] {
        for at in places(text, service) {
            let (before, name) = last_name(text, at);
            let time = before.trim_end().rsplit(' ').next().unwrap_or_default();
            let timed = time.matches(':').count() >= 2 && time.starts_with(|letter: char| letter.is_ascii_digit());
            // The time is no part of a cleaned line.
            let of_kernel = ["NVRM", "[", "nvidia", "NVLink"];
            let behind = text.get(at + service.len()..).unwrap_or_default();
            let of_kernel = service == " systemd[" || of_kernel.iter().any(|word| behind.starts_with(word));
            let first = of_kernel && log.line_around(at).starts_with(name);
            found.hosts.extend((timed || first).then(|| name.to_owned()));
        }
    }
    for at in places(text, "uid=") {
        let rest = text.get(at + "uid=".len()..).unwrap_or_default();
        let name = rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).strip_prefix('(');
        found.users.extend(name.map(|name| leading(name).to_owned()));
    }
}

/// What NCCL, torchrun, MPI and Slurm print of the machines that they run on, and URLs of machines without a domain.
fn networks(text: &str, found: &mut Identity) {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    for at in places(text, " NCCL ") {
        let before = tail(text, at, 2 * LONGEST);
        let word = before.split(' ').rev().find(|word| word.split(':').count() == 3).unwrap_or_default();
        let (name, numbers) = word.split_once(':').unwrap_or_default();
        if numbers.split(':').all(digits) {
            // Glued to what stood before: the name is what could be one.
            found.hosts.push(trailing(name).to_owned());
        }
    }
    // `build07:rank0: …`, `[build07:12345] ***`.
    for at in places(text, ":rank") {
        let number = text.as_bytes().get(at + ":rank".len()).is_some_and(u8::is_ascii_digit);
        found.hosts.extend(number.then(|| last_name(text, at).1.to_owned()));
    }
    for at in places(text, "] ***") {
        let before = tail(text, at, LONGEST);
        if let Some((name, _)) = before.rsplit_once(':').filter(|(_, process)| digits(process)) {
            found.hosts.push(trailing(name).to_owned());
        }
    }
    // `srun: error: build07: task 3: …`, `*** STEP 12.0 ON build07 CANCELLED AT …`.
    for at in places(text, ": task ") {
        let (before, name) = last_name(text, at);
        found.hosts.extend(before.ends_with("error: ").then(|| name.to_owned()));
    }
    for at in places(text, " CANCELLED") {
        let (before, name) = last_name(text, at);
        found.hosts.extend(before.ends_with(" ON ").then(|| name.to_owned()));
    }
    // `tcp://build07:29500`, `[build07]:29500`, `connect to build07:29500`, `MASTER_ADDR=build07`.
    for words in ["://", "connect to [", "connect to ", "connected to ", "_ADDR="] {
        for at in places(text, words) {
            let rest = text.get(at + words.len()..).unwrap_or_default();
            let name = leading(rest);
            let behind = rest.get(name.len()..).unwrap_or_default();
            let port = behind.trim_start_matches(']').strip_prefix(':').unwrap_or_default();
            let port = port.starts_with(|letter: char| letter.is_ascii_digit());
            let own = words == "://" && !name.contains('.') && behind.starts_with(['/', ' ']);
            found.hosts.extend((port || own || words == "_ADDR=").then(|| name.to_owned()));
        }
    }
    // `\\build07\share`.
    for at in places(text, "\\\\") {
        let alone = text.get(..at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '"', '\'', '=']));
        let rest = text.get(at..).unwrap_or_default().trim_start_matches('\\');
        let name = leading(rest);
        let folder = rest.get(name.len()..).is_some_and(|rest| rest.starts_with('\\'));
        found.hosts.extend((alone && folder && !name.starts_with("wsl")).then(|| name.to_owned()));
    }
}

/// Columns of `ls -l` and of gpustat.
fn tables(text: &str, found: &mut Identity) {
    for at in places(text, "rw") {
        let rights = at.checked_sub(1).and_then(|start| text.get(start..start + 10)).unwrap_or_default();
        if rights.len() == 10 && rights.bytes().all(|byte| b"dlrwxstST-".contains(&byte)) {
            let mut words = text.get(at + rights.len() - 1..).unwrap_or_default().splitn(4, ' ').skip(1);
            let links = words.next().unwrap_or_default().parse::<u32>();
            found.users.extend(words.next().filter(|_| links.is_ok()).map(|name| leading(name).to_owned()));
        }
    }
    // `| ada(1234M)`.
    for at in places(text, "M)") {
        let before = tail(text, at, LONGEST);
        let name = before.rsplit_once('(').filter(|(_, size)| size.bytes().all(|byte| byte.is_ascii_digit()));
        let name = name.map(|(name, _)| trailing(name)).filter(|name| before.contains("| ") && !name.is_empty());
        found.users.extend(name.map(str::to_owned));
    }
}

/// Where words stand in a text; of each so many are looked at.
fn places<'t>(text: &'t str, words: &'static str) -> impl Iterator<Item = usize> + 't {
    memmem::find_iter(text.as_bytes(), words).take(MOST)
}

/// The name that ends at a place, and what stands before it.
fn last_name(text: &str, place: usize) -> (&str, &str) {
    let before = text.get(..place).unwrap_or_default();
    before.split_at(before.len() - trailing(before).len())
}

/// The last bytes of what stands before a place.
fn tail(text: &str, place: usize, bytes: usize) -> &str {
    let mut start = place.saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..place).unwrap_or_default()
}

/// `ada` and `build07` around the sign of a prompt, of `ssh` or of an address; not the version in `package@v1.0`.
fn account<'t>(before: &'t str, behind: &'t str) -> Option<(&'t str, &'t str)> {
    let start = before.char_indices().rev().take(LONGEST).take_while(|(_, letter)| in_name(*letter)).last()?.0;
    let (context, user) = before.split_at_checked(start)?;
    let host = leading(behind);
    let rest = behind.get(host.len()..)?;
    let marks = [":~", ":/", " ~", " MINGW", " %"];
    let prompt = marks.iter().any(|mark| rest.starts_with(mark))
        || context.ends_with('[')
        || context.ends_with("://")
        || context.ends_with("➜ ");
    let command = ["ssh ", "scp ", "sftp ", "rsync "].iter().any(|name| context.ends_with(name));
    // A path with a tag or a version behind it: `example.org/a/b@v1.0`.
    let tagged = context.ends_with('/') && !context.ends_with("://");
    let address = rest.starts_with(": Permission denied") || user == "git" && rest.starts_with(':');
    let word = |name: &str| name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let password = context.ends_with(':') && !prompt;
    let ok = word(user) && word(host) && !tagged && !password && (prompt || command || address);
    ok.then_some((user, host))
}

/// The name at the end of a text.
fn trailing(text: &str) -> &str {
    let mut letters = text.char_indices().rev().take(LONGEST).take_while(|(_, letter)| in_name(*letter));
    let start = letters.by_ref().last().map_or(text.len(), |(at, _)| at);
    text.get(start..).unwrap_or_default()
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
fn is_name(name: &str, is_known: &dyn Fn(&str) -> bool) -> bool {
    let lower = name.to_ascii_lowercase();
    (3..LONGEST).contains(&name.len())
        && name.chars().any(char::is_alphabetic)
        && !is_public(&lower)
        && !is_known(&lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> (Vec<String>, Vec<String>) {
        let mut log = Log::default();
        text.lines().zip(1..).for_each(|(line, number)| log.push(line, number, false));
        let Identity { users, hosts } = read(&log, &|name| name == "torch");
        (users, hosts)
    }

    #[test]
    fn a_prompt_a_path_and_a_system_give_names_away() {
        for (text, user, host) in [
            ("(base) ada@build07:~/x$ python", "ada", "build07"),
            ("(base) ada@build07 ~ % python", "ada", "build07"),
            ("[ada@build07 x]$ python", "ada", "build07"),
            ("ada@build07 MINGW64 ~/x", "ada", "build07"),
            ("ssh ada@build07.example.org now", "ada", "build07.example.org"),
            ("git@build07:ada/x.git", "ada", "build07"),
            ("/home/ada/x on Linux build07 6.8.0-51-generic", "ada", "build07"),
            ("Darwin build07 23.1.0 Darwin /data/ada/miniconda3/envs/x", "ada", "build07"),
            (r"C:\Users\ada\x Hostname: build07", "ada", "build07"),
            ("USER=ada build07:12:34 [0] NCCL INFO", "ada", "build07"),
            ("user: ada\nhost : build07", "ada", "build07"),
            ("uid=1000(ada) gid=1000(ada)\n[build07:12345] *** Process received signal", "ada", "build07"),
            ("drwxr-xr-x 2 ada staff 4096 Jan 1\nsrun: error: build07: task 3: exited", "ada", "build07"),
            ("Nov 21 12:00:00 build07 kernel: x\n| ada(1234M)", "ada", "build07"),
            ("build07 kernel: NVRM: Xid\nwandb: Currently logged in as: ada", "ada", "build07"),
            ("tcp://build07:29500 failed /gpfs/x/ada/.cache/torch", "ada", "build07"),
            (r"USER=ada \\build07\share", "ada", "build07"),
            ("USER=ada connect to [build07]:29500", "ada", "build07"),
            ("USER=ada *** STEP 12.0 ON build07 CANCELLED AT", "ada", "build07"),
            ("USER=ada build07:rank0: x", "ada", "build07"),
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
            "Author-email: packages@example.org",
            "User: I get this error on Linux with kernel: 6.8",
            "Failing kernel: gemm, task 3: torch:rank",
            "error: task failed, connect to it, see https://example.org/a",
            "/opt/miniconda3/lib /root/.cache/x /workspace/.local/y",
            "(12M) of -rw nothing, rwx",
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
