"use strict";
// The 3D view: two surfaces turned together, drawn pixel by pixel with a depth buffer, so that no WebGL is needed.
(() => {
  const RAMP = [[43, 92, 138], [74, 163, 160], [242, 227, 148], [224, 139, 62], [163, 36, 47]];
  const SKIN = [205, 180, 160], INSIDE = [120, 128, 138], LIGHT = [-0.35, 0.45, 0.82];
  const byId = (name) => document.getElementById("view-" + name);

  const codes = (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return Uint16Array.from({ length: bytes.length / 2 }, (_, i) => bytes[2 * i] | (bytes[2 * i + 1] << 8));
  };

  // Points in pixels about the truth's centre, y up; a normal for each; what distance they have from the truth.
  const surface = (face, text, triangles, truth) => {
    const raw = codes(text), points = new Float32Array(raw.length), normals = new Float32Array(raw.length);
    const centre = truth ? truth.centre : [0, 0, 0];
    for (let i = 0; i < raw.length; i++) {
      const value = (face.origin[i % 3] + face.step * raw[i]) * (i % 3 === 1 ? -1 : 1);
      points[i] = value;
      if (!truth) centre[i % 3] += value / (raw.length / 3);
    }
    let reach = 0;
    for (let i = 0; i < points.length; i += 3) {
      for (let k = 0; k < 3; k++) points[i + k] -= centre[k];
      reach = Math.max(reach, Math.hypot(points[i], points[i + 1], points[i + 2]));
    }
    for (let t = 0; t < triangles.length; t += 3) {
      const [a, b, c] = [3 * triangles[t], 3 * triangles[t + 1], 3 * triangles[t + 2]];
      const u = [0, 1, 2].map((k) => points[b + k] - points[a + k]);
      const v = [0, 1, 2].map((k) => points[c + k] - points[a + k]);
      const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      for (const corner of [a, b, c]) for (let k = 0; k < 3; k++) normals[corner + k] += n[k];
    }
    for (let i = 0; i < normals.length; i += 3) {
      const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1;
      for (let k = 0; k < 3; k++) normals[i + k] /= length;
    }
    const away = new Float32Array(points.length / 3);
    if (truth) {
      for (let i = 0; i < points.length; i += 3) {
        away[i / 3] = Math.hypot(...[0, 1, 2].map((k) => points[i + k] - truth.points[i + k])) / face.size;
      }
    }
    return { points, normals, triangles, centre, reach, away };
  };

  const ramp = (share) => {
    const place = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1), low = Math.min(Math.floor(place), RAMP.length - 2);
    return RAMP[low].map((value, k) => value + (RAMP[low + 1][k] - value) * (place - low));
  };

  const turned = (points, turn, tilt) => {
    const [cy, sy, cx, sx] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
    const out = new Float32Array(points.length);
    for (let i = 0; i < points.length; i += 3) {
      const x = cy * points[i] + sy * points[i + 2], z = cy * points[i + 2] - sy * points[i];
      out[i] = x;
      out[i + 1] = cx * points[i + 1] - sx * z;
      out[i + 2] = sx * points[i + 1] + cx * z;
    }
    return out;
  };

  // Draws one surface, coloured by its distance from the truth where `full` is that at the end of the ramp; gives the
  // number of pixels that it covers.
  const draw = (canvas, shape, view, scale, full) => {
    const context = canvas.getContext("2d"), { width, height } = canvas;
    const image = context.createImageData(width, height), pixels = image.data;
    const depth = new Float32Array(width * height).fill(-Infinity);
    const points = turned(shape.points, view.turn, view.tilt), normals = turned(shape.normals, view.turn, view.tilt);
    const count = points.length / 3, colours = new Float32Array(3 * count);
    for (let i = 0; i < count; i++) {
      const facing = LIGHT[0] * normals[3 * i] + LIGHT[1] * normals[3 * i + 1] + LIGHT[2] * normals[3 * i + 2];
      const base = normals[3 * i + 2] < 0 ? INSIDE : full ? ramp(shape.away[i] / full) : SKIN;
      const shade = full ? 0.75 + 0.25 * Math.max(facing, 0) : 0.3 + 0.75 * Math.max(facing, 0);
      for (let k = 0; k < 3; k++) colours[3 * i + k] = base[k] * shade;
    }
    let covered = 0;
    for (let t = 0; t < shape.triangles.length; t += 3) {
      const [a, b, c] = [shape.triangles[t], shape.triangles[t + 1], shape.triangles[t + 2]];
      const [ax, ay, bx, by, cx, cy] = [a, b, c].flatMap((p) => [
        width / 2 + scale * points[3 * p], height / 2 - scale * points[3 * p + 1],
      ]);
      const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
      if (area === 0) continue;
      const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx))), right = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx)));
      const top = Math.max(0, Math.ceil(Math.min(ay, by, cy))), bottom = Math.min(height - 1, Math.floor(Math.max(ay, by, cy)));
      for (let y = top; y <= bottom; y++) {
        for (let x = left; x <= right; x++) {
          const wa = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area;
          const wb = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area, wc = 1 - wa - wb;
          if (wa < 0 || wb < 0 || wc < 0) continue;
          const place = y * width + x, z = wa * points[3 * a + 2] + wb * points[3 * b + 2] + wc * points[3 * c + 2];
          if (z <= depth[place]) continue;
          if (depth[place] === -Infinity) covered++;
          depth[place] = z;
          for (let k = 0; k < 3; k++) {
            pixels[4 * place + k] = wa * colours[3 * a + k] + wb * colours[3 * b + k] + wc * colours[3 * c + k];
          }
          pixels[4 * place + 3] = 255;
        }
      }
    }
    context.putImageData(image, 0, 0);
    return covered;
  };

  const start = (data) => {
    const box = document.getElementById("view"), canvases = [byId("predicted"), byId("truth")];
    const meshes = data.meshes.map(codes), view = { turn: 0, tilt: 0, zoom: 1 };
    let shown = null, waiting = false;
    const percent = (value) => (value === null ? "without a score" : value.toFixed(2) + (data.unit === "%" ? " %" : data.unit === "deg" ? "°" : ""));

    const redraw = () => {
      waiting = false;
      const sharp = Math.min(window.devicePixelRatio || 1, 2), covered = [];
      canvases.forEach((canvas, number) => {
        const side = Math.max(64, Math.round(canvas.clientWidth * sharp));
        if (canvas.width !== side) canvas.width = canvas.height = side;
        const shape = number === 0 ? shown.predicted : shown.truth;
        const scale = (0.46 * side * view.zoom) / shown.truth.reach, full = byId("error").checked ? data.full : 0;
        covered.push(shape ? draw(canvas, shape, view, scale, full) : 0);
      });
      box.dataset.covered = covered.join(" ");
    };
    const later = () => {
      if (!waiting) requestAnimationFrame(redraw);
      waiting = true;
    };
    const choose = () => {
      const face = data.faces[byId("face").value], found = face.predicted[byId("model").value];
      const triangles = meshes[face.mesh], truth = surface(face, face.truth, triangles, null);
      const predicted = found ? surface(face, found.points, triangles, truth) : null;
      shown = { truth, predicted };
      byId("crop").src = face.crop;
      byId("crop").alt = "Crop of " + face.picture;
      byId("value").textContent = found ? `by ${found.model}: ${percent(found.value)} (${data.protocol})` : "by none";
      const mean = predicted ? predicted.away.reduce((sum, value) => sum + value, 0) / predicted.away.length : null;
      byId("mean").textContent = mean === null ? "" : `Mean distance of all ${predicted.away.length} points shown: ${(100 * mean).toFixed(2)} % of √(w h).`;
      later();
    };
    const offer = () => {
      const face = data.faces[byId("face").value], before = byId("model").selectedOptions[0]?.textContent;
      byId("model").replaceChildren(...face.predicted.map((one, number) => new Option(one.model, number, false, one.model === before)));
      choose();
    };
    const turn = (across, down) => {
      view.turn += across;
      view.tilt = Math.min(Math.max(view.tilt + down, -Math.PI / 2), Math.PI / 2);
      later();
    };
    const zoom = (factor) => {
      view.zoom = Math.min(Math.max(view.zoom * factor, 0.4), 8);
      later();
    };
    const keys = {
      ArrowLeft: () => turn(-0.1, 0), ArrowRight: () => turn(0.1, 0), ArrowUp: () => turn(0, -0.1), ArrowDown: () => turn(0, 0.1),
      "+": () => zoom(1.15), "=": () => zoom(1.15), "-": () => zoom(1 / 1.15),
      0: () => (Object.assign(view, { turn: 0, tilt: 0, zoom: 1 }), later()),
    };
    for (const canvas of canvases) {
      let last = null;
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        last = [event.clientX, event.clientY];
      });
      canvas.addEventListener("pointermove", (event) => {
        if (!event.buttons || !last) return;
        turn((event.clientX - last[0]) * 0.01, (event.clientY - last[1]) * 0.01);
        last = [event.clientX, event.clientY];
      });
      canvas.addEventListener("wheel", (event) => (event.preventDefault(), zoom(Math.exp(-event.deltaY * 0.001))), { passive: false });
      canvas.addEventListener("keydown", (event) => {
        if (keys[event.key] && !event.ctrlKey && !event.metaKey) event.preventDefault(), keys[event.key]();
      });
    }
    for (const button of box.querySelectorAll("[data-turn]")) {
      button.addEventListener("click", () => (Object.assign(view, { turn: (button.dataset.turn * Math.PI) / 180, tilt: 0 }), later()));
    }
    byId("face").replaceChildren(...data.faces.map((face, number) =>
      new Option(`${face.benchmark}: ${face.picture}${face.yaw === null ? "" : `, yaw ${Math.round(face.yaw)}°`}`, number)));
    byId("face").addEventListener("change", offer);
    byId("model").addEventListener("change", choose);
    byId("error").addEventListener("change", () => ((byId("legend").hidden = !byId("error").checked), later()));
    box.hidden = false;
    new ResizeObserver(later).observe(canvases[0]);
    offer();
  };

  const data = byId("data");
  if (data) start(JSON.parse(data.textContent));
  const folded = () => document.querySelectorAll("details:not([open])").forEach((one) => (one.open = true));
  window.addEventListener("beforeprint", folded);
})();
