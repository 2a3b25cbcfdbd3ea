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
    ("relu-momentum", [33, 20], "relu", "sgd", {"learningRate": 0.1, "momentum": 0.9}, "cosine"),
    ("relu-nesterov", [33, 20], "relu", "sgd",
     {"learningRate": 0.1, "momentum": 0.9, "nesterov": True, "weightDecay": 0.01, "clipNorm": 0.7}, "constant"),
    ("tanh-adamw", [33], "tanh", "adamw", {"learningRate": 0.02, "weightDecay": 0.1}, "cosine"),
    ("sigmoid-adam", [33], "sigmoid", "adam", {"learningRate": 0.02, "weightDecay": 0.01, "clipNorm": 0.2}, "constant"),
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

# channels, height, width; the layer as a model file has it; samples of a microbatch, of which there are five in all
LAYERS = [
    (3, 6, 8, {"type": "maxpool", "kernel": 2}, 5),
    (17, 7, 5, {"type": "maxpool", "kernel": [3, 2], "stride": [2, 1], "padding": [1, 1]}, 5),
    (3, 6, 8, {"type": "avgpool", "kernel": 2}, 5),
    (17, 7, 5, {"type": "avgpool", "kernel": [3, 2], "stride": [2, 1], "padding": [1, 1]}, 5),
    (3, 5, 4, {"type": "globalavgpool"}, 5),
    (3, 4, 5, {"type": "batchnorm"}, 2),
    (20, 3, 3, {"type": "batchnorm", "epsilon": 0.01}, 5),
    (1, 1, 19, {"type": "batchnorm"}, 5),
    (3, 4, 5, {"type": "layernorm"}, 2),
    (1, 1, 19, {"type": "layernorm", "epsilon": 0.01}, 5),
    (1, 4, 9, {"type": "gelu"}, 5),
    (1, 4, 9, {"type": "leakyrelu"}, 5),
    (1, 4, 9, {"type": "leakyrelu", "slope": 0.25}, 5),
]

# numbers before the ids, sizes of the tables, their dimensions, samples of a microbatch, of which there are seven in all
EMBEDDINGS = [(3, [5, 9], [4, 3], 3), (0, [2], [17], 7), (2, [1, 4, 100], [1, 16, 8], 2)]

# rows, classes, label smoothing
LOSSES = [(5, 10, 0), (5, 10, 0.1), (3, 2, 0.5), (2, 37, 0.25)]


# rows, targets, loss, delta of a Huber loss
NUMBER_LOSSES = [(5, 1, "squared", 1), (5, 1, "absolute", 1), (5, 1, "huber", 1), (4, 3, "squared", 1), (4, 3, "absolute", 1), (37, 2, "huber", 0.4)]


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
    if kind == "sgd":
        return torch.optim.SGD(network.parameters(), momentum=options["momentum"], nesterov=options.get("nesterov", False), **common)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind](network.parameters(), **common)


def train(network, optimizer, schedule, clip_norm, inputs, labels, batches):
    """Returns the loss and the learning rate of each step."""
    loss_function = nn.CrossEntropyLoss()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS) if schedule == "cosine" else None
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


def draw_rounded(*shape):
    """Multiples of 1/64, among which some are equal."""
    return torch.round(torch.randn(*shape) * 64) / 64


def run_layer(layer, inputs, parameters):
    """What the layer makes of one microbatch, and what the microbatch adds to the sums for running statistics."""
    functional, kind, epsilon = nn.functional, layer["type"], layer.get("epsilon", 1e-5)
    if kind == "maxpool":
        return functional.max_pool2d(inputs, layer["kernel"], layer.get("stride"), layer.get("padding", 0)), None
    if kind == "avgpool":
        return functional.avg_pool2d(inputs, layer["kernel"], layer.get("stride"), layer.get("padding", 0), count_include_pad=False), None
    if kind == "globalavgpool":
        return functional.adaptive_avg_pool2d(inputs, 1), None
    if kind == "batchnorm":
        mean, variance = torch.zeros(len(parameters[0])), torch.zeros(len(parameters[0]))
        outputs = functional.batch_norm(inputs, mean, variance, *parameters, training=True, momentum=1, eps=epsilon)
        count = inputs.numel() / len(mean)
        return outputs, torch.cat([mean, variance * (count - 1) / count]) * len(inputs)
    if kind == "layernorm":
        return functional.layer_norm(inputs, inputs.shape[1:], *parameters, eps=epsilon), None
    if kind == "gelu":
        return functional.gelu(inputs), None
    return functional.leaky_relu(inputs, layer.get("slope", 0.01)), None


def make_layer(channels, height, width, layer, microbatch):
    """What a layer gives for five samples, and the gradients of sum(outputGradient * output). A plain vector has one dimension."""
    shape = [width] if channels == height == 1 else [channels, height, width]
    sizes = {"batchnorm": shape[:1], "layernorm": shape}.get(layer["type"])
    inputs = draw_rounded(5, *shape).requires_grad_()
    parameters = [draw_rounded(*sizes).requires_grad_() for _ in range(2)] if sizes else []
    parts = [run_layer(layer, part, parameters) for part in inputs.split(microbatch)]
    outputs = torch.cat([output for output, _ in parts])
    output_gradient = draw_rounded(*outputs.shape)
    outputs.backward(output_gradient)
    observed = [sum(sums for _, sums in parts)] if parts[0][1] is not None else []
    tensors = {
        "input": [inputs], "parameters": parameters, "outputGradient": [output_gradient], "output": [outputs],
        "inputGradient": [inputs.grad], "parameterGradient": [parameter.grad for parameter in parameters] + observed,
    }
    flattened = {name: numbers([value for tensor in group for value in tensor.flatten().tolist()]) for name, group in tensors.items()}
    return {"shape": [channels, height, width], "layer": layer, "microbatch": microbatch, **flattened}


