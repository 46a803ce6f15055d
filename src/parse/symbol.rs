//! Names of C++ symbols, as far as it matters whose they are.
//!
//! The mangling is that of the Itanium C++ ABI: `_ZN` opens a nested name, `3c10` is its first part.

/// The namespaces of libtorch and libc10, length first as in a mangled name.
const NAMESPACES: [&str; 4] = ["3c10", "2at", "5torch", "6caffe2"];
/// What the C functions of libtorch begin with: `torch/csrc/inductor/aoti_torch/c/shim.h`.
const C_FUNCTIONS: [&str; 2] = ["aoti_torch_", "torch_library_"];

/// Whether a symbol is one of torch's: a function or object whose outermost namespace is `c10`, `at`, `torch` or `caffe2`,
/// or a C function of libtorch. A function that merely takes one of their types is not.
#[must_use]
pub fn is_torch_symbol(symbol: &str) -> bool {
    let Some(rest) = symbol.strip_prefix("_Z") else {
        return C_FUNCTIONS.iter().any(|prefix| symbol.starts_with(prefix));
    };
    // Virtual tables and type information of a class (TV, TT, TI, TS), guards of its statics (GV).
    let rest = ["TV", "TT", "TI", "TS", "GV"].iter().find_map(|special| rest.strip_prefix(special)).unwrap_or(rest);
    let Some(name) = rest.strip_prefix('N') else { return false };
    // `const` and reference qualifiers of a member function.
    let name = name.trim_start_matches(['r', 'V', 'K', 'R', 'O']);
    NAMESPACES.iter().any(|namespace| name.starts_with(namespace))
}
