//! `wgpu-mlp-bindgen IN.wasm FOLDER`: the wasm and its JavaScript for a page, as `wasm-bindgen --target web` makes them. The command itself
//! has three times as many crates, for its tests' servers.

use std::env::args;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let [input, folder] = &args().skip(1).collect::<Vec<_>>()[..] else {
        eprintln!("usage: wgpu-mlp-bindgen IN.wasm FOLDER");
        return ExitCode::FAILURE;
    };
    let mut bindgen = Bindgen::new();
    let made = bindgen.input_path(input).web(true).and_then(|bindgen| bindgen.typescript(true).generate(folder));
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wgpu-mlp-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
