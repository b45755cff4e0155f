"""What the columns that compare tokens with a limit are to be, by NumPy and SciPy alone.

    python tests/limit/reference.py target/release/tokenfield

runs the program on the cases below and prints, for every number, what the program says and what it is: distribution functions of
laws that are moved by nodes of our own (RK4 on the circle, 4000 of them), closed forms of kernels under von Mises' and Fisher's law,
and SciPy's solve_ivp (DOP853, rtol = 1e-12) for overlaps and for means and covariances. `tests/limit.rs` holds the program to the
numbers of the right-hand column. Exits with 1 if one is more than its tolerance away.
"""

import csv, functools, os, subprocess, sys, tempfile

import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.special import iv, ive

PROGRAM = os.path.abspath(sys.argv[1])
BASE = """[tokens]
count = {n}
dim = {d}
seed = 5
initial = {law}
[attention]
beta = {beta}
normalization = "softmax"
[time]
scheme = "rk4"
step = {step}
end = {end}
[observe]
{every}quantities = {quantities}
{extra}[reference]
kind = "{kind}"
"""
failures = 0


def run(n, d, law, quantities, beta=1.0, step=0.05, end=0.0, kind="quadrature", extra="", every="", text=None):
    """The samples of a run, as dictionaries, and its final tokens."""
    with tempfile.TemporaryDirectory() as folder:
        file, out = os.path.join(folder, "e.toml"), os.path.join(folder, "out")
        text = text or BASE.format(**{k: v for k, v in locals().items() if k not in ("folder", "file", "out", "text")})
        open(file, "w").write(text)
        command = [PROGRAM, "run", file, "--backend", "cpu", "--precision", "double", "--no-plot", "--out", out]
        subprocess.run(command, check=True, capture_output=True)
        samples = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(open(out + "/samples.csv"))]
        return samples, np.load(out + "/tokens.npy")[0]


def check(what, found, right, tolerance):
    global failures
    bad = not abs(found - right) <= tolerance * abs(right)
    failures += bad
    print(f"{what:60} {found:.12g} {right:.12g} {'WRONG' if bad else 'right'}")


@functools.cache
def circle(kappa, beta, end, count=4000):
    """Angles and masses up to each: quantiles of von Mises' law about pi/2, moved by the field of the law."""
    edges = np.pi / 2 + np.pi * (2 * np.arange(count + 1) / count - 1)
    density = lambda a: np.exp(kappa * (np.cos(a - np.pi / 2) - 1)) / (2 * np.pi * ive(0, kappa))
    gauss, weights = np.polynomial.legendre.leggauss(6)
    middle, half = (edges[1:] + edges[:-1]) / 2, np.pi / count
    mass = (density(middle[:, None] + half * gauss) * weights).sum(1) * half
    nodes = edges[:-1].copy()
    node_mass = density(nodes) / density(nodes).sum()

    def field(a, sources):
        logits = np.exp(beta * (np.cos(a[:, None] - sources[None, :]) - 1)) * node_mass
        return (logits * np.sin(sources[None, :] - a[:, None])).sum(1) / logits.sum(1)

    steps = int(round(end / 0.05))
    for _ in range(steps):
        h, f = 0.05, lambda a: field(a, a)
        k1 = f(nodes); k2 = f(nodes + h / 2 * k1); k3 = f(nodes + h / 2 * k2); k4 = f(nodes + h * k3)
        nodes = nodes + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.append(nodes, nodes[0] + 2 * np.pi), np.append(0, np.cumsum(mass))


def circle_distances(tokens, angles, masses, grid=400_000):
    """W_1 as int |F - G - median|, and W_2 by the best shift of quantiles, on a fine grid."""
    position = np.sort(np.arctan2(tokens[:, 1], tokens[:, 0]))
    x = -np.pi + 2 * np.pi * (np.arange(grid) + 0.5) / grid
    turns = np.concatenate([angles[:-1] + 2 * np.pi * k for k in (-2, -1, 0, 1, 2)])
    mass = np.concatenate([masses[:-1] + k for k in (-2, -1, 0, 1, 2)])
    difference = np.searchsorted(position, x, side="right") / len(position) - np.interp(x, turns, mass)
    w1 = abs(difference - np.median(difference)).mean() * 2 * np.pi
    s = (np.arange(grid) + 0.5) / grid
    own = position[np.minimum((s * len(position)).astype(int), len(position) - 1)]
    costs = lambda shift: ((own - np.interp(s - shift, mass, turns)) ** 2).mean()
    low, high = -1.0, 1.0
    for _ in range(80):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, b) if costs(a) < costs(b) else (a, high)
    return w1, np.sqrt(costs((low + high) / 2))


