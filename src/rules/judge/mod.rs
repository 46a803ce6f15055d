//! What checks and solver both ask of the rules: does this build run on that driver, go with that partner, apply to that environment?

pub mod advisory;
pub mod age;
pub mod artefact;
pub mod companion;
pub mod complete;
pub mod driver;
pub mod fit;
pub mod kernel;
pub mod machine;
pub mod matrix;
pub mod obstacle;
pub mod partner;
pub mod requirement;
pub mod role;
pub mod symbols;
pub mod symptom;
pub mod target;
pub mod torch_abi;
pub mod workload;
