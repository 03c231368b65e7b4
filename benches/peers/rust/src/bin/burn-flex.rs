//! Burn on the CPU, by its backend flex.

use burn::prelude::Device;

fn main() -> peers::work::Result<()> {
    if peers::on_gpu() {
        peers::skip("Burn's flex is for processors");
    }
    peers::with_burn::main("Burn, flex", &Device::flex(), None)
}
