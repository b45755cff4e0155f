//! What the declaration of a kernel consists of.

use super::{
    constants::Constants,
    files::File,
    header::{Constant, header},
    params::{Layout, Params},
};

/// A kernel, as a type that nothing needs a value of: its dispatches take its own parameters and no others.
pub trait Kernel: 'static {
    /// The uniform struct, binding 0.
    type Params: Params;
    /// What the kernel consists of.
    const DECLARATION: Declaration;
}

/// The same as a value, to walk over all kernels.
#[derive(Clone, Copy)]
pub struct Declaration {
    /// The entry point, the last file without its ending, and the label on the device.
    pub name: &'static str,
    /// The uniform struct, as Rust lays it out; it is binding 0.
    pub layout: Layout,
    /// The storage buffers from binding 1 on.
    pub bindings: &'static [Binding],
    /// In the order in which they are concatenated.
    pub files: &'static [File],
    /// How many threads a workgroup has.
    pub workgroup: Workgroup,
    /// What is written in front of the files.
    pub constants: &'static [Constant],
    /// Extensions of the language that it needs: none of those that browsers have.
    pub extensions: &'static str,
}

/// How a kernel uses a storage buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// `var<storage, read>`.
    Read,
    /// `var<storage, read_write>`.
    ReadWrite,
}

/// Threads of a workgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workgroup {
    /// This many, whatever the constants are.
    Fixed(u32),
    /// As many as the constants say.
    Tuned,
}

impl Declaration {
    /// Storage buffers that it binds.
    pub fn storage_buffers(&self) -> u32 {
        self.bindings.len() as u32
    }

    /// Threads of one workgroup.
    pub fn threads(&self, constants: &Constants) -> u32 {
        match self.workgroup {
            Workgroup::Fixed(threads) => threads,
            Workgroup::Tuned => constants.threads,
        }
    }

    /// The whole text of the kernel, compiled for `constants`.
    pub fn source(&self, constants: &Constants) -> String {
        let mut text = String::from(self.extensions);
        text.push_str(&header(self.constants, constants, self.threads(constants)));
        for file in self.files {
            text.push('\n');
            text.push_str(file.text);
        }
        text
    }
}
