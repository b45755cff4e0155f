//! The graphics backend on whatever adapter there is, against double loops written out here, along every path that a
//! large problem takes: several segments, several slices, many dispatches, two-dimensional grids.
//!
//! Without an adapter the tests are ignored, and say so; with TOKENFIELD_REQUIRE_GPU=1 they fail instead.

mod advance;
mod compare;
mod harmonic;
mod harmonic_check;
mod layout;
mod model;
mod observe;
#[path = "../suite/oracle/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the suite measures more with it")]
mod oracle;
mod problems;
mod reference;
mod scheme;
mod terms;
mod velocity;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, BackendError, Point,
        gpu::{Bounds, Gpu, adapters},
    },
    model::Field,
};

use self::{
    compare::{bounded, compare, text},
    problems::{problem, shape, varied_problems},
};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let absent = block_on(adapters()).is_empty();
    let required = std::env::var("TOKENFIELD_REQUIRE_GPU").is_ok_and(|value| value == "1");
    let trials = tests().into_iter().map(|(name, test)| {
        let run = move || test().map_err(Failed::from);
        Trial::test(name, run).with_ignored_flag(absent && !required)
    });
    let trials: Vec<Trial> = trials.collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

type Test = Box<dyn FnOnce() -> Result<(), String> + Send>;

fn tests() -> Vec<(String, Test)> {
    let mut tests: Vec<(String, Test)> = Vec::new();
    for dim in [2, 3, 4, 5, 8, 16, 17, 33, 64, 128, 384] {
        tests.push((format!("velocity_at_width_{dim}"), Box::new(move || velocity::velocity_at_width(dim))));
    }
    for dim in [2, 3, 4, 5, 9, 16] {
        tests.push((format!("advance_at_width_{dim}"), Box::new(move || advance::tile_edges(dim))));
    }
    let mut add = |name: &str, test: fn() -> Result<(), String>| tests.push((name.into(), Box::new(test)));
    add("velocity_with_general_matrices", velocity::general_matrices);
    add("velocity_of_several_heads", velocity::several_heads);
    add("velocity_with_weights", velocity::weights);
    add("velocity_with_masks", velocity::masks);
    add("velocity_with_passive_tokens", velocity::passive_tokens);
    add("velocity_of_replicas", velocity::replicas);
    add("velocity_at_extreme_beta", velocity::extreme_beta);
    add("velocity_of_distant_tokens_at_extreme_beta", velocity::distant_tokens);
    add("velocity_of_long_sums", velocity::long_sums);
    add("velocity_in_many_segments", layout::many_segments);
    add("velocity_in_many_slices", layout::many_slices);
    add("velocity_as_shaped_for_hardware", layout::shaped_for_hardware);
    add("velocity_in_many_dispatches", layout::many_dispatches);
    add("velocity_on_a_small_grid", layout::small_grid);
    add("velocity_repeats_bit_for_bit", layout::repeats);
    add("velocity_comparison_has_teeth", velocity::teeth);
    add("model_heads_with_a_beta_and_a_weight", model::heads_with_a_beta_and_a_weight);
    add("model_perceptrons", model::perceptrons);
    add("model_products", model::products);
    add("model_every_geometry", model::every_geometry);
    add("model_layers", model::layers);
    add("model_windows", model::windows);
    add("model_noises", model::noises);
    add("terms_positions_in_pieces", terms::positions);
    add("terms_hardmax_in_pieces", terms::hardmax);
    add("terms_sinkhorn_in_pieces", terms::sinkhorn);
    add("terms_betas_of_replicas_in_pieces", terms::betas_of_replicas);
    add("terms_without_heads", terms::without_heads);
    add("terms_geometries_that_change", terms::geometries_that_change);
    add("model_many_draws", model::many_draws);
    add("model_full_matrices_that_change", model::full_matrices_that_change);
    add("combine_moves_and_retracts", scheme::combine);
    add("advance_under_every_model", advance::every_model);
    add("advance_at_extreme_beta", advance::extreme_beta);
    add("advance_in_many_pieces", advance::many_pieces);
    add("advance_ends_where_stages_end", advance::beside_stages);
    add("advance_tells_every_step", advance::events);
    add("advance_tells_of_an_overflow", advance::overflow);
    add("advance_on_a_lost_device", advance::lost_device);
    add("observe_reduces_the_state", observe::observe);
    add("observe_energy_at_extreme_beta", observe::energy_at_extreme_beta);
    add("observe_in_many_segments", observe::observe_in_many_segments);
    add("harmonic_velocity_by_temperature", harmonic::velocity_by_temperature);
    add("harmonic_velocity_at_high_degree", harmonic::velocity_at_high_degree);
    add("harmonic_velocity_of_varied_problems", harmonic::velocity_of_varied_problems);
    add("harmonic_velocity_in_many_segments", harmonic::velocity_in_many_segments);
    add("harmonic_velocity_in_many_dispatches", harmonic::velocity_in_many_dispatches);
    add("harmonic_velocity_of_long_sums", harmonic::velocity_of_long_sums);
    add("harmonic_step_follows_the_field", harmonic::a_step_follows_the_field);
    add("harmonic_repeats_bit_for_bit", harmonic::repeats);
    add("harmonic_observations", harmonic_check::observations);
    add("harmonic_sample_sees_many_keys", harmonic_check::a_sample_sees_many_keys);
    add("harmonic_owns_a_short_expansion", harmonic_check::a_short_expansion_is_owned);
    add("harmonic_owns_rounding", harmonic_check::rounding_is_owned);
    add("harmonic_remarks_on_a_lonely_token", harmonic_check::a_lonely_token_is_remarked_on);
    add("harmonic_auto_goes_on_with_direct_sums", harmonic_check::auto_goes_on_with_direct_sums);
    add("tokens_return_as_they_came", tokens_return);
    add("open_refuses_what_does_not_fit", refuses);
    add("a_lost_device_is_told", lost_device);
    tests
}

fn tokens_return() -> Result<(), String> {
    let device = bounded(Bounds { segment_bytes: Some(5000), ..Bounds::default() })?;
    for problem in varied_problems() {
        for device in [compare::device()?, &device] {
            let mut gpu = block_on(Gpu::new(device, &problem)).map_err(text)?;
            let found = block_on(gpu.tokens()).map_err(text)?;
            compare("tokens", &found, &problem.tokens.coordinates, 0.0)?;
        }
    }
    Ok(())
}

fn refuses() -> Result<(), String> {
    let device = bounded(Bounds { segment_bytes: Some(100), ..Bounds::default() })?;
    match block_on(Gpu::new(&device, &problem(shape(10, 100), 1.0))) {
        Err(BackendError::BelowLimit { limit, needed, available, .. }) => {
            if (limit, available) != ("max_storage_buffer_binding_size", 100) || needed <= available {
                return Err(format!("{limit}: needed {needed}, available {available}"));
            }
            Ok(())
        }
        Err(error) => Err(format!("another error: {error}")),
        Ok(_) => Err("a token larger than a buffer was taken".into()),
    }
}

fn lost_device() -> Result<(), String> {
    let device = bounded(Bounds::default())?;
    let mut gpu = block_on(Gpu::new(&device, &problem(shape(100, 3), 1.0))).map_err(text)?;
    gpu.evaluate(Point::State, Field::Tangent, 0).map_err(text)?;
    device.destroy();
    match block_on(gpu.tokens()) {
        Err(BackendError::DeviceLost { .. }) => Ok(()),
        Err(error) => Err(format!("another error: {error}")),
        Ok(_) => Err("a lost device returned tokens".into()),
    }
}
