//! Pictures of tokens, drawn from the buffers that hold them.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
};

use js_sys::Reflect;
use tokenfield::backend::gpu::Device;
use wasm_bindgen::{JsCast, JsValue};
use wgpu::util::{BufferInitDescriptor, DeviceExt};

use crate::colours::Rgba;

const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;
/// For each pixel, so that discs have smooth edges.
const SAMPLES: u32 = 4;

/// How tokens are looked at; as `View` in `tokens.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub struct View {
    /// From the drawn space to clip space, column by column.
    pub matrix: [f32; 16],
    /// Red, green, blue.
    pub background: [f32; 3],
    /// Of a token, in pixels.
    pub radius: f32,
    /// Of the picture, in pixels.
    pub size: [f32; 2],
    /// Vectors of four components that a token has.
    pub vectors: u32,
    /// Whether nothing is behind, 1 or 0.
    pub flat: u32,
}

/// How the page looks at tokens.
pub struct Look {
    /// From the drawn space to clip space, column by column.
    pub matrix: [f32; 16],
    /// Of a token, in pixels.
    pub radius: f32,
    /// Red, green, blue.
    pub background: [f32; 3],
    /// In a plane all tokens are in front.
    pub flat: bool,
}

/// A canvas, and what is needed to draw tokens on it.
pub struct Painter {
    device: wgpu::Device,
    queue: wgpu::Queue,
    surface: wgpu::Surface<'static>,
    configuration: wgpu::SurfaceConfiguration,
    screen: Screen,
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    view: wgpu::Buffer,
}

impl Painter {
    /// One that draws on `canvas`.
    pub fn new(device: &Device, canvas: web_sys::OffscreenCanvas) -> Result<Self, String> {
        let (width, height) = (canvas.width().max(1), canvas.height().max(1));
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let surface = instance.create_surface(wgpu::SurfaceTarget::OffscreenCanvas(canvas));
        let surface = surface.map_err(|error| format!("the canvas cannot be drawn on: {error}"))?;
        let (device, queue) = device.handles();
        let configuration = wgpu::SurfaceConfiguration {
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
            format: preferred(),
            color_space: Default::default(),
            width,
            height,
            present_mode: wgpu::PresentMode::Fifo,
            desired_maximum_frame_latency: 2,
            alpha_mode: wgpu::CompositeAlphaMode::Opaque,
            view_formats: Vec::new(),
        };
        surface.configure(device, &configuration);
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("tokens"),
            entries: &[uniform(), storage(1), storage(2), storage(3)],
        });
        let view = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("view"),
            size: size_of::<View>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Ok(Self {
            pipeline: pipeline(device, &layout, configuration.format),
            screen: Screen::new(device, &configuration),
            device: device.clone(),
            queue: queue.clone(),
            surface,
            configuration,
            layout,
            view,
        })
    }

    /// From now on the picture has so many pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        let most = self.device.limits().max_texture_dimension_2d;
        (self.configuration.width, self.configuration.height) = (width.clamp(1, most), height.clamp(1, most));
        self.surface.configure(&self.device, &self.configuration);
        self.screen = Screen::new(&self.device, &self.configuration);
    }

    /// What draws `tokens`, row-major (token, component), in these colours, along these directions, row-major (3, dim).
    pub fn scene_of(&self, tokens: &[f64], dim: usize, colours: &[Rgba], axes: &[f64]) -> Scene {
        let tokens = self.buffer("tokens", bytemuck::cast_slice(&padded(tokens, dim)));
        let mut scene = self.scene([(&tokens, colours.len())], dim.div_ceil(4) as u32, colours, axes);
        scene.buffers.push(tokens);
        scene
    }

    /// The same of tokens that are on the device, in buffers which begin with so many of them, as so many vectors of four components each.
    pub fn scene<'a>(
        &self,
        tokens: impl IntoIterator<Item = (&'a wgpu::Buffer, usize)>,
        vectors: u32,
        colours: &[Rgba],
        axes: &[f64],
    ) -> Scene {
        let axes = self.buffer("axes", bytemuck::cast_slice(&padded(axes, axes.len() / 3)));
        let mut rest = colours;
        let (mut pieces, mut buffers) = (Vec::new(), vec![axes.clone()]);
        for (tokens, count) in tokens {
            let (own, others) = rest.split_at(count.min(rest.len()));
            rest = others;
            let colours = self.buffer("colours", bytemuck::cast_slice(own));
            let bound = [&self.view, tokens, &colours, &axes];
            let entries: Vec<_> = (0..)
                .zip(bound)
                .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
                .collect();
            let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("tokens"),
                layout: &self.layout,
                entries: &entries,
            });
            pieces.push((group, own.len() as u32));
            buffers.push(colours);
        }
        Scene { pieces, vectors, buffers }
    }

    /// Comes back when the device has drawn what was asked for so far.
    pub async fn done(&self) {
        let told = Arc::<Mutex<(bool, Option<Waker>)>>::default();
        let telling = told.clone();
        self.queue.on_submitted_work_done(move || {
            let mut told = telling.lock().unwrap_or_else(PoisonError::into_inner);
            told.0 = true;
            told.1.take().into_iter().for_each(Waker::wake);
        });
        poll_fn(|context| {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.0 {
                return Poll::Ready(());
            }
            told.1 = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn buffer(&self, label: &str, contents: &[u8]) -> wgpu::Buffer {
        let usage = wgpu::BufferUsages::STORAGE;
        self.device.create_buffer_init(&BufferInitDescriptor { label: Some(label), contents, usage })
    }

    /// Draws tokens.
    pub fn draw(&self, scene: &Scene, look: Look) -> Result<(), String> {
        use wgpu::CurrentSurfaceTexture::{Lost, Occluded, Outdated, Suboptimal, Success, Timeout};
        let texture = match self.surface.get_current_texture() {
            Success(texture) | Suboptimal(texture) => texture,
            // The next picture will do.
            Timeout | Occluded => return Ok(()),
            Outdated | Lost => {
                self.surface.configure(&self.device, &self.configuration);
                return Ok(());
            }
            other => return Err(format!("the canvas cannot be drawn on: {other:?}")),
        };
        let size = [self.configuration.width as f32, self.configuration.height as f32];
        let Look { matrix, radius, background, flat } = look;
        let view = View { matrix, background, radius, size, vectors: scene.vectors, flat: u32::from(flat) };
        self.queue.write_buffer(&self.view, 0, bytemuck::bytes_of(&view));
        let [r, g, b] = background.map(f64::from);
        let target = texture.texture.create_view(&Default::default());
        let mut encoder = self.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("tokens"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &self.screen.colour,
                depth_slice: None,
                resolve_target: Some(&target),
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a: 1.0 }),
                    store: wgpu::StoreOp::Discard,
                },
            })],
            depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                view: &self.screen.depth,
                depth_ops: Some(wgpu::Operations { load: wgpu::LoadOp::Clear(1.0), store: wgpu::StoreOp::Discard }),
                stencil_ops: None,
            }),
            ..Default::default()
        });
        pass.set_pipeline(&self.pipeline);
        for (group, count) in &scene.pieces {
            pass.set_bind_group(0, group, &[]);
            pass.draw(0..4, 0..*count);
        }
        drop(pass);
        self.queue.submit([encoder.finish()]);
        self.queue.present(texture);
        Ok(())
    }
}

