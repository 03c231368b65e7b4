//! States of a run that no trainer gave: refused, or a run that comes to its end.
#![no_main]

use std::cell::RefCell;
use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use wgpu_mlp::backend::{CpuDevice, Device};
use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::math::{Activation, Loss, Optimizer, Rule};
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::train::{Batch, EarlyStopping, TrainConfig, TrainState, Trainer};
use wgpu_mlp_fuzz::assert_harmless;

/// A trainer with a state of its own, which the input changes.
struct Subject {
    trainer: Trainer,
    state: TrainState,
    progress: Value,
}

thread_local! {
    static SUBJECTS: RefCell<Vec<Subject>> = RefCell::new([false, true].map(Subject::new).into());
}

impl Subject {
    fn new(controlled: bool) -> Self {
        let spec = MlpSpec::new(&[2, 2, 1], Activation::Tanh, Loss::BinaryCrossEntropy).expect("a network");
        let (data, judged) = (random_data(&spec, 6, 1).expect("data"), random_data(&spec, 5, 2).expect("data"));
        let mut config = TrainConfig::new(3, Batch::Rows(4), Optimizer::new(Rule::Adam, 0.01));
        if controlled {
            config = config.schedule("plateau".parse().expect("a schedule")).early_stopping(EarlyStopping::new(2));
        }
        let device = Device::Cpu(CpuDevice::new(1).expect("a thread"));
        let validation = controlled.then_some(&judged);
        let mut trainer = Trainer::with_validation(&device, &spec, &config, &data, validation).expect("a trainer");
        let state = trainer.state().expect("a state");
        let progress = serde_json::to_value(&state.progress).expect("JSON");
        Self { trainer, state, progress }
    }
}

/// Numbers from the input: small, large or any.
struct Source<'a>(&'a [u8]);

impl Source<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let count = N.min(self.0.len());
        bytes[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        bytes
    }

    fn whole(&mut self) -> u64 {
        match self.bytes::<1>()[0] {
            small @ 0..200 => u64::from(small % 16),
            kind @ 200..250 => (1_u64 << (kind - 200)).wrapping_add(u64::from(self.bytes::<1>()[0])),
            250 => u64::MAX,
            251 => u64::MAX / 2,
            _ => u64::from_le_bytes(self.bytes()),
        }
    }

    fn number(&mut self) -> f64 {
        match self.bytes::<1>()[0] {
            small @ 0..200 => f64::from(small) / 8.0 - 2.0,
            200..220 => 1e300,
            220..230 => -1e300,
            _ => f64::from_le_bytes(self.bytes()),
        }
    }

    fn maybe(&mut self) -> Value {
        if self.bytes::<1>()[0] & 1 == 0 { Value::Null } else { json!(self.number()) }
    }

    fn sums(&mut self) -> Value {
        json!({ "loss": self.number(), "hits": self.number(), "terms": self.number() })
    }

    fn run(&mut self) -> Value {
        let last = match self.bytes::<1>()[0] & 1 {
            0 => Value::Null,
            _ => json!({
                "epoch": self.whole(), "step": self.whole(), "learning_rate": self.number(), "loss": self.number(),
                "accuracy": self.maybe(), "validation": { "loss": self.number(), "accuracy": self.maybe() },
            }),
        };
        json!({
            "first": self.whole(), "end": self.whole(), "judged": self.whole(), "judged_rows": self.whole(),
            "training": self.sums(), "validation": self.sums(), "last": last,
            "plateau": { "factor": self.number(), "best": self.maybe(), "bad_epochs": self.whole() },
            "stopping": { "best": self.maybe(), "best_epoch": self.whole(), "bad_epochs": self.whole() },
            "finished": self.bytes::<1>()[0] & 1 != 0,
        })
    }
}

fuzz_target!(|bytes: &[u8]| {
    wgpu_mlp_fuzz::one_thread();
    SUBJECTS.with_borrow_mut(|subjects| {
        let mut source = Source(bytes);
        let which = usize::from(source.bytes::<1>()[0] & 1);
        let Subject { trainer, state, progress } = &mut subjects[which];
        for key in ["age", "optimizer_start", "step"] {
            progress[key] = json!(source.whole());
        }
        progress["run"] = source.run();
        let Ok(progress) = serde_json::from_value(progress.clone()) else { return };
        let state = TrainState { progress, ..state.clone() };
        match trainer.restore(&state) {
            Err(error) => assert_harmless(&error.to_string()),
            Ok(()) => {
                let mut epochs = 0;
                let outcome = trainer.resume_with(|_| {
                    epochs += 1;
                    ControlFlow::Continue(())
                });
                assert!(epochs < 100, "{epochs} events of 3 epochs");
                if let Err(error) = outcome {
                    assert_harmless(&error.to_string());
                }
            }
        }
    });
});
