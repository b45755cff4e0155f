// The page: it ties the experiment, the view, the controls and the plots together.

import type { Colour, Device } from "./api";
import { Controls } from "./controls";
import { number, set, word } from "./document";
import { listen as listenDrop } from "./drop";
import { Engine } from "./engine";
import { files, source, words } from "./files";
import { observe } from "./forms";
import { formula } from "./formula";
import { draw as icon } from "./icons";
import { Lab } from "./lab";
import { pack, unpack } from "./link";
import { LastSample } from "./table";
import { Plots } from "./plots";
import { PRESETS, type Preset } from "./presets";
import type { FromWorker, Opened, Progress } from "./protocol";
import { at, PACE, placeOf, shown } from "./scale";
import { shares } from "./shares";
import { composed, fileName, saved } from "./share";
import { parse, type Table } from "./toml";
import { write } from "./toml_write";
import { typeset } from "./typeset";
import { View } from "./view";

const find = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const query = new URLSearchParams(location.search);
const DEVICES = ["auto", "gpu", "cpu", "cpu-double"];
const machineAsked = query.get("device") ?? "auto";
const embedded = query.has("embed");
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
document.documentElement.classList.toggle("embedded", embedded);

const engine = new Engine(find("screen"), hear);
const view = new View(find("stage"), find<HTMLCanvasElement>("net"), {
  look: (look) => engine.send({ kind: "look", look }),
  size: (width, height) => engine.send({ kind: "size", width, height }),
  point: (x, y) => spoken && engine.send({ kind: "point", x, y }),
});
const lab = new Lab(engine, { experiment, opened, measures, samples, progress, playing, changed, say }, (DEVICES.includes(machineAsked) ? machineAsked : "auto") as Device);
const controls = new Controls(lab);
const plots = new Plots(find("plots"), () => number(lab.root, "time.end", 0));
const table = new LastSample(find<HTMLTableSectionElement>("sample"), find("sample-time"));
let preset: Preset | undefined;
/** The text with which the preset was chosen: where that of the experiment is another one, it was changed. */
let presetText = "";
let spoken: string[] | undefined;
let packed = "";
let paceChosen = false;
/** Milliseconds after the last change. */
const ADDRESS_AFTER = 300;
let addressing = 0;

function hear(message: FromWorker): void {
  if (message.kind === "extent") view.extent(message.radius);
  else if (message.kind === "point") point(message.index, message.x, message.y);
  else if (message.kind === "picture") void composed(message.blob, find<HTMLCanvasElement>("net")).then((blob) => saved(blob, fileName(lab.root, "png")));
  else if (message.kind === "recording") find("record").textContent = message.on ? `Stop, ${message.seconds.toFixed(0)} s` : "Record film";
  else if (message.kind === "film") saved(message.blob, fileName(lab.root, message.name));
  else lab.hear(message);
  if (message.kind === "recording") find("record").toggleAttribute("data-on", message.on);
}

function experiment(): void {
  controls.refresh();
  find("formula").innerHTML = formula(lab.root);
  const area = find<HTMLTextAreaElement>("toml");
  if (document.activeElement !== area) area.value = lab.text;
  const own = preset && word(lab.root, "name", "") === preset.id ? preset : undefined;
  describe(own);
  if (!paceChosen) pace(lab.length / 14);
  const { text } = lab;
  void pack(text).then((link) => {
    if (text !== lab.text) return;
    packed = link;
    clearTimeout(addressing);
    addressing = window.setTimeout(address, ADDRESS_AFTER);
  });
}

/** Browsers let a page change its address only now and then. */
function address(): void {
  if (!embedded && location.hash.slice(1) !== packed) history.replaceState(null, "", `#${packed}`);
}

function describe(own: Preset | undefined): void {
  preset = own;
  const name = word(lab.root, "name", "experiment").replaceAll("-", " ");
  find("headline").textContent = own ? own.title : name;
  const select = find<HTMLSelectElement>("preset");
  select.value = own?.id ?? "";
  select.querySelector<HTMLOptionElement>("[value='']")!.hidden = own !== undefined;
  const isAsChosen = lab.text === presetText;
  find("says").innerHTML = typeset(own ? (isAsChosen ? own.says : `Changed. The preset: ${own.says}`) : "An experiment of your own, or from a link.");
  find("law").innerHTML = typeset(own?.law ?? "");
  const paper = find("paper");
  paper.replaceChildren();
  if (!own) return;
  const link = document.createElement("a");
  [link.href, link.textContent, link.rel, link.target] = [`https://arxiv.org/abs/${own.paper.arxiv}`, own.paper.title, "noopener noreferrer", "_blank"];
  paper.append(`${own.paper.authors}, `, link, `, arXiv:${own.paper.arxiv}`);
}

