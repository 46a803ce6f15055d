//! Work spread over the cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A thread more than this brings nothing: what is read lies in the page cache.
const MAX_THREADS: usize = 8;

/// Applies a function to all items, on as many threads as there are cores, and keeps their order.
///
/// `grain` is how many items are worth a thread.
pub fn in_parallel<'a, T: Sync, U: Send>(items: &'a [T], grain: usize, work: impl Fn(&'a T) -> U + Sync) -> Vec<U> {
    let cores = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let threads = cores.min(items.len() / grain.max(1)).max(1);
    let next = AtomicUsize::new(0);
    // Items differ in size, so each thread takes the next one when it is free.
    let share = || {
        let take = || {
            let at = next.fetch_add(1, Ordering::Relaxed);
            items.get(at).map(|item| (at, item))
        };
        std::iter::from_fn(take).map(|(at, item)| (at, work(item))).collect::<Vec<_>>()
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(share)).collect();
        let mut done = share();
        for other in others {
            match other.join() {
                Ok(part) => done.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
