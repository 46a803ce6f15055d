//! Everything that is asked of an ELF file: sections, what the loader reads, symbols.

#![no_main]

use gpudoc::objects::elf::function::returned_at_once;
use gpudoc::objects::elf::lookup::Object;
use gpudoc::objects::elf::{layout, linkage, section_names_range, table_ranges};
use gpudoc::objects::library::{SharedLibrary, is_for_numpy_1, is_python_module, undefined_names};
use gpudoc::objects::pieces::Pieces;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = section_names_range(data);
    let linkage = linkage(data);
    let _ = returned_at_once(data, "answer");
    let Ok(object) = Object::open(data) else { return };
    let (dynamic, undefined) = (object.dynamic(), object.undefined());
    let _ = (object.needed_versions(), object.defined_versions(), undefined_names(&object));
    if let Ok(exports) = object.exports() {
        for name in ["", "PyInit__C", "answer", "_ZN3c105ErrorC2ENS_14SourceLocationESs"] {
            let _ = exports.has(name);
        }
        // Whatever the hash table leads to must stand in the symbol table.
        if let Ok(linkage) = &linkage {
            for name in ["answer", "PyInit_python_module", "_ZN3c104warnERKNS_7WarningE"] {
                assert!(!exports.has(name).unwrap_or(false) || linkage.exported.contains(name), "{name}");
            }
        }
    }
    let _ = is_python_module(&object, "python_module.so");
    let _ = SharedLibrary::read(data, &object);
    let Ok(layout) = layout(data) else { return };
    let _ = is_for_numpy_1(data, &layout);
    // Only the tables of a stream are kept; what they say is the same.
    let mut pieces = Pieces::new(data.len() as u64, table_ranges(&layout), 1 << 20);
    data.chunks(61).for_each(|chunk| pieces.feed(chunk));
    if let Ok(kept) = Object::open(&pieces)
        && let (Ok(kept), Ok(whole)) = (kept.dynamic(), dynamic)
    {
        assert_eq!(kept, whole);
    }
    drop(undefined);
});
