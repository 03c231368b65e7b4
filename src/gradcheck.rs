//! Are the gradients right? Two questions, each answered for every parameter tensor: does the device give
//! the gradient that the f64 oracle gives, and is the oracle's gradient the slope of the loss?

use rand::rngs::ChaCha8Rng;
use rand::seq::index::sample;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use serde::Serialize;

use crate::backend::{Backend, CpuBackend, CpuDevice, Device};
use crate::data::Dataset;
use crate::error::Result;
use crate::kernels::Step;
use crate::math::{Optimizer, Precision, Real, Rule, TargetDomain};
use crate::params::Layout;
use crate::plan::{self, Plan, PlanKind, Recipe, Role, TrainShape};
use crate::spec::MlpSpec;

/// Largest relative error of a device's gradient: ‖g_device - g_f64‖ / [scale](TensorCheck::scale) for each tensor.
pub const DEVICE_LIMIT: f64 = 1e-5;
/// [`DEVICE_LIMIT`] for a device whose products have operands of so few bits. With f16 one unit of some thousands is so near a kink that it
/// is taken for the other side, in some row; its part of the row's gradient is lost or added, and such parts are independent.
pub fn device_limit(precision: Precision) -> f64 {
    match precision {
        Precision::F32 | Precision::F16x3 => DEVICE_LIMIT,
        Precision::F16 => 4.0 * precision.operand_error().sqrt(),
    }
}

/// Largest relative error of the oracle's gradient against central differences, likewise.
pub const DIFFERENCE_LIMIT: f64 = 1e-7;

/// The verdict on one parameter tensor.
#[derive(Clone, Debug, Serialize)]
pub struct TensorCheck {
    /// Its name.
    pub name: String,
    /// Its elements.
    pub elements: usize,
    /// Norm of the oracle's gradient.
    pub norm: f64,
    /// What its errors are relative to: the norm, but at least ‖Σ abs(g_row)‖ / √rows, where g_row is what a row adds to
    /// the gradient. That is about what rows of independent signs leave of themselves. Where they cancel beyond it, rounding
    /// errors do not cancel with them.
    pub scale: f64,
    /// Error of the device's gradient as a part of the scale.
    pub device_error: f64,
    /// Error of the oracle's gradient against central differences, over the elements checked, as a part of their scale.
    pub difference_error: f64,
    /// Elements compared with central differences.
    pub checked: usize,
    /// Elements of the sample that were skipped, since no step kept every unit on its side of a kink of its activation,
    /// and every output on that of its loss, where it is not smooth.
    pub skipped: usize,
}

/// The verdict on a network.
#[derive(Clone, Debug, Serialize)]
pub struct GradCheck {
    /// The device.
    pub device: String,
    /// The network.
    pub network: String,
    /// How the device's work was planned.
    pub plan: PlanKind,
    /// Mean loss on the device and in f64.
    pub loss: [f64; 2],
    /// The verdicts, in the order of [`Layout`].
    pub tensors: Vec<TensorCheck>,
    /// What the device's error may be: [`device_limit`].
    pub device_limit: f64,
    /// Largest relative error of the device over all tensors.
    pub max_device_error: f64,
    /// Largest relative error against central differences over all tensors.
    pub max_difference_error: f64,
    /// Whether no limit was passed and something was compared in every tensor.
    pub passed: bool,
}

/// Checks the gradients of `spec` at `parameters` on `data`, as `plan` computes them, or the plan that suits the device
/// best. The oracle goes by the plain plan. At most `sample_size` elements of each tensor, drawn with `seed`, are compared
/// with central differences.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) for data of another network, [`Error::Shape`](crate::Error::Shape) for another number of
/// parameters; what the device says.
#[cfg(not(target_family = "wasm"))]
pub fn gradcheck(
    device: &Device,
    spec: &MlpSpec,
    parameters: &[f32],
    data: &Dataset,
    sample_size: usize,
    seed: u64,
    plan: Option<PlanKind>,
) -> Result<GradCheck> {
    pollster::block_on(gradcheck_async(device, spec, parameters, data, sample_size, seed, plan))
}

