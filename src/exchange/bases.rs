//! What rows are computed from: base 0 is the graph's inputs, base i + 1 the product i.

/// The columns of each base, and how many numbers may still be made besides those of the file.
pub struct Bases {
    widths: Vec<Option<usize>>,
    budget: usize,
}

impl Bases {
    /// Of a file of so many bytes; without a base.
    pub fn new(bytes: usize) -> Self {
        // A scale for each column takes two numbers of f64, where the file has at least one of four bytes.
        Self { widths: Vec::new(), budget: bytes }
    }

    /// The next base has so many columns, where that is known.
    pub fn add(&mut self, width: Option<usize>) {
        self.widths.push(width);
    }

    /// Columns of a base, where that is known.
    pub fn width(&self, base: usize) -> Option<usize> {
        self.widths[base]
    }

    /// Takes so many numbers from what the file may ask for.
    pub fn spend(&mut self, numbers: usize) -> Result<(), String> {
        self.budget = self.budget.checked_sub(numbers).ok_or("has more numbers than the file")?;
        Ok(())
    }
}
