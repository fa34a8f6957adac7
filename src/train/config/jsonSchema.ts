/** The schema of configurations for editors, as JSON Schema with every shorthand allowed. Read schema.ts for what it is made from. */
import { choiceName } from "./problems.js";
import { type JsonSchema, strictJsonSchema } from "./schema.js";

/** A choice may be its name alone; what only TypeScript can say is left out. */
function loosen(schema: JsonSchema): JsonSchema {
  const each = (list: readonly JsonSchema[] | undefined) => list?.map(loosen);
  const { oneOf, anyOf, items, prefixItems, properties, ...rest } = schema;
  const inner = {
    ...rest,
    ...(anyOf && { anyOf: each(anyOf) }),
    ...(items && { items: loosen(items) }),
    ...(prefixItems && { prefixItems: each(prefixItems) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, value]) => [key, loosen(value)]),
      ),
    }),
  } as JsonSchema;
  if (!oneOf) return inner;
  const members = each(oneOf)!.filter((member) => choiceName(member) !== "custom");
  return { ...inner, anyOf: [{ enum: members.map(choiceName) }, ...members] };
}

/** Data may also be a path, whose kind is told from what lies there. */
function withPaths(data: JsonSchema): JsonSchema {
  const like = data.anyOf!.find((member) => choiceName(member) === "idx")!;
  const { name: _, ...properties } = like.properties!;
  const byPath = {
    type: "object",
    properties,
    required: ["path"],
    additionalProperties: false,
    description: "a path whose kind is told from what lies there",
  };
  return { ...data, anyOf: [{ type: "string" }, ...data.anyOf!.slice(1), byPath] };
}

/** The changes of pictures, which all data have, once. */
function shareChanges(data: JsonSchema): [changes: JsonSchema, data: JsonSchema] {
  let changes: JsonSchema = {};
  const members = data.anyOf!.map((member) => {
    if (!member.properties?.augment) return member;
    changes = member.properties.augment;
    return {
      ...member,
      properties: { ...member.properties, augment: { $ref: "#/$defs/augment" } },
    };
  });
  return [changes, { ...data, anyOf: members }];
}

/**
 * The JSON Schema (draft 2020-12) of configurations in YAML and JSON. Editors take it from the package's
 * `assets/run.schema.json`.
 *
 * @example
 * ```ts
 * import { configJsonSchema } from "gradus/train";
 * console.log(configJsonSchema().required); // → [ 'model', 'data' ]
 * ```
 */
export function configJsonSchema(): JsonSchema {
  const { properties, ...rest } = loosen(strictJsonSchema());
  const { data, ...others } = properties!;
  const { model, name, ...after } = others;
  const [changes, paths] = shareChanges(withPaths(data!));
  return {
    ...rest,
    title: "A training run of Gradus",
    properties: { name: name!, model: model!, data: paths, ...after },
    $defs: { augment: changes },
  };
}
