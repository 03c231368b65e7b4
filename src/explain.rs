//! One training step number by number, as backpropagation is written on paper: every Z, A, dZ, dW and db, and the
//! updated parameters. In: a network with its parameters and data. Out: each quantity with its formula, the kernels that
//! made it, and the f64 oracle's value beside the device's.
//!
//! The step is the one of the plain plan ([`crate::plan::plain`]), which has one dispatch for each operation. The
//! dispatches are submitted one by one, and what each has written is read before the next one takes its place. The
//! oracle is the same plan on [`Bounded`]: it knows the exact value, and how far rounding in f32 may lead away from it.

use serde::Serialize;

use crate::backend::{Backend, CpuBackend, CpuDevice, Device};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::kernels::{ABT, ATB, Step};
use crate::math::{Activation, Bounded, Optimizer, Real, Rule, TargetDomain};
use crate::params::Layout;
use crate::plan::{self, BufferId, Pass, Plan, Recipe, Role, TrainShape};
use crate::spec::MlpSpec;

/// What part of a step makes a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stage {
    /// Features, targets, and the parameters before the step.
    Given,
    /// From the features to the outputs.
    Forward,
    /// The cost, and its gradient by the outputs.
    Loss,
    /// From the gradient by the outputs to those by all parameters.
    Backward,
    /// The parameters after the step.
    Update,
}

/// A matrix of a step. All lists of rows have the shape `[rows, columns]`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Quantity {
    /// The name in a textbook, layers counted from 1: `Z1`, `dW2`. `X` are the features, `J` is the cost.
    pub name: String,
    /// What it is, in terms of earlier quantities.
    pub formula: String,
    /// The kernels that made it, in order; none for what is given.
    pub kernels: Vec<&'static str>,
    /// The part of the step.
    pub stage: Stage,
    /// The device's values.
    pub values: Vec<Vec<f64>>,
    /// The oracle's values.
    pub exact: Vec<Vec<f64>>,
    /// The largest difference between both that rounding in f32 explains, for each element.
    pub limits: Vec<Vec<f64>>,
    /// The largest difference between both.
    pub difference: f64,
    /// The largest difference as a fraction of its element's limit; at most 1 if the device computes as it should.
    pub fraction_of_limit: f64,
}

/// A training step in numbers.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The device.
    pub device: String,
    /// The network.
    pub network: String,
    /// The step, counted from 1.
    pub step: u64,
    /// The learning rate.
    pub learning_rate: f64,
    /// Terms that the cost is the mean of: rows, times outputs where each output has a target of its own.
    pub terms: usize,
    /// What is given, and what the step makes, in order.
    pub quantities: Vec<Quantity>,
    /// The predictions that the outputs stand for, [rows, outputs], computed on the host from the device's last Z; none
    /// where they are the outputs themselves. The loss kernel takes Z, so no kernel makes them.
    pub predictions: Option<Vec<Vec<f64>>>,
    /// Whether every difference is within its limit.
    pub passed: bool,
}

/// Explains step `step`, counted from 1, of plain gradient descent on all rows of `data` at once. The steps before it
/// are made on the device, from `parameters` on; the oracle starts from what they have led to.
///
/// # Errors
/// [`Error::Setting`] for a step of 0, a learning rate that is not positive, or data that do not suit the network,
/// [`Error::Shape`] for a wrong number of parameters, [`Error::Diverged`] where the steps before have led to numbers
/// that are not finite, and what a device reports.
#[cfg(not(target_family = "wasm"))]
pub fn explain(
    device: &Device,
    spec: &MlpSpec,
    parameters: &[f32],
    data: &Dataset,
    learning_rate: f64,
    step: u64,
) -> Result<Explanation> {
    pollster::block_on(explain_async(device, spec, parameters, data, learning_rate, step))
}

