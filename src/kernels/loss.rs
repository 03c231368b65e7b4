//! A pointwise loss: the gradient of its mean, and its sum and hits for the ring.

use super::{Call, Io, Kernel, PLAIN, Part, PartKind, cpu, input, output};
use crate::math::Real;

/// Elements of a run.
const RUN: usize = 256;

/// The row of the table.
pub static LOSS: Kernel = Kernel {
    name: "loss",
    formula: "d = l'(z, y) / (rows outputs); sums of l(z, y) and of hits",
    wgsl: include_str!("../../shaders/loss.wgsl"),
    part: PartKind::Loss,
    reads_step: true,
    dims: &["rows", "outputs", "groups"],
    bindings: &[
        input("z", &["rows", "outputs"]),
        input("y", &["rows", "outputs"]),
        output("d", &["rows", "outputs"]),
        output("sums", &["groups", "2"]),
    ],
    variants: PLAIN,
    workgroup_size: RUN as u32,
    workgroups: |dims| dims[2].into(),
    cpu: cpu!(loss),
};

/// The number of workgroups, and so of partial sums a step, for a batch of `count` outputs.
pub fn groups(count: u64) -> u32 {
    const MOST: u64 = 64;
    count.div_ceil(RUN as u64).min(MOST) as u32
}

fn loss<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([z, y, ..], [d, sums, ..], Part::Loss(loss)) = (io.inputs, io.outputs, call.part) else { return };
    let count = T::from_f64(z.len() as f64);
    sums.fill(T::default());
    let groups = sums.len() / 2;
    for (run, ((z, y), d)) in z.chunks(RUN).zip(y.chunks(RUN)).zip(d.chunks_mut(RUN)).enumerate() {
        let (mut sum, mut hits) = (T::default(), 0.0);
        for ((&z, &y), d) in z.iter().zip(y).zip(d) {
            *d = loss.gradient(z, y) / count;
            sum += loss.value(z, y);
            hits += f64::from(u8::from(loss.hit(z, y)));
        }
        let at = 2 * (run % groups);
        sums[at] += sum;
        sums[at + 1] += T::from_f64(hits);
    }
}
