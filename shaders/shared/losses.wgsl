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

// Softmax cross entropy of a row of logits z. others is the sum of e^(z - z_max) without the first largest, gap is
// z_max - z of the row's class, gaps the sum of all z_max - z, c the label smoothing, share = c / outputs.
fn softmax_value(others: f32, gap: f32, gaps: f32, c: f32, share: f32) -> f32 {
    return log_1p(others) + (1.0 - c) * gap + share * gaps;
}

// Its derivative by a logit that lies `below` the largest: e^(z - z_max) / (1 + others) - (1 - c) [class] - share.
fn softmax_slope(others: f32, below: f32, is_top: bool, is_class: bool, c: f32, share: f32) -> f32 {
    let whole = 1.0 + others;
    let p = select(exp(-below), 1.0, is_top) / whole;
    if (is_class) {
        // 1 - p without cancellation, where p is near 1.
        return (c - share) + select(p - 1.0, -others / whole, is_top);
    }
    return p - share;
}
