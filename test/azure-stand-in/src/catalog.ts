/** What a region has that nobody makes here: sizes, images, networks. Invented, in the form in which ARM tells it. */
export interface Catalog {
  readonly sizes: readonly Size[];
  readonly zones: readonly string[];
  /** Galleries' images and versions by id in lower case. */
  readonly images: Readonly<Record<string, Image>>;
  readonly subnet: string;
  readonly securityGroup: string;
}

export interface Size {
  readonly name: string;
  readonly family: string;
  readonly vcpus: number;
  readonly memoryGiB: number;
  readonly gpus?: number;
  readonly arch?: "x64" | "Arm64";
  readonly confidential?: "SNP" | "TDX";
  readonly maxDisks?: number;
  readonly maxInterfaces?: number;
  /** Listed, but this subscription may not use it. */
  readonly restricted?: boolean;
}

export interface Image {
  readonly regions: readonly string[];
  readonly arch: "x64" | "Arm64";
  readonly security: "ConfidentialVM" | "ConfidentialVmSupported" | "TrustedLaunchSupported" | "None";
}

export const sizes: readonly Size[] = [
  { name: "Standard_DC2as_v5", family: "standardDCASv5Family", vcpus: 2, memoryGiB: 8, confidential: "SNP" },
  { name: "Standard_DC4as_v5", family: "standardDCASv5Family", vcpus: 4, memoryGiB: 16, confidential: "SNP" },
  { name: "Standard_EC2as_v5", family: "standardECASv5Family", vcpus: 2, memoryGiB: 16, confidential: "SNP" },
  { name: "Standard_DC2es_v6", family: "standardDCEv6Family", vcpus: 2, memoryGiB: 8, confidential: "TDX" },
  { name: "Standard_DC4es_v6", family: "standardDCEv6Family", vcpus: 4, memoryGiB: 16, confidential: "TDX" },
  {
    name: "Standard_NCC40ads_H100_v5",
    family: "standardNCCadsH100v5Family",
    vcpus: 40,
    memoryGiB: 320,
    gpus: 1,
    confidential: "SNP",
  },
  { name: "Standard_D2s_v5", family: "standardDSv5Family", vcpus: 2, memoryGiB: 8 },
  { name: "Standard_B1s", family: "standardBSFamily", vcpus: 1, memoryGiB: 1, maxDisks: 2, maxInterfaces: 1 },
  { name: "Standard_D2ps_v5", family: "standardDPSv5Family", vcpus: 2, memoryGiB: 8, arch: "Arm64" },
  { name: "Standard_NC4as_T4_v3", family: "standardNCASv3_T4Family", vcpus: 4, memoryGiB: 28, gpus: 1 },
  {
    name: "Standard_DC96as_v5",
    family: "standardDCASv5Family",
    vcpus: 96,
    memoryGiB: 384,
    confidential: "SNP",
    restricted: true,
  },
];
