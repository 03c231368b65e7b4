//! candle on the CPU.

fn main() -> peers::work::Result<()> {
    if peers::on_gpu() {
        peers::skip("candle's GPU code is CUDA's and Metal's; here it is measured on the CPU");
    }
    peers::with_candle::main()
}
