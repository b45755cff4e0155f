"""Distances by POT and GeomLoss, written to reference.json beside this file.

POT 0.9.7.post1, GeomLoss 0.3.1, NumPy 2.4.6, SciPy 1.17.1, PyTorch 2.15.0 (CPU, float64), Python 3.11:
    pip install POT==0.9.7.post1 geomloss==0.3.1 numpy==2.4.6 scipy==1.17.1 torch==2.15.0
    python tests/transport/reference.py            # minutes: POT's Sinkhorn at small epsilon

A cloud is a formula, which tests/transport/clouds.rs has too: component c of point i is sin(0.618 (i dim + c)^2 + phase), plus
shift if c = 0; then, on the sphere, divided by the length. Weights, where there are any, go with 1 + sin(i + phase) / 2.
"""

import json
import pathlib

import numpy as np
import ot
import torch
from geomloss import SamplesLoss
from scipy.stats import energy_distance


def points(cloud):
    count, dim = cloud["count"], cloud["dim"]
    index = np.arange(count * dim, dtype=np.float64).reshape(count, dim)
    x = np.sin(0.618 * (index * index) + cloud["phase"])
    x[:, 0] += cloud["shift"]
    return x / np.linalg.norm(x, axis=1, keepdims=True) if cloud["sphere"] else x


def weights(cloud):
    if not cloud["weighted"]:
        return np.full(cloud["count"], 1.0 / cloud["count"])
    w = 1.0 + 0.5 * np.sin(np.arange(cloud["count"]) + cloud["phase"])
    return w / w.sum()


def cloud(count, dim, phase, shift=0.0, weighted=False, sphere=True):
    return dict(count=count, dim=dim, phase=phase, shift=shift, weighted=weighted, sphere=sphere)


def circle(order, a, b):
    turns = [np.mod(np.arctan2(x[:, 1], x[:, 0]) / (2 * np.pi), 1.0) for x in (points(a), points(b))]
    cost = ot.wasserstein_circle(turns[0], turns[1], weights(a), weights(b), p=order)
    return 2 * np.pi * float(cost[0]) ** (1.0 / order)


def assignment(order, a, b):
    cost = np.linalg.norm(points(a)[:, None] - points(b)[None], axis=2) ** order
    return float(ot.emd2(weights(a), weights(b), cost, numItermax=10**7)) ** (1.0 / order)


def sliced(order, a, b, directions):
    return float(
        ot.sliced_wasserstein_distance(
            points(a), points(b), weights(a), weights(b), p=order, projections=points(directions).T
        )
    )


def entropic(a, b, epsilon):
    """min <P, C> + epsilon KL(P | a x b), C = |x - y|^2 / 2, from POT's potentials at the rounding error."""
    wa, wb = weights(a), weights(b)
    cost = 0.5 * ot.dist(points(a), points(b))
    _, log = ot.bregman.sinkhorn_log(wa, wb, cost, epsilon, numItermax=20_000, stopThr=1e-13, log=True, warn=False)
    f, g = epsilon * (log["log_u"] - np.log(wa)), epsilon * (log["log_v"] - np.log(wb))
    return float(wa @ f + wb @ g)


def sinkhorn(a, b, epsilon):
    return entropic(a, b, epsilon) - 0.5 * (entropic(a, a, epsilon) + entropic(b, b, epsilon))


def geomloss(loss, a, b):
    tensors = [torch.from_numpy(t) for t in (weights(a), points(a), weights(b), points(b))]
    return float(loss(*tensors))


def energy_on_the_line(a, b):
    return float(energy_distance(points(a)[:, 0], points(b)[:, 0], weights(a), weights(b)))


def main():
    records = []

    def record(quantity, value, a, b, **parameters):
        records.append(dict(quantity=quantity, value=value, a=a, b=b, **parameters))

    # Equal and unequal counts, weights, clouds on both sides of the cut.
    arcs = [
        (cloud(64, 2, 0.1, 1.5), cloud(64, 2, 2.0, -0.7)),
        (cloud(50, 2, 0.1, 1.5), cloud(81, 2, 2.0, -1.7)),
        (cloud(33, 2, 0.3, -2.0, True), cloud(57, 2, 1.0, -1.2, True)),
        (cloud(200, 2, 0.3), cloud(301, 2, 1.0, 0.0, True)),
    ]
    for a, b in arcs:
        for order in (1, 2):
            record("circle", circle(order, a, b), a, b, order=order)
    pairs = [
        (cloud(100, 3, 0.1), cloud(100, 3, 2.0, 0.8)),
        (cloud(300, 8, 0.1, 0.2), cloud(300, 8, 2.0)),
        (cloud(150, 5, 0.1, 0.2, sphere=False), cloud(150, 5, 2.0, 3.0, sphere=False)),
    ]
    for a, b in pairs:
        for order in (1, 2):
            record("assignment", assignment(order, a, b), a, b, order=order)
    weighted = [
        (cloud(100, 3, 0.1, 0.0, True), cloud(130, 3, 2.0, 0.8)),
        (cloud(90, 17, 0.1, 0.5, True), cloud(110, 17, 2.0, 0.8, True)),
        (cloud(60, 4, 0.1, 0.2, sphere=False), cloud(75, 4, 2.0, 1.5, True, sphere=False)),
    ]
    for a, b in pairs[:1] + weighted:
        directions = cloud(40, a["dim"], 0.5)
        for order in (1, 2):
            record("sliced", sliced(order, a, b, directions), a, b, order=order, directions=directions)
        for epsilon in (1.0, 0.1, 0.02):
            record("sinkhorn", sinkhorn(a, b, epsilon), a, b, epsilon=epsilon)
        # Annealed so slowly that it arrives converged; its own tolerance is that of the annealing.
        loss = SamplesLoss("sinkhorn", p=2, blur=0.1**0.5, scaling=0.999, debias=True, backend="tensorized")
        record("sinkhorn-geomloss", geomloss(loss, a, b), a, b, epsilon=0.1)
        # GeomLoss gives half of the squared distances.
        energy = SamplesLoss("energy", backend="tensorized")
        record("energy-geomloss", (2 * geomloss(energy, a, b)) ** 0.5, a, b)
        if a["sphere"]:
            for beta in (1.0, 20.0):
                gaussian = SamplesLoss("gaussian", blur=beta**-0.5, backend="tensorized")
                record("mmd", (2 * geomloss(gaussian, a, b)) ** 0.5, a, b, beta=beta)
    lines = [
        (cloud(100, 1, 0.1, sphere=False), cloud(100, 1, 2.0, 0.8, sphere=False)),
        (cloud(70, 1, 0.1, 0.0, True, sphere=False), cloud(90, 1, 2.0, sphere=False)),
        (cloud(30, 1, 0.1, 3.0, True, sphere=False), cloud(20, 1, 2.0, 0.1, True, sphere=False)),
    ]
    for a, b in lines:
        record("energy", energy_on_the_line(a, b), a, b)
    path = pathlib.Path(__file__).with_name("reference.json")
    path.write_text("[\n" + ",\n".join(json.dumps(record) for record in records) + "\n]\n")


main()
