"use strict";
// Sorts, filters and opens the table of trials; copies the code. Without it the page is whole, but
// for the curves behind each row. #data holds {metric, higher, baseline, baselineName, trials}, and
// a trial is [family, status, group, epochs, scores, rates, message] in the order of the rows;
// `epochs` and `rates` may be one number: the first epoch of an unbroken row, a rate that stays.
(() => {
  const PAGE = 50; // rows shown at first: 3,000 take a browser seconds to lay out
  const byId = (id) => document.getElementById(id);

  const make = (name, attributes = {}, text = "") => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };

  // ------------------------------------------------------------------ copying

  const copy = byId("copy");
  if (copy) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      const code = byId("code");
      let done = true;
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        getSelection().selectAllChildren(code); // where a page may not write to the clipboard
        done = document.execCommand("copy");
      }
      byId("copied").textContent = done ? "Copied" : "Selected: copy it with the keyboard";
    });
  }

  // ------------------------------------------------------------------ charts

  const WIDTH = 400, HEIGHT = 210, LEFT = 60, RIGHT = 12, TOP = 10, BOTTOM = 40;

  const draw = (parent, name, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return parent.appendChild(element);
  };

  const short = (value) => (value !== 0 && Math.abs(value) < 1e-3
    ? value.toExponential(2).replace(/\.?0+e/, "e") : String(Number(value.toPrecision(4))));

  const ticksOf = (low, high, whole = false) => {
    const size = 10 ** Math.floor(Math.log10((high - low) / 4));
    let step = [1, 2, 5, 10].map((one) => one * size).find((one) => (high - low) / one <= 5);
    if (whole) step = Math.max(Math.round(step), 1);
    const ticks = [];
    for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) {
      ticks.push(Number((n * step).toPrecision(12)));
    }
    return ticks;
  };

  const logTicksOf = (low, high) => {
    let inside = [];
    for (const firsts of [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
      inside = [];
      for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++) {
        inside.push(...firsts.map((one) => Number((one * 10 ** e).toPrecision(3))));
      }
      inside = inside.filter((one) => one >= low && one <= high);
      if (inside.length >= 3) break;
    }
    return inside;
  };

  // points: [[epoch, value]], at least one; base: a value to compare with, or null.
  const chart = (points, { log, held, base, label }) => {
    const values = points.map(([, value]) => value).concat(base === null ? [] : [base]);
    let low = Math.min(...values), high = Math.max(...values);
    if (log) {
      [low, high] = [low * 0.85, high / 0.85];
    } else {
      const room = (high - low) * 0.06 || Math.abs(high) * 0.01 || 0.01;
      [low, high] = [low - room, high + room];
    }
    const first = points[0][0] - (held ? 1 : 0);
    const last = Math.max(points[points.length - 1][0], first + 1);
    const scale = log ? Math.log10 : (one) => one;
    const x = (one) => LEFT + (WIDTH - LEFT - RIGHT) * (one - first) / (last - first);
    const y = (one) => HEIGHT - BOTTOM
      - (HEIGHT - TOP - BOTTOM) * (scale(one) - scale(low)) / (scale(high) - scale(low));
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img" };
    for (const [key, value] of Object.entries(box)) svg.setAttribute(key, value);
    svg.setAttribute("aria-label", label);
    for (const tick of log ? logTicksOf(low, high) : ticksOf(low, high)) {
      draw(svg, "path", { class: "gridline", d: `M${LEFT} ${y(tick)}H${WIDTH - RIGHT}` });
      const place = { x: LEFT - 7, y: y(tick) + 4, "text-anchor": "end" };
      draw(svg, "text", place, short(tick));
    }
    for (const tick of ticksOf(first, last, true)) {
      const place = { x: x(tick), y: HEIGHT - BOTTOM + 17, "text-anchor": "middle" };
      draw(svg, "text", place, short(tick));
    }
    draw(svg, "path", { class: "axis", d: `M${LEFT} ${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` });
    const middle = { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle" };
    draw(svg, "text", middle, "epoch");
    if (base !== null) {
      draw(svg, "path", { class: "line base", d: `M${LEFT} ${y(base)}H${WIDTH - RIGHT}` });
    }
    // A rate holds from the end of the epoch before to the end of its own.
    const places = points.flatMap(([epoch, value], n) => held
      ? [[n ? points[n - 1][0] : first, value], [epoch, value]] : [[epoch, value]]);
    draw(svg, "path", {
      class: "line",
      d: "M" + places.map(([a, b]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("L"),
    });
    if (points.length === 1 && !held) {
      draw(svg, "circle", { class: "dot", cx: x(points[0][0]), cy: y(points[0][1]), r: 4 });
    }
    return svg;
  };

  const figure = (title, points, options) => {
    const box = make("figure");
    const caption = box.appendChild(make("figcaption", { class: "key" }));
    const entry = (kind, text) => {
      const span = make("span");
      span.append(make("span", { class: kind }), text);
      caption.append(span, " ");
    };
    entry("swatch", title);
    if (options.base !== null) entry("swatch base", options.baseName);
    box.append(chart(points, options));
    return box;
  };

  // ------------------------------------------------------------------ the table

  const table = byId("trials");
  if (!table) return;
  const data = JSON.parse(byId("data").textContent);
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const names = heads.map((head) => head.textContent);
  const rows = [...body.rows].map((element, index) => {
    const [family, status, group] = data.trials[index];
    return { element, index, family, status, group, name: element.cells[1].textContent };
  });
  let order = rows, shown = PAGE;

  const curvesOf = ([, , , epochs, scores, rates]) => {
    const at = (n) => (Array.isArray(epochs) ? epochs[n] : epochs + n);
    const rate = (n) => (Array.isArray(rates) ? rates[n] : rates);
    const known = ([epoch, value]) => epoch !== null && value !== null;
    return [
      scores.map((score, n) => [at(n), score]).filter(known),
      scores.map((_, n) => [at(n), rate(n)]).filter(known).filter(([, value]) => value > 0),
    ];
  };

  const words = (what, name, points) => {
    const [first, last] = [points[0], points[points.length - 1]];
    return `${what} of trial ${name}: ${short(first[1])} in epoch ${first[0]}, `
      + `${short(last[1])} in epoch ${last[0]}.`;
  };

  const detailOf = ({ index, name }) => {
    const trial = data.trials[index];
    const [scores, rates] = curvesOf(trial);
    const box = make("div", { class: "charts" });
    if (trial[6]) box.append(make("p", {}, trial[6]));
    if (scores.length) {
      const label = words(data.metric, name, scores);
      const base = data.baseline;
      const options = { log: false, held: false, base, baseName: data.baselineName, label };
      box.append(figure(data.metric, scores, options));
    }
    if (rates.length) {
      const all = rates.map(([, value]) => value);
      const log = Math.max(...all) > 3 * Math.min(...all);
      const label = words("learning rate", name, rates);
      const title = log ? "learning rate, log scale" : "learning rate";
      box.append(figure(title, rates, { log, held: true, base: null, label }));
    }
    if (!scores.length && !rates.length) box.append(make("p", {}, "No epochs were recorded."));
    const detail = make("tr", { class: "detail", id: `trial-${index}` });
    detail.appendChild(make("td", { colspan: heads.length })).append(box);
    return detail;
  };

  const toggle = (row) => {
    const open = row.button.getAttribute("aria-expanded") !== "true";
    row.button.setAttribute("aria-expanded", open);
    row.element.classList.toggle("open", open);
    if (open && !row.detail) {
      row.detail = detailOf(row);
      row.button.setAttribute("aria-controls", row.detail.id);
      row.element.after(row.detail);
    }
    row.detail.hidden = !open;
  };

  for (const row of rows) {
    const cell = row.element.cells[1];
    row.button = make("button", { type: "button", "aria-expanded": "false" }, row.name);
    row.button.addEventListener("click", () => toggle(row));
    cell.replaceChildren(row.button);
  }

  const arrange = () => {
    const [family, status] = [byId("family").value, byId("status").value];
    const kept = order.filter((row) => (family === "" || row.family === Number(family))
      && (status === "" || row.status === Number(status)));
    const visible = new Set(kept.slice(0, shown));
    for (const row of rows) {
      row.element.hidden = !visible.has(row);
      if (row.detail) {
        const open = row.button.getAttribute("aria-expanded") === "true";
        row.detail.hidden = row.element.hidden || !open;
      }
    }
    const number = (many) => many.toLocaleString("en");
    byId("shown").textContent = kept.length < rows.length
      ? `${number(kept.length)} of ${number(rows.length)} trials`
      : `${number(rows.length)} ${rows.length === 1 ? "trial" : "trials"}`;
    byId("more").hidden = visible.size >= kept.length;
    byId("more").textContent = `Show all ${number(kept.length)}`;
  };

  const keyOf = (row, column) => {
    const cell = row.element.cells[column];
    if (!heads[column].classList.contains("n")) return cell.textContent;
    return Number.parseFloat((cell.dataset.v ?? cell.textContent).replaceAll(",", ""));
  };

  const sortBy = (column) => {
    const head = heads[column];
    const numeric = head.classList.contains("n");
    const scored = names[column] === "score" || names[column] === "delta";
    const before = head.getAttribute("aria-sort");
    const down = names[column] === "delta" || (names[column] === "score" && data.higher);
    const descending = before === "none" ? down : before === "ascending";
    const sign = descending ? -1 : 1;
    const keyed = rows.map((row) => [row, keyOf(row, column)]);
    keyed.sort(([one, a], [other, b]) => {
      if (scored && one.group !== other.group) return one.group - other.group;
      if (!numeric) return sign * a.localeCompare(b, "en", { numeric: true });
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      return sign * (a - b);
    });
    order = keyed.map(([row]) => row);
    body.append(...order.flatMap((row) => (row.detail ? [row.element, row.detail] : [row.element])));
    for (const other of heads) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    arrange();
  };

  heads.forEach((head, column) => {
    const button = make("button", { type: "button" }, names[column]);
    button.addEventListener("click", () => sortBy(column));
    head.replaceChildren(button);
    head.setAttribute("aria-sort", column ? "none" : "ascending");
  });
  byId("filters").hidden = false;
  for (const id of ["family", "status"]) byId(id).addEventListener("change", arrange);
  byId("more").addEventListener("click", () => {
    const next = order.find((row) => row.element.hidden);
    shown = rows.length;
    arrange();
    if (next) next.button.focus(); // the button that had the focus is gone
  });
  arrange();
})();
