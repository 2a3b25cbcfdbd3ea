"use strict";

// Takes what the coordinator sends, or what a report holds, and shows it. A stream begins with all there is, so that a page that has lost its
// connection, or whose coordinator was restarted, is right again with the first message.
(() => {
  const mostEntries = 200;
  const retryMilliseconds = 2000;
  let run;
  let version;
  let isDrawing = false;

  const empty = () => ({ curves: new Map(), entries: [], progress: null, changed: new Set() });

  function take(message) {
    if (message.version !== undefined) {
      if (version !== undefined && version !== message.version) return location.reload(); // the page of another release
      version = message.version;
      run = empty();
      run.facts = message;
      run.changed.add("facts").add("curves").add("events");
    }

    if (run.workers && parts.isOver(message.progress.state)) run.changed.add("workers"); // they have done their work
    run.progress = message.progress;
    for (const curve of message.curves) takeCurve(curve);
    if (message.timeLine) {
      run.entries = [...(message.timeLine.all ? [] : run.entries), ...message.timeLine.entries].slice(-mostEntries);
      run.changed.add("curves").add("events"); // some are marked on the curves
    }

    for (const part of ["workers", "mistakes"])
      if (message[part]) {
        run[part] = message[part];
        run.changed.add(part);
      }

    if (isDrawing) return;
    isDrawing = true;
    requestAnimationFrame(draw);
  }

  function takeCurve({ name, from, latest, points }) {
    const known = run.curves.get(name);
    if (known && points.length === 1 && from === known.points.length - 1 && points[0].every((value, index) => value === known.points[from][index])) return;
    const kept = known ? known.points.slice(0, from) : [];
    run.curves.set(name, { name, latest, points: kept.concat(points) });
    run.changed.add("curves");
  }

  function draw() {
    isDrawing = false;
    const { changed, progress } = run;
    run.changed = new Set();
    const curves = [...run.curves.values()];
    if (changed.has("facts")) {
      document.getElementById("name").textContent = run.facts.name;
      document.getElementById("footer").textContent = `${isReport ? "A report of the run in" : "Run folder"} ${run.facts.folder}`;
      parts.configuration(run.facts.configuration);
    }

    parts.state(progress.state);
    const done = parts.progress(progress);
    document.title = `${Math.floor(100 * done)} % · ${run.facts.name}`;
    parts.figures(curves, progress);
    if (changed.has("curves")) charts.show(curves, run.entries);
    if (changed.has("workers")) parts.workers(run.workers, progress.state);
    if (changed.has("mistakes")) parts.mistakes(run.mistakes);
    if (changed.has("events")) parts.events(run.entries);
    document.body.dataset.step = progress.step;
    document.body.dataset.state = progress.state;
  }

  function redraw() {
    if (run) charts.show([...run.curves.values()], run.entries);
  }

  // After the end nobody answers any more, which is no loss; should the run be resumed, the page goes on.
  const isOver = () => run !== undefined && parts.isOver(run.progress.state);

  function connect() {
    const source = new EventSource("news");
    source.onmessage = event => take(JSON.parse(event.data));
    source.onerror = () => {
      if (!isOver()) {
        parts.state("reconnecting");
        document.body.dataset.state = "reconnecting";
      }

      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      setTimeout(connect, retryMilliseconds);
    };
  }

  const report = document.getElementById("report");
  const isReport = report !== null;
  if (isReport) take(JSON.parse(report.textContent));
  else connect();
  addEventListener("resize", () => charts.resize());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
})();
