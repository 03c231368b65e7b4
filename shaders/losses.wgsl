// What the kernels of losses share.

// A NaN for every z that is not finite. Bits, since a compiler may assume that no NaN exists.
fn finite_or_nan(z: f32, value: f32) -> f32 {
    let bits = bitcast<u32>(z);
    let finite = (bits & 0x7f800000u) != 0x7f800000u;
    return bitcast<f32>(select(bits | 0x7fc00000u, bitcast<u32>(value), finite));
}

// log(1 + x) for x >= 0. Up to 1 as 2 artanh(s), s = x / (2 + x) <= 1/3: the series is cut where its remainder is
// below 2^-26 of the sum; WGSL's log only promises an absolute 2^-21 near 1. Beyond, log itself is good.
fn log_1p(x: f32) -> f32 {
    if (x > 1.0) {
        return log(1.0 + x);
    }
    let s = x / (2.0 + x);
    let q = s * s;
    let series = 1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0
        + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q * (1.0 / 15.0)))))));
    return 2.0 * s * series;
}
