"""The page's style sheet: light and dark, wide and narrow, and on paper."""

CSS = """
:root{--bg:#fff;--ink:#1b2126;--soft:#59636c;--line:#d5dade;--card:#f5f7f8;--a:#0b66a8;--b:#b4530a;--ok:#0a7a4b;--bad:#b3261e;
--busy:#169a72;--waiting:#7cb9e8;--starved:#d3d9de;--blocked:#e69f00;--setup:#b58bc9;--held:#e8d33f;--down:#d1495b;
--station:#3178c6;--queue:#e0b25a;--hands:#b9c2c9;--slot:#9b7fc4;--shade:rgba(20,30,40,.34);--strike:#7d0f20}
@media (prefers-color-scheme:dark){:root{--bg:#14181b;--ink:#e6eaed;--soft:#a3adb5;--line:#363e45;--card:#1d2327;--a:#62b0ee;
--b:#f0a35e;--ok:#4cc38a;--bad:#ff8a80;--starved:#49525a;--hands:#66717a;--waiting:#5f9fd2;--shade:rgba(160,200,230,.42);--strike:#ffc9c2}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:16px 16px 48px;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.2;margin:.4em 0}h2{font-size:1.2rem;margin:2em 0 .5em;padding-top:.5em;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1em 0 .3em}p{margin:.4em 0}small,.soft,figcaption{color:var(--soft);font-size:.875rem}
code{font:.85em ui-monospace,Menlo,Consolas,monospace;background:var(--card);padding:.1em .35em;border-radius:4px}
a{color:var(--a)}
nav{display:flex;flex-wrap:wrap;gap:.2em 1em;font-size:.9rem}
.verdict{margin:.6em 0;padding:.7em 1em;border-radius:8px;border-left:6px solid var(--ok);background:var(--card);font-size:1.1rem}
.verdict.bad{border-color:var(--bad)}.verdict b{color:var(--ok)}.verdict.bad b{color:var(--bad)}
.cards{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:10px;margin:1em 0}
@media (min-width:700px){.cards{grid-template-columns:repeat(4,minmax(0,1fr))}}
.card{background:var(--card);border-radius:8px;padding:.6em .8em}.card b{display:block;font-size:1.25rem;line-height:1.3}
.card span{color:var(--soft);font-size:.85rem}.card i{font-style:normal;display:block;font-size:.9rem;color:var(--soft)}.card i b{display:inline}
.a{color:var(--a)}.b{color:var(--b)}
.sides,.pair,.stack{display:grid;gap:8px 28px;grid-template-columns:minmax(0,1fr)}.one h3.side{display:none}
@media (min-width:820px){.pair,.two .sides{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}}
.table{overflow-x:auto;background:linear-gradient(90deg,var(--bg) 30%,transparent) left/48px 100% no-repeat local,
linear-gradient(270deg,var(--bg) 30%,transparent) right/48px 100% no-repeat local,
linear-gradient(90deg,var(--shade),transparent) left/16px 100% no-repeat scroll,
linear-gradient(270deg,var(--shade),transparent) right/16px 100% no-repeat scroll}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.3em .5em;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;min-width:7em;position:sticky;left:0;background:var(--bg)}td:first-child{overflow-wrap:break-word}th{color:var(--soft);font-weight:600;vertical-align:bottom}
td.t,th.t{text-align:left;white-space:normal;min-width:8em}td.t code{display:block;min-width:14em}
@media (max-width:480px){table{font-size:.8rem}th,td{padding:.3em .25em}th{white-space:normal;overflow-wrap:normal}
th:first-child,td:first-child{min-width:7em;padding-left:0}.xs span:nth-child(even){display:none}}
.two .sides table{font-size:.8rem}.two .sides th{white-space:normal;overflow-wrap:normal}.two .sides th,.two .sides td{padding:.3em .25em}
.told{font-weight:700}
figure{margin:.6em 0}figcaption{margin-bottom:.4em}
.plot{display:flex;padding:8px 14px 26px 0}.ys{position:relative;width:42px;flex:none}.area{position:relative;flex:1;min-width:0;height:190px}
.area>svg{width:100%;height:100%;display:block;overflow:visible}
.ys span{position:absolute;right:6px;transform:translateY(-50%);font-size:.75rem;color:var(--soft);line-height:1}
.xs{position:relative;height:18px}.xs span{position:absolute;transform:translateX(-50%);font-size:.75rem;color:var(--soft);white-space:nowrap;top:3px}
.xs span:first-child{transform:none}.xs span.last{transform:translateX(-100%)}
.area .xs{position:absolute;left:0;right:0;top:100%}
.grid{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}
.line{fill:none;stroke-width:2;vector-effect:non-scaling-stroke}.line.a,.mark{stroke:var(--a)}.line.b{stroke:var(--b)}
.line.soft{stroke:var(--soft);stroke-dasharray:5 4}
.mark{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:4 3;vector-effect:non-scaling-stroke}
.bar.a{fill:var(--a)}.bar.b{fill:var(--b)}
.strip{display:block;width:100%;height:22px;background:var(--card);border-radius:3px}
.rows{margin-top:.6em;display:grid;grid-template-columns:minmax(84px,auto) 1fr;gap:5px 10px;align-items:center;font-size:.85rem}
.rows>*{min-width:0}.rows+.table{margin-top:.8em}.table+.rows{margin-top:1em}.rows .thin{height:12px}.rows .full{grid-column:1/-1}
.busy{fill:var(--busy)}.waiting{fill:var(--waiting)}.starved{fill:var(--starved)}.blocked{fill:var(--blocked)}.setup{fill:var(--setup)}
.held{fill:var(--held)}.down{fill:var(--down)}.station{fill:var(--station)}.queue{fill:var(--queue)}.hands{fill:var(--hands)}.slot{fill:var(--slot)}
.fault{fill:var(--down)}.strike{fill:var(--strike)}.armed{fill:var(--down);opacity:.22}.exception{fill:var(--blocked)}.point{fill:var(--ink)}
.legend{display:flex;flex-wrap:wrap;gap:.2em 1em;font-size:.85rem;margin:.4em 0}.legend svg{width:12px;height:12px;margin-right:5px;vertical-align:-1px}
details{border-bottom:1px solid var(--line)}summary{cursor:pointer;padding:.4em 0;font-size:.9rem}
summary:focus-visible,a:focus-visible{outline:2px solid var(--a);outline-offset:2px}
details[open]{padding-bottom:.8em}.body{scroll-margin-top:3em}
.parcels{max-height:70vh;overflow:auto;border:1px solid var(--line);border-radius:8px;padding:0 .8em}
@media print{.table{overflow:visible;background:none}table{font-size:8pt}th,td{white-space:normal;padding:.2em .3em}
th,td,td.t,th.t,th:first-child,td:first-child,td.t code{min-width:0;position:static}
body{max-width:none;padding:0;font-size:11pt}nav,.noprint{display:none}.parcels{max-height:none;border:0;padding:0}
details:not([open]){display:none}h2{break-after:avoid}figure,tr,.card,.strip{break-inside:avoid}
:root{--bg:#fff;--ink:#000;--soft:#444;--line:#bbb;--card:#f2f2f2;--a:#0b66a8;--b:#b4530a;--starved:#d3d9de;--hands:#b9c2c9}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
