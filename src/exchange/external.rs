//! Values that an ONNX file keeps in another one, as PyTorch's exporter does by default: read from that file, which must
//! lie beside it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::proto::{EXTERNAL, Entry, Graph, Tensor};

/// Puts the values of every such tensor into it. All together they are no longer than their file, so that a small file
/// cannot ask for more than it holds. Gives the number of bytes.
pub fn read(graph: &mut Graph, path: &Path) -> Result<usize, String> {
    let (mut files, mut bytes) = (HashMap::new(), 0);
    for tensor in graph.initializer.iter_mut().filter(|tensor| tensor.data_location == EXTERNAL) {
        let name = tensor.name.clone();
        read_tensor(tensor, path, &mut files).map_err(|problem| format!("the values of `{name}`: {problem}"))?;
        bytes += tensor.raw_data.len();
    }
    Ok(bytes)
}

fn read_tensor(tensor: &mut Tensor, path: &Path, files: &mut HashMap<String, (File, u64)>) -> Result<(), String> {
    let entry = |key| tensor.external_data.iter().find(|entry| entry.key == key).map(|Entry { value, .. }| value);
    let number = |key| match entry(key) {
        Some(value) => value.parse().map(Some).map_err(|_| format!("their {key} is `{value}`: expected a number")),
        None => Ok(None),
    };
    let name = entry("location").ok_or("they have no location")?;
    // Not `..`, a folder or a drive: a file must not make us read whatever it likes.
    let is_beside = Path::new(name).file_name().is_some_and(|file| file == name.as_str());
    if !is_beside || name.contains(['/', '\\', ':']) {
        return Err(format!("they are in `{name}`: expected a file in the same folder"));
    }
    let beside = path.with_file_name(name);
    let refused = |error: std::io::Error| format!("cannot read {}: {error}", beside.display());
    let (offset, length): (Option<u64>, Option<u64>) = (number("offset")?, number("length")?);
    if !files.contains_key(name) {
        let file = File::open(&beside).map_err(refused)?;
        let size = file.metadata().map_err(refused)?.len();
        files.insert(name.clone(), (file, size));
    }
    let Some((file, left)) = files.get_mut(name) else { return Ok(()) };
    let offset = offset.unwrap_or(0);
    let length = length.unwrap_or(left.saturating_sub(offset));
    let Some(rest) = left.checked_sub(length) else {
        return Err(format!("they are {length} bytes, of which {} has {left} left", beside.display()));
    };
    *left = rest;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset)).map_err(refused)?;
    file.take(length).read_to_end(&mut bytes).map_err(refused)?;
    tensor.raw_data = bytes;
    Ok(())
}
