//! What the programs in Rust share, ours among them, as `workload.py` is what those in Python share: the cases of a folder, their
//! arrays, the clock and the line of JSON for each case. A program adds only its own way to work; `run.py` judges the results.

use std::any::Any;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A case of `workload.py`.
#[derive(Clone, Deserialize)]
pub struct Case {
    pub name: String,
    parts: usize,
    #[serde(default)]
    files: String,
    #[serde(flatten)]
    pub work: Work,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum Work {
    Train(Training),
    Multiply(Product),
}

#[derive(Clone, Deserialize)]
pub struct Training {
    pub layers: Vec<usize>,
    /// `binary_cross_entropy` or `softmax_cross_entropy`.
    pub loss: String,
    /// `sgd` or `adam`.
    pub optimizer: String,
    pub learning_rate: f64,
    pub rows: usize,
    pub batch: usize,
    /// Of a part.
    pub epochs: usize,
}

/// [m, k] by [k, n].
#[derive(Clone, Copy, Deserialize)]
pub struct Product {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    /// Of a part.
    pub products: usize,
}

/// A case under way.
pub trait Run {
    /// Works on one part; returns when the device has done it.
    fn part(&mut self) -> Result<()>;
    /// The parameters, for each layer its weight [in, out] and its bias; or the product.
    fn result(&mut self) -> Result<Vec<f32>>;
}

/// A case's arrays: features [rows, inputs], targets [rows] and first parameters; or the two factors and nothing.
pub type Arrays = [Vec<f32>; 3];

/// Reads them; without a folder they are repeatable numbers.
fn arrays(case: &Case, folder: Option<&Path>) -> Result<Arrays> {
    let array = |suffix: &str, len: usize, number: &dyn Fn(usize) -> f32| -> Result<Vec<f32>> {
        let Some(folder) = folder else { return Ok((0..len).map(number).collect()) };
        let path = folder.join(format!("{}.{suffix}", case.files));
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if bytes.len() != 4 * len {
            return Err(format!("{}: {} bytes, not {}", path.display(), bytes.len(), 4 * len).into());
        }
        Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    };
    let any = |i: usize| (i * 7919 % 1009) as f32 / 1009.0 - 0.5;
    Ok(match &case.work {
        Work::Train(Training { layers, rows, .. }) => {
            let classes = layers.last().map_or(2, |&outputs| outputs.max(2));
            let parameters = layers.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
            let class = |i: usize| (i % classes) as f32;
            [array("x", rows * layers[0], &any)?, array("y", *rows, &class)?, array("p", parameters, &any)?]
        }
        Work::Multiply(Product { m, n, k, .. }) => [array("a", m * k, &any)?, array("b", k * n, &any)?, Vec::new()],
    })
}

/// Works on a case and returns its line: `head`, the times, and what there is to judge: a file with the final parameters,
/// or the largest error of a product as a part of its terms.
pub fn line(
    head: &Value,
    case: &Case,
    folder: Option<&Path>,
    start: impl FnOnce(&Work, Arrays) -> Result<Box<dyn Run>>,
) -> Result<Value> {
    let given = arrays(case, folder)?;
    let factors = if let Work::Multiply(_) = case.work { given.clone() } else { Arrays::default() };
    let mut run = start(&case.work, given)?;
    let mut seconds = Vec::new();
    for _ in 0..case.parts {
        let started = Instant::now();
        run.part()?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    let result = run.result()?;
    let (steps, batch) = match &case.work {
        Work::Train(Training { rows, batch, epochs, .. }) => (epochs * rows.div_ceil(*batch), Some(batch)),
        Work::Multiply(product) => (product.products, None),
    };
    let each: Vec<f64> = seconds.iter().skip(1).map(|seconds| seconds / steps as f64).collect();
    let mut line = head.clone();
    line["workload"] = json!(case.name);
    line["batch"] = json!(batch);
    line["steps"] = json!(steps);
    line["first_part_seconds"] = json!(seconds[0]);
    line["seconds"] = json!(each);
    match (&case.work, folder) {
        (Work::Multiply(product), _) => line["error"] = json!(error(product, &factors, &result)),
        (Work::Train(_), Some(folder)) => {
            let path = folder.join(format!("{}.final", case.name.replace('/', "-")));
            let bytes: Vec<u8> = result.iter().flat_map(|value| value.to_le_bytes()).collect();
            std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
            line["final"] = json!(path);
        }
        (Work::Train(_), None) => {}
    }
    Ok(line)
}

/// The largest error in eight rows of a product, as a part of the terms' magnitudes; None where one is not a number.
fn error(&Product { m, n, k, .. }: &Product, [a, b, _]: &Arrays, c: &[f32]) -> Option<f64> {
    let mut most = Some(0.0_f64);
    for row in (0..m).step_by((m / 8).max(1)) {
        let (mut sums, mut scales) = (vec![0.0_f64; n], vec![0.0_f64; n]);
        for (&a, b) in a[row * k..][..k].iter().zip(b.chunks_exact(n)) {
            for ((sum, scale), &b) in sums.iter_mut().zip(&mut scales).zip(b) {
                let term = f64::from(a) * f64::from(b);
                *sum += term;
                *scale += term.abs();
            }
        }
        for ((&c, sum), scale) in c[row * n..][..n].iter().zip(sums).zip(scales) {
            let share = (f64::from(c) - sum).abs() / scale;
            most = most.filter(|_| !share.is_nan()).map(|most| most.max(share));
        }
    }
    most
}

/// What a panic said.
fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}

/// The value behind a flag of the command line.
pub fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|word| word != name).nth(1)
}

/// Runs the cases of `--cases FOLDER` and prints a line for each. A case that fails takes no others along.
pub fn main(folder: &Path, head: &Value, mut start: impl FnMut(&Work, Arrays) -> Result<Box<dyn Run>>) -> Result<()> {
    let path = folder.join("cases.json");
    let cases = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    for case in serde_json::from_str::<Vec<Case>>(&cases)? {
        let done = catch_unwind(AssertUnwindSafe(|| line(head, &case, Some(folder), &mut start)));
        let line = done.unwrap_or_else(|panic| Err(reason(&*panic).into())).unwrap_or_else(|error| {
            let mut line = head.clone();
            line["workload"] = json!(case.name);
            line["failed"] = json!(error.to_string());
            line
        });
        println!("{line}");
    }
    Ok(())
}
