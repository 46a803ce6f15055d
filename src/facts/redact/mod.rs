//! Removes from facts what identifies a person, a machine or an account, and keeps what a verdict rests on.
//!
//! | removed | becomes |
//! |---|---|
//! | a home folder, `/home/ada/venv`, `/Users/ada/venv` | `/home/user/venv`, `/Users/user/venv`; `/root` stays |
//! | a folder on a shared disk, called by no word of the trade, `/data/ada/venv` | `/data/user/venv` |
//! | the host's and the user's name, as a word or a path's part | `host`, `user` |
//! | a GPU's UUID in `CUDA_VISIBLE_DEVICES`, `GPU-1f3c…`, `MIG-…` | `GPU-redacted-0`, `MIG-redacted-1` |
//! | tokens, URL credentials, keys, passwords, serial numbers, addresses | `redacted` |
//!
//! One thing always becomes the same other thing, and two things never become one: which folder shadows which, and how
//! many GPUs are named, stay as they were. Names and versions of distributions, GPUs and drivers are not touched. Done
//! twice it changes nothing more.

mod paths;
mod secrets;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use self::paths::without_people;
use self::secrets::{without_mail, without_secrets};
use super::{
    Candidate, ChangedFile, Contradiction, Disk, Distribution, DistributionBuild, Driver, Facts, Gpu, Imports, InFront,
    Installing, LibCuda, Library, Link, Loader, Metadata, Nowhere, Nvcc, Nvml, Origin, Pasted, Place, Ptxas, PutBy,
    Python, Reading, Scripts, Stray, System, Toolchain, Unmet, Visibility, Want, Xid,
};

/// Who is to be forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Names of hosts, e.g. `build07`; also the part before the first dot is removed.
    pub hosts: Vec<String>,
    /// Login names of users, e.g. `ada`.
    pub users: Vec<String>,
}

/// Removes what identifies somebody from every text in the facts.
#[must_use]
pub fn redact(facts: &Facts, identity: &Identity) -> Facts {
    let mut facts = facts.clone();
    let mut redactor = Redactor::new(identity);
    redactor.facts(&mut facts);
    facts
}

/// Removes what identifies somebody from one text, e.g. an error message that is to be quoted.
#[must_use]
pub fn redact_text(text: &str, identity: &Identity) -> String {
    let mut text = text.to_owned();
    Redactor::new(identity).text(&mut text);
    text
}

/// A whole UUID or the beginning of one, which CUDA takes too; the old form of MIG names its parent GPU.
static DEVICE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(MIG-GPU|MIG|GPU)-[0-9a-fA-F]{2,}(?:-[0-9a-fA-F]+)*(?:/[0-9]+/[0-9]+)?").expect("a constant pattern")
});

/// Account and host names that identify nobody.
const NOBODY: [&str; 28] = [
    "root",
    "user",
    "host",
    "localhost",
    "ubuntu",
    "debian",
    "admin",
    "ec2-user",
    "azureuser",
    "jovyan",
    "docker",
    "runner",
    "administrator",
    "public",
    "default",
    "vscode",
    "git",
    "linux",
    "windows",
    "nvidia",
    "jetson",
    "cuda",
    "conda",
    "python",
    "app",
    "work",
    "workspace",
    "none",
];

/// Where a part of a path is the system's own word: `cuda` in `/usr/local/cuda/compat` is no user.
const SYSTEM_FOLDERS: [&str; 8] = ["/usr/", "/lib/", "/lib64/", "/bin/", "/etc/", "/proc/", "/sys/", "/dev/"];

/// Remembers what became what.
struct Redactor {
    names: Vec<(String, &'static str)>,
    homes: BTreeMap<String, String>,
    devices: BTreeMap<String, String>,
}

impl Redactor {
    fn new(identity: &Identity) -> Self {
        let mut names = Vec::new();
        let mut add = |name: &str, word| {
            let known = names.iter().any(|(other, _)| other == name);
            if name.len() > 2 && !NOBODY.contains(&name.to_ascii_lowercase().as_str()) && !known {
                names.push((name.to_owned(), word));
            }
        };
        for host in &identity.hosts {
            add(host, "host");
            add(host.split('.').next().unwrap_or_default(), "host");
        }
        for user in &identity.users {
            add(user, "user");
        }
        // `user` is the account's own, so that its home and its name elsewhere agree.
        let mut homes = BTreeMap::new();
        if let [user] = identity.users.as_slice() {
            homes.insert(user.clone(), "user".to_owned());
        }
        Self { names, homes, devices: BTreeMap::new() }
    }

