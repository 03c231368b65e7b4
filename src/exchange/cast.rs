//! Cast: what a change of the data type does to values. Numbers stay numbers here, in f32: from whole ones, between
//! float and double, and where a graph computes in half precision, in place of which f32 is nearer to what it stands for.
//! What changes values on purpose (cutting off fractions, rounding to 16 bits and back) is refused.

use super::call::Call;
use super::chain::{Chain, Value, constant};
use super::proto::{self, BOOL, DOUBLE, FLOAT, INT32, INT64, is_half, name_of};
use super::rows::Rows;
use half::{bf16, f16};

/// The value of a node Cast or CastLike.
pub fn cast(chain: &mut Chain, call: &Call<'_>) -> Result<Value, String> {
    let to = match call.node.op_type.as_str() {
        "CastLike" => match call.input(1) {
            Some(Value::Rows(rows)) => rows.element,
            Some(Value::Constant(tensor)) => tensor.element,
            _ => return Err("has an input 1 that is neither an activation of the network nor a constant".into()),
        },
        _ => call.whole("to", FLOAT.into()) as i32,
    };
    match call.input(0) {
        Some(Value::Rows(rows)) => rows.clone().cast(to, call).map(Value::Rows),
        Some(Value::Constant(tensor)) => {
            chain.bases.spend(tensor.values.len())?;
            if tensor.element == proto::STRING {
                return Err(call.foreign());
            }
            Ok(constant(tensor.map(to, change(to).ok_or_else(|| call.foreign())?)))
        }
        _ => call.pass(),
    }
}

/// What the cast to a data type does to a number.
fn change(to: i32) -> Option<fn(f64) -> f64> {
    Some(match to {
        FLOAT | DOUBLE => |value| value,
        proto::FLOAT16 => |value| f16::from_f64(value).to_f64(),
        proto::BFLOAT16 => |value| bf16::from_f64(value).to_f64(),
        INT32 | INT64 => f64::trunc,
        BOOL => |value| f64::from(u8::from(value != 0.0)),
        _ => return None,
    })
}

impl Rows {
    fn cast(self, to: i32, call: &Call<'_>) -> Result<Self, String> {
        let from = self.element;
        let is_whole = [INT32, INT64, BOOL].contains(&from);
        match to {
            _ if to == from => Ok(self),
            FLOAT | DOUBLE => match &self.rounded {
                None => Ok(Self { element: to, ..self }),
                Some(node) => {
                    Err(format!("continues with values that node {node} rounds: mlp does not round between layers"))
                }
            },
            _ if is_half(to) => Ok(Self { element: to, rounded: Some(call.label.clone()), ..self }),
            INT32 | INT64 if is_whole => Ok(Self { element: to, ..self }),
            // Of steps, which have whole values anyway.
            _ if change(to).is_some_and(|change| self.function.is_kept_by(change)) => Ok(Self { element: to, ..self }),
            INT32 | INT64 => Err(format!("cuts off fractions (to {}): mlp has no such step", name_of(to))),
            BOOL => Err("makes booleans of numbers: mlp has no such step".into()),
            _ => Err(format!("turns {} into {}: mlp has no such step", name_of(from), name_of(to))),
        }
    }
}
