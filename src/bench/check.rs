//! Results are checked before anything is timed: the gradient against f64, outputs against f64 with a bound of what rounding
//! can have done.

use super::write;
use crate::backend::{Backend, CpuBackend, CpuDevice, Device};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::gradcheck::{
    DEVICE_LIMIT, device_limit, loss_and_gradient, random_data, relative_error, scale, sums_of_rows,
};
use crate::kernels::Step;
use crate::math::{Bounded, Rule};
use crate::params::{Init, Layout};
use crate::plan::{self, Recipe, Role, TrainShape};
use crate::spec::MlpSpec;

/// Weights times rows of outputs that are compared: the bounds take some 5 ns each.
const CHECKED: usize = 1 << 24;

/// Distance from a kink at which a row is drawn anew: ten times what f32 rounding does to sums of this size.
const NEAR: f64 = 1e-5;
/// Rounds of drawing anew. A network of hundreds of thousands of units has one near a kink in every row.
const REDRAWS: u64 = 8;

/// Largest relative error of a gradient over so many rows. What a sum of n terms loses in f32 grows like √n roundings,
/// relative to what terms of independent signs leave; four times that exceeds gradcheck's limit from some 1,800 rows
/// on. A single row that is lost or counted twice is about 1 / √n, a hundred times as much at 65,536 rows.
fn limit(rows: usize) -> f64 {
    DEVICE_LIMIT.max(4.0 * f64::from(f32::EPSILON) / 2.0 * (rows as f64).sqrt())
}

/// A network with a batch of random data, and the gradient in f64.
#[derive(Debug)]
pub struct Case {
    spec: MlpSpec,
    batch: usize,
    parameters: Vec<f32>,
    data: Dataset,
    gradient: Vec<f64>,
}

impl Case {
    /// Draws data and parameters (He) with `seed` and computes the gradient. The data has one row more than the batch, so
    /// that a step picks its rows as those of mini-batches do.
    #[cfg(not(target_family = "wasm"))]
    pub fn new(cpu: &CpuDevice, spec: &MlpSpec, batch: usize, seed: u64) -> Result<Self> {
        pollster::block_on(Self::new_async(cpu, spec, batch, seed))
    }

    /// [`new`](Self::new) for async programs.
    pub async fn new_async(cpu: &CpuDevice, spec: &MlpSpec, batch: usize, seed: u64) -> Result<Self> {
        let shape = TrainShape { batch, ..TrainShape::full(batch.saturating_add(1)) };
        let mut oracle = CpuBackend::<f64>::load(cpu, plan::plain(spec, &Recipe::new(Rule::Sgd), shape)?)?;
        let parameters = Init::He.draw(spec, seed)?;
        let data = smooth_data(cpu, spec, batch + 1, &exact(&parameters), seed).await?;
        let (_, gradient) = loss_and_gradient(&mut oracle, spec, &data, &exact(&parameters)).await?;
        Ok(Self { spec: spec.clone(), batch, parameters, data, gradient })
    }

    /// The network.
    pub fn spec(&self) -> &MlpSpec {
        &self.spec
    }

    /// Rows of a step.
    pub fn batch(&self) -> usize {
        self.batch
    }

    pub(super) fn data(&self) -> &Dataset {
        &self.data
    }

    /// Loads the case into a training plan, takes a step and compares the gradient. Returns the largest error of a tensor.
    pub(super) async fn check_gradient<B: Backend<Real = f32>>(&self, device: &Device, backend: &mut B) -> Result<f64> {
        let (_, gradient) = loss_and_gradient(backend, &self.spec, &self.data, &self.parameters).await?;
        let found = exact(&gradient);
        let limit = limit(self.batch).max(device_limit(device.precision()));
        let mut sums = None;
        let mut largest: f64 = 0.0;
        for tensor in Layout::new(&self.spec).tensors {
            let [found, expected] = [&found, &self.gradient].map(|gradient| &gradient[tensor.range.clone()]);
            let mut error = relative_error(found, expected, scale(expected, &[], self.batch));
            // Most often the norm alone is enough; where it is not, rows that cancel each other have to be reckoned with.
            if !(error <= limit) {
                if sums.is_none() {
                    let cpu = CpuDevice::new(0)?;
                    let parameters = exact(&self.parameters);
                    sums = Some(sums_of_rows(&cpu, &self.spec, &self.data, self.batch, &parameters).await?);
                }
                let sums = sums.as_ref().map_or(&[][..], |sums| &sums[tensor.range.clone()]);
                error = relative_error(found, expected, scale(expected, sums, self.batch));
            }
            if !(error <= limit) {
                return Err(Error::CheckFailed(format!(
                    "{}: at batch {} the gradient of {} has an error of {error:.1e} (limit {limit:.0e}), so nothing \
                    was timed: do not train on this device, and report it",
                    device.name(),
                    self.batch,
                    tensor.name,
                )));
            }
            largest = largest.max(error);
        }
        Ok(largest)
    }

