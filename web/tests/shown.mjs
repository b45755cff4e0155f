// What the pictures of the documentation show: every preset, embedded, at one layer-time, computed on the CPU, so that they can be made again.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ended, hurry, link, open, ready } from "./browser.mjs";

const PAGE = join(import.meta.dirname, "../page");

export const presets = JSON.parse(await readFile(join(PAGE, "presets.json"), "utf8")).map(({ id }) => id);
export const PICTURES = join(import.meta.dirname, "../../docs/pictures/presets");

/** Layer-times at which there is something to see; else it is the end. */
const TIMES = { "clusters": 8, "common-noise": 4, "hemisphere": 4, "metastable": 6, "noise": 6, "polytope": 3, "repulsion": 4, "sinkhorn": 10, "spectral": 1 };

/** The picture of a preset, PNG. */
export async function shown(browser, url, id) {
  const whole = await readFile(join(PAGE, "presets", `${id}.toml`), "utf8");
  const toml = TIMES[id] === undefined ? whole : whole.replace(/^end = .*$/m, `end = ${TIMES[id].toFixed(1)}`);
  const { context, page } = await open(browser, `${url}?embed&device=cpu${link(toml)}`, { viewport: { width: 720, height: 450 }, colorScheme: "light" });
  await ready(page);
  await hurry(page);
  await ended(page, 300_000);
  await page.waitForTimeout(300);
  const png = await page.screenshot();
  await context.close();
  return png;
}
