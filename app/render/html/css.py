"""The page's style sheet: system fonts, the reader's light or dark scheme, black on white in print."""

from edge_bench.app.render.palette import SCREEN_COLOURS

__all__ = ["STYLE"]

_LIGHT = ";".join(f"--{name}:{colour}" for colour, (name, _) in SCREEN_COLOURS.items())
_DARK = ";".join(f"--{name}:{dark}" for name, dark in SCREEN_COLOURS.values())

STYLE = f"""
:root {{ color-scheme: light dark; {_LIGHT}; --tint: #f4f5f7; --good: #00704f; --bad: #b04500 }}
@media screen and (prefers-color-scheme: dark) {{
  :root {{ {_DARK}; --tint: #1d2025; --good: #3dc79c; --bad: #f0843c }}
}}
* {{ box-sizing: border-box }}
html {{ -webkit-text-size-adjust: 100%; text-size-adjust: 100% }}
body {{ margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: break-word;
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif }}
main {{ max-width: 64rem; margin: 0 auto; padding: 3.5rem clamp(1rem, 4vw, 3rem) 5rem }}
header {{ border-bottom: 1px solid var(--grid); padding-bottom: 1.5rem; margin-bottom: 2.5rem }}
.kind {{ color: var(--muted); font-size: .875rem; margin: 0 0 .5rem }}
h1 {{ font-size: clamp(1.5rem, 1.1rem + 1.6vw, 2.1rem); line-height: 1.2; letter-spacing: -.015em; font-weight: 650;
  margin: 0; text-wrap: balance }}
.whole {{ white-space: nowrap }}
h2 {{ font-size: 1.2rem; line-height: 1.3; letter-spacing: -.005em; font-weight: 650; margin: 4rem 0 .75rem }}
h3 {{ font-size: 1rem; font-weight: 650; margin: 2.25rem 0 .5rem }}
p, li, dd {{ max-width: 44rem }}
p {{ margin: .5rem 0 1rem }}
a {{ color: inherit; text-decoration-color: var(--muted); text-underline-offset: .2em }}
nav ul {{ list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1rem 0 0; padding: 0;
  font-size: .875rem }}
.chapter + .chapter {{ border-top: 3px solid var(--ink); margin-top: 5rem; padding-top: 2.5rem }}
.chapter > h1 {{ margin-bottom: .5rem }}
.answer {{ margin: 1.25rem 0 2rem }}
.answer p {{ max-width: 58rem; margin: .4rem 0; text-wrap: pretty }}
.answer .headline {{ font-size: clamp(1.15rem, 1.05rem + .6vw, 1.45rem); line-height: 1.4; font-weight: 650 }}
.answers {{ list-style: none; margin: 1.25rem 0 2rem; padding: 0 }}
.answers li {{ font-size: clamp(1.05rem, 1rem + .35vw, 1.25rem); line-height: 1.55; max-width: 50rem;
  margin: 0 0 1.1rem }}
.small, .notes, figcaption, .caption {{ color: var(--muted); font-size: .875rem; line-height: 1.55 }}
.notes {{ padding-left: 1.1rem; margin: .9rem 0 0 }}
.notes li {{ margin: .15rem 0 }}
figure {{ margin: 1.75rem 0 2.75rem }}
figcaption {{ max-width: 44rem; margin-top: .75rem }}
figcaption b, .caption b {{ color: var(--ink); font-weight: 600 }}
.plot svg {{ display: block; width: 100%; height: auto; overflow: visible; stroke-linejoin: round; fill: var(--ink) }}
.plot.page {{ max-width: 54rem }}
.plot.column {{ display: none }}
.frame {{ margin: 1rem 0 0; timeline-scope: --sideways }}
.box {{ overflow-x: auto; scroll-timeline: --sideways inline;
  background: linear-gradient(to left, var(--paper) 60%, transparent) right / 3.5rem 100% no-repeat local,
    linear-gradient(to left, var(--grid), transparent) right / 1.25rem 100% no-repeat scroll }}
.hint {{ font-size: 0; margin: 0; color: var(--muted); animation: wide linear both; animation-timeline: --sideways }}
@keyframes wide {{ from, to {{ font-size: .75rem }} }}
.box.long {{ max-height: 80vh; overflow-y: auto }}
.box.long thead th {{ position: sticky; top: 0; background: var(--paper); z-index: 1 }}
.box:focus-visible {{ outline: 2px solid var(--blue); outline-offset: 3px }}
table {{ border-collapse: collapse; font-size: .8125rem; line-height: 1.4; font-variant-numeric: tabular-nums }}
th, td {{ padding: .4rem .8rem .4rem 0; text-align: right; white-space: nowrap; vertical-align: top;
  border-bottom: 1px solid var(--grid) }}
th {{ text-align: left; font-weight: 500 }}
tbody th {{ white-space: normal; max-width: 17rem }}
tbody .only {{ white-space: nowrap; max-width: none }}
tbody .only.lengthy {{ white-space: normal; min-width: 14rem; max-width: 24rem; overflow-wrap: anywhere }}
thead th {{ color: var(--muted); font-weight: 500; vertical-align: bottom; border-bottom: 1px solid var(--muted) }}
thead th:not(.key, .text) {{ text-align: right }}
.only, .facts th:first-child {{ position: sticky; left: 0; background: var(--paper) }}
th small {{ color: var(--muted); font-size: .9em }}
tbody .group {{ max-width: none; white-space: nowrap }}
.group {{ font-weight: 600; padding-top: 1.1rem }}
.stay {{ position: sticky; left: 0 }}
td.text, thead th.text {{ text-align: left }}
td.text {{ white-space: normal; min-width: 9rem; max-width: 26rem; overflow-wrap: anywhere }}
td:last-child, th:last-child {{ padding-right: 0 }}
.facts th {{ color: var(--muted); padding-right: 2rem }}
.facts td, .facts thead th:not(:first-child) {{ text-align: left; white-space: normal; min-width: 11rem;
  max-width: 26rem }}
.facts thead th {{ color: var(--ink); font-weight: 600 }}
.verdict {{ font-weight: 600 }}
.faster {{ color: var(--good) }}
.slower {{ color: var(--bad) }}
.same, .undecided, .baseline {{ color: var(--muted); font-weight: 400 }}
.bars {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; letter-spacing: -.04em }}
.emulated {{ font-size: .72em; font-weight: 650; letter-spacing: .05em; color: var(--paper);
  background: var(--bad); border-radius: .2em; padding: .1em .4em; white-space: nowrap; vertical-align: .08em }}
.doubt {{ border-left: 3px solid var(--vermillion); padding-left: .9rem; margin-left: 0 }}
.gallery {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 1.25rem 1.25rem;
  list-style: none; margin: 1.25rem 0 0; padding: 0 }}
.gallery img {{ display: block; width: 5rem; height: 5rem; object-fit: contain; image-rendering: pixelated;
  background: var(--tint); border: 1px solid var(--grid) }}
.gallery p {{ margin: .4rem 0 .35rem; font-size: .75rem }}
.gallery dl {{ margin: 0; font-size: .75rem; line-height: 1.4 }}
.gallery dt {{ font-weight: 600 }}
.gallery dd {{ margin: 0 0 .25rem; color: var(--muted) }}
.pictures, .legend {{ list-style: none; margin: 1.25rem 0 0; padding: 0 }}
.pictures li {{ max-width: none; margin: 0 0 1.5rem }}
.pictures p {{ margin: .3rem 0 }}
.pictures img, .pictures svg {{ display: block; max-width: 100%; height: auto; background: var(--tint) }}
.pictures img {{ image-rendering: pixelated; border: 1px solid var(--grid) }}
.side {{ display: flex; flex-wrap: wrap; gap: .5rem 1rem }}
.side > div {{ max-width: 100% }}
.boxes rect {{ fill: none }}
.boxes text {{ font-size: 11px; font-weight: 600; fill: #fff; stroke: #000; stroke-width: 2.5px; paint-order: stroke }}
.legend {{ display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .875rem }}
.swatch {{ display: inline-block; width: .8em; height: .8em; border: 1px solid var(--grid); vertical-align: -.05em }}
.right {{ color: var(--blue) }}
pre, code {{ font: .8125rem/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; background: var(--tint); padding: .9rem 1.1rem; margin: 1rem 0;
  border-radius: .25rem }}
.sum {{ overflow-wrap: anywhere; font: .75rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }}
@media (max-width: 40rem) {{
  main {{ padding-top: 1.75rem }}
  h2 {{ margin-top: 3rem }}
  .plot.page {{ display: none }}
  .plot.column {{ display: block }}
  tbody th {{ max-width: 28vw }}
  tbody .only, tbody .only.lengthy, .facts th:first-child {{ white-space: normal; max-width: 40vw; min-width: 7.6rem }}
  thead th:not(.key) {{ white-space: normal; min-width: 4.5rem }}
  td.undecided, td.same {{ white-space: normal; min-width: 6.5rem }}
  .facts th {{ padding-right: .8rem }}
  .facts td {{ min-width: 9rem; overflow-wrap: anywhere }}
  .gallery {{ grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: 1rem }}
}}
@media print {{
  @page {{ margin: 16mm 15mm }}
  main {{ max-width: none; padding: 0 }}
  body {{ font-size: 9.5pt }}
  nav {{ display: none }}
  .plot.page {{ display: block; max-width: none }}
  .plot.column {{ display: none }}
  .box, .box.long {{ overflow: visible; max-height: none; background: none }}
  .hint {{ display: none }}
  .box thead th, .box .only, .facts th:first-child {{ position: static }}
  table {{ font-size: 6.2pt }}
  th, td {{ padding-right: .45rem }}
  .answers li {{ font-size: 11.5pt }}
  figure, tr, .gallery li, .pictures li {{ break-inside: avoid }}
  h2, h3 {{ break-after: avoid }}
  .emulated {{ border: 1px solid; background: none; color: inherit }}
}}
"""
