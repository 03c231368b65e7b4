//! The shape of a matrix product.

/// Shape and strides, in elements, of a matrix product `c[m, n] = a[m, k] b[k, n]`. c is contiguous by rows.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// Rows of a and c.
    pub m: usize,
    /// Columns of b and c.
    pub n: usize,
    /// Columns of a, rows of b.
    pub k: usize,
    /// Distance of a's rows and of its columns.
    pub a_strides: (usize, usize),
    /// Distance of b's rows and of its columns.
    pub b_strides: (usize, usize),
    /// Whether the product is added to what c holds.
    pub add: bool,
    /// Whether all threads work on it, as far as it is not small; what they compute is the same.
    pub shared: bool,
}

impl Product {
    /// `c[m, n] = a[m, k] b[k, n]`, all by rows.
    pub fn new(m: usize, n: usize, k: usize) -> Self {
        Self { m, n, k, a_strides: (k, 1), b_strides: (n, 1), add: false, shared: false }
    }

    /// The same with a stored as `[k, m]`.
    pub fn a_transposed(self) -> Self {
        Self { a_strides: (1, self.m), ..self }
    }

    /// The same with b stored as `[n, k]`.
    pub fn b_transposed(self) -> Self {
        Self { b_strides: (1, self.k), ..self }
    }

    /// The same, added to what c holds.
    pub fn added(self) -> Self {
        Self { add: true, ..self }
    }

    /// The same on all threads.
    pub fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    /// Panics unless every element lies inside its slice.
    pub(super) fn check(&self, a: usize, b: usize, c: usize) {
        let end = |(row, column): (usize, usize), rows: usize, columns: usize| {
            if rows == 0 || columns == 0 { 0 } else { (rows - 1) * row + (columns - 1) * column + 1 }
        };
        assert!(end(self.a_strides, self.m, self.k) <= a, "matrix product: a has {a} elements for {self:?}");
        assert!(end(self.b_strides, self.k, self.n) <= b, "matrix product: b has {b} elements for {self:?}");
        assert!(self.m * self.n <= c, "matrix product: c has {c} elements for {self:?}");
    }
}
