/**
 * A canvas to draw a digit on, and its picture brought into the form of the training images: 28 × 28, the digit scaled
 * to 20 pixels and centred by mass, as MNIST's authors did. lenet.ts uses it.
 */

const side = 28;
const digitSide = 20;

export interface Pad {
  /** The drawing as [28 × 28] grey values from 0 to 255, or undefined while nothing is drawn. */
  read(): Uint8Array | undefined;
  clear(): void;
}

/** Makes `canvas` a drawing area; `onChange` is called after every stroke segment. */
export function createPad(canvas: HTMLCanvasElement, onChange: () => void): Pad {
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  Object.assign(context, { lineCap: "round", lineJoin: "round", strokeStyle: "#fff" });
  context.lineWidth = canvas.width / 13;
  let last: { x: number; y: number } | undefined;
  const place = (event: PointerEvent) => {
    const scale = canvas.width / canvas.clientWidth;
    return { x: event.offsetX * scale, y: event.offsetY * scale };
  };
  const draw = (event: PointerEvent) => {
    if (!last) return;
    const next = place(event);
    context.beginPath();
    context.moveTo(last.x, last.y);
    context.lineTo(next.x, next.y);
    context.stroke();
    last = next;
    onChange();
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    draw(event);
  });
  canvas.addEventListener("pointermove", draw);
  for (const name of ["pointerup", "pointercancel"] as const)
    canvas.addEventListener(name, () => {
      last = undefined;
    });
  return {
    read: () => readDigit(canvas, context),
    clear: () => context.clearRect(0, 0, canvas.width, canvas.height),
  };
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function boundingBox({ data, width, height }: ImageData): Box | undefined {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[4 * (y * width + x) + 3]! === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  if (right < 0) return undefined;
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function readDigit(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D) {
  const box = boundingBox(context.getImageData(0, 0, canvas.width, canvas.height));
  if (!box) return undefined;
  const scale = digitSide / Math.max(box.width, box.height);
  const size = [box.width * scale, box.height * scale] as const;
  const render = (x: number, y: number) => {
    const small = new OffscreenCanvas(side, side).getContext("2d")!;
    small.imageSmoothingQuality = "high";
    small.drawImage(canvas, box.left, box.top, box.width, box.height, x, y, ...size);
    const { data } = small.getImageData(0, 0, side, side);
    return Uint8Array.from({ length: side * side }, (_, i) => data[4 * i + 3]!);
  };
  const [x, y] = [(side - size[0]) / 2, (side - size[1]) / 2];
  const [shiftX, shiftY] = massOffset(render(x, y));
  return render(x + shiftX, y + shiftY);
}

/** How far the picture must move for its centre of mass to lie in the middle. */
function massOffset(pixels: Uint8Array): [number, number] {
  let [mass, sumX, sumY] = [0, 0, 0];
  pixels.forEach((value, i) => {
    mass += value;
    sumX += value * (i % side);
    sumY += value * Math.floor(i / side);
  });
  const middle = (side - 1) / 2;
  return mass === 0 ? [0, 0] : [middle - sumX / mass, middle - sumY / mass];
}
