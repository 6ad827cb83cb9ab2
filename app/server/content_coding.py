"""Content coding: which precompressed form of a file a request takes (RFC 9110 §12.5.3)."""

from __future__ import annotations

CODINGS = {"zstd": ".zst", "br": ".br", "gzip": ".gz"}  # best first: quickest to decode, then smallest


def accepted_codings(accept_encoding: str) -> list[str]:
    """List the codings of `CODINGS` that the header accepts, best first; malformed weights refuse."""
    weights: dict[str, float] = {}
    for part in accept_encoding.split(","):
        name, _, parameter = part.partition(";")
        weights[name.strip().lower()] = _weight(parameter)
    return [coding for coding in CODINGS if weights.get(coding, weights.get("*", 0)) > 0]


def _weight(parameter: str) -> float:
    if not parameter.strip():
        return 1
    name, _, value = parameter.partition("=")
    try:
        return float(value) if name.strip().lower() == "q" else 0
    except ValueError:
        return 0
