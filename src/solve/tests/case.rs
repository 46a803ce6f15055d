//! Small databases with everything that a solver has to weigh, and requests to them.

use proptest::prelude::*;

use super::*;
use crate::rules::schema::{OpenedWheel, TorchExtension};

pub(super) const NAMES: [&str; 4] = ["bits", "torch", "triton", "vision"];

/// One way to install some of the packages: the release and build of each, by place in the rules.
pub(super) type World = [Option<(usize, usize)>; 4];

fn specifier() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), Just("==1.0"), Just("==2.0"), Just(">=2"), Just("<2"), Just("==3.0")]
}

fn one_build() -> impl Strategy<Value = (String, u8)> {
    let index = prop_oneof![
        Just(("pypi", "12.6", 0)),
        Just(("cu128", "12.8", 1)),
        Just(("cu130", "13.0", 2)),
        Just(("cpu", "cpu", 3)),
    ];
    let sass = prop_oneof![Just(vec![]), Just(vec!["sm_80"]), Just(vec!["sm_80", "sm_120"])];
    let arm = prop_oneof![4 => Just(0), 1 => Just(10)];
    (index, sass, arm).prop_map(|((index, cuda, at), sass, arm)| {
        let text = super::build(index, cuda, &sass);
        (if arm > 0 { text.replace("x86_64", "aarch64") } else { text }, at + arm)
    })
}

fn one_release(own: usize) -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    let others = proptest::collection::vec((0..NAMES.len(), specifier()), 0..3);
    let builds = proptest::collection::vec(one_build(), 1..4).prop_map(|mut builds| {
        builds.sort_by_key(|(_, at)| *at);
        builds.dedup_by_key(|(_, at)| *at);
        builds.into_iter().map(|(text, _)| text).collect::<Vec<_>>()
    });
    (others, builds).prop_map(move |(others, builds)| {
        let others = others.into_iter().filter(|(other, _)| *other != own);
        (others.map(|(other, text)| format!("{}{text}", NAMES[other])).collect(), builds)
    })
}

/// A database, a target and lines that ask.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) packages: String,
    pub(super) advisories: Vec<String>,
    pub(super) capability: &'static str,
    pub(super) driver: Option<&'static str>,
    pub(super) requirements: Vec<String>,
    pub(super) constraints: Vec<String>,
    /// Which torch the releases of `vision` are compiled for: runs and C++ ABI.
    pub(super) abi: [(&'static str, Option<bool>); 3],
    /// Which release and build of each package is installed, as far as there are so many.
    pub(super) installed: [Option<(usize, usize)>; 4],
}

impl Case {
    pub(super) fn db(&self) -> RuleDb {
        let advisories: Vec<_> = self.advisories.iter().map(String::as_str).collect();
        let rows = self.abi.iter().zip(1..).filter(|((run, abi), _)| !run.is_empty() || abi.is_some());
        let rows = rows.map(|((run, abi), version)| TorchExtension {
            version: format!("{version}.0"),
            torch: Some(*run).filter(|run| !run.is_empty()).map(str::to_owned).into_iter().collect(),
            cxx11_abi: *abi,
            source: OpenedWheel { wheel: "x".to_owned(), sha256: "x".to_owned(), read: "x".to_owned() },
        });
        let releases = ["1.0", "2.0"].map(str::to_owned).into();
        super::db(&self.packages, &advisories).with_torch_abi("vision", rows.collect(), releases)
    }

    pub(super) fn request(&self) -> Request {
        let lines = |lines: &[String]| asked(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        Request {
            target: target(self.capability, self.driver),
            requirements: lines(&self.requirements),
            constraints: lines(&self.constraints),
            ..Request::default()
        }
    }

    /// What is installed, as far as it was published for the target.
    pub(super) fn installed(&self, db: &RuleDb) -> World {
        let mut world = [None; 4];
        for (at, name) in NAMES.iter().enumerate() {
            let releases = &db.package(name).expect("covered").releases;
            world[at] = self.installed[at].filter(|(release, build)| {
                let builds = releases.get(*release).map(|release| &release.builds);
                builds.and_then(|builds| builds.get(*build)).is_some_and(|build| build.is_for("linux_x86_64"))
            });
        }
        world
    }
}

pub(super) fn capability() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("8.0"), Just("12.0")]
}

