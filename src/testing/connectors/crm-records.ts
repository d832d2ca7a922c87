/** A user's records at a CRM, by kind: what Salesforce and HubSpot stand on. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

export type CrmRecord = Readonly<Record<string, JsonValue>> & { readonly Id: string };

export class CrmRecords {
  readonly #kinds = new Map<string, CrmRecord[]>();
  #lastId = 0;

  /** Adds records of a kind, such as `Opportunity` or `deals`. Those without an Id get one. */
  load(kind: string, records: readonly JsonObject[]): readonly CrmRecord[] {
    const made = records.map((record) => ({ Id: `${kind.slice(0, 3).toLowerCase()}${++this.#lastId}`, ...record }));
    this.#kinds.set(kind, [...this.of(kind), ...made]);
    return made;
  }

  /** All of a kind; none if there is no such kind. */
  of(kind: string): readonly CrmRecord[] {
    return this.#kinds.get(kind) ?? [];
  }

  has(kind: string): boolean {
    return this.#kinds.has(kind);
  }

  /** Answers the changed record, or undefined if there is none. */
  change(kind: string, id: string, changes: JsonObject): CrmRecord | undefined {
    const all = this.of(kind);
    const found = all.find((record) => record.Id === id);
    if (found === undefined) return undefined;
    const changed = { ...found, ...changes, Id: id };
    this.#kinds.set(
      kind,
      all.map((record) => (record === found ? changed : record)),
    );
    return changed;
  }
}
