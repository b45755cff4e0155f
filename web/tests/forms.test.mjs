// Whatever is chosen on the page is an experiment: after any choices and places of the sliders the engine takes it.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createServer } from "vite";
import { MOCK } from "./browser.mjs";

const ROOT = join(import.meta.dirname, "..");
const PRESETS = join(ROOT, "page/presets");
const ids = (await readdir(PRESETS)).map((name) => name.replace(/\.toml$/, ""));
const skip = MOCK ? "the stand-in for the engine takes everything" : false;
const WALKS = 20;
const STEPS = 8;

let vite, engine, edits, SLIDERS, FIELDS, parse, write, minilm;
before(async () => {
  vite = await createServer({ root: ROOT, server: { middlewareMode: true, watch: null, hmr: false, ws: false }, appType: "custom", logLevel: "error" });
  engine = await import("../pkg/tokenfield_web.js");
  engine.initSync({ module: await readFile(join(ROOT, "pkg/tokenfield_web_bg.wasm")) });
  const forms = await vite.ssrLoadModule("/page/forms.ts");
  ({ SLIDERS, FIELDS } = await vite.ssrLoadModule("/page/sliders.ts"));
  const scale = await vite.ssrLoadModule("/page/scale.ts");
  ({ parse } = await vite.ssrLoadModule("/page/toml.ts"));
  ({ write } = await vite.ssrLoadModule("/page/toml_write.ts"));
  const { numbers } = await vite.ssrLoadModule("/page/npy.ts");
  const bytes = await readFile(join(ROOT, "public/data/minilm-256.npy"));
  minilm = numbers("minilm-256.npy", bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const choices = [forms.WEIGHTS, forms.MATRICES, forms.MASKS, forms.PERCEPTRONS].flat();
  edits = [
    ...choices.map((choice) => ({ name: choice.label, apply: (root, dim) => (choice.apply(root, dim), forms.observe(root)), fits: choice.fits })),
    ...SLIDERS.flatMap((slider) =>
      (slider.id === "count" ? [0, 350, 705] : [0, 333, 667, 1000]).map((place) => ({
        name: `${slider.id} at ${place}`,
        fits: slider.fits,
        apply: (root) => slider.set(root, slider.zero && place === 0 ? 0 : scale.at(slider.scale, place)),
      })),
    ),
    ...[2, 3, 5].map((value) => ({
      name: `dimension ${value}`,
      // Other laws have axes, points or modes of their own dimension.
      fits: (root) => ["uniform", "gaussian", "box"].includes(root.tokens.initial.law) && !written(root),
      apply: (root, dim) => FIELDS.find(({ id }) => id === "dim").set(root, value, root.tokens.dim ?? dim),
    })),
  ];
});
after(() => vite?.close());

/** Whether an experiment writes its matrices or units for one dimension, and none of the page's choices. */
const written = (root) => "inner" in (root.perceptron ?? {}) || (root.perceptron?.gradient && root.perceptron.gradient.weights[0] !== 0.5);

/** What the engine says of an experiment, with the tokens of its file. */
function objection(text) {
  const arrays = new engine.Arrays();
  if (text.includes("minilm-256.npy")) arrays.insert("minilm-256", Uint32Array.from(minilm.shape), minilm.values);
  try {
    return engine.check(text.replace("minilm-256.npy", "minilm-256"), arrays);
  } finally {
    arrays.free();
  }
}

/** Numbers from 0 to 1 of a linear congruential generator. */
function generator(seed) {
  let state = BigInt(seed);
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 11n) / 2 ** 53;
  };
}

const offered = ({ fits }, root) => fits?.(root) ?? true;
const described = (walk, root) => `after ${walk.map(({ name }) => name).join(", ")}:\n${write(root)}`;

for (const id of ids) {
  test(`what is offered from ${id} is an experiment`, { skip, timeout: 300_000 }, async () => {
    const text = await readFile(join(PRESETS, `${id}.toml`), "utf8");
    const dim = Number(text.match(/^dim = (\d+)/m)?.[1] ?? 384);
    const next = generator(ids.indexOf(id) + 1);
    for (let k = 0; k < WALKS; k++) {
      const [root, walk] = [parse(text), []];
      for (let step = 0; step < STEPS; step++) {
        const edit = edits[Math.floor(next() * edits.length)];
        if (!offered(edit, root)) continue;
        edit.apply(root, root.tokens.dim ?? dim);
        walk.push(edit);
        assert.equal(objection(write(root)), undefined, described(walk, root));
      }
    }
  });

  test(`what is not offered from ${id} is none`, { skip, timeout: 60_000 }, async () => {
    const text = await readFile(join(PRESETS, `${id}.toml`), "utf8");
    for (const edit of edits.filter((edit) => !offered(edit, parse(text)) && !edit.name.startsWith("dimension"))) {
      const root = parse(text);
      edit.apply(root, 2);
      if (write(root) !== write(parse(text))) assert.notEqual(objection(write(root)), undefined, described([edit], root));
    }
  });
}

test("more tokens than clusters are counted of", { skip }, async () => {
  const root = parse(await readFile(join(PRESETS, "perceptron.toml"), "utf8"));
  SLIDERS.find(({ id }) => id === "count").set(root, 1e6);
  assert.doesNotMatch(write(root), /clusters|threshold/);
  assert.equal(objection(write(root)), undefined);
});
