// Arrays of NumPy: little-endian f32 and f64 in rows.

export interface Rows {
  rows: number;
  columns: number;
  data: Float32Array | Float64Array;
}

/** The rows of a .npy file of two axes; an Error with a sentence for anything else. */
export function rows(name: string, buffer: ArrayBuffer): Rows {
  const bytes = new Uint8Array(buffer);
  if (String.fromCharCode(...bytes.slice(1, 6)) !== "NUMPY") throw new Error(`${name} is no .npy file.`);
  const view = new DataView(buffer);
  const long = bytes[6]! >= 2;
  const start = long ? 12 : 10;
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(bytes.slice(start, start + length));
  const kind = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "").split(",").filter((part) => part.trim()).map(Number);
  if (kind !== "<f4" && kind !== "<f8") throw new Error(`${name} has numbers of the type ${kind}; save it as float32 or float64.`);
  if (/'fortran_order':\s*True/.test(header)) throw new Error(`${name} is in Fortran's order; save np.ascontiguousarray of it.`);
  if (shape.length !== 2) throw new Error(`${name} has ${shape.length} axes; tokens have two, (count, dim).`);
  const body = buffer.slice(start + length);
  const [n, d] = shape as [number, number];
  const data = kind === "<f4" ? new Float32Array(body, 0, n * d) : new Float64Array(body, 0, n * d);
  return { rows: n, columns: d, data };
}

/** The same numbers as lists of TOML, in as many digits as their type has. */
export function listed({ rows: n, columns: d, data }: Rows): string {
  const digits = data instanceof Float32Array ? 9 : 17;
  const lines = Array.from({ length: n }, (_, i) => `[${Array.from(data.subarray(i * d, (i + 1) * d), (x) => Number(x.toPrecision(digits)).toString()).join(", ")}]`);
  return `[${lines.join(", ")}]`;
}
