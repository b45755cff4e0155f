// Drawing of tokens on a canvas, with WebGL2 or without. `view.js` follows this file in one module. Frames are Float32Arrays of `count`
// points of `axes` coordinates, colours Uint8Arrays of sRGB.

const VERTEX = `#version 300 es
in vec3 from;
in vec3 to;
in vec3 color;
uniform float fraction, size;
uniform mat3 turn;
uniform vec2 scale, offset;
uniform bool sphere;
uniform float unit;
uniform vec2 depth;
out vec4 tint;
out float width;
void main() {
  vec3 p = mix(from, to, fraction) * unit;
  if (sphere) p /= max(length(p), 1e-6);
  p = turn * p;
  gl_Position = vec4(p.xy * scale + offset, -0.1 * p.z, 1.0);
  width = size * (1.0 + 0.2 * p.z);
  gl_PointSize = width + 1.0;
  tint = vec4(color, mix(depth.x, 1.0, smoothstep(-depth.y, depth.y, p.z + 1e-3)));
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec4 tint;
in float width;
uniform float line;
out vec4 pixel;
void main() {
  float alpha = line * tint.a;
  if (line == 0.0) {
    float inside = 0.5 * width - (width + 1.0) * length(gl_PointCoord - 0.5);
    alpha = tint.a * clamp(inside + 0.5, 0.0, 1.0);
    if (alpha < 0.02) discard;
  }
  pixel = vec4(tint.rgb * alpha, alpha);
}`;

const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const LINE_ALPHA = 0.4;

// Rows of a rotation about the axes of the screen: to the right by `x`, up by `y`, and in its plane by `z`, in radians.
function rotation(x, y, z) {
  const [a, b, c] = [Math.cos(x), Math.cos(y), Math.cos(z)];
  const [s, t, u] = [Math.sin(x), Math.sin(y), Math.sin(z)];
  return times(times([1, 0, 0, 0, b, t, 0, -t, b], [a, 0, s, 0, 1, 0, -s, 0, a]), [c, -u, 0, u, c, 0, 0, 0, 1]);
}

function times(m, k) {
  return IDENTITY.map((_, i) => [0, 1, 2].reduce((sum, j) => sum + m[3 * Math.floor(i / 3) + j] * k[3 * j + (i % 3)], 0));
}

// The first look: the sphere with its third axis up, from above its equator; a ball with its first axis to the right and its second up;
// planes as they are.
function firstTurn({ axes, sphere }) {
  if (axes === 2) return IDENTITY;
  return sphere ? times(rotation(0, -0.35, 0), [-0.5, 0.866, 0, 0, 0, 1, 0.866, 0.5, 0]) : rotation(0.4, -0.3, 0);
}

// Lines behind the tokens: the outline, which does not turn, and parallels and meridians of the sphere or the axes of a ball.
function lines({ axes, sphere }) {
  const circle = (at) => ({ fixed: false, points: new Float32Array(Array.from({ length: 97 }, (_, i) => at((2 * Math.PI * i) / 96)).flat()) });
  const all = [{ ...circle((t) => [Math.cos(t), Math.sin(t), 0]), fixed: true }];
  if (axes === 2) return all;
  if (!sphere) {
    for (const k of [0, 1, 2]) all.push({ fixed: false, points: new Float32Array([-1, 1].flatMap((x) => [0, 1, 2].map((i) => (i === k ? x : 0)))) });
    return all;
  }
  for (let degrees = 0; degrees < 180; degrees += 30) {
    const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
    all.push(circle((t) => [c * Math.cos(t), s * Math.cos(t), Math.sin(t)]));
    if (degrees > 0) all.push(circle((t) => [s * Math.cos(t), s * Math.sin(t), c]));
  }
  return all;
}

// How much of a colour is left on the far side, and over which range of depth it fades: nothing fades in a plane.
const depthOf = ({ axes, sphere }) => (axes === 2 ? [1, 1] : sphere ? [0.2, 0.12] : [0.35, 1]);

class WebGL {
  constructor(canvas, scene) {
    const gl = canvas.getContext("webgl2", { antialias: true, alpha: true, premultipliedAlpha: true });
    if (!gl) throw new Error("no WebGL2");
    this.gl = gl;
    this.scene = scene;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    ["from", "to", "color"].forEach((name, index) => gl.bindAttribLocation(program, index, name));
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    this.at = (name) => gl.getUniformLocation(program, name);
    this.lines = lines(scene);
    this.buffers = new Map();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.depthFunc(gl.LEQUAL);
  }

  // The buffer of an array, made when it is first drawn.
  bind(array) {
    const { gl, buffers } = this;
    const known = buffers.get(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, known ?? gl.createBuffer());
    if (known) return;
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
    buffers.set(array, gl.getParameter(gl.ARRAY_BUFFER_BINDING));
  }

