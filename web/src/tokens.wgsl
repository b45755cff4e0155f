// Tokens as discs that face the viewer.

struct View {
    // From the drawn space, in which tokens of length one lie on the unit sphere, to clip space.
    matrix: mat4x4f,
    background: vec3f,
    // Of a disc, in pixels.
    radius: f32,
    // Of the picture, in pixels.
    size: vec2f,
    // Vectors of four components that a token has.
    vectors: u32,
    // Whether nothing is behind, 1 or 0.
    flat: u32,
}

struct Corner {
    @builtin(position) position: vec4f,
    // From the centre, in pixels.
    @location(0) place: vec2f,
    @location(1) @interpolate(flat) colour: vec3f,
}

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var<storage, read> tokens: array<vec4f>;
@group(0) @binding(2) var<storage, read> colours: array<u32>;
// For each of the three directions its components, as vectors of four.
@group(0) @binding(3) var<storage, read> axes: array<vec4f>;

@vertex
fn vertex(@builtin(vertex_index) corner: u32, @builtin(instance_index) token: u32) -> Corner {
    var point = vec3f(0.0, 0.0, 0.0);
    for (var v: u32 = 0u; v < view.vectors; v++) {
        let part: vec4f = tokens[token * view.vectors + v];
        point += vec3f(
            dot(part, axes[v]),
            dot(part, axes[view.vectors + v]),
            dot(part, axes[2u * view.vectors + v]),
        );
    }
    let centre: vec4f = view.matrix * vec4f(point, 1.0);
    // One pixel more than the radius: edges are smooth.
    let place: vec2f = (vec2f(f32(corner & 1u), f32(corner >> 1u)) * 2.0 - 1.0) * (view.radius + 1.0);
    let offset: vec2f = place * 2.0 / view.size * centre.w;
    // How far it lies behind the centre of the sphere: what is hidden there fades.
    let behind: f32 = centre.w - (view.matrix * vec4f(0.0, 0.0, 0.0, 1.0)).w;
    let fade: f32 = select(0.82 * smoothstep(-0.25, 0.5, behind), 0.0, view.flat == 1u);
    let colour: vec3f = unpack4x8unorm(colours[token]).rgb;
    return Corner(centre + vec4f(offset, 0.0, 0.0), place, mix(colour, view.background, fade));
}

@fragment
fn fragment(corner: Corner) -> @location(0) vec4f {
    let square: f32 = dot(corner.place, corner.place);
    let inside: f32 = view.radius + 0.5 - sqrt(square);
    if inside <= 0.0 {
        discard;
    }
    // Lit from the front, like a ball.
    let light: f32 = 0.8 + 0.2 * sqrt(max(1.0 - square / (view.radius * view.radius), 0.0));
    return vec4f(corner.colour * light, min(inside, 1.0));
}
