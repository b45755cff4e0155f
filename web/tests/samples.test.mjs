// The numbers on the page are those of `tokenfield run`: every preset runs to its end in the page, on the CPU, and all samples are compared.
// TOKENFIELD is the program; ONLY, a list with commas, takes some of the presets.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { FOLDER, launch, MOCK, open, ready, serve } from "./browser.mjs";

const PROGRAM = process.env.TOKENFIELD;
const skip = MOCK ? "the stand-in for the engine has numbers of its own" : PROGRAM ? false : "TOKENFIELD is not set: the path of the program to compare with";
const presets = (await readdir(join(import.meta.dirname, "../page/presets"))).map((name) => name.replace(/\.toml$/, ""));
const only = process.env.ONLY?.split(",");
// Relative, and absolute for numbers near zero, as a mean has: sums of single precision are off by some 1e-7 of their largest term.
const RELATIVE = 1e-5;
const ABSOLUTE = 1e-6;

// A pair whose overlap is within rounding of the edge of a bin is counted on either side: shares may be off by so many pairs.
const PAIRS = 4;
const DRAWN = 1e6;

const table = (text) => {
  const [head, ...rows] = text.trim().split("\n").map((line) => line.split(","));
  return { head, rows: rows.map((row) => row.map(Number)) };
};

/** The first number that differs, as a sentence; undefined where none does. */
export function difference(ours, theirs, count) {
  const pair = 1 / Math.min((count * (count - 1)) / 2, DRAWN);
  if (ours.head.join() !== theirs.head.join()) return `columns ${ours.head} and ${theirs.head}`;
  if (ours.rows.length !== theirs.rows.length) return `${ours.rows.length} and ${theirs.rows.length} samples`;
  for (const [i, row] of ours.rows.entries()) {
    for (const [k, x] of row.entries()) {
      const y = theirs.rows[i][k];
      const counted = ours.head[k].startsWith("overlap_histogram") ? PAIRS * pair : 0;
      const same = Number.isNaN(x) ? Number.isNaN(y) : Math.abs(x - y) <= ABSOLUTE + counted + RELATIVE * Math.abs(y);
      if (!same) return `${ours.head[k]} at t = ${row[1]}: ${x} on the page, ${y} by the program, off by ${Math.abs(x - y).toExponential(1)}`;
    }
  }
  return undefined;
}

test("the comparison sees a difference", () => {
  const one = { head: ["replica", "time", "a"], rows: [[0, 0, 1], [0, 1, NaN]] };
  assert.equal(difference(one, structuredClone(one), 100), undefined);
  assert.match(difference(one, { ...one, rows: [[0, 0, 1.0001], [0, 1, NaN]] }, 100), /a at t = 0/);
  assert.match(difference(one, { ...one, rows: [[0, 0, 1], [0, 1, 0]] }, 100), /a at t = 1/);
  assert.match(difference(one, { ...one, rows: [[0, 0, 1]] }, 100), /samples/);
});

let server, browser, folder;
before(async () => {
  if (skip) return;
  [server, browser, folder] = [await serve(FOLDER), await launch(), await mkdtemp(join(tmpdir(), "samples-"))];
  await copyFile(join(FOLDER, "data/minilm-256.npy"), join(folder, "minilm-256.npy"));
});
after(async () => {
  await browser?.close();
  await server?.close();
  if (folder) await rm(folder, { recursive: true });
});

async function ofPage(id) {
  const { page, context, problems } = await open(browser, `${server.url}?cpu#${id}`);
  await ready(page);
  await page.locator("#pace").evaluate((input) => ((input.value = "1000"), input.dispatchEvent(new Event("input"))));
  await page.waitForFunction(() => document.documentElement.dataset.ended === "true", null, { timeout: 400_000 });
  const toml = await page.locator("#toml").inputValue();
  const count = Number((await page.locator("#count-value").textContent()).replace(/\D/g, ""));
  const saved = page.waitForEvent("download");
  await page.locator("#save-csv").evaluate((button) => button.click());
  const text = await readFile(await (await saved).path(), "utf8");
  assert.deepEqual(problems, []);
  await context.close();
  return { toml, samples: table(text), count };
}

async function ofProgram(id, toml) {
  const file = join(folder, `${id}.toml`);
  await writeFile(file, toml);
  const out = join(folder, id);
  await promisify(execFile)(PROGRAM, ["run", file, "--backend", "cpu", "--no-plot", "--out", out], { timeout: 400_000 });
  return table(await readFile(join(out, "samples.csv"), "utf8"));
}

for (const id of presets) {
  test(`samples of ${id}`, { skip: skip || (only && !only.includes(id) ? "not in ONLY" : false), timeout: 900_000 }, async () => {
    const { toml, samples, count } = await ofPage(id);
    assert.equal(difference(samples, await ofProgram(id, toml), count), undefined);
  });
}