  forget(array) {
    this.gl.deleteBuffer(this.buffers.get(array) ?? null);
    this.buffers.delete(array);
  }

  draw({ from, to, colors, fraction, turn, scale, offset, size }) {
    const { gl, at, scene } = this;
    const coordinates = (place, array, axes) => {
      this.bind(array);
      gl.vertexAttribPointer(place, axes, gl.FLOAT, false, 0, 0);
      gl.enableVertexAttribArray(place);
    };
    gl.viewport(0, 0, gl.canvas.width, gl.canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniform2f(at("scale"), ...scale);
    gl.uniform2f(at("offset"), ...offset);
    gl.uniform2f(at("depth"), ...depthOf(scene));
    gl.uniform1f(at("fraction"), fraction);
    gl.uniform1i(at("sphere"), 0);
    gl.uniform1f(at("unit"), 1);
    gl.uniform1f(at("line"), LINE_ALPHA);
    gl.disableVertexAttribArray(2);
    gl.vertexAttrib3f(2, 0.5, 0.5, 0.5);
    gl.disable(gl.DEPTH_TEST);
    for (const { points, fixed } of this.lines) {
      gl.uniformMatrix3fv(at("turn"), true, fixed ? IDENTITY : turn);
      coordinates(0, points, 3);
      coordinates(1, points, 3);
      gl.drawArrays(gl.LINE_STRIP, 0, points.length / 3);
    }
    gl.enable(gl.DEPTH_TEST);
    gl.uniform1f(at("line"), 0);
    gl.uniform1i(at("sphere"), scene.sphere ? 1 : 0);
    gl.uniform1f(at("unit"), 1 / scene.radius);
    gl.uniform1f(at("size"), size);
    gl.uniformMatrix3fv(at("turn"), true, turn);
    coordinates(0, from, scene.axes);
    coordinates(1, to, scene.axes);
    this.bind(colors);
    gl.vertexAttribPointer(2, 3, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.enableVertexAttribArray(2);
    gl.drawArrays(gl.POINTS, 0, scene.count);
  }

  dispose() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

// The same picture without WebGL2, slower: far tokens first, near ones over them.
class Canvas2D {
  constructor(canvas, scene) {
    this.context = canvas.getContext("2d");
    this.scene = scene;
    this.lines = lines(scene);
  }

  forget() {}

  dispose() {}

  draw({ from, to, colors, fraction, turn, scale, offset, size }) {
    const { context: c, scene } = this;
    const { width, height } = c.canvas;
    const [least, range] = depthOf(scene);
    const place = (m, x, y, z) => {
      const [u, v, w] = [0, 3, 6].map((i) => m[i] * x + m[i + 1] * y + m[i + 2] * z);
      return [(width / 2) * (1 + u * scale[0] + offset[0]), (height / 2) * (1 - v * scale[1] - offset[1]), w];
    };
    const shade = (z) => {
      const t = Math.min(Math.max((z + 1e-3 + range) / (2 * range), 0), 1);
      return least + (1 - least) * t * t * (3 - 2 * t);
    };
    c.clearRect(0, 0, width, height);
    c.strokeStyle = "#808080";
    for (const { points, fixed } of this.lines) {
      for (let i = 3; i < points.length; i += 3) {
        const [a, b] = [i - 3, i].map((k) => place(fixed ? IDENTITY : turn, points[k], points[k + 1], points[k + 2]));
        c.globalAlpha = LINE_ALPHA * shade((a[2] + b[2]) / 2);
        c.beginPath();
        c.moveTo(a[0], a[1]);
        c.lineTo(b[0], b[1]);
        c.stroke();
      }
    }
    const tokens = Array.from({ length: scene.count }, (_, i) => {
      const p = [0, 1, 2].map((k) => {
        const at = scene.axes * i + k;
        return k < scene.axes ? (from[at] + (to[at] - from[at]) * fraction) / scene.radius : 0;
      });
      const length = scene.sphere ? Math.max(Math.hypot(...p), 1e-6) : 1;
      return [...place(turn, p[0] / length, p[1] / length, p[2] / length), i];
    });
    if (scene.axes > 2) tokens.sort((a, b) => a[2] - b[2]);
    for (const [x, y, z, i] of tokens) {
      c.globalAlpha = shade(z);
      c.fillStyle = `rgb(${colors[3 * i]},${colors[3 * i + 1]},${colors[3 * i + 2]})`;
      c.beginPath();
      c.arc(x, y, (size * (1 + 0.2 * z)) / 2, 0, 2 * Math.PI);
      c.fill();
    }
  }
}
