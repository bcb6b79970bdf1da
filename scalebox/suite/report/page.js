// The table of problems: filters, sorting, pages, details.  All text reaches the page as text, never as markup.
(() => {
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const PAGE = 50, STRIP = 40;
const [SIDE, INDEX, VERDICT, RIGHT, PASSED, TOTAL, TIME, TOKENS, WEAK, FINISH, PARTS] = Array(11).keys();
const [ID, GROUPS, SAMPLES, STATE] = Array(4).keys();
const byId = id => document.getElementById(id);

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, does] of Object.entries(value)) made.addEventListener(event, does);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter(one => one !== null));
  return made;
}
const words = verdict => data.verdicts[verdict].replaceAll("_", " ");
const kind = verdict => "v-" + data.verdicts[verdict];
const share = samples => samples.reduce((sum, one) => sum + one[RIGHT], 0) / (samples.length || 1);
const number = value => value.toLocaleString("en-US");
function seconds(value) {
  if (value === null) return "";
  return value < 0.9995 ? `${Math.round(value * 1000)} ms` : `${value.toPrecision(3)} s`;
}

// --- the rows ------------------------------------------------------------------------------------
const rows = data.tasks.map((task, place) => {
  const sides = data.sides.map((_, side) => task[SAMPLES].filter(one => one[SIDE] === side));
  const times = task[SAMPLES].map(one => one[TIME]).filter(one => one !== null);
  const tokens = task[SAMPLES].map(one => one[TOKENS]).filter(one => one !== null);
  return {
    place, task, sides, rates: sides.map(share), verdicts: new Set(task[SAMPLES].map(one => one[VERDICT])),
    time: times.length ? Math.max(...times) : null,
    tokens: tokens.length ? tokens.reduce((a, b) => a + b, 0) / tokens.length : null,
    chosen: null, opened: false, words: null,
  };
});
function hay(row) {
  if (row.words === null) {
    const messages = row.task[SAMPLES].map(one => texts(row, one)).map(one => `${one.message || ""} ${one.case_message || ""}`);
    row.words = [row.task[ID], ...row.task[GROUPS], data.prompts[row.place] || "", ...messages].join("\n").toLowerCase();
  }
  return row.words;
}
const texts = (row, sample) => data.texts[`${row.place}/${sample[SIDE]}/${sample[INDEX]}`] || {};

// --- which of them, and in which order -----------------------------------------------------------
const chosen = {text: "", verdict: null, state: null, groups: data.groups.map(() => null), sort: "place", down: false, page: 0};
const values = {
  place: row => row.place, id: row => row.task[ID], rate: row => row.rates[row.rates.length - 1],
  change: row => row.rates[row.rates.length - 1] - row.rates[0], time: row => row.time, tokens: row => row.tokens,
};
let found = rows;
function choose() {
  const parts = chosen.text.toLowerCase().split(/\s+/).filter(Boolean);
  found = rows.filter(row =>
    (chosen.verdict === null || row.verdicts.has(chosen.verdict)) &&
    (chosen.state === null || row.task[STATE] === chosen.state) &&
    chosen.groups.every((value, place) => value === null || row.task[GROUPS][place] === value) &&
    parts.every(part => hay(row).includes(part)));
  const value = values[chosen.sort], sign = chosen.down ? -1 : 1;
  found.sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return (x === null) - (y === null) || a.place - b.place;
    const order = typeof x === "string" ? x.localeCompare(y, "en", {numeric: true}) : x - y;
    return sign * order || a.place - b.place;
  });
  chosen.page = 0;
  draw();
}

// --- drawing -------------------------------------------------------------------------------------
const columns = [["place", "Problem", ""], ["result", "Result", ""], ...data.groups.map((name, place) => [`g${place}`, name.slice(0, 1).toUpperCase() + name.slice(1), "wide"])];
if (data.sides.length > 1) columns.splice(2, 0, ["change", "Change", "number"]);
else columns.splice(2, 0, ["rate", "Right", "number"]);
if (rows.some(row => row.time !== null)) columns.push(["time", "CPU time", "number wide"]);
if (rows.some(row => row.tokens !== null)) columns.push(["tokens", "Tokens", "number wide"]);
data.groups.forEach((_, place) => { values[`g${place}`] = row => row.task[GROUPS][place]; });
const firstWrong = samples => samples.find(one => !one[RIGHT]) || samples[0];
values.result = row => firstWrong(row.sides[row.sides.length - 1])[VERDICT];