    fn facts(&mut self, facts: &mut Facts) {
        // Taken apart by name: a new field does not compile until somebody has decided about it.
        let Facts {
            schema: _,
            origin,
            system,
            driver,
            gpus,
            visibility,
            loader,
            toolchain,
            python,
            distributions,
            whole_list,
            spoken_of,
            installing,
            vendor,
            imports,
            pasted,
        } = facts;
        // Of a pasted report these are words that somebody typed.
        let typed = *origin == Origin::Report;
        self.system(system, typed);
        let Driver { version, cuda, module, package, nvml, confidential } = driver;
        self.reading(package, |_, _| ());
        self.reading(confidential, |_, _| ());
        self.reading(version, |_, _| ());
        self.reading(cuda, |_, _| ());
        self.reading(module, |_, _| ());
        self.reading(nvml, |redactor, Nvml { library, version: _ }| redactor.text(library));
        self.reading(gpus, |redactor, gpus| gpus.iter_mut().for_each(|gpu| redactor.gpu(gpu, typed)));

        // Of UUIDs it holds only which GPU each names.
        let Visibility { named, nodes, cuda, available, without_gpus } = visibility;
        self.reading(available, |_, _| ());
        self.reading(without_gpus, Self::text);
        self.reading(named, |_, _| ());
        self.reading(nodes, |_, _| ());
        self.reading(cuda, |_, _| ());

        let Loader { libcuda, others, plain_libcuda, libstdcxx } = loader;
        self.reading(plain_libcuda, Self::text);
        self.reading(libstdcxx, |_, _| ());
        self.toolchain(toolchain);
        self.reading(libcuda, Self::libcuda);
        others.iter_mut().for_each(|library| self.libcuda(library));
        self.reading(python, Self::python);
        distributions.iter_mut().for_each(|distribution| self.distribution(distribution));
        self.reading(whole_list, |_, _| ());
        self.reading(spoken_of, |_, _| ());
        self.reading(vendor, |_, _| ());
        self.installing(installing);
        self.reading(imports, |redactor, Imports { wants, left: _ }| {
            for Want { importer: _, file, line: _, wanted: _, module: _, name, owner: _, stops: _, parts: _ } in wants {
                redactor.text(file);
                redactor.text(name);
            }
        });
        if let Some(pasted) = pasted {
            self.pasted(pasted);
        }
    }

    fn toolchain(&mut self, toolchain: &mut Toolchain) {
        let Toolchain { nvcc, path_nvcc, named, ptxas, ninja, gcc, python_h } = toolchain;
        for reading in [nvcc, path_nvcc] {
            self.reading(reading, |redactor, Nvcc { path, cuda: _, newest_gcc: _ }| redactor.text(path));
        }
        self.reading(named, |_, _| ());
        for Ptxas { variable: _, path, found: _, cuda: _ } in ptxas {
            self.text(path);
        }
        self.reading(ninja, Self::text);
        self.reading(gcc, |_, _| ());
        self.reading(python_h, Self::text);
    }

    /// `typed`: it is what somebody wrote.
    fn system(&mut self, system: &mut System, typed: bool) {
        let System {
            os,
            arch,
            distro,
            kernel,
            glibc,
            container,
            wsl,
            shm_bytes,
            xid,
            memlock_bytes,
            infiniband,
            disks,
            environment,
        } = system;
        for reading in [os, arch, distro, kernel, container] {
            self.reading(reading, |redactor, text| {
                if typed {
                    redactor.text(text);
                }
            });
        }
        self.reading(glibc, |_, _| ());
        self.reading(wsl, |_, _| ());
        self.reading(shm_bytes, |_, _| ());
        self.reading(memlock_bytes, |_, _| ());
        self.reading(infiniband, |_, _| ());
        for Disk { holds: _, path, free_bytes: _ } in disks {
            self.text(path);
        }
        self.reading(xid, |redactor, xids| {
            for Xid { number: _, count: _, gpus: _, last } in xids {
                redactor.text(last);
            }
        });
        environment.values_mut().for_each(|value| self.text(value));
    }

