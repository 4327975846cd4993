"""Networks of the comparison in PyTorch: the dense toy, the one-dimensional CNN, the UNet, the classifier of samples."""

import math
from collections import OrderedDict

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
        self.input_norm, self.input = norm(inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.level = nn.Linear(embedding, outputs)
        self.result_norm, self.result = norm(outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)
        nn.init.zeros_(self.result.weight)
        nn.init.zeros_(self.result.bias)

    def forward(self, images, embedding):
        hidden = self.input(functional.silu(self.input_norm(images)))
        hidden = hidden + self.level(embedding)[:, :, None, None]
        return self.skip(images) + self.result(functional.silu(self.result_norm(hidden)))


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


class Stage(nn.Module):
    """The blocks of one resolution, and the convolution to the next one."""

    def __init__(self, blocks, resample):
        super().__init__()
        self.blocks, self.resample = nn.ModuleList(blocks), resample


class Unet(nn.Module):
    """The UNet of Dhariwal & Nichol 2021 with Segre's additions: the levels of the pixels as three more input channels,
    the noisy state beside the local posterior. Modules have the names of Segre's parameters."""

    LEVEL_CHANNELS = 3

    def __init__(self, categories, channels, multipliers, blocks, attention, heads):
        super().__init__()
        self.channels, embedding = channels, 4 * channels
        layers = [("inner", nn.Linear(channels, embedding)), ("silu", nn.SiLU())]
        self.embedding = nn.Sequential(OrderedDict([*layers, ("outer", nn.Linear(embedding, embedding))]))
        self.input = nn.Conv2d(2 * categories + self.LEVEL_CHANNELS, channels, 3, padding=1)
        width, skips, last = channels, [channels], len(multipliers) - 1
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, multiplier in enumerate(multipliers):
            own, stage = multiplier * channels, []
            for _ in range(blocks):
                stage.append(Block(width, own, embedding, heads, 2**level in attention))
                width = own
                skips.append(width)
            halve = nn.Conv2d(width, width, 3, stride=2, padding=1) if level < last else None
            skips += [width] if halve else []
            self.down.append(Stage(stage, halve))
        self.middle = nn.ModuleList(Block(width, width, embedding, heads, attend) for attend in (True, False))
        for level in range(last, -1, -1):
            own, stage = multipliers[level] * channels, []
            for _ in range(blocks + 1):
                stage.append(Block(width + skips.pop(), own, embedding, heads, 2**level in attention))
                width = own
            self.up.append(Stage(stage, nn.Conv2d(width, width, 3, padding=1) if level > 0 else None))
        self.norm, self.output = norm(width), nn.Conv2d(width, categories, 3, padding=1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, evidence, points, level):
        """`evidence` and local posteriors `points [batch, categories, height, width]`, `level [batch, height, width]`
        (root signal-to-noise ratio) → context logits `[batch, categories, height, width]`."""
        categories, (height, width) = points.shape[1], points.shape[2:]
        bounded = 1 - 1 / (1 + level)
        half = self.channels // 2
        angle = bounded.mean((1, 2))[:, None] * 1000 * 10_000 ** -(torch.arange(half) / half)
        embedding = functional.silu(self.embedding(torch.cat([angle.cos(), angle.sin()], 1)))
        features = torch.stack([bounded, torch.cos(math.pi * bounded), torch.sin(math.pi * bounded)], 1)
        states = torch.softmax(evidence / (2 * level + 0.2)[:, None], 1)
        points, states = ((own * categories - 1) / math.sqrt(categories - 1) for own in (points, states))
        multiple = 2 ** (len(self.down) - 1)
        top, left = (-height % multiple) // 2, (-width % multiple) // 2
        margins = [left, -width % multiple - left, top, -height % multiple - top]
        hidden = self.input(functional.pad(torch.cat([points, features, states], 1), margins))
        skips = [hidden]
        for stage in self.down:
            for block in stage.blocks:
                hidden = block(hidden, embedding)
                skips.append(hidden)
            if stage.resample is not None:
                hidden = stage.resample(hidden)
                skips.append(hidden)
        for block in self.middle:
            hidden = block(hidden, embedding)
        for stage in self.up:
            for block in stage.blocks:
                hidden = block(torch.cat([hidden, skips.pop()], 1), embedding)
            if stage.resample is not None:
                hidden = stage.resample(functional.interpolate(hidden, scale_factor=2))
        output = self.output(functional.silu(self.norm(hidden)))
        return output[:, :, top : top + height, left : left + width]


class Classifier(nn.Module):
    """Segre's classifier of images: convolutions of stride 2 until no side has more than 4 pixels, features, logits."""

    def __init__(self, image, categories, classes, features=64):
        super().__init__()
        sides, width = list(image), categories
        self.stages = nn.ModuleList()
        while not self.stages or max(sides) > 4:
            own, kernel = (64, 3) if self.stages else (32, 5)
            layers = [("convolution", nn.Conv2d(width, own, kernel, stride=2, padding=kernel // 2)), ("norm", norm(own))]
            self.stages.append(nn.Sequential(OrderedDict([*layers, ("silu", nn.SiLU())])))
            width, sides = own, [-(-side // 2) for side in sides]
        self.features = nn.Linear(sides[0] * sides[1] * width, features)
        self.output = nn.Linear(features, classes)

    def forward(self, corners):
        """One-hot labels `[batch, categories, height, width]` → features and logits."""
        categories = corners.shape[1]
        images = (corners * categories - 1) / math.sqrt(categories - 1)
        for stage in self.stages:
            images = stage(images)
        features = functional.silu(self.features(images.movedim(1, 3).flatten(1)))
        return features, self.output(features)
