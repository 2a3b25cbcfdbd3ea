"use strict";

// What the page is made of. Text goes into the page as text alone: names of classes, workers and folders are whatever somebody called them.
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

const parts = (() => {
  const byId = id => document.getElementById(id);
  const count = value => value.toLocaleString("en");
  const percent = value => Math.round(100 * value) + " %";

  function duration(seconds) {
    if (seconds < 60) return `${Math.round(seconds)} s`;
    const minutes = Math.round(seconds / 60);
    if (minutes < 60) return seconds < 600 ? `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s` : `${minutes} min`;
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `${hours} h ${String(minutes % 60).padStart(2, "0")} min` : `${Math.round(hours / 24)} days`;
  }

  const stateTexts = { starting: "workers gather", training: "training", waiting: "waiting", interrupted: "interrupted", completed: "complete", failed: "failed", reconnecting: "connection lost, trying again" };

  function state(name) {
    byId("state").className = "state " + name;
    const text = stateTexts[name] ?? name;
    if (byId("state-text").textContent !== text) byId("state-text").textContent = text; // read aloud where it changes alone
  }

  const isOver = state => ["completed", "interrupted", "failed"].includes(state);

  function progress(now) {
    const done = now.totalSteps > 0 ? now.step / now.totalSteps : 0;
    byId("progress-bar").style.width = 100 * done + "%";
    byId("progress").setAttribute("aria-valuenow", Math.floor(100 * done));
    byId("where").textContent = now.totalSteps > 0 ? `step ${count(now.step)} of ${count(now.totalSteps)}` + (now.epoch > 0 ? `, epoch ${count(now.epoch)}` : "") : "";
    byId("elapsed").textContent = now.elapsedSeconds > 0 && !isOver(now.state) ? `${duration(now.elapsedSeconds)} so far` : "";
    byId("detail").hidden = !now.detail;
    byId("detail").textContent = now.detail ?? "";
    return done;
  }

  function tile(label, value, more) {
    return element("div", {}, element("dt", {}, label), element("dd", {}, value, more ? element("small", {}, " " + more) : null));
  }

  function figures(curves, now) {
    const latest = name => curves.find(curve => curve.name === name)?.latest;
    const judged = curves.filter(curve => ["test", "held-out"].includes(charts.meaning(curve.name).part) && charts.meaning(curve.name).key !== "loss");
    const main = judged.find(curve => charts.meaning(curve.name).part === "held-out") ?? judged[0];
    const speed = latest("samplesPerSecond");
    byId("figures").replaceChildren(
      tile("Training loss", charts.text("loss", latest("loss"))),
      main ? tile((charts.meaning(main.name).part === "test" ? "Test " : "Held-out ") + metric(charts.meaning(main.name).key), charts.text(charts.meaning(main.name).key, main.latest))
        : tile("Test loss", charts.text("loss", latest("testLoss"))),
      tile("Throughput", speed === undefined ? "–" : count(Math.round(speed)), speed === undefined ? "" : "samples/s"),
      isOver(now.state) ? tile("Time taken", duration(now.elapsedSeconds)) : tile("Time left", now.secondsLeft === undefined ? "–" : duration(now.secondsLeft)));
  }

  const metric = key => ({ r2: "R²", auc: "AUC", rmse: "RMSE", mae: "MAE" })[key] ?? key;

  function timeBar(row) {
    if (row.compute === undefined || row.compute === null) return null;
    const bar = element("div", { class: "time", role: "img", "aria-label": `compute ${percent(row.compute)}, exchange ${percent(row.exchange)}, waiting ${percent(row.waiting)}`,
      title: `compute ${percent(row.compute)}, exchange ${percent(row.exchange)}, waiting ${percent(row.waiting)}` });
    for (const part of ["compute", "exchange", "waiting"]) {
      const piece = element("span", { class: part });
      piece.style.width = 100 * row[part] + "%";
      bar.append(piece);
    }
    return bar;
  }

  function workerRow(row, microbatches, hasEnded) {
    const [, name, detail] = /^(.*?) \((.*)\)$/.exec(row.name) ?? [null, row.name, ""];
    const share = row.state === "training" && row.microbatches !== undefined && microbatches > 0 ? percent(row.microbatches / microbatches) : "";
    const isThere = row.state === "training";
    return element("tr", { class: isThere && hasEnded ? "done" : row.state, "data-worker": row.name },
      element("td", {}, name, detail ? element("small", {}, " " + detail) : null),
      element("td", { class: "is" }, !isThere ? row.state : hasEnded ? "done" : "training"),
      element("td", { class: "number", "data-label": "of each batch" }, share),
      element("td", { class: "number", "data-label": "samples/s" }, isThere && row.samplesPerSecond !== undefined ? count(Math.round(row.samplesPerSecond)) : ""),
      element("td", {}, isThere ? timeBar(row) : null));
  }

  const inOrder = new Intl.Collator("en", { numeric: true }).compare;

  function workers(table, state) {
    const there = table.rows.filter(row => row.state === "training").sort((one, other) => inOrder(one.name, other.name));
    const gone = table.rows.filter(row => row.state !== "training");
    byId("workers-section").hidden = table.rows.length === 0;
    byId("workers").replaceChildren(...[...there, ...gone].map(row => workerRow(row, table.microbatches, isOver(state))));
    const more = table.present - there.length;
    byId("workers-more").hidden = more <= 0;
    byId("workers-more").textContent = `and ${count(more)} more`;
  }

  function picture(mistake, isClass) {
    const score = isClass ? percent(mistake.score) : mistake.score.toFixed(2) + " deviations";
    return element("li", {},
      element("img", { src: mistake.picture, width: mistake.width, height: mistake.height, alt: `test sample ${mistake.sample}: taken for ${mistake.predicted}, is ${mistake.actual}` }),
      element("p", {}, element("b", {}, mistake.predicted), ` ${score}`, element("br", {}), element("span", { class: "soft" }, `is ${mistake.actual}`)));
  }

  function table(shown, isClass) {
    const head = ["Predicted", "Is", isClass ? "Probability" : "Deviations", ...shown[0].values.map(value => value.name)];
    return element("table", { class: "samples" },
      element("thead", {}, element("tr", {}, ...head.map(text => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...shown.map(mistake => element("tr", {},
        element("td", {}, element("b", {}, mistake.predicted)), element("td", {}, mistake.actual),
        element("td", {}, isClass ? percent(mistake.score) : mistake.score.toFixed(2)),
        ...mistake.values.map(value => element("td", { class: "soft" }, value.text))))));
  }

  function mistakes(found) {
    const isClass = found.wrong !== null && found.wrong !== undefined;
    byId("mistakes-section").hidden = false;
    byId("mistakes-title").textContent = isClass ? "Most confidently wrong" : "Missed by most";
    byId("mistakes-note").textContent = isClass
      ? `${count(found.wrong)} of ${count(found.examined)} test samples are wrong after step ${count(found.step)}`
      : `of ${count(found.examined)} test samples after step ${count(found.step)}, in deviations of the training targets`;
    const shown = found.worst;
    byId("mistakes").replaceChildren(...(shown.length === 0 ? []
      : shown[0].picture ? [element("ul", { class: "pictures" }, ...shown.map(mistake => picture(mistake, isClass)))] : [table(shown, isClass)]));
  }

  function events(entries) {
    byId("events-section").hidden = entries.length === 0;
    byId("events").replaceChildren(...entries.toReversed().map(entry => element("li", { class: entry.kind, "data-kind": entry.kind },
      element("time", { datetime: new Date(entry.time).toISOString() }, new Date(entry.time).toLocaleTimeString("en-GB")),
      element("span", { class: "step" }, `step ${count(entry.step)}`), element("span", { class: "text" }, entry.text))));
  }

  const words = key => key.replace(/([A-Z])/g, letter => " " + letter.toLowerCase());

  function flat(value, prefix) {
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return [[prefix, value.map(layer).join(" → ")]];
    if (typeof value !== "object") return [[prefix, typeof value === "boolean" ? (value ? "yes" : "no") : String(value)]];
    return Object.entries(value).flatMap(([key, inner]) => flat(inner, prefix && key !== prefix ? (key === "kind" || key === "layers" ? prefix : `${prefix}: ${words(key)}`) : words(key)));
  }

  function layer(value) {
    if (value === null || typeof value !== "object") return String(value);
    const { type, ...rest } = value;
    const more = Object.entries(rest).map(([key, inner]) => Array.isArray(inner) ? `${key} [${inner.map(layer).join(" → ")}]` : typeof inner === "object" ? `${key} ${JSON.stringify(inner)}` : key === "units" ? String(inner) : `${key} ${inner}`);
    return [type, ...more].filter(text => text !== undefined).join(" ");
  }

  function configuration(values) {
    byId("configuration").replaceChildren(...flat(values, "").map(([key, value]) =>
      element("div", value.length > 34 ? { class: "long" } : {}, element("dt", {}, key), element("dd", {}, value))));
  }

  return { isOver, state, progress, figures, workers, mistakes, events, configuration, duration };
})();
