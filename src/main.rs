//! The `mlp` command: see `mlp --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    wgpu_mlp::cli::main()
}
