/** What an account has from the start: things that a creation names and never makes. */
export interface Account {
  readonly region: string;
  readonly zone: string;
  readonly vpc: string;
  readonly otherVpc: string;
  readonly resourceGroup: string;
  readonly subnet: string;
  readonly tunnelSubnet: string;
  /** In the zone, without a free address. */
  readonly fullSubnet: string;
  readonly otherZoneSubnet: string;
  readonly securityGroup: string;
  readonly foreignSecurityGroup: string;
  readonly clusterId: string;
  readonly clusterSecurityGroup: string;
  readonly key: string;
  readonly image: string;
  readonly s390xImage: string;
  readonly obsoleteImage: string;
  readonly dedicatedHost: string;
  readonly dedicatedHostGroup: string;
  readonly otherZoneHost: string;
  /** Free data volumes. */
  readonly volumes: readonly string[];
}

/** Ids are of the real form: number of region or zone, then a UUID. */
export function makeId(prefix: string, number: number): string {
  const hex = number.toString(16).padStart(12, "0");
  return `${prefix}-5a7e0000-0000-4000-8000-${hex}`;
}

export const account: Account = {
  region: "eu-test",
  zone: "eu-test-1",
  vpc: makeId("r910", 1),
  otherVpc: makeId("r910", 2),
  resourceGroup: "0123456789abcdef0123456789abcdef",
  subnet: makeId("09a1", 11),
  tunnelSubnet: makeId("09a1", 12),
  fullSubnet: makeId("09a1", 13),
  otherZoneSubnet: makeId("09a2", 14),
  securityGroup: makeId("r910", 21),
  foreignSecurityGroup: makeId("r910", 22),
  clusterId: "cq3standin0f1u2n",
  clusterSecurityGroup: makeId("r910", 23),
  key: makeId("r910", 31),
  image: makeId("r910", 41),
  s390xImage: makeId("r910", 42),
  obsoleteImage: makeId("r910", 43),
  dedicatedHost: makeId("09a1", 51),
  dedicatedHostGroup: makeId("09a1", 52),
  otherZoneHost: makeId("09a2", 53),
  volumes: [makeId("r910", 61), makeId("r910", 62), makeId("r910", 63)],
};

export interface KnownProfile {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryGiB: number;
  readonly arch: "amd64" | "s390x";
  readonly modes: readonly string[];
  readonly gpus?: number;
}

export const profiles: readonly KnownProfile[] = [
  { name: "bx2-2x8", vcpus: 2, memoryGiB: 8, arch: "amd64", modes: ["disabled"] },
  { name: "bx2-4x16", vcpus: 4, memoryGiB: 16, arch: "amd64", modes: ["disabled"] },
  { name: "gx3-16x80x1l4", vcpus: 16, memoryGiB: 80, arch: "amd64", modes: ["disabled"], gpus: 1 },
  { name: "bx3dc-2x10", vcpus: 2, memoryGiB: 10, arch: "amd64", modes: ["disabled", "sgx", "tdx"] },
  { name: "bz2-2x8", vcpus: 2, memoryGiB: 8, arch: "s390x", modes: ["disabled"] },
  { name: "bz2e-2x8", vcpus: 2, memoryGiB: 8, arch: "s390x", modes: ["disabled"] },
];