/// Tokens with their colours and directions.
pub struct Scene {
    pieces: Vec<(wgpu::BindGroup, u32)>,
    vectors: u32,
    /// What was made for it.
    buffers: Vec<wgpu::Buffer>,
}

// Browsers give memory back when they collect garbage, and do not see there how much it is.
impl Drop for Scene {
    fn drop(&mut self) {
        self.buffers.iter().for_each(wgpu::Buffer::destroy);
    }
}

/// Rows of `dim` numbers as vectors of four, the last of which ends in zeros.
fn padded(rows: &[f64], dim: usize) -> Vec<f32> {
    let width = 4 * dim.div_ceil(4);
    let mut padded = vec![0.0_f32; rows.len() / dim * width];
    for (to, from) in padded.chunks_exact_mut(width).zip(rows.chunks_exact(dim)) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from as f32);
    }
    padded
}

/// The format of canvases that the browser shows without a copy.
fn preferred() -> wgpu::TextureFormat {
    let get = |object: &JsValue, key: &str| Reflect::get(object, &key.into());
    let asked = get(&js_sys::global(), "navigator").and_then(|navigator| get(&navigator, "gpu")).and_then(|gpu| {
        let format: js_sys::Function = get(&gpu, "getPreferredCanvasFormat")?.dyn_into()?;
        format.call0(&gpu)
    });
    match asked.ok().and_then(|format| format.as_string()).as_deref() {
        Some("rgba8unorm") => wgpu::TextureFormat::Rgba8Unorm,
        _ => wgpu::TextureFormat::Bgra8Unorm,
    }
}

fn uniform() -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding: 0,
        visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    }
}

fn storage(binding: u32) -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BufferBindingType::Storage { read_only: true };
    wgpu::BindGroupLayoutEntry {
        binding,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        ..uniform()
    }
}

fn pipeline(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    colour: wgpu::TextureFormat,
) -> wgpu::RenderPipeline {
    let module = device.create_shader_module(wgpu::include_wgsl!("tokens.wgsl"));
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some("tokens"),
        bind_group_layouts: &[Some(layout)],
        immediate_size: 0,
    });
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("tokens"),
        layout: Some(&layout),
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("vertex"),
            compilation_options: Default::default(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState { topology: wgpu::PrimitiveTopology::TriangleStrip, ..Default::default() },
        depth_stencil: Some(wgpu::DepthStencilState {
            format: DEPTH,
            depth_write_enabled: Some(true),
            depth_compare: Some(wgpu::CompareFunction::Less),
            stencil: Default::default(),
            bias: Default::default(),
        }),
        multisample: wgpu::MultisampleState { count: SAMPLES, alpha_to_coverage_enabled: true, ..Default::default() },
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("fragment"),
            compilation_options: Default::default(),
            targets: &[Some(colour.into())],
        }),
        multiview_mask: None,
        cache: None,
    })
}

/// What is drawn on, before samples become pixels.
struct Screen {
    colour: wgpu::TextureView,
    depth: wgpu::TextureView,
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.colour.texture().destroy();
        self.depth.texture().destroy();
    }
}

impl Screen {
    fn new(device: &wgpu::Device, configuration: &wgpu::SurfaceConfiguration) -> Self {
        let view = |label, format| {
            let texture = device.create_texture(&wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d {
                    width: configuration.width,
                    height: configuration.height,
                    depth_or_array_layers: 1,
                },
                mip_level_count: 1,
                sample_count: SAMPLES,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
                view_formats: &[],
            });
            texture.create_view(&Default::default())
        };
        Self { colour: view("colour", configuration.format), depth: view("depth", DEPTH) }
    }
}