pub(super) fn driver() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![Just(None), Just(Some("570.133.20")), Just(Some("580.65.06"))]
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    let releases = |own| proptest::collection::vec(one_release(own), 1..4);
    let packages = (releases(0), releases(1), releases(2), releases(3)).prop_map(|all| {
        let all = [all.0, all.1, all.2, all.3];
        let texts = all.iter().zip(NAMES).map(|(releases, name)| {
            let head = match name {
                "vision" => {
                    "[[partner]]\nwith = \"torch\"\nversions = \">=0\"\ncuda = \"same\"\notherwise = \"x\"\nsource = \"x\"\n"
                }
                "torch" => "headline = \"framework\"\n",
                "bits" => "headline = \"extension\"\n[[library-choice]]\nversions = \"<2\"\npick = \"torch-cuda-exact\"\nsource = \"x\"\n\
                           [[library-choice]]\nversions = \">=2\"\npick = \"torch-cuda-major\"\nsource = \"x\"\n",
                _ => "",
            };
            let releases = releases.iter().zip(1..).map(|((requires, builds), version)| {
                let requires: Vec<_> = requires.iter().map(String::as_str).collect();
                let builds: Vec<String> = match name {
                    "torch" => builds.iter().map(|text| with_abi(text)).collect(),
                    "bits" => vec![builds[0].replace("sass =", "for-cuda = \"12.6\"\nsass =").replace("cpu", "pypi")],
                    _ => builds.clone(),
                };
                let builds = if name == "bits" {
                    vec![builds[0].lines().filter(|it| !it.starts_with("local")).map(|it| format!("{it}\n")).collect()]
                } else {
                    builds
                };
                release(&format!("{version}.0"), &requires, &builds)
            });
            package(name, head, &releases.collect::<Vec<_>>())
        });
        texts.collect::<Vec<_>>().join("\n---\n")
    });
    let line = || (0..NAMES.len(), specifier()).prop_map(|(name, text)| format!("{}{text}", NAMES[name]));
    let lines = |count| proptest::collection::vec(line(), count);
    let terms = proptest::collection::vec(line(), 1..4);
    let advisory = (terms, any::<bool>(), any::<bool>()).prop_map(|(mut terms, cuda, absent)| {
        let name = |line: &String| line.split(['=', '<', '>']).next().unwrap_or_default().to_owned();
        terms.sort();
        terms.dedup_by_key(|line| name(line));
        let quoted: Vec<_> = terms.iter().map(|line| format!("{line:?}")).collect();
        let cuda = if cuda { "cuda = \">=12.8\"\n" } else { "" };
        let absent = match NAMES.iter().find(|other| !terms.iter().any(|line| name(line) == **other)) {
            Some(other) if absent => format!("absent = [\"{other}\"]\n"),
            _ => String::new(),
        };
        format!(
            "id = \"GPUDOC-2026-0001\"\ntitle = \"x\"\nstory = \"x\"\nseverity = \"fail\"\ndate = \"2026-11-21\"\n\
             example = []\n[[when]]\ninstalled = [{}]\n{cuda}{absent}\n\
             [[reference]]\npage = \"https://example.org\"\nread = \"2026-11-21\"\n",
            quoted.join(", ")
        )
    });
    let advisories = proptest::collection::vec(advisory, 0..3);
    let abi = [one_abi(), one_abi(), one_abi()];
    let installed: [_; 4] = std::array::from_fn(|_| proptest::option::of((0..3_usize, 0..2_usize)));
    (packages, advisories, capability(), driver(), lines(1..4), lines(0..2), abi, installed).prop_map(
        |(packages, advisories, capability, driver, requirements, constraints, abi, installed)| Case {
            packages,
            advisories,
            capability,
            driver,
            requirements,
            constraints,
            abi,
            installed,
        },
    )
}

/// torch for CUDA 13.0 with the new C++ ABI, the others with the old one.
fn with_abi(build: &str) -> String {
    build.replace("platform", &format!("cxx11-abi = {}\nplatform", build.contains("13.0")))
}

fn one_abi() -> impl Strategy<Value = (&'static str, Option<bool>)> {
    let run = prop_oneof![3 => Just(""), 1 => Just("1.0"), 1 => Just("2.0"), 1 => Just("1.0 to 2.0")];
    (run, prop_oneof![2 => Just(None), 1 => Just(Some(false)), 1 => Just(Some(true))])
}
