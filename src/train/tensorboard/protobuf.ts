/**
 * Writes messages in Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding), as much of it as event
 * files need. Read events.ts for the messages.
 */

const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const shortText = 64;
const encoder = /* @__PURE__ */ new TextEncoder();

/** A message under way: fields are written in the order of the calls, inner messages in their place. */
export class Message {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was written so far; a view that the next field may leave behind. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const wanted = this.#length + count;
    if (wanted <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(wanted, 2 * this.#bytes.length));
    larger.set(this.bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  #varint(value: number): void {
    this.#reserve(10);
    if (value < 0) {
      // Negative numbers are two's complement of 64 bits.
      for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
        const isLast = rest < 128n;
        this.#bytes[this.#length++] = Number(rest & 127n) | (isLast ? 0 : 128);
        if (isLast) return;
      }
    }
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  #key(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  /** A whole number or an enumeration's; 0, the default, is left out. */
  int(field: number, value: number): this {
    if (value === 0) return this;
    this.#key(field, wire.varint);
    this.#varint(value);
    return this;
  }

  bool(field: number, value: boolean): this {
    this.#key(field, wire.varint);
    this.#varint(Number(value));
    return this;
  }

  /** A number of 64 bits; 0, the default, is left out unless the field is one of a choice. */
  double(field: number, value: number, { always = false } = {}): this {
    if (Object.is(value, 0) && !always) return this;
    this.#key(field, wire.fixed64);
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
    return this;
  }

  /** A number of 32 bits, also where it is 0. */
  float(field: number, value: number): this {
    this.#key(field, wire.fixed32);
    this.#reserve(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  /** Numbers of 64 bits one after another; nothing where there are none. */
  doubles(field: number, values: ArrayLike<number>): this {
    if (values.length === 0) return this;
    this.#key(field, wire.bytes);
    this.#varint(8 * values.length);
    this.#reserve(8 * values.length);
    for (let i = 0; i < values.length; i++)
      this.#view.setFloat64(this.#length + 8 * i, values[i]!, true);
    this.#length += 8 * values.length;
    return this;
  }

  /** Bytes, also where there are none. */
  data(field: number, bytes: Uint8Array): this {
    this.#key(field, wire.bytes);
    this.#varint(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** A text, also an empty one. */
  text(field: number, value: string): this {
    const size = value.length;
    if (size > shortText) return this.data(field, encoder.encode(value));
    // Nearly all texts are short and plain, and for those this is several times as fast.
    const start = this.#length;
    this.#key(field, wire.bytes);
    this.#varint(size);
    this.#reserve(size);
    for (let i = 0; i < size; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) {
        this.#length = start;
        return this.data(field, encoder.encode(value));
      }
      this.#bytes[this.#length++] = code;
    }
    return this;
  }

  /** A message within this one. */
  message(field: number, fill: (inner: Message) => unknown): this {
    this.#key(field, wire.bytes);
    // Its length is known when it is there: one byte is kept free, which most need, and the message moved where it needs more.
    const at = this.#length;
    this.#reserve(1);
    this.#length++;
    fill(this);
    const size = this.#length - at - 1;
    if (size < 128) {
      this.#bytes[at] = size;
      return this;
    }
    let extra = 0;
    for (let rest = size; rest >= 128; rest = Math.floor(rest / 128)) extra++;
    this.#reserve(extra);
    this.#bytes.copyWithin(at + 1 + extra, at + 1, this.#length);
    this.#length = at;
    this.#varint(size);
    this.#length += size;
    return this;
  }
}
