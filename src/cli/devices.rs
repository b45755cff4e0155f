//! `tokenfield devices`: what this machine has, and what `--backend auto` takes of it.

use tokenfield::backend::{
    Precision,
    adapter::{Choice, Kind},
    cpu,
    machine::{Device, adapters},
};

use super::{
    CommandError,
    output::{data, talk},
};

pub fn execute() -> Result<(), CommandError> {
    let adapters = pollster::block_on(adapters());
    if adapters.is_empty()
        && let Err(error) = pollster::block_on(Device::open(Choice::Best, Precision::Single))
    {
        talk(format_args!("gpu: {error}"));
    }
    let auto = adapters.iter().position(|adapter| adapter.kind != Kind::Software);
    for (index, adapter) in adapters.iter().enumerate() {
        let (name, api, kind) = (&adapter.name, &adapter.api, adapter.kind.name());
        data(format_args!("gpu  {name} ({api}, {kind}){}", mark(auto == Some(index))))?;
        data(format_args!("     driver                  {}", adapter.driver))?;
        data(format_args!("     bytes of one binding    {}", adapter.binding_bytes))?;
        data(format_args!("     bytes of one buffer     {}", adapter.buffer_bytes))?;
        let (threads, bytes) = (adapter.workgroup_threads, adapter.workgroup_bytes);
        data(format_args!("     workgroup               {threads} threads, {bytes} bytes"))?;
    }
    data(format_args!("cpu  {}{}", cpu::describe(), mark(auto.is_none())))
}

fn mark(taken: bool) -> &'static str {
    if taken { "  <- auto" } else { "" }
}
