import { execa } from "execa";

/** Network namespaces of one test, with unique names; all of them go when the test ends, however it ends. */
export class Namespaces implements AsyncDisposable {
  readonly #names = new Set<string>();
  readonly #prefix: string;

  constructor() {
    this.#prefix = `ppn-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  }

  /** Makes namespaces with loopback up. */
  async add(...labels: readonly string[]): Promise<void> {
    for (const label of labels) {
      await execa("ip", ["netns", "add", this.name(label)]);
      this.#names.add(label);
      await this.ip(label, "link set lo up");
    }
  }

  name(label: string): string {
    return `${this.#prefix}-${label}`;
  }

  path(label: string): string {
    return `/run/netns/${this.name(label)}`;
  }

  /** Runs commands of `ip`, one a line, in a namespace. */
  async ip(label: string, ...lines: readonly string[]): Promise<void> {
    await this.run(label, ["ip", "-batch", "-"], `${lines.join("\n")}\n`);
  }

  /** Runs a program in a namespace and returns what it printed. */
  async run(label: string, [program = "", ...args]: readonly string[], input = ""): Promise<string> {
    const { stdout } = await execa("nsenter", [`--net=${this.path(label)}`, program, ...args], { input });
    return stdout;
  }

  /** Exit code of a program. */
  async exitCode(label: string, [program = "", ...args]: readonly string[]): Promise<number> {
    const path = `--net=${this.path(label)}`;
    const { exitCode } = await execa("nsenter", [path, program, ...args], { reject: false });
    return exitCode ?? -1;
  }

  async remove(label: string): Promise<void> {
    await execa("ip", ["netns", "del", this.name(label)]);
    this.#names.delete(label);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const label of this.#names) await this.remove(label);
  }
}
