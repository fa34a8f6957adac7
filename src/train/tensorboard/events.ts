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

type Fill = (message: Message) => unknown;

const pluginMetadata =
  (name: string, content?: Uint8Array): Fill =>
  (metadata) =>
    metadata.message(1, (plugin) => {
      plugin.text(1, name);
      if (content && content.length > 0) plugin.data(2, content);
    });

const imageFields =
  ({ width, height, channels, png }: EncodedImage): Fill =>
  (message) =>
    message.int(1, height).int(2, width).int(3, channels).data(4, png);

const histogramFields =
  (histogram: Histogram): Fill =>
  (message) =>
    message
      .double(1, histogram.min)
      .double(2, histogram.max)
      .double(3, histogram.count)
      .double(4, histogram.sum)
      .double(5, histogram.sumOfSquares)
      .doubles(6, histogram.limits)
      .doubles(7, histogram.counts);

/** A vector of one text. */
const textFields =
  (text: string): Fill =>
  (tensor) =>
    tensor
      .int(1, stringType)
      .message(2, (shape) => shape.message(2, (dim) => dim.int(1, 1)))
      .text(8, text);

function writeValue(message: Message, value: SummaryValue): void {
  message.text(1, value.tag);
  if ("scalar" in value) message.float(2, value.scalar);
  else if ("image" in value) message.message(4, imageFields(value.image));
  else if ("histogram" in value) message.message(5, histogramFields(value.histogram));
  else if ("text" in value)
    message.message(8, textFields(value.text)).message(9, pluginMetadata("text"));
  else message.message(9, pluginMetadata(value.plugin.name, value.plugin.content));
}

const seconds = (time: number): number => time / 1000;

/** The first record of a file, which says what the file is. */
export const fileHeader = (time: number): Uint8Array =>
  frameRecord(new Message().double(1, seconds(time)).text(3, "brain.Event:2").bytes);

const sessionBegins = 1;

/** A record that says: the run goes on here, and what was written for this step or later ones before does not count. */
export function restartRecord({ step, time }: EventPlace): Uint8Array {
  const event = new Message().double(1, seconds(time)).int(2, step);
  return frameRecord(event.message(7, (session) => session.int(1, sessionBegins)).bytes);
}

/** The record of values that belong to one step. */
export function eventRecord(
  values: readonly SummaryValue[],
  { step, time }: EventPlace,
): Uint8Array {
  const event = new Message().double(1, seconds(time)).int(2, step);
  event.message(5, (summary) => {
    for (const value of values) summary.message(1, (message) => writeValue(message, value));
  });
  return frameRecord(event.bytes);
}

export type Hyperparameters = Readonly<Record<string, string | number | boolean>>;

function writeSetting(message: Message, given: Hyperparameters[string]): void {
  if (typeof given === "number") message.double(2, given, { always: true });
  else if (typeof given === "boolean") message.bool(4, given);
  else message.text(3, given);
}

/** The settings that a run began with, for TensorBoard's table of hyperparameters. */
export const sessionStart = (settings: Hyperparameters, time: number): SummaryValue =>
  hyperparameterValue("_hparams_/session_start_info", 3, (session) => {
    for (const name of Object.keys(settings).sort())
      session.message(1, (entry) =>
        entry.text(1, name).message(2, (value) => writeSetting(value, settings[name]!)),
      );
    session.double(5, seconds(time));
  });

const sessionStatus = { success: 1, failure: 2, running: 3 } as const;

/** How the run ended. */
export const sessionEnd = (status: keyof typeof sessionStatus, time: number): SummaryValue =>
  hyperparameterValue("_hparams_/session_end_info", 4, (session) =>
    session.int(1, sessionStatus[status]).double(2, seconds(time)),
  );

const hyperparameterValue = (tag: string, field: number, fill: Fill): SummaryValue => ({
  tag,
  plugin: { name: "hparams", content: new Message().message(field, fill).bytes },
});
