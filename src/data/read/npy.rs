//! numpy's files of one array, `.npy`: a magic word and a version, a Python dictionary that says type, order and shape, then
//! the values. In: bytes. Out: its [`Layout`], an [`Array`], and a table of it. Source: numpy.org/doc/stable/reference/generated/numpy.lib.format.html.

use std::io::Read;

use crate::data::read::array::{Array, Field, Kind, Layout};
use crate::data::read::bytes::read_most;
use crate::data::read::input::{FileFault, Input, Kinds, read_values};
use crate::data::read::npy_literal::Literal;
use crate::data::table::Table;
use crate::error::{Result, shorten};

/// The array's name, which its file does not have.
const NAME: &str = "x";

/// The table of an array: `x0`, `x1`, … of numbers or texts; of records, a column for each field.
pub(in crate::data) fn table(mut input: Input<'_>, kinds: Kinds<'_>) -> Result<Table> {
    let array = array(&mut input.bytes).map_err(|fault| input.error("", fault))?;
    let names = array.layout.names(NAME).map_err(|problem| input.malformed(problem))?;
    let how = input.kinds(&names, kinds)?;
    input.table(array.columns(&names, &how).map_err(|problem| input.malformed(problem))?, &how)
}

/// The array of a file. Whatever its header says, it takes memory only for values that are there.
pub(in crate::data) fn array(reader: &mut dyn Read) -> Result<Array, FileFault> {
    let layout = layout(reader)?;
    let bytes = read_values(reader, &layout.shape, layout.size)?;
    Ok(Array { layout, bytes })
}

/// What a file's header says; the values come next.
pub(in crate::data) fn layout(reader: &mut dyn Read) -> Result<Layout, FileFault> {
    let start = read_most(reader, 8)?;
    let (version, length) = match start[..] {
        [b'\x93', b'N', b'U', b'M', b'P', b'Y', 1, _] => (1, read_most(reader, 2)?),
        [b'\x93', b'N', b'U', b'M', b'P', b'Y', version @ (2 | 3), _] => (version, read_most(reader, 4)?),
        _ => return Err("it does not begin like a numpy array".to_string().into()),
    };
    let length = length.iter().rev().fold(0, |length, &byte| length << 8 | u64::from(byte));
    let header = read_most(reader, length)?;
    let text = match version {
        3 => String::from_utf8(header).map_err(|_| "its header is not text".to_string())?,
        _ => header.into_iter().map(char::from).collect(), // Latin-1
    };
    let header = Literal::parse(&text).ok_or_else(|| "its header is not a Python dictionary".to_string())?;
    let Literal::Dict(entries) = header else {
        return Err("its header is not a dictionary".to_string().into());
    };
    let entry = |name: &str| {
        let found = entries.iter().find(|(key, _)| *key == Literal::Text(name.into()));
        found.map(|(_, value)| value).ok_or_else(|| format!("its header has no `{name}`"))
    };
    let (fields, size) = fields(entry("descr")?)?;
    let Literal::Bool(fortran) = *entry("fortran_order")? else {
        return Err("its order is neither C's nor Fortran's".to_string().into());
    };
    let shape = match entry("shape")? {
        Literal::List(sizes) => sizes.iter().map(Literal::whole).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    let shape = shape.ok_or_else(|| "its shape is not a list of whole numbers".to_string())?;
    Ok(Layout { shape, fortran, fields, size })
}

/// What an item consists of, and its bytes.
fn fields(descr: &Literal) -> Result<(Vec<Field>, usize), String> {
    let entries = match descr {
        Literal::Text(kind) => {
            let (kind, size) = kind_and_size(kind)?;
            return Ok((vec![Field { name: None, kind, offset: 0 }], size));
        }
        Literal::List(entries) => entries,
        _ => return Err("its type is neither a word nor a list of fields".into()),
    };
    let (mut fields, mut size) = (Vec::new(), 0_usize);
    for entry in entries {
        let (name, kind) = match entry {
            Literal::List(pair) => match &pair[..] {
                [Literal::Text(name), Literal::Text(kind)] => (name, kind),
                [Literal::Text(name), ..] => {
                    return Err(format!("its field `{}` has more than one value for each row", shorten(name)));
                }
                _ => return Err("a field has no name".into()),
            },
            _ => return Err("a field is not a pair of a name and a type".into()),
        };
        let bytes = match kind.strip_prefix("|V") {
            // What fills up to where the next field begins.
            Some(bytes) if name.is_empty() => {
                bytes.parse().map_err(|_| format!("its type `{}` is unknown", shorten(kind)))?
            }
            _ => {
                let kind = kind_and_size(kind).map_err(|problem| format!("field `{}`: {problem}", shorten(name)));
                let (kind, bytes) = kind?;
                fields.push(Field { name: Some(name.clone()), kind, offset: size });
                bytes
            }
        };
        size = size.checked_add(bytes).ok_or("its items are larger than a file can be")?;
    }
    Ok((fields, size))
}

/// A type, or why it is not read, and the bytes of its values; an error where these are not known either.
fn kind_and_size(text: &str) -> Result<(Result<Kind, String>, usize), String> {
    match (Kind::parse(text), Kind::size_of(text)) {
        (Ok(kind), _) => Ok((Ok(kind), kind.size)),
        (Err(problem), Some(size)) => Ok((Err(problem), size)),
        (Err(problem), None) => Err(problem),
    }
}