    fn installing(&mut self, installing: &mut Installing) {
        let Installing { plain, unmet, candidates, nowhere } = installing;
        self.reading(plain, |_, _| ());
        for Candidate { package, requirement, constraint: _, place } in candidates {
            package.iter_mut().chain([requirement, place]).for_each(|text| self.text(text));
        }
        for Unmet { package: _, requirement, found: _, place } in unmet {
            self.text(requirement);
            self.text(place);
        }
        for Nowhere { requirement, requires_python: _, place } in nowhere {
            self.text(requirement);
            self.text(place);
        }
    }

    fn pasted(&mut self, pasted: &mut Pasted) {
        let Pasted { recognised, not_read: _, unread: _, contradictions } = pasted;
        recognised.iter_mut().for_each(|text| self.text(text));
        for Contradiction { what: _, used, other } in contradictions {
            for text in [&mut used.0, &mut used.1, &mut other.0, &mut other.1] {
                self.text(text);
            }
        }
    }

    fn gpu(&mut self, gpu: &mut Gpu, typed: bool) {
        let Gpu { index: _, name, compute_capability, memory_bytes, mig, pci_device, state } = gpu;
        // Programs are named without their folders and arguments.
        self.reading(state, |redactor, state| {
            state.processes.iter_mut().filter_map(|process| process.name.as_mut()).for_each(|name| redactor.text(name));
        });
        self.reading(name, |redactor, text| {
            if typed {
                redactor.text(text);
            }
        });
        self.reading(compute_capability, |_, _| ());
        self.reading(memory_bytes, |_, _| ());
        self.reading(mig, |_, _| ());
        self.reading(pci_device, |_, _| ());
    }

    fn libcuda(&mut self, library: &mut LibCuda) {
        let LibCuda { path, found_by: _, version, compat: _, stub: _ } = library;
        self.text(path);
        self.reading(version, |_, _| ());
    }

    fn python(&mut self, python: &mut Python) {
        let Python {
            executable,
            prefix,
            base_prefix,
            version,
            implementation: _,
            free_threaded: _,
            bits,
            chosen_by,
            path,
            management,
            place,
        } = python;
        self.place(place);
        if let Some(project) = &mut management.project {
            self.text(&mut project.folder);
        }
        self.reading(executable, Self::text);
        self.text(prefix);
        self.reading(base_prefix, Self::text);
        self.reading(version, |_, _| ());
        self.reading(bits, |_, _| ());
        self.text(chosen_by);
        path.iter_mut().for_each(|folder| self.text(folder));
    }

    fn place(&mut self, place: &mut Place) {
        let Place { without_cfg, packages_of: _, scripts, home, other_python, in_front, leftovers } = place;
        [without_cfg, home, other_python].into_iter().flatten().chain(leftovers).for_each(|path| self.text(path));
        if let Some(Scripts { interpreter, paths }) = scripts {
            self.text(interpreter);
            paths.iter_mut().for_each(|path| self.text(path));
        }
        for InFront { name: _, path, by } in in_front {
            self.text(path);
            if let PutBy::Pth(file) = by {
                self.text(file);
            }
        }
    }

