//! `--help` lists what the library's tables have, so that a new row needs no change of the command.

use wgpu_mlp::math::{Activation, Loss, Optimizer};
use wgpu_mlp::params::Init;
use wgpu_mlp::plan::PlanKind;
use wgpu_mlp::sweep::Metric;
use wgpu_mlp::train::Schedule;

use crate::cli::Place;

/// The text behind a flag, its lines as one.
fn text_of(place: &Place, command: &str, flag: &str) -> String {
    let help = place.stdout(&format!("{command} --help"));
    let mut lines = help.lines().skip_while(|line| !line.trim_start().starts_with(&format!("--{flag} ")));
    let first = lines.next().unwrap_or_else(|| panic!("{command} has no --{flag}"));
    let rest = lines.take_while(|line| !line.trim_start().starts_with('-') && !line.trim().is_empty());
    let words: Vec<_> = first.split_whitespace().chain(rest.flat_map(str::split_whitespace)).collect();
    words.join(" ")
}

#[test]
fn every_name_of_a_table_is_in_the_help() {
    let place = Place::new();
    let names = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>();
    let activations = names(&mut Activation::ALL.iter().map(ToString::to_string));
    let losses = names(&mut Loss::ALL.iter().map(ToString::to_string));
    let optimizers = names(&mut Optimizer::names().map(String::from));
    let inits = names(&mut Init::ALL.iter().map(ToString::to_string));
    let plans = names(&mut PlanKind::ALL.iter().map(ToString::to_string));
    let metrics = names(&mut Metric::ALL.iter().map(ToString::to_string));
    let schedules = names(&mut Schedule::ALL.iter().map(ToString::to_string));
    for (commands, flag, names) in [
        (&["train", "gradcheck", "bench", "import", "explain"][..], "activation", &activations),
        (&["train", "gradcheck", "bench", "import", "explain"], "loss", &losses),
        (&["train", "bench"], "optimizer", &optimizers),
        (&["train", "gradcheck", "explain"], "init", &inits),
        (&["train", "gradcheck", "bench"], "plan", &plans),
        (&["train"], "schedule", &schedules),
        (&["sweep"], "metric", &metrics),
    ] {
        for command in commands {
            let text = text_of(&place, command, flag);
            let words: Vec<_> = text.split([' ', ';']).map(|word| word.trim_end_matches([',', ':'])).collect();
            for name in names {
                assert!(words.contains(&name.as_str()), "{command} --{flag}: no {name} in: {text}");
            }
        }
    }
}

/// Each optimiser's default of a setting that depends on it, and a flag for each parameter of a loss.
#[test]
fn the_help_says_what_depends_on_optimisers_and_losses() {
    let place = Place::new();
    type Default = fn(&Optimizer) -> f64;
    let defaults: [(&str, Default); 5] = [
        ("lr", |optimizer| optimizer.rule.default_learning_rate()),
        ("beta1", |optimizer| optimizer.beta_1),
        ("beta2", |optimizer| optimizer.beta_2),
        ("epsilon", |optimizer| optimizer.epsilon),
        ("weight-decay", |optimizer| optimizer.weight_decay),
    ];
    for (flag, default) in defaults {
        let text = text_of(&place, "train", flag);
        let (_, list) = text.split_once("[default: ").unwrap();
        let (list, _) = list.split_once(']').unwrap();
        let groups: Vec<_> = list.split("; ").map(|group| group.split_once(" for ")).collect();
        for name in Optimizer::names() {
            let value = default(&Optimizer::named(name, 0.0).unwrap());
            let of_name = groups.iter().flatten().find(|(_, names)| names.split(", ").any(|known| known == name));
            let others = groups.iter().flatten().find(|(_, names)| *names == "the others");
            let said = of_name.or(others).map_or(list, |(value, _)| value);
            assert_eq!(said.parse::<f64>().unwrap(), value, "{name}: {text}");
        }
    }
    let parameters: Vec<_> = Loss::ALL.iter().filter_map(|loss| loss.parameter()).collect();
    assert!(!parameters.is_empty());
    for parameter in parameters {
        for command in ["train", "gradcheck", "explain"] {
            let text = text_of(&place, command, &parameter.name.replace('_', "-"));
            assert!(text.contains(parameter.about), "{command}: {text}");
        }
    }
}
