// l = max(z, 0) - z y + log(1 + e^-|z|) on the logit z; dl/dz = sigmoid(z) - y.
fn loss_value(z: f32, y: f32) -> f32 {
    return max(z, 0.0) - z * y + log_1p(exp(-abs(z)));
}
fn loss_gradient(z: f32, y: f32) -> f32 {
    let e = exp(-abs(z));
    return select(1.0, e, z < 0.0) / (1.0 + e) - y;
}
fn loss_hit(z: f32, y: f32) -> bool {
    return (z > 0.0) == (y > 0.5);
}
// log(1 + e) for 0 <= e <= 1 as 2 artanh(s), s = e / (2 + e) <= 1/3. The series is cut where its
// remainder is below 2^-26 of the sum; WGSL's log only promises an absolute 2^-21 near 1.
fn log_1p(e: f32) -> f32 {
    let s = e / (2.0 + e);
    let q = s * s;
    let series = 1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0
        + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q * (1.0 / 15.0)))))));
    return 2.0 * s * series;
}
