// The pictures of the documentation: node tests/shots.mjs, of some with ONLY=clusters,noise. With a folder, pictures of a preset for people: node tests/shots.mjs FOLDER clusters,
// desktop and phone, light and dark or SCHEME, on WebGPU with GPU=1.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FOLDER, launch, open, ready, serve } from "./browser.mjs";
import { PICTURES, presets, shown } from "./shown.mjs";

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const [folder, ...chosen] = process.argv.slice(2);
const server = await serve(FOLDER);
const browser = await launch({ gpu: Boolean(process.env.GPU) });

async function documentation() {
  mkdirSync(PICTURES, { recursive: true });
  for (const id of process.env.ONLY?.split(",") ?? presets) writeFileSync(join(PICTURES, `${id}.png`), await shown(browser, server.url, id));
}

async function people(id, size, colorScheme) {
  const options = { viewport: SIZES[size], colorScheme, deviceScaleFactor: size === "phone" ? 2 : 1 };
  const { context, page, problems } = await open(browser, `${server.url}#${id}`, options);
  await ready(page);
  await page.waitForTimeout(Number(process.env.WAIT ?? 6000));
  await page.screenshot({ path: join(folder, `${id}-${size}-${colorScheme}.png`), timeout: 120_000 });
  if (problems.length) console.log(id, size, colorScheme, problems);
  await context.close();
}

if (folder) {
  mkdirSync(folder, { recursive: true });
  for (const id of chosen.length ? chosen : presets) {
    for (const size of Object.keys(SIZES)) {
      for (const colorScheme of process.env.SCHEME ? [process.env.SCHEME] : ["light", "dark"]) await people(id, size, colorScheme);
    }
  }
} else await documentation();
await browser.close();
await server.close();
