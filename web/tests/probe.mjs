import { FOLDER, launch, open, serve } from "./browser.mjs";
const server = await serve(FOLDER);
const browser = await launch({ gpu: Boolean(process.env.GPU) });
for (const id of process.argv.slice(2)) {
  const { page, problems, context } = await open(browser, `${server.url}#${id}`);
  const start = Date.now();
  let got = "no sample";
  try { await page.waitForFunction(() => Number(document.documentElement.dataset.samples) > 0 || document.getElementById("status").dataset.tone === "error", null, { timeout: 20000 }); got = `${Date.now() - start} ms`; } catch {}
  await page.waitForTimeout(Number(process.env.WAIT ?? 3000));
  console.log(id, got, await page.locator("#time").textContent(), await page.locator("#rate").textContent(), await page.locator("#machine").textContent(), "|", await page.locator("#status").textContent(), problems.join(" "));
  if (process.env.SHOT) await page.screenshot({ path: `${process.env.SHOT}/${id}.png` });
  await context.close();
}
await browser.close(); await server.close();
