"""Time to draw images, Segre beside the published way in PyTorch (written for 2.15, CPU, eager, 32 bits), equal weights.

    python benches/compare/sampling.py target/release/segre MODEL [--classifier FILE] [--steps 4 8] [--rounds 5] [--json]

MODEL is a folder that `segre fit … --preset mnist` has written. Segre draws with its default sampler and its default
number of steps, and with those of --steps; PyTorch integrates the assignment flow of the same weights as published (GAF):
geometric RK4, step 0.2, end time 15, 300 evaluations (--ends: others). First both sides are made to agree on the
posterior of half-hidden images. Each side is a process of its own with nothing else to do; their order alternates.
Segre's time is that of the whole process, PyTorch's that of the integration alone, after an evaluation to warm up. On a
busy machine processor times say more; there set OMP_WAIT_POLICY=passive, or PyTorch's count its waiting.

With a classifier (`segre evaluate MODEL --classifier FILE --labels LABELS` trains one) the images of all rounds are
judged: Fréchet distance of its features from those of the test images, with its standard error, beside the distance of
as many test images. With few images it is large for a perfect model too, and to be compared with equal numbers only.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy
from rounds import Clock, add_arguments, processor, segre_process, spread_of, take_turns, torch_process

STEP = 0.2


def torch_side(folder, count, end, seed, out):
    import torch
    from flow import Model, rk4, use_threads

    use_threads()
    torch.manual_seed(seed)
    model = Model(folder)
    with torch.inference_mode():
        noise = torch.randn(count, model.categories, *model.size)
        noise = noise - noise.mean(1, keepdim=True)
        model.velocity(noise, end)
        clock = Clock()
        (states,), evaluations = rk4(lambda parts, now: [model.velocity(parts[0], now)], [noise], 0.0, end, STEP)
        labels = states.argmax(1).numpy()
        spent = clock.read()
    numpy.save(out, labels)
    print(json.dumps({**spent, "evaluations": evaluations, "version": torch.__version__}))


def sides(arguments, place):
    """The sides by name. Each keeps its images in the folder `place`."""

    def segre(steps):
        def run(turn):
            out = place / f"{steps}.{turn}.npy"
            words = ["sample", arguments.model, "-n", arguments.images, "--seed", turn, "--out", out, "--json", "--quiet"]
            words += ["--threads", arguments.threads] + (["--steps", steps] if steps else [])
            printed, spent = segre_process(arguments.segre, words)
            evaluations = json.loads(printed)["function_evaluations"]
            return {**spent, "evaluations": evaluations, "images": numpy.load(out)}

        return run

    def torch(end):
        def run(turn):
            out = place / f"torch.{end}.{turn}.npy"
            found = torch_process(__file__, [arguments.model, arguments.images, end, turn, out], arguments.threads)
            return {**found, "images": numpy.load(out)}

        return run

    found = {f"PyTorch, RK4 to {end:g}": torch(end) for end in arguments.ends}
    found["Segre"] = segre(None)
    return {**found, **{f"Segre, {steps} steps": segre(steps) for steps in arguments.steps}}


def compare(arguments):
    from flow import check_agreement, read_config, read_images

    test = read_images(arguments.test or read_config(arguments.model)["test_data"]["source"], arguments.model)
    difference = check_agreement(arguments.segre, arguments.model, test[:5])
    with tempfile.TemporaryDirectory() as place:
        found = take_turns(sides(arguments, Path(place)), arguments.rounds)
    result = {"case": "sampling", "images": arguments.images, "rounds": arguments.rounds, "threads": arguments.threads}
    result |= {"processor": processor(), "largest_difference_of_posteriors": difference, "sides": {}}
    judge = None
    if arguments.classifier:
        from quality import Judge

        judge = Judge(arguments.classifier, test)
        result["perfect_frechet"], result["perfect_frechet_deviation"] = judge.perfect(arguments.rounds * arguments.images)
    for name, own in found.items():
        side = {**spread_of(own), "evaluations": own[0]["evaluations"]}
        if "version" in own[0]:
            result["torch_version"] = own[0]["version"]
        if judge:
            images = numpy.concatenate([turn["images"] for turn in own]).astype(numpy.int64)
            side["frechet"], side["frechet_error"] = judge.judge(images)
        result["sides"][name] = side
    reference = result["sides"][next(iter(found))]
    for side in result["sides"].values():
        side["ratio"] = side["seconds"] / reference["seconds"]
        side["processor_ratio"] = side["processor_seconds"] / reference["processor_seconds"]
    return result


def show(result):
    print(f"{result['processor']}, {result['threads']} threads, PyTorch {result['torch_version']}")
    print(f"posteriors of both sides agree to {result['largest_difference_of_posteriors']:.1e}")
    print(f"{result['images']} images, {result['rounds']} rounds")
    print(f"{'':20} median seconds (range) · of processor time · shares of the first · evaluations")
    for name, side in result["sides"].items():
        low, high = side["range"]
        times = f"{side['seconds']:.1f} ({low:.1f} to {high:.1f}) · {side['processor_seconds']:.1f}"
        shares = f"{side['ratio']:.3f}, {side['processor_ratio']:.3f}"
        quality = ""
        if "frechet" in side:
            quality = f" · Fréchet distance {side['frechet']:.2f} ± {side['frechet_error']:.2f}"
        print(f"{name:20} {times} · {shares} · {side['evaluations']}{quality}")
    if "perfect_frechet" in result:
        perfect, deviation = result["perfect_frechet"], result["perfect_frechet_deviation"]
        total = result["images"] * result["rounds"]
        print(f"{f'{total} test images':20} Fréchet distance {perfect:.2f} ± {deviation:.2f}")
    ours = result["sides"]["Segre"]
    print(f"sampling: Segre / PyTorch {ours['ratio']:.3f}, of processor time {ours['processor_ratio']:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("segre")
    parser.add_argument("model")
    parser.add_argument("--images", type=int, default=64, help="images of a round")
    parser.add_argument("--steps", type=int, nargs="*", default=[], help="further numbers of steps of Segre's sampler")
    parser.add_argument("--ends", type=float, nargs="+", default=[15.0], help="end times of PyTorch's integration")
    parser.add_argument("--classifier", help="classifier that judges the images")
    parser.add_argument("--test", help="IDX file of test images [default: that of the fit]")
    add_arguments(parser, rounds=5)
    arguments = parser.parse_args()
    result = compare(arguments)
    print(json.dumps(result)) if arguments.json else show(result)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--torch"]:
        folder, count, end, seed, out = sys.argv[2:]
        torch_side(folder, int(count), float(end), int(seed), out)
    else:
        main()
