/** How the input items of a Responses request must belong together: ids, calls and their answers, thoughts. */
import { isObject } from "../../core/json.ts";

type Fields = Readonly<Record<string, unknown>>;

const OUTPUTS: readonly unknown[] = ["function_call_output", "custom_tool_call_output"];

function fieldsOf(item: unknown): Fields {
  return isObject(item) ? item : {};
}

export function checkIdsOnce(input: readonly unknown[]): string[] {
  const ids = input.map((item) => fieldsOf(item)["id"]).filter((id) => typeof id === "string");
  const twice = new Set(ids.filter((id, i) => ids.indexOf(id) < i));
  return [...twice].map(
    (id) => `input: Duplicate item found with id ${id}. Remove duplicate items from your input and try again.`,
  );
}

/**
 * Each call answered once, by an item of its own kind, right behind what the model said, in the order of the calls; and no answer to
 * nothing. OpenAI pairs them wherever they stand; DeepSeek's server wants them together (awesome-deepseek-integration#740).
 */
export function checkAnswers(input: readonly unknown[]): string[] {
  const problems: string[] = [];
  const known = new Set<unknown>();
  let open: { id: unknown; output: string }[] = [];
  const settle = (): void => {
    for (const { id } of open) problems.push(`input: No tool output found for function call ${String(id)}.`);
    open = [];
  };
  let answering = false;
  for (const [i, item] of input.entries()) {
    const { type = "message", call_id: id, role } = fieldsOf(item);
    if (OUTPUTS.includes(type)) {
      answering = true;
      const first = open.shift();
      if (first === undefined || first.id !== id || first.output !== type)
        problems.push(
          `input[${i}].call_id: No tool call found for function call output with call_id ${String(id)}${first === undefined ? "" : ` in the place of the one for ${String(first.id)}`}.`,
        );
      continue;
    }
    // The model speaks again, or somebody else does: what it asked before must be answered.
    if (answering || (type === "message" && role !== "assistant")) settle();
    answering = false;
    if (type !== "function_call" && type !== "custom_tool_call") continue;
    if (known.has(id)) problems.push(`input[${i}].call_id: Duplicate function call id ${String(id)}.`);
    known.add(id);
    open.push({ id, output: `${String(type)}_output` });
  }
  settle();
  return problems;
}

/** A thought belongs to what the model said next. */
export function checkThoughts(input: readonly unknown[]): string[] {
  return input.flatMap((item, i) => {
    const { type, id } = fieldsOf(item);
    if (type !== "reasoning") return [];
    const { type: next = "message", role } = fieldsOf(input[i + 1]);
    const heard = next === "message" ? role !== "assistant" : OUTPUTS.includes(next);
    if (!heard) return [];
    return [`input[${i}]: Item '${String(id)}' of type 'reasoning' was provided without its required following item.`];
  });
}
