import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPod, type TestPod } from "./testing/pod.ts";
import { execRequest, workloadRequest } from "./testing/shim-requests.ts";
import { failure, finish, readAll, readUntil } from "./testing/streams.ts";
import { missingForVM } from "./testing/test-vm.ts";
import { until } from "./testing/until.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe.each(
  ["crun", "runc"].map((runtime) => ({
    runtime,
    missing: missingForVM([runtime, "umoci", "busybox", "unshare", "script"]),
  })),
)("processes with $runtime", ({ runtime, missing }) => {
  describe.skipIf(missing !== undefined)(missing ?? "available", () => {
    let pod: TestPod;

    beforeAll(async () => {
      pod = await startTestPod(["-runtime", runtime]);
    });

    afterAll(async () => {
      await pod?.[Symbol.asyncDispose]();
    });

    describe("containers", () => {
      test("exit code of one that ends by itself", async () => {
        const target = await pod.run({ id: "exits", command: "echo done; exit 3" });
        expect(await finish(pod.agent, target)).toEqual({ stdout: "done\n", stderr: "", status: 3 });
      });

      test("128+n for one that a signal ends", async () => {
        const target = await pod.run({
          id: "signaled",
          command: "trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done",
        });
        await readUntil(pod.agent, target, "up");
        await pod.agent.signalProcess({ containerId: "signaled", signal: 15 });
        expect(await finish(pod.agent, target)).toMatchObject({ status: 7 });
        const killed = await pod.run({ id: "killed", command: "echo up; while :; do sleep 0.05; done" });
        await readUntil(pod.agent, killed, "up");
        await pod.agent.signalProcess({ containerId: "killed", signal: 9 });
        expect(await finish(pod.agent, killed)).toMatchObject({ status: 137 });
      });

      test("/dev/stdout and /dev/stderr can be opened", async () => {
        const target = await pod.run({
          id: "reopens",
          command: "echo one >/dev/stdout; echo two >/dev/stderr",
        });
        expect(await finish(pod.agent, target)).toEqual({ stdout: "one\n", stderr: "two\n", status: 0 });
      });

      test("megabytes of output arrive whole, although read late and after the end", async () => {
        const target = await pod.run({
          id: "chatty",
          command: "dd if=/dev/zero bs=1000 count=3000 2>/dev/null; echo end",
        });
        const stdout = await readAll(pod.agent, "readStdout", target);
        expect(stdout.length).toBe(3_000_004);
        expect(stdout.endsWith("end\n")).toBe(true);
      });

      test("output that nobody has read when the process ends", async () => {
        const target = await pod.run({ id: "late", command: "dd if=/dev/zero bs=1000 count=60 2>/dev/null" });
        await until(
          async () =>
            (await pod.agent.statsContainer({ containerId: "late" })).cgroupStats?.pidsStats?.current === 0n,
          "the end of the process",
        );
        expect((await readAll(pod.agent, "readStdout", target)).length).toBe(60_000);
        expect(await pod.agent.waitProcess(target)).toMatchObject({ status: 0 });
      });

      test("output of an ended process is kept for its readers, but not for ever waited for", async () => {
        const target = await pod.run({ id: "holder", command: "sleep 1000 & echo parent; exit 4" });
        const started = performance.now();
        const ended = await finish(pod.agent, target);
        expect(ended).toEqual({ stdout: "parent\n", stderr: "", status: 4 });
        expect(performance.now() - started).toBeLessThan(5_000);
      });

      test("never more than was asked for", async () => {
        const target = await pod.run({ id: "pieces", command: "echo 0123456789" });
        const pieces: string[] = [];
        for (;;) {
          const { data } = await pod.agent.readStdout({ ...target, len: 4 });
          if (data.length === 0) break;
          pieces.push(Buffer.from(data).toString());
        }
        expect(pieces).toEqual(["0123", "4567", "89\n"]);
      });

      test("a command that does not exist: the error says so, and the id is free again", async () => {
        const request = workloadRequest({ id: "nope", command: "true" });
        request.OCI!.Process!.Args = ["/no/such/program"];
        const call = pod.agent
          .createContainer(request)
          .then(() => pod.agent.startContainer({ containerId: "nope" }));
        expect(await failure(call)).toEqual({
          code: Code.Internal,
          message: expect.stringContaining("/no/such/program"),
        });
        await pod.agent.removeContainer({ containerId: "nope" });
        const target = await pod.run({ id: "nope", command: "exit 6" });
        expect(await finish(pod.agent, target)).toMatchObject({ status: 6 });
      });

      test("a container that was never started can be killed and removed", async () => {
        await pod.agent.createContainer(workloadRequest({ id: "unstarted", command: "true" }));
        await pod.agent.signalProcess({ containerId: "unstarted", signal: 9 });
        await pod.agent.waitProcess({ containerId: "unstarted", execId: "unstarted" });
        await pod.agent.removeContainer({ containerId: "unstarted" });
        await pod.agent.createContainer(workloadRequest({ id: "unstarted", command: "true" }));
        await pod.agent.removeContainer({ containerId: "unstarted" });
        expect(
          await pod.vm.shell("find /sys/fs/cgroup -name unstarted; ls /run/dev-agent/containers"),
        ).not.toContain("unstarted");
      });
    });

    describe("exec", () => {
      const container = "execs";

      beforeAll(async () => {
        await pod.run({ id: container, command: "while :; do sleep 0.1; done" });
      });

      test("with input from a pipe", async () => {
        await pod.agent.execProcess(
          execRequest(container, "stdin", "read line; echo got $line; cat; exit 5"),
        );
        const target = { containerId: container, execId: "stdin" };
        expect(await pod.agent.writeStdin({ ...target, data: bytes("hi\nrest") })).toMatchObject({ len: 7 });
        await pod.agent.closeStdin(target);
        expect(await finish(pod.agent, target)).toEqual({ stdout: "got hi\nrest", stderr: "", status: 5 });
      });

      test("empty data closes the input", async () => {
        await pod.agent.execProcess(execRequest(container, "empty", "cat; exit 2"));
        const target = { containerId: container, execId: "empty" };
        await pod.agent.writeStdin({ ...target, data: new Uint8Array() });
        expect(await finish(pod.agent, target)).toMatchObject({ status: 2 });
      });

      test("a write waits for a process that does not read, until its deadline", async () => {
        await pod.agent.execProcess(execRequest(container, "deaf", "exec sleep 1000"));
        const target = { containerId: container, execId: "deaf" };
        const write = pod.agent.writeStdin({ ...target, data: new Uint8Array(200_000) }, { timeoutMs: 300 });
        expect(await failure(write)).toMatchObject({ code: Code.DeadlineExceeded });
        await pod.agent.signalProcess({ ...target, signal: 9 });
        expect(await finish(pod.agent, target)).toMatchObject({ status: 137 });
        expect(await failure(pod.agent.writeStdin({ ...target, data: bytes("x") }))).toMatchObject({
          code: Code.Internal,
        });
      });

      test("at a terminal: echo, size, signals by key, and the odd end", async () => {
        await pod.agent.execProcess(
          execRequest(
            container,
            "tty",
            "tty; while read line; do echo got $line; stty size; done; echo bye; exit 9",
            true,
          ),
        );
        const target = { containerId: container, execId: "tty" };
        await readUntil(pod.agent, target, "/dev/pts/0\r\n");
        await pod.agent.ttyWinResize({ ...target, row: 40, column: 100 });
        await pod.agent.writeStdin({ ...target, data: bytes("hello\n") });
        const seen = await readUntil(pod.agent, target, "40 100\r\n");
        expect(seen).toContain("hello\r\n");
        expect(seen).toContain("got hello\r\n");
        // Closing the input does not end a terminal; ^D does.
        await pod.agent.closeStdin(target);
        await pod.agent.writeStdin({ ...target, data: bytes("\u0004") });
        await readUntil(pod.agent, target, "bye\r\n");
        expect(await failure(pod.agent.readStdout({ ...target, len: 32768 }))).toEqual({
          code: Code.Internal,
          message: "Input/output error (os error 5)",
        });
        expect(await pod.agent.waitProcess(target)).toMatchObject({ status: 9 });
      });

      // runc leaves it to the outer terminal to make CR LF of LF, whatever the inner one is set to.
      test.skipIf(runtime === "runc")("bytes pass a terminal unchanged when it is raw", async () => {
        const all = Uint8Array.from({ length: 256 }, (_, index) => index);
        await pod.agent.execProcess(
          execRequest(container, "raw", "stty raw -echo; echo ready; dd bs=1 count=256 2>/dev/null", true),
        );
        const target = { containerId: container, execId: "raw" };
        await readUntil(pod.agent, target, "ready\n");
        await pod.agent.writeStdin({ ...target, data: all });
        const received: number[] = [];
        while (received.length < 256)
          received.push(...(await pod.agent.readStdout({ ...target, len: 32768 })).data);
        expect(received).toEqual([...all]);
        await pod.agent.waitProcess(target);
      });

      test("a new size and ^C reach the foreground of the terminal", async () => {
        await pod.agent.execProcess(
          execRequest(
            container,
            "int",
            "trap 'echo interrupted; exit 1' INT; trap 'echo resized' WINCH; echo up; while :; do sleep 0.05; done",
            true,
          ),
        );
        const target = { containerId: container, execId: "int" };
        await readUntil(pod.agent, target, "up\r\n");
        await pod.agent.ttyWinResize({ ...target, row: 25, column: 80 });
        await readUntil(pod.agent, target, "resized\r\n");
        await pod.agent.writeStdin({ ...target, data: bytes("\u0003") });
        await readUntil(pod.agent, target, "interrupted");
        expect(await pod.agent.waitProcess(target)).toMatchObject({ status: 1 });
      });

      test("no tty, no resize", async () => {
        await pod.agent.execProcess(execRequest(container, "notty", "cat"));
        const target = { containerId: container, execId: "notty" };
        expect(await failure(pod.agent.ttyWinResize({ ...target, row: 1, column: 1 }))).toMatchObject({
          code: Code.Unavailable,
        });
        await pod.agent.closeStdin(target);
        await finish(pod.agent, target);
      });

      test("a command that does not exist", async () => {
        const request = execRequest(container, "missing", "true");
        request.process!.Args = ["no-such-program"];
        expect(await failure(pod.agent.execProcess(request))).toEqual({
          code: Code.Internal,
          message: expect.stringContaining("no-such-program"),
        });
        const terminal = execRequest(container, "missing-tty", "true", true);
        terminal.process!.Args = ["no-such-program"];
        expect(await failure(pod.agent.execProcess(terminal))).toMatchObject({
          message: expect.stringContaining("no-such-program"),
        });
      });

      test("capabilities are the container's, not more", async () => {
        await pod.agent.execProcess(execRequest(container, "caps", "cat /proc/self/status"));
        const { stdout } = await finish(pod.agent, { containerId: container, execId: "caps" });
        expect(stdout).toMatch(/^CapEff:\t00000000a80425fb$/m);
      });

      test("ten at once, each with its own streams and code", async () => {
        const results = await Promise.all(
          Array.from({ length: 10 }, async (_, index) => {
            const execId = `parallel-${index}`;
            await pod.agent.execProcess(execRequest(container, execId, `echo ${index}; exit ${index}`));
            return finish(pod.agent, { containerId: container, execId });
          }),
        );
        expect(results.map(({ stdout, status }) => [stdout.trim(), status])).toEqual(
          Array.from({ length: 10 }, (_, index) => [String(index), index]),
        );
      });
    });

    describe("a terminal of a container's own", () => {
      test("has size, input and exit code", async () => {
        const target = await pod.run({
          id: "console",
          terminal: true,
          command: "tty; read line; echo got $line; stty size; exit 8",
        });
        await readUntil(pod.agent, target, "\r\n");
        await pod.agent.ttyWinResize({ ...target, row: 33, column: 77 });
        await pod.agent.writeStdin({ ...target, data: bytes("abc\n") });
        const output = await readAll(pod.agent, "readStdout", target);
        expect(output).toContain("got abc\r\n33 77\r\n");
        expect(await pod.agent.waitProcess(target)).toMatchObject({ status: 8 });
      });
    });

    describe("what does not exist", () => {
      const target = { containerId: "ghost", execId: "ghost" };
      test.each([
        ["startContainer", Code.Internal],
        ["removeContainer", Code.Internal],
        ["updateContainer", Code.InvalidArgument],
        ["statsContainer", Code.InvalidArgument],
        ["pauseContainer", Code.InvalidArgument],
        ["resumeContainer", Code.InvalidArgument],
        ["waitProcess", Code.InvalidArgument],
        ["readStdout", Code.InvalidArgument],
        ["writeStdin", Code.Internal],
        ["closeStdin", Code.InvalidArgument],
        ["ttyWinResize", Code.InvalidArgument],
      ] as const)("container: %s", async (method, code) => {
        const call = pod.agent[method] as (request: object) => Promise<unknown>;
        expect(await failure(call({ ...target, data: bytes("x"), len: 1 }))).toMatchObject({ code });
      });

      test("exec", async () => {
        const unknown = { containerId: pod.sandboxId, execId: "ghost" };
        for (const call of [
          pod.agent.waitProcess(unknown),
          pod.agent.readStderr({ ...unknown, len: 1 }),
          pod.agent.signalProcess({ ...unknown, signal: 15 }),
        ])
          expect(await failure(call)).toEqual({ code: Code.NotFound, message: "InvalidExecId" });
        expect(await failure(pod.agent.execProcess(execRequest("ghost", "x", "true")))).toMatchObject({
          code: Code.Internal,
        });
      });

      test.each(["setPolicy"] as const)("%s is not supported, as by an agent without policy", async () => {
        expect(await failure(pod.agent.setPolicy({ policy: "x" }))).toEqual({
          code: Code.NotFound,
          message: "/grpc.AgentService/SetPolicy is not supported",
        });
      });

      test.each([
        "reseedRandomDev",
        "addSwap",
        "resizeVolume",
        "updateInterface",
        "getMetrics",
        "memAgentMemcgSet",
      ] as const)("%s is not implemented", async (method) => {
        const call = pod.agent[method] as (request: object) => Promise<unknown>;
        expect(await failure(call({}))).toMatchObject({ code: Code.Unimplemented });
      });

      test.each([
        ["../../evil", Code.InvalidArgument],
        ["", Code.InvalidArgument],
        ["-x", Code.InvalidArgument],
        ["x".repeat(200), Code.InvalidArgument],
      ])("container id %j is refused", async (id, code) => {
        expect(
          await failure(pod.agent.createContainer(workloadRequest({ id, command: "true" }))),
        ).toMatchObject({ code });
      });
    });
  });
});