/// [`explain`] for async programs.
pub async fn explain_async(
    device: &Device,
    spec: &MlpSpec,
    parameters: &[f32],
    data: &Dataset,
    learning_rate: f64,
    step: u64,
) -> Result<Explanation> {
    let optimizer = Optimizer::sgd(learning_rate);
    optimizer.check()?;
    spec.check_data(data)?;
    Layout::new(spec).check(parameters)?;
    if step == 0 {
        return Err(Error::Setting { what: "step", found: "0".into(), expected: "at least 1".into() });
    }
    let shape = TrainShape { weightings: data.weightings(), ..TrainShape::full(data.rows()) };
    let whole = plan::plain(spec, &Recipe::new(Rule::Sgd), shape)?;
    let lines = lines(spec, &whole, data.rows(), learning_rate)?;
    let plan = dispatch_by_dispatch(whole);
    let hyper = optimizer.hyper(spec.loss_parameter()).map(|value| value as f32);

    let mut executor = device.load(plan.clone()).await?;
    write(&mut executor, data, &hyper, parameters, |value| value)?;
    for before in 1..step {
        executor.submit(&[(0, record(&optimizer, before))])?;
        executor.collect().await?;
    }
    let buffer = executor.plan().buffer(Role::Parameters)?;
    let start = executor.read(buffer).await?;
    if start.iter().any(|value| !value.is_finite()) {
        return Err(Error::Diverged { step: step - 1, epoch: step - 1, what: "network's parameters".into() });
    }
    let (found, cost) = walk(&mut executor, &lines, record(&optimizer, step), |_, _| false).await?;

    let mut oracle = CpuBackend::<Bounded>::load(&CpuDevice::new(0)?, device.as_loaded(plan))?;
    write(&mut oracle, data, &hyper, &start, |value| Bounded::exact(value.into()))?;
    let mut index = 0;
    let (expected, exact_cost) = walk(&mut oracle, &lines, record(&optimizer, step), |line, values| {
        index += 1;
        line.layer_of_z.is_some_and(|layer| keep_sides(spec, data, layer, &found[index - 1], values))
    })
    .await?;

    let terms = data.targets().len();
    let mut quantities = given(spec, data, &start);
    for ((line, found), expected) in lines.iter().zip(&found).zip(&expected) {
        if line.stage == Stage::Loss {
            let term = spec.loss().formulas()[0].replace('Z', &a_name(spec, spec.layers().len()));
            let formula = format!("mean over m = {terms} of {term}");
            let line = Line { name: "J".into(), formula, columns: 1, ..line.clone() };
            let count = terms as f64;
            quantities.push(Quantity::new(&line, [cost.to_f64() / count], &[exact_cost / Bounded::exact(count)]));
        }
        quantities.push(Quantity::new(line, found.iter().map(|&value| value.into()), expected));
    }
    let outputs = lines.iter().zip(&found).rfind(|(line, _)| line.stage == Stage::Forward);
    let predictions = outputs.and_then(|(_, z)| predictions(spec, z));
    let passed = quantities.iter().all(|quantity| quantity.fraction_of_limit <= 1.0);
    let (device, network) = (device.name(), spec.to_string());
    Ok(Explanation { device, network, step, learning_rate, terms, quantities, predictions, passed })
}

/// A quantity that the step makes, before it has values.
#[derive(Clone, Debug)]
struct Line {
    name: String,
    formula: String,
    kernels: Vec<&'static str>,
    stage: Stage,
    /// The dispatch after which it is complete.
    dispatch: usize,
    /// Where it lies: the buffer, and the first element in it.
    place: (BufferId, usize),
    rows: usize,
    columns: usize,
    /// The layer, from 0, if it is a layer's Z.
    layer_of_z: Option<usize>,
}

impl Quantity {
    fn new(line: &Line, found: impl IntoIterator<Item = f64>, expected: &[Bounded]) -> Self {
        let found: Vec<f64> = found.into_iter().collect();
        let rows = |values: &mut dyn Iterator<Item = f64>| {
            let values: Vec<f64> = values.collect();
            values.chunks(line.columns).map(<[f64]>::to_vec).collect::<Vec<_>>()
        };
        // Unlike f64::max, a NaN is the largest.
        let largest = |a: f64, b: f64| if a >= b || a.is_nan() { a } else { b };
        let differences = || found.iter().zip(expected).map(|(found, expected)| (found - expected.value).abs());
        let fraction = |(difference, expected): (f64, &Bounded)| match difference == 0.0 {
            true => 0.0,
            false => difference / expected.limit(),
        };
        Self {
            name: line.name.clone(),
            formula: line.formula.clone(),
            kernels: line.kernels.clone(),
            stage: line.stage,
            difference: differences().fold(0.0, largest),
            fraction_of_limit: differences().zip(expected).map(fraction).fold(0.0, largest),
            exact: rows(&mut expected.iter().map(|value| value.value)),
            limits: rows(&mut expected.iter().map(Bounded::limit)),
            values: rows(&mut found.iter().copied()),
        }
    }
}