def sphere_mmd(tokens, kappa, beta):
    """Of the kernel e^{beta (<x, y> - 1)} from Fisher's law about e_3, whose mean under it is a ratio of hyperbolic sines."""
    scaled = lambda z: np.where(z > 1e-8, -np.expm1(-2 * z) / (2 * np.maximum(z, 1e-300)), 1.0)  # sinh(z) / z e^{-z}
    mean = lambda t: np.exp(
        (z := np.sqrt(beta**2 + kappa**2 + 2 * beta * kappa * t)) - beta - kappa) * scaled(z) / scaled(np.float64(kappa))
    density = lambda t: np.exp(kappa * (t - 1)) / (2 * scaled(np.float64(kappa)))
    square = quad(lambda t: density(t) * mean(t), -1, 1, epsabs=1e-14, epsrel=1e-13)[0]
    own = np.mean([np.exp(beta * (tokens @ x - 1)).mean() for x in tokens])
    return np.sqrt(own + square - 2 * mean(tokens[:, 2]).mean())


def of_circle(kappa, beta, end, count=2000):
    """Von Mises' law about pi/2 moved to the end: |mean|, the largest and the least eigenvalue of the second moment, ln E, modes 2 to 4."""
    a = np.pi / 2 + 2 * np.pi * np.arange(count) / count
    w = np.exp(kappa * (np.sin(a) - 1))
    w /= w.sum()

    def field(_, a):
        k = np.exp(beta * np.cos(a[:, None] - a[None, :])) * w
        return (k * np.sin(a[None, :] - a[:, None])).sum(1) / k.sum(1)

    if end > 0:
        a = solve_ivp(field, (0, end), a, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    modes = [abs((w * np.exp(1j * l * a)).sum()) for l in range(1, 5)]
    x = np.stack([np.cos(a), np.sin(a)])
    least, largest = np.linalg.eigvalsh((w * x) @ x.T)
    energy = np.log((w[:, None] * w * np.exp(beta * np.cos(a[:, None] - a[None, :]))).sum() / (2 * beta))
    return [modes[0], largest, least, energy, *modes[1:]]


def of_sphere(kappa, beta, end, count=400):
    """The same of Fisher's law, by angles from the axis."""
    x, g = np.polynomial.legendre.leggauss(count)
    angles = np.pi * (x + 1) / 2
    w = g * np.exp(kappa * (np.cos(angles) - 1)) * np.sin(angles)
    w /= w.sum()

    def kernel(angles):
        t, a = np.cos(angles), np.sin(angles)
        return t, a, beta * a[:, None] * a[None, :], np.exp(beta * t[:, None] * t[None, :]) * w

    def field(_, angles):
        t, a, z, e = kernel(angles)
        along = e * (t[None, :] * a[:, None] ** 2 * iv(0, z) - t[:, None] * a[:, None] * a[None, :] * iv(1, z))
        return -along.sum(1) / (e * iv(0, z)).sum(1) / a

    if end > 0:
        angles = solve_ivp(field, (0, end), angles, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    t, _, z, e = kernel(angles)
    modes = [abs((w * np.polynomial.legendre.Legendre.basis(l)(t)).sum()) for l in range(1, 5)]
    square = (w * t * t).sum()
    return [modes[0], square, (1 - square) / 2, np.log((w @ (e * iv(0, z))).sum() / (2 * beta)), *modes[1:]]


def of_normal(mean, covariance, matrix, beta):
    """ln E of a normal law: that of a quadratic form of the pair (x, y)."""
    d = len(mean)
    form = beta * np.block([[np.zeros((d, d)), matrix], [matrix.T, np.zeros((d, d))]])
    both, pair = np.kron(np.eye(2), covariance), np.tile(mean, 2)
    log = -0.5 * np.log(np.linalg.det(np.eye(2 * d) - both @ form))
    return log + 0.5 * pair @ np.linalg.solve(np.eye(2 * d) - form @ both, form @ pair) - np.log(2 * beta)


def columns_of_the_limit():
    quantities = '["limit_moments", "limit_energy", "limit_modes"]'
    names = ["mean_norm", "second_moment_eigenvalue_0", "", "log_energy", "mode_2", "mode_3", "mode_4"]
    for d, of, kappa, axis in [(2, of_circle, 2.0, "[0.0, 1.0]"), (3, of_sphere, 3.0, "[0.0, 0.0, 1.0]")]:
        law = f'{{ law = "von-mises-fisher", concentration = {kappa}, axis = {axis} }}'
        names[2] = f"second_moment_eigenvalue_{d - 1}"
        for kind in ("quadrature", "zonal"):
            samples, _ = run(3, d, law, quantities, end=1.0, kind=kind, extra="degree = 4\n", every="every = 1.0\n")
            for sample in samples:
                for name, right in zip(names, of(kappa, 1.0, sample["time"])):
                    check(f"d {d}, {kind}, t {sample['time']}: limit_{name}", sample["limit_" + name], right, 1e-7)
    text = ('[tokens]\ncount = 4\ndim = 2\ngeometry = "euclidean"\ninitial = { law = "gaussian", mean = [0.3, -0.2], '
            'covariance = [[0.25, 0.1], [0.1, 0.16]] }\n[attention]\nbeta = 1.5\nnormalization = "softmax"\n'
            '[[attention.head]]\nquery-key = { rows = [[1.0, 0.5], [-0.3, 0.8]] }\n[time]\nscheme = "rk4"\nstep = 0.5\nend = 0.0\n'
            '[observe]\nquantities = ["limit_energy"]\n[reference]\nkind = "gaussian"\n')
    (sample,), _ = run(0, 0, "", "", text=text)
    right = of_normal(np.array([0.3, -0.2]), np.array([[0.25, 0.1], [0.1, 0.16]]), np.array([[1.0, 0.5], [-0.3, 0.8]]), 1.5)
    check("gaussian: limit_log_energy", sample["limit_log_energy"], right, 1e-11)


def main():
    columns_of_the_limit()
    uniform = '{ law = "uniform" }'
    for kappa, law in [(0.0, uniform), (2.0, '{ law = "von-mises-fisher", concentration = 2.0, axis = [0.0, 1.0] }')]:
        for kind in ("quadrature", "zonal"):
            for n, end in [(256, 0.0), (256, 1.0), (4096, 1.0), (65536, 0.0)]:
                (*_, sample), x = run(n, 2, law, '["w1_reference", "w2_reference"]', end=end, kind=kind)
                w1, w2 = circle_distances(x, *circle(kappa, 1.0, end))
                check(f"circle, {kind}, kappa {kappa}, n {n}, t {end}: W_1", sample["w1_reference"], w1, 1e-2)
                check(f"circle, {kind}, kappa {kappa}, n {n}, t {end}: W_2", sample["w2_reference"], w2, 1e-2)
    for kappa, law in [(0.0, uniform), (3.0, '{ law = "von-mises-fisher", concentration = 3.0, axis = [0.0, 0.0, 1.0] }')]:
        for kind in ("quadrature", "zonal"):
            for beta in (4, 100, 1000, 10000):
                (sample,), x = run(4096, 3, law, '["mmd_reference"]', kind=kind, extra=f"kernel-beta = {beta}\n")
                check(f"sphere, {kind}, kappa {kappa}: MMD at {beta}", sample["mmd_reference"], sphere_mmd(x, kappa, beta), 1e-2)
    for n in (256, 4096, 65536):
        (sample,), x = run(n, 3, uniform, '["sliced_w2_reference"]', extra="projections = 256\n")
        s = (np.arange(n) + 0.5) / n
        thetas = np.random.default_rng(1).normal(size=(2000 if n < 9999 else 256, 3))
        costs = []
        for theta in thetas / np.linalg.norm(thetas, axis=1, keepdims=True):
            p = np.sort(x @ theta)
            costs.append(((p - (2 * s - 1)) ** 2).mean() + 1 / (3 * n * n))
        right = np.sqrt(np.mean(costs))
        error = np.std(costs) / np.sqrt(256) / 2 / right
        found, stated = sample["sliced_w2_reference"], sample["sliced_w2_reference_error"]
        check(f"sphere, n {n}: sliced W_2 (other directions)", found, right, 4 * error / right + 1e-3)
        check(f"sphere, n {n}: its error bar", stated, error, 0.3)

    # Steps that are ten times too long: overlaps of eight tokens, and a normal law.
    n, beta = 8, 3.0
    text = ('[tokens]\ncount = 8\ndim = 8\ninitial = { law = "orthonormal" }\n[attention]\nbeta = 3.0\n'
            'normalization = "unnormalized"\n[time]\nscheme = "rk4"\nstep = 0.8\nend = 4.0\n[observe]\nevery = 0.8\n'
            'quantities = ["moments", "overlap_reference"]\n[reference]\nkind = "equiangular"\n')
    samples, _ = run(0, 0, "", "", text=text)
    speed = lambda _, r: 2 / n * np.exp(beta * r) * (1 - r) * ((n - 1) * r + 1)
    exact = solve_ivp(speed, (0, 4), [0.0], rtol=1e-12, atol=1e-14, method="DOP853", dense_output=True).sol
    for sample in samples:
        overlap = (n * sample["mean_norm"] ** 2 - 1) / (n - 1)
        t, right = sample["time"], exact(sample["time"])[0]
        # What the program took for rho is what its distance from the tokens leaves.
        found = min((overlap + sign * sample["overlap_reference"] for sign in (-1, 1)), key=lambda r: abs(r - right))
        check(f"equiangular, t {t}", found + 1, right + 1, 1e-9)
    text = ('[tokens]\ncount = 16\ndim = 2\nseed = 1\ngeometry = "euclidean"\ninitial = { law = "gaussian", mean = [0.5, -0.2], '
            'covariance = [[9.0, 1.0], [1.0, 4.0]] }\n[attention]\nbeta = 1.0\nnormalization = "softmax"\n'
            '[[attention.head]]\nvalue = { scale = -1.0 }\n[time]\nscheme = "rk4"\nstep = 0.5\nend = 2.0\n[observe]\nevery = 0.5\n'
            'quantities = ["moments", "moments_reference", "tokens"]\n[reference]\nkind = "gaussian"\n')
    with tempfile.TemporaryDirectory() as folder:
        open(folder + "/e.toml", "w").write(text)
        out = folder + "/out"
        command = [PROGRAM, "run", folder + "/e.toml", "--backend", "cpu", "--precision", "double", "--no-plot", "--out", out]
        subprocess.run(command, check=True, capture_output=True)
        samples = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(open(out + "/samples.csv"))]
        tokens = np.load(out + "/trajectory.npy")[:, 0]

    def normal(_, y):
        m, s = y[:2], y[2:].reshape(2, 2)
        return np.concatenate([-m - s @ m, (-2 * s @ s).ravel()])

    start = np.array([0.5, -0.2, 9.0, 1.0, 1.0, 4.0])
    exact = solve_ivp(normal, (0, 2), start, rtol=1e-12, atol=1e-14, method="DOP853", dense_output=True).sol
    for sample, x in zip(samples, tokens):
        y, mean = exact(sample["time"]), x.mean(0)
        t, covariance = sample["time"], (x - mean).T @ (x - mean) / len(x)
        check(f"gaussian, t {t}: mean", sample["mean_reference"], np.linalg.norm(mean - y[:2]), 1e-9)
        check(f"gaussian, t {t}: covariance", sample["covariance_reference"],
              np.linalg.norm(covariance - y[2:].reshape(2, 2)), 1e-9)
    sys.exit(failures > 0)


main()
