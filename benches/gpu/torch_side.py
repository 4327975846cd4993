"""PyTorch's side of the comparison on a graphics processor: one case a process, its result as one line of JSON.

    python benches/gpu/torch_side.py CASE BATCH PRECISION STEPS

CASE is dense, cnn, unet, street (a training step) or forward (an evaluation of `unet`). PRECISION is f32 (32 bits
throughout), tf32 (products of 32 bits with 10 of the fraction, as PyTorch's convolutions have by default) or bf16 (autocast).
The networks are those of `benches/compare`. Noise and times are drawn on the card; nothing is read back but at the end.
Printed: median seconds of a step over blocks of steps, peak memory in bytes, PyTorch's version, the card.
"""

import json
import math
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "compare"))

import torch  # noqa: E402
from networks import Cnn, Dense, Unet  # noqa: E402
from step import CASES, RATE, UNETS  # noqa: E402
from torch.nn import functional  # noqa: E402

WARM_UP, BLOCKS = 8, 5


def main():
    case, batch, precision, steps = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    torch.set_default_device("cuda")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "f32"
    torch.backends.cudnn.benchmark = True
    sites, categories, _, _ = CASES["unet" if case == "forward" else case]
    unet = UNETS.get("unet" if case == "forward" else case)
    if unet:
        network = Unet(categories, **unet)
    else:
        network = Dense(*sites, categories) if case == "dense" else Cnn(categories)
    parameters = list(network.parameters())
    averages = [parameter.detach().clone() for parameter in parameters]
    optimizer = torch.optim.Adam(parameters, 5e-4, foreach=True)
    labels = torch.randint(categories, (batch, *sites))
    gamma = torch.distributions.Gamma(torch.tensor(1.0), torch.tensor(0.25))
    scale = math.sqrt(categories / (categories - 1))

    def field_loss(corners, times, states):
        direction = (corners - 1 / categories) * scale
        points = torch.softmax(states - states.mean(-1, keepdim=True), -1)
        difference = network(points, times)
        difference = difference - difference.mean(-1, keepdim=True) - RATE * direction
        return ((points * difference**2).sum(-1) - (points * difference).sum(-1) ** 2).mean()

    def posterior_loss(corners, times, states):
        evidence = (states * (RATE * times * scale)[:, None, None, None]).movedim(-1, 1)
        level = (RATE * times)[:, None, None].expand(-1, *sites)
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=precision == "bf16"):
            context = network(evidence, torch.softmax(evidence, 1), level).float()
        return functional.cross_entropy(evidence + context, labels)

    def step():
        corners = functional.one_hot(labels, categories).float()
        times = gamma.sample((batch,))
        signal = (RATE * times).reshape(-1, *[1] * (corners.dim() - 1))
        states = torch.randn_like(corners) + signal * scale * corners
        if case == "forward":
            with torch.no_grad():
                return posterior_loss(corners, times, states)
        optimizer.zero_grad()
        (posterior_loss if unet else field_loss)(corners, times, states).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, parameters, 0.002)
        return None

    for _ in range(WARM_UP):
        step()
    torch.cuda.synchronize()
    seconds = []
    for _ in range(BLOCKS):
        start = time.perf_counter()
        for _ in range(steps):
            step()
        torch.cuda.synchronize()
        seconds.append((time.perf_counter() - start) / steps)
    found = [statistics.median(seconds), torch.cuda.max_memory_reserved(), torch.__version__, torch.cuda.get_device_name()]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
