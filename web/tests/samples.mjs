// Samples of a page against samples of the program.

/** Absolute and relative, as far as single precision holds sums: a mean near zero is off by some 1e-7 of its largest term. */
const RELATIVE = 1e-5;
const ABSOLUTE = 1e-6;

export const table = (text) => {
  const [head, ...rows] = text.trim().split("\n").map((line) => line.split(","));
  return { head, rows: rows.map((row) => row.map(Number)) };
};

const binned = (name) => name.startsWith("overlap_histogram");

/**
 * How far two histograms of overlaps are apart, as the Wasserstein-1 distance of what they count: a pair whose overlap is within rounding of
 * the edge of a bin is counted on either side of it, and that moves its share over one bin.
 */
function transport(ours, theirs) {
  const width = 2 / ours.length;
  let [surplus, distance] = [0, 0];
  ours.forEach((share, bin) => {
    surplus += share - theirs[bin];
    distance += Math.abs(surplus) * width;
  });
  return distance;
}

const bins = (head) => head.flatMap((name, k) => (binned(name) ? [k] : []));

/** How far each column of a row is from another's; the bins of a histogram are one column, the last. */
function distances(head, ours, theirs) {
  const apart = (x, y) => (Number.isNaN(x) && Number.isNaN(y) ? 0 : Math.abs(x - y));
  const plain = head.flatMap((name, k) => (binned(name) ? [] : [apart(ours[k], theirs[k])]));
  const of = bins(head);
  return of.length ? [...plain, transport(of.map((k) => ours[k]), of.map((k) => theirs[k]))] : plain;
}

/** The most that the rows up to each one differ, column by column. */
function errors(ours, theirs) {
  let most = [];
  return ours.rows.map((row, i) => (most = distances(ours.head, row, theirs.rows[i]).map((x, k) => Math.max(x, most[k] ?? 0))));
}

/**
 * The first number that is off by more than is allowed, as a sentence; undefined where none is. In single precision, where `exact` is the
 * same run of the program in double precision, every step of length `step` rounds a token by 2^-24, and where an instability amplifies that,
 * the page may be off by ten times what rounding has cost the program so far in the same column.
 */
export function difference(ours, theirs, exact, step = Infinity) {
  if (ours.head.join() !== theirs.head.join()) return `columns ${ours.head} and ${theirs.head}`;
  if (ours.rows.length !== theirs.rows.length) return `${ours.rows.length} and ${theirs.rows.length} samples`;
  const rounding = exact && errors(theirs, exact);
  const names = [...ours.head.filter((name) => !binned(name)), "the histogram of overlaps"];
  for (const [i, row] of ours.rows.entries()) {
    const steps = row[ours.head.indexOf("time")] / step;
    const values = [...ours.head.flatMap((name, k) => (binned(name) ? [] : [theirs.rows[i][k]])), 1];
    for (const [k, apart] of distances(ours.head, row, theirs.rows[i]).entries()) {
      const allowed = ABSOLUTE + RELATIVE * Math.abs(values[k] || 0) + steps * 2 ** -24 + 10 * (rounding?.[i][k] ?? 0);
      if (!(apart <= allowed)) return `at t = ${row[1]} ${names[k]} is off by ${apart.toExponential(1)}, where ${allowed.toExponential(1)} is allowed`;
    }
  }
  return undefined;
}

/** Samples at which rounding has cost the program in single precision no more than is allowed anyway. */
export function determined(single, double) {
  const all = errors(single, double);
  const first = all.findIndex((row) => row.some((x) => x > RELATIVE));
  return first < 0 ? all.length : first;
}
