"""Time to score images to equal standard error, Segre beside the published bound in PyTorch (2.15, CPU, eager, 32 bits).

    python benches/compare/likelihood.py target/release/segre MODEL [--rows 100] [--rounds 3] [--std-error 0.003] [--json]

MODEL is a folder that `segre fit … --preset mnist` has written; both sides have its weights, and are first made to agree
on the posterior of half-hidden images. The standard error is the Monte Carlo error of the mean over the images, not that
of drawing them. Segre scores the images by the I-MMSE bound. PyTorch computes the importance-sampled bound of EG (§4.2,
App. B): proposals in balls around the image's corner, geometric RK4 back from time 15 with step 0.2, the divergence by
Hutchinson's estimator (one vector of signs along each trajectory), mean of the logarithms (26d).

To reach Segre's error PyTorch would need hours. So it draws a few samples of a few of the images in each round, and the
printed time is EXTRAPOLATED from their variance v within an image and the seconds T of one sample:
T · rows · max(1, v/(rows · error²)), every image being sampled once at least. Two proposals are measured: as published,
of mass 0.8 within all balls, and as wide as the path's noise, under which a perfect model's weights would be equal.
Both bounds are above the truth: by how much is to be seen from their values. The bar is the published proposal; the other
one is our own, and far better. On a busy machine processor times say more; there set OMP_WAIT_POLICY=passive.
"""

import argparse
import csv
import json
import math
import statistics
import sys
import tempfile
from pathlib import Path

import numpy
from rounds import Clock, add_arguments, processor, segre_process, spread_of, take_turns, torch_process

STEP, END = 0.2, 15.0
PROPOSALS = {"published": 0.8, "as wide as the noise": None}


def log_weights(model, labels, mass):
    """`log ν(v) − log ρ(v)` of one proposal for each image, nats, and the evaluations of the flow.

    A pixel of two categories has one coordinate x, `V = x (1, −1)/√2`; its corner is at `x = ±λ t_end`."""
    import torch
    from flow import rk4

    dimensions = labels[0].numel()
    radius = model.rate * END
    normal = statistics.NormalDist()
    deviation = radius / normal.inv_cdf((1 + mass ** (1 / dimensions)) / 2) if mass else 1.0
    noise = torch.randn(labels.shape)
    while (outside := (noise * deviation).abs() > radius).any():
        noise[outside] = torch.randn(int(outside.sum()))
    inside = math.log(2 * normal.cdf(radius / deviation) - 1)
    log_proposal = log_normal(noise) - dimensions * (math.log(deviation) + inside)
    signs = torch.randint(2, labels.shape) * 2.0 - 1.0

    def field(parts, now):
        with torch.enable_grad():
            place = parts[0].detach().requires_grad_()
            velocity = model.velocity(torch.stack([place, -place], 1) / math.sqrt(2), now)
            velocity = (velocity[:, 0] - velocity[:, 1]) / math.sqrt(2)
            (product,) = torch.autograd.grad(velocity, place, signs)
        return [velocity.detach(), (product * signs).double().sum((1, 2))]

    ends = radius * (1.0 - 2.0 * labels) + deviation * noise
    (starts, change), evaluations = rk4(field, [ends, torch.zeros(len(labels)).double()], END, 0.0, STEP)
    # Integrated from the end to 0, the divergence has the sign that the change of variables wants.
    return log_normal(starts) + change - log_proposal, evaluations


def log_normal(values):
    squares = values.double().square().sum((1, 2))
    return -0.5 * squares - 0.5 * values[0].numel() * math.log(2 * math.pi)


def torch_side(folder, rows, proposal, samples, seed):
    import torch
    from flow import Model, use_threads

    use_threads()
    torch.manual_seed(seed)
    model = Model(folder)
    if model.categories != 2:
        raise SystemExit(f"{folder}: this comparison is written for images of two categories")
    labels = torch.from_numpy(numpy.load(rows)).repeat_interleave(samples, 0)
    clock = Clock()
    weights, evaluations = log_weights(model, labels, PROPOSALS[proposal])
    found = {**clock.read(), "weights": weights.reshape(-1, samples).tolist(), "evaluations": evaluations}
    print(json.dumps({**found, "version": torch.__version__}))


def sides(arguments, images, place):
    """The sides by name; PyTorch takes other images in every round."""
    numpy.save(place / "all.npy", images)

    probed = numpy.linspace(0, len(images) - 1, arguments.probe_rows * arguments.rounds).astype(int)

    def segre(turn):
        out = place / "scores.csv"
        words = ["score", arguments.model, place / "all.npy", "--seed", turn, "--json", "--quiet", "--out", out]
        words += ["--threads", arguments.threads]
        words += ["--std-error", arguments.std_error] if arguments.std_error else []
        printed, spent = segre_process(arguments.segre, words)
        rows = [float(row["bits_per_dim"]) for row in csv.DictReader(out.read_text().splitlines())]
        own = [rows[row] for row in probed[turn :: arguments.rounds]]
        return {**json.loads(printed), **spent, "probed": statistics.fmean(own)}

    def torch(proposal):
        def run(turn):
            few = place / "few.npy"
            numpy.save(few, images[probed[turn :: arguments.rounds]])
            words = [arguments.model, few, proposal, arguments.probe_samples, turn]
            return torch_process(__file__, words, arguments.threads)

        return run

    return {"segre": segre, **{proposal: torch(proposal) for proposal in PROPOSALS}}


