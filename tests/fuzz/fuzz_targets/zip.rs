//! The directory of a zip file.

#![no_main]

use gpudoc::python::zip::{find_directory, local_header_length, read_directory};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = (local_header_length(data), read_directory(data));
    if let Some(directory) = find_directory(data, data.len() as u64) {
        let place = |offset: u64| usize::try_from(offset).expect("inside the file");
        let end = place(directory.offset + directory.size);
        let _ = read_directory(&data[place(directory.offset)..end]);
    }
    // The same bytes as the end of a bigger file.
    let _ = find_directory(data, (data.len() as u64) << 20);
});
