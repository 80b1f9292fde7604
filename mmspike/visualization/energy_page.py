"""An energy report as one page of HTML: no script, nothing fetched, readable on paper."""
import html

from mmspike.analysis.energy.markdown import READING, TITLE, sections
from mmspike.visualization.energy_charts import energy_charts

STYLE = """
body { font: 14px/1.45 system-ui, 'Segoe UI', 'Liberation Sans', Arial, sans-serif; color: #1f2430; margin: 0 auto;
  max-width: 62rem; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.1rem; margin: 1.8rem 0 .5rem; }
p.reading { color: #4b5563; max-width: 48rem; }
p.warning { background: #fef3c7; border: 1px solid #b45309; padding: .5rem .8rem; font-weight: 600; }
.key { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1rem 0; }
.key div { border: 1px solid #c9ced6; border-radius: 6px; padding: .5rem .9rem; }
.key b { display: block; font-size: 1.25rem; } .key span { color: #4b5563; font-size: .8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .8rem; }
th, td { padding: .22rem .6rem; text-align: right; border-bottom: 1px solid #e5e7eb; vertical-align: top; }
th { color: #4b5563; font-weight: 600; border-bottom: 1px solid #9ca3af; }
th:first-child, td:first-child, td.words, th.words { text-align: left; }
code { font-size: .95em; overflow-wrap: anywhere; } svg { max-width: 100%; height: auto; }
.watermark { position: fixed; inset: 0; display: flex; align-items: center; justify-content: center; z-index: 1;
  pointer-events: none; font-size: 4.2rem; font-weight: 700; color: #b45309; opacity: .14; transform: rotate(-28deg);
  text-align: center; }
@page { size: A4; margin: 14mm; }
@media print {
  body { font-size: 10px; max-width: none; padding: 0; } .wide { overflow: visible; }
  h2 { break-after: avoid; } figure, tr, .key { break-inside: avoid; } thead { display: table-header-group; }
  table { font-size: 7.6px; } th, td { padding: .12rem .3rem; } .key b { font-size: 13px; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
figure { margin: 0; }
"""


def energy_page(figures: dict, title: str) -> str:
    """A whole HTML document.

    Args:
        figures: of :meth:`mmspike.analysis.energy.EnergyReport.to_dict`.
        title: what was measured, such as the config's name.
    """
    name = html.escape(title)
    parts = [f'<h1>{TITLE}: {name}</h1>', f'<p class="reading">{html.escape(READING)}</p>']
    parts += [f'<p class="warning">{html.escape(warning)}</p>' for warning in figures['warnings']]
    parts.append(_key_figures(figures))
    for heading, svg in energy_charts(figures).items():
        parts.append(f'<figure><h2>{html.escape(heading)}</h2>{svg}</figure>')
    for heading, content in sections(figures):
        body = f'<p>{_words(content)}</p>' if isinstance(content, str) else _table(*content)
        parts.append(f'<h2>{html.escape(heading)}</h2>\n{body}')
    if figures['warnings']:
        parts.append(f'<div class="watermark">{html.escape(" · ".join(w.split(":")[0] for w in figures["warnings"]))}'
                     '</div>')
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{TITLE}: {name}</title>'
            f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n<body>\n'
            + '\n'.join(parts) + '\n</body></html>\n')


def _key_figures(figures: dict) -> str:
    first, operations = figures['energy'][0], figures['operations']
    boxes = [(f'{first["synaptic_mj"]["mean"]:.4g} mJ', f'operations of layers, {first["title"]}'),
             (f'{first["total_mj"]["mean"]:.4g} mJ', 'with membranes, norms and what the model includes'),
             (f'{operations["macs"]["mean"] / 1e6:,.4g} M', 'multiply-accumulates'),
             (f'{operations["acs"]["mean"] / 1e6:,.4g} M', 'accumulates'),
             (f'{100 * figures["coverage"]["share"]:.2f} %', 'of multiply-accumulates counted'),
             (str(figures['samples']), 'samples')]
    return '<div class="key">' + ''.join(f'<div><b>{value}</b><span>{html.escape(words)}</span></div>'
                                         for value, words in boxes) + '</div>'


def _table(columns, rows) -> str:
    words = [i == 0 or any(len(row[i]) > 40 or ', ' in row[i] for row in rows) for i in range(len(columns))]

    def cells(line, tag):
        return ''.join(f'<{tag}{" class=words" if is_words else ""}>{_words(cell)}</{tag}>'
                       for cell, is_words in zip(line, words, strict=True))

    head = f'<thead><tr>{cells(columns, "th")}</tr></thead>' if any(columns) else ''
    body = ''.join(f'<tr>{cells(row, "td")}</tr>' for row in rows)
    return f'<div class="wide"><table>{head}<tbody>{body}</tbody></table></div>'


def _words(text: str) -> str:
    """Escaped, with what stands between backticks as code."""
    return ''.join(f'<code>{part}</code>' if i % 2 else part for i, part in enumerate(html.escape(text).split('`')))
