# independent: hardmax B=-I, x <- (1-eta) x + eta argmin_y <x,y>, gaussian tokens in R^2
import numpy as np

for seed in range(8):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((200, 2))
    out = []
    for k in range(641):
        if k in (40, 160, 320, 640):
            out.append(((x**2).sum(1).mean(), (x.mean(0) ** 2).sum()))
        j = (x @ x.T).argmin(1)
        x = 0.9 * x + 0.1 * x[j]
    print(seed, [f"{a:.2e}/{b:.2e}" for a, b in out])
