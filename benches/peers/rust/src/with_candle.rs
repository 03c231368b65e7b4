//! The training in candle, on the CPU: its `Linear`, its losses, and its SGD or AdamW without decay.

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use candle_nn::loss::{binary_cross_entropy_with_logit, cross_entropy};
use candle_nn::{AdamW, Linear, Module, Optimizer, ParamsAdamW, SGD};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use crate::work::{Arrays, Product, Result, Run, Training, Work};

const CPU: Device = Device::Cpu;

type Update = Box<dyn FnMut(&GradStore) -> candle_core::Result<()>>;

struct Trainer {
    work: Training,
    layers: Vec<Linear>,
    update: Update,
    x: Tensor,
    y: Tensor,
    order: Vec<u32>,
    random: SmallRng,
    total: f64, // of the losses
}

impl Trainer {
    fn new(work: &Training, [x, y, p]: Arrays) -> Result<Self> {
        let (mut layers, mut variables, mut p) = (Vec::new(), Vec::new(), p.as_slice());
        for pair in work.layers.windows(2) {
            let (weight, rest) = p.split_at(pair[0] * pair[1]);
            let (bias, rest) = rest.split_at(pair[1]);
            p = rest;
            let weight = Var::from_tensor(&Tensor::from_slice(weight, (pair[0], pair[1]), &CPU)?.t()?.contiguous()?)?;
            let bias = Var::from_slice(bias, pair[1], &CPU)?;
            layers.push(Linear::new(weight.as_tensor().clone(), Some(bias.as_tensor().clone())));
            variables.extend([weight, bias]);
        }
        let lr = work.learning_rate;
        let update: Update = if work.optimizer == "sgd" {
            let mut sgd = SGD::new(variables, lr)?;
            Box::new(move |grads| sgd.step(grads))
        } else {
            let mut adam = AdamW::new(variables, ParamsAdamW { lr, weight_decay: 0.0, ..ParamsAdamW::default() })?;
            Box::new(move |grads| adam.step(grads))
        };
        let x = Tensor::from_vec(x, (work.rows, work.layers[0]), &CPU)?;
        let y = if work.loss == "binary_cross_entropy" {
            Tensor::from_vec(y, (work.rows, 1), &CPU)?
        } else {
            Tensor::from_iter(y.into_iter().map(|class| class as u32), &CPU)?
        };
        let order = (0..work.rows as u32).collect();
        Ok(Self { work: work.clone(), layers, update, x, y, order, random: SmallRng::seed_from_u64(0), total: 0.0 })
    }

    fn step(&mut self, x: &Tensor, y: &Tensor) -> Result<()> {
        let mut a = x.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            a = layer.forward(&a)?;
            if index + 1 < self.layers.len() {
                a = a.relu()?;
            }
        }
        let binary = self.work.loss == "binary_cross_entropy";
        let loss = if binary { binary_cross_entropy_with_logit(&a, y)? } else { cross_entropy(&a, y)? };
        (self.update)(&loss.backward()?)?;
        self.total += f64::from(loss.to_scalar::<f32>()?);
        Ok(())
    }
}

impl Run for Trainer {
    fn part(&mut self) -> Result<()> {
        let Training { rows, batch, epochs, .. } = self.work;
        for _ in 0..epochs {
            if batch == rows {
                let (x, y) = (self.x.clone(), self.y.clone());
                self.step(&x, &y)?;
                continue;
            }
            self.order.shuffle(&mut self.random);
            let order = Tensor::from_slice(&self.order, rows, &CPU)?;
            for start in (0..rows).step_by(batch) {
                let chosen = order.narrow(0, start, batch.min(rows - start))?;
                let (x, y) = (self.x.index_select(&chosen, 0)?, self.y.index_select(&chosen, 0)?);
                self.step(&x, &y)?;
            }
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for layer in &self.layers {
            all.extend(layer.weight().t()?.flatten_all()?.to_vec1::<f32>()?);
            all.extend(layer.bias().ok_or("a layer without a bias")?.to_vec1::<f32>()?);
        }
        Ok(all)
    }
}

struct Multiplier {
    products: usize,
    a: Tensor,
    b: Tensor,
    c: Option<Tensor>,
}

impl Run for Multiplier {
    fn part(&mut self) -> Result<()> {
        for _ in 0..self.products {
            self.c = Some(self.a.matmul(&self.b)?);
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        Ok(self.c.as_ref().ok_or("nothing was multiplied")?.flatten_all()?.to_vec1()?)
    }
}

fn start(work: &Work, arrays: Arrays) -> Result<Box<dyn Run>> {
    Ok(match work {
        Work::Train(training) => Box::new(Trainer::new(training, arrays)?),
        &Work::Multiply(Product { m, n, k, products }) => {
            let [a, b, _] = arrays;
            let (a, b) = (Tensor::from_vec(a, (m, k), &CPU)?, Tensor::from_vec(b, (k, n), &CPU)?);
            Box::new(Multiplier { products, a, b, c: None })
        }
    })
}

/// Runs the cases.
pub fn main() -> Result<()> {
    crate::main("candle", "candle-core", None, start)
}
