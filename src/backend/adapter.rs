//! What is known of a graphics adapter, and which one may be asked for: data, in every build.

/// What an adapter is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A processor that executes shaders, as Mesa's llvmpipe does.
    Software,
    /// Unknown to its driver.
    Other,
    /// A share of another adapter, in a virtual machine.
    Virtual,
    /// Shares its memory with the processor.
    Integrated,
    /// Has a memory of its own.
    Discrete,
}

impl Kind {
    /// The word that `tokenfield devices` prints.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Software => "software",
            Kind::Other => "other",
            Kind::Virtual => "virtual",
            Kind::Integrated => "integrated",
            Kind::Discrete => "discrete",
        }
    }
}

/// Which adapter to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The best there is, a software adapter included: what `--backend gpu` takes.
    Best,
    /// The best that is hardware: what `--backend auto` takes, if there is one.
    Hardware,
}

/// An adapter of this machine, as `tokenfield devices` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterSummary {
    /// What the driver calls it; empty in browsers.
    pub name: String,
    /// The graphics API: `vulkan`, `metal`, `dx12`, `webgpu`.
    pub api: String,
    /// What it is made of.
    pub kind: Kind,
    /// Name and version of the driver; empty where the API tells neither.
    pub driver: String,
    /// Bytes of one storage binding; larger problems are divided among several.
    pub binding_bytes: u64,
    /// Bytes of one buffer.
    pub buffer_bytes: u64,
    /// Bytes of the memory that a workgroup shares.
    pub workgroup_bytes: u32,
    /// Threads of one workgroup.
    pub workgroup_threads: u32,
}