/// [`gradcheck`] for async programs.
pub async fn gradcheck_async(
    device: &Device,
    spec: &MlpSpec,
    parameters: &[f32],
    data: &Dataset,
    sample_size: usize,
    seed: u64,
    plan: Option<PlanKind>,
) -> Result<GradCheck> {
    spec.check_data(data)?;
    Layout::new(spec).check(parameters)?;
    let shape = TrainShape { weightings: data.weightings(), ..TrainShape::full(data.rows()) };
    let mut executor = device.load(plan_of(device, spec, shape, plan)?).await?;
    let kind = executor.plan().kind;
    let (loss, gradient) = loss_and_gradient(&mut executor, spec, data, parameters).await?;
    let cpu = CpuDevice::new(0)?;
    let exact: Vec<f64> = parameters.iter().map(|&value| value.into()).collect();
    let mut oracle = CpuBackend::<f64>::load(&cpu, plan::plain(spec, &Recipe::new(Rule::Sgd), shape)?)?;
    let (exact_loss, exact_gradient) = loss_and_gradient(&mut oracle, spec, data, &exact).await?;
    drop(oracle);
    let sums = sums_of_rows(&cpu, spec, data, data.rows(), &exact).await?;

    let mut slope = Slope::new(&cpu, spec, data, exact)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tensors = Vec::new();
    for tensor in Layout::new(spec).tensors {
        let expected = &exact_gradient[tensor.range.clone()];
        let found: Vec<f64> = gradient[tensor.range.clone()].iter().map(|&value| value.into()).collect();
        let sums = &sums[tensor.range.clone()];
        let picked = sample(&mut rng, expected.len(), sample_size.min(expected.len()));
        let (mut checked, mut checked_sums, mut differences) = (Vec::new(), Vec::new(), Vec::new());
        let mut skipped = 0;
        for place in picked {
            match slope.at(tensor.range.start + place).await? {
                Some(difference) => {
                    checked.push(expected[place]);
                    checked_sums.push(sums[place]);
                    differences.push(difference);
                }
                None => skipped += 1,
            }
        }
        let scale = |gradient: &[f64], sums: &[f64]| scale(gradient, sums, data.rows());
        tensors.push(TensorCheck {
            name: tensor.name,
            elements: expected.len(),
            norm: norm(expected),
            scale: scale(expected, sums),
            device_error: relative_error(&found, expected, scale(expected, sums)),
            difference_error: relative_error(&differences, &checked, scale(&checked, &checked_sums)),
            checked: checked.len(),
            skipped,
        });
    }
    // Unlike f64::max, a NaN is the largest.
    let larger = |a: f64, b: f64| if a >= b || a.is_nan() { a } else { b };
    let largest = |error: fn(&TensorCheck) -> f64| tensors.iter().map(error).fold(0.0, larger);
    let (max_device_error, max_difference_error) =
        (largest(|tensor| tensor.device_error), largest(|tensor| tensor.difference_error));
    let limit = device_limit(device.precision());
    // Written so that a NaN fails.
    let passed = tensors.iter().all(|tensor| {
        tensor.device_error <= limit && tensor.difference_error <= DIFFERENCE_LIMIT && tensor.checked > 0
    });
    Ok(GradCheck {
        device: device.name(),
        network: spec.to_string(),
        plan: kind,
        loss: [loss, exact_loss],
        tensors,
        device_limit: limit,
        max_device_error,
        max_difference_error,
        passed,
    })
}

/// `rows` rows of standard normal features with targets that suit the loss: classes, counts below 8 or standard normal.
pub fn random_data(spec: &MlpSpec, rows: usize, seed: u64) -> Result<Dataset> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let features = (0..rows * spec.inputs()).map(|_| StandardNormal.sample(&mut rng)).collect();
    let targets = (0..rows * spec.target_columns())
        .map(|_| match spec.loss().domain() {
            TargetDomain::Real => StandardNormal.sample(&mut rng),
            TargetDomain::Probability => f32::from(u8::from(rng.random::<bool>())),
            TargetDomain::Class => rng.random_range(0..spec.outputs()) as f32,
            TargetDomain::NonNegative => f32::from(rng.random_range(0..8_u8)),
        })
        .collect();
    Dataset::new(features, targets, spec.inputs(), spec.target_columns())
}

