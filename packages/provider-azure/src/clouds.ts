/** Microsoft's clouds: where the Resource Manager and the sign-in are. */
export const clouds = {
  public: {
    endpoint: "https://management.azure.com",
    authorityHost: "https://login.microsoftonline.com",
  },
  china: {
    endpoint: "https://management.chinacloudapi.cn",
    authorityHost: "https://login.chinacloudapi.cn",
  },
  usgovernment: {
    endpoint: "https://management.usgovcloudapi.net",
    authorityHost: "https://login.microsoftonline.us",
  },
} as const;

export type CloudName = keyof typeof clouds;
