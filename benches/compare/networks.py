"""Networks of the comparison in PyTorch, as SPEC describes them: the dense toy, the one-dimensional CNN, the UNet."""

import math

import torch
from torch import nn
from torch.nn import functional


class Dense(nn.Module):
    """Batch normalisation, linear, ReLU, twice; the time is one more input."""

    def __init__(self, sites, categories, width=256):
        super().__init__()
        inputs = sites * categories
        self.layers = nn.Sequential(
            nn.BatchNorm1d(inputs + 1), nn.Linear(inputs + 1, width), nn.ReLU(),
            nn.BatchNorm1d(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, inputs),
        )  # fmt: skip

    def forward(self, points, times):
        flat = torch.cat([points.flatten(1), times[:, None]], 1)
        return self.layers(flat).view_as(points)


class Cnn(nn.Module):
    """Width 128, kernel 9, five residual convolutions with dilations 1, 1, 4, 16, 64, layer norm and time before each."""

    WIDTH, KERNEL, DILATIONS = 128, 9, (1, 1, 4, 16, 64)

    def __init__(self, categories):
        super().__init__()
        width, kernel = self.WIDTH, self.KERNEL
        self.register_buffer("frequencies", 30.0 * torch.randn(width // 2))
        self.time = nn.Linear(width, width)
        self.input = nn.Conv1d(categories, width, kernel, padding=kernel // 2)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, width, kernel, dilation=d, padding=d * (kernel // 2)) for d in self.DILATIONS
        )
        self.projections = nn.ModuleList(nn.Linear(width, width) for _ in self.DILATIONS)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in self.DILATIONS)
        self.hidden, self.output = nn.Linear(width, width), nn.Linear(width, categories)

    def forward(self, points, times):
        angle = 2 * math.pi * times[:, None] * self.frequencies
        code = torch.relu(self.time(torch.cat([angle.sin(), angle.cos()], 1)))
        hidden = torch.relu(self.input(points.transpose(1, 2)))
        for convolution, projection, norm in zip(self.convolutions, self.projections, self.norms):
            own = norm(hidden.transpose(1, 2)) + projection(code)[:, None]
            hidden = hidden + torch.relu(convolution(own.transpose(1, 2)))
        return self.output(torch.relu(self.hidden(hidden.transpose(1, 2))))


def norm(channels):
    """At least two channels per group, as in Segre."""
    most = max(min(32, channels // 2), 1)
    return nn.GroupNorm(next(g for g in range(most, 0, -1) if channels % g == 0), channels)


class Residual(nn.Module):
    def __init__(self, inputs, outputs, embedding):
        super().__init__()
        self.norms = nn.ModuleList([norm(inputs), norm(outputs)])
        self.input = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.result = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.level = nn.Linear(embedding, outputs)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)
        nn.init.zeros_(self.result.weight)
        nn.init.zeros_(self.result.bias)

    def forward(self, images, embedding):
        hidden = self.input(functional.silu(self.norms[0](images)))
        hidden = hidden + self.level(embedding)[:, :, None, None]
        return self.skip(images) + self.result(functional.silu(self.norms[1](hidden)))


class Attention(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.norm, self.heads = norm(channels), heads
        self.input, self.result = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.result.weight)
        nn.init.zeros_(self.result.bias)

    def forward(self, images):
        batch, channels, height, width = images.shape
        parts = self.input(self.norm(images)).reshape(batch, 3, self.heads, channels // self.heads, height * width)
        query, key, value = parts.transpose(3, 4).unbind(1)
        found = functional.scaled_dot_product_attention(query, key, value)
        return images + self.result(found.transpose(2, 3).reshape(images.shape))


class Block(nn.Module):
    def __init__(self, inputs, outputs, embedding, heads, attend):
        super().__init__()
        self.residual = Residual(inputs, outputs, embedding)
        self.attention = Attention(outputs, heads) if attend else None

    def forward(self, images, embedding):
        images = self.residual(images, embedding)
        return images if self.attention is None else self.attention(images)


class Unet(nn.Module):
    """The UNet of Dhariwal & Nichol 2021, with the levels of the pixels as three more input channels."""

    LEVEL_CHANNELS = 3

    def __init__(self, categories, channels, multipliers, blocks, attention, heads):
        super().__init__()
        self.channels, embedding = channels, 4 * channels
        self.embedding = nn.Sequential(nn.Linear(channels, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.input = nn.Conv2d(categories + self.LEVEL_CHANNELS, channels, 3, padding=1)
        width, skips, last = channels, [channels], len(multipliers) - 1
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, multiplier in enumerate(multipliers):
            for _ in range(blocks):
                own = multiplier * channels
                self.down.append(Block(width, own, embedding, heads, 2**level in attention))
                width = own
                skips.append(width)
            if level < last:
                self.down.append(nn.Conv2d(width, width, 3, stride=2, padding=1))
                skips.append(width)
        self.middle = nn.ModuleList(Block(width, width, embedding, heads, attend) for attend in (True, False))
        for level in range(last, -1, -1):
            for _ in range(blocks + 1):
                own = multipliers[level] * channels
                self.up.append(Block(width + skips.pop(), own, embedding, heads, 2**level in attention))
                width = own
            if level > 0:
                self.up.append(nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1)))
        self.norm, self.output = norm(width), nn.Conv2d(width, categories, 3, padding=1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, images, level):
        """`images [batch, categories, height, width]`, `level [batch]` (the same for all pixels)."""
        batch, _, height, width = images.shape
        half = self.channels // 2
        angle = level[:, None] * 1000 * 10_000 ** -(torch.arange(half) / half)
        embedding = functional.silu(self.embedding(torch.cat([angle.cos(), angle.sin()], 1)))
        features = torch.stack([level, torch.cos(math.pi * level), torch.sin(math.pi * level)], 1)
        features = features[:, :, None, None].expand(batch, 3, height, width)
        hidden = self.input(torch.cat([images, features], 1))
        skips = [hidden]
        for layer in self.down:
            hidden = layer(hidden, embedding) if isinstance(layer, Block) else layer(hidden)
            skips.append(hidden)
        for layer in self.middle:
            hidden = layer(hidden, embedding)
        for layer in self.up:
            if isinstance(layer, Block):
                hidden = layer(torch.cat([hidden, skips.pop()], 1), embedding)
            else:
                hidden = layer(hidden)
        return self.output(functional.silu(self.norm(hidden)))