/// Features, targets and the parameters before the step: they are the same on both sides.
fn given(spec: &MlpSpec, data: &Dataset, parameters: &[f32]) -> Vec<Quantity> {
    let quantity = |name: String, formula: String, columns: usize, values: &[f32]| {
        let line = Line { name, formula, ..Line::of(Stage::Given, 0, (0, 0), [0, columns]) };
        let exact: Vec<_> = values.iter().map(|&value| Bounded::exact(value.into())).collect();
        Quantity::new(&line, values.iter().map(|&value| value.into()), &exact)
    };
    let mut all = vec![
        quantity("X".into(), "features".into(), data.inputs(), data.features()),
        quantity("Y".into(), "targets".into(), data.target_columns(), data.targets()),
    ];
    for (index, tensor) in Layout::new(spec).tensors.iter().enumerate() {
        let name = parameter_name(index);
        all.push(quantity(name, tensor.name.clone(), tensor.columns, &parameters[tensor.range.clone()]));
    }
    all
}

/// `W1`, `b1`, `W2`, …, in the order of [`Layout`].
fn parameter_name(tensor: usize) -> String {
    format!("{}{}", if tensor.is_multiple_of(2) { "W" } else { "b" }, tensor / 2 + 1)
}

impl Line {
    fn of(stage: Stage, dispatch: usize, place: (BufferId, usize), [rows, columns]: [usize; 2]) -> Self {
        let (name, formula, kernels) = (String::new(), String::new(), Vec::new());
        Self { name, formula, kernels, stage, dispatch, place, rows, columns, layer_of_z: None }
    }
}

/// What each dispatch of the plain plan's step makes. `forward` and `back` count the layers on the way there and back.
fn lines(spec: &MlpSpec, plan: &Plan, rows: usize, learning_rate: f64) -> Result<Vec<Line>> {
    let (layers, layout) = (spec.layers(), Layout::new(spec));
    let input_of = |number: usize| if number == 1 { "X".to_string() } else { a_name(spec, number - 1) };
    let (mut lines, mut forward, mut back) = (Vec::<Line>::new(), 0, layers.len());
    let mut pending = None;
    for (index, dispatch) in plan.passes[0].dispatches.iter().enumerate() {
        let kernel = dispatch.kernel;
        let (name, formula, stage, output, shape) = match (kernel.name, dispatch.variant) {
            ("matmul", ATB) => {
                let formula = format!("{}ᵀ dZ{back}", input_of(back));
                let layer = layers[back - 1];
                (format!("dW{back}"), formula, Stage::Backward, 2, [layer.inputs, layer.outputs])
            }
            ("matmul", ABT) => {
                let formula = format!("dZ{back} W{back}ᵀ");
                back -= 1;
                (gradient_name(spec, back), formula, Stage::Backward, 2, [rows, layers[back - 1].outputs])
            }
            ("matmul", _) => {
                pending = Some(kernel.name);
                continue;
            }
            ("bias_add", _) => {
                forward += 1;
                let formula = format!("{} W{forward} + b{forward}", input_of(forward));
                (format!("Z{forward}"), formula, Stage::Forward, 1, [rows, layers[forward - 1].outputs])
            }
            ("activation_forward", _) => {
                let layer = layers[forward - 1];
                let formula = format!("{}(Z{forward})", layer.activation);
                (format!("A{forward}"), formula, Stage::Forward, 1, [rows, layer.outputs])
            }
            ("loss" | "softmax_loss", _) => {
                let formula = format!("({}) / m", spec.loss().formulas()[1].replace('Z', &a_name(spec, back)));
                (gradient_name(spec, back), formula, Stage::Loss, 3, [rows, layers[back - 1].outputs])
            }
            ("activation_backward", _) => {
                let layer = layers[back - 1];
                let formula = format!("dA{back} ⊙ {}'(Z{back})", layer.activation);
                (format!("dZ{back}"), formula, Stage::Backward, 2, [rows, layer.outputs])
            }
            ("bias_grad", _) => {
                let formula = format!("column sums of dZ{back}");
                (format!("db{back}"), formula, Stage::Backward, 1, [1, layers[back - 1].outputs])
            }
            ("update", _) => {
                for (tensor, place) in layout.tensors.iter().enumerate() {
                    let (name, view) = (parameter_name(tensor), dispatch.views[3]);
                    let place_of = (view.buffer, view.offset + place.range.start);
                    let formula = format!("{name} - {learning_rate} d{name}");
                    let line = Line::of(Stage::Update, index, place_of, [place.rows, place.columns]);
                    lines.push(Line { name: format!("{name}'"), formula, kernels: vec![kernel.name], ..line });
                }
                continue;
            }
            (other, _) => {
                return Err(Error::Setting {
                    what: "plan",
                    found: format!("a dispatch of {other}"),
                    expected: "the operations of plain gradient descent on the whole data set".into(),
                });
            }
        };
        let kernels = pending.take().into_iter().chain([kernel.name]).collect();
        let layer_of_z = (kernel.name == "bias_add").then(|| forward - 1);
        let view = dispatch.views[output];
        let line = Line::of(stage, index, (view.buffer, view.offset), shape);
        lines.push(Line { name, formula, kernels, layer_of_z, ..line });
    }
    Ok(lines)
}

