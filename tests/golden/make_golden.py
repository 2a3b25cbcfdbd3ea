#!/usr/bin/env python3
"""Trains small networks with PyTorch and records what they did, as the reference for GoldenTrainingTests.

Needs PyTorch (Debian: python3-torch) and nothing else. Run it from anywhere; it rewrites the .json files beside it. Each
holds the data, the order of the samples, the initial weights, and PyTorch's losses, learning rates and final weights.
Those in the folder layers hold what single layers make of given values and gradients, as the reference for the tests of these layers.
"""
import json
import pathlib

import torch
from torch import nn

STEPS = 20
SAMPLES, FEATURES, CLASSES = 100, 17, 9
BATCH = 24  # the fifth batch of each epoch has 4 samples

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}

# name, hidden sizes, activation, kind and options of the optimizer (the names of OptimizerOptions), kind of the schedule
CASES = [
    ("relu-momentum", [33, 20], "relu", "Sgd", {"learningRate": 0.1, "momentum": 0.9}, "Cosine"),
    ("relu-nesterov", [33, 20], "relu", "Sgd",
     {"learningRate": 0.1, "momentum": 0.9, "nesterov": True, "weightDecay": 0.01, "clipNorm": 0.7}, "Constant"),
    ("tanh-adamw", [33], "tanh", "AdamW", {"learningRate": 0.02, "weightDecay": 0.1}, "Cosine"),
    ("sigmoid-adam", [33], "sigmoid", "Adam", {"learningRate": 0.02, "weightDecay": 0.01, "clipNorm": 0.2}, "Constant"),
]

# channels, height, width; filters, kernel, stride, padding
CONVOLUTIONS = [
    (1, 8, 8, 6, [3, 3], 1, [1, 1]),
    (3, 9, 7, 5, [3, 3], 2, [1, 1]),
    (3, 6, 8, 4, [5, 3], 1, [2, 0]),
    (4, 5, 5, 18, [1, 1], 1, [0, 0]),
    (6, 7, 7, 3, [1, 1], 2, [0, 0]),
    (9, 4, 5, 33, [3, 3], 1, [1, 1]),
    (2, 5, 4, 3, [4, 2], 3, [2, 1]),
]


def make_data():
    """Inputs are multiples of 1/64, so that they are short in JSON; labels depend on them, so that there is something to learn."""
    inputs = torch.round(torch.randn(SAMPLES, FEATURES) * 64) / 64
    labels = (inputs @ torch.randn(FEATURES, CLASSES)).argmax(dim=1)
    return inputs, labels


def make_batches():
    """The samples of each step: a new order in each epoch, the last batch of an epoch short."""
    batches = []
    while len(batches) < STEPS:
        batches += [chunk.tolist() for chunk in torch.randperm(SAMPLES).split(BATCH)]
    return batches[:STEPS]


def make_network(hidden, activation):
    layers, width = [], FEATURES
    for units in hidden:
        layers += [nn.Linear(width, units), ACTIVATIONS[activation]()]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))


def make_optimizer(network, kind, options):
    common = {"lr": options["learningRate"], "weight_decay": options.get("weightDecay", 0)}
    if kind == "Sgd":
        return torch.optim.SGD(network.parameters(), momentum=options["momentum"], nesterov=options.get("nesterov", False), **common)
    return {"Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW}[kind](network.parameters(), **common)


def train(network, optimizer, schedule, clip_norm, inputs, labels, batches):
    """Returns the loss and the learning rate of each step."""
    loss_function = nn.CrossEntropyLoss()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS) if schedule == "Cosine" else None
    losses, rates = [], []
    for batch in batches:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        loss = loss_function(network(inputs[batch]), labels[batch])
        loss.backward()
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(network.parameters(), clip_norm)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        losses.append(loss.item())
    return losses, rates


def numbers(values):
    """Nine digits name a single precision number without doubt."""
    return [float(f"{value:.9g}") for value in values]


def flat(network):
    return numbers(torch.cat([parameter.detach().flatten() for parameter in network.parameters()]).tolist())


def make_case(name, hidden, activation, kind, options, schedule):
    torch.manual_seed(len(name))
    inputs, labels = make_data()
    batches = make_batches()
    network = make_network(hidden, activation)
    initial = flat(network)
    optimizer = make_optimizer(network, kind, options)
    losses, rates = train(network, optimizer, schedule, options.get("clipNorm"), inputs, labels, batches)
    layers = [layer for units in hidden for layer in ({"type": "dense", "units": units}, {"type": activation})]
    return {
        "torch": torch.__version__,
        "model": {"layers": layers},
        "features": FEATURES,
        "classes": CLASSES,
        "optimizer": {"kind": kind, **options},
        "schedule": {"kind": schedule},
        "inputs": numbers(inputs.flatten().tolist()),
        "labels": labels.tolist(),
        "batches": batches,
        "initialWeights": initial,
        "learningRates": numbers(rates),
        "losses": numbers(losses),
        "finalWeights": flat(network),
    }


def make_convolution(channels, height, width, filters, kernel, stride, padding):
    """What a convolution of three samples gives, and the gradients of sum(outputGradient * output)."""
    def draw(*shape):
        return (torch.round(torch.randn(*shape) * 64) / 64).requires_grad_()
    inputs, weight, bias = draw(3, channels, height, width), draw(filters, channels, *kernel), draw(filters)
    outputs = nn.functional.conv2d(inputs, weight, bias, stride, padding)
    output_gradient = draw(*outputs.shape)
    outputs.backward(output_gradient.detach())
    tensors = {
        "input": inputs, "weight": weight, "bias": bias, "outputGradient": output_gradient, "output": outputs,
        "inputGradient": inputs.grad, "weightGradient": weight.grad, "biasGradient": bias.grad,
    }
    layer = {"type": "conv2d", "filters": filters, "kernel": kernel, "stride": stride, "padding": padding}
    return {"shape": [channels, height, width], "layer": layer, **{name: numbers(tensor.flatten().tolist()) for name, tensor in tensors.items()}}


def write(name, content):
    path = pathlib.Path(__file__).parent / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n")
    print(path.name)


def main():
    torch.set_num_threads(1)
    for case in CASES:
        write(case[0], make_case(*case))
    torch.manual_seed(1)
    write("layers/conv2d", [make_convolution(*case) for case in CONVOLUTIONS])


if __name__ == "__main__":
    main()