    fn distribution(&mut self, distribution: &mut Distribution) {
        let Distribution {
            name: _,
            version,
            build,
            location,
            metadata_dir,
            metadata,
            installer,
            requested: _,
            direct_url,
            editable: _,
            source_gone,
            record,
            wheel_tags: _,
            libraries,
            changed,
        } = distribution;
        for ChangedFile { path, how: _, also_of: _ } in changed {
            self.text(path);
        }
        source_gone.iter_mut().for_each(|path| self.text(path));
        if let Some(Stray::Of(folder)) = record {
            self.text(folder);
        }
        let DistributionBuild { version: build_version, cuda, torch, cuda_libraries: _ } = build;
        for reading in [version, build_version, torch] {
            self.reading(reading, |_, _| ());
        }
        self.reading(cuda, |_, _| ());
        self.text(location);
        self.text(metadata_dir);
        self.reading(metadata, |redactor, Metadata { requires, requires_python: _, extras: _ }| {
            // Of requirements only those with a URL tell more than a name and a version.
            requires.iter_mut().filter(|line| line.contains('@')).for_each(|line| redactor.text(line));
        });
        self.reading(installer, |_, _| ());
        self.reading(direct_url, Self::text);
        self.reading(libraries, |redactor, libraries| {
            libraries.iter_mut().for_each(|library| redactor.library(library));
        });
    }

    fn library(&mut self, library: &mut Library) {
        let Library {
            path,
            code: _,
            for_cuda: _,
            module: _,
            links,
            unresolved: _,
            torch_symbols: _,
            versions: _,
            numpy: _,
            damage,
            also_of: _,
        } = library;
        self.text(path);
        damage.iter_mut().for_each(|damage| self.text(damage));
        for Link { soname: _, path, found_by: _, instead_of } in links {
            path.iter_mut().chain(instead_of).for_each(|path| self.text(path));
        }
    }

    /// The value by its own rule, and the words around it: where it was read, why it could not be.
    fn reading<T>(&mut self, reading: &mut Reading<T>, mut value: impl FnMut(&mut Self, &mut T)) {
        match reading {
            Reading::Known { value: known, source } => {
                value(self, known);
                self.text(source.place_mut());
            }
            // What was said in part are names of products and numbers.
            Reading::Partly { part: _, source } => self.text(source.place_mut()),
            Reading::Absent { looked } => self.text(looked),
            Reading::Unreadable { error } => self.text(error),
            Reading::Unknown => {}
        }
    }

    fn text(&mut self, text: &mut String) {
        without_secrets(text);
        if text.contains("GPU-") || text.contains("MIG-") {
            let replaced = DEVICE.replace_all(text, |found: &Captures| {
                let number = self.devices.len();
                let kind = if found[1].starts_with("MIG") { "MIG" } else { "GPU" };
                self.devices.entry(found[0].to_owned()).or_insert_with(|| format!("{kind}-redacted-{number}")).clone()
            });
            *text = replaced.into_owned();
        }
        without_people(text, |name| self.home(name));
        for (name, word) in &self.names {
            if text.contains(name.as_str()) {
                *text = replace_name(text, name, word);
            }
        }
        without_mail(text);
    }

    /// `user`, and `user-2` and on for further people.
    fn home(&mut self, name: &str) -> String {
        let already = name == "user" || name.strip_prefix("user-").is_some_and(|rest| rest.parse::<u32>().is_ok());
        if already {
            return name.to_owned();
        }
        if let Some(known) = self.homes.get(name) {
            return known.clone();
        }
        let number = self.homes.len() + 1;
        let replaced = if number == 1 { "user".to_owned() } else { format!("user-{number}") };
        self.homes.insert(name.to_owned(), replaced.clone());
        replaced
    }
}

/// Replaces a name where it stands as a word, except inside the system's own folders.
fn replace_name(text: &str, name: &str, word: &str) -> String {
    let in_name = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    let ends_path =
        |letter: char| letter.is_whitespace() || matches!(letter, ':' | ';' | ',' | '=' | '\'' | '"' | '`' | '(');
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(step) = text[from..].find(name) {
        let (start, end) = (from + step, from + step + name.len());
        let alone = !text[..start].ends_with(in_name) && !text[end..].starts_with(in_name);
        let path =
            text[..start].rfind(ends_path).map_or(&text[..start], |at| text[at..start].trim_start_matches(ends_path));
        let of_system = SYSTEM_FOLDERS.iter().any(|folder| path.starts_with(folder));
        result.push_str(&text[from..start]);
        result.push_str(if alone && !of_system { word } else { name });
        from = end;
    }
    result.push_str(&text[from..]);
    result
}

#[cfg(test)]
mod tests;
