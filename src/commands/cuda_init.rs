use super::print;
use crate::exit::Exit;
use crate::probe::cuda_init;

/// Start CUDA in this process and print its answer; `check --cuda-init` runs this.
///
/// # Errors
///
/// When the answer cannot be written.
pub fn run() -> anyhow::Result<Exit> {
    print(&serde_json::to_string(&cuda_init::start())?)?;
    Ok(Exit::Ok)
}
