//! The files of `rules/platform/`, one file here for each: its rows, what must be true of them, and what is asked of them.
//!
//! A new table is `rules/platform/<table>.toml`, a file here by the same name with `impl Table`, and its line in `tables!`. All else
//! follows from it: that the file here is a module, that the table is read, checked, packed and found in [`Tables`].

use serde::{Deserialize, Serialize};

use super::page::Table;

pub mod torch_symbols;

/// Takes the tables: the name of the file and of the module, and the type of what stands in it.
macro_rules! tables {
    ($($file:ident: $table:ty,)*) => {
        $(
            pub mod $file;
            pub use self::$file::*;
        )*

        /// What stands in the files of `platform/`, by their names.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub struct Tables {
            $(
                #[doc = concat!("`rules/platform/", stringify!($file), ".toml`.")]
                pub $file: $table,
            )*
        }

        impl Tables {
            /// The names of the files, without `.toml`.
            pub const FILES: &[&str] = &[$(stringify!($file)),*];

            /// Reads all of them; `read` reads and checks one by its name.
            ///
            /// # Errors
            ///
            /// The first that `read` gives.
            pub fn read<R: ReadTable>(read: &mut R) -> Result<Self, R::Error> {
                Ok(Self { $($file: read.table(stringify!($file))?,)* })
            }
        }
    };
}

tables! {
    cuda: CudaTable,
    cuda_errors: CudaErrorTable,
    cuda_names: CudaNameTable,
    driver: DriverTable,
    environment: EnvironmentTable,
    forward_compat: ForwardCompatTable,
    gpus: GpuTable,
    images: ImageTable,
    indexes: IndexTable,
    machine: MachineTable,
    needs: NeedsTable,
    report_fields: ReportFieldTable,
    screen: ScreenTable,
    workload: WorkloadTable,
    xid: XidTable,
}

/// The one table that is packed by itself: no start needs it.
pub use self::torch_symbols::{BuildHistory, TorchRelease, TorchSymbolTable};

/// Reads one table by its name.
pub trait ReadTable {
    /// Why one could not be read.
    type Error;

    /// Reads and checks `platform/<file>.toml`.
    ///
    /// # Errors
    ///
    /// When it is missing, malformed or inconsistent.
    fn table<T: Table>(&mut self, file: &str) -> Result<T, Self::Error>;
}
