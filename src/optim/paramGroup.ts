/** Parameter groups: tensors with hyper-parameters of their own, kept in cells. Read optimizer.ts next. */
import { GradusError, ValueError } from "../core/errors.js";
import "../tensor/assign.js";
import { activeTrace } from "../tensor/context.js";
import { tensor } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Flags, Settled } from "./settings.js";

/** A group's hyper-parameters as they are saved, under their options' names, and the numbers of its parameters. */
export interface GroupState {
  readonly params: readonly number[];
  readonly [option: string]: number | boolean | readonly number[] | undefined;
}

/** A parameter group: its tensors and hyper-parameters, which may be changed between steps. */
export class ParamGroup {
  readonly params: readonly Tensor[];
  /** What decides the formula, such as `nesterov`; fixed. @internal */
  readonly flags: Flags;
  /** The learning rate that schedules start from, once there is one. */
  initialLr: number | undefined;
  private readonly switches: Flags;
  private readonly cells: Readonly<Record<string, Tensor>>;

  constructor(params: readonly Tensor[], { numbers, flags, switches }: Settled) {
    this.params = params;
    this.flags = flags;
    this.switches = switches;
    const entries = Object.entries(numbers);
    this.cells = Object.fromEntries(
      entries.map(([name, value]) => [name, tensor(value, { dtype: "float64" })]),
    );
  }

  /** The learning rate. */
  get lr(): number {
    return this.get("lr");
  }

  set lr(value: number) {
    this.set("lr", value);
  }

  /** The names of the numbers; `betas` are beta1 and beta2. */
  get names(): readonly string[] {
    return Object.keys(this.cells);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.cells, name);
  }

  get(name: string): number {
    return this.cell(name).item();
  }

  /** Throws unless {@link set} would take the number. @internal */
  check(name: string, value: number): Tensor {
    const cell = this.cell(name);
    if (!Number.isFinite(value))
      throw new ValueError("ParamGroup", `${name} must be a finite number, got ${value}`);
    if (value !== 0 && this.flags[name] === false)
      throw new ValueError(
        "ParamGroup",
        `${name} was 0 when the optimizer was made, which left it out of the formula; ` +
          `make the optimizer with ${name}`,
      );
    return cell;
  }

  /**
   * Changes a number from the next step on.
   *
   * @throws ValueError for an unknown name, a number that is not finite, or one that the formula was made without; GradusError
   * inside a compiled function.
   */
  set(name: string, value: number): void {
    const cell = this.check(name, value);
    if (activeTrace())
      throw new GradusError(
        "ParamGroup",
        `${name} was set to a number inside a compiled function, which would happen once, when ` +
          "it is traced; set it outside of the function",
      );
    cell.assign(tensor(value, { dtype: "float64" }));
  }

  /** The cell of a number, for the update. @internal */
  cell(name: string): Tensor {
    const cell = this.has(name) ? this.cells[name] : undefined;
    if (!cell)
      throw new ValueError(
        "ParamGroup",
        `unknown option "${name}", expected ${this.names.join(", ")}`,
      );
    return cell;
  }

  /** The hyper-parameters as options; `first` is the number of the group's first parameter. @internal */
  save(first: number): GroupState {
    const numbers = Object.fromEntries(this.names.map((name) => [name, this.get(name)]));
    const { beta1, beta2, ...rest } = numbers;
    return {
      params: this.params.map((_, i) => first + i),
      ...rest,
      ...(beta1 !== undefined && { betas: [beta1, beta2!] }),
      ...this.switches,
      ...(this.initialLr !== undefined && { initialLr: this.initialLr }),
    };
  }
}
