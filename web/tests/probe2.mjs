import { deflateRawSync } from "node:zlib"; import { readFileSync } from "node:fs";
import { FOLDER, launch, open, serve } from "./browser.mjs";
const server = await serve(FOLDER); const browser = await launch({ gpu: Boolean(process.env.GPU) });
const text = readFileSync("page/presets/clusters.toml","utf8").replace("count = 4096", `count = ${process.argv[2]}`).replace("beta = 16.0",`beta = ${process.argv[3] ?? 16}`);
const { page } = await open(browser, `${server.url}${process.env.CPU ? "?cpu" : ""}#${deflateRawSync(text).toString("base64url")}`);
for (let k=0;k<Number(process.argv[4] ?? 6);k++){ await page.waitForTimeout(3000); console.log(await page.locator("#time").textContent(), await page.locator("#rate").textContent(), await page.locator("#machine").textContent(), await page.evaluate(()=>document.documentElement.dataset.samples), await page.locator("#status").textContent()); }
await page.screenshot({path:"/tmp/page-brief/probe/many.png"});
await browser.close(); await server.close();
