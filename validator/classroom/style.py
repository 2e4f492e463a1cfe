"""The style of the class's page: calm, light or dark as the reader's system is, and printable."""

STYLE = """
:root {
  --page: #faf9f6; --paper: #ffffff; --ink: #25282d; --soft: #666d77; --line: #e7e3db;
  --link: #2a5d8f; --shade: 0 1px 2px rgb(40 35 25 / 6%), 0 6px 20px rgb(40 35 25 / 4%);
  --done: #1c6743; --done-back: #e4f3ea;
  --wrong: #9c2f2c; --wrong-back: #fbe7e4;
  --converging: #235f8c; --converging-back: #e4f0f8;
  --blocked: #80560a; --blocked-back: #faf0da;
  --unsure: #66429a; --unsure-back: #f0e9f9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171a; --paper: #1c1f23; --ink: #e3e5e8; --soft: #9ba3ad; --line: #2d3238;
    --link: #8fbfee; --shade: none;
    --done: #86d5ab; --done-back: #17352a;
    --wrong: #f3a29b; --wrong-back: #422321;
    --converging: #93cbf1; --converging-back: #18334a;
    --blocked: #e6c074; --blocked-back: #392e15;
    --unsure: #cbabee; --unsure-back: #322547;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 84rem;
  background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { margin: 0; font-size: 1.75rem; font-weight: 650; letter-spacing: -0.01em; }
h2 { margin: 2.75rem 0 0.75rem; font-size: 1.15rem; font-weight: 650; }
header p, footer, small { color: var(--soft); }
header p { margin: 0.25rem 0 0; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 4px; }
code, pre { font: 0.86em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.scroll, .reports > div, ul {
  background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  box-shadow: var(--shade);
}
.scroll { overflow: auto; max-height: 85vh; }
table { width: 100%; border-collapse: separate; border-spacing: 0; }
th, td { padding: 0.5rem 0.9rem; text-align: left; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
tbody tr:hover > * { background: color-mix(in srgb, var(--link) 5%, var(--paper)); }
thead th {
  font-size: 0.85rem; font-weight: 600; vertical-align: top; background: var(--paper);
}
thead { position: sticky; top: 0; z-index: 2; }
th.name { position: sticky; left: 0; background: var(--paper); font-weight: 500; }
thead th.name { font-weight: 600; }
th.name, td { white-space: nowrap; }
th.name bdi { display: inline-block; max-width: 20rem; overflow: hidden; text-overflow: ellipsis;
  vertical-align: bottom; }
th.module { color: var(--soft); font-weight: 500; border-left: 1px solid var(--line);
  border-bottom: 0; padding-bottom: 0; }
th.exercise { min-width: 9.5rem; font-weight: 500; }
th.exercise b, th.exercise span, th.exercise small { display: block; }
th.exercise span { line-height: 1.3; min-height: 2.6em; }
th.exercise small { font-weight: 400; font-size: 0.8rem; }
meter { display: block; width: 100%; height: 5px; margin: 0.4rem 0 0.2rem; border: 0;
  border-radius: 3px; background: var(--line); appearance: none; }
meter::-webkit-meter-inner-element { display: block; }
meter::-webkit-meter-bar { height: 5px; border: 0; border-radius: 3px; background: var(--line); }
meter::-webkit-meter-optimum-value { border-radius: 3px; background: var(--done); }
meter::-moz-meter-bar { border-radius: 3px; background: var(--done); }
.chip { display: inline-block; padding: 0.05rem 0.55rem; border-radius: 99px; font-size: 0.84rem;
  font-weight: 500; white-space: nowrap; }
.done { color: var(--done); background: var(--done-back); }
.wrong { color: var(--wrong); background: var(--wrong-back); }
.converging { color: var(--converging); background: var(--converging-back); }
.blocked { color: var(--blocked); background: var(--blocked-back); }
.could-not-check { color: var(--unsure); background: var(--unsure-back); }
.not-started { color: var(--soft); }
.unread { color: var(--soft); font-style: italic; }
.count { font-variant-numeric: tabular-nums; }
.big { font-size: 1.25rem; font-weight: 600; }
.finding { font-weight: 400; min-width: 22rem; }
.finding p { margin: 0.2rem 0 0; color: var(--soft); font-size: 0.9rem; overflow-wrap: anywhere; }
.finding code { margin-right: 0.4rem; font-weight: 600; overflow-wrap: anywhere; }
.who { white-space: normal; min-width: 14rem; max-width: 30rem; font-size: 0.92rem;
  overflow-wrap: anywhere; }
.who details { display: inline; }
.who summary { display: inline; color: var(--soft); cursor: pointer; }
ul { margin: 0; padding: 0.8rem 1.2rem 0.8rem 2.2rem; }
li { margin: 0.2rem 0; overflow-wrap: anywhere; }
.reports > div > details + details { border-top: 1px solid var(--line); }
.reports summary { padding: 0.55rem 1rem; cursor: pointer; overflow-wrap: anywhere; }
.reports summary small { margin-left: 0.5rem; }
.reports details > div { padding: 0 1rem 1rem; scroll-margin-top: 4rem; }
.reports details > div p { margin: 0; color: var(--soft); font-size: 0.88rem;
  overflow-wrap: anywhere; }
.reports details:has(:target) > summary { color: var(--link); font-weight: 600; }
pre { margin: 0.6rem 0 0; padding: 1rem; overflow-x: auto; border-radius: 8px;
  background: var(--page); }
footer { margin-top: 3rem; max-width: 46rem; font-size: 0.88rem; }
@media (max-width: 40rem) {
  body { padding: 1.25rem 0.75rem 3rem; }
  th, td { padding: 0.4rem 0.6rem; }
  th.name bdi { max-width: 9rem; }
}
@media print {
  :root {
    --page: #fff; --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --link: #000;
    --shade: none; --done: #0d4a2c; --wrong: #8a1512; --converging: #123f63; --blocked: #5b3c00;
    --unsure: #472a73; --done-back: #fff; --wrong-back: #fff; --converging-back: #fff;
    --blocked-back: #fff; --unsure-back: #fff; font-size: 10px;
  }
  @page { size: landscape; margin: 12mm; }
  body { padding: 0; max-width: none; }
  .scroll { overflow: visible; max-height: none; border: 0; }
  thead { display: table-header-group; position: static; }
  th.name { position: static; }
  th, td { padding: 0.2rem 0.4rem; }
  th.exercise, .finding, .who { min-width: 0; }
  tr, li { break-inside: avoid; }
  h2 { break-after: avoid; }
  .chip { border: 1px solid currentcolor; }
  .chip.not-started { border-color: transparent; }
  .reports > div { border: 0; }
  .reports:not(:has(details[open])), .reports details:not([open]) { display: none; }
  pre { overflow: visible; white-space: pre-wrap; padding: 0; }
}
"""
