import { account, makeId } from "./account.ts";

export interface StoredInterface {
  readonly id: string;
  readonly name: string;
  readonly subnet: string;
  readonly address: string;
}

export interface StoredInstance {
  readonly id: string;
  readonly crn: string;
  readonly name: string;
  readonly profile: string;
  readonly zone: string;
  readonly image: string;
  readonly vpc: string;
  readonly resourceGroup: string;
  readonly createdAt: string;
  readonly userData: string;
  readonly mode: string;
  readonly secureBoot: boolean;
  readonly target: string | undefined;
  readonly interfaces: readonly StoredInterface[];
  readonly bootVolume: string;
  readonly attachments: readonly { readonly id: string; readonly name: string; readonly volume: string }[];
  status: "pending" | "running" | "failed" | "deleting";
  reason: string;
  /** Looks at it, by `get_instance`; it changes with them and not with time, so that no test waits. */
  looks: number;
}

export interface StoredVolume {
  readonly id: string;
  readonly name: string;
  readonly boot: boolean;
  readonly userTags: readonly string[];
  instance: string | undefined;
}

/** Everything that the stand-in remembers. */
export class State {
  readonly instances = new Map<string, StoredInstance>();
  readonly volumes = new Map<string, StoredVolume>();
  /** User tags by CRN, as the tagging API has them: lower case. */
  readonly tags = new Map<string, Set<string>>();
  /** `<profile> <zone>`, or the id of a host or group, that takes no more machines. */
  readonly exhausted = new Set<string>();
  /** How many looks an instance is `pending` without an address; default 1. */
  pendingLooks = 1;
  /** How many looks a deleted instance is still seen; default 0. */
  deletingLooks = 0;
  /** Instances that the account may have. */
  quota = 1_000;
  #next = 1_000;

  constructor() {
    this.clear();
  }

  newId(prefix: string): string {
    return makeId(prefix, this.#next++);
  }

  newAddress(): string {
    const number = this.#next++;
    return `10.240.${(number >> 8) & 255}.${number & 255}`;
  }

  instanceNamed(name: string): StoredInstance | undefined {
    return [...this.instances.values()].find((instance) => instance.name === name);
  }

  /** The instance goes, with what goes with it. */
  remove(instance: StoredInstance): void {
    this.instances.delete(instance.id);
    this.volumes.delete(instance.bootVolume);
    this.tags.delete(instance.crn);
    for (const volume of this.volumes.values())
      if (volume.instance === instance.id) volume.instance = undefined;
  }

  clear(): void {
    this.instances.clear();
    this.volumes.clear();
    this.tags.clear();
    this.exhausted.clear();
    this.pendingLooks = 1;
    this.deletingLooks = 0;
    this.quota = 1_000;
    for (const [index, id] of account.volumes.entries())
      this.volumes.set(id, { id, name: `data-${index}`, boot: false, userTags: [], instance: undefined });
  }

  /** Ids of all that exists and costs something, but for what the account had from the start. */
  census(): readonly string[] {
    return [
      ...this.instances.keys(),
      ...[...this.instances.values()].flatMap(({ interfaces }) => interfaces.map(({ id }) => id)),
      ...[...this.volumes.values()].map(({ id, instance }) =>
        instance === undefined ? id : `${id} attached`,
      ),
    ];
  }
}
