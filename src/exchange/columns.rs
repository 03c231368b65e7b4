//! Nodes that bring columns together and take some: inputs of one column each, and the columns of a network's
//! probabilities.

use super::arithmetic::functions;
use super::call::Call;
use super::chain::{Chain, Classes, Value};
use super::proto::{self, Attribute};
use super::rows::{Ending, Rows};

/// The graph's columns beside each other, or [1 − p, p] of the only column of a network: p itself, of two classes.
pub fn concat(chain: &mut Chain, call: &Call<'_>) -> Result<Value, String> {
    let all: Option<Vec<Rows>> = call
        .inputs
        .iter()
        .map(|value| match value {
            Some(Value::Rows(rows)) => Some(rows.clone()),
            _ => None,
        })
        .collect();
    let axis = call.whole("axis", 1);
    match all {
        Some(_) if ![1, -1].contains(&axis) => Err(format!("with the axis {axis} does not join columns")),
        Some(all) if all.first().is_some_and(|first| first.base == 0) => {
            let joined = Rows::join(&mut chain.bases, all)?;
            let is_vector = call.node.op_type == "FeatureVectorizer";
            Ok(Value::Rows(if is_vector { Rows { element: proto::FLOAT, ..joined } } else { joined }))
        }
        _ => pair(chain, call),
    }
}

fn pair(chain: &Chain, call: &Call<'_>) -> Result<Value, String> {
    let (first, functions) = functions(call)?;
    match &functions[..] {
        [no, yes] if chain.bases.width(first.base) == Some(1) && no.clone().zip(yes.clone(), |a, b| a + b).is(1.0) => {
            Ok(Value::Rows(Rows { function: yes.clone(), ending: Some(Ending::Pair), ..first }))
        }
        _ => Err("joins other columns than 1 − p and p".into()),
    }
}

/// Columns from a start to an end.
pub fn slice(chain: &mut Chain, call: &Call<'_>) -> Result<Value, String> {
    let rows = call.rows(0)?;
    // Attributes before opset 10, inputs since.
    let list = |at, name| -> Result<Option<Vec<i64>>, String> {
        match call.input(at) {
            Some(_) => Ok(Some(call.tensor(at)?.whole().collect())),
            None => Ok(call.attribute(name).map(|Attribute { ints, .. }| ints.clone())),
        }
    };
    let steps = call.input(4).map(|_| call.tensor(4)).transpose()?;
    let is_each = steps.is_none_or(|steps| steps.single() == Some(1.0));
    let width =
        rows.width(&chain.bases).ok_or("takes some columns of an input without a known number of columns")? as i64;
    let clamp = |at: i64| (if at < 0 { at.saturating_add(width) } else { at }).clamp(0, width);
    match (list(1, "starts")?.as_deref(), list(2, "ends")?.as_deref(), list(3, "axes")?.as_deref()) {
        (Some(&[start]), Some(&[end]), Some([1 | -1])) if is_each => {
            let (start, end) = (clamp(start), clamp(end));
            chain.bases.spend(end.saturating_sub(start).max(0) as usize)?;
            Ok(Value::Rows(rows.select(&mut chain.bases, &(start..end).collect::<Vec<_>>())?))
        }
        _ => Err("takes something else than a range of columns".into()),
    }
}

/// Columns by their positions.
pub fn gather(chain: &mut Chain, call: &Call<'_>) -> Result<Value, String> {
    let (rows, positions) = (call.rows(0)?, call.tensor(1)?);
    match call.whole("axis", 0) {
        1 | -1 => Ok(Value::Rows(rows.select(&mut chain.bases, &positions.whole().collect::<Vec<_>>())?)),
        axis => Err(format!("selects along the axis {axis}: expected columns, the axis 1")),
    }
}

/// The same, or the label of a class by its number.
pub fn extract(chain: &mut Chain, call: &Call<'_>) -> Result<Value, String> {
    if let (Some(Value::Constant(labels)), Some(Value::Labels)) = (call.input(0), call.input(1)) {
        let are_texts = labels.element == proto::STRING;
        let numbers = labels.whole().map(|label| label.to_string());
        let labels = if are_texts { labels.texts.clone() } else { numbers.collect() };
        chain.name_classes(Classes { labels, are_texts });
        return Ok(Value::Labels);
    }
    let (rows, positions) = (call.rows(0)?, call.tensor(1)?);
    Ok(Value::Rows(rows.select(&mut chain.bases, &positions.whole().collect::<Vec<_>>())?))
}

/// Columns to one output after the other.
pub fn split(chain: &mut Chain, call: &Call<'_>) -> Result<Vec<Value>, String> {
    let rows = call.rows(0)?;
    let axis = call.whole("axis", 0);
    if ![1, -1].contains(&axis) {
        return Err(format!("splits the axis {axis}: expected columns, the axis 1"));
    }
    let width = rows.width(&chain.bases).ok_or("takes some columns of an input without a known number of columns")?;
    let outputs = call.node.output.len();
    let said = match call.input(1) {
        Some(_) => call.tensor(1)?.whole().collect(),
        None => call.attribute("split").map_or(Vec::new(), |Attribute { ints, .. }| ints.clone()),
    };
    let each = width.div_ceil(outputs.max(1)) as i64;
    let mut start = 0_i64;
    let part = |at: usize| {
        let size = said.get(at).copied().unwrap_or(each).clamp(0, width as i64 - start);
        chain.bases.spend(size as usize)?;
        let positions: Vec<i64> = (start..start + size).collect();
        start += size;
        Ok(Value::Rows(rows.clone().select(&mut chain.bases, &positions)?))
    };
    (0..outputs).map(part).collect()
}
