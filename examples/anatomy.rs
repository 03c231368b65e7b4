//! The whole stack in one file: a network becomes a plan, a device executes it, and a step leaves its gradients behind.
//! `cargo run --release --example anatomy -- cpu`, or any other device.
//!
//! `Trainer` does all of this for a program; `mlp explain moons` prints the numbers of each line of the plan.

#![allow(missing_docs)]

use wgpu_mlp::backend::Backend;
use wgpu_mlp::kernels::Step;
use wgpu_mlp::params::Layout;
use wgpu_mlp::plan::{Recipe, Role, TrainShape, plain};
use wgpu_mlp::{Activation, Dataset, Init, Loss, MlpSpec, Optimizer, Result, Rule, block_on, open};

const LEARNING_RATE: f64 = 0.01;

fn main() -> Result<()> {
    let device = std::env::args().nth(1).unwrap_or_else(|| "auto".into());
    run(&device).map(|_| ())
}

/// By how much one step lowers the cost, and what the gradient promises: the learning rate times its squared norm.
pub fn run(device: &str) -> Result<[f64; 2]> {
    // 1. The network says which layers there are; its layout says where each parameter stands in one flat list.
    let spec = MlpSpec::new(&[2, 3, 1], Activation::Tanh, Loss::BinaryCrossEntropy)?;
    let layout = Layout::new(&spec);
    println!("network  {spec}");
    for tensor in &layout.tensors {
        println!("  {:16} {} x {} at {:?}", tensor.name, tensor.rows, tensor.columns, tensor.range);
    }

    // 2. A plan is data: buffers, and dispatches of kernels over them. This one has a dispatch for each operation.
    let data = Dataset::new(vec![0., 0., 0., 1., 1., 0., 1., 1.], vec![0., 1., 1., 0.], 2, 1)?;
    let plan = plain(&spec, &Recipe::new(Rule::Sgd), TrainShape::full(data.rows()))?;
    println!("\nplan     {}: {} buffers", plan.kind, plan.buffers.len());
    for dispatch in &plan.passes[0].dispatches {
        let (kernel, dims) = (dispatch.kernel, &dispatch.dims);
        let roles = dispatch.views.iter().map(|view| format!("{:?}", plan.buffers[view.buffer].role));
        println!("  {:20} {dims:?}  {}", kernel.name, roles.collect::<Vec<_>>().join(", "));
    }

    // 3. A device allocates the buffers and compiles the kernels; it knows nothing of networks.
    let choice = open(device)?;
    println!("\ndevice   {choice}");
    let mut executor = block_on(choice.device.load(plan))?;
    let hyper = Optimizer::sgd(LEARNING_RATE).hyper(spec.loss_parameter()).map(|value| value as f32);
    let parameters = Init::Xavier.draw(&spec, 1)?;
    let contents = [
        (Role::Features, data.features()),
        (Role::Targets, data.targets()),
        (Role::Hyper, &hyper),
        (Role::Parameters, &parameters),
    ];
    for (role, values) in contents {
        let buffer = executor.plan().buffer(role)?;
        executor.write(buffer, values)?;
    }

    // 4. A step is the first pass with its record. Its cost is that before its update, so a second one shows what it did.
    let mut costs = [0.0; 2];
    let mut squares = 0.0;
    for (index, cost) in costs.iter_mut().enumerate() {
        executor.submit(&[(0, Step { lr_factor: 1.0, ..Step::default() })])?;
        // Each group of rows has its sum of losses, and its number of correct rows.
        let sums = block_on(executor.collect())?;
        *cost = sums.iter().step_by(2).map(|&sum| f64::from(sum)).sum::<f64>() / data.rows() as f64;
        println!("\nstep {}   cost {cost:.7}", index + 1);

        // 5. Gradients lie in the same layout as the parameters.
        let buffer = executor.plan().buffer(Role::Gradients)?;
        let gradients = block_on(executor.read(buffer))?;
        for tensor in &layout.tensors {
            println!("  d {:16} {:?}", tensor.name, &gradients[tensor.range.clone()]);
        }
        if index == 0 {
            squares = gradients.iter().map(|&g| f64::from(g).powi(2)).sum();
        }
    }
    Ok([costs[0] - costs[1], LEARNING_RATE * squares])
}
