#[derive(Debug, thiserror::Error)]
#[error("plot")]
pub struct PlotError;
pub fn draw(_: &std::path::Path) -> Result<Vec<std::path::PathBuf>, PlotError> {
    Ok(vec![])
}