function opened(now: Opened): void {
  machine(now.machine, now.method);
  document.documentElement.dataset["machine"] = now.machine;
  view.unit();
  view.show(lab.space, now.count);
  document.documentElement.dataset["ended"] = "false";
  measures(now);
  controls.refresh();
  spoken = undefined;
  find("tip").hidden = true;
  // Those of an earlier experiment may come late.
  void words(lab.root).then((list) => now === lab.opened && (spoken = list), () => undefined);
}

function measures(now: Opened): void {
  document.documentElement.dataset["samples"] = "0";
  plots.open(now.columns, now.replicas);
  table.open(now.columns);
  // Until the first sample of these columns.
  plots.draw([]);
  table.draw([]);
}

function machine(name: string, method: string): void {
  const part = document.createElement("span");
  [part.className, part.textContent] = ["method", method ? `, ${method}` : ""];
  find("machine").replaceChildren(name, part);
}

function samples(): void {
  plots.draw(lab.samples);
  table.draw(lab.samples);
  document.documentElement.dataset["samples"] = String(lab.samples.length);
}

const digits = (): number => Math.min(Math.max(Math.ceil(-Math.log10(number(lab.root, "time.step", 0.01)) - 1e-9), 0), 4);

function progress(now: Progress): void {
  find("time").innerHTML = `<i>t</i> = ${now.time.toFixed(digits())}`;
  find<HTMLProgressElement>("done").value = now.total > 0 ? Math.min(now.steps / now.total, 1) : 0;
  find("rate").textContent = now.ended ? "the end" : lab.playing && now.rate > 0 ? `${shown(Number(now.rate.toPrecision(2)))} / s` : "";
  if (lab.opened) machine(lab.opened.machine, now.method);
  document.documentElement.dataset["ended"] = String(now.ended);
}

function playing(on: boolean): void {
  const button = find<HTMLButtonElement>("play");
  icon(button, on ? "pause" : "play");
  button.title = on ? "Pause (Space)" : "Play (Space)";
  button.setAttribute("aria-label", on ? "Pause" : "Play");
  if (!on) find("rate").textContent = lab.progress?.ended ? "the end" : "";
}

function changed(time: number | undefined): void {
  find("changed").hidden = time === undefined;
  if (time !== undefined) find("changed-text").textContent = `Changed at t = ${time.toFixed(digits())}; restart for the run of this link.`;
}

let hush = 0;
let noted = "";
function say(sentence: string, tone: "error" | "note" | "none"): void {
  const status = find("status");
  if (tone === "none" && status.dataset["tone"] === "note") return;
  // An error stays, and once is enough for what every run would say again.
  if (tone === "note" && ((status.dataset["tone"] === "error" && !status.hidden) || sentence === noted)) return;
  if (tone === "note" && sentence.includes("the CPU computes")) noted = sentence;
  clearTimeout(hush);
  [status.hidden, status.textContent, status.dataset["tone"]] = [sentence === "", sentence, tone];
  if (tone === "note") hush = window.setTimeout(() => ((status.hidden = true), (status.dataset["tone"] = "none")), 8000);
}

function point(index: number, x: number, y: number): void {
  const tip = find("tip");
  const text = spoken?.[index];
  tip.hidden = text === undefined;
  if (text === undefined) return;
  tip.textContent = text;
  tip.style.left = `${50 + 50 * x}%`;
  tip.style.top = `${50 - 50 * y}%`;
}

function pace(perSecond: number): void {
  const place = Number.isFinite(perSecond) ? Math.min(placeOf(PACE, perSecond), 999) : 1000;
  find<HTMLInputElement>("pace").value = String(place);
  paced(place);
}

function paced(place: number): void {
  const perSecond = place >= 1000 ? Infinity : at(PACE, place);
  const text = place >= 1000 ? "as fast as it goes" : `up to ${shown(perSecond)} / s`;
  find("pace-value").textContent = text;
  find("pace").setAttribute("aria-valuetext", text);
  engine.send({ kind: "pace", perSecond });
}

/** Opens an experiment, with title and law of the preset that it comes from; `asChosen` is the text of an unchanged one. */
function take(text: string, root: Table, play: boolean, own: Preset | undefined, asChosen: string): void {
  [preset, presetText] = [own, asChosen];
  plots.choose(own?.plots ?? []);
  paceChosen = false;
  void lab.load(text, root, play);
}

const choose = (one: Preset, play: boolean, text = one.toml): void => take(text, parse(text), play, one, text);

function fromText(text: string, play: boolean): void {
  let root: Table;
  try {
    root = parse(text);
  } catch (error) {
    return say((error as Error).message, "error");
  }
  const own = PRESETS.find((one) => one.id === word(root, "name", ""));
  take(text, root, play, own, own?.toml ?? text);
}

