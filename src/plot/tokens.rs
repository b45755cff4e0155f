//! The picture of the final tokens, as their dimension allows.

use plotters::backend::DrawingBackend;

use super::canvas::{Area, Painted, Picture};
use super::view::{Tokens, View};
use super::{circle, plane, sphere};

impl Picture for Tokens {
    fn name(&self) -> &str {
        "tokens"
    }

    fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        self.heading.paint(area)?;
        match &self.view {
            View::Circle => circle::paint(self, area),
            View::Sphere(camera) => sphere::paint(self, camera, area),
            View::Plane(shares) => plane::paint(self, *shares, area),
        }
    }
}
