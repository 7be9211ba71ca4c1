"""A small picture of downtimes: for each contestant a bar from least to most and its median. Pure: text out."""
import statistics
from typing import List, Mapping
from xml.sax.saxutils import escape

_LEFT, _WIDTH, _ROW, _TOP = 190, 480, 44, 40


def bars(downtimes: Mapping[str, List[float]], timeout_s: float) -> str:
    """SVG. `downtimes`: name -> seconds, each at least one; the detection time is drawn as a line."""
    most = max(max(values) for values in downtimes.values()) * 1.05
    height = _TOP + _ROW * len(downtimes) + 40

    def x(seconds: float) -> float:
        return round(_LEFT + _WIDTH * seconds / most, 1)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 40}" height="{height}" '
             'font-family="sans-serif" font-size="13">', '<rect width="100%" height="100%" fill="white"/>',
             '<text x="12" y="22" font-weight="bold">Power cut to first answer, seconds: least, median, most</text>']
    floor = _TOP + _ROW * len(downtimes)
    for second in range(int(most) + 1):
        parts += [f'<line x1="{x(second)}" y1="{_TOP}" x2="{x(second)}" y2="{floor}" stroke="#ddd"/>',
                  f'<text x="{x(second)}" y="{floor + 18}" text-anchor="middle" fill="#555">{second}</text>']
    for number, (name, values) in enumerate(downtimes.items()):
        middle, y = statistics.median(values), _TOP + _ROW * number + 10
        parts += [f'<text x="{_LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(name)}</text>',
                  f'<rect x="{x(min(values))}" y="{y}" width="{round(max(1.0, x(max(values)) - x(min(values))), 1)}" '
                  'height="22" fill="#9bc" rx="2"/>',
                  f'<line x1="{x(middle)}" y1="{y - 3}" x2="{x(middle)}" y2="{y + 25}" stroke="#124" '
                  'stroke-width="3"/>',
                  f'<text x="{x(middle) + 6}" y="{y + 38 - 22}" fill="#124">{middle:.2f}</text>']
    parts += [f'<line x1="{x(timeout_s)}" y1="{_TOP}" x2="{x(timeout_s)}" y2="{floor}" stroke="#b22" '
              'stroke-dasharray="4 3"/>', f'<text x="{x(timeout_s) + 4}" y="{_TOP + 2}" fill="#b22">detection</text>',
              "</svg>"]
    return "\n".join(parts) + "\n"