def summarise_torch(turns, rows, pixels, error):
    """Bits per dimension, and what it takes to know their mean over all rows to the given error."""
    bits = numpy.concatenate([-numpy.array(turn["weights"]) for turn in turns]) / (pixels * math.log(2))
    variance = bits.var(1, ddof=1).mean()
    needed = max(1.0, variance / (rows * error**2))
    sample = spread_of(turns, numpy.array(turns[0]["weights"]).size)
    return {
        "one_sample": sample,
        "evaluations_of_a_sample": turns[0]["evaluations"],
        "measured_images": int(bits.shape[0]),
        "measured_samples_an_image": int(bits.shape[1]),
        "bits_per_dim": float(bits.mean()),
        "std_error_of_measured": float(math.sqrt(variance / bits.size)),
        "deviation_of_a_sample": float(math.sqrt(variance)),
        "needed_samples_an_image": float(needed),
        "extrapolated_seconds": float(sample["seconds"] * rows * needed),
        "extrapolated_processor_seconds": float(sample["processor_seconds"] * rows * needed),
    }


def compare(arguments):
    from flow import check_agreement, read_config, read_images

    test = read_images(arguments.test or read_config(arguments.model)["test_data"]["source"], arguments.model)
    images = test[numpy.linspace(0, len(test) - 1, arguments.rows).astype(int)]
    difference = check_agreement(arguments.segre, arguments.model, test[:5])
    with tempfile.TemporaryDirectory() as place:
        found = take_turns(sides(arguments, images, Path(place)), arguments.rounds)
    ours = found.pop("segre")
    error = statistics.median(turn["std_error"] for turn in ours)
    result = {"case": "likelihood", "rows": arguments.rows, "rounds": arguments.rounds, "threads": arguments.threads}
    result |= {"processor": processor(), "largest_difference_of_posteriors": difference, "std_error": error}
    result["torch_version"] = found["published"][0]["version"]
    result["segre"] = {
        **spread_of(ours),
        "bits_per_dim": statistics.fmean(turn["bits_per_dim"] for turn in ours),
        "bits_per_dim_of_measured": statistics.fmean(turn["probed"] for turn in ours),
        "evaluations": ours[0]["function_evaluations"],
    }
    for proposal, turns in found.items():
        own = summarise_torch(turns, arguments.rows, images[0].size, error)
        own["ratio"] = result["segre"]["seconds"] / own["extrapolated_seconds"]
        own["processor_ratio"] = result["segre"]["processor_seconds"] / own["extrapolated_processor_seconds"]
        result[proposal] = own
    return result


def show(result):
    rows, error, ours = result["rows"], result["std_error"], result["segre"]
    print(f"{result['processor']}, {result['threads']} threads, PyTorch {result['torch_version']}")
    print(f"posteriors of both sides agree to {result['largest_difference_of_posteriors']:.1e}")
    low, high = ours["range"]
    print(
        f"Segre, I-MMSE: {rows} images in {ours['seconds']:.1f} s ({low:.1f} to {high:.1f}, {result['rounds']} rounds; "
        f"{ours['processor_seconds']:.1f} s of processor time), "
        f"{ours['evaluations']} evaluations: {ours['bits_per_dim']:.4f} bits/dim, standard error {error:.5f}"
    )
    for proposal in PROPOSALS:
        own = result[proposal]
        sample = own["one_sample"]
        low, high = sample["range"]
        print(
            f"PyTorch, importance samples, proposal {proposal}:\n"
            f"    measured: {own['measured_images']} images, {own['measured_samples_an_image']} samples each, "
            f"{sample['seconds']:.2f} s a sample ({low:.2f} to {high:.2f}; {sample['processor_seconds']:.2f} s of "
            f"processor time), {own['evaluations_of_a_sample']} evaluations with gradient\n"
            f"    bound {own['bits_per_dim']:.4f} ± {own['std_error_of_measured']:.4f} bits/dim, "
            f"Segre's of the same images {ours['bits_per_dim_of_measured']:.4f}\n"
            f"    (what exceeds the errors is bias, the Jensen gap); standard deviation of a sample {own['deviation_of_a_sample']:.4f} bits/dim\n"
            f"    EXTRAPOLATED to standard error {error:.5f}: {own['needed_samples_an_image']:.1f} samples of "
            f"{rows} images, {own['extrapolated_seconds'] / 3600:.2f} hours\n"
            f"likelihood: Segre / PyTorch, {proposal}: {own['ratio']:.4f}, of processor time {own['processor_ratio']:.4f}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("segre")
    parser.add_argument("model")
    parser.add_argument("--rows", type=int, default=100, help="images that are scored")
    parser.add_argument("--std-error", type=float, help="what Segre is to reach, bits per dimension [default: its own]")
    parser.add_argument("--probe-rows", type=int, default=8, help="images that PyTorch samples in a round")
    parser.add_argument("--probe-samples", type=int, default=2, help="samples of each, two at least")
    parser.add_argument("--test", help="IDX file of test images [default: that of the fit]")
    add_arguments(parser, rounds=3)
    arguments = parser.parse_args()
    result = compare(arguments)
    print(json.dumps(result)) if arguments.json else show(result)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--torch"]:
        folder, rows, proposal, samples, seed = sys.argv[2:]
        torch_side(folder, rows, proposal, int(samples), int(seed))
    else:
        main()