/// Refuses a network or a batch that is too large for the device, before any memory is spent on data.
#[cfg(not(target_family = "wasm"))]
pub fn check_size(device: &Device, spec: &MlpSpec, rows: usize, plan: Option<PlanKind>) -> Result<()> {
    pollster::block_on(check_size_async(device, spec, rows, plan))
}

/// [`check_size`] for async programs.
pub async fn check_size_async(device: &Device, spec: &MlpSpec, rows: usize, plan: Option<PlanKind>) -> Result<()> {
    device.load(plan_of(device, spec, TrainShape::full(rows), plan)?).await.map(|_| ())
}

fn plan_of(device: &Device, spec: &MlpSpec, shape: TrainShape, plan: Option<PlanKind>) -> Result<Plan> {
    plan::choose(plan, spec, &Recipe::new(Rule::Sgd), shape, device.target())
}

/// Mean loss and gradient of the plan's first step, at a learning rate of 0. A plan of mini-batches takes the first rows in
/// the order of key 0; its loss is a part of the mean.
pub(crate) async fn loss_and_gradient<B: Backend>(
    backend: &mut B,
    spec: &MlpSpec,
    data: &Dataset,
    parameters: &[B::Real],
) -> Result<(f64, Vec<B::Real>)> {
    prepare(backend, spec, data, parameters)?;
    backend.submit(&[(0, Step::default())])?;
    let ring = backend.collect().await?;
    let loss: f64 = ring.iter().step_by(2).map(|sum| sum.to_f64()).sum();
    let gradients = backend.plan().buffer(Role::Gradients)?;
    Ok((loss / data.targets().len() as f64, backend.read(gradients).await?))
}

/// Loads what steps work on. The learning rate is 0, so the parameters stay.
fn prepare<B: Backend>(backend: &mut B, spec: &MlpSpec, data: &Dataset, parameters: &[B::Real]) -> Result<()> {
    let convert = |values: &[f32]| values.iter().map(|&value| B::Real::from_f64(value.into())).collect::<Vec<_>>();
    for (role, values) in [(Role::Features, data.features()), (Role::Targets, &data.weighted_targets())] {
        let buffer = backend.plan().buffer(role)?;
        backend.write(buffer, &convert(values))?;
    }
    let hyper = backend.plan().buffer(Role::Hyper)?;
    backend.write(hyper, &Optimizer::sgd(0.0).hyper(spec.loss_parameter()).map(B::Real::from_f64))?;
    let buffer = backend.plan().buffer(Role::Parameters)?;
    backend.write(buffer, parameters)
}

/// What each element of the gradient of the first `rows` rows, in the order of key 0, would be if no row's part cancelled
/// another's: Σ abs(g_row), from steps of a row each.
pub(crate) async fn sums_of_rows(
    cpu: &CpuDevice,
    spec: &MlpSpec,
    data: &Dataset,
    rows: usize,
    parameters: &[f64],
) -> Result<Vec<f64>> {
    let shape = TrainShape { batch: 1, weightings: data.weightings(), ..TrainShape::full(data.rows()) };
    let mut backend = CpuBackend::<f64>::load(cpu, plan::plain(spec, &Recipe::new(Rule::Sgd), shape)?)?;
    prepare(&mut backend, spec, data, parameters)?;
    let gradients = backend.plan().buffer(Role::Gradients)?;
    let mut sums = vec![0.0; parameters.len()];
    for row in 0..rows {
        backend.submit(&[(0, Step { first_row: row as u32, ..Step::default() })])?;
        backend.collect().await?;
        let gradient = backend.read(gradients).await?;
        sums.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += value.abs() / rows as f64);
    }
    Ok(sums)
}

/// Central differences of the loss in f64.
struct Slope<'a> {
    forward: CpuBackend<f64>,
    spec: &'a MlpSpec,
    data: &'a Dataset,
    parameters: Vec<f64>,
    /// Where all units whose activation has a kink and all outputs are beside the kinks, at `parameters`.
    sides: Vec<i8>,
}

