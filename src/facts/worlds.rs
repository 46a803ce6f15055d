//! The cases that facts in part leave open: each as facts in which nothing is in part.

use super::{Facts, Part, Reading};

/// One case: facts without parts, and which member stands for what was said in each.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// What would be observed.
    pub facts: Facts,
    /// The text of each member that was put in, and the words that it stands for, e.g. (`torch 2.5.1+cu124`, `torch 2.5+cu124`).
    pub stands_for: Vec<(String, String)>,
}

/// More cases are not gone through: what has so many open is not known well enough.
pub const MOST: usize = 24;

impl Facts {
    /// What is known in part, as it was said, with its name: `driver 535`, `torch 2.5`.
    #[must_use]
    pub fn in_part(&self) -> Vec<String> {
        let mut found = Vec::new();
        found.extend(self.driver.version.part().map(|part| format!("driver {}", part.said())));
        for gpu in self.gpus.value().into_iter().flatten() {
            found.extend(gpu.compute_capability.part().map(|part| part.said().to_owned()));
        }
        for distribution in &self.distributions {
            let part = distribution.build.version.part().or(distribution.version.part());
            found.extend(part.map(|part| format!("{} {}", distribution.name, part.said())));
        }
        found
    }

    /// Every case that is open. None where nothing is known in part, so that these facts are the one case; nor where there are more
    /// than [`MOST`]: what is in part is not known at all then, as these facts have it.
    #[must_use]
    pub fn worlds(&self) -> Vec<World> {
        if self.in_part().is_empty() || self.combinations() > MOST {
            return Vec::new();
        }
        let mut worlds = vec![World { facts: self.clone(), stands_for: Vec::new() }];
        worlds = split(worlds, |facts| Some(&mut facts.driver.version));
        for at in 0..self.gpus.value().map_or(0, Vec::len) {
            worlds = split(worlds, |facts| match &mut facts.gpus {
                Reading::Known { value, .. } => value.get_mut(at).map(|gpu| &mut gpu.compute_capability),
                _ => None,
            });
        }
        for at in 0..self.distributions.len() {
            worlds = worlds.into_iter().flat_map(|world| of_distribution(world, at)).collect();
        }
        worlds
    }

    /// How many cases there are, counted before any is made: a report may name a hundred GPUs in part.
    fn combinations(&self) -> usize {
        let gpus = self.gpus.value().into_iter().flatten().map(|gpu| members(&gpu.compute_capability));
        let distributions = self.distributions.iter();
        let distributions = distributions.map(|own| members(&own.version).max(members(&own.build.version)));
        let all = gpus.chain(distributions).chain([members(&self.driver.version)]);
        all.fold(1, usize::saturating_mul)
    }
}

/// What a fact may be: one thing, where it is not known in part.
fn members<T>(fact: &Reading<T>) -> usize {
    fact.part().map_or(1, |part| part.among().len())
}

/// A world for each member of a fact.
fn split<T: Clone + ToString>(worlds: Vec<World>, fact: impl Fn(&mut Facts) -> Option<&mut Reading<T>>) -> Vec<World> {
    let cases = |mut world: World| {
        let Some(Reading::Partly { part, source }) = fact(&mut world.facts).cloned() else { return vec![world] };
        let case = |member: &T| {
            let mut own = world.clone();
            if let Some(reading) = fact(&mut own.facts) {
                *reading = Reading::Known { value: member.clone(), source: source.clone() };
            }
            own.stands_for.push((member.to_string(), part.said().to_owned()));
            own
        };
        part.among().iter().map(case).collect()
    };
    worlds.into_iter().flat_map(cases).collect()
}

