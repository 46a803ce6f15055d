//! Fat binaries: a file read by jumping and the same file as a stream say the same.

#![no_main]

use gpudoc::objects::elf::{ElfError, layout};
use gpudoc::objects::fatbin::{Container, Home, StreamWalker, Streamed, read, read_everywhere};
use libfuzzer_sys::fuzz_target;

/// How often a stream may have to go by.
const PASSES: usize = 3;

/// Leads the bytes past a walker in pieces whose sizes come from the last bytes themselves.
fn stream(data: &[u8], mut walker: StreamWalker) -> Result<Option<Vec<Container>>, ElfError> {
    let sizes = data.get(data.len().saturating_sub(16)..).unwrap_or_default();
    for _ in 0..PASSES {
        let mut rest = data;
        for (size, turn) in sizes.iter().cycle().zip((0_u8..=255).cycle()) {
            // Most files end with zeros, and a stream of single bytes takes long.
            let size = usize::from(size ^ turn.wrapping_mul(37));
            let Some((chunk, after)) = rest.split_at_checked(1 + size * 5) else { break };
            walker.feed(chunk);
            rest = after;
        }
        walker.feed(rest);
        match walker.finish()? {
            Streamed::Library(_, containers) => return Ok(Some(containers)),
            Streamed::Again(again) => walker = *again,
        }
    }
    Ok(None)
}

fn compare(jumped: &Result<Vec<Container>, ElfError>, streamed: Result<Option<Vec<Container>>, ElfError>) {
    match (jumped, streamed) {
        (Ok(jumped), Ok(Some(streamed))) => assert_eq!(*jumped, streamed),
        (Ok(_), Ok(None)) => panic!("the stream asks for more than {PASSES} passes"),
        (Ok(_), Err(error)) => panic!("only the stream fails: {error}"),
        (Err(error), Ok(_)) => panic!("only the file fails: {error}"),
        (Err(_), Err(_)) => {}
    }
}

fuzz_target!(|data: &[u8]| {
    let size = data.len() as u64;
    let known = read(data);
    compare(&known, stream(data, StreamWalker::new(size)));
    let everywhere = layout(data).and_then(|layout| read_everywhere(data, &layout));
    compare(&everywhere, stream(data, StreamWalker::everywhere(size)));
    if let (Ok(known), Ok(everywhere)) = (known, everywhere) {
        let rest = everywhere.into_iter().filter(|container| container.home != Home::Elsewhere);
        assert!(known.into_iter().eq(rest), "the other sections change what the two known ones hold");
    }
});
