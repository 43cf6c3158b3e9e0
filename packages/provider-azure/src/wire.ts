/** What is read of ARM's answers. Everything may be missing: no description of answers is published. */

export interface SubResource {
  readonly id?: string;
}

export interface NamedResource extends SubResource {
  readonly name?: string;
  readonly type?: string;
  readonly location?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface Page<Item> {
  readonly value?: readonly Item[];
  readonly nextLink?: string;
}

export interface Machine extends NamedResource {
  readonly zones?: readonly string[];
  readonly properties?: {
    readonly provisioningState?: string;
    readonly timeCreated?: string;
    readonly priority?: string;
    readonly networkProfile?: { readonly networkInterfaces?: readonly SubResource[] };
    readonly storageProfile?: {
      readonly dataDisks?: readonly { readonly lun?: number; readonly managedDisk?: SubResource }[];
    };
  };
}

export interface Interface extends NamedResource {
  readonly properties?: {
    readonly provisioningState?: string;
    readonly virtualMachine?: SubResource;
    readonly ipConfigurations?: readonly {
      readonly properties?: {
        readonly primary?: boolean;
        readonly privateIPAddress?: string;
        readonly publicIPAddress?: SubResource;
      };
    }[];
  };
}

export interface PublicAddress extends NamedResource {
  readonly properties?: { readonly ipAddress?: string; readonly provisioningState?: string };
}

export interface Disk extends NamedResource {
  readonly zones?: readonly string[];
  readonly managedBy?: string;
  readonly properties?: { readonly diskState?: string; readonly managedBy?: string };
}
