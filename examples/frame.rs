//! A network inside a program's frame, in plain wgpu: a field of colours, learnt by a network 2→16→16→3, is evaluated for every
//! pixel and drawn from the network's output buffer, all in one command encoder. Nothing is read back, waited for or allocated for a
//! frame, and training goes on between frames in the same encoder.
//!
//! `cargo run --release --example frame` trains while it draws and says how far the last picture is from the field;
//! `-- PICTURE.ppm` writes it too.

use wgpu_mlp::Result;
use wgpu_mlp::backend::gpu::{FrameIo, FrameNetwork, FrameTrainer, FrameTraining, GpuDevice, wgpu};
use wgpu_mlp::math::{Activation, Loss, Optimizer, Rule};
use wgpu_mlp::params::Init;
use wgpu_mlp::spec::MlpSpec;

/// Pixels of a side of the picture.
pub const SIDE: u32 = 64;

/// Draws a triangle over the whole target; a pixel's colour is its row of the network's outputs.
const DRAW: &str = "
@group(0) @binding(0) var<storage, read> colours: array<f32>;

@vertex
fn corner(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    return vec4<f32>(f32(index % 2u) * 4.0 - 1.0, f32(index / 2u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn colour(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let pixel = (u32(at.y) * SIDE + u32(at.x)) * 3u;
    return vec4<f32>(colours[pixel], colours[pixel + 1u], colours[pixel + 2u], 1.0);
}
";

/// The points of all pixels, [pixels, 2] in -1..1.
pub fn points() -> Vec<f32> {
    let place = |pixel: u32| (pixel as f32 + 0.5) / SIDE as f32 * 2.0 - 1.0;
    (0..SIDE * SIDE).flat_map(|pixel| [place(pixel % SIDE), place(pixel / SIDE)]).collect()
}

/// The field that is learnt: red and green turn around the middle, blue rings.
pub fn field(points: &[f32]) -> Vec<f32> {
    let colour = |point: &[f32]| {
        let (x, y) = (point[0], point[1]);
        let rings = 0.5 + 0.5 * (6.0 * (x * x + y * y).sqrt()).cos();
        [0.5 + 0.5 * x, 0.5 + 0.5 * y, rings]
    };
    points.chunks_exact(2).flat_map(colour).collect()
}

/// What a program has: a device, and what draws.
pub struct Scene {
    /// The program's device, as the crate takes it.
    pub gpu: GpuDevice,
    pipeline: wgpu::RenderPipeline,
    colours: wgpu::BindGroup,
    texture: wgpu::Texture,
    /// The network of the picture.
    pub net: FrameNetwork,
}

impl Scene {
    /// A scene on a device of the program.
    pub async fn new(device: wgpu::Device, queue: wgpu::Queue, spec: &MlpSpec, points: &[f32]) -> Result<Self> {
        // The program's own buffers: what the network reads, and what the render pass reads of it.
        let buffer = |size, usage| {
            let (label, mapped_at_creation) = (None, false);
            device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation })
        };
        let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let input = buffer(points.len() as u64 * 4, storage);
        let output = buffer(u64::from(SIDE * SIDE) * 12, storage | wgpu::BufferUsages::COPY_SRC);
        let bytes: Vec<u8> = points.iter().flat_map(|value| value.to_ne_bytes()).collect();
        queue.write_buffer(&input, 0, &bytes);

        let gpu = GpuDevice::from_wgpu(device.clone(), queue);
        let io = FrameIo { input: Some(input.slice(..)), output: Some(output.slice(..)) };
        let net = FrameNetwork::new(&gpu, spec, points.len() / 2, 1, io).await?;

        let shader = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(format!("const SIDE = {SIDE}u;{DRAW}").into()),
        });
        let format = wgpu::TextureFormat::Rgba8Unorm;
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: None,
            layout: None,
            vertex: wgpu::VertexState {
                module: &shader,
                entry_point: Some("corner"),
                compilation_options: Default::default(),
                buffers: &[],
            },
            fragment: Some(wgpu::FragmentState {
                module: &shader,
                entry_point: Some("colour"),
                compilation_options: Default::default(),
                targets: &[Some(format.into())],
            }),
            primitive: Default::default(),
            depth_stencil: None,
            multisample: Default::default(),
            multiview_mask: None,
            cache: None,
        });
        let colours = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: output.as_entire_binding() }],
        });
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size: wgpu::Extent3d { width: SIDE, height: SIDE, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        Ok(Self { gpu, pipeline, colours, texture, net })
    }

    /// Records a frame: the network for every pixel, then the picture of what it gives.
    pub fn draw(&self, encoder: &mut wgpu::CommandEncoder) {
        self.net.record(encoder);
        let view = self.texture.create_view(&Default::default());
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &view,
                depth_slice: None,
                resolve_target: None,
                ops: Default::default(),
            })],
            ..Default::default()
        });
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.colours, &[]);
        pass.draw(0..3, 0..1);
    }

    /// The last picture, [pixels, 4] bytes. A program that shows its frames does not need it.
    pub fn pixels(&self) -> Vec<u8> {
        let (device, size) = (self.gpu.device(), u64::from(SIDE * SIDE * 4));
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let down =
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
        let mut encoder = device.create_command_encoder(&Default::default());
        let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(SIDE * 4), rows_per_image: None };
        let buffer = wgpu::TexelCopyBufferInfo { buffer: &down, layout };
        encoder.copy_texture_to_buffer(self.texture.as_image_copy(), buffer, self.texture.size());
        self.gpu.queue().submit([encoder.finish()]);
        down.map_async(wgpu::MapMode::Read, .., |_| {});
        device.poll(wgpu::PollType::wait_indefinitely()).expect("the device answers");
        down.get_mapped_range(..).expect("the picture is mapped").to_vec()
    }
}

