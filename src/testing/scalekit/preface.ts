/** How an HTTP/2 connection begins, with prior knowledge: `PRI * HTTP/2.0`. */
const PREFACE = "PRI ";

export function isHttp2Preface(first: Buffer): boolean {
  return first.subarray(0, PREFACE.length).toString("latin1") === PREFACE;
}
