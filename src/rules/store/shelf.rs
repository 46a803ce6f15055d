use std::sync::OnceLock;

/// A list that only grows: what is put on it stays where it is, so that references to it live as long as the list.
#[derive(Debug)]
pub struct Shelf<T> {
    first: OnceLock<Box<Place<T>>>,
}

#[derive(Debug)]
struct Place<T> {
    value: T,
    next: OnceLock<Box<Place<T>>>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { first: OnceLock::new() }
    }
}

impl<T> Shelf<T> {
    /// The first that is like something, put there if there is none.
    pub fn get_or_put(&self, is_like: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> &T {
        let mut slot = &self.first;
        let mut made = None;
        let mut make = Some(make);
        loop {
            if let Some(place) = slot.get() {
                if is_like(&place.value) {
                    return &place.value;
                }
                slot = &place.next;
                continue;
            }
            let value = made.take().or_else(|| make.take().map(|make| make()));
            let Some(value) = value else { continue };
            if let Err(lost) = slot.set(Box::new(Place { value, next: OnceLock::new() })) {
                // Another thread was faster: what it put there may be the same.
                made = Some(lost.value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_again() {
        let shelf = Shelf::default();
        let first: &String = shelf.get_or_put(|it| it == "one", || "one".to_owned());
        let second = shelf.get_or_put(|it| it == "two", || "two".to_owned());
        let again = shelf.get_or_put(|it| it == "one", || "another".to_owned());
        assert!(std::ptr::eq(first, again));
        assert_eq!((first.as_str(), second.as_str()), ("one", "two"));
    }
}