function spot(verdict, title) { return el("i", {class: `spot ${kind(verdict)}`, title: title || words(verdict)}); }
function result(samples) {
  if (samples.length === 1) {
    const one = samples[0];
    const forged = one[VERDICT] === 0 && !one[RIGHT] ? " (forgeable, not counted)" : "";
    return el("span", {class: "verdict"}, spot(one[VERDICT]), words(one[VERDICT]) + forged);
  }
  const right = samples.reduce((sum, one) => sum + one[RIGHT], 0);
  if (samples.length <= STRIP) {
    return el("span", {}, el("span", {class: "strip"}, ...samples.map(one => spot(one[VERDICT], `${one[INDEX]}: ${words(one[VERDICT])}`))), `${right}/${samples.length}`);
  }
  const stack = el("span", {class: "stack"});
  data.verdicts.forEach((_, verdict) => {
    const count = samples.filter(one => one[VERDICT] === verdict).length;
    if (!count) return;
    const part = el("i", {class: kind(verdict), title: `${words(verdict)}: ${count}`});
    part.style.width = `${100 * count / samples.length}%`;
    stack.append(part);
  });
  return el("span", {}, stack, `${right}/${samples.length}`);
}
const percent = value => `${(100 * value).toFixed(value === 0 || value === 1 ? 0 : 1)} %`;
function cell(row, column) {
  const last = row.rates.length - 1;
  switch (column) {
    case "result":
      return data.sides.length === 1 ? result(row.sides[0])
        : el("span", {}, result(row.sides[0]), el("span", {class: "of"}, " → "), result(row.sides[1]));
    case "rate": return percent(row.rates[last]);
    case "change": {
      const change = row.rates[last] - row.rates[0];
      return el("span", {class: change > 0 ? "up" : change < 0 ? "down" : ""}, change ? `${change > 0 ? "+" : "−"}${Math.abs(100 * change).toFixed(0)}` : "0");
    }
    case "time": return seconds(row.time);
    case "tokens": return row.tokens === null ? "" : number(Math.round(row.tokens));
    default: return row.task[GROUPS][Number(column.slice(1))];
  }
}
const body = el("tbody");
function draw() {
  const start = chosen.page * PAGE, shown = found.slice(start, start + PAGE);
  body.replaceChildren(...shown.flatMap(row => row.opened ? [line(row), detail(row)] : [line(row)]));
  if (!shown.length) body.append(el("tr", {}, el("td", {colspan: columns.length}, "No problem is like that.")));
  byId("shown").textContent = `${number(found.length)} of ${number(rows.length)} problems`;
  byId("where").textContent = found.length ? `${number(start + 1)} to ${number(start + shown.length)} of ${number(found.length)}` : "";
  byId("back").disabled = chosen.page === 0;
  byId("on").disabled = start + PAGE >= found.length;
  byId("pager").hidden = found.length <= PAGE;
  for (const head of document.querySelectorAll(".rows thead th")) {
    if (head.dataset.column === chosen.sort && (chosen.sort !== "place" || chosen.down)) head.setAttribute("aria-sort", chosen.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}
function line(row) {
  const cells = columns.map(([column, , style]) => column === "place"
    ? el("td", {}, el("button", {class: "open", type: "button", "aria-expanded": String(row.opened)}, row.task[ID]))
    : el("td", {class: style || null}, cell(row, column)));
  const made = el("tr", {class: row.opened ? "row opened" : "row", "data-place": row.place}, ...cells);
  made.addEventListener("click", event => {
    if (event.target.closest("button") || !String(getSelection())) toggle(row);
  });
  return made;
}
function toggle(row, open = !row.opened) {
  row.opened = open;
  const old = body.querySelector(`tr[data-place="${row.place}"]`);
  if (!old) return;
  if (old.nextElementSibling && old.nextElementSibling.classList.contains("detail")) old.nextElementSibling.remove();
  const made = line(row);
  old.replaceWith(made);
  if (open) { made.after(detail(row)); settle(made.nextElementSibling); }
  made.querySelector(".open").focus({preventScroll: true});
}
// Marked differences are scrolled to within their own boxes.
function settle(place) {
  for (const mark of place.querySelectorAll("pre mark")) {
    const box = mark.closest("pre");
    box.scrollTop = Math.max(0, mark.offsetTop - box.offsetTop - box.clientHeight / 2);
  }
}

// --- one problem ---------------------------------------------------------------------------------
function detail(row) {
  const inside = el("td", {colspan: columns.length});
  const sample = row.chosen || firstWrong(row.sides[row.sides.length - 1]);
  fill(row, sample, inside);
  return el("tr", {class: "detail"}, inside);
}
function fill(row, sample, inside) {
  row.chosen = sample;
  inside.replaceChildren();
  if (row.task[SAMPLES].length > 1) {
    row.sides.forEach((samples, side) => inside.append(el("div", {class: "picks", role: "group", "aria-label": "Samples"},
      data.sides.length > 1 ? el("span", {class: "side"}, data.sides[side]) : null,
      ...samples.slice(0, 400).map(one => el("button", {
        class: "pick", type: "button", "aria-pressed": String(one === sample), title: words(one[VERDICT]),
        on: {click: () => { fill(row, one, inside); settle(inside); inside.querySelector('.pick[aria-pressed="true"]').focus(); }},
      }, spot(one[VERDICT]), String(one[INDEX]))))));
  }
  const own = texts(row, sample);
  const prompt = data.prompts[row.place];
  inside.append(facts(sample));
  if (own.message && !(own.case_message && own.message.includes(own.case_message))) inside.append(block("Message", own.message));
  if (own.verdict) failing(own, inside);
  const text = own.text === undefined ? null : block("Sample", own.text, "sample");
  if (prompt && text) inside.append(el("div", {class: "pair"}, block("Prompt", prompt, "prompt"), text));
  else if (prompt || text) inside.append(text || block("Prompt", prompt, "prompt"));
  if (own.text === undefined) inside.append(el("p", {class: "said"}, "The text of this sample is not on this page."));
}
function facts(sample) {
  const said = [`${data.sides.length > 1 ? data.sides[sample[SIDE]] + ", " : ""}sample ${sample[INDEX]}`, `${number(sample[PASSED])} of ${number(sample[TOTAL])} cases passed`];
  if (sample[PARTS]) said.push(sample[PARTS]);
  if (sample[TIME] !== null) said.push(`${seconds(sample[TIME])} of CPU`);
  if (sample[TOKENS] !== null) said.push(`${number(sample[TOKENS])} tokens`);
  if (sample[FINISH]) said.push(`ended with ${sample[FINISH]}`);
  if (sample[WEAK]) said.push("integrity: weak");
  return el("p", {class: "case"}, spot(sample[VERDICT]), " ", el("b", {}, words(sample[VERDICT])), el("span", {class: "said"}, ` · ${said.join(" · ")}`));
}
function failing(own, inside) {
  const said = own.case_message ? `: ${own.case_message}` : "";
  inside.append(el("p", {class: "case failing"}, "First case that failed: ", el("b", {}, own.name || "?"), ` (${own.verdict.replaceAll("_", " ")})${said}`));
  if (own.input !== undefined) inside.append(block(own.expected === undefined ? "Input or test" : "Input", own.input, "input"));
  if (own.expected !== undefined && own.got !== undefined) inside.append(...compared(own.expected, own.got));
  else if (own.expected !== undefined) inside.append(block("Expected", own.expected, "expected"));
  else if (own.got) inside.append(block("Got", own.got, "got"));
  if (own.error_output) inside.append(block("Error output", own.error_output, "errors"));
}
function block(title, text, name = "") {
  const box = el("pre", {class: name || null, tabindex: "0"}, text === "" ? el("span", {class: "of"}, "(empty)") : text);
  return el("div", {class: "whole"}, el("h3", {}, title), box);
}

// --- expected and got ----------------------------------------------------------------------------
const blank = sign => sign === undefined || sign === " " || sign === "\n" || sign === "\t" || sign === "␍";
// Most judges look past blanks, so the first difference in tokens is looked for first.
function firstDifference(a, b) {
  let i = 0, j = 0;
  for (let between = true; ; ) {
    if (between || (blank(a[i]) && blank(b[j]))) {
      while (i < a.length && blank(a[i])) i++;
      while (j < b.length && blank(b[j])) j++;
      if (i >= a.length && j >= b.length) break;
      between = false;
    }
    if (a[i] !== b[j]) return [i, j, ""];
    i++; j++;
  }
  for (i = 0; i < a.length || i < b.length; i++) if (a[i] !== b[i]) return [i, i, " (in blanks alone)"];
  return null;
}
function compared(expected, got) {
  const at = firstDifference(expected, got);
  const place = at === null ? "As texts, what is shown of them is the same."
    : `First difference${at[2]}: ${where(expected, at[0])} of what is expected, ${where(got, at[1])} of what came.`;
  return [
    el("div", {class: "pair"}, side("Expected", expected, at && at[0], "expected"), side("Got", got, at && at[1], "got")),
    el("p", {class: "said"}, place),
  ];
}
function where(text, at) {
  const before = text.slice(0, at).split("\n");
  return `line ${number(before.length)}, column ${number(before[before.length - 1].length + 1)}`;
}
function side(title, text, at, name) {
  const box = el("pre", {class: name, tabindex: "0"});
  if (at === null) box.append(text);
  else {
    const start = text.lastIndexOf("\n", at - 1) + 1, end = text.indexOf("\n", at);
    const stop = end < 0 ? text.length : end;
    const sign = String.fromCodePoint(text.codePointAt(at) ?? 0);
    const shown = at >= text.length ? "∎" : sign === "\n" ? "⏎" : sign === " " ? "·" : sign === "\t" ? "⇥" : sign;
    const after = sign === "\n" || at >= text.length ? "" : text.slice(at + sign.length, stop);
    box.append(text.slice(0, start), el("span", {class: "differs"}, text.slice(start, at), el("mark", {}, shown), after), text.slice(stop));
  }
  return el("div", {}, el("h3", {}, title), box);
}

// --- controls ------------------------------------------------------------------------------------
function chip(label, count, style, pressed, does) {
  return el("button", {class: `chip ${style}`, type: "button", "aria-pressed": String(pressed), on: {click: does}},
    style.includes("v-") ? el("i", {class: `spot ${style}`}) : null, label, el("small", {}, number(count)));
}
function chips() {
  const made = [];
  for (const state of [...new Set(rows.map(row => row.task[STATE]))].filter(Boolean).sort()) {
    const count = rows.filter(row => row.task[STATE] === state).length;
    made.push(chip(state, count, "", chosen.state === state, () => { chosen.state = chosen.state === state ? null : state; again(`[data-chip="${state}"]`); }));
    made[made.length - 1].dataset.chip = state;
  }
  data.verdicts.forEach((name, verdict) => {
    const count = rows.filter(row => row.verdicts.has(verdict)).length;
    if (!count) return;
    made.push(chip(words(verdict), count, kind(verdict), chosen.verdict === verdict, () => { chosen.verdict = chosen.verdict === verdict ? null : verdict; again(`[data-chip="${name}"]`); }));
    made[made.length - 1].dataset.chip = name;
  });
  byId("chips").replaceChildren(...made);
}
function again(focus) {
  chips();
  choose();
  byId("chips").querySelector(focus).focus();
}
let waiting = 0;
byId("find").addEventListener("input", event => {
  clearTimeout(waiting);
  waiting = setTimeout(() => { chosen.text = event.target.value; choose(); }, 80);
});
data.groups.forEach((name, place) => {
  const own = [...new Set(rows.map(row => row.task[GROUPS][place]))].sort((a, b) => a.localeCompare(b, "en", {numeric: true}));
  if (own.length < 2) return;
  const select = el("select", {"aria-label": name, "data-group": name}, el("option", {value: ""}, `any ${name}`), ...own.map((value, at) => el("option", {value: String(at)}, value || "(none)")));
  select.addEventListener("change", () => { chosen.groups[place] = select.value === "" ? null : own[Number(select.value)]; choose(); });
  byId("groups").append(select);
});
byId("back").addEventListener("click", () => { chosen.page--; draw(); });
byId("on").addEventListener("click", () => { chosen.page++; draw(); });

const head = el("tr", {}, ...columns.map(([column, title, style]) => el("th", {scope: "col", class: style || null, "data-column": column},
  el("button", {type: "button", on: {click: () => {
    chosen.down = chosen.sort === column ? !chosen.down : ["time", "tokens"].includes(column);
    chosen.sort = column;
    choose();
  }}}, title))));
const two = data.sides.length > 1;
const widths = column => ({place: two ? "20%" : data.groups.length ? "26%" : "34%", result: two ? "33%" : null, rate: "9%", change: "9%", time: "10%", tokens: "8%"})[column] || null;
const cols = el("colgroup", {}, ...columns.map(([column, , style]) => {
  const made = el("col", {class: style.includes("wide") ? "wide" : null});
  if (widths(column)) made.style.width = widths(column);
  return made;
}));
byId("table").append(el("table", {class: "rows"}, cols, el("thead", {}, head), body));

document.addEventListener("keydown", event => {
  const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "/" && !typing) { event.preventDefault(); byId("find").focus(); return; }
  const here = event.target.closest && event.target.closest("tr.row, tr.detail");
  if (event.key === "Escape" && here) {
    const own = here.classList.contains("detail") ? here.previousElementSibling : here;
    toggle(rows[Number(own.dataset.place)], false);
  } else if (event.key === "Escape" && event.target.id === "find") {
    event.target.value = ""; chosen.text = ""; choose();
  }
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || typing && event.target.id !== "find" || event.target.tagName === "PRE") return;
  const opens = [...body.querySelectorAll(".open")];
  const at = here && here.classList.contains("row") ? opens.indexOf(here.querySelector(".open")) : -1;
  const next = event.key === "ArrowDown" ? opens[at + 1] : opens[at - 1];
  if (next && (here || event.target.id === "find")) { event.preventDefault(); next.focus(); }
});
chips();
choose();
})();
