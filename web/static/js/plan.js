/* Moves the parcels of the plan: the server says where each one is now, this lets it walk there along the belts.
   Who asked for less motion sees it at its new place at once. */
(() => {
  "use strict";
  const UNITS_S = 420, LEAST_MS = 300, MOST_MS = 1600, MOST_BELTS = 4;
  const SVG = "http://www.w3.org/2000/svg";
  const plan = document.getElementById("plan"), layer = document.getElementById("parcels");
  if (!plan || !layer) return;
  const rest = matchMedia("(prefers-reduced-motion: reduce)");
  const known = new Map(), walks = new Map();
  let began = false, asked = false;

  const point = (text) => text.split(",").map(Number);
  const put = (box, [x, y]) => box.setAttribute("transform", `translate(${x} ${y})`);
  const shapeOf = (box) => (box.closest("svg").classList.contains("tall") ? "tall" : "wide");

  function update() {
    const seen = new Set();
    for (const box of layer.querySelectorAll(".box")) {
      seen.add(box.id);
      note(box);
    }
    for (const [id, one] of known) {
      if (seen.has(id)) continue;
      known.delete(id);
      walks.delete(id);
      if (one.out && !rest.matches) leave(one);
    }
    began = true;
  }

  function note(box) {
    const target = box.dataset.at, station = box.dataset.station, one = known.get(box.id);
    const out = box.dataset.out ? point(box.dataset.out) : null;
    if (!one || rest.matches) {
      known.set(box.id, { box, target, station, out, shape: shapeOf(box), at: point(target) });
      walks.delete(box.id);
      put(box, point(target));
      box.classList.toggle("fresh", began && !one);
      if (began && !one && box.dataset.in && !rest.matches) enter(box, known.get(box.id));
      return;
    }
    const from = one.station;
    const isSame = one.target === target;
    Object.assign(one, { box, target, station, out });
    put(box, one.at);
    if (!isSame) walk(box.id, one, [one.at, ...along(one.shape, from, station), point(target)]);
  }

  function enter(box, one) {
    one.at = point(box.dataset.in);
    put(box, one.at);
    walk(box.id, one, [one.at, point(one.target)]);
  }

  /* The way by the belts from one station to another; none known: straight. */
  function along(shape, from, to) {
    if (from === to) return [];
    const belts = [...plan.querySelectorAll(`#ground-${shape} .belt`)];
    let ways = [{ at: from, points: [] }];
    for (let n = 0; n < MOST_BELTS; n += 1) {
      ways = ways.flatMap((way) => belts.filter((belt) => belt.dataset.from === way.at).map((belt) => ({
        at: belt.dataset.to,
        points: [...way.points, ...belt.dataset.points.trim().split(" ").map(point)],
      })));
      const found = ways.find((way) => way.at === to);
      if (found) return found.points;
    }
    return [];
  }

  function walk(id, one, points, done) {
    const legs = points.slice(1).map((to, n) => Math.hypot(to[0] - points[n][0], to[1] - points[n][1]));
    const length = legs.reduce((sum, leg) => sum + leg, 0);
    const ms = Math.min(MOST_MS, Math.max(LEAST_MS, (1000 * length) / UNITS_S));
    walks.set(id, { one, points, legs, length, ms, done, start: null });
    if (!asked) requestAnimationFrame(frame);
    asked = true;
  }

  function frame(now) {
    asked = false;
    for (const [id, way] of walks) {
      way.start ??= now;
      const part = Math.min(1, (now - way.start) / way.ms);
      way.one.at = place(way, part * part * (3 - 2 * part) * way.length);
      put(way.one.box, way.one.at);
      if (part === 1) {
        walks.delete(id);
        way.done?.();
      }
    }
    if (walks.size && !asked) {
      requestAnimationFrame(frame);
      asked = true;
    }
  }

  function place({ points, legs }, walked) {
    let left = walked;
    for (const [n, leg] of legs.entries()) {
      if (left <= leg && leg > 0) {
        return [0, 1].map((axis) => Math.round(10 * (points[n][axis] + ((points[n + 1][axis] - points[n][axis]) * left) / leg)) / 10);
      }
      left -= leg;
    }
    return points.at(-1);
  }

  /* Who left the hall is drawn a moment longer, on a sheet that the server does not write on. */
  function leave(one) {
    const ghost = document.createElementNS(SVG, "g");
    ghost.setAttribute("class", "ghost");
    ghost.append(...[...one.box.childNodes].map((node) => node.cloneNode(true)));
    sheet(one.shape).append(ghost);
    walk(ghost, { box: ghost, at: one.at }, [one.at, one.out], () => ghost.remove());
    put(ghost, one.at);
  }

  function sheet(shape) {
    const id = `ghosts-${shape}`, ground = document.getElementById(`ground-${shape}`);
    let found = document.getElementById(id);
    if (!found) {
      found = document.createElementNS(SVG, "svg");
      found.id = id;
      found.setAttribute("class", `ghosts ${shape}`);
      found.setAttribute("aria-hidden", "true");
      plan.append(found);
    }
    for (const name of ["viewBox", "width", "height"]) found.setAttribute(name, ground.getAttribute(name));
    return found;
  }

  new MutationObserver(update).observe(layer, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-at"] });
  update();

  /* In a replay the slider goes with the time, but not out of the hand that holds it. */
  const slider = document.getElementById("replay-part"), times = document.getElementById("replay");
  if (!slider || !times) return;
  let held = false;
  slider.addEventListener("input", () => { held = true; });
  slider.addEventListener("change", () => { held = false; });
  new MutationObserver(() => {
    const part = document.getElementById("replay-at")?.dataset.part;
    if (part && !held) slider.value = part;
  }).observe(times, { childList: true, subtree: true, attributes: true });
})();
