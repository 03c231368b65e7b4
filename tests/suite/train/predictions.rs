//! Predictors: shared between threads, and on the CPU the same bits for a row whatever rows come with it.

use std::thread;

use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::{Activation, Error, Init, Loss, MlpSpec, Predictor};

use crate::train::gradients::{bits, everywhere};

/// A compile-time fact: threads share a predictor.
fn is_shared<T: Send + Sync + Clone>() {}

/// Narrow and wide layers, so that every way of a product is taken, with every activation.
#[test]
fn a_row_on_the_cpu_is_the_same_bits_among_any_others() {
    let device = wgpu_mlp::open("cpu").unwrap().device;
    let widths: [&[usize]; 5] = [&[2, 8, 1], &[3, 40, 40, 5], &[129, 64, 1], &[300, 200, 90, 10], &[700, 3]];
    for (index, &activation) in Activation::ALL.iter().enumerate() {
        // Each activation with two of the networks.
        for widths in [widths[index % 5], widths[(index + 2) % 5]] {
            let spec = MlpSpec::new(widths, activation, Loss::MeanSquaredError).unwrap();
            let parameters = Init::Xavier.draw(&spec, 1).unwrap();
            let predictor = Predictor::new(&device, &spec, &parameters, 1).unwrap();
            let data = random_data(&spec, 1000, 2).unwrap();
            let (inputs, outputs) = (spec.inputs(), spec.outputs());
            let alone: Vec<u32> =
                data.features().chunks(inputs).flat_map(|row| bits(&predictor.outputs(row).unwrap())).collect();
            for rows in [2, 7, 333, 1000] {
                let grouped: Vec<u32> = data
                    .features()
                    .chunks(rows * inputs)
                    .flat_map(|rows| bits(&predictor.outputs(rows).unwrap()))
                    .collect();
                assert_eq!(grouped.len(), 1000 * outputs);
                assert!(grouped == alone, "{spec} by {rows}");
            }
        }
    }
}

/// Threads that share one predictor get what one alone gets, and all clones see parameters that one of them sets.
#[test]
fn threads_share_a_predictor() {
    is_shared::<Predictor>();
    let spec = MlpSpec::new(&[4, 16, 3], Activation::Tanh, Loss::SoftmaxCrossEntropy).unwrap();
    let data = random_data(&spec, 64, 1).unwrap();
    let [first, second] = [1, 2].map(|seed| Init::He.draw(&spec, seed).unwrap());
    for device in everywhere() {
        let predictor = Predictor::new(&device, &spec, &first, 64).unwrap();
        let expected = bits(&predictor.outputs(data.features()).unwrap());
        thread::scope(|scope| {
            for _ in 0..3 {
                let predictor = predictor.clone();
                let (data, expected) = (&data, &expected);
                scope.spawn(move || {
                    for _ in 0..5 {
                        assert!(bits(&predictor.outputs(data.features()).unwrap()) == *expected);
                    }
                });
            }
        });
        let clone = predictor.clone();
        predictor.set_parameters(&second).unwrap();
        let fresh = Predictor::new(&device, &spec, &second, 64).unwrap();
        let found = bits(&clone.outputs(data.features()).unwrap());
        assert_ne!(found, expected);
        assert_eq!(found, bits(&fresh.outputs(data.features()).unwrap()), "{}", device.name());
        // One row of a predictor for 64 is a plan of its own on a GPU, and near what it is among others.
        let one = predictor.outputs(&data.features()[..4]).unwrap();
        let many = predictor.outputs(data.features()).unwrap();
        assert!(one.iter().zip(&many).all(|(one, many)| (one - many).abs() < 1e-5), "{}", device.name());
    }
}

/// Predictions are the outputs behind the loss; memory of a wrong length is refused.
#[test]
fn predictions_are_probabilities() {
    let spec = MlpSpec::new(&[4, 16, 3], Activation::Tanh, Loss::SoftmaxCrossEntropy).unwrap();
    let parameters = Init::He.draw(&spec, 1).unwrap();
    let data = random_data(&spec, 9, 1).unwrap();
    for device in everywhere() {
        let predictor = Predictor::new(&device, &spec, &parameters, 9).unwrap();
        let mut shares = vec![0.0; 27];
        predictor.predict_into(data.features(), &mut shares).unwrap();
        assert_eq!(shares, predictor.predict(data.features()).unwrap());
        for (row, z) in shares.chunks(3).zip(predictor.outputs(data.features()).unwrap().chunks(3)) {
            let mut expected: Vec<f64> = z.iter().map(|&z| z.into()).collect();
            spec.loss().predictions(&mut expected);
            assert!(row.iter().zip(&expected).all(|(&found, &expected)| found == expected as f32));
        }
        let refused = predictor.predict_into(data.features(), &mut shares[1..]).unwrap_err();
        assert!(matches!(refused, Error::Shape { .. }), "{refused}");
        assert!(matches!(predictor.set_parameters(&[0.0]), Err(Error::Shape { .. })));
        assert!(predictor.predict(&[]).unwrap().is_empty());
    }
}

/// Columns that the network does not have, and no rows, are errors of importance.
#[test]
fn importance_is_of_inputs_on_rows() {
    let device = wgpu_mlp::open("cpu").unwrap().device;
    let spec = MlpSpec::new(&[3, 4, 1], Activation::Relu, Loss::MeanSquaredError).unwrap();
    let predictor = Predictor::new(&device, &spec, &Init::He.draw(&spec, 1).unwrap(), 1).unwrap();
    let data = random_data(&spec, 9, 2).unwrap();
    assert_eq!(predictor.importance(&data, &[0..3, 3..3], 1, 0, None).unwrap().len(), 2);
    let reversed = std::ops::Range { start: 2, end: 1 };
    for column in [2..4, 3..5, reversed] {
        let refused = predictor.importance(&data, &[0..1, column], 1, 0, None).unwrap_err();
        assert!(refused.to_string().contains("within 0..3"), "{refused}");
    }
    let none = data.select(&[]);
    assert!(matches!(predictor.importance(&none, &[0..1, 1..3], 1, 0, None), Err(Error::Setting { .. })));
}
