/** The style sheet of the page: light and dark, from 320 pixels on. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --back: #f6f7f9; --card: #fff; --line: #d8dce3; --text: #1b1f27; --dim: #59606d;
  --accent: #1d4ed8; --good: #17603a; --good-back: #dcf3e5; --bad: #9b1c1c; --bad-back: #fde4e4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #12151b; --card: #1b1f27; --line: #343b48; --text: #e8eaef; --dim: #a4adbb;
    --accent: #8ab4ff; --good: #8fe0b2; --good-back: #173526; --bad: #ffb4b4; --bad-back: #4a1d1f;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
header {
  position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center;
  padding: 8px 20px; background: var(--card); border-bottom: 1px solid var(--line);
}
h1 { font-size: 17px; margin: 0; }
#status { margin: 0; color: var(--dim); flex: 1 1 60px; }
#status.bad { color: var(--bad); }
main { padding: 20px; max-width: 1500px; margin: auto; display: grid; gap: 40px; }
main > section { display: grid; gap: 20px; grid-template-columns: minmax(0, 1fr); }
.head { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; }
h2 { font-size: 20px; margin: 0; overflow-wrap: anywhere; unicode-bidi: isolate; }
.badge { border-radius: 99px; padding: 2px 10px; font-size: 13px; background: var(--good-back); color: var(--good); }
.badge.bad { background: var(--bad-back); color: var(--bad); }
.note { margin: 0; color: var(--dim); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(120px, 1fr)); gap: 10px; margin: 0; }
.tiles div, .card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.tiles div { padding: 8px 12px; }
.tiles dt { color: var(--dim); font-size: 13px; }
.tiles dd { margin: 0; font-size: 22px; font-variant-numeric: tabular-nums; }
.pair { display: grid; gap: 20px; grid-template-columns: minmax(0, 1fr); align-items: start; }
@media (min-width: 900px) { .pair { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
h3 { font-size: 15px; margin: 0; padding: 10px 12px 6px; }
h3 span { font-weight: normal; color: var(--dim); }
.scroll { overflow: auto; max-height: 420px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 5px 12px; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { position: sticky; top: 0; background: var(--card); color: var(--dim); font-weight: 600; border-top: 0; }
.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.code { font-family: ui-monospace, monospace; font-size: 13px; }
.none { color: var(--dim); }
button {
  font: inherit; color: var(--accent); background: none; border: 1px solid currentcolor; border-radius: 6px;
  padding: 3px 12px; min-height: 28px; cursor: pointer;
}
td button { font-size: 13px; padding: 1px 10px; min-height: 24px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.scroll:focus-visible { outline-offset: -2px; }
`
