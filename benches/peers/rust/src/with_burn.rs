//! The training in Burn: its `Linear`, its losses and optimisers, on any of its devices.

use burn::module::Param;
use burn::nn::loss::{BinaryCrossEntropyLossConfig, CrossEntropyLossConfig};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use crate::work::{Arrays, Product, Result, Run, Training, Work};

#[derive(Module, Debug)]
struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    fn new(widths: &[usize], mut p: &[f32], device: &Device) -> Self {
        let mut layers = Vec::new();
        for pair in widths.windows(2) {
            let (weight, rest) = p.split_at(pair[0] * pair[1]);
            let (bias, rest) = rest.split_at(pair[1]);
            p = rest;
            let mut layer = LinearConfig::new(pair[0], pair[1]).init(device);
            layer.weight = Param::from_data(TensorData::new(weight.to_vec(), [pair[0], pair[1]]), device);
            layer.bias = Some(Param::from_data(TensorData::new(bias.to_vec(), [pair[1]]), device));
            layers.push(layer);
        }
        Self { layers }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.layers.iter().enumerate().fold(x, |a, (index, layer)| match index {
            0 => layer.forward(a),
            _ => layer.forward(relu(a)),
        })
    }
}

struct Trainer {
    work: Training,
    device: Device,
    model: Option<Mlp>, // the optimiser takes it and gives it back
    optimizer: ModuleOptimizer,
    x: Tensor<2>,
    y: Tensor<1, Int>,
    order: Vec<i32>,
    random: SmallRng,
    total: Tensor<1>, // of the losses
}

impl Trainer {
    fn new(work: &Training, [x, y, p]: Arrays, device: &Device) -> Self {
        let device = device.clone().autodiff();
        let optimizer = match work.optimizer.as_str() {
            "sgd" => SgdConfig::new().init(),
            _ => AdamConfig::new().with_epsilon(1e-8).init(),
        };
        let y: Vec<i32> = y.into_iter().map(|class| class as i32).collect();
        Self {
            model: Some(Mlp::new(&work.layers, &p, &device)),
            optimizer,
            x: Tensor::from_data(TensorData::new(x, [work.rows, work.layers[0]]), &device),
            y: Tensor::from_data(TensorData::new(y, [work.rows]), &device),
            order: (0..work.rows as i32).collect(),
            random: SmallRng::seed_from_u64(0),
            total: Tensor::zeros([1], &device.clone().inner()),
            work: work.clone(),
            device,
        }
    }

    fn step(&mut self, x: Tensor<2>, y: Tensor<1, Int>) -> Result<()> {
        let model = self.model.take().ok_or("no model")?;
        let z = model.forward(x);
        let loss = if self.work.loss == "binary_cross_entropy" {
            let loss = BinaryCrossEntropyLossConfig::new().with_logits(true).init(&self.device);
            loss.forward(z, y.unsqueeze_dim::<2>(1))
        } else {
            CrossEntropyLossConfig::new().init(&self.device).forward(z, y)
        };
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        self.model = Some(self.optimizer.step(self.work.learning_rate, model, gradients));
        self.total = self.total.clone() + loss.inner();
        Ok(())
    }
}

impl Run for Trainer {
    fn part(&mut self) -> Result<()> {
        let Training { rows, batch, epochs, .. } = self.work;
        for _ in 0..epochs {
            if batch == rows {
                self.step(self.x.clone(), self.y.clone())?;
                continue;
            }
            self.order.shuffle(&mut self.random);
            let order = TensorData::new(self.order.clone(), [rows]);
            let order = Tensor::<1, Int>::from_data(order, &self.device);
            for start in (0..rows).step_by(batch) {
                let chosen = order.clone().slice(s![start..rows.min(start + batch)]);
                self.step(self.x.clone().select(0, chosen.clone()), self.y.clone().select(0, chosen))?;
            }
        }
        Ok(self.device.sync()?)
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for layer in self.model.iter().flat_map(|model| &model.layers) {
            all.extend(layer.weight.val().into_data().try_into_vec::<f32>()?);
            all.extend(layer.bias.as_ref().ok_or("a layer without a bias")?.val().into_data().try_into_vec::<f32>()?);
        }
        Ok(all)
    }
}

struct Multiplier {
    products: usize,
    device: Device,
    a: Tensor<2>,
    b: Tensor<2>,
    c: Option<Tensor<2>>,
}

impl Run for Multiplier {
    fn part(&mut self) -> Result<()> {
        for _ in 0..self.products {
            self.c = Some(self.a.clone().matmul(self.b.clone()));
        }
        Ok(self.device.sync()?)
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        Ok(self.c.clone().ok_or("nothing was multiplied")?.into_data().try_into_vec()?)
    }
}

/// Runs the cases on a device; `name` is None for the processor.
pub fn main(peer: &str, device: &Device, name: Option<String>) -> Result<()> {
    crate::main(peer, "burn", name, |work, arrays| {
        Ok(match work {
            Work::Train(training) => Box::new(Trainer::new(training, arrays, device)),
            &Work::Multiply(Product { m, n, k, products }) => {
                let [a, b, _] = arrays;
                let a = Tensor::from_data(TensorData::new(a, [m, k]), device);
                let b = Tensor::from_data(TensorData::new(b, [k, n]), device);
                Box::new(Multiplier { products, device: device.clone(), a, b, c: None })
            }
        })
    })
}
