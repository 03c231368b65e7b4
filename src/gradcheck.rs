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
use crate::kernels::{Element, Step};
use crate::math::{Real, Rule};
use crate::params::Layout;
use crate::plan::{self, Plan, Recipe, Role, TrainShape};
use crate::spec::MlpSpec;

/// Largest relative error of a device's gradient: ‖g_device - g_f64‖ / ‖g_f64‖ for each tensor.
pub const DEVICE_LIMIT: f64 = 1e-5;
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
    /// Relative error of the device's gradient.
    pub device_error: f64,
    /// Relative error of the oracle's gradient against central differences, over the elements checked.
    pub difference_error: f64,
    /// Elements compared with central differences.
    pub checked: usize,
    /// Elements of the sample that were passed over, since no step kept every unit on its side of a kink of its
    /// activation, where the loss is not smooth.
    pub skipped: usize,
}

/// The verdict on a network.
#[derive(Clone, Debug, Serialize)]
pub struct GradCheck {
    /// The device.
    pub device: String,
    /// The network.
    pub network: String,
    /// Mean loss on the device and in f64.
    pub loss: [f64; 2],
    /// The verdicts, in the order of [`Layout`].
    pub tensors: Vec<TensorCheck>,
    /// Largest relative error of the device over all tensors.
    pub max_device_error: f64,
    /// Largest relative error against central differences over all tensors.
    pub max_difference_error: f64,
    /// Whether no limit was passed and something was compared in every tensor.
    pub passed: bool,
}

/// Checks the gradients of `spec` at `parameters` on `data`. At most `sample_size` elements of each tensor,
/// drawn with `seed`, are compared with central differences.
pub async fn gradcheck(
    device: &Device,
    spec: &MlpSpec,
    parameters: &[f32],
    data: &Dataset,
    sample_size: usize,
    seed: u64,
) -> Result<GradCheck> {
    let plan = plan_of(spec, data.rows())?;
    let mut executor = device.load(plan.clone()).await?;
    let (loss, gradient) = loss_and_gradient(&mut executor, data, parameters).await?;
    let cpu = CpuDevice::new(0)?;
    let exact: Vec<f64> = parameters.iter().map(|&value| value.into()).collect();
    let mut oracle = CpuBackend::<f64>::load(&cpu, plan)?;
    let (exact_loss, exact_gradient) = loss_and_gradient(&mut oracle, data, &exact).await?;
    drop(oracle);

    let mut slope = Slope::new(&cpu, spec, data, exact)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tensors = Vec::new();
    for tensor in Layout::new(spec).tensors {
        let expected = &exact_gradient[tensor.range.clone()];
        let found: Vec<f64> = gradient[tensor.range.clone()].iter().map(|&value| value.into()).collect();
        let picked = sample(&mut rng, expected.len(), sample_size.min(expected.len()));
        let (mut checked, mut differences) = (Vec::new(), Vec::new());
        let mut skipped = 0;
        for place in picked {
            match slope.at(tensor.range.start + place).await? {
                Some(difference) => {
                    checked.push(expected[place]);
                    differences.push(difference);
                }
                None => skipped += 1,
            }
        }
        tensors.push(TensorCheck {
            name: tensor.name,
            elements: expected.len(),
            norm: norm(expected.iter().copied()),
            device_error: relative_error(&found, expected),
            difference_error: relative_error(&differences, &checked),
            checked: checked.len(),
            skipped,
        });
    }
    // Unlike f64::max, a NaN is the largest.
    let larger = |a: f64, b: f64| if a >= b || a.is_nan() { a } else { b };
    let largest = |error: fn(&TensorCheck) -> f64| tensors.iter().map(error).fold(0.0, larger);
    let (max_device_error, max_difference_error) =
        (largest(|tensor| tensor.device_error), largest(|tensor| tensor.difference_error));
    // Written so that a NaN fails.
    let passed = tensors.iter().all(|tensor| {
        tensor.device_error <= DEVICE_LIMIT && tensor.difference_error <= DIFFERENCE_LIMIT && tensor.checked > 0
    });
    Ok(GradCheck {
        device: device.name(),
        network: spec.to_string(),
        loss: [loss, exact_loss],
        tensors,
        max_device_error,
        max_difference_error,
        passed,
    })
}

/// `rows` rows of standard normal features with targets that suit the loss, 0 or 1 or standard normal.
pub fn random_data(spec: &MlpSpec, rows: usize, seed: u64) -> Result<Dataset> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let features = (0..rows * spec.inputs()).map(|_| StandardNormal.sample(&mut rng)).collect();
    let targets = (0..rows * spec.outputs())
        .map(|_| match spec.loss().classifies() {
            true => f32::from(u8::from(rng.random::<bool>())),
            false => StandardNormal.sample(&mut rng),
        })
        .collect();
    Dataset::new(features, targets, spec.inputs(), spec.outputs())
}

