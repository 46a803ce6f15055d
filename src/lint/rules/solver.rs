//! The solver, asked once for each question: files of one repository often ask for the same.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::pep::Version;
use crate::rules::{RuleDb, Target};
use crate::solve::{self, AskedRequirement, Proof, Request};

/// What is chosen: names and full versions.
pub type Pins = Vec<(String, Version)>;

/// Answers by question.
pub struct Solver<'db> {
    db: &'db RuleDb,
    answers: RefCell<HashMap<Question, Answer>>,
    possible: RefCell<HashMap<Question, bool>>,
    verdicts: RefCell<HashMap<Offer, Rc<Vec<Verdict>>>>,
}

/// A package, the index that it comes from, and the target.
pub type Offer = (String, Option<String>, Target);

#[derive(Clone)]
enum Answer {
    Met(Rc<Pins>),
    Refused(Rc<Proof>),
}

/// Stands around a number in the place of the line that asks: private use, so that no text has it.
const MARK: char = '\u{e000}';

impl<'db> Solver<'db> {
    pub fn new(db: &'db RuleDb) -> Self {
        Self { db, answers: RefCell::default(), possible: RefCell::default(), verdicts: RefCell::default() }
    }

    /// What is chosen, or why nothing can be.
    pub fn solve(&self, request: &Request) -> Result<Rc<Pins>, Proof> {
        let (request, origins) = without_places(request);
        let question = question(&request);
        let known = self.answers.borrow().get(&question).cloned();
        let answer = known.unwrap_or_else(|| {
            let answer = match solve::solve(&request, self.db) {
                Ok(resolution) => {
                    let full =
                        |pin: &solve::Pin<'_>| Some((pin.name.to_owned(), pin.release.build_version(pin.build)?));
                    Answer::Met(Rc::new(resolution.pins.iter().filter_map(full).collect()))
                }
                Err(proof) => Answer::Refused(Rc::new(*proof)),
            };
            self.answers.borrow_mut().insert(question, answer.clone());
            answer
        });
        match answer {
            Answer::Met(pins) => Ok(pins),
            Answer::Refused(proof) => Err(with_places(&proof, &origins)),
        }
    }

    /// What the releases of a package are to an installer, in their order.
    pub fn verdicts(&self, offer: Offer, judge: impl FnOnce() -> Vec<Verdict>) -> Rc<Vec<Verdict>> {
        if let Some(known) = self.verdicts.borrow().get(&offer) {
            return Rc::clone(known);
        }
        let found = Rc::new(judge());
        self.verdicts.borrow_mut().insert(offer, Rc::clone(&found));
        found
    }

    /// Whether there is a solution, without saying which or why not.
    pub fn is_possible(&self, request: &Request) -> bool {
        let (request, _) = without_places(request);
        let question = question(&request);
        if let Some(answer) = self.answers.borrow().get(&question) {
            return matches!(answer, Answer::Met(_));
        }
        if let Some(known) = self.possible.borrow().get(&question) {
            return *known;
        }
        let possible = solve::is_possible(&request, self.db);
        self.possible.borrow_mut().insert(question, possible);
        possible
    }
}

/// The same request in a fixed order, with numbers in the place of lines; and the lines by number.
fn without_places(request: &Request) -> (Request, Vec<String>) {
    let mut request = request.clone();
    if request.beside.is_empty() {
        request.target.name = None;
    }
    let mut origins = Vec::new();
    let mut number = |origin: &mut String| {
        let mark = format!("{MARK}{}{MARK}", origins.len());
        origins.push(std::mem::replace(origin, mark));
    };
    for all in [&mut request.requirements, &mut request.constraints] {
        all.sort_by_cached_key(|asked| (asked.requirement.to_string(), asked.origin.clone()));
        all.iter_mut().for_each(|asked| number(&mut asked.origin));
    }
    request.from_index.sort_by(|one, other| (&one.package, &one.index).cmp(&(&other.package, &other.index)));
    request.from_index.iter_mut().for_each(|from| number(&mut from.origin));
    (request, origins)
}

fn with_places(proof: &Proof, origins: &[String]) -> Proof {
    let mut proof = proof.clone();
    for step in &mut proof.steps {
        // Between two marks stands the number.
        let mut text = String::new();
        for (at, part) in step.text.split(MARK).enumerate() {
            let origin = (at % 2 == 1).then(|| part.parse::<usize>().ok().and_then(|number| origins.get(number)));
            text.push_str(origin.flatten().map_or(part, String::as_str));
        }
        step.text = text;
    }
    proof
}

/// What is asked, apart from where it stands.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Question {
    targets: Vec<Target>,
    requirements: Vec<String>,
    constraints: Vec<String>,
    from_index: Vec<(Option<String>, String)>,
}

fn question(request: &Request) -> Question {
    let lines = |all: &[AskedRequirement]| all.iter().map(|asked| asked.requirement.to_string()).collect();
    Question {
        targets: [&request.target].into_iter().chain(&request.beside).cloned().collect(),
        requirements: lines(&request.requirements),
        constraints: lines(&request.constraints),
        from_index: request.from_index.iter().map(|from| (from.package.clone(), from.index.clone())).collect(),
    }
}

/// What a release is to an installer on a target.
#[derive(Clone)]
pub enum Verdict {
    /// It is not offered: another index, Python, platform.
    NotOffered,
    Works,
    /// Why not, of the build that it would take.
    Fails(String),
    /// Not beside these, and why.
    Clashes(String, String),
}

/// Constraints alone are judged as if all that they name were installed.
pub fn whole(request: Request) -> Request {
    if !request.requirements.is_empty() {
        return request;
    }
    Request { requirements: request.constraints.clone(), constraints: Vec::new(), ..request }
}
