"""Draws what a request costs, as bars; light or dark as the reader's system is."""

from __future__ import annotations

from collections.abc import Mapping

WIDTH, BAR, GAP, LEFT, RIGHT, TOP = 720, 22, 10, 180, 70, 44
NOTE = "GET with a bearer token, small JSON parsed; one page, one run, medians; silent-refresh is Python"
STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1f2328; }
  .note { font-size: 12px; fill: #59636e; }
  rect { fill: #afb8c1; }
  .ours { fill: #1a7f5a; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .note { fill: #9198a1; }
    rect { fill: #57606a; }
    .ours { fill: #3fb98a; }
  }
"""


def draw(cost: Mapping[str, float]) -> str:
    """Return an SVG of microseconds per request, by client, the cheapest first."""
    bars = sorted(cost.items(), key=lambda bar: bar[1])
    scale = (WIDTH - LEFT - RIGHT) / max(cost.values())
    height = TOP + len(bars) * (BAR + GAP)
    title = "Microseconds a client costs per request, fetch stubbed"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        f'<text x="0" y="16">{title}</text>',
        f'<text class="note" x="0" y="34">{NOTE}</text>',
    ]
    for number, (name, microseconds) in enumerate(bars):
        y = TOP + number * (BAR + GAP)
        kind = ' class="ours"' if name == "silent-refresh" else ""
        width = max(1.0, microseconds * scale)
        lines += [
            f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{name}</text>',
            f'<rect{kind} x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="3"/>',
            f'<text x="{LEFT + width + 8:.1f}" y="{y + 16}">{microseconds:.0f}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
