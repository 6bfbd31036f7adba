// The little of Node that follow.ts uses, so that it can be checked without any package. Where `@types/node` is
// installed, leave this file out.

declare module "node:crypto" {
  interface Hash {
    update(text: string): Hash;
    digest(): Buffer;
  }
  export function createHash(algorithm: string): Hash;
}

declare module "node:fs" {
  export function closeSync(file: number): void;
  export function createReadStream(path: string, options: { highWaterMark: number }): AsyncIterable<Buffer>;
  export function existsSync(path: string): boolean;
  export function fsyncSync(file: number): void;
  export function openSync(path: string, flags: string): number;
  export function renameSync(from: string, to: string): void;
  export function truncateSync(path: string, length: number): void;
  export function writeFileSync(file: number, text: string): void;
}

interface Buffer {
  indexOf(text: string): number;
  readBigUInt64BE(offset: number): bigint;
  subarray(from: number): Buffer;
  toString(encoding: "utf8", from: number, to: number): string;
}
declare const Buffer: { alloc(length: number): Buffer; concat(parts: Buffer[]): Buffer };
declare const process: { argv: string[]; env: Record<string, string>; exitCode: number };