impl<'a> Slope<'a> {
    fn new(cpu: &CpuDevice, spec: &'a MlpSpec, data: &'a Dataset, parameters: Vec<f64>) -> Result<Self> {
        let mut forward = CpuBackend::load(cpu, plan::plain_forward(spec, data.rows(), 1)?)?;
        let features: Vec<f64> = data.features().iter().map(|&value| value.into()).collect();
        forward.write(forward.plan().buffer(Role::Features)?, &features)?;
        Ok(Self { forward, spec, data, parameters, sides: Vec::new() })
    }

    /// (8 (L(p + h) - L(p - h)) - (L(p + 2h) - L(p - 2h))) / 12h for one parameter p. The truncation error is of
    /// order h⁴, the rounding error of order 2^-53 / h: so h starts large. It shrinks while a unit changes its side
    /// of a kink, and none is returned when it would become too small.
    async fn at(&mut self, place: usize) -> Result<Option<f64>> {
        if self.sides.is_empty() {
            self.sides = self.losses().await?.1;
        }
        let value = self.parameters[place];
        'step: for h in [1e-3, 1e-4, 1e-5, 1e-6] {
            // Subtracted term by term: the difference of two sums would have the rounding errors of both.
            let mut terms = vec![0.0; self.data.rows()];
            for (shift, weight) in [(h, 8.0), (-h, -8.0), (2.0 * h, -1.0), (-2.0 * h, 1.0)] {
                self.parameters[place] = value + shift;
                let (losses, sides) = self.losses().await?;
                self.parameters[place] = value;
                if sides != self.sides {
                    continue 'step;
                }
                terms.iter_mut().zip(losses).for_each(|(term, loss)| *term += weight * loss);
            }
            let count = self.data.targets().len() as f64;
            return Ok(Some(terms.iter().sum::<f64>() / count / (12.0 * h)));
        }
        Ok(None)
    }

    /// What every row adds to the loss, and the sides of the kinks.
    async fn losses(&mut self) -> Result<(Vec<f64>, Vec<i8>)> {
        let backend = &mut self.forward;
        backend.write(backend.plan().buffer(Role::Parameters)?, &self.parameters)?;
        backend.submit(&[(0, Step::default())])?;
        backend.collect().await?;
        let outputs = backend.read(backend.plan().output()?).await?;
        let (loss, c, columns) = (self.spec.loss(), self.spec.loss_parameter(), self.spec.target_columns());
        let (mut losses, mut sides) = (Vec::with_capacity(self.data.rows()), Vec::new());
        let rows = outputs.chunks_exact(self.spec.outputs()).zip(self.data.targets().chunks_exact(columns));
        for (row, (z, y)) in rows.enumerate() {
            let y: Vec<f64> = y.iter().map(|&y| y.into()).collect();
            let weight = self.data.weights().map_or(1.0, |weights| weights[row].into());
            losses.push(weight * loss.row(z, &y, c, None).0);
            sides.extend(z.iter().zip(&y).map(|(&z, &y)| loss.side(z, y, c)));
        }
        let kinks = |layer: usize| self.spec.layers()[layer].activation.kinks();
        for layer in (0..self.spec.layers().len()).filter(|&layer| !kinks(layer).is_empty()) {
            let z = backend.read(backend.plan().buffer(Role::PreActivation(layer))?).await?;
            sides.extend(z.iter().map(|z| kinks(layer).iter().map(|kink| i8::from(z > kink)).sum::<i8>()));
        }
        Ok((losses, sides))
    }
}

/// What the errors of a gradient are relative to; see [`TensorCheck::scale`].
pub(crate) fn scale(gradient: &[f64], sums: &[f64], rows: usize) -> f64 {
    norm(gradient).max(norm(sums) / (rows as f64).sqrt())
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// ‖found - expected‖ / scale; 0 when both are 0.
pub(crate) fn relative_error(found: &[f64], expected: &[f64], scale: f64) -> f64 {
    let error: Vec<f64> = found.iter().zip(expected).map(|(found, expected)| found - expected).collect();
    if norm(&error) == 0.0 { 0.0 } else { norm(&error) / scale }
}
