// The last sample: every column as the engine has measured it.

import type { Sample } from "./lab";

/** All samples as `tokenfield run` writes them: samples.csv. */
export function csv(samples: Sample[], columns: string[], replicas: number): string {
  const shown = (values: Float64Array): (number | string)[] => Array.from(values, (v) => (Number.isNaN(v) ? "NaN" : v));
  const rows = samples.flatMap(({ time, values }) =>
    Array.from({ length: replicas }, (_, r) => [r, time, ...shown(values.subarray(r * columns.length, (r + 1) * columns.length))].join(",")),
  );
  return `${[["replica", "time", ...columns].join(","), ...rows].join("\n")}\n`;
}

export class LastSample {
  private cells: HTMLTableCellElement[] = [];
  private columns = 0;

  constructor(private readonly body: HTMLTableSectionElement, private readonly title: HTMLElement) {}

  open(columns: string[]): void {
    this.columns = columns.length;
    this.cells = [];
    this.body.replaceChildren(
      ...columns.map((name) => {
        const row = document.createElement("tr");
        const head = document.createElement("th");
        head.scope = "row";
        head.textContent = name;
        const cell = document.createElement("td");
        this.cells.push(cell);
        row.append(head, cell);
        return row;
      }),
    );
  }

  draw(samples: Sample[]): void {
    const last = samples[samples.length - 1];
    this.title.textContent = last ? `at t = ${Number(last.time.toPrecision(6))}${last.values.length > this.columns ? ", replica 0" : ""}` : "";
    this.cells.forEach((cell, k) => (cell.textContent = last ? String(Number(last.values[k]!.toPrecision(7))) : ""));
  }
}