async function fromLink(): Promise<void> {
  const hash = location.hash.slice(1);
  if (hash === packed && hash !== "") return;
  if (hash === "") return first();
  const named = PRESETS.find((one) => one.id === hash);
  if (named) return choose(named, !still);
  try {
    fromText(await unpack(hash), !still);
  } catch (error) {
    await first();
    say((error as Error).message, "error");
  }
}

/** Whether there is a graphics device that is not made of software. */
async function accelerated(): Promise<boolean> {
  const adapter = await navigator.gpu?.requestAdapter();
  return adapter != null && !adapter.info?.isFallbackAdapter;
}

async function first(): Promise<void> {
  const one = PRESETS[0]!;
  if (lab.device.startsWith("cpu") || !(await accelerated())) return choose(one, !still);
  const root = parse(one.toml);
  // A graphics device has room for a hundred thousand tokens, that of a phone for fewer.
  set(root, "tokens.count", innerWidth < 820 ? 20_000 : 100_000);
  observe(root);
  choose(one, !still, write(root));
}

function keys(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return;
  // What has the focus takes the space bar itself.
  if (event.key === " " && /^(BUTTON|SUMMARY|A)$/.test(target.tagName)) return;
  if (target instanceof HTMLInputElement && target.type !== "range") return;
  if (event.key === ".") lab.step();
  else if (event.key === " ") event.repeat || lab.play(!lab.playing);
  else if (event.key === "r" || event.key === "R") event.repeat || void lab.restart(true);
  else return;
  event.preventDefault();
}

function presets(): void {
  const select = find<HTMLSelectElement>("preset");
  select.append(new Option("Your own", ""), ...PRESETS.map((one) => new Option(one.title, one.id)));
  select.addEventListener("change", () => {
    const one = PRESETS.find(({ id }) => id === select.value);
    if (one) choose(one, !still);
  });
}

function transport(): void {
  icon(find("step"), "step");
  icon(find("restart"), "restart");
  playing(false);
  find("play").addEventListener("click", () => lab.play(!lab.playing));
  find("step").addEventListener("click", () => lab.step());
  for (const id of ["restart", "changed-restart"]) find(id).addEventListener("click", () => void lab.restart(true));
  const input = find<HTMLInputElement>("pace");
  input.addEventListener("input", () => {
    paceChosen = true;
    paced(Number(input.value));
  });
}

function looks(): void {
  const colour = find<HTMLSelectElement>("colour");
  colour.addEventListener("change", () => engine.send({ kind: "colour", by: colour.value as Colour }));
  const device = find<HTMLSelectElement>("device");
  // A GPU that was asked for is one that is there under "auto".
  device.value = lab.device === "gpu" ? "auto" : lab.device;
  device.addEventListener("change", () => {
    lab.device = device.value as Device;
    void lab.restart();
  });
  find("reset-view").addEventListener("click", () => view.reset());
}

/** The run starts from tokens of the page. */
function start(name: string, shape: number[]): void {
  const [dim, count, replicas] = [...shape].reverse();
  if (shape.length < 2 || shape.length > 3) return say(`${name} has ${shape.length} axes; tokens have two, (count, dim), or three, with replicas first.`, "error");
  // An array that the experiment asks for, other than its tokens.
  if (files(lab.root).includes(name) && source(lab.root) !== name) return void lab.restart();
  const keys: Table = { count: count!, dim: dim!, ...(replicas === undefined ? {} : { replicas }), initial: { law: "file", path: name } };
  void lab.edit((root) => {
    for (const [key, value] of Object.entries(keys)) set(root, `tokens.${key}`, value);
    observe(root);
  }, "tokens");
}

function begin(): void {
  presets();
  transport();
  looks();
  find("run-toml").addEventListener("click", () => fromText(find<HTMLTextAreaElement>("toml").value, !still));
  shares(lab, engine, { link: () => packed, flush: () => view.flush(), say });
  listenDrop(document.body, { experiment: (text) => fromText(text, !still), tokens: start, say });
  addEventListener("keydown", keys);
  addEventListener("hashchange", () => void fromLink());
  document.addEventListener("visibilitychange", () => engine.send({ kind: "hidden", on: document.hidden }));
  // Workers of some browsers draw nothing until they know a size.
  view.draw();
  void fromLink().then(() => {
    if (!DEVICES.includes(machineAsked)) say(`The address has device=${machineAsked}, which is none of ${DEVICES.join(", ")}.`, "error");
  });
  if ("serviceWorker" in navigator && import.meta.env.PROD) void navigator.serviceWorker.register("./service.js").catch(() => undefined);
}

begin();
