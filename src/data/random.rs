//! numpy's legacy generator, `numpy.random.RandomState`, draw for draw.
//!
//! In: a 32-bit seed. Out: the same uniform, normal and integer draws, shuffles and permutations as
//! numpy 2.4 makes from that seed. It is what lets a generated table, a split and an initialisation be
//! those of a numpy or scikit-learn program. For anything else a modern generator is the better choice.
//!
//! Sources: `numpy/random/src/mt19937/mt19937.c`, `src/legacy/legacy-distributions.c`,
//! `src/distributions/distributions.c` and `mtrand.pyx` of numpy 2.4.

use rand_mt::Mt;

/// `numpy.random.RandomState(seed)`: MT19937 with numpy's legacy distributions.
///
/// The draws are equal bit for bit where the platform's `ln` is that of numpy (on Linux both use the C
/// library's); elsewhere a normal may differ in its last bit, and everything else is still equal.
#[derive(Clone, Debug)]
pub struct NumpyRandom {
    bits: Mt,
    /// The second normal of the last pair, if it hasn't been handed out yet.
    spare_normal: Option<f64>,
}

impl NumpyRandom {
    /// The generator that `RandomState(seed)` or `numpy.random.seed(seed)` starts.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        Self { bits: Mt::new(seed), spare_normal: None }
    }

    /// `random_sample()`: uniform in [0, 1), a multiple of 2⁻⁵³.
    pub fn random_sample(&mut self) -> f64 {
        let high = f64::from(self.bits.next_u32() >> 5);
        let low = f64::from(self.bits.next_u32() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// `standard_normal()` and `randn()`: mean 0, standard deviation 1, by Marsaglia's polar method.
    /// Normals come in pairs; the second one is kept for the next call, whatever is drawn in between.
    pub fn standard_normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        loop {
            let x1 = 2.0 * self.random_sample() - 1.0;
            let x2 = 2.0 * self.random_sample() - 1.0;
            let r2 = x1 * x1 + x2 * x2;
            if r2 < 1.0 && r2 != 0.0 {
                let factor = (-2.0 * r2.ln() / r2).sqrt();
                self.spare_normal = Some(factor * x1);
                return factor * x2;
            }
        }
    }

    /// `randint(low, high)`: a whole number in low..high, all equally likely.
    ///
    /// # Panics
    /// Where `high <= low`: there is no such number (numpy raises `ValueError`).
    pub fn randint(&mut self, low: i64, high: i64) -> i64 {
        assert!(low < high, "randint({low}, {high}): the range is empty");
        let span = high.wrapping_sub(low).wrapping_sub(1) as u64;
        low.wrapping_add(self.interval(span) as i64)
    }

    /// `shuffle`: puts `items` in random order, in place.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.interval(last as u64) as usize;
            items.swap(last, other);
        }
    }

    /// `permutation(n)`: the numbers 0..n in random order.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }

    /// A whole number in 0..=max: draws are cut to max's number of bits and those above max rejected.
    /// It takes 32-bit draws where max fits one, else pairs of them, high half first.
    fn interval(&mut self, max: u64) -> u64 {
        if max == 0 {
            return 0; // numpy draws nothing here
        }
        let mask = u64::MAX >> max.leading_zeros();
        loop {
            let mut draw = u64::from(self.bits.next_u32());
            if max > u64::from(u32::MAX) {
                draw = draw << 32 | u64::from(self.bits.next_u32());
            }
            if draw & mask <= max {
                return draw & mask;
            }
        }
    }
}

/// The article's initial parameters: per layer the weights `randn(in, out) / 10`, row-major, and then
/// the biases `randint(1, 10, size=out) / 100`, all from the one generator of `numpy.random.seed(seed)`.
///
/// `shapes` holds (in, out) of each layer. Returned flat in f64: W0, b0, W1, b1, …, which makes
/// Σ (in·out + out) values.
#[must_use]
pub fn article_parameters(shapes: &[(usize, usize)], seed: u32) -> Vec<f64> {
    let mut random = NumpyRandom::new(seed);
    let mut values = Vec::with_capacity(shapes.iter().map(|(i, o)| i * o + o).sum());
    for &(inputs, outputs) in shapes {
        values.extend((0..inputs * outputs).map(|_| random.standard_normal() / 10.0));
        values.extend((0..outputs).map(|_| random.randint(1, 10) as f64 / 100.0));
    }
    values
}
