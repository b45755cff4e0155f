use super::*;
use crate::problem::Problem;
pub enum Gpu {}
pub enum Device {}
pub enum Choice {
    Best,
    Hardware,
}
pub async fn adapters() -> Vec<AdapterSummary> {
    vec![]
}
impl Device {
    pub async fn open(_: Choice) -> Result<Device, BackendError> {
        Err(BackendError::NoAdapter(String::new()))
    }
    pub fn summary(&self) -> &AdapterSummary {
        match *self {}
    }
}
#[derive(PartialEq)]
pub enum Kind {
    Software,
}
impl Kind {
    pub fn name(&self) -> &str {
        ""
    }
}
pub struct AdapterSummary {
    pub name: String,
    pub api: String,
    pub kind: Kind,
    pub driver: String,
    pub binding_bytes: u64,
    pub buffer_bytes: u64,
    pub workgroup_bytes: u32,
    pub workgroup_threads: u32,
}
impl Gpu {
    pub async fn new(_: &Device, _: &Problem) -> Result<Gpu, BackendError> {
        Err(BackendError::NoAdapter(String::new()))
    }
}
impl Backend for Gpu {
    fn identity(&self) -> Identity {
        match *self {}
    }
    fn evaluate(&mut self, _: Point, _: Field, _: usize) -> Result<(), BackendError> {
        match *self {}
    }
    fn combine(&mut self, _: &[f64], _: Point) -> Result<(), BackendError> {
        match *self {}
    }
    async fn observe(&mut self, _: &[Quantity]) -> Result<Vec<Statistics>, BackendError> {
        match *self {}
    }
    async fn tokens(&mut self) -> Result<Vec<f64>, BackendError> {
        match *self {}
    }
}
