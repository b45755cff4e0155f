// Tokens in motion: a picture and its controls. The default export is a module of anywidget; a static page calls the same `render` with a
// model that never changes. `view_draw.js` goes before this file in one module.

// Bytes in equal parts, one for each frame: of `Kind`, `length` numbers each.
function split(view, Kind, length) {
  const bytes = new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength).slice();
  const all = new Kind(bytes.buffer);
  return Array.from({ length: all.length / length }, (_, k) => all.slice(k * length, (k + 1) * length));
}

const ICONS = {
  play: "M4 2v12l10-6z",
  pause: "M3 2h4v12H3zM9 2h4v12H9z",
  back: "M3 2h2v12H3zM14 2v12L6 8z",
  step: "M2 2v12l8-6zM11 2h2v12h-2z",
  reset: "M8 3a5 5 0 1 1-4.6 3H1l3.5-4L8 6H5.5A3.2 3.2 0 1 0 8 4.8z",
};

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function icon(button, name, label) {
  button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
  button.title = label;
  button.setAttribute("aria-label", label);
}

const button = (name, label) => {
  const element = make("button", { type: "button" });
  icon(element, name, label);
  return element;
};

function render({ model, el }) {
  const scene = { ...model.get("scene") };
  const { axes, count, live } = scene;
  let moments = [...scene.times];
  let frames = split(model.get("frames"), Float32Array, count * axes);
  let colors = split(model.get("colors"), Uint8Array, count * 3);
  let [position, playing, waiting, request, before] = [0, false, false, 0, 0];
  let [turn, zoom, offset] = [firstTurn(scene), 1, [0, 0]];

  let canvas = make("canvas", { tabindex: 0, role: "img", "aria-label": `${scene.caption}. Drag or press arrow keys to turn.` });
  canvas.style.height = `${scene.height}px`;
  const play = button("play", "Play");
  const back = button("back", "One frame back");
  const forth = button("step", "One frame on");
  const slider = make("input", { type: "range", min: 0, step: "any", "aria-label": scene.timed ? "Layer-time" : "Frame" });
  const output = make("span", { class: "tf-time" });
  const speeds = live ? [1, 2, 5, 10, 20, 50] : [0.25, 0.5, 1, 2, 4];
  const speed = make("select", { "aria-label": live ? "Steps for each frame" : "Speed" });
  for (const value of speeds) speed.append(make("option", { value }, live ? `${value} step${value > 1 ? "s" : ""}` : `${value}×`));
  speed.value = 1;
  const reset = button("reset", "Reset the view");
  const moving = [play, back, forth, slider, output, speed];
  const ramp = make("span", { class: "tf-ramp" });
  const legend = make("p", { class: "tf-legend" });
  const caption = make("p", { class: "tf-caption" }, scene.caption);
  const status = make("p", { class: "tf-status", role: "status" });
  const root = make(
    "div",
    // Keys of a focused picture are not commands of JupyterLab.
    { class: "tokenfield-view", "data-lm-suppress-shortcuts": "true" },
    canvas,
    make("div", { class: "tf-controls", role: "group", "aria-label": "Time and view" }, ...moving, reset),
    caption,
    legend,
    status,
  );
  el.append(root);

  function explain({ label, stops, low, high }) {
    ramp.style.background = `linear-gradient(to right, ${stops.join(",")})`;
    legend.replaceChildren(...[label, ...(stops.length ? [low, ramp, high] : [])].map((part) => (part === ramp ? ramp : make("span", {}, part))));
  }
  explain(scene.legend);

  let renderer;
  function start() {
    try {
      renderer = new WebGL(canvas, scene);
      // A browser takes contexts away where there are too many of them.
      canvas.addEventListener("webglcontextlost", () => fall(), { once: true });
    } catch {
      fall();
    }
    root.dataset.renderer = renderer instanceof WebGL ? "webgl2" : "2d";
  }
  function fall() {
    if (closed) return;
    const fresh = canvas.cloneNode();
    canvas.replaceWith(fresh);
    canvas = fresh;
    listen();
    renderer = new Canvas2D(canvas, scene);
    root.dataset.renderer = "2d";
    draw();
  }

  function pixels() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((length) => Math.max(1, Math.round(length * ratio)));
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const half = 0.92 * Math.min(width, height);
    return { ratio, scale: [(zoom * half) / width, (zoom * half) / height] };
  }

  function draw() {
    request = 0;
    const { ratio, scale } = pixels();
    const k = Math.min(Math.floor(position), frames.length - 1);
    const to = Math.min(k + 1, frames.length - 1);
    const size = scene.size * ratio * Math.min(Math.sqrt(zoom), 3);
    renderer.draw({ from: frames[k], to: frames[to], colors: colors[k] ?? colors[0], fraction: position - k, turn, scale, offset, size });
  }

  const gap = () => Math.min(...moments.slice(1).flatMap((t, k) => (t > moments[k] ? [t - moments[k]] : [])), 1);
  let digits = 0;
  function measure() {
    digits = scene.timed && moments.length > 1 ? Math.min(Math.max(Math.ceil(-Math.log10(gap()) - 1e-3), 0) + 1, 6) : 0;
    const still = moments.length < 2 && !live;
    for (const element of moving) element.hidden = still;
    slider.max = moments.length - 1;
  }

  // Show the place `p` in time, in frames from the first one kept.
  function go(p) {
    position = Math.min(Math.max(p, 0), moments.length - 1);
    const k = Math.min(Math.floor(position), Math.max(moments.length - 2, 0));
    const time = moments[k] + (position - k) * ((moments[k + 1] ?? moments[k]) - moments[k]);
    const text = scene.timed ? `t = ${time.toFixed(digits)}` : `frame ${Number(time.toFixed(1))}`;
    slider.value = position;
    slider.setAttribute("aria-valuetext", text);
    output.textContent = text;
    request ||= requestAnimationFrame(draw);
  }

  const last = () => moments.length - 1;
  function ask() {
    if (waiting) return;
    waiting = true;
    status.textContent = "";
    model.send({ kind: "step", steps: Number(speed.value) });
  }

  function setPlaying(on) {
    if (on === playing) return;
    playing = on;
    icon(play, on ? "pause" : "play", on ? "Pause" : "Play");
    if (on && !live && position >= last()) position = 0;
    before = performance.now();
    if (on) requestAnimationFrame(tick);
  }

  // Frames a second: all of them in ten seconds, but neither a slide show nor a flicker.
  const rate = () => (live ? 10 : Math.min(Math.max(last() / 10, 2), 30) * Number(speed.value));
  function tick(now) {
    if (!playing || closed) return;
    const next = position + (Math.max(now - before, 0) / 1000) * rate();
    before = now;
    if (live && next > last() - 1) ask();
    if (!live && next >= last()) setPlaying(false);
    go(next);
    if (playing) requestAnimationFrame(tick);
  }

  function move(by) {
    setPlaying(false);
    if (live && by > 0 && position >= last()) return ask();
    go(by > 0 ? Math.floor(position) + 1 : Math.ceil(position) - 1);
  }

  function rotate(x, y, z = 0) {
    turn = times(rotation(x, y, z), turn);
    go(position);
  }

  // Zoom by a factor about a point of the canvas, in its units from -1 to 1.
  function zoomAt(factor, x = 0, y = 0) {
    const after = Math.min(Math.max(zoom * factor, 0.5), 40);
    offset = after <= 1 ? [0, 0] : [x + (offset[0] - x) * (after / zoom), y + (offset[1] - y) * (after / zoom)];
    zoom = after;
    go(position);
  }

  const pointers = new Map();
  function point(event) {
    const box = canvas.getBoundingClientRect();
    return [(2 * (event.clientX - box.left)) / box.width - 1, 1 - (2 * (event.clientY - box.top)) / box.height];
  }
  const centre = () => [...pointers.values()].reduce(([x, y], p) => [x + p[0] / pointers.size, y + p[1] / pointers.size], [0, 0]);
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot((a[0] - b[0]) * canvas.clientWidth, (a[1] - b[1]) * canvas.clientHeight);
  };

  function drag(event) {
    const old = pointers.get(event.pointerId);
    if (!old) return;
    const apart = pointers.size === 2 ? spread() : 0;
    const now = point(event);
    pointers.set(event.pointerId, now);
    if (apart) return zoomAt(spread() / apart, ...centre());
    const { scale } = pixels();
    const from = [(old[0] - offset[0]) / scale[0], (old[1] - offset[1]) / scale[1]];
    const to = [(now[0] - offset[0]) / scale[0], (now[1] - offset[1]) / scale[1]];
    if (axes === 2) rotate(0, 0, Math.atan2(from[0] * to[1] - from[1] * to[0], from[0] * to[0] + from[1] * to[1]));
    else rotate(to[0] - from[0], to[1] - from[1]);
  }

  const TURNS = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onCanvas = event.target === canvas;
    const [x, y] = TURNS[event.key] ?? [];
    if (event.key === " " && (onCanvas || event.target === slider)) setPlaying(!playing && !play.hidden);
    else if (onCanvas && x !== undefined) axes === 2 ? rotate(0, 0, -x - y) : rotate(x, y);
    else if (event.target === slider && x !== undefined) move(x + y);
    else if (onCanvas && "+=-".includes(event.key)) zoomAt(event.key === "-" ? 1 / 1.2 : 1.2);
    else return;
    event.preventDefault();
  }

  function wheel(event) {
    if (document.activeElement !== canvas && canvas.getRootNode().activeElement !== canvas && !event.ctrlKey) return;
    event.preventDefault();
    zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.0015)), ...point(event));
  }

  function listen() {
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, point(event));
    });
    canvas.addEventListener("pointermove", drag);
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => pointers.delete(event.pointerId));
    canvas.addEventListener("wheel", wheel, { passive: false });
  }

  function heard(message, buffers) {
    const following = position >= last() - 1e-9;
    if (message.kind === "error") {
      waiting = false;
      setPlaying(false);
      status.textContent = message.text;
      return;
    }
    if (message.kind === "history") {
      frames.forEach((frame) => renderer.forget(frame));
      colors.forEach((color) => renderer.forget(color));
      moments = [...message.times];
      frames = split(buffers[0], Float32Array, count * axes);
      colors = split(buffers[1], Uint8Array, count * 3);
      measure();
      return go(following ? last() : position);
    }
    waiting = false;
    moments.push(message.time);
    frames.push(...split(buffers[0], Float32Array, count * axes));
    colors.push(...split(buffers[1], Uint8Array, count * 3));
    explain(message.legend);
    scene.radius = message.radius;
    caption.textContent = message.caption;
    while (frames.length > scene.history) {
      moments.shift();
      renderer.forget(frames.shift());
      renderer.forget(colors.shift());
      position -= 1;
    }
    measure();
    go(following && !playing ? last() : position);
  }

  let closed = false;
  listen();
  start();
  measure();
  play.addEventListener("click", () => setPlaying(!playing));
  back.addEventListener("click", () => move(-1));
  forth.addEventListener("click", () => move(1));
  slider.addEventListener("input", () => {
    setPlaying(false);
    go(Number(slider.value));
  });
  reset.addEventListener("click", () => {
    [turn, zoom, offset] = [firstTurn(scene), 1, [0, 0]];
    go(position);
  });
  root.addEventListener("keydown", key);
  const resized = new ResizeObserver(() => go(position));
  resized.observe(canvas.parentElement);
  go(0);
  if (live) {
    model.on("msg:custom", heard);
    model.send({ kind: "history" });
  } else if (moments.length > 1 && !window.matchMedia("(prefers-reduced-motion: reduce)").matches) setPlaying(true);

  return () => {
    closed = true;
    cancelAnimationFrame(request);
    resized.disconnect();
    model.off("msg:custom", heard);
    renderer.dispose();
    root.remove();
  };
}

export default { render };