/// What layer `number`, from 1, hands on: its Z, where its activation is the identity.
fn a_name(spec: &MlpSpec, number: usize) -> String {
    let linear = spec.layers()[number - 1].activation == Activation::Identity;
    format!("{}{number}", if linear { "Z" } else { "A" })
}

/// The gradient by what a layer hands on.
fn gradient_name(spec: &MlpSpec, number: usize) -> String {
    format!("d{}", a_name(spec, number))
}

/// The plan with one more pass for each dispatch of its step, behind the pass of the whole step.
fn dispatch_by_dispatch(mut plan: Plan) -> Plan {
    let Pass { kind, rows, dispatches } = plan.passes[0].clone();
    plan.passes.truncate(1);
    plan.passes.extend(dispatches.into_iter().map(|dispatch| Pass { kind, rows, dispatches: vec![dispatch] }));
    plan
}

/// The record of step `t`, counted from 1.
fn record(optimizer: &Optimizer, t: u64) -> Step {
    Step { lr_factor: 1.0, bias_corrections: optimizer.bias_corrections(t), ..Step::default() }
}

fn write<B: Backend>(
    backend: &mut B,
    data: &Dataset,
    hyper: &[f32],
    parameters: &[f32],
    convert: fn(f32) -> B::Real,
) -> Result<()> {
    let pairs = [
        (Role::Features, data.features()),
        (Role::Targets, &data.weighted_targets()),
        (Role::Hyper, hyper),
        (Role::Parameters, parameters),
    ];
    for (role, values) in pairs {
        let buffer = backend.plan().buffer(role)?;
        backend.write(buffer, &values.iter().map(|&value| convert(value)).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Runs the step dispatch by dispatch: the values of every line, and the sum of the loss's terms. Values that `amend`
/// changes, and says so, are what later dispatches see.
async fn walk<B: Backend>(
    backend: &mut B,
    lines: &[Line],
    step: Step,
    mut amend: impl FnMut(&Line, &mut [B::Real]) -> bool,
) -> Result<(Vec<Vec<B::Real>>, B::Real)> {
    let (mut all, mut cost) = (Vec::with_capacity(lines.len()), B::Real::default());
    for dispatch in 0..backend.plan().passes.len() - 1 {
        backend.submit(&[(1 + dispatch, step)])?;
        let ring = backend.collect().await?;
        for line in lines.iter().filter(|line| line.dispatch == dispatch) {
            if line.stage == Stage::Loss {
                // Each group has its sum and its number of correct rows.
                ring.iter().step_by(2).for_each(|&sum| cost += sum);
            }
            let (id, start) = line.place;
            let mut buffer = backend.read(id).await?;
            let place = start..start + line.rows * line.columns;
            if amend(line, &mut buffer[place.clone()]) {
                backend.write(id, &buffer)?;
            }
            all.push(buffer[place].to_vec());
        }
    }
    Ok((all, cost))
}

/// Where rounding may put a z on the other side of a kink, the slope behind it is another one, which no bound of
/// rounding errors covers. The oracle takes such a z from the device, and so its side.
fn keep_sides(spec: &MlpSpec, data: &Dataset, layer: usize, found: &[f32], exact: &mut [Bounded]) -> bool {
    let (kinks, loss) = (spec.layers()[layer].activation.kinks(), spec.loss());
    let pointwise = layer + 1 == spec.layers().len() && loss.domain() != TargetDomain::Class;
    let mut any = false;
    for (at, (value, &found)) in exact.iter_mut().zip(found).enumerate() {
        let (z, limit) = (value.value, value.limit());
        let is_near = |kink: &f64| (z - kink).abs() <= limit;
        let side = |z: f64| loss.side(z, data.targets()[at].into(), spec.loss_parameter());
        if kinks.iter().any(is_near) || (pointwise && side(z - limit) != side(z + limit)) {
            *value = Bounded::exact(found.into());
            any = true;
        }
    }
    any
}

fn predictions(spec: &MlpSpec, outputs: &[f32]) -> Option<Vec<Vec<f64>>> {
    let (loss, rows) = (spec.loss(), outputs.chunks(spec.outputs()));
    let is_itself = loss.domain() == TargetDomain::Real;
    (!is_itself).then(|| rows.map(|z| loss.predictions_of(z)).collect())
}
