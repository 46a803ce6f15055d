//! Does an extension use functions that the installed torch does not export?

use super::other_torch;
use super::symbols::in_words;
use crate::check::{Context, Installed};
use crate::facts::{Library, TORCH, Unresolved};
use crate::finding::{Evidence, Finding, Severity, rule};
use crate::rules::model::Package;
use crate::text;

rule! {
    /// An extension uses functions that the installed torch does not export.
    ///
    /// Its compiled library was built against another torch: importing it ends in `undefined symbol: _ZN3c10…`. Known
    /// from the undefined symbols of the extension and the exported symbols of torch's libraries, and by the release of
    /// torch that the symbols tell. Install the build for this torch, compile it again, or bring torch to the release
    /// that it was built for.
    pub UNKNOWN_SYMBOLS = "abi/{package}": Abi, Fail, since "0.1.0", judged on [Libraries, Builds];
}

/// Symbols of torch, all libraries of a distribution together.
pub fn finding(context: &Context<'_>, installed: &Installed<'_>, libraries: &[&Library]) -> Option<Finding> {
    let torch = context.stack.get(TORCH)?;
    if installed.name() == TORCH {
        return None;
    }
    let lacking: Vec<&&Library> = libraries.iter().filter(|library| library.unresolved.iter().any(is_torchs)).collect();
    let first = lacking.first()?;
    let mut symbols: Vec<&str> = Vec::new();
    for unresolved in lacking.iter().flat_map(|library| &library.unresolved).filter(|unresolved| is_torchs(unresolved))
    {
        if !symbols.contains(&unresolved.symbol.as_str()) {
            symbols.push(&unresolved.symbol);
        }
    }
    let number = symbols.len();
    let mut message = format!(
        "Its import fails with `undefined symbol: {}`: {} lacks {} that it needs.",
        symbols.first().copied().unwrap_or_default(),
        torch.title(),
        text::count(number, "symbol", "symbols"),
    );
    let needed: Vec<&str> = lacking
        .iter()
        .flat_map(|library| &library.torch_symbols)
        .map(String::as_str)
        .chain(symbols.iter().copied())
        .collect();
    let optional = installed.package.is_some_and(Package::code_is_optional);
    if optional {
        message.push_str(" It does without them.");
    }
    if let Some(reason) = reason(context, torch, &symbols, &needed) {
        message.push(' ');
        message.push_str(&reason);
    }
    let evidence = vec![
        Evidence::binary(first.path.clone(), format!("needs {}", in_words(&symbols)))
            .required(format!("exported by {}", torch.title()))
            .cited(installed.distribution.location.clone()),
    ];
    Some(
        other_torch(&UNKNOWN_SYMBOLS, context, installed, torch)
            .severity(if optional { Severity::Warn } else { Severity::Fail })
            .message(message)
            .evidence(evidence),
    )
}

fn is_torchs(unresolved: &Unresolved) -> bool {
    unresolved.from.is_none()
}

/// What the missing symbols tell of the torch that it was compiled for.
fn reason(context: &Context<'_>, torch: &Installed<'_>, symbols: &[&str], needed: &[&str]) -> Option<String> {
    if torch.cuda() == Some(None) && symbols.iter().any(|symbol| symbol.contains("4cuda")) {
        return Some("They belong to torch's CUDA part, which a CPU build does not have.".to_owned());
    }
    let new_abi = |symbol: &&&str| symbol.contains("__cxx11");
    let torch_is_new = torch.row.and_then(|(_, build)| build.cxx11_abi);
    let by_abi = match torch_is_new {
        Some(false) if symbols.iter().any(|symbol| new_abi(&symbol)) => {
            Some("It was compiled with the new C++ ABI of libstdc++, and this torch with the old one.".to_owned())
        }
        Some(true) if symbols.iter().any(|symbol| !new_abi(&symbol) && symbol.contains("Ss")) => {
            Some("It was compiled with the old C++ ABI of libstdc++, and this torch with the new one.".to_owned())
        }
        _ => None,
    };
    let releases = context.db.torch_releases_with(needed);
    let by_release = match releases.as_slice() {
        [] => None,
        [one] => Some(format!("All that it needs is in torch {one}.")),
        [first, .., last] => Some(format!("All that it needs is in torch {first} to {last}.")),
    };
    let sentences: Vec<_> = by_abi.into_iter().chain(by_release).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::Case;

    #[test]
    fn a_symbol_of_torch_that_nothing_exports() {
        let of = |from: Option<&str>| {
            let symbol = "_ZN3c1021throwNullDataPtrErrorEv".to_owned();
            let unresolved = vec![Unresolved { symbol, from: from.map(str::to_owned) }];
            let library = Library { path: "oldext/_C.so".to_owned(), unresolved, ..Library::default() };
            let torch = Case::host().installed("torch", "2.6.0+cu124");
            torch.files("oldext", "1.0", vec![library]).found(&UNKNOWN_SYMBOLS)
        };
        assert_eq!(of(None), ["abi/oldext: oldext 1.0 was built against a different torch than 2.6.0+cu124"]);
        assert!(of(Some("libcudart.so.12")).is_empty(), "another library's");
    }
}
