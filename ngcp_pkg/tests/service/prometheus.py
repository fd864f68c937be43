"""A reader of Prometheus' text format 0.0.4, written from its description."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
HELP = re.compile(rf"# HELP ({NAME}) (.+)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge)")
SAMPLE = re.compile(rf'({NAME})(?:\{{({NAME})="((?:[^"\\\n]|\\[\\"n])*)"\}})? (\S+)')
Samples = dict[tuple[str, str], float]


def read(text: str) -> Samples:
    """Read the format 0.0.4, or fail: samples follow their HELP and TYPE, and none is there twice."""
    assert text.endswith("\n")
    samples: Samples = {}
    described: dict[str, str] = {}
    for line in text.splitlines():
        if found := HELP.fullmatch(line):
            assert found[1] not in described
            described[found[1]] = found[2]
        elif found := TYPE.fullmatch(line):
            assert list(described)[-1] == found[1]
            assert (found[2] == "counter") == found[1].endswith("_total")
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            if sample[1] in described:
                assert list(described)[-1] == sample[1]
            label = re.sub(r"\\(.)", lambda e: "\n" if e[1] == "n" else e[1], sample[3] or "")
            assert (sample[1], label) not in samples
            samples[sample[1], label] = float(sample[4])
    return samples