    /// Loads the case into a forward plan, runs it and compares outputs of rows from the first to the last. Returns the
    /// largest error as a part of what it may be.
    pub(super) async fn check_outputs<B: Backend<Real = f32>>(&self, device: &Device, backend: &mut B) -> Result<f64> {
        let (inputs, outputs) = (self.spec.inputs(), self.spec.outputs());
        let features = &self.data.features()[..self.batch * inputs];
        write(backend, Role::Features, features)?;
        write(backend, Role::Parameters, &self.parameters)?;
        let found = run(backend).await?;

        let rows = (CHECKED / self.parameters.len()).clamp(1, self.batch);
        let row = |index: usize| index * (self.batch - 1) / (rows - 1).max(1);
        let picked = (0..rows).flat_map(|index| &features[row(index) * inputs..][..inputs]);
        let bounded = |&value: &f32| Bounded::exact(value.into());
        let mut oracle = CpuBackend::<Bounded>::load(
            &CpuDevice::new(0)?,
            device.as_loaded(plan::plain_forward(&self.spec, rows, 1)?),
        )?;
        write(&mut oracle, Role::Features, &picked.map(bounded).collect::<Vec<_>>())?;
        write(&mut oracle, Role::Parameters, &self.parameters.iter().map(bounded).collect::<Vec<_>>())?;
        let expected = run(&mut oracle).await?;
        let mut largest: f64 = 0.0;
        for (index, expected) in expected.chunks_exact(outputs).enumerate() {
            let row = row(index);
            for (&found, expected) in found[row * outputs..][..outputs].iter().zip(expected) {
                let (difference, limit) = ((f64::from(found) - expected.value).abs(), expected.limit());
                // Not `>`, which a NaN would pass.
                if !(difference <= limit && limit.is_finite()) {
                    return Err(Error::CheckFailed(format!(
                        "{}: at batch {} an output of row {row} is {found:e}, expected {:e} ± {limit:e}, so nothing \
                        was timed: \
                         do not use this device, and report it",
                        device.name(),
                        self.batch,
                        expected.value,
                    )));
                }
                largest = if limit > 0.0 { largest.max(difference / limit) } else { largest };
            }
        }
        Ok(largest)
    }
}

/// Random rows in which no unit, and no output beside its target, is so near a kink that rounding might take it across: its
/// row's part of the gradient would change by much more than by rounding, and among millions of units there are some.
async fn smooth_data(cpu: &CpuDevice, spec: &MlpSpec, rows: usize, parameters: &[f64], seed: u64) -> Result<Dataset> {
    let mut forward = CpuBackend::<f64>::load(cpu, plan::plain_forward(spec, rows, 1)?)?;
    write(&mut forward, Role::Parameters, parameters)?;
    let (inputs, columns) = (spec.inputs(), spec.target_columns());
    let mut data = random_data(spec, rows, seed)?;
    for round in 1..=REDRAWS {
        let near = near_kinks(&mut forward, spec, &data).await?;
        if !near.contains(&true) {
            break;
        }
        let fresh = random_data(spec, rows, seed.wrapping_add(round))?;
        let (mut features, mut targets) = (data.features().to_vec(), data.targets().to_vec());
        for row in (0..rows).filter(|&row| near[row]) {
            let (x, y) = (row * inputs..(row + 1) * inputs, row * columns..(row + 1) * columns);
            features[x.clone()].copy_from_slice(&fresh.features()[x]);
            targets[y.clone()].copy_from_slice(&fresh.targets()[y]);
        }
        data = Dataset::new(features, targets, inputs, columns)?;
    }
    Ok(data)
}

/// The rows that are near a kink.
async fn near_kinks(forward: &mut CpuBackend<f64>, spec: &MlpSpec, data: &Dataset) -> Result<Vec<bool>> {
    write(forward, Role::Features, &exact(data.features()))?;
    let output = run(forward).await?;
    let mut near = vec![false; data.rows()];
    for (index, layer) in spec.layers().iter().enumerate() {
        let kinks = layer.activation.kinks();
        if kinks.is_empty() {
            continue;
        }
        let z = forward.read(forward.plan().buffer(Role::PreActivation(index))?).await?;
        for (near, z) in near.iter_mut().zip(z.chunks_exact(layer.outputs)) {
            // A unit whose inputs are all 0 is at 0 on every device.
            *near |= z.iter().any(|&z| z != 0.0 && kinks.iter().any(|kink| (z - kink).abs() < NEAR));
        }
    }
    let (loss, c) = (spec.loss(), spec.loss_parameter());
    let targets = data.targets().chunks_exact(spec.target_columns());
    for ((near, z), y) in near.iter_mut().zip(output.chunks_exact(spec.outputs())).zip(targets) {
        let side = |shift: f64| z.iter().zip(y).map(move |(&z, &y)| loss.side(z + shift, y.into(), c));
        *near |= side(-NEAR).ne(side(NEAR));
    }
    Ok(near)
}

/// The output of a forward plan's step.
async fn run<B: Backend>(backend: &mut B) -> Result<Vec<B::Real>> {
    backend.submit(&[(0, Step::default())])?;
    backend.collect().await?;
    backend.read(backend.plan().output()?).await
}

