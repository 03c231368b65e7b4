//! `reference SETTINGS.json STEPS`: what the library computes on this machine's processor, for the tests to compare a browser with. As JSON: the
//! initial parameters; the gradient of the mean loss over all rows, the f64 oracle's beside it, and how far rounding in f32 may lead away from
//! that; loss and accuracy after so many steps.

use std::env::args;
use std::process::ExitCode;

use serde_json::{Value, json};
use wgpu_mlp::explain::explain;
use wgpu_mlp::{Result, block_on, open};
use wgpu_mlp_web::data::Data;
use wgpu_mlp_web::session::Session;
use wgpu_mlp_web::settings::Settings;

fn main() -> ExitCode {
    let [settings, steps] = &args().skip(1).collect::<Vec<_>>()[..] else {
        eprintln!("usage: reference SETTINGS-AS-JSON STEPS");
        return ExitCode::FAILURE;
    };
    match steps
        .parse()
        .map_err(|error| format!("steps: {error}"))
        .and_then(|steps| block_on(reference(settings, steps)).map_err(|error| error.to_string()))
    {
        Ok(found) => {
            println!("{found}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("reference: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// On the moons of the article.
async fn reference(settings: &str, steps: u64) -> Result<Value> {
    let settings = Settings { device: "cpu".into(), ..Settings::parse(settings)? };
    let data = Data::built_in("moons", 1000, 0.2, 100)?;
    let mut session = Session::open(&settings, &data).await?;
    let parameters = session.parameters().await?;
    let gradients = session.gradients().await?;
    let (spec, rows) = session.network();
    let explained = explain(&open("cpu")?.device, spec, &parameters, rows, settings.learning_rate, 1)?;
    let (mut exact, mut limits) = (Vec::new(), Vec::new());
    for layer in 1..=spec.layers().len() {
        for name in [format!("dW{layer}"), format!("db{layer}")] {
            let found = explained.quantities.iter().find(|quantity| quantity.name == name);
            let of = |values: fn(&wgpu_mlp::explain::Quantity) -> &Vec<Vec<f64>>| {
                found.map(values).into_iter().flatten().flatten()
            };
            exact.extend(of(|quantity| &quantity.exact).copied());
            limits.extend(of(|quantity| &quantity.limits).copied());
        }
    }
    let points = data.points()?;
    let targets = data.targets()?;
    session.train(steps, async || {}).await?;
    let score = session.score().await?;
    Ok(json!({
        "points": points, "targets": targets,
        "parameters": parameters, "gradients": gradients, "exact": exact, "limits": limits, "score": score,
    }))
}
