//! From where a ball is seen.

use glam::{DMat3, DVec3};

/// How far the eye stands aside of and above the mean direction, so that the pole and depth can be seen.
const ASIDE: f64 = 0.25;
const ABOVE: f64 = 0.35;

/// Where the eye stands: the rotation that takes the world to (right, up, towards the eye).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Camera(DMat3);

impl Camera {
    /// Faces the mean token, whatever its length; a mean of zero faces nowhere and gets a view of its own.
    pub(super) fn facing(mean: DVec3) -> Self {
        let direction = mean.try_normalize().unwrap_or(DVec3::new(0.8, -0.6, 0.0));
        let pole = if direction.z.abs() < 0.9 { DVec3::Z } else { DVec3::Y };
        let side = pole.cross(direction).normalize();
        let up = direction.cross(side);
        let eye = (direction + ASIDE * side + ABOVE * up).normalize();
        let right = pole.cross(eye).normalize();
        Self(DMat3::from_cols(right, eye.cross(right), eye).transpose())
    }

    pub(super) fn see(&self, place: DVec3) -> DVec3 {
        self.0 * place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_camera_rotates_and_faces_the_mean() {
        let means = [DVec3::X, DVec3::NEG_Y, DVec3::Z, DVec3::NEG_Z, DVec3::new(-0.1, 0.02, 0.3), DVec3::ZERO];
        for mean in means {
            let camera = Camera::facing(mean);
            assert!((camera.0.determinant() - 1.0).abs() < 1e-12, "{mean}: no rotation");
            assert!(
                (camera.0 * camera.0.transpose() - DMat3::IDENTITY).to_cols_array().iter().all(|e| e.abs() < 1e-12)
            );
            if mean != DVec3::ZERO {
                let seen = camera.see(mean.normalize());
                assert!((0.8..0.99).contains(&seen.z), "{mean} is seen at {seen}: in front, yet tilted");
                assert!(seen.y < -0.1, "{mean} is seen at {seen}: from above");
            }
        }
    }
}
