/** A few of KruxOS' capabilities, with names and inputs as its documents have them, on a world in memory. */

export type Tier = "autonomous" | "notify" | "approval_required" | "blocked";

export interface KruxosInput {
  readonly name: string;
  readonly type: string;
  readonly required?: boolean;
  readonly description?: string;
}

/** Throw it from a capability: the gateway answers with it, in the shape that it is set to. */
export class CapabilityFailure extends Error {
  override readonly name = "CapabilityFailure";
  readonly type: string;
  readonly recovery: readonly { readonly action: string; readonly description: string; readonly capability?: string }[];

  constructor(type: string, message: string, recovery: CapabilityFailure["recovery"] = []) {
    super(message);
    this.type = type;
    this.recovery = recovery;
  }
}

export interface Capability {
  readonly name: string;
  readonly purpose: string;
  readonly tier?: Tier;
  readonly inputs?: readonly KruxosInput[];
  /** Instead of `inputs`. */
  readonly inputSchema?: object;
  /** @throws CapabilityFailure */
  run(input: Readonly<Record<string, unknown>>, world: KruxosWorld): unknown;
}

export class KruxosWorld {
  readonly files: Map<string, string> = new Map();
  readonly state: Map<string, unknown> = new Map();
  readonly sent: object[] = [];
}

const PATH: KruxosInput = { name: "path", type: "string", required: true, description: "Absolute path." };

export const CAPABILITIES: readonly Capability[] = [
  {
    name: "filesystem.read",
    purpose: "Reads the content of a file at the given path.",
    inputs: [PATH, { name: "encoding", type: "string", description: "Character encoding. Defaults to utf-8." }],
    run: (input, { files }) => {
      const path = String(input["path"]);
      const content = files.get(path);
      if (content === undefined)
        throw new CapabilityFailure("FileNotFound", `No file at ${path}`, [
          {
            action: "list_directory",
            description: "Use filesystem.list to see available files.",
            capability: "filesystem.list",
          },
        ]);
      return { content, encoding: "utf-8", size_bytes: Buffer.byteLength(content) };
    },
  },
  {
    name: "filesystem.list",
    purpose: "Lists a directory.",
    inputs: [PATH],
    run: (input, { files }) => ({
      entries: [...files.keys()].filter((name) => name.startsWith(String(input["path"]))),
    }),
  },
  {
    name: "filesystem.write",
    purpose: "Writes a file.",
    tier: "notify",
    inputs: [PATH, { name: "content", type: "string", required: true }],
    run: (input, { files }) => {
      files.set(String(input["path"]), String(input["content"]));
      return { written: true };
    },
  },
  {
    name: "state.persistent.get",
    purpose: "Reads a value that outlives the session.",
    inputSchema: { type: "object", properties: { key: { type: "string" } }, required: ["key"] },
    run: (input, { state }) => ({
      found: state.has(String(input["key"])),
      value: state.get(String(input["key"])) ?? null,
    }),
  },
  {
    name: "email.send",
    purpose: "Sends an email.",
    tier: "approval_required",
    inputs: [
      { name: "to", type: "string", required: true },
      { name: "subject", type: "string", required: true },
      { name: "cc", type: "list[string]" },
    ],
    run: (input, { sent }) => {
      sent.push(input);
      return { write_id: `w${sent.length}` };
    },
  },
  { name: "process.run", purpose: "Runs a command.", tier: "blocked", run: () => ({}) },
];
