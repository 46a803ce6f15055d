//! How are missing symbols named?

use crate::text;

/// How many symbols are named.
const NAMED: usize = 3;

/// What `std::string` is under the new C++ ABI of libstdc++.
const STRING: &str = "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";

/// Names of C++ functions can be pages long.
const MAX_NAME: usize = 200;

/// `c10::SymInt::sym_ne(c10::SymInt const&) const`, the first few, and how many more.
pub fn in_words(symbols: &[&str]) -> String {
    let names: Vec<_> = symbols.iter().take(NAMED).map(|symbol| format!("`{}`", demangled(symbol))).collect();
    match symbols.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{} and {more} more", names.join(", ")),
        _ => text::list(&names),
    }
}

fn demangled(symbol: &str) -> String {
    let options = cpp_demangle::DemangleOptions::new().no_return_type();
    let name = cpp_demangle::Symbol::new(symbol).ok().and_then(|name| name.demangle_with_options(&options).ok());
    let name = name.unwrap_or_else(|| symbol.to_owned()).replace(STRING, "std::__cxx11::string");
    if name.chars().count() <= MAX_NAME { name } else { name.chars().take(MAX_NAME).chain(['…']).collect() }
}