/// The network of the field.
pub fn spec() -> Result<MlpSpec> {
    MlpSpec::new(&[2, 16, 16, 3], Activation::Tanh, Loss::MeanSquaredError)
}

/// Trains for so many frames, 8 steps each, and draws every one; the last picture.
pub async fn run(device: wgpu::Device, queue: wgpu::Queue, frames: usize) -> Result<(Scene, Vec<u8>)> {
    let (spec, points) = (spec()?, points());
    let scene = Scene::new(device, queue, &spec, &points).await?;
    let (device, queue) = (scene.gpu.device(), scene.gpu.queue());

    // Training reads the very points that the network reads, and targets of the program.
    let targets: Vec<u8> = field(&points).iter().flat_map(|value| value.to_ne_bytes()).collect();
    let colours = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: targets.len() as u64,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    queue.write_buffer(&colours, 0, &targets);
    let mut training = FrameTraining::new(Optimizer::new(Rule::Adam, 1e-2), points.len() / 2);
    training.batch = 512;
    let (features, targets) = (Some(scene.net.input()), Some(colours.slice(..)));
    let mut trainer = FrameTrainer::new(&scene.gpu, &spec, training, features, targets).await?;
    trainer.set_parameters(&Init::Xavier.draw(&spec, 1)?)?;

    for _ in 0..frames {
        let mut encoder = device.create_command_encoder(&Default::default());
        trainer.record_steps(&mut encoder, 8)?;
        scene.net.set_parameters_from(&mut encoder, trainer.parameters())?;
        scene.draw(&mut encoder);
        queue.submit([encoder.finish()]);
    }
    let pixels = scene.pixels();
    Ok((scene, pixels))
}

/// The mean difference of a picture from the field, in parts of the full brightness.
pub fn apart(pixels: &[u8]) -> f64 {
    let field = field(&points());
    let colours = pixels.chunks_exact(4).flat_map(|pixel| &pixel[..3]);
    let sum: f64 = colours
        .zip(&field)
        .map(|(&found, &true_one)| f64::from(found) / 255.0 - f64::from(true_one))
        .map(f64::abs)
        .sum();
    sum / field.len() as f64
}

/// The first adapter's device, as any program opens it.
pub async fn device() -> std::result::Result<(wgpu::Device, wgpu::Queue), Box<dyn std::error::Error>> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = instance.request_adapter(&Default::default()).await?;
    Ok(adapter.request_device(&Default::default()).await?)
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    wgpu_mlp::block_on(async {
        let (device, queue) = device().await?;
        let (_, pixels) = run(device, queue, 100).await?;
        println!("after 800 steps in 100 frames the picture is {:.1} % from the field", 100.0 * apart(&pixels));
        if let Some(path) = std::env::args().nth(1) {
            let mut file = format!("P6 {SIDE} {SIDE} 255\n").into_bytes();
            file.extend(pixels.chunks_exact(4).flat_map(|pixel| &pixel[..3]));
            std::fs::write(path, file)?;
        }
        Ok(())
    })
}
