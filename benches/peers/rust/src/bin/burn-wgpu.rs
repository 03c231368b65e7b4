//! Burn on a GPU, by its backend wgpu as it is by default: fusion, autotuning, WGSL.

use burn::prelude::{Device, DeviceKind};

fn main() -> peers::work::Result<()> {
    if !peers::on_gpu() {
        peers::skip("Burn's wgpu is for GPUs");
    }
    let device = Device::wgpu(DeviceKind::DefaultDevice);
    let name = device.identity().map_or("a GPU".into(), |found| found.name);
    peers::with_burn::main("Burn, wgpu", &device, Some(name))
}
