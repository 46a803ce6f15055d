//! Names of C++ symbols, as far as it matters whose they are.
//!
//! The mangling is that of the Itanium C++ ABI: `_ZN` opens a nested name, `3c10` is its first part.

/// The namespaces of libtorch and libc10, length first as in a mangled name.
const NAMESPACES: [&str; 4] = ["3c10", "2at", "5torch", "6caffe2"];
/// What the C functions of libtorch begin with: `torch/csrc/inductor/aoti_torch/c/shim.h`, and since torch 2.10 also
/// `torch/csrc/stable/c/shim.h`. Extensions that keep to these need no C++ symbol of torch, so nothing else tells their torch.
const C_FUNCTIONS: [&str; 2] = ["aoti_torch_", "torch_"];

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

/// Whether a symbol takes or returns a string of the standard library: of the new C++ ABI of libstdc++ (`true`) or the old one.
#[must_use]
pub fn std_string(symbol: &str) -> Option<bool> {
    if !symbol.contains("__cxx11") && !symbol.contains("Ss") {
        return None;
    }
    let name = cpp_demangle::Symbol::new(symbol).ok()?.demangle().ok()?;
    if name.contains("std::__cxx11::") {
        return Some(true);
    }
    // `Ss` may also be a part of a name.
    (name.contains("std::string") || name.contains("std::basic_string<char")).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_whose_namespace_it_is_in() {
        for torchs in [
            "_ZN3c105ErrorC2ENS_14SourceLocationESs",
            "_ZNK3c106SymInt6sym_neERKS0_",
            "_ZN2at4_ops10empty_like4callERKNS_6TensorEN3c108optionalINS5_10ScalarTypeEEE",
            "_ZTVN5torch8autograd12AutogradMetaE",
            "_ZTIN3c105ErrorE",
            "_ZGVN6caffe28TypeMeta6globalE",
        ] {
            assert!(is_torch_symbol(torchs), "{torchs}");
        }
        for others in [
            "_Z15ms_deform_attn_RKN2at6TensorE",
            "_ZN6vision3ops3nmsERKN2at6TensorES4_d",
            "_ZNSt6vectorIN2at6TensorESaIS1_EE9push_backERKS1_",
            "_ZN4c10x4initEv",
            "_ZN3ati4initEv",
            "torchvision_version",
            "pytorch_qnnp_create",
            "cudaMalloc",
            "_Z",
            "",
        ] {
            assert!(!is_torch_symbol(others), "{others}");
        }
    }

    #[test]
    fn strings_tell_the_abi() {
        assert_eq!(std_string("_ZN3c105ErrorC2ENS_14SourceLocationESs"), Some(false));
        let new = "_ZN3c105ErrorC2ENS_14SourceLocationENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";
        assert_eq!(std_string(new), Some(true));
        assert_eq!(std_string("_ZN2at9AccessSss4loadEv"), None, "a name of a class with `Ss` in it");
        assert_eq!(std_string("_ZNK3c106SymInt6sym_neERKS0_"), None);
        assert_eq!(std_string("aoti_torch_Ss"), None);
    }

    #[test]
    fn both_generations_of_its_c_functions_are_torchs() {
        for symbol in ["aoti_torch_get_data_ptr", "torch_library_impl", "torch_from_blob", "torch_call_dispatcher"] {
            assert!(is_torch_symbol(symbol), "{symbol}");
        }
    }
}
