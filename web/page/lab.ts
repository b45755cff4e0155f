// The experiment on the page and its run: what was typed, what the engine has made of it, and what it has measured.

import type { Device } from "./api";
import { copy, get, number, set, word } from "./document";
import type { Engine } from "./engine";
import { collect, type Named } from "./files";
import type { Space } from "./lines";
import type { FromWorker, Opened, Progress } from "./protocol";
import { isTable, type Table } from "./toml";
import { whole } from "./scale";
import { write } from "./toml_write";

export interface Sample {
  time: number;
  values: Float64Array;
}

interface Written {
  root: Table;
  text: string;
}

export interface Told {
  experiment(): void;
  opened(opened: Opened): void;
  /** Samples have other columns. */
  measures(opened: Opened): void;
  samples(): void;
  progress(progress: Progress): void;
  playing(on: boolean): void;
  changed(time: number | undefined): void;
  say(sentence: string, tone: "error" | "note" | "none"): void;
}

/** Samples that are kept. */
const MOST = 20_000;
const ROUND = ["sphere", "post-norm", "ngpt"];

export class Lab {
  root: Table = {};
  text = "";
  samples: Sample[] = [];
  opened: Opened | undefined;
  progress: Progress | undefined;
  playing = false;
  /** How many experiments were taken so far. */
  loads = 0;
  /** The `time.end` with which the experiment was taken. */
  length = 10;
  private run = 0;
  private asked = 0;
  private opening = false;
  /** What the engine runs, and what it was asked for since, by the number of the request. */
  private running: Written | undefined;
  private requests = new Map<number, Written>();
  private arrived = 0;
  /** One sample of so many is kept. */
  private every = 1;

  constructor(
    private readonly engine: Engine,
    private readonly told: Told,
    public device: Device,
  ) {}

  get count(): number {
    return this.opened?.count ?? number(this.root, "tokens.count", 1);
  }

  get dim(): number {
    return number(this.root, "tokens.dim", this.opened?.dim ?? 3);
  }

  get hasDim(): boolean {
    return this.opened !== undefined || typeof get(this.root, "tokens.dim") === "number";
  }

  get round(): boolean {
    const geometry = word(this.root, "tokens.geometry", isTable(get(this.root, "attention")) && get(this.root, "attention.model") ? "layer-norm" : "sphere");
    return ROUND.includes(geometry);
  }

  get space(): Space {
    if (this.dim <= 2) return this.round ? "circle" : "plane";
    return this.round && this.dim === 3 ? "sphere" : "ball";
  }

  /** Take an experiment and open it; `playing` says whether it starts to move. */
  async load(text: string, root: Table, playing: boolean): Promise<void> {
    [this.root, this.text] = [root, text];
    this.loads += 1;
    this.length = number(root, "time.end", 10);
    this.close();
    this.told.experiment();
    await this.restart(playing);
  }

  /** Change the experiment: on with the tokens as they are where the equation alone is new, else from the start. */
  async edit(mutate: (root: Table) => void, what: "equation" | "tokens"): Promise<void> {
    const root = copy(this.root);
    // After the end a change of the equation goes on for as long again.
    if (what === "equation" && this.progress?.ended && !this.opening) {
      const end = this.progress.time + this.length;
      const step = number(root, "time.step", 0);
      set(root, "time.end", step > 0 ? whole(end, step) : end);
    }
    mutate(root);
    const moved = this.opened !== undefined && !this.opening && (this.progress?.steps ?? 0) > 0;
    [this.root, this.text] = [root, write(root)];
    this.told.experiment();
    if (what === "tokens" || !moved) return this.restart(this.playing);
    const ready = await this.ready();
    if (ready) this.engine.send({ kind: "change", run: this.run, toml: ready.toml, asked: ready.asked });
  }

  /** Run the experiment as it stands from its start. */
  async restart(playing = this.playing): Promise<void> {
    this.told.say("", "none");
    const run = ++this.run;
    this.opening = true;
    this.setPlaying(playing);
    const ready = await this.ready();
    if (run !== this.run) return;
    if (!ready) return this.close();
    this.progress = undefined;
    this.told.changed(undefined);
    const { toml, arrays } = ready;
    this.engine.send({ kind: "open", run, toml, arrays, device: this.device, sphere: this.round, playing: this.playing });
  }