/// The release and its build are one fact in two places: the members of both go together.
fn of_distribution(world: World, at: usize) -> Vec<World> {
    let Some(distribution) = world.facts.distributions.get(at) else { return vec![world] };
    let (version, build) = (distribution.version.part().cloned(), distribution.build.version.part().cloned());
    let number = [&version, &build].into_iter().flatten().map(|part| part.among().len()).max();
    let Some(number) = number else { return vec![world] };
    let case = |which: usize| {
        let mut own = world.clone();
        if let Some(distribution) = own.facts.distributions.get_mut(at) {
            let name = distribution.name.clone();
            let put = |reading: &mut Reading<String>, part: &Option<Part<String>>, stands_for: &mut Vec<_>| {
                let member = part.as_ref().and_then(|part| Some((part.among().get(which)?.clone(), part.said())));
                if let (Some((member, said)), Some(source)) = (member, reading.source().cloned()) {
                    stands_for.push((format!("{name} {member}"), format!("{name} {said}")));
                    *reading = Reading::Known { value: member, source };
                }
            };
            // The longer text first: `2.5.1+cu124` holds `2.5.1`.
            put(&mut distribution.build.version, &build, &mut own.stands_for);
            put(&mut distribution.version, &version, &mut own.stands_for);
        }
        own
    };
    (0..number).map(case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Distribution, Gpu, Origin, Source};
    use proptest::prelude::*;

    fn partly<T: PartialEq>(said: &str, among: impl IntoIterator<Item = T>) -> Reading<T> {
        let part = Part::new(said, among).expect("a member");
        Reading::Partly { part, source: Source::Report("line 1".to_owned()) }
    }

    fn facts(drivers: usize, capabilities: usize, releases: usize) -> Facts {
        let mut facts = Facts::unknown(Origin::Report);
        if drivers > 0 {
            let among = (0..drivers).map(|at| format!("535.{at}").parse().expect("a driver"));
            facts.driver.version = partly("535", among);
        }
        let mut gpu = Gpu::default();
        if capabilities > 0 {
            let among = (0..capabilities).map(|at| format!("7.{at}").parse().expect("a compute capability"));
            gpu.compute_capability = partly("7.x", among);
        }
        facts.gpus = Reading::told(vec![gpu], "line 1");
        let mut torch = Distribution { name: "torch".to_owned(), ..Distribution::default() };
        if releases > 0 {
            torch.version = partly("2.5", (0..releases).map(|at| format!("2.5.{at}")));
            torch.build.version = partly("2.5+cu124", (0..releases).map(|at| format!("2.5.{at}+cu124")));
        }
        facts.distributions = vec![torch];
        facts
    }

    #[test]
    fn a_release_and_its_build_go_together() {
        let worlds = facts(0, 0, 2).worlds();
        let told = |world: &World| world.facts.distributions[0].full_version().to_owned();
        assert_eq!(worlds.iter().map(told).collect::<Vec<_>>(), ["2.5.0+cu124", "2.5.1+cu124"]);
        assert_eq!(worlds[1].stands_for[0], ("torch 2.5.1+cu124".to_owned(), "torch 2.5+cu124".to_owned()));
        assert_eq!(facts(2, 0, 1).in_part(), ["driver 535", "torch 2.5+cu124"]);
    }

    proptest! {
        /// There are as many cases as the members have combinations, no two alike, and nothing is in part in any.
        #[test]
        fn every_case_is_there_once(drivers in 0..3_usize, capabilities in 0..4_usize, releases in 0..3_usize) {
            let facts = facts(drivers, capabilities, releases);
            let worlds = facts.worlds();
            let expected = match drivers + capabilities + releases {
                0 => 0,
                _ => drivers.max(1) * capabilities.max(1) * releases.max(1),
            };
            prop_assert_eq!(worlds.len(), expected);
            for (at, world) in worlds.iter().enumerate() {
                prop_assert!(world.facts.in_part().is_empty());
                prop_assert!(worlds.iter().skip(at + 1).all(|other| other.facts != world.facts));
            }
        }

        #[test]
        fn too_many_cases_are_none(drivers in 5..8_usize, capabilities in 5..8_usize) {
            let facts = facts(drivers, capabilities, 0);
            prop_assert_eq!(facts.worlds(), []);
            prop_assert_eq!(facts.driver.version.value(), None);
        }

        /// Neither time nor memory is spent on cases that are too many: up to 4 to the power of 100 here.
        #[test]
        fn a_hundred_facts_in_part_are_counted_and_not_made(capabilities in 2..5_usize) {
            let mut facts = facts(2, capabilities, 2);
            let gpu = facts.gpus.value().and_then(|gpus| gpus.first().cloned()).expect("one");
            facts.gpus = Reading::told(vec![gpu; 100], "line 1");
            prop_assert_eq!(facts.worlds(), []);
        }
    }
}
