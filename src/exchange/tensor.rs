//! Constants of an ONNX graph. In: a tensor as the file has it. Out: its values, or what is wrong with it.

use half::{bf16, f16};

use super::proto;

/// A constant.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    /// Row-major. Whole numbers are those of shapes, axes and exponents; there are none of texts.
    pub values: Vec<f32>,
    /// The values before they were rounded, of doubles alone.
    exact: Vec<f64>,
    /// The values of texts.
    pub texts: Vec<String>,
    /// The file's data type, as in [`proto`].
    pub element: i32,
}

impl Tensor {
    pub fn scalar(value: f32) -> Self {
        Self::list(vec![value], proto::FLOAT, Vec::new())
    }

    /// Values of a data type and a shape.
    pub fn list(values: Vec<f32>, element: i32, shape: Vec<usize>) -> Self {
        Self { name: String::new(), shape, values, exact: Vec::new(), texts: Vec::new(), element }
    }

    pub fn new(tensor: proto::Tensor) -> Result<Self, String> {
        let proto::Tensor {
            dims,
            data_type,
            float_data,
            int32_data,
            int64_data,
            name,
            raw_data,
            double_data,
            string_data,
            ..
        } = tensor;
        let bytes = match data_type {
            proto::FLOAT | proto::INT32 => 4,
            proto::DOUBLE | proto::INT64 => 8,
            proto::FLOAT16 | proto::BFLOAT16 => 2,
            proto::STRING => 1,
            other => {
                return Err(format!(
                    "`{name}` has the data type {other}: expected float (1), double (11), float16 (10) or bfloat16 (16)"
                ));
            }
        };
        if !raw_data.len().is_multiple_of(bytes) {
            return Err(format!("`{name}` has {} bytes, which is not a whole number of values", raw_data.len()));
        }
        let is_raw = !raw_data.is_empty();
        let (mut exact, mut texts) = (Vec::new(), Vec::new());
        // Halves of two bytes stand in the low ones of int32_data.
        let halves = |value: fn(u16) -> f32| -> Vec<f32> {
            match is_raw {
                true => words(&raw_data, |word| value(u16::from_le_bytes(word))),
                false => int32_data.iter().map(|&bits| value(bits as u16)).collect(),
            }
        };
        let values: Vec<f32> = match data_type {
            proto::FLOAT if is_raw => words(&raw_data, f32::from_le_bytes),
            proto::FLOAT => float_data,
            proto::FLOAT16 => halves(|bits| f16::from_bits(bits).to_f32()),
            proto::BFLOAT16 => halves(|bits| bf16::from_bits(bits).to_f32()),
            proto::DOUBLE => {
                exact = if is_raw { words(&raw_data, f64::from_le_bytes) } else { double_data };
                exact.iter().map(|&value| value as f32).collect()
            }
            proto::INT64 if is_raw => words(&raw_data, |word| i64::from_le_bytes(word) as f32),
            proto::INT64 => int64_data.into_iter().map(|value| value as f32).collect(),
            proto::INT32 if is_raw => words(&raw_data, |word| i32::from_le_bytes(word) as f32),
            proto::INT32 => int32_data.into_iter().map(|value| value as f32).collect(),
            _ => {
                texts = string_data.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
                Vec::new()
            }
        };
        let shape: Option<Vec<usize>> = dims.iter().map(|&dim| usize::try_from(dim).ok()).collect();
        let count = shape.as_ref().and_then(|shape| shape.iter().try_fold(1, |n: usize, &dim| n.checked_mul(dim)));
        let found = values.len().max(texts.len());
        match shape {
            Some(shape) if count == Some(found) => Ok(Self { name, shape, values, exact, texts, element: data_type }),
            _ => Err(format!("`{name}` of the shape {dims:?} has {found} values")),
        }
    }

    /// Whether it is of numbers with a fraction.
    pub fn is_float(&self) -> bool {
        [proto::FLOAT, proto::DOUBLE].contains(&self.element) || self.is_half()
    }

    /// Whether its numbers have two bytes.
    pub fn is_half(&self) -> bool {
        proto::is_half(self.element)
    }

    /// A value as the file has it.
    pub fn at(&self, at: usize) -> f64 {
        self.exact.get(at).copied().unwrap_or_else(|| self.values[at].into())
    }

    /// The only value.
    pub fn single(&self) -> Option<f64> {
        (self.values.len() == 1).then(|| self.at(0))
    }

    /// The whole numbers of a list of positions.
    pub fn whole(&self) -> impl Iterator<Item = i64> + '_ {
        self.values.iter().map(|&value| value as i64)
    }

    /// A value that is finite in the file and not in f32.
    pub fn beyond_f32(&self) -> Option<f64> {
        self.exact.iter().copied().find(|value| value.is_finite() && !(*value as f32).is_finite())
    }

    /// The number of values, where all lie along the last dimension.
    pub fn row(&self) -> Option<usize> {
        (self.shape.last().is_none_or(|&last| last == self.values.len())).then_some(self.values.len())
    }

    /// The matrix with rows for columns.
    pub fn transposed(&self) -> Option<Self> {
        let &[rows, columns] = &self.shape[..] else { return None };
        let values = crate::model::transpose(&self.values, rows, columns);
        let exact = match self.exact.is_empty() {
            true => Vec::new(),
            false => crate::model::transpose(&self.exact, rows, columns),
        };
        Some(Self { shape: vec![columns, rows], values, exact, ..self.clone_empty() })
    }

    /// The same with each value changed, of another data type.
    pub fn map(&self, element: i32, f: impl Fn(f64) -> f64) -> Self {
        let values = (0..self.values.len()).map(|at| f(self.at(at)) as f32).collect();
        let exact = self.exact.iter().map(|&value| f(value)).collect();
        Self { shape: self.shape.clone(), values, exact, element, ..self.clone_empty() }
    }

    fn clone_empty(&self) -> Self {
        Self { name: self.name.clone(), ..Self::list(Vec::new(), self.element, Vec::new()) }
    }
}

/// Little-endian words.
fn words<const N: usize, T>(bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&word| value(word)).collect()
}
