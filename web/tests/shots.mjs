// Pictures of the page for people: node tests/shots.mjs FOLDER. Desktop and phone, dark and light.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { FOLDER, launch, open, ready, serve } from "./browser.mjs";

const folder = process.argv[2] ?? "screenshots";
const hash = process.argv[3] ?? "clusters";
mkdirSync(folder, { recursive: true });
const server = await serve(FOLDER);
const browser = await launch({ gpu: Boolean(process.env.GPU) });
const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
for (const [size, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ["light", "dark"]) {
    const { context, page, problems } = await open(browser, `${server.url}#${hash}`, { viewport, colorScheme, deviceScaleFactor: size === "phone" ? 2 : 1 });
    await ready(page);
    await page.waitForTimeout(Number(process.env.WAIT ?? 6000));
    await page.screenshot({ path: join(folder, `${hash}-${size}-${colorScheme}.png`), timeout: 120_000 });
    if (size === "phone") await page.screenshot({ path: join(folder, `${hash}-${size}-${colorScheme}-full.png`), fullPage: true, timeout: 120_000 });
    if (problems.length) console.log(size, colorScheme, problems);
    await context.close();
  }
}
await browser.close();
await server.close();
