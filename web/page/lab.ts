// The experiment on the page and its run: what was typed, what the engine has made of it, and what it has measured.

import type { Device } from "./api";
import { copy, get, number, set, word } from "./document";
import type { Engine } from "./engine";
import { collect, type Named } from "./files";
import type { Space } from "./lines";
import type { FromWorker, Opened, Progress } from "./protocol";
import { isTable, parse, type Table } from "./toml";
import { write } from "./toml_write";

export interface Sample {
  time: number;
  values: Float64Array;
}

export interface Told {
  experiment(): void;
  opened(opened: Opened): void;
  samples(): void;
  progress(progress: Progress): void;
  playing(on: boolean): void;
  changed(time: number | undefined): void;
  say(sentence: string, tone: "error" | "note" | "none"): void;
}

const ROUND = ["sphere", "post-norm", "ngpt"];

export class Lab {
  root: Table = {};
  text = "";
  samples: Sample[] = [];
  opened: Opened | undefined;
  progress: Progress | undefined;
  playing = false;
  changedAt: number | undefined;
  private run = 0;
  private asked = 0;
  private length = 0;

  constructor(
    private readonly engine: Engine,
    private readonly told: Told,
    readonly device: Device,
  ) {}

  get count(): number {
    return this.opened?.count ?? number(this.root, "tokens.count", 1);
  }

  get dim(): number {
    return this.opened?.dim ?? number(this.root, "tokens.dim", 3);
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
  async load(text: string, playing: boolean): Promise<boolean> {
    try {
      this.root = parse(text);
    } catch (error) {
      this.told.say((error as Error).message, "error");
      return false;
    }
    this.text = text;
    this.length = number(this.root, "time.end", 10);
    this.told.experiment();
    await this.restart(playing);
    return true;
  }

  /** Change the experiment: on with the tokens as they are where the equation alone is new, else from the start. */
  async edit(mutate: (root: Table) => void, what: "equation" | "tokens"): Promise<void> {
    const root = copy(this.root);
    mutate(root);
    const moved = this.opened !== undefined && (this.progress?.steps ?? 0) > 0;
    if (what === "equation" && moved && this.progress?.ended) set(root, "time.end", (this.progress.time || 0) + this.length);
    [this.root, this.text] = [root, write(root)];
    this.told.experiment();
    if (what === "tokens" || !moved) return this.restart(this.playing);
    const ready = await this.ready();
    if (ready) this.engine.send({ kind: "change", run: this.run, toml: ready.toml });
  }

  /** Run the experiment as it stands from its start. */
  async restart(playing = this.playing): Promise<void> {
    this.told.say("", "none");
    const ready = await this.ready();
    if (!ready) return;
    this.run += 1;
    this.mark(undefined);
    this.engine.send({ kind: "open", run: this.run, ...ready, device: this.device, sphere: this.round, playing });
    this.setPlaying(playing);
  }

  private async ready(): Promise<{ toml: string; arrays: Named[] } | undefined> {
    const asked = ++this.asked;
    try {
      const ready = await collect(this.text);
      return asked === this.asked ? ready : undefined;
    } catch (error) {
      this.told.say((error as Error).message, "error");
      return undefined;
    }
  }

  play(on: boolean): void {
    if (on && this.progress?.ended) return void this.restart(true);
    this.engine.send({ kind: "play", on });
    this.setPlaying(on);
  }

  step(): void {
    this.play(false);
    this.engine.send({ kind: "step" });
  }

  private setPlaying(on: boolean): void {
    this.playing = on;
    this.told.playing(on);
  }

  private mark(time: number | undefined): void {
    this.changedAt = time;
    this.told.changed(time);
  }

  hear(message: FromWorker): void {
    if ("run" in message && message.kind !== "error" && message.run !== this.run) return;
    switch (message.kind) {
      case "opened":
        [this.opened, this.progress, this.samples] = [message, undefined, []];
        this.mark(undefined);
        this.told.opened(message);
        break;
      case "sample":
        this.samples.push({ time: message.time, values: message.values });
        this.told.samples();
        break;
      case "changed":
        this.mark(message.time);
        break;
      case "progress":
        this.progress = message;
        if (message.ended && this.playing) this.setPlaying(false);
        this.told.progress(message);
        break;
      case "notice":
        this.told.say(message.sentence, "note");
        break;
      case "error":
        if (message.run !== 0 && message.run !== this.run) return;
        if (message.of !== "change") this.setPlaying(false);
        this.told.say(message.sentence, "error");
        break;
    }
  }
}
