/** The report's style: light and dark by the reader's own setting, contrast at least 4.5 to 1, printable. */
export const reportStyle = `
:root{color-scheme:light dark;--fg:#1c1f23;--bg:#fff;--quiet:#5a6470;--line:#d5dae0;--free:#e4e8ec;--live:#0b7a75;--control:#8a5fb0;--bar:#2a8fa8}
@media (prefers-color-scheme:dark){:root{--fg:#e6e9ec;--bg:#14171a;--quiet:#a2acb8;--line:#343b43;--free:#2b3138;--live:#5fd7af;--control:#b08ad0;--bar:#3fb0c8}}
body{margin:0 auto;max-width:64rem;padding:1rem;font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
h1{font-size:1.5rem;margin:.5rem 0 0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
header p,footer{color:var(--quiet)}footer{margin-top:3rem}
pre{overflow:auto;border:1px solid var(--line);padding:.75rem;margin:0}
table{border-collapse:collapse}table.wide{width:100%}
th,td{text-align:left;padding:.2rem 1rem .2rem 0;border-bottom:1px solid var(--line);font-weight:normal;vertical-align:middle}
thead th{color:var(--quiet)}td{font-variant-numeric:tabular-nums}
td.bar{width:60%}td.bar span{display:block;height:.8em;background:var(--bar)}
#map{width:100%;display:block;image-rendering:pixelated;border:1px solid var(--line)}
input[type=range]{width:100%}
:focus-visible{outline:3px solid var(--bar);outline-offset:2px}
.key{display:inline-block;width:.9em;height:.9em;margin-left:.6em;vertical-align:-.1em;border:1px solid var(--line)}
.key.free{background:var(--free)}.key.mixed{background:linear-gradient(90deg,var(--free),var(--live))}.key.live{background:var(--live)}.key.control{background:var(--control)}
.chart{margin:.5rem 0}.u-legend{color:var(--fg)}
@media print{input,label{display:none}}
`;
