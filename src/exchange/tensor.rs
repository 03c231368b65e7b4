//! Constants of an ONNX graph. In: a tensor as the file has it. Out: its values as f32, or what is wrong with it.

use super::proto;

/// A constant.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub shape: Vec<usize>,
    /// Row-major. Doubles are rounded, whole numbers are those of shapes, axes and exponents.
    pub values: Vec<f32>,
    /// Whether the file has them as f32 or f64.
    pub is_float: bool,
}

impl Tensor {
    pub fn scalar(value: f32) -> Self {
        Self { shape: Vec::new(), values: vec![value], is_float: true }
    }

    pub fn new(tensor: proto::Tensor) -> Result<Self, String> {
        let proto::Tensor { dims, data_type, float_data, int32_data, int64_data, name, raw_data, double_data, .. } =
            tensor;
        let values: Vec<f32> = match data_type {
            proto::FLOAT if raw_data.is_empty() => float_data,
            _ if !raw_data.len().is_multiple_of(if [proto::FLOAT, proto::INT32].contains(&data_type) {
                4
            } else {
                8
            }) =>
            {
                return Err(format!("`{name}` has {} bytes, no whole number of values", raw_data.len()));
            }
            proto::FLOAT => words(&raw_data, f32::from_le_bytes),
            proto::DOUBLE if raw_data.is_empty() => double_data.into_iter().map(|value| value as f32).collect(),
            proto::DOUBLE => words(&raw_data, |word| f64::from_le_bytes(word) as f32),
            proto::INT64 if raw_data.is_empty() => int64_data.into_iter().map(|value| value as f32).collect(),
            proto::INT64 => words(&raw_data, |word| i64::from_le_bytes(word) as f32),
            proto::INT32 if raw_data.is_empty() => int32_data.into_iter().map(|value| value as f32).collect(),
            proto::INT32 => words(&raw_data, |word| i32::from_le_bytes(word) as f32),
            other => return Err(format!("`{name}` has the data type {other}: expected float (1) or double (11)")),
        };
        let shape: Option<Vec<usize>> = dims.iter().map(|&dim| usize::try_from(dim).ok()).collect();
        let count = shape.as_ref().and_then(|shape| shape.iter().try_fold(1, |n: usize, &dim| n.checked_mul(dim)));
        match shape {
            Some(shape) if count == Some(values.len()) => {
                Ok(Self { shape, values, is_float: [proto::FLOAT, proto::DOUBLE].contains(&data_type) })
            }
            _ => Err(format!("`{name}` of the shape {dims:?} has {} values", values.len())),
        }
    }

    /// The only value.
    pub fn single(&self) -> Option<f32> {
        if let [value] = self.values[..] { Some(value) } else { None }
    }

    /// The number of values, where all lie along the last dimension.
    pub fn row(&self) -> Option<usize> {
        (self.shape.last().is_none_or(|&last| last == self.values.len())).then_some(self.values.len())
    }

    /// The matrix with rows for columns.
    pub fn transposed(&self) -> Option<Self> {
        let &[rows, columns] = &self.shape[..] else { return None };
        let values = crate::model::transpose(&self.values, rows, columns);
        Some(Self { shape: vec![columns, rows], values, ..*self })
    }
}

/// Little-endian words.
fn words<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&word| value(word)).collect()
}
