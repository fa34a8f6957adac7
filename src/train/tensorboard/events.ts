/**
 * TensorBoard's events as bytes: scalars, pictures, texts, histograms and hyperparameters at a step. The messages are those of
 * tensorboard/compat/proto and tensorboard/plugins/hparams. Read summaries.ts for what training gives.
 */
import { Message } from "./protobuf.js";
import { frameRecord } from "./records.js";

/** What is shown under a tag. */
export type SummaryValue =
  | { readonly tag: string; readonly scalar: number }
  | { readonly tag: string; readonly image: EncodedImage }
  | { readonly tag: string; readonly text: string }
  | { readonly tag: string; readonly histogram: Histogram }
  | {
      readonly tag: string;
      readonly plugin: { readonly name: string; readonly content: Uint8Array };
    };

/** A picture as the bytes of a PNG file. */
export interface EncodedImage {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 2 grey with opacity, 3 red-green-blue, 4 with opacity. */
  readonly channels: 1 | 2 | 3 | 4;
  readonly png: Uint8Array;
}

/** How often values lie in each bucket, which reaches from the limit before it to its own. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/** Where values belong. */
export interface EventPlace {
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

const stringType = 7;

const pluginMetadata = (name: string, content?: Uint8Array): Message => {
  const plugin = new Message().text(1, name);
  if (content && content.length > 0) plugin.data(2, content);
  return new Message().message(1, plugin);
};

const imageMessage = ({ width, height, channels, png }: EncodedImage): Message =>
  new Message().int(1, height).int(2, width).int(3, channels).data(4, png);

const histogramMessage = (histogram: Histogram): Message =>
  new Message()
    .double(1, histogram.min)
    .double(2, histogram.max)
    .double(3, histogram.count)
    .double(4, histogram.sum)
    .double(5, histogram.sumOfSquares)
    .doubles(6, histogram.limits)
    .doubles(7, histogram.counts);

/** A vector of one text. */
function textMessage(text: string): Message {
  const shape = new Message().message(2, new Message().int(1, 1));
  return new Message().int(1, stringType).message(2, shape).text(8, text);
}

function valueMessage(value: SummaryValue): Message {
  const message = new Message().text(1, value.tag);
  if ("scalar" in value) return message.float(2, value.scalar);
  if ("image" in value) return message.message(4, imageMessage(value.image));
  if ("histogram" in value) return message.message(5, histogramMessage(value.histogram));
  if ("text" in value)
    return message.message(8, textMessage(value.text)).message(9, pluginMetadata("text"));
  return message.message(9, pluginMetadata(value.plugin.name, value.plugin.content));
}

const seconds = (time: number): number => time / 1000;

/** The first record of a file, which says what the file is. */
export const fileHeader = (time: number): Uint8Array =>
  frameRecord(new Message().double(1, seconds(time)).text(3, "brain.Event:2").bytes);

/** The record of values that belong to one step. */
export function eventRecord(
  values: readonly SummaryValue[],
  { step, time }: EventPlace,
): Uint8Array {
  const summary = new Message();
  for (const value of values) summary.message(1, valueMessage(value));
  return frameRecord(new Message().double(1, seconds(time)).int(2, step).message(5, summary).bytes);
}

export type Hyperparameters = Readonly<Record<string, string | number | boolean>>;

/** The settings that a run began with, for TensorBoard's table of hyperparameters. */
export function sessionStart(settings: Hyperparameters, time: number): SummaryValue {
  const session = new Message();
  for (const name of Object.keys(settings).sort()) {
    const given = settings[name]!;
    const value = new Message();
    if (typeof given === "number") value.double(2, given, { always: true });
    else if (typeof given === "boolean") value.bool(4, given);
    else value.text(3, given);
    session.message(1, new Message().text(1, name).message(2, value));
  }
  session.double(5, seconds(time));
  return hyperparameterValue("_hparams_/session_start_info", 3, session);
}

const sessionStatus = { success: 1, failure: 2, running: 3 } as const;

/** How the run ended. */
export const sessionEnd = (status: keyof typeof sessionStatus, time: number): SummaryValue =>
  hyperparameterValue(
    "_hparams_/session_end_info",
    4,
    new Message().int(1, sessionStatus[status]).double(2, seconds(time)),
  );

const hyperparameterValue = (tag: string, field: number, inner: Message): SummaryValue => ({
  tag,
  plugin: { name: "hparams", content: new Message().message(field, inner).bytes },
});
