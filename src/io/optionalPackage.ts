/** Packages that only some of the library needs: installed by default, and said by name where they are not. */
import { GradusError } from "../core/errors.js";

/**
 * What an `import()` gives, which stands with its caller so that bundlers see it.
 *
 * @throws GradusError that says what the package is for and how to get it.
 */
export async function loadOptional<T>(loading: Promise<T>, name: string, use: string): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0];
    throw new GradusError(
      name,
      `${use} takes the optional package ${name}: npm install ${name} (${reason})`,
    );
  }
}
