//! Why builds cannot be used, as steps of a proof.

use std::collections::{BTreeMap, BTreeSet};

use super::super::candidates::Block;
use super::super::conflict::{Leaf, unusable_builds};
use super::super::rule::{BlockKind, Rule};
use super::super::universe::Universe;
use super::super::words;
use super::{Step, Teller};
use crate::rules::obstacle::Obstacle;

fn driver_gap(needs: &crate::version::DriverVersion, driver: &crate::version::DriverVersion) -> String {
    format!("needs driver {needs} or newer, and {driver} is loaded")
}

/// A reason in a few words, for "not newer because".
pub(in crate::solve) fn in_short(universe: &Universe<'_>, block: &Block) -> String {
    match block {
        Block::Obstacle(Obstacle::Driver { gap, .. }) => format!("needs driver {}", gap.needs),
        Block::Obstacle(obstacle) => obstacle.to_string(),
        Block::Withdrawn => "was withdrawn".to_owned(),
        Block::PreRelease => "is not final".to_owned(),
        Block::Refused => "does not work here".to_owned(),
        Block::Unread => "has requirements that are not known".to_owned(),
        Block::Advisory(clause) => format!("is ruled out by {}", universe.clauses[*clause].advisory.id),
    }
}

/// The family of findings that reports the same.
fn name(kind: BlockKind) -> &'static str {
    match kind {
        BlockKind::Platform | BlockKind::Python | BlockKind::Glibc => "python",
        BlockKind::OtherCuda => "asked",
        BlockKind::Cpu => "cpu-build",
        BlockKind::Driver | BlockKind::Ptx => "driver",
        BlockKind::Kernel => "gpu-arch",
        BlockKind::Withdrawn | BlockKind::PreRelease | BlockKind::Refused => "release",
        BlockKind::Unread => "requirement",
        BlockKind::Advisory(_) => "advisory",
    }
}

impl Teller<'_, '_> {
    /// One line per wording of a reason, with all builds that it keeps out.
    pub fn blocked(&self, package: usize, kind: BlockKind) -> Vec<Step> {
        let own = &self.universe.packages[package];
        let mut by_text: BTreeMap<String, (BTreeSet<u32>, Option<String>)> = BTreeMap::new();
        for leaf in &self.conflict.leaves {
            let Leaf::Unusable { node, versions } = leaf else { continue };
            for (other, build) in unusable_builds(self.universe, *node, versions) {
                let blocks = if other == package { self.universe.blocks(package, build) } else { &[] };
                let on = |block: &&Block| self.conflict.rules.contains(&Rule::Block { package, kind: block.kind() });
                // A build that is out for two reasons is listed under the first.
                if let Some(block) = blocks.iter().find(on).filter(|block| block.kind() == kind) {
                    let (text, citation) = self.reason(package, build, block);
                    let entry = by_text.entry(text).or_default();
                    entry.0.insert(build);
                    entry.1 = entry.1.take().or(citation);
                }
            }
        }
        let mut steps = Vec::new();
        for (text, (builds, citation)) in by_text {
            let also = |build: u32| {
                let mut blocks = self.universe.blocks(package, build).iter();
                blocks.any(|block| block.kind() == kind && self.reason(package, build, block).0 == text)
            };
            let subjects = words::builds(own, &builds, also);
            let rule = match kind {
                BlockKind::Advisory(clause) => self.universe.clauses[clause].advisory.id.clone(),
                kind => name(kind).to_owned(),
            };
            let text = format!("{}{} {text}", self.on(package), subjects.join(", and "));
            steps.push(Step { rule, text, packages: vec![own.name.to_owned()], citation });
        }
        steps
    }

    fn reason(&self, package: usize, build: u32, block: &Block) -> (String, Option<String>) {
        let source = || Some(self.universe.packages[package].build(build).build.source.citation());
        match block {
            Block::Obstacle(Obstacle::Driver { gap, driver }) => {
                (driver_gap(&gap.needs, driver), Some(gap.citation.clone()))
            }
            Block::Obstacle(obstacle @ Obstacle::Ptx { gap, .. }) => (obstacle.to_string(), Some(gap.citation.clone())),
            Block::Obstacle(Obstacle::OtherCuda { wanted, .. }) => {
                (format!("is for another CUDA than {wanted}, which is asked for"), source())
            }
            Block::Obstacle(Obstacle::CudaBuild { .. }) => {
                ("is for CUDA, and CPU builds are asked for".to_owned(), source())
            }
            Block::Obstacle(Obstacle::CpuBuild) => ("would leave the GPU unused".to_owned(), source()),
            Block::Obstacle(obstacle) => (obstacle.to_string(), source()),
            Block::Withdrawn => ("was withdrawn from the index".to_owned(), source()),
            Block::PreRelease => ("is not a final release".to_owned(), source()),
            Block::Refused => ("is installed and does not work here".to_owned(), source()),
            Block::Unread => ("states nowhere that was read what it requires".to_owned(), source()),
            Block::Advisory(clause) => {
                let advisory = self.universe.clauses[*clause].advisory;
                let citation = advisory.references.first().map(crate::rules::cite);
                (format!("is ruled out by {}: {}", advisory.id, advisory.title), citation)
            }
        }
    }
}