fn exact(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| value.into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Counters;
    use crate::math::{Activation, Loss};
    use crate::plan::{BufferId, Plan};

    /// A backend that reads something else than what is there.
    struct Liar(CpuBackend<f32>, fn(&mut [f32]));

    impl Backend for Liar {
        type Real = f32;
        fn plan(&self) -> &Plan {
            self.0.plan()
        }
        fn write(&mut self, buffer: BufferId, values: &[f32]) -> Result<()> {
            self.0.write(buffer, values)
        }
        fn copy(&mut self, from: BufferId, to: BufferId, replicas: &[std::ops::Range<usize>]) -> Result<()> {
            self.0.copy(from, to, replicas)
        }
        fn run_first(&mut self, replicas: usize) -> Result<()> {
            self.0.run_first(replicas)
        }
        fn submit(&mut self, steps: &[(usize, Step)]) -> Result<()> {
            self.0.submit(steps)
        }
        fn is_done(&mut self) -> Result<bool> {
            Ok(true)
        }
        async fn collect(&mut self) -> Result<Vec<f32>> {
            self.0.collect().await
        }
        async fn read(&mut self, buffer: BufferId) -> Result<Vec<f32>> {
            let mut values = self.0.read(buffer).await?;
            self.1(&mut values);
            Ok(values)
        }
        fn counters(&self) -> Counters {
            self.0.counters()
        }
    }

    /// What the checks say of the gradient and of the outputs of 40 rows.
    fn checked(lie: fn(&mut [f32])) -> [Result<f64>; 2] {
        let cpu = CpuDevice::new(0).unwrap();
        let device = Device::Cpu(cpu.clone());
        let spec = MlpSpec::new(&[3, 8, 2], Activation::Relu, Loss::MeanSquaredError).unwrap();
        let case = Case::new(&cpu, &spec, 40, 1).unwrap();
        let shape = TrainShape { batch: 40, ..TrainShape::full(41) };
        let load = |plan: Result<Plan>| Liar(CpuBackend::load(&cpu, plan.unwrap()).unwrap(), lie);
        let mut train = load(plan::layered(&spec, &Recipe::new(Rule::Sgd), shape));
        let mut infer = load(plan::forward(&spec, 40, 1, device.target()));
        pollster::block_on(async {
            [case.check_gradient(&device, &mut train).await, case.check_outputs(&device, &mut infer).await]
        })
    }

    #[test]
    fn right_results_pass_and_wrong_ones_do_not() {
        for (error, limit) in checked(|_| ()).into_iter().zip([1e-6, 1.0]) {
            let error = error.unwrap();
            assert!((0.0..limit).contains(&error), "{error}");
        }
        let lies: [fn(&mut [f32]); 4] = [
            |values| values.iter_mut().for_each(|value| *value = -*value),
            |values| values.iter_mut().for_each(|value| *value = 0.0),
            // The last row's output, or the last tensor's gradient.
            |values| values.iter_mut().rev().take(1).for_each(|value| *value += 0.01),
            |values| values[0] = f32::NAN,
        ];
        for (index, lie) in lies.into_iter().enumerate() {
            for result in checked(lie) {
                let error = result.expect_err(&format!("lie {index}")).to_string();
                assert!(error.contains("nothing was timed") && error.contains("at batch 40"), "{error}");
            }
        }
    }

    /// Random rows have units near a kink of relu, and outputs near one of the loss; those of a case do not.
    #[test]
    fn rows_near_a_kink_are_drawn_anew() {
        let cpu = CpuDevice::new(0).unwrap();
        for (widths, activation, loss, rows) in [
            (&[2, 64, 1][..], Activation::Relu, Loss::BinaryCrossEntropy, 20_000),
            (&[2, 8], Activation::Identity, Loss::MeanAbsoluteError, 200_000),
        ] {
            let spec = MlpSpec::new(widths, activation, loss).unwrap();
            let case = Case::new(&cpu, &spec, rows - 1, 1).unwrap();
            let mut forward = CpuBackend::load(&cpu, plan::plain_forward(&spec, rows, 1).unwrap()).unwrap();
            write(&mut forward, Role::Parameters, &exact(&case.parameters)).unwrap();
            let mut near = |data: &Dataset| {
                let near = pollster::block_on(near_kinks(&mut forward, &spec, data)).unwrap();
                near.into_iter().filter(|&near| near).count()
            };
            let drawn = near(&random_data(&spec, rows, 1).unwrap());
            assert!(drawn > 0 && drawn < rows / 100, "{loss}: {drawn}");
            assert_eq!(near(&case.data), 0, "{loss}");
        }
    }

    #[test]
    fn a_lost_row_is_beyond_the_limit() {
        assert_eq!(limit(1000), DEVICE_LIMIT);
        for rows in [1_usize, 1000, 65_536] {
            assert!(50.0 * limit(rows) < 1.0 / (rows as f64).sqrt(), "{rows}");
        }
    }
}
