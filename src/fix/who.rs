//! Who has to act, where it is not the environment's installer.

use crate::step::Step;

/// Programs for which one must administer the machine.
const MACHINE: [&str; 21] = [
    "apt",
    "apt-get",
    "dnf",
    "doas",
    "dpkg",
    "ldconfig",
    "modprobe",
    "mount",
    "nvidia-ctk",
    "pacman",
    "reboot",
    "rmmod",
    "rpm",
    "shutdown",
    "su",
    "sudo",
    "systemctl",
    "ubuntu-drivers",
    "update-initramfs",
    "yum",
    "zypper",
];
/// Programs that start containers.
const CONTAINER: [&str; 5] = ["docker", "helm", "kubectl", "nerdctl", "podman"];

/// Who has to act on a step.
#[must_use]
pub fn who(step: &Step) -> &'static str {
    let program = match step.own() {
        Step::Set { .. } | Step::Unset { .. } | Step::Prepend { .. } => {
            return "you, in the shell or file that starts your program";
        }
        Step::Run { argv, .. } => argv.first().map_or("", |word| word.as_str()),
        Step::Script(text) | Step::Sketch(text) => text.as_str().split_whitespace().next().unwrap_or_default(),
        Step::Then(step) => return who(step),
    };
    let base = program.rsplit(['/', '\\']).next().unwrap_or_default();
    match () {
        () if MACHINE.contains(&base) => "whoever administers this machine",
        () if CONTAINER.contains(&base) => "whoever starts the container, outside it",
        () if base == "wsl" => "you, in a shell of Windows",
        () => "you",
    }
}

/// Whether a person has to act: a script that is run unattended must not reboot a machine or start containers.
#[must_use]
pub fn is_for_a_person(step: &Step) -> bool {
    let step = step.own();
    let sets = matches!(step, Step::Set { .. } | Step::Unset { .. } | Step::Prepend { .. });
    matches!(step, Step::Sketch(_)) || !sets && who(step) != "you"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_does_not_touch_the_machine() {
        let of = |words: &[&str]| Step::run(words.iter().copied()).expect("a command");
        assert!(is_for_a_person(&of(&["sudo", "reboot"])) && is_for_a_person(&of(&["/usr/bin/docker", "run", "x"])));
        assert_eq!(who(&of(&["wsl", "--update"])), "you, in a shell of Windows");
        assert!(!is_for_a_person(&of(&["/v/bin/python", "-m", "pip", "install", "torch==2.7.1"])));
        assert!(!is_for_a_person(&Step::unset("LD_LIBRARY_PATH").expect("a variable")));
        assert!(Step::fixed("sudo apt-get update && sudo apt-get install x").iter().all(is_for_a_person));
    }
}
