//! e^x and its kin in f32 without branches or calls, so that a compiler makes SIMD of loops over them. After Cephes' expf and
//! logf (Moshier 1989), each within two units in the last place.

/// 1.5 2^23: a number of that size holds whole numbers, the last bits of its own bits.
const WHOLE: f32 = 12_582_912.0;
/// log 2 in two parts, the first of so few bits that its product with an exponent is exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
/// Bits of √½.
const ROOT_HALF: u32 = 0x3f35_04f3;

/// x = n log 2 + r for abs(r) <= log(2) / 2: gives e^r - 1, and 2^n in two factors, since 2^128 and 2^-150 are no normal numbers.
#[inline(always)]
fn split(x: f32) -> (f32, [f32; 2]) {
    // Beyond, e^x is infinite or 0 in any case. NaN stays.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + WHOLE;
    let (n, whole) = (shifted - WHOLE, shifted.to_bits().wrapping_sub(WHOLE.to_bits()) as i32);
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let p =
        ((((1.987_569_1e-4 * r + 1.398_2e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r + 1.666_666_5e-1) * r + 0.5;
    let half = whole >> 1;
    (p * (r * r) + r, [half, whole - half].map(|n| f32::from_bits((n.wrapping_add(127) as u32) << 23)))
}

#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let (less_1, [a, b]) = split(x);
    (less_1 * a + a) * b
}

/// For x <= 0, where 2^n is a normal number or does not count.
#[inline(always)]
pub(super) fn exp_m1(x: f32) -> f32 {
    let (less_1, [a, b]) = split(x);
    less_1 * a * b + (a * b - 1.0)
}

/// For x >= 0.
#[inline(always)]
pub(super) fn ln_1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let above = u.to_bits().wrapping_sub(ROOT_HALF);
    let n = (above as i32 >> 23) as f32;
    let f = f32::from_bits((above & 0x7f_ffff) + ROOT_HALF) - 1.0;
    let p = (((7.037_683_6e-2 * f - 1.151_461e-1) * f + 1.167_699_9e-1) * f - 1.242_014_1e-1) * f + 1.424_932_3e-1;
    let p = (((p * f - 1.666_805_8e-1) * f + 2.000_071_5e-1) * f - 2.499_999_4e-1) * f + 3.333_333e-1;
    let square = f * f;
    // What the sum 1 + x lost, as a part of it.
    let lost = (x - (u - 1.0)) / u;
    let tail = p * (square * f) + n * LN_2[1] - 0.5 * square + lost;
    // Infinity and NaN stay.
    if u < f32::INFINITY { f + tail + n * LN_2[0] } else { u }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest error in units in the last place of the exact value.
    fn worst(values: impl Iterator<Item = f32>, f: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        let error = |x: f32| {
            let exact = exact(x.into());
            let unit = f64::from(f32::MIN_POSITIVE).max(exact.abs()).log2().floor().exp2() / f64::from(1 << 23);
            let error = (f64::from(f(x)) - exact).abs() / unit;
            if error.is_nan() { f64::INFINITY } else { error }
        };
        values.map(error).fold(0.0, f64::max)
    }

    #[test]
    fn within_two_units_in_the_last_place() {
        let all = || (-880_000..=880_000).map(|i| i as f32 * 1e-4);
        let small = || (0..3000).map(|i| (-(i as f32) / 20.0).exp2());
        let exp = worst(all(), exp, f64::exp).max(worst(small(), super::exp, f64::exp));
        let below = worst(all().filter(|&x| x <= 0.0), exp_m1, f64::exp_m1).max(worst(
            small().map(|x| -x),
            exp_m1,
            f64::exp_m1,
        ));
        let ln = worst(all().filter(|&x| x >= 0.0), ln_1p, f64::ln_1p).max(worst(small(), ln_1p, f64::ln_1p));
        println!("exp {exp:.2}, exp_m1 {below:.2}, ln_1p {ln:.2} ulp");
        assert!(exp <= 2.0 && below <= 2.0 && ln <= 2.0, "{exp} {below} {ln}");
    }

    #[test]
    fn ends_are_right() {
        assert_eq!([exp(f32::NEG_INFINITY), exp(-200.0), exp(0.0), exp(-0.0)], [0.0, 0.0, 1.0, 1.0]);
        assert_eq!([exp(90.0), exp(f32::INFINITY)], [f32::INFINITY; 2]);
        assert_eq!([exp_m1(0.0), exp_m1(-200.0), exp_m1(f32::NEG_INFINITY)], [0.0, -1.0, -1.0]);
        assert_eq!([ln_1p(0.0), ln_1p(f32::INFINITY)], [0.0, f32::INFINITY]);
        assert!(exp(f32::NAN).is_nan() && exp_m1(f32::NAN).is_nan() && ln_1p(f32::NAN).is_nan());
    }
}
