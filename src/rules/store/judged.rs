//! What was found to keep builds from a target, by build.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::rules::judge::obstacle::Obstacle;
use crate::rules::judge::target::Target;

/// A build by the place of its release in its package and its place in the release, from 0.
pub type Place = (u32, u32);

/// What is known of the builds of one package.
type Answers = HashMap<Place, Arc<[Obstacle]>>;

/// The builds that were judged for one target.
#[derive(Debug)]
pub struct Judged {
    pub(super) target: Target,
    /// By package.
    answers: Mutex<HashMap<String, Answers>>,
}

impl Judged {
    /// Nothing yet.
    #[must_use]
    pub fn new(target: &Target) -> Self {
        Self { target: target.clone(), answers: Mutex::default() }
    }

    /// What was found of a build, or is found now.
    pub(super) fn get_or_put(
        &self,
        package: &str,
        place: Place,
        find: impl FnOnce() -> Option<Vec<Obstacle>>,
    ) -> Arc<[Obstacle]> {
        let known = |answers: &HashMap<String, Answers>| answers.get(package)?.get(&place).cloned();
        if let Some(known) = self.answers.lock().ok().and_then(|answers| known(&answers)) {
            return known;
        }
        let found: Arc<[Obstacle]> = find().unwrap_or_default().into();
        if let Ok(mut answers) = self.answers.lock() {
            answers.entry(package.to_owned()).or_default().insert(place, Arc::clone(&found));
        }
        found
    }
}