/// Refuses a network or a batch that is too large for the device, before any memory is spent on data.
pub async fn check_size(device: &Device, spec: &MlpSpec, rows: usize) -> Result<()> {
    device.load(plan_of(spec, rows)?).await.map(|_| ())
}

fn plan_of(spec: &MlpSpec, rows: usize) -> Result<Plan> {
    plan::train(spec, &Recipe::new(Rule::Sgd), TrainShape::full(rows))
}

/// One step on the whole of `data`. The learning rate is never written, so it is 0 and the parameters stay.
async fn loss_and_gradient<B: Backend>(
    backend: &mut B,
    data: &Dataset,
    parameters: &[B::Real],
) -> Result<(f64, Vec<B::Real>)> {
    let convert = |values: &[f32]| values.iter().map(|&value| B::Real::from_f64(value.into())).collect::<Vec<_>>();
    for (role, values) in [(Role::Features, data.features()), (Role::Targets, data.targets())] {
        let buffer = backend.plan().buffer(role)?;
        backend.write(buffer, &convert(values))?;
    }
    let (buffer, gradients) = (backend.plan().buffer(Role::Parameters)?, backend.plan().buffer(Role::Gradients)?);
    backend.write(buffer, parameters)?;
    backend.submit(&[(0, Step::default())])?;
    let ring = backend.collect().await?;
    let loss: f64 = ring.iter().step_by(2).map(|sum| sum.to_f64()).sum();
    Ok((loss / data.targets().len() as f64, backend.read(gradients).await?))
}

/// Central differences of the loss in f64.
struct Slope<'a> {
    forward: CpuBackend<f64>,
    spec: &'a MlpSpec,
    data: &'a Dataset,
    parameters: Vec<f64>,
    /// Signs of all units whose activation has a kink, at `parameters`.
    signs: Vec<bool>,
}

impl<'a> Slope<'a> {
    fn new(cpu: &CpuDevice, spec: &'a MlpSpec, data: &'a Dataset, parameters: Vec<f64>) -> Result<Self> {
        let mut forward = CpuBackend::load(cpu, plan::forward(spec, data.rows(), 1)?)?;
        let features: Vec<f64> = data.features().iter().map(|&value| value.into()).collect();
        forward.write(forward.plan().buffer(Role::Features)?, &features)?;
        Ok(Self { forward, spec, data, parameters, signs: Vec::new() })
    }

    /// (8 (L(p + h) - L(p - h)) - (L(p + 2h) - L(p - 2h))) / 12h for one parameter p. The truncation error is of
    /// order h⁴, the rounding error of order 2^-53 / h: so h starts large. It shrinks while a unit changes its side
    /// of a kink, and none is returned when it would become too small.
    async fn at(&mut self, place: usize) -> Result<Option<f64>> {
        if self.signs.is_empty() {
            self.signs = self.losses().await?.1;
        }
        let value = self.parameters[place];
        'step: for h in [1e-3, 1e-4, 1e-5, 1e-6] {
            // Subtracted term by term: the difference of two sums would have the rounding errors of both.
            let mut terms = vec![0.0; self.data.targets().len()];
            for (shift, weight) in [(h, 8.0), (-h, -8.0), (2.0 * h, -1.0), (-2.0 * h, 1.0)] {
                self.parameters[place] = value + shift;
                let (losses, signs) = self.losses().await?;
                self.parameters[place] = value;
                if signs != self.signs {
                    continue 'step;
                }
                terms.iter_mut().zip(losses).for_each(|(term, loss)| *term += weight * loss);
            }
            return Ok(Some(terms.iter().sum::<f64>() / terms.len() as f64 / (12.0 * h)));
        }
        Ok(None)
    }

    /// The loss of every output, and the signs of the units.
    async fn losses(&mut self) -> Result<(Vec<f64>, Vec<bool>)> {
        let backend = &mut self.forward;
        backend.write(backend.plan().buffer(Role::Parameters)?, &self.parameters)?;
        backend.submit(&[(0, Step::default())])?;
        backend.collect().await?;
        let outputs = backend.read(backend.plan().output).await?;
        let pairs = outputs.iter().zip(self.data.targets());
        let losses = pairs.map(|(&z, &y)| self.spec.loss().value(z, y.into())).collect();
        let mut signs = Vec::new();
        let kinked = |layer: &usize| self.spec.layers()[*layer].activation.has_kink();
        for layer in (0..self.spec.layers().len()).filter(kinked) {
            let z = backend.read(backend.plan().buffer(Role::PreActivation(layer))?).await?;
            signs.extend(z.iter().map(|&z| z > 0.0));
        }
        Ok((losses, signs))
    }
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

/// ‖found - expected‖ / ‖expected‖; 0 when both are 0.
fn relative_error<T: Element>(found: &[T], expected: &[f64]) -> f64 {
    let error = norm(found.iter().zip(expected).map(|(&found, &expected)| found.to_f64() - expected));
    if error == 0.0 { 0.0 } else { error / norm(expected.iter().copied()) }
}
