//! `tokenfield devices`: what this machine has, and what `--backend auto` takes of it.

use tokenfield::backend::{cpu, gpu};

use super::CommandError;

pub fn execute() -> Result<(), CommandError> {
    let adapters = pollster::block_on(gpu::adapters());
    let auto = adapters.iter().position(|adapter| adapter.kind != gpu::Kind::Software);
    for (index, adapter) in adapters.iter().enumerate() {
        println!("gpu  {} ({}, {}){}", adapter.name, adapter.api, adapter.kind.name(), mark(auto == Some(index)));
        println!("     driver                  {}", adapter.driver);
        println!("     bytes of one binding    {}", adapter.binding_bytes);
        println!("     bytes of one buffer     {}", adapter.buffer_bytes);
        println!(
            "     workgroup               {} threads, {} bytes",
            adapter.workgroup_threads, adapter.workgroup_bytes
        );
    }
    println!("cpu  {}{}", cpu::describe(), mark(auto.is_none()));
    Ok(())
}

fn mark(taken: bool) -> &'static str {
    if taken { "  <- auto" } else { "" }
}
