"use strict";

// The curves. A point is [first step, last step, mean, minimum, maximum]: where steps share a point, a band shows what they span.
const charts = (() => {
  const partNames = { train: "training", test: "test", "held-out": "held out" };
  const drawn = new Map(); // by the chart's key
  let marks = [];
  let logarithmic = false;
  let shown = [[], []];

  // A name in the files is a part and a figure: testAccuracy.
  function meaning(name) {
    if (name === "loss") return { key: "loss", part: "train" };
    if (name === "samplesPerSecond") return { key: name, part: "train" };
    for (const [prefix, part] of [["test", "test"], ["holdout", "held-out"]])
      if (name.startsWith(prefix) && name.length > prefix.length)
        return { key: name[prefix.length].toLowerCase() + name.slice(prefix.length + 1), part };
    return { key: name, part: "train" };
  }

  function title(key) {
    const known = { loss: "Loss", accuracy: "Accuracy", samplesPerSecond: "Throughput", rmse: "Root mean square error", mae: "Mean absolute error", r2: "R²", auc: "Area under the ROC curve" };
    return known[key] ?? key;
  }

  function text(key, value) {
    if (value === undefined || value === null) return "–";
    if (key === "accuracy") return (100 * value).toFixed(2) + " %";
    if (key === "samplesPerSecond") return Math.round(value).toLocaleString("en") + " samples/s";
    const size = Math.abs(value);
    if (size >= 1000 && size < 1e12) return Math.round(value).toLocaleString("en");
    return size < 1000 && (size === 0 || size >= 0.001) ? value.toFixed(4) : value.toPrecision(4);
  }

  const axisText = key => value =>
    key === "accuracy" ? +(100 * value).toFixed(2) + " %"
      : Math.abs(value) >= 10000 ? +(value / 1000).toPrecision(4) + "k"
      : String(+value.toPrecision(4));

  const color = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  const markColors = { lost: "bad", wentBack: "bad", joined: "good", left: "soft", ranges: "soft", resumed: "wait" };
  const markNames = { lost: "worker lost", wentBack: "went back", joined: "worker joined", left: "worker left", ranges: "shares changed", resumed: "resumed" };
  const markDashes = { left: "dashed", joined: "dashed", ranges: "dotted" };

  function markLine() {
    return {
      silent: true,
      symbol: "none",
      animation: false,
      label: { show: false },
      data: marks.map(mark => ({
        xAxis: mark.step,
        lineStyle: { color: color(markColors[mark.kind]), type: markDashes[mark.kind] ?? "solid", width: mark.kind === "lost" ? 1.5 : 1, opacity: 0.85 },
      })),
    };
  }

  function seriesOf(curve) {
    const { part } = meaning(curve.name);
    const stroke = color(part);
    const line = {
      name: partNames[part],
      type: "line",
      data: curve.points.map(point => [point[1], point[2]]),
      showSymbol: curve.points.length <= 40,
      symbol: "circle",
      symbolSize: part === "train" ? 3 : 5,
      lineStyle: { color: stroke, width: part === "train" && curve.points.length > 200 ? 1.3 : 2 },
      itemStyle: { color: stroke },
      z: part === "train" ? 2 : 3,
    };
    return curve.points.some(point => point[0] !== point[1]) ? [band(curve.points, stroke), line] : [line];
  }

  // From the minima to the maxima, as one shape; the data only says how far the axes have to reach.
  function band(points, fill) {
    const [upper, lower] = [points.map(point => [point[1], point[4]]), points.map(point => [point[1], point[3]])];
    return {
      type: "custom",
      silent: true,
      clip: true,
      z: 1,
      data: [...upper, ...lower],
      tooltip: { show: false },
      renderItem: (parameters, api) => parameters.dataIndexInside > 0 ? null : {
        type: "polygon",
        shape: { points: [...upper, ...lower.toReversed()].map(point => api.coord(point)) },
        style: { fill, opacity: 0.18 },
      },
    };
  }

  function options(key, curves, last) {
    const isLogarithmic = key === "loss" && logarithmic;
    const soft = color("soft");
    const axis = { axisLabel: { color: soft, fontSize: 11.5, hideOverlap: true }, axisLine: { show: false }, axisTick: { show: false } };
    // A logarithm has no place for what is not above 0.
    const series = curves.map(curve => isLogarithmic ? { ...curve, points: curve.points.filter(point => point[3] > 0) } : curve).flatMap(seriesOf);
    if (key === "loss" || key === "samplesPerSecond") series.push({ type: "line", data: [], markLine: markLine() });
    return {
      animation: false,
      grid: { left: 4, right: 14, top: 12, bottom: 4, containLabel: true },
      xAxis: { ...axis, type: "value", min: 0, max: last, splitLine: { show: false }, axisLine: { show: true, lineStyle: { color: color("line") } }, minInterval: 1,
        axisLabel: { ...axis.axisLabel, alignMinLabel: "left", alignMaxLabel: "right", formatter: value => value.toLocaleString("en") } },
      yAxis: { ...axis, type: isLogarithmic ? "log" : "value", scale: key !== "samplesPerSecond", splitNumber: 4, splitLine: { lineStyle: { color: color("grid") } },
        axisLabel: { ...axis.axisLabel, formatter: axisText(key) } },
      tooltip: {
        trigger: "axis", renderMode: "richText", confine: true, transitionDuration: 0,
        backgroundColor: color("surface"), borderColor: color("line"), textStyle: { color: color("ink"), fontSize: 12.5 },
        axisPointer: { lineStyle: { color: soft, type: "dashed" } },
        formatter: items => {
          const lines = items.filter(item => item.seriesName && !item.seriesName.startsWith("series"));
          return ["step " + items[0].value[0].toLocaleString("en"), ...lines.map(item => `${item.seriesName}  ${text(key, item.value[1])}`)].join("\n");
        },
      },
      series,
    };
  }

  function create(key) {
    const plot = element("div", { class: "plot", role: "img" });
    const legend = element("ul", { class: "key" });
    const markKey = element("ul", { class: "key marks", hidden: "" });
    const figure = element("figure", { class: key === "loss" ? "chart wide" : "chart", "data-chart": key },
      element("figcaption", {}, element("h2", {}, title(key)), key === "loss" ? scaleButton() : null, legend), markKey, plot);
    const place = [...drawn.keys()].filter(other => rank(other) < rank(key)).length;
    const parent = document.getElementById("charts");
    parent.insertBefore(figure, parent.children[place] ?? null);
    const chart = { figure, plot, legend, markKey, canvas: echarts.init(plot, null, { renderer: "canvas" }) };
    drawn.set(key, chart);
    return chart;
  }

  function scaleButton() {
    const button = element("button", { type: "button", "aria-pressed": "false" }, "log scale");
    button.addEventListener("click", () => {
      logarithmic = !logarithmic;
      button.setAttribute("aria-pressed", logarithmic);
      show(...shown);
    });
    return button;
  }

  const order = ["loss", "accuracy", "rmse", "mae", "r2", "auc"];
  const rank = key => key === "samplesPerSecond" ? 99 : order.indexOf(key) < 0 ? 50 : order.indexOf(key);

  function draw(key, curves, last) {
    const chart = drawn.get(key) ?? create(key);
    chart.canvas.setOption(options(key, curves, last), { notMerge: true });
    chart.legend.replaceChildren(...curves.map(curve => element("li", {},
      element("span", { class: "swatch " + meaning(curve.name).part }),
      (key === "samplesPerSecond" ? "" : partNames[meaning(curve.name).part] + " "), element("b", {}, text(key, curve.latest)))));
    if (key === "loss") drawMarkKey(chart.markKey);
    const points = Math.max(...curves.map(curve => curve.points.length));
    chart.figure.dataset.points = points;
    chart.figure.dataset.first = Math.min(...curves.map(curve => curve.points[0]?.[0] ?? Infinity));
    chart.figure.dataset.last = Math.max(...curves.map(curve => curve.points.at(-1)?.[1] ?? 0));
    chart.plot.setAttribute("aria-label", `${title(key)} over the steps; ` +
      curves.map(curve => `${partNames[meaning(curve.name).part]}: ${text(key, curve.points[0]?.[2])} at first, ${text(key, curve.latest)} now`).join("; "));
  }

  function drawMarkKey(list) {
    const counts = new Map();
    for (const mark of marks) counts.set(mark.kind, (counts.get(mark.kind) ?? 0) + 1);
    list.hidden = counts.size === 0;
    list.replaceChildren(...[...counts].map(([kind, count]) => element("li", { "data-mark": kind },
      element("span", { class: "swatch mark " + kind }), markNames[kind] + (count > 1 ? ` × ${count}` : ""))));
  }

  function show(curves, entries) {
    shown = [curves, entries];
    marks = entries.filter(entry => entry.kind in markColors);
    const filled = curves.filter(curve => curve.points.length > 0);
    const last = Math.max(1, ...filled.map(curve => curve.points.at(-1)[1])); // of all, so that charts below each other can be compared
    const groups = Map.groupBy(filled, curve => meaning(curve.name).key);
    for (const [key, group] of groups) draw(key, group, last);
    for (const [key, chart] of drawn)
      if (!groups.has(key)) {
        chart.canvas.dispose();
        chart.figure.remove();
        drawn.delete(key);
      }

    arrange();
  }

  // The loss has a line of its own, and so has the last of an odd number of others.
  function arrange() {
    const others = [...drawn.keys()].filter(key => key !== "loss").sort((one, other) => rank(one) - rank(other));
    for (const key of others) drawn.get(key).figure.classList.toggle("wide", others.length % 2 === 1 && key === others.at(-1));
    resize();
  }

  function resize() {
    for (const chart of drawn.values()) chart.canvas.resize();
  }

  return { text, meaning, show, resize };
})();
