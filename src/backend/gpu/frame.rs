//! Networks inside a program's frame: recorded in its own encoder, over its own buffers, on its own device. Nothing is submitted,
//! waited for, read back or allocated for a frame.

use super::bound::Bound;
use super::device::GpuDevice;
use crate::error::Result;
use crate::plan::{Role, forward};
use crate::spec::MlpSpec;

/// Buffers of the program that a [`FrameNetwork`] works on. Each needs the usage `STORAGE`, an offset that is a multiple of the
/// device's `min_storage_buffer_offset_alignment`, and f32s; one that is not given is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameIo<'a> {
    /// Features, [networks, rows, inputs].
    pub input: Option<wgpu::BufferSlice<'a>>,
    /// Outputs, [networks, rows, outputs].
    pub output: Option<wgpu::BufferSlice<'a>>,
}

/// One network, or many of one shape side by side, each with its own parameters and rows of its own, in as many dispatches as one
/// takes. What it computes is what [`Predictor::outputs`](crate::infer::Predictor::outputs) computes: the last layer's outputs, which
/// [`Loss::predictions`](crate::math::Loss::predictions) turns into predictions.
///
/// ```no_run
/// # use wgpu_mlp::{Model, Result, backend::gpu::{FrameIo, FrameNetwork, GpuDevice, wgpu}};
/// # async fn frame(device: wgpu::Device, queue: wgpu::Queue, points: wgpu::Buffer, model: Model) -> Result<()> {
/// let gpu = GpuDevice::from_wgpu(device.clone(), queue.clone());
/// let io = FrameIo { input: Some(points.slice(..)), output: None };
/// let net = FrameNetwork::new(&gpu, &model.spec, 4096, 1, io).await?;
/// net.set_parameters(&model.parameters)?;
/// // Each frame:
/// let mut encoder = device.create_command_encoder(&Default::default());
/// net.record(&mut encoder);
/// // … a render pass that reads net.output() …
/// queue.submit([encoder.finish()]);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct FrameNetwork {
    bound: Bound,
    input: usize,
    output: usize,
}

impl FrameNetwork {
    /// Makes what it takes to run `networks` networks, each on `rows` rows: pipelines, bind groups and the buffers that are not in
    /// `io`. Parameters are 0 until they are set. The first call on a device checks that it computes, which is a submission and a wait.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a buffer that is too small, of another usage or given twice,
    /// [`Error::TooLarge`](crate::Error::TooLarge) and [`Error::Gpu`](crate::Error::Gpu) for what the device does not hold.
    pub async fn new(gpu: &GpuDevice, spec: &MlpSpec, rows: usize, networks: usize, io: FrameIo<'_>) -> Result<Self> {
        let plan = forward(spec, rows, networks, gpu.summary().target())?.with_own_data();
        let (input, output) = (plan.buffer(Role::Features)?, plan.output()?);
        let given = [(input, io.input), (output, io.output)];
        Ok(Self { bound: Bound::new(gpu, plan, &given, 0).await?, input, output })
    }

    /// Records the networks in a compute pass of its own. The outputs are there for whatever the encoder records later.
    pub fn record(&self, encoder: &mut wgpu::CommandEncoder) {
        self.record_in(&mut encoder.begin_compute_pass(&Default::default()));
    }

    /// Records the networks in a compute pass of the program. It sets the pipeline and bind group 0.
    pub fn record_in(&self, pass: &mut wgpu::ComputePass<'_>) {
        for prepared in self.bound.passes.iter().flatten() {
            prepared.encode(pass, 0, self.bound.plan.replicas);
        }
    }

    /// Dispatches of a frame, however many networks there are.
    pub fn dispatches(&self) -> usize {
        self.bound.passes.iter().map(Vec::len).sum()
    }

    /// The features, [networks, rows, inputs]: the program's buffer, or one to copy to.
    pub fn input(&self) -> wgpu::BufferSlice<'_> {
        self.bound.slice(self.input)
    }

    /// The outputs, [networks, rows, outputs]: the program's buffer, or one with the usages `STORAGE` and `COPY_SRC`.
    pub fn output(&self) -> wgpu::BufferSlice<'_> {
        self.bound.slice(self.output)
    }

    /// Sets the parameters of every network, `[networks, parameters]`, or of all alike, `[parameters]`, each in the order of
    /// [`Layout`](crate::params::Layout), for all that is submitted later.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for another number of them.
    pub fn set_parameters(&self, values: &[f32]) -> Result<()> {
        self.bound.write(Role::Parameters, values)
    }

    /// Records a copy of all parameters from a buffer on the same device with the usage `COPY_SRC`, as that of a
    /// [`FrameTrainer`](super::FrameTrainer::parameters) or of a trainer's [backend](super::GpuBackend::buffer): what is recorded later
    /// works with them.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for a buffer of another length.
    pub fn set_parameters_from(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        parameters: wgpu::BufferSlice<'_>,
    ) -> Result<()> {
        self.bound.copy_parameters(encoder, parameters)
    }
}
