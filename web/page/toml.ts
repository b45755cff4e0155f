// Experiments are TOML. The page reads them to set its controls and writes them after a control moved; whether they mean anything is the
// engine's business. Integers beyond 2^53 stay exact as bigint.

export type Value = string | number | bigint | boolean | Value[] | Table;
export interface Table {
  [key: string]: Value;
}

export const isTable = (value: unknown): value is Table => typeof value === "object" && value !== null && !Array.isArray(value);

const BARE = /[A-Za-z0-9_-]/;
const SPACE = /[ \t]/;
const ESCAPES: Record<string, string> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", '"': '"', "\\": "\\", e: "\x1b" };

class Reader {
  at = 0;
  constructor(readonly text: string) {}

  fail(what: string): never {
    const before = this.text.slice(0, this.at);
    throw new Error(`Line ${before.split("\n").length} of the experiment: ${what}.`);
  }

  peek(length = 1): string {
    return this.text.slice(this.at, this.at + length);
  }

  take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  need(word: string): void {
    if (!this.take(word)) this.fail(`expected ${word} and found ${this.peek() === "\n" || this.peek() === "" ? "the end of the line" : this.peek()}`);
  }

  spaces(): void {
    while (SPACE.test(this.peek())) this.at += 1;
  }

  comment(): void {
    this.spaces();
    if (this.peek() === "#") while (this.at < this.text.length && this.peek() !== "\n") this.at += 1;
  }

  // White space, comments and ends of lines.
  blank(): void {
    for (;;) {
      this.comment();
      if (!this.take("\n") && !this.take("\r\n")) return;
    }
  }

  endOfLine(): void {
    this.comment();
    if (this.at < this.text.length && !this.take("\n") && !this.take("\r\n")) this.fail(`unexpected ${this.peek()} after a value`);
  }

  key(): string[] {
    const parts: string[] = [];
    do {
      this.spaces();
      parts.push(this.part());
      this.spaces();
    } while (this.take("."));
    return parts;
  }

  part(): string {
    if (this.peek() === '"' || this.peek() === "'") return this.string();
    const start = this.at;
    while (BARE.test(this.peek())) this.at += 1;
    if (start === this.at) this.fail("a key is missing");
    return this.text.slice(start, this.at);
  }

  string(): string {
    const quote = this.peek();
    const long = this.peek(3) === quote.repeat(3);
    const end = long ? quote.repeat(3) : quote;
    this.at += end.length;
    if (long && !this.take("\n")) this.take("\r\n");
    let out = "";
    while (!this.text.startsWith(end, this.at)) {
      const c = this.peek();
      if (c === "" || (c === "\n" && !long)) this.fail("a string has no end");
      this.at += 1;
      out += c === "\\" && quote === '"' ? this.escape() : c;
    }
    this.at += end.length;
    while (long && this.take(quote)) out += quote;
    return out;
  }

  escape(): string {
    const c = this.peek();
    this.at += 1;
    if (c in ESCAPES) return ESCAPES[c]!;
    const digits = c === "u" ? 4 : c === "U" ? 8 : c === "x" ? 2 : 0;
    if (digits) {
      const code = Number.parseInt(this.peek(digits), 16);
      this.at += digits;
      if (Number.isNaN(code) || code > 0x10ffff) this.fail("an escape in a string is no character");
      return String.fromCodePoint(code);
    }
    if (/\s/.test(c)) {
      while (/\s/.test(this.peek())) this.at += 1;
      return "";
    }
    return this.fail(`\\${c} is no escape of TOML`);
  }

  value(): Value {
    const c = this.peek();
    if (c === '"' || c === "'") return this.string();
    if (c === "[") return this.array();
    if (c === "{") return this.inline();
    const start = this.at;
    while (/[A-Za-z0-9_+.:-]/.test(this.peek())) this.at += 1;
    return this.scalar(this.text.slice(start, this.at));
  }

  scalar(word: string): Value {
    if (word === "true" || word === "false") return word === "true";
    const plain = word.replaceAll("_", "");
    if (/^[+-]?\d+$/.test(plain)) {
      const number = Number(plain);
      return Number.isSafeInteger(number) ? number : BigInt(plain.replace("+", ""));
    }
    if (/^0[xob][0-9a-fA-F]+$/.test(plain) || /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(plain)) return Number(plain);
    const special = /^([+-]?)(inf|nan)$/.exec(plain);
    if (special) return special[2] === "nan" ? NaN : special[1] === "-" ? -Infinity : Infinity;
    return this.fail(word ? `${word} is no value: words stand in quotes` : "a value is missing");
  }

  array(): Value[] {
    this.need("[");
    const out: Value[] = [];
    for (;;) {
      this.blank();
      if (this.take("]")) return out;
      out.push(this.value());
      this.blank();
      if (this.take("]")) return out;
      this.need(",");
    }
  }

  inline(): Table {
    this.need("{");
    const out: Table = {};
    for (;;) {
      this.blank();
      if (this.take("}")) return out;
      this.pair(out);
      this.blank();
      if (this.take("}")) return out;
      this.need(",");
    }
  }

  pair(into: Table): void {
    const path = this.key();
    this.need("=");
    this.spaces();
    const table = this.descend(into, path.slice(0, -1));
    const last = path[path.length - 1]!;
    if (last in table) this.fail(`${path.join(".")} is there twice`);
    table[last] = this.value();
  }

  descend(from: Table, path: string[]): Table {
    let table = from;
    for (const part of path) {
      let next = (table[part] ??= {});
      if (Array.isArray(next)) next = next[next.length - 1]!;
      if (!isTable(next)) this.fail(`${part} is a value and no table`);
      table = next;
    }
    return table;
  }

  document(): Table {
    const root: Table = {};
    let table = root;
    for (this.blank(); this.at < this.text.length; this.blank()) {
      if (this.take("[[")) {
        const path = this.key();
        this.need("]]");
        const parent = this.descend(root, path.slice(0, -1));
        const list = (parent[path[path.length - 1]!] ??= []);
        if (!Array.isArray(list)) this.fail(`${path.join(".")} is no list of tables`);
        list.push((table = {}));
      } else if (this.take("[")) {
        const path = this.key();
        this.need("]");
        table = this.descend(root, path);
      } else {
        this.pair(table);
      }
      this.endOfLine();
    }
    return root;
  }
}

/** The table that a text of TOML means; an Error with a sentence where it is none. Dates are not known: experiments have none. */
export const parse = (text: string): Table => new Reader(text.replace(/^\uFEFF/, "")).document();
