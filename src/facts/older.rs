//! Snapshots of pasted reports as gpudoc wrote them up to 0.1, when what only a report tells stood apart in `pasted`.

use serde_json::{Value, json};

/// Moves what stood in `pasted` to where it is a fact like others. A snapshot that has none of it stays as it is.
pub fn moved(snapshot: &mut Value) {
    let Some(pasted) = snapshot.get_mut("pasted").and_then(Value::as_object_mut) else { return };
    // `cuda_available` is a fact also where it is false; the others were left out then.
    let taken: Vec<_> = MOVED.iter().filter_map(|(name, to, fact)| Some((*to, fact(pasted.remove(*name)?)))).collect();
    taken.into_iter().for_each(|(to, value)| put(snapshot, to, value));
}

/// A field of `pasted`, the way to where it is now (nowhere for what nobody asked for), and the fact that is made of it.
type Move = (&'static str, &'static [&'static str], fn(Value) -> Value);

const MOVED: [Move; 14] = [
    ("cuda_available", &["visibility", "available"], told),
    ("docker_without_gpus", &["visibility", "without_gpus"], told),
    ("whole_list", &["whole_list"], told),
    ("nvcc", &["toolchain", "nvcc"], |cuda| told(json!({"path": "nvcc", "cuda": cuda, "newest_gcc": null}))),
    ("named_cuda", &["toolchain", "named"], told),
    ("names_torch", &["spoken_of"], |_| told(json!([super::TORCH]))),
    ("driver_package", &["driver", "package"], told),
    ("no_plain_libcuda", &["loader", "plain_libcuda"], |_| json!({"state": "absent", "looked": "ldconfig -p"})),
    ("narrow_python", &["python", "value", "bits"], |_| told(json!(32))),
    ("plain_install", &["installing", "plain"], |_| told(json!([super::TORCH]))),
    ("unmet", &["installing", "unmet"], |unmet| unmet),
    ("candidates", &["installing", "candidates"], |candidates| candidates),
    ("vendor", &["vendor"], |vendor| match vendor.as_array().map(Vec::as_slice) {
        Some([name, place]) => json!({"state": "known", "value": name, "source": {"report": place}}),
        _ => vendor,
    }),
    ("capabilities", &[], |it| it),
];

fn told(value: Value) -> Value {
    json!({"state": "known", "value": value, "source": {"report": "the report"}})
}

/// Puts a value below a snapshot; where the way there ends in something else than an object, nowhere. (Of a Python of which only
/// the width was known nothing else was kept, and there is no place for it.)
fn put(snapshot: &mut Value, to: &[&str], value: Value) {
    let Some((last, above)) = to.split_last() else { return };
    let mut place = snapshot;
    for name in above {
        let Some(fields) = place.as_object_mut().filter(|fields| *name != "value" || fields.contains_key("value"))
        else {
            return;
        };
        place = fields.entry(*name).or_insert_with(|| json!({}));
    }
    if let Some(fields) = place.as_object_mut() {
        fields.insert((*last).to_owned(), value);
    }
}