  /** Nothing is open, and nothing moves. */
  private close(): void {
    [this.opened, this.progress, this.running, this.opening] = [undefined, undefined, undefined, false];
    this.engine.send({ kind: "play", on: false });
    this.setPlaying(false);
  }

  /** The experiment for the engine; undefined where something else is wanted meanwhile, or a file is missing. */
  private async ready(): Promise<{ toml: string; arrays: Named[]; asked: number } | undefined> {
    const asked = ++this.asked;
    this.requests.set(asked, { root: this.root, text: this.text });
    try {
      const ready = await collect(this.text);
      return asked === this.asked ? { ...ready, asked } : undefined;
    } catch (error) {
      // Nothing was sent: the engine still runs what it ran.
      if (asked === this.asked && !this.opening) this.back();
      this.told.say((error as Error).message, "error");
      return undefined;
    }
  }

  play(on: boolean): void {
    if (on && !this.opening && (!this.opened || (this.progress?.ended && this.isSettled))) return void this.restart(true);
    this.engine.send({ kind: "play", on });
    this.setPlaying(on);
  }

  /** Whether the engine runs what it was asked for last. */
  private get isSettled(): boolean {
    return this.running === this.requests.get(this.asked);
  }

  step(): void {
    if (!this.opened && !this.opening) return void this.restart(false);
    this.play(false);
    this.engine.send({ kind: "step" });
  }

  private setPlaying(on: boolean): void {
    this.playing = on;
    this.told.playing(on);
  }

  /** Other columns from now on: the samples so far have none of them. */
  private measures(columns: string[]): void {
    if (!this.opened || columns.join() === this.opened.columns.join()) return;
    this.opened = { ...this.opened, columns };
    this.forget();
    this.told.measures(this.opened);
  }

  private forget(): void {
    [this.samples, this.arrived, this.every] = [[], 0, 1];
  }

  /** Keeps a sample; when there are too many, every second one goes. */
  private keep(sample: Sample): void {
    if (this.arrived++ % this.every !== 0) return;
    this.samples.push(sample);
    if (this.samples.length < MOST) return;
    this.samples = this.samples.filter((_, k) => k % 2 === 0);
    this.every *= 2;
    this.told.say(`The page keeps no more than ${MOST} samples: from now on it has one of ${this.every}. tokenfield run keeps all.`, "note");
  }

  hear(message: FromWorker): void {
    if ("run" in message && message.kind !== "error" && message.run !== this.run) return;
    switch (message.kind) {
      case "opened":
        [this.opened, this.progress, this.opening] = [message, undefined, false];
        this.runs(this.asked);
        this.forget();
        this.told.changed(undefined);
        this.told.opened(message);
        break;
      case "sample":
        this.keep({ time: message.time, values: message.values });
        this.told.samples();
        break;
      case "changed":
        this.runs(message.asked);
        this.told.changed(message.time);
        this.told.say("", "none");
        this.measures(message.columns);
        break;
      case "progress":
        this.progress = message;
        if (message.ended && this.playing) this.setPlaying(false);
        this.told.progress(message);
        break;
      case "notice":
        this.told.say(message.sentence, "note");
        break;
      case "refused":
        // What comes of a later request will be said.
        if (message.asked !== this.asked) return;
        this.back();
        if (this.progress?.ended) this.setPlaying(false);
        this.told.say(message.sentence, "error");
        break;
      case "error":
        if (message.run !== 0 && message.run !== this.run) return;
        this.failed(message.of);
        this.told.say(message.sentence, "error");
        break;
    }
  }

  private failed(of: "open" | "run" | "page"): void {
    const { running, playing } = this;
    if (of === "run") return this.setPlaying(false);
    const refused = this.requests.get(this.asked)?.text;
    this.close();
    // The experiment before runs again from its start; one that was just loaded stays as it was written.
    if (of === "open" && running && running.text !== refused) {
      this.running = running;
      this.back();
      void this.restart(playing);
    }
  }

  /** The engine has taken a request, and what was asked before it. */
  private runs(asked: number): void {
    this.running = this.requests.get(asked);
    for (const number of this.requests.keys()) if (number < asked) this.requests.delete(number);
  }

  /** The experiment is again the one that the engine runs. */
  private back(): void {
    if (!this.running) return;
    this.requests.set(this.asked, this.running);
    ({ root: this.root, text: this.text } = this.running);
    this.told.experiment();
  }
}