def make_embedding(width, sizes, dimensions, microbatch):
    """What embeddings give for the numbers and ids of seven samples, and the gradients of sum(outputGradient * output)."""
    values, ids = draw_rounded(7, width), [torch.randint(size, (7,)) for size in sizes]
    tables = [nn.Embedding.from_pretrained(draw_rounded(*shape), freeze=False) for shape in zip(sizes, dimensions)]
    outputs = torch.cat([values, *[table(column) for table, column in zip(tables, ids)]], dim=1)
    output_gradient = draw_rounded(*outputs.shape)
    outputs.backward(output_gradient)
    tensors = {
        "input": [torch.cat([values, torch.stack(ids, dim=1)], dim=1)], "parameters": [table.weight for table in tables],
        "outputGradient": [output_gradient], "output": [outputs], "parameterGradient": [table.weight.grad for table in tables],
    }
    flattened = {name: numbers([value for tensor in group for value in tensor.flatten().tolist()]) for name, group in tensors.items()}
    return {"numbers": width, "sizes": sizes, "dimensions": dimensions, "microbatch": microbatch, **flattened}


def make_loss(rows, classes, smoothing):
    logits, labels = (draw_rounded(rows, classes) * 4).requires_grad_(), torch.randint(classes, (rows,))
    logits.retain_grad()
    losses = nn.functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    losses.sum().backward()
    tensors = {"logits": logits, "losses": losses, "gradient": logits.grad}
    values = {name: numbers(tensor.flatten().tolist()) for name, tensor in tensors.items()}
    return {"classes": classes, "labelSmoothing": smoothing, "labels": labels.tolist(), **values}


def make_number_loss(rows, width, loss, delta):
    """The losses of samples, which are sums over their targets; PyTorch's squared error has no half in front of it."""
    outputs, targets = (draw_rounded(rows, width) * 2).requires_grad_(), draw_rounded(rows, width)
    outputs.retain_grad()
    with torch.no_grad():
        targets[0] = outputs[0]  # where the absolute error has its kink
    losses = {
        "squared": lambda: nn.MSELoss(reduction="none")(outputs, targets) / 2,
        "absolute": lambda: nn.L1Loss(reduction="none")(outputs, targets),
        "huber": lambda: nn.HuberLoss(reduction="none", delta=delta)(outputs, targets),
    }[loss]().sum(dim=1)
    losses.sum().backward()
    tensors = {"outputs": outputs, "targets": targets, "losses": losses, "gradient": outputs.grad}
    return {"width": width, "loss": loss, "delta": delta, **{name: numbers(tensor.flatten().tolist()) for name, tensor in tensors.items()}}


class Residual(nn.Module):
    """A small residual network whose parameters have the names that exported weights have."""

    LAYERS = [
        {"type": "conv2d", "filters": 4, "kernel": 3, "padding": 1, "bias": False}, {"type": "batchnorm"}, {"type": "relu"},
        {"type": "residual",
         "layers": [{"type": "conv2d", "filters": 6, "kernel": 3, "stride": 2, "padding": 1}, {"type": "gelu"}],
         "shortcut": [{"type": "conv2d", "filters": 6, "kernel": 1, "stride": 2, "bias": False}]},
        {"type": "dense", "units": 10}, {"type": "layernorm"}, {"type": "tanh"},
    ]

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([
            nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.Conv2d(4, 6, 3, stride=2, padding=1),
            nn.Conv2d(4, 6, 1, stride=2, bias=False), nn.Linear(6 * 3 * 3, 10), nn.LayerNorm(10), nn.Linear(10, 3),
        ])

    def forward(self, x):
        stem, norm, inner, shortcut, dense, last_norm, classes = self.layers
        x = torch.relu(norm(stem(x)))
        x = nn.functional.gelu(inner(x)) + shortcut(x)
        return classes(torch.tanh(last_norm(dense(x.flatten(1)))))


def make_module():
    """The state of a module by names, and its logits in evaluation."""
    module = Residual().eval()
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(draw_rounded(*tensor.shape).abs() + 0.5 if name.endswith("running_var") else draw_rounded(*tensor.shape) / 2)
    inputs = draw_rounded(5, 2, 6, 6)
    state = {name: tensor for name, tensor in module.state_dict().items() if tensor.is_floating_point()}
    return {
        "layers": Residual.LAYERS, "shape": [2, 6, 6], "classes": 3,
        "state": [{"name": name, "shape": list(tensor.shape), "values": numbers(tensor.flatten().tolist())} for name, tensor in state.items()],
        "inputs": numbers(inputs.flatten().tolist()), "logits": numbers(module(inputs).flatten().tolist()),
    }


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
    torch.manual_seed(2)
    write("layers/others", [make_layer(*case) for case in LAYERS])
    write("layers/cross-entropy", [make_loss(*case) for case in LOSSES])
    torch.manual_seed(3)
    write("layers/embedding", [make_embedding(*case) for case in EMBEDDINGS])
    write("layers/regression", [make_number_loss(*case) for case in NUMBER_LOSSES])
    torch.manual_seed(4)
    write("layers/module", make_module())


if __name__ == "__main__":
    main()
